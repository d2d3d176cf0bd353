/**
 * Candidate sampling: classes drawn to stand for all others in the losses of large softmaxes, with how often each
 * class is to be expected among them (Jean et al., 2014; Mikolov et al., 2013).
 */
import { applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { SEEDS, seedAttrs } from './randomSeeds.js';

const noGradient = notDifferentiable('its values do not depend on any input smoothly');
const COMMON = ['num_true: int >= 1', 'num_sampled: int >= 1', 'unique: bool'];
const RANGE = 'range_max: int >= 1';

/** `[batch, num_true]` class numbers. */
function trueClasses(c: InferContext): TensorShape {
  const classes = withRank(c, 0, 2, 'true_classes');
  const expected = c.attrs.int('num_true');
  const whole = classes.mergeWith(new TensorShape([null, expected]));
  if (whole === null) {
    c.fail(`true_classes must have num_true = ${expected} columns, got shape ${classes.toString()}`);
  }
  return whole;
}

function inferSampler(c: InferContext): TensorShape[] {
  const classes = trueClasses(c);
  const count = c.attrs.int('num_sampled');
  if (c.attrs.bool('unique') && c.attrs.has('range_max') && count > c.attrs.int('range_max')) {
    c.fail(`${count} different classes cannot be drawn from a range of ${c.attrs.int('range_max')}`);
  }
  return [new TensorShape([count]), classes, new TensorShape([count])];
}

function inferFixedUnigram(c: InferContext): TensorShape[] {
  const [shards, shard] = [c.attrs.int('num_shards'), c.attrs.int('shard')];
  if (shard >= shards) c.fail(`shard must be below num_shards, got ${shard} of ${shards}`);
  const unigrams = c.attrs.floats('unigrams');
  const file = c.attrs.string('vocab_file');
  if (unigrams.length > 0 === (file !== '')) {
    c.fail('give either vocab_file or unigrams');
  }
  const negative = unigrams.find((weight) => !(weight >= 0));
  if (negative !== undefined) c.fail(`unigrams must not be negative, got ${negative}`);
  const reserved = c.attrs.int('num_reserved_ids');
  const all = Array.from({ length: reserved + unigrams.length }, (_, id) => id);
  const size = all.filter((id) => id % shards === shard).length;
  if (file === '' && size !== c.attrs.int('range_max')) {
    c.fail(`range_max is ${c.attrs.int('range_max')}, but there are ${size} classes`);
  }
  return inferSampler(c);
}

/** A sampler over `range_max` classes. */
function sampler(summary: string): OpDef {
  return op({
    summary,
    inputs: ['true_classes: int64'],
    outputs: ['sampled_candidates: int64', 'true_expected_count: float32', 'sampled_expected_count: float32'],
    attrs: [...COMMON, RANGE, ...SEEDS],
    infer: inferSampler,
    grad: noGradient,
    stateful: true,
  });
}

/** The most negative float32: what it is added to becomes no class at all. */
const LOWEST = -3.4028234663852886e38;

/** (row, column in sampled_candidates) of each true class that was sampled too. */
function accidentalHits(classes: HostValue, sampled: HostValue): { row: number; position: number }[] {
  const positions = new Map<number, number[]>();
  sampled.data.forEach((id, i) => positions.set(id, [...(positions.get(id) ?? []), i]));
  const columns = classes.shape[1] ?? 1;
  return [...classes.data].flatMap((id, i) =>
    (positions.get(id) ?? []).map((position) => ({ row: Math.floor(i / columns), position })),
  );
}

export const CANDIDATES = {
  UniformCandidateSampler: sampler('Classes drawn uniformly, and how often each is to be expected.'),
  LogUniformCandidateSampler: sampler(
    'Classes drawn in proportion to log(1 + 1 / (k + 1)), and how often each is to be expected.',
  ),
  LearnedUnigramCandidateSampler: sampler(
    'Classes drawn as often as they were true before, and how often each is to be expected.',
  ),
  FixedUnigramCandidateSampler: op({
    summary: 'Classes drawn by given weights, and how often each is to be expected.',
    inputs: ['true_classes: int64'],
    outputs: ['sampled_candidates: int64', 'true_expected_count: float32', 'sampled_expected_count: float32'],
    attrs: [
      ...COMMON,
      RANGE,
      'vocab_file: string = ""',
      'distortion: float = 1',
      'num_reserved_ids: int = 0',
      'num_shards: int >= 1 = 1',
      'shard: int >= 0 = 0',
      'unigrams: list(float) = []',
      ...SEEDS,
    ],
    infer: inferFixedUnigram,
    grad: noGradient,
    stateful: true,
  }),
  AllCandidateSampler: op({
    summary: 'All classes from 0, each to be expected once.',
    inputs: ['true_classes: int64'],
    outputs: ['sampled_candidates: int64', 'true_expected_count: float32', 'sampled_expected_count: float32'],
    attrs: [...COMMON, ...SEEDS],
    infer: inferSampler,
    grad: noGradient,
    stateful: true,
  }),
  ComputeAccidentalHits: op({
    summary: 'Where sampled classes are true ones.',
    inputs: ['true_classes: int64', 'sampled_candidates: int64'],
    outputs: ['indices: int32', 'ids: int64', 'weights: float32'],
    attrs: ['num_true: int', ...SEEDS],
    infer: (c) => {
      trueClasses(c);
      withRank(c, 1, 1, 'sampled_candidates');
      const [classes, sampled] = [c.constant(0), c.constant(1)];
      const known =
        classes !== null && sampled !== null && ![...classes.data, ...sampled.data].some(Number.isNaN);
      const hits = new TensorShape([known ? accidentalHits(classes, sampled).length : null]);
      return [hits, hits, hits];
    },
    grad: noGradient,
    evaluate: (c) => {
      const [classes, sampled] = [c.value(0), c.value(1)];
      if (classes === null || sampled === null) return null;
      if ([...classes.data, ...sampled.data].some(Number.isNaN)) return null;
      const hits = accidentalHits(classes, sampled);
      const shape = [hits.length];
      return [
        { dtype: 'int32', shape, data: Float64Array.from(hits, ({ row }) => row) },
        { dtype: 'int64', shape, data: Float64Array.from(hits, ({ position }) => position) },
        { dtype: 'float32', shape, data: new Float64Array(hits.length).fill(LOWEST) },
      ];
    },
  }),
} satisfies Record<string, OpDef>;

/** Sampled classes, and how often the true and the sampled ones are to be expected among them. */
export type SampledCandidates = readonly [
  sampledCandidates: Tensor,
  trueExpectedCount: Tensor,
  sampledExpectedCount: Tensor,
];

export interface CandidateSamplerOptions extends NameOptions {
  readonly seed?: number | undefined;
}

function sample(
  type: string,
  classes: TensorLike,
  attrs: Record<string, number | boolean | string | readonly number[]>,
  { seed, name }: CandidateSamplerOptions,
): SampledCandidates {
  const node = applyOp(type, [convertToTensor(classes, { dtype: 'int64' })], {
    name,
    attrs: { ...attrs, ...seedAttrs(seed) },
  });
  return [node.output(0), node.output(1), node.output(2)];
}

/**
 * `numSampled` classes drawn uniformly from `[0, rangeMax)` (`tf.random.uniform_candidate_sampler`): class numbers
 * `[numSampled]` (int64), and the expected counts of `trueClasses` (int64 `[batch, numTrue]`) and of the drawn.
 * With `unique` classes differ, and counts are the chances of being among the sample.
 */
export function uniformCandidateSampler(
  trueClasses: TensorLike,
  numTrue: number,
  numSampled: number,
  unique: boolean,
  rangeMax: number,
  options: CandidateSamplerOptions = {},
): SampledCandidates {
  const attrs = { num_true: numTrue, num_sampled: numSampled, unique, range_max: rangeMax };
  return sample('UniformCandidateSampler', trueClasses, attrs, options);
}

/**
 * Classes drawn with probability log((k + 2) / (k + 1)) / log(rangeMax + 1), as fits classes sorted by
 * falling frequency (`tf.random.log_uniform_candidate_sampler`); otherwise as `uniformCandidateSampler`.
 */
export function logUniformCandidateSampler(
  trueClasses: TensorLike,
  numTrue: number,
  numSampled: number,
  unique: boolean,
  rangeMax: number,
  options: CandidateSamplerOptions = {},
): SampledCandidates {
  const attrs = { num_true: numTrue, num_sampled: numSampled, unique, range_max: rangeMax };
  return sample('LogUniformCandidateSampler', trueClasses, attrs, options);
}

/**
 * Classes drawn as often as they were true in earlier runs (`tf.random.learned_unigram_candidate_sampler`);
 * otherwise as `uniformCandidateSampler`. Every class begins with weight 1 and gets 1 more for each time that it is
 * among `trueClasses`, after the draw. The session keeps the weights on the host, checkpoints do not.
 */
export function learnedUnigramCandidateSampler(
  trueClasses: TensorLike,
  numTrue: number,
  numSampled: number,
  unique: boolean,
  rangeMax: number,
  options: CandidateSamplerOptions = {},
): SampledCandidates {
  const attrs = { num_true: numTrue, num_sampled: numSampled, unique, range_max: rangeMax };
  return sample('LearnedUnigramCandidateSampler', trueClasses, attrs, options);
}

/** What `fixedUnigramCandidateSampler` takes last. */
export interface FixedUnigramOptions extends CandidateSamplerOptions {
  /** Weight of each class after the reserved ones. */
  readonly unigrams?: readonly number[] | undefined;
  /** A file of weights: kept in graph files, but not read here. */
  readonly vocabFile?: string | undefined;
  /** Weights are raised to this power, default 1. */
  readonly distortion?: number | undefined;
  /** Classes before the first weight, which are never drawn. */
  readonly numReservedIds?: number | undefined;
  readonly numShards?: number | undefined;
  /** Only classes with this remainder by `numShards` are kept. */
  readonly shard?: number | undefined;
}

/** Classes drawn by weights (`tf.random.fixed_unigram_candidate_sampler`); otherwise as `uniformCandidateSampler`. */
export function fixedUnigramCandidateSampler(
  trueClasses: TensorLike,
  numTrue: number,
  numSampled: number,
  unique: boolean,
  rangeMax: number,
  {
    unigrams = [],
    vocabFile = '',
    distortion = 1,
    numReservedIds = 0,
    numShards = 1,
    shard = 0,
    ...options
  }: FixedUnigramOptions = {},
): SampledCandidates {
  const attrs = {
    ...{ num_true: numTrue, num_sampled: numSampled, unique, range_max: rangeMax, unigrams, distortion },
    ...{ vocab_file: vocabFile, num_reserved_ids: numReservedIds, num_shards: numShards, shard },
  };
  return sample('FixedUnigramCandidateSampler', trueClasses, attrs, options);
}

/** All classes from 0 to `numSampled` (`tf.random.all_candidate_sampler`), in order: counts are 1. */
export function allCandidateSampler(
  trueClasses: TensorLike,
  numTrue: number,
  numSampled: number,
  unique: boolean,
  options: CandidateSamplerOptions = {},
): SampledCandidates {
  const attrs = { num_true: numTrue, num_sampled: numSampled, unique };
  return sample('AllCandidateSampler', trueClasses, attrs, options);
}

/**
 * Where sampled classes are true ones (`tf.nn.compute_accidental_hits`): rows of `trueClasses`, positions in
 * `sampledCandidates`, and the weight -FLT_MAX for each. How many there are depends on the values. The losses
 * of this library mask hits without it.
 */
export function computeAccidentalHits(
  trueClasses: TensorLike,
  sampledCandidates: TensorLike,
  numTrue: number,
  { seed, name }: CandidateSamplerOptions = {},
): [indices: Tensor, ids: Tensor, weights: Tensor] {
  if (!Number.isInteger(numTrue)) {
    throw new InvalidArgumentError(`computeAccidentalHits: numTrue must be an integer, got ${numTrue}`);
  }
  const inputs = [trueClasses, sampledCandidates].map((ids) => convertToTensor(ids, { dtype: 'int64' }));
  const node = applyOp('ComputeAccidentalHits', inputs, {
    name,
    attrs: { num_true: numTrue, ...seedAttrs(seed) },
  });
  return [node.output(0), node.output(1), node.output(2)];
}
