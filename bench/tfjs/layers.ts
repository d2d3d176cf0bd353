/** Weights and layers that the workloads have in common, as a user of tfjs would write them. */
import tf from '@tensorflow/tfjs';

/** Glorot-uniform weights, as layers of all frameworks here have by default. */
export function weight(shape: number[], fanIn: number, fanOut: number): tf.Variable {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return tf.variable(tf.randomUniform(shape, -limit, limit, 'float32', 1));
}

/** A vector of zeros to train. */
export function bias(size: number): tf.Variable {
  return tf.variable(tf.zeros([size]));
}

/** A dense layer on the last dimension; `x` may have more than two. */
export function dense(inputs: number, units: number, useBias = true): <T extends tf.Tensor>(x: T) => T {
  const w = weight([inputs, units], inputs, units) as tf.Tensor2D;
  const b = useBias ? bias(units) : null;
  return <T extends tf.Tensor>(x: T): T => {
    const rows = tf.reshape<tf.Rank.R2>(x, [-1, inputs]);
    const product = tf.matMul(rows, w);
    const y = b === null ? product : tf.add<tf.Tensor2D>(product, b);
    return tf.reshape(y, [...x.shape.slice(0, -1), units]) as T;
  };
}

/** A convolution with SAME padding. */
export function conv(
  kernel: number,
  channels: number,
  filters: number,
  strides = 1,
): (x: tf.Tensor4D) => tf.Tensor4D {
  const area = kernel * kernel;
  const w = weight([kernel, kernel, channels, filters], area * channels, area * filters) as tf.Tensor4D;
  return (x) => tf.conv2d(x, w, strides, 'same');
}

/** Batch normalization with the statistics of the batch; no moving averages are kept. */
export function batchNorm(channels: number): (x: tf.Tensor4D) => tf.Tensor4D {
  const [scale, offset] = [tf.variable(tf.ones([channels])), bias(channels)];
  return (x) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(
      x,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      offset as tf.Tensor1D,
      scale as tf.Tensor1D,
      1e-3,
    );
  };
}

/** Layer normalization over the last dimension. */
export function layerNorm(width: number): (x: tf.Tensor) => tf.Tensor {
  const [scale, offset] = [tf.variable(tf.ones([width])), bias(width)];
  return (x) => {
    const { mean, variance } = tf.moments(x, -1, true);
    const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-12)));
    return tf.add(tf.mul(normal, scale), offset);
  };
}
