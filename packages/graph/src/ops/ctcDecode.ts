/** From the outputs of a network that was trained with CTC to label sequences. The ops belong to the nn family. */
import { applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { SparseTensor } from '../sparseTensor.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { beamSearch, type Path } from './ctcBeams.js';
import { vectorOf, wholeValue } from './dynamicHost.js';

const DECODES = notDifferentiable('which labels are likeliest has no derivative; TensorFlow defines none');

/** Shapes of the sequences' three tensors for each of `paths`, and of the log probabilities. */
function inferDecoder(c: InferContext, paths: number): TensorShape[] {
  const inputs = withRank(c, 0, 3, 'inputs');
  const lengths = withRank(c, 1, 1, 'sequence_length');
  const batch = inputs.slice(1, 2).mergeWith(lengths);
  if (batch === null) {
    c.fail(
      `inputs of shape ${inputs.toString()} and sequence_length of shape ${lengths.toString()} differ in batch`,
    );
  }
  if (inputs.dim(2) === 0) c.fail('inputs must have a class at least, the blank');
  const time = inputs.dim(0);
  const wrong = c.constant(1)?.data.find((length) => length < 0 || length > (time ?? Infinity));
  if (wrong !== undefined) c.fail(`sequence_length must be in [0, ${time ?? '?'}], got ${wrong}`);
  const each = (shape: TensorShape): TensorShape[] => new Array<TensorShape>(paths).fill(shape);
  return [
    ...each(new TensorShape([null, 2])),
    ...each(new TensorShape([null])),
    ...each(new TensorShape([2])),
    batch.concat([paths]),
  ];
}

/** The rows of logits of each item, as long as it is. */
function itemsOf(inputs: HostValue, lengths: HostValue): Float64Array[][] {
  const [, batch = 0, classes = 0] = inputs.shape;
  return Array.from(lengths.data, (length, b) =>
    Array.from({ length }, (_, t) => {
      const begin = (t * batch + b) * classes;
      return Float64Array.from(inputs.data.subarray(begin, begin + classes));
    }),
  );
}

/** The likeliest class of each step; blanks, and repeats when they merge, are left out. */
function greedyPath(rows: readonly Float64Array[], mergeRepeated: boolean): Path {
  const labels: number[] = [];
  let before = -1;
  let score = 0;
  for (const row of rows) {
    let best = 0;
    row.forEach((x, k) => {
      if ((row[best] ?? NaN) < x) best = k;
    });
    score -= row[best] ?? NaN;
    if (best !== row.length - 1 && !(mergeRepeated && best === before)) labels.push(best);
    before = best;
  }
  return { labels, score };
}

/** Label sequences of all items as a sparse tensor [batch, longest]: its indices, values and shape. */
function sparseLabels(items: readonly (readonly number[])[]): [HostValue, HostValue, HostValue] {
  const indices = items.flatMap((labels, b) => labels.flatMap((_, i) => [b, i]));
  const longest = items.reduce((most, labels) => Math.max(most, labels.length), 0);
  return [
    { dtype: 'int64', shape: [indices.length / 2, 2], data: Float64Array.from(indices) },
    vectorOf('int64', items.flat()),
    vectorOf('int64', [items.length, longest]),
  ];
}

/** All outputs from the paths of each item, the best first. */
function decoded(c: EvaluateContext, items: readonly (readonly Path[])[], paths: number): HostValue[] {
  const parts = Array.from({ length: paths }, (_, p) =>
    sparseLabels(items.map((item) => item[p]?.labels ?? [])),
  );
  const scores = Float64Array.from(items.flatMap((item) => item.map(({ score }) => score)));
  return [
    ...parts.map(([indices]) => indices),
    ...parts.map(([, values]) => values),
    ...parts.map(([, , shape]) => shape),
    { dtype: c.outputs.at(-1) ?? 'float32', shape: [items.length, paths], data: scores },
  ];
}

function evaluateDecoder(
  c: EvaluateContext,
  paths: number,
  decode: (rows: readonly Float64Array[], item: number) => readonly Path[],
): HostValue[] | null {
  const [inputs, lengths] = [wholeValue(c, 0), wholeValue(c, 1)];
  if (inputs === null || lengths === null) return null;
  return decoded(c, itemsOf(inputs, lengths).map(decode), paths);
}

function evaluateBeams(c: EvaluateContext): HostValue[] | null {
  const [width, paths] = [c.attrs.int('beam_width'), c.attrs.int('top_paths')];
  return evaluateDecoder(c, paths, (rows, item) => {
    const found = beamSearch(rows, width, c.attrs.bool('merge_repeated')).slice(0, paths);
    if (found.length === paths) return found;
    throw new InvalidArgumentError(
      `CTCBeamSearchDecoder: item ${item} has ${found.length} label sequences, top_paths asks for ${paths}`,
    );
  });
}

const FLOAT = 'T: {float32, float64} = float32';

export const CTC_DECODE = {
  CTCGreedyDecoder: op({
    summary: 'Label sequences from the likeliest class of each time step.',
    inputs: ['inputs: T', 'sequence_length: int32'],
    outputs: [
      'decoded_indices: int64',
      'decoded_values: int64',
      'decoded_shape: int64',
      'log_probability: T',
    ],
    attrs: ['merge_repeated: bool = false', FLOAT],
    infer: (c) => inferDecoder(c, 1),
    grad: DECODES,
    evaluate: (c) => evaluateDecoder(c, 1, (rows) => [greedyPath(rows, c.attrs.bool('merge_repeated'))]),
  }),

  CTCBeamSearchDecoder: op({
    summary: 'The likeliest label sequences under CTC, as far as a beam search finds them.',
    inputs: ['inputs: T', 'sequence_length: int32'],
    outputs: [
      'decoded_indices: top_paths * int64',
      'decoded_values: top_paths * int64',
      'decoded_shape: top_paths * int64',
      'log_probability: T',
    ],
    attrs: ['beam_width: int >= 1', 'top_paths: int >= 1', 'merge_repeated: bool = true', FLOAT],
    infer: (c) => {
      const [width, paths] = [c.attrs.int('beam_width'), c.attrs.int('top_paths')];
      if (paths > width) c.fail(`top_paths is ${paths}, more than the beam_width ${width}`);
      return inferDecoder(c, paths);
    },
    grad: DECODES,
    evaluate: evaluateBeams,
  }),
} satisfies Record<string, OpDef>;

/** Label sequences `[batch, longest]` (int64), and a number for each item and path. */
export type Decoded = [decoded: SparseTensor[], logProbability: Tensor];

function decodedOf(node: Operation, paths: number): Decoded {
  const sequences = Array.from(
    { length: paths },
    (_, p) => new SparseTensor(node.output(p), node.output(paths + p), node.output(2 * paths + p)),
  );
  return [sequences, node.output(3 * paths)];
}

function lengthsOf(sequenceLength: TensorLike): Tensor {
  return convertToTensor(sequenceLength, Array.isArray(sequenceLength) ? { dtype: 'int32' } : {});
}

export interface CtcGreedyDecoderOptions extends NameOptions {
  /** Repeated classes without a blank between them are one label; default `true`. */
  readonly mergeRepeated?: boolean | undefined;
}

/**
 * Label sequences made of the likeliest class of each time step (`tf.nn.ctc_greedy_decoder`). `inputs` are logits
 * `[time, batch, classes]`, of which the last class is the blank, `sequenceLength` is int32 `[batch]`. Returns one
 * `SparseTensor` `[batch, longest]` in a list, and `[batch, 1]`: the negative sum of the largest logits. A run
 * computes it on the host. Throws when a length exceeds the time.
 */
export function ctcGreedyDecoder(
  inputs: TensorLike,
  sequenceLength: TensorLike,
  { mergeRepeated = true, name }: CtcGreedyDecoderOptions = {},
): Decoded {
  const attrs = { merge_repeated: mergeRepeated };
  return decodedOf(applyOp('CTCGreedyDecoder', [inputs, lengthsOf(sequenceLength)], { name, attrs }), 1);
}

export interface CtcBeamSearchV2Options extends NameOptions {
  /** How many label sequences are kept after each time step; default 100. */
  readonly beamWidth?: number | undefined;
  /** How many are returned, the likeliest first; default 1. */
  readonly topPaths?: number | undefined;
}

export interface CtcBeamSearchOptions extends CtcBeamSearchV2Options {
  /** Equal labels that follow each other in a result become one, also where a blank parted them; default `true`. */
  readonly mergeRepeated?: boolean | undefined;
}

/**
 * The likeliest label sequences that a beam search finds (`tf.nn.ctc_beam_search_decoder`; Graves, 2012). For
 * `inputs` and `sequenceLength` see `ctcGreedyDecoder`. Returns a `SparseTensor` per path, and their log probabilities
 * `[batch, topPaths]`. A run computes it on the host, and throws where an item has fewer sequences than asked for.
 */
export function ctcBeamSearchDecoder(
  inputs: TensorLike,
  sequenceLength: TensorLike,
  { beamWidth = 100, topPaths = 1, mergeRepeated = true, name }: CtcBeamSearchOptions = {},
): Decoded {
  const attrs = { beam_width: beamWidth, top_paths: topPaths, merge_repeated: mergeRepeated };
  const node = applyOp('CTCBeamSearchDecoder', [inputs, lengthsOf(sequenceLength)], { name, attrs });
  return decodedOf(node, topPaths);
}

/** As `ctcBeamSearchDecoder`, with equal labels kept apart (`tf.compat.v1.nn.ctc_beam_search_decoder_v2`). */
export function ctcBeamSearchDecoderV2(
  inputs: TensorLike,
  sequenceLength: TensorLike,
  options: CtcBeamSearchV2Options = {},
): Decoded {
  return ctcBeamSearchDecoder(inputs, sequenceLength, { ...options, mergeRepeated: false });
}
