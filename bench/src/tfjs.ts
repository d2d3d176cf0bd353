/** The workloads in tfjs on its WebGPU backend, as shipped, on the same adapter. */
import tf from '@tensorflow/tfjs';
import { create, globals } from 'webgpu';
import { measure, syntheticBatch, WORKLOADS, type Measurement, type WorkloadName } from './workloads.js';

/** Kept for the life of the process: Dawn aborts when it is collected. */
const gpu = create([]);

/** Makes `navigator.gpu`, which the backend looks for. */
async function openBackend(): Promise<string> {
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs has no WebGPU backend here');
  await tf.ready();
  const adapter = await gpu.requestAdapter();
  return adapter?.info.description ?? 'unknown';
}

/** Glorot-uniform weights, as layers of both frameworks have by default. */
function weight(shape: number[], fanIn: number, fanOut: number): tf.Variable {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return tf.variable(tf.randomUniform(shape, -limit, limit, 'float32', 1));
}

const bias = (size: number): tf.Variable => tf.variable(tf.zeros([size]));

const MODELS: Record<WorkloadName, () => (images: tf.Tensor4D) => tf.Tensor2D> = {
  mlp: () => {
    const [w1, b1, w2, b2] = [weight([784, 128], 784, 128), bias(128), weight([128, 10], 128, 10), bias(10)];
    return (images) => {
      const hidden = tf.relu(tf.add(tf.matMul(tf.reshape(images, [-1, 784]), w1), b1));
      return tf.add(tf.matMul(hidden as tf.Tensor2D, w2 as tf.Tensor2D), b2);
    };
  },
  mnistCnn: () => {
    const [k1, c1] = [weight([5, 5, 1, 32], 25, 800), bias(32)];
    const [k2, c2] = [weight([5, 5, 32, 64], 800, 1600), bias(64)];
    const [w1, b1, w2, b2] = [
      weight([3136, 1024], 3136, 1024),
      bias(1024),
      weight([1024, 10], 1024, 10),
      bias(10),
    ];
    return (images) => {
      const conv1 = tf.relu<tf.Tensor4D>(tf.add(tf.conv2d(images, k1 as tf.Tensor4D, 1, 'same'), c1));
      const pool1 = tf.maxPool(conv1, 2, 2, 'valid');
      const conv2 = tf.relu<tf.Tensor4D>(tf.add(tf.conv2d(pool1, k2 as tf.Tensor4D, 1, 'same'), c2));
      const pool2 = tf.maxPool(conv2, 2, 2, 'valid');
      const hidden = tf.relu(tf.add(tf.matMul(tf.reshape(pool2, [-1, 3136]), w1), b1));
      return tf.add(tf.matMul(hidden as tf.Tensor2D, w2 as tf.Tensor2D), b2);
    };
  },
};

/** Measures one workload. The loss is read after every step, as the other side does. */
export async function measureTfjs(name: WorkloadName): Promise<Measurement> {
  const started = performance.now();
  const adapter = await openBackend();
  const { batch, steps } = WORKLOADS[name];
  const model = MODELS[name]();
  const optimizer = tf.train.adam(1e-3);
  const data = syntheticBatch(batch);
  return measure(adapter, steps, started, async () => {
    const images = tf.tensor4d(data.images, [batch, 28, 28, 1]);
    const labels = tf.tensor1d(data.labels, 'int32');
    const cost = optimizer.minimize(() => {
      const oneHot = tf.oneHot(labels, 10) as tf.Tensor2D;
      return tf.losses.softmaxCrossEntropy<tf.Tensor2D, tf.Scalar>(oneHot, model(images));
    }, true);
    const [value = NaN] = cost === null ? [] : await cost.data();
    tf.dispose([images, labels, ...(cost === null ? [] : [cost])]);
    return value;
  });
}
