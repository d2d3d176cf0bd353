/** The workloads' models in tfjs: each makes its variables and returns logits of a batch. */
import tf from '@tensorflow/tfjs';
import { LSTM, RESNET_STAGES, TRANSFORMER, type WorkloadName } from '../workloads/specs.js';
import { batchNorm, bias, conv, dense, layerNorm, weight } from './layers.js';

type Model = (x: tf.Tensor) => tf.Tensor;

function mlp(): Model {
  const [first, second] = [dense(784, 128), dense(128, 10)];
  return (x) => second(tf.relu(first(x)));
}

function mnistCnn(): Model {
  const [conv1, conv2, bias1, bias2] = [conv(5, 1, 32), conv(5, 32, 64), bias(32), bias(64)];
  const [dense1, dense2] = [dense(3136, 1024), dense(1024, 10)];
  return (x) => {
    const y1 = tf.relu<tf.Tensor4D>(tf.add(conv1(x as tf.Tensor4D), bias1));
    const y2 = tf.relu<tf.Tensor4D>(tf.add(conv2(tf.maxPool(y1, 2, 2, 'valid')), bias2));
    const flat = tf.reshape(tf.maxPool(y2, 2, 2, 'valid'), [-1, 3136]);
    return dense2(tf.relu(dense1(flat)));
  };
}

function convNorm(kernel: number, channels: number, filters: number, strides: number): Model {
  const [convolve, normalize] = [conv(kernel, channels, filters, strides), batchNorm(filters)];
  return (x) => normalize(convolve(x as tf.Tensor4D));
}

function block(channels: number, filters: number, strides: number): Model {
  const [inner, outer] = [convNorm(3, channels, filters, strides), convNorm(3, filters, filters, 1)];
  const shortcut = strides === 1 ? (x: tf.Tensor): tf.Tensor => x : convNorm(1, channels, filters, strides);
  return (x) => tf.relu(tf.add(outer(tf.relu(inner(x))), shortcut(x)));
}

function resnet18(): Model {
  const stem = convNorm(3, 3, RESNET_STAGES[0], 1);
  let channels: number = RESNET_STAGES[0];
  const blocks = RESNET_STAGES.flatMap((filters, stage) => {
    const pair = [block(channels, filters, stage === 0 ? 1 : 2), block(filters, filters, 1)];
    channels = filters;
    return pair;
  });
  const classify = dense(channels, 10);
  return (x) => {
    const features = blocks.reduce<tf.Tensor>((y, next) => next(y), tf.relu(stem(x)));
    return classify(tf.mean(features, [1, 2]));
  };
}

function lstm(): Model {
  const { time, features, units } = LSTM;
  const kernel = weight([features + units, 4 * units], features + units, 4 * units) as tf.Tensor2D;
  const [gates, forget, classify] = [bias(4 * units) as tf.Tensor1D, tf.scalar(1), dense(units, 10)];
  return (x) => {
    const [batch] = (x as tf.Tensor3D).shape;
    let [c, h] = [tf.zeros<tf.Rank.R2>([batch, units]), tf.zeros<tf.Rank.R2>([batch, units])];
    for (const row of tf.unstack(x, 1).slice(0, time)) {
      [c, h] = tf.basicLSTMCell(forget, kernel, gates, row as tf.Tensor2D, c, h);
    }
    return classify(h);
  };
}

function attention(): Model {
  const { time, width, heads } = TRANSFORMER;
  const project = [
    dense(width, width, false),
    dense(width, width, false),
    dense(width, width, false),
  ] as const;
  const join = dense(width, width);
  const mask = tf.tensor2d(
    Float32Array.from({ length: time * time }, (_, i) => (i % time > Math.floor(i / time) ? -1e9 : 0)),
    [time, time],
  );
  return (x) => {
    const split = (each: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(each, [-1, time, heads, width / heads]), [0, 2, 1, 3]);
    const [queries, keys, values] = [split(project[0](x)), split(project[1](x)), split(project[2](x))];
    const scores = tf.mul(tf.matMul(queries, keys, false, true), 1 / Math.sqrt(width / heads));
    const weights = tf.softmax(tf.add(scores, mask));
    const joined = tf.transpose(tf.matMul(weights, values), [0, 2, 1, 3]);
    return join(tf.reshape(joined, [-1, time, width]));
  };
}

function transformer(): Model {
  const { features, width, hidden } = TRANSFORMER;
  const [project, attend, classify] = [dense(features, width), attention(), dense(width, 64)];
  const [widen, narrow] = [dense(width, hidden), dense(hidden, width)];
  const [norm1, norm2, norm3] = [layerNorm(width), layerNorm(width), layerNorm(width)];
  return (sequence) => {
    const x = project(sequence);
    const attended = tf.add(x, attend(norm1(x)));
    const y = tf.add(attended, narrow(tf.relu(widen(norm2(attended)))));
    return classify(norm3(y));
  };
}

export const MODELS: Readonly<Record<WorkloadName, () => Model>> = {
  mlp,
  mnistCnn,
  resnet18,
  lstm,
  transformer,
};
