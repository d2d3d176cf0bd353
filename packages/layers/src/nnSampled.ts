/** Losses of large softmaxes from a sample of their classes. */
import {
  cast,
  concat,
  convertToTensor,
  equal,
  expandDims,
  log,
  logUniformCandidateSampler,
  matMul,
  mul,
  nameScope,
  onesLike,
  realDiv,
  reduceSum,
  reshape,
  sigmoidCrossEntropyWithLogits,
  softmaxCrossEntropyWithLogits,
  stopGradient,
  sub,
  add,
  zerosLike,
  type NameOptions,
  type SampledCandidates,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import { embeddingLookup, type EmbeddingOptions, type EmbeddingTable } from './nnEmbedding.js';

export interface SampledLossOptions extends NameOptions {
  /** True classes per example, default 1. */
  readonly numTrue?: number | undefined;
  /** What a candidate sampler gave; default: unique candidates of `logUniformCandidateSampler`. */
  readonly sampledValues?: SampledCandidates | undefined;
  /** Whether sampled classes that are true ones are left out. */
  readonly removeAccidentalHits?: boolean | undefined;
  readonly partitionStrategy?: EmbeddingOptions['partitionStrategy'];
  readonly seed?: number | undefined;
}

interface SampledInputs {
  readonly weights: EmbeddingTable;
  readonly biases: EmbeddingTable;
  readonly labels: TensorLike;
  readonly inputs: TensorLike;
  readonly numSampled: number;
  readonly numClasses: number;
}

const LOWEST = -3.4028234663852886e38;

/** Logits of the true and the sampled classes, less the logarithm of how often each is sampled; and their labels. */
function sampledLogits(
  { weights, biases, labels, inputs, numSampled, numClasses }: SampledInputs,
  options: SampledLossOptions,
): { logits: Tensor; labels: Tensor } {
  const { numTrue = 1, partitionStrategy, seed } = options;
  const classes = cast(Array.isArray(labels) ? convertToTensor(labels, { dtype: 'int32' }) : labels, 'int64');
  const drawn =
    options.sampledValues ??
    logUniformCandidateSampler(classes, numTrue, numSampled, true, numClasses, { seed });
  const [sampled, trueExpected, sampledExpected] = drawn.map((values) => stopGradient(values)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const rowsOf = (table: EmbeddingTable, ids: Tensor): Tensor =>
    embeddingLookup(table, ids, { partitionStrategy });
  const examples = convertToTensor(inputs);
  const trueWeights = rowsOf(weights, classes); // [batch, numTrue, dim]
  const products = reduceSum(mul(expandDims(examples, 1), trueWeights), { axis: -1 });
  const trueLogits = add(products, rowsOf(biases, classes));
  const others = add(
    matMul(examples, rowsOf(weights, sampled), { transposeB: true }),
    rowsOf(biases, sampled),
  );
  const kept = options.removeAccidentalHits === true ? withoutHits(others, classes, sampled) : others;
  const logits = concat([sub(trueLogits, log(trueExpected)), sub(kept, log(sampledExpected))], 1);
  const targets = concat([realDiv(onesLike(trueLogits), numTrue), zerosLike(kept)], 1);
  return { logits, labels: targets };
}

/** Adds -FLT_MAX where a sampled class is true: once per hit, as TensorFlow's sparse addition does. */
function withoutHits(logits: Tensor, classes: Tensor, sampled: Tensor): Tensor {
  const hits = cast(equal(expandDims(classes, 2), reshape(sampled, [1, 1, -1])), logits.dtype);
  return add(logits, mul(reduceSum(hits, { axis: 1 }), LOWEST));
}

/**
 * Softmax cross-entropy over the true and `numSampled` sampled classes (`tf.nn.sampled_softmax_loss`; Jean et al.,
 * 2014), for training only: a loss per example. `weights` is `[numClasses, dim]`, or parts of it; `biases`
 * `[numClasses]`; `labels` int64 `[batch, numTrue]`; `inputs` `[batch, dim]`.
 */
export function sampledSoftmaxLoss(
  weights: EmbeddingTable,
  biases: EmbeddingTable,
  labels: TensorLike,
  inputs: TensorLike,
  numSampled: number,
  numClasses: number,
  options: SampledLossOptions = {},
): Tensor {
  return nameScope(options.name ?? 'sampled_softmax_loss', () => {
    const given = { weights, biases, labels, inputs, numSampled, numClasses };
    const sample = sampledLogits(given, { removeAccidentalHits: true, ...options });
    return softmaxCrossEntropyWithLogits(sample);
  });
}

/**
 * Noise-contrastive estimation (`tf.nn.nce_loss`; Gutmann and Hyvärinen, 2010): the sum per example of the logistic
 * losses of telling true classes from sampled ones. Arguments as for `sampledSoftmaxLoss`, but accidental hits stay
 * unless `removeAccidentalHits` is set.
 */
export function nceLoss(
  weights: EmbeddingTable,
  biases: EmbeddingTable,
  labels: TensorLike,
  inputs: TensorLike,
  numSampled: number,
  numClasses: number,
  options: SampledLossOptions = {},
): Tensor {
  return nameScope(options.name ?? 'nce_loss', () => {
    const given = { weights, biases, labels, inputs, numSampled, numClasses };
    const losses = sigmoidCrossEntropyWithLogits(sampledLogits(given, options));
    return reduceSum(losses, { axis: 1 });
  });
}
