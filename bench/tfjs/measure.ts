/** The workloads in tfjs on its WebGPU backend, as shipped, on the same adapter. */
import tf from '@tensorflow/tfjs';
import { create, globals } from 'webgpu';
import { measure, type Measurement } from '../src/measure.js';
import { napUntil } from '../src/nap.js';
import { batchOf, LEARNING_RATE, SPECS, type WorkloadName } from '../workloads/specs.js';
import { MODELS } from './models.js';

/** Kept for the life of the process: Dawn aborts when it is collected. */
const gpu = create([]);

/** Makes `navigator.gpu`, which the backend looks for. */
export async function openBackend(): Promise<string> {
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
  await import('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs has no WebGPU backend here');
  await tf.ready();
  const adapter = await gpu.requestAdapter();
  return adapter?.info.description ?? 'unknown';
}

/** Measures one workload, with naps between polls or as shipped. The loss is read after every step, as the other side does. */
export async function measureTfjs(name: WorkloadName, napping: boolean): Promise<Measurement> {
  const started = performance.now();
  const adapter = await openBackend();
  const model = MODELS[name]();
  const optimizer = tf.train.adam(LEARNING_RATE);
  const [inputs, targets] = batchOf(name);
  const { classes, steps } = SPECS[name];
  return measure(adapter, steps, started, async () => {
    const x = tf.tensor(inputs.data, [...inputs.shape]);
    const labels = tf.tensor1d(targets.data, 'int32');
    const cost = optimizer.minimize(() => {
      const oneHot = tf.oneHot(labels, classes) as tf.Tensor2D;
      const logits = tf.reshape(model(x), [-1, classes]);
      return tf.losses.softmaxCrossEntropy<tf.Tensor2D, tf.Scalar>(oneHot, logits as tf.Tensor2D);
    }, true);
    const [value = NaN] = cost === null ? [] : await (napping ? napUntil(cost.data()) : cost.data());
    tf.dispose([x, labels, ...(cost === null ? [] : [cost])]);
    return value;
  });
}
