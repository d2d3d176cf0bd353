/** Networks on words in Forerun. */
import * as fr from 'forerun';
import { need, type Inputs, type Network } from './forerunInputs.js';
import { SIZES } from './specs.js';

const { text, seq2seq, words } = SIZES;

function table(name: string, rows: number, width: number): fr.Variable {
  return fr.getVariable(name, {
    shape: [rows, width],
    initializer: fr.randomUniformInitializer({ minval: -0.05, maxval: 0.05 }),
  });
}

function classify(inputs: Inputs): fr.Tensor {
  const embedded = fr.nn.embeddingLookup(table('words', text.vocabulary, text.width), need(inputs, 'words'));
  const cell = (): fr.nn.rnnCell.GRUCell => new fr.nn.rnnCell.GRUCell(text.units);
  const [, states] = fr.nn.bidirectionalDynamicRnn(cell(), cell(), embedded, { dtype: 'float32' });
  const logits = fr.layers.dense(fr.concat([...states], 1), 2);
  return fr.losses.sparseSoftmaxCrossEntropy(need(inputs, 'labels'), logits);
}

/** Each step of the decoder attends to all outputs of the encoder by products of its own output (Luong et al., 2015). */
function translate(inputs: Inputs): fr.Tensor {
  const { vocabulary, width, units } = seq2seq;
  const [from, to] = [need(inputs, 'from'), need(inputs, 'to')];
  const cell = (): fr.nn.rnnCell.BasicLSTMCell => new fr.nn.rnnCell.BasicLSTMCell(units);
  const look = (name: string, ids: fr.Tensor): fr.Tensor =>
    fr.nn.embeddingLookup(table(name, vocabulary, width), ids);
  const [encoded, state] = fr.nn.dynamicRnn(cell(), look('from', from), {
    dtype: 'float32',
    scope: 'encoder',
  });
  const [decoded] = fr.nn.dynamicRnn(cell(), look('to', to), { initialState: state, scope: 'decoder' });
  const weights = fr.nn.softmax(fr.matMul(decoded, encoded, { transposeB: true }));
  const context = fr.matMul(weights, encoded);
  const joined = fr.layers.dense(fr.concat([decoded, context], 2), units, { activation: fr.tanh });
  return fr.losses.sparseSoftmaxCrossEntropy(to, fr.layers.dense(joined, vocabulary));
}

function skipGrams(inputs: Inputs): fr.Tensor {
  const { vocabulary, width, sampled } = words;
  const embedded = fr.nn.embeddingLookup(table('words', vocabulary, width), need(inputs, 'words'));
  const [weights, biases] = [
    table('weights', vocabulary, width),
    fr.getVariable('biases', { shape: [vocabulary], initializer: fr.zerosInitializer() }),
  ];
  const labels = need(inputs, 'labels');
  return fr.reduceMean(fr.nn.nceLoss(weights, biases, labels, embedded, sampled, vocabulary, { seed: 1 }));
}

export const textLosses = {
  biGru: classify,
  seq2seq: translate,
  word2vec: skipGrams,
} satisfies Record<string, Network>;
