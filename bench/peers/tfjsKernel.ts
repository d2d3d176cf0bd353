/** A kernel of tfjs's WebGPU backend, as shipped. */
import tf from '@tensorflow/tfjs';
import { openBackend } from '../tfjs/measure.js';
import { timeRuns, values, type PeerCase, type PeerMeasurement } from './peerCases.js';

/** Runs the kernel and reads one element, which waits for it. */
export async function measureTfjs({ kind, shapes }: PeerCase): Promise<PeerMeasurement> {
  await openBackend();
  const [x, w] = shapes.map((shape) => tf.tensor(values(shape), [...shape]));
  if (x === undefined || w === undefined) throw new Error('a kernel has two operands');
  const run = kernelOf(kind, x, w);
  return timeRuns(async () => {
    const result = tf.tidy(() => tf.slice(tf.reshape(run(), [-1]), [0], [1]));
    await result.data();
    result.dispose();
  });
}

function kernelOf(kind: PeerCase['kind'], x: tf.Tensor, w: tf.Tensor): () => tf.Tensor {
  if (kind === 'matMul') return () => tf.matMul(x, w);
  if (kind === 'conv2d') return () => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
  // Stride 1 and as many filters as channels: the gradient of the output has the shape of the images.
  const attrs = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
  const engine = tf.engine();
  return kind === 'conv2dInput'
    ? () => engine.runKernel('Conv2DBackpropInput', { dy: x, filter: w }, { ...attrs, inputShape: x.shape })
    : () => engine.runKernel('Conv2DBackpropFilter', { x, dy: x }, { ...attrs, filterShape: w.shape });
}
