/** Neural network ops: bias, L2 loss, top-k membership. Softmax and cross-entropies are in softmax.ts. */
import { apply, type NameOptions } from '../apply.js';
import { scalarShape, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { DataFormat } from './convWindows.js';
import { BLOCK_GRU } from './blockGru.js';
import { BLOCK_LSTM } from './blockLstm.js';
import { CTC } from './ctc.js';
import { FAKE_QUANT } from './fakeQuant.js';
import { EDIT_DISTANCE } from './editDistance.js';
import { QUANTIZE } from './quantize.js';
import { CTC_DECODE } from './ctcDecode.js';
import { SOFTMAX } from './softmax.js';

/** Position of the channels in a tensor of `rank` dimensions. TensorFlow 1.15 has them second in NCHW at any rank. */
function channelAxis(format: string, rank: number): number {
  return format === 'NCHW' ? 1 : rank - 1;
}

function inferBiasAdd(c: InferContext): TensorShape[] {
  const bias = withRank(c, 1, 1, 'bias');
  const value = c.shape(0);
  if (value.dims === null) return [TensorShape.UNKNOWN];
  if (value.dims.length < 2) c.fail(`value must have rank 2 or more, got shape ${value.toString()}`);
  const format = c.attrs.has('data_format') ? c.attrs.string('data_format') : 'NHWC';
  const axis = channelAxis(format, value.dims.length);
  const channels = new TensorShape([value.dims[axis] ?? null]).mergeWith(bias);
  if (channels === null) {
    c.fail(
      `value of shape ${value.toString()} has ${value.dims[axis] ?? '?'} channels (${format}), ` +
        `bias has ${bias.dim(0) ?? '?'}`,
    );
  }
  return [new TensorShape(value.dims.map((dim, i) => (i === axis ? channels.dim(0) : dim)))];
}

function inferBiasAddGrad(c: InferContext): TensorShape[] {
  const { dims } = c.shape(0);
  if (dims === null) return [TensorShape.ofRank(1)];
  if (dims.length < 2) c.fail(`the gradient must have rank 2 or more, got shape ${c.shape(0).toString()}`);
  return [new TensorShape([dims[channelAxis(c.attrs.string('data_format'), dims.length)] ?? null])];
}

/** The values of a top-k question: predictions `[batch, classes]`, targets `[batch]`. */
function inferInTopK(c: InferContext): TensorShape[] {
  const predictions = withRank(c, 0, 2, 'predictions');
  const batch = predictions.slice(0, 1).mergeWith(withRank(c, 1, 1, 'targets'));
  if (batch === null) {
    c.fail(
      `predictions of shape ${predictions.toString()} and targets of shape ${c.shape(1).toString()} differ in batch`,
    );
  }
  return [batch];
}

const IS_PIECEWISE_CONSTANT = notDifferentiable('its values are booleans');

export const NN = {
  ...SOFTMAX,
  ...BLOCK_LSTM,
  ...BLOCK_GRU,
  ...CTC,
  ...FAKE_QUANT,
  ...QUANTIZE,
  ...EDIT_DISTANCE,
  ...CTC_DECODE,

  BiasAdd: op({
    summary: 'Adds a vector to the channels of a tensor.',
    inputs: ['value: T', 'bias: T'],
    outputs: ['output: T'],
    attrs: ['T: numeric', 'data_format: {"NHWC", "NCHW"} = "NHWC"'],
    infer: inferBiasAdd,
    grad: ({ attrs, dy }) => [
      dy,
      apply('BiasAddGrad', [dy], { attrs: { data_format: attrs.string('data_format') } }), // sums over all but channels
    ],
  }),

  BiasAddV1: op({
    summary: 'Adds a vector to the last dimension of a tensor.',
    inputs: ['value: T', 'bias: T'],
    outputs: ['output: T'],
    attrs: ['T: numeric'],
    infer: inferBiasAdd,
    grad: ({ dy }) => [dy, apply('BiasAddGrad', [dy])], // sums over all but the last dimension
  }),

  BiasAddGrad: op({
    summary: 'Sum over all dimensions but the channels.',
    inputs: ['out_backprop: T'],
    outputs: ['output: T'],
    attrs: ['T: numeric', 'data_format: {"NHWC", "NCHW"} = "NHWC"'],
    infer: inferBiasAddGrad,
    grad: ({ attrs, input, ops, dy }) => {
      const zeros = ops.zerosLike(input(0)); // dx = dy, repeated over all but the channels
      return [apply('BiasAdd', [zeros, dy], { attrs: { data_format: attrs.string('data_format') } })];
    },
  }),

  L2Loss: op({
    summary: 'Half the sum of squares.',
    inputs: ['t: T'],
    outputs: ['output: T'],
    attrs: ['T: floating'],
    infer: scalarShape,
    grad: ({ ops, input, dy }) => [ops.mul(input(0), dy)], // dx = x * dy
  }),

  InTopK: op({
    summary: 'Whether the target of each row is among the k largest predictions.',
    inputs: ['predictions: float32', 'targets: T'],
    outputs: ['precision: bool'],
    attrs: ['k: int', 'T: index = int32'],
    infer: inferInTopK,
    grad: IS_PIECEWISE_CONSTANT,
  }),

  InTopKV2: op({
    summary: 'Whether the target of each row is among the k largest predictions.',
    inputs: ['predictions: float32', 'targets: T', 'k: T'],
    outputs: ['precision: bool'],
    attrs: ['T: index = int32'],
    infer: (c) => {
      withRank(c, 2, 0, 'k');
      return inferInTopK(c);
    },
    grad: IS_PIECEWISE_CONSTANT,
  }),
} satisfies Record<string, OpDef>;

/**
 * Adds `bias`, a vector, to the channels of `value` (`tf.nn.bias_add`): the last dimension, or with
 * `dataFormat` `NCHW` the second.
 */
export function biasAdd(
  value: TensorLike,
  bias: TensorLike,
  { dataFormat = 'NHWC', name }: NameOptions & { dataFormat?: DataFormat | undefined } = {},
): Tensor {
  return apply('BiasAdd', [value, bias], { name, attrs: { data_format: dataFormat } });
}

/** sum(t * t) / 2, a scalar (`tf.nn.l2_loss`). */
export function l2Loss(t: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('L2Loss', [t], { name });
}

/**
 * Whether fewer than `k` predictions of a row are above that of its target (`tf.nn.in_top_k`): a bool
 * per row. `predictions` is float32 `[batch, classes]`, `targets` `[batch]` class numbers. False for a
 * target out of range and for rows with predictions that are not finite.
 */
export function inTopK(
  predictions: TensorLike,
  targets: TensorLike,
  k: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('InTopKV2', [predictions, targets, k], { name });
}

export { gruBlockCell, type GruBlockResult } from './blockGru.js';
export {
  blockLstm,
  lstmBlockCell,
  type BlockLstmOptions,
  type BlockLstmResult,
  type BlockLstmWeights,
} from './blockLstm.js';
export * from './ctc.js';
export * from './ctcDecode.js';
export {
  logSoftmax,
  sigmoidCrossEntropyWithLogits,
  softmax,
  softmaxCrossEntropyWithLogits,
  softmaxCrossEntropyWithLogitsV2,
  sparseSoftmaxCrossEntropyWithLogits,
  type CrossEntropyInputs,
  type SoftmaxOptions,
} from './softmax.js';
