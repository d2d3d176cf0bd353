/** What the networks in tfjs are made from, beside the layers of the workloads. */
import tf from '@tensorflow/tfjs';

export type Inputs = Readonly<Record<string, tf.Tensor>>;

/** Makes the variables and returns the loss of inputs, or losses that are minimized each over its own variables. */
export type Network = () => Loss | readonly Part[];

export type Loss = (inputs: Inputs) => tf.Scalar;

/** One of several losses of a step. */
export interface Part {
  readonly loss: Loss;
  readonly variables: tf.Variable[];
}

/** One of the inputs; its absence is a mistake in the specification. */
export function need<T extends tf.Tensor>(inputs: Inputs, name: string): T {
  const found = inputs[name];
  if (found === undefined) throw new Error(`there is no input "${name}"`);
  return found as T;
}

/** Mean softmax cross-entropy of logits [..., classes] with whole-numbered labels. */
export function crossEntropy(inputs: Inputs, logits: tf.Tensor, classes: number): tf.Scalar {
  const flat = tf.reshape<tf.Rank.R2>(logits, [-1, classes]);
  const labels = tf.reshape<tf.Rank.R1>(need(inputs, 'labels'), [-1]);
  return tf.losses.softmaxCrossEntropy(tf.oneHot(labels, classes) as tf.Tensor2D, flat);
}

/** Elementwise sigmoid cross-entropy: max(x, 0) - x z + log(1 + e^-|x|). */
export function sigmoidCrossEntropy(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const softened = tf.log1p(tf.exp(tf.neg(tf.abs(logits))));
  return tf.add(tf.sub(tf.relu(logits), tf.mul(logits, labels)), softened);
}

/** Batch normalization over all axes but the last, of any rank. */
export function norm(channels: number): (x: tf.Tensor) => tf.Tensor {
  const [scale, offset] = [
    tf.variable(tf.ones<tf.Rank.R1>([channels])),
    tf.variable(tf.zeros<tf.Rank.R1>([channels])),
  ];
  return (x) => {
    const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
    const { mean, variance } = tf.moments(x, axes);
    return tf.batchNorm(x, mean, variance, offset, scale, 1e-3);
  };
}

/** Uniform rows of an embedding. */
export function table(rows: number, width: number): tf.Variable {
  return tf.variable(tf.randomUniform([rows, width], -0.05, 0.05, 'float32', 1));
}

/** The variables that `make` made, and what it returned. */
export function collecting<T>(make: () => T): [made: T, variables: tf.Variable[]] {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  const made = make();
  const variables = Object.entries(tf.engine().registeredVariables).flatMap(([name, variable]) =>
    before.has(name) ? [] : [variable],
  );
  return [made, variables];
}
