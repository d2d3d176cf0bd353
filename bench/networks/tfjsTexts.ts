/** Networks on words in tfjs. */
import tf from '@tensorflow/tfjs';
import { bias, dense, weight } from '../tfjs/layers.js';
import { SIZES } from './specs.js';
import { crossEntropy, need, sigmoidCrossEntropy, table, type Loss, type Network } from './tfjsInputs.js';

const { text, seq2seq, words } = SIZES;

type Rows = readonly tf.Tensor2D[];

/** The last state of a gated recurrent unit (Cho et al., 2014) over rows, as `GRUCell` computes it. */
function gru(width: number, units: number): (rows: Rows) => tf.Tensor2D {
  const [gates, candidate] = [dense(width + units, 2 * units), dense(width + units, units)];
  return (rows) =>
    rows.reduce<tf.Tensor2D>(
      (h, x) => {
        const [reset, update] = tf.split(tf.sigmoid(gates(tf.concat([x, h], 1))), 2, 1) as [
          tf.Tensor2D,
          tf.Tensor2D,
        ];
        const fresh = tf.tanh(candidate(tf.concat([x, tf.mul<tf.Tensor2D>(reset, h)], 1)));
        return tf.add<tf.Tensor2D>(tf.mul(update, h), tf.mul(tf.sub(1, update), fresh));
      },
      tf.zeros<tf.Rank.R2>([rows[0]?.shape[0] ?? 0, units]),
    );
}

function classify(): Loss {
  const { vocabulary, width, units } = text;
  const [embedding, forward, backward] = [table(vocabulary, width), gru(width, units), gru(width, units)];
  const project = dense(2 * units, 2);
  return (inputs) => {
    const rows = tf.unstack(tf.gather(embedding, need<tf.Tensor2D>(inputs, 'words')), 1) as tf.Tensor2D[];
    return crossEntropy(inputs, project(tf.concat([forward(rows), backward(rows.toReversed())], 1)), 2);
  };
}

interface State {
  readonly c: tf.Tensor2D;
  readonly h: tf.Tensor2D;
}

/** All outputs of an LSTM over rows, and the last state. */
function lstm(width: number, units: number): (rows: Rows, state: State) => [tf.Tensor, State] {
  const kernel = weight([width + units, 4 * units], width + units, 4 * units) as tf.Tensor2D;
  const [offset, forget] = [bias(4 * units) as tf.Tensor1D, tf.scalar(1)];
  return (rows, first) => {
    let state = first;
    const outputs = rows.map((x) => {
      const [c, h] = tf.basicLSTMCell(forget, kernel, offset, x, state.c, state.h);
      state = { c, h };
      return h;
    });
    return [tf.stack(outputs, 1), state];
  };
}

function translate(): Loss {
  const { vocabulary, width, units } = seq2seq;
  const [source, target] = [table(vocabulary, width), table(vocabulary, width)];
  const [encoder, decoder] = [lstm(width, units), lstm(width, units)];
  const [join, project] = [dense(2 * units, units), dense(units, vocabulary)];
  const look = (embedding: tf.Variable, ids: tf.Tensor2D): tf.Tensor2D[] =>
    tf.unstack(tf.gather(embedding, ids), 1) as tf.Tensor2D[];
  return (inputs) => {
    const [from, to] = [need<tf.Tensor2D>(inputs, 'from'), need<tf.Tensor2D>(inputs, 'to')];
    const zeros = tf.zeros<tf.Rank.R2>([from.shape[0], units]);
    const [encoded, state] = encoder(look(source, from), { c: zeros, h: zeros });
    const [decoded] = decoder(look(target, to), state);
    const context = tf.matMul(tf.softmax(tf.matMul(decoded, encoded, false, true)), encoded);
    const joined = tf.tanh(join(tf.concat([decoded, context], 2)));
    return crossEntropy({ labels: to }, project(joined), vocabulary);
  };
}

/** Negatives are drawn evenly, and no logarithm of how likely they are is taken off: less work than on the other side. */
function skipGrams(): Loss {
  const { vocabulary, width, sampled } = words;
  const [embedding, weights, biases] = [table(vocabulary, width), table(vocabulary, width), bias(vocabulary)];
  return (inputs) => {
    const labels = tf.reshape<tf.Rank.R1>(need(inputs, 'labels'), [-1]);
    const examples = tf.gather(embedding, need<tf.Tensor1D>(inputs, 'words'));
    const negatives = tf.cast(tf.randomUniform([sampled], 0, vocabulary), 'int32');
    const positive = tf.add(
      tf.sum(tf.mul(examples, tf.gather(weights, labels)), 1),
      tf.gather(biases, labels),
    );
    const negative = tf.add(
      tf.matMul(examples, tf.gather(weights, negatives), false, true),
      tf.gather(biases, negatives),
    );
    const logits = tf.concat([tf.expandDims(positive, 1), negative], 1);
    const targets = tf.concat([tf.onesLike(tf.expandDims(positive, 1)), tf.zerosLike(negative)], 1);
    return tf.mean<tf.Scalar>(tf.sum(sigmoidCrossEntropy(targets, logits), 1));
  };
}

export const textLosses = {
  biGru: classify,
  seq2seq: translate,
  word2vec: skipGrams,
} satisfies Record<string, Network>;
