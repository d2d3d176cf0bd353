/** Ops that take texts apart and put them together, on the host: how many parts there are only a run knows. */
import { apply, applyOp, convertToTensor, type ApplyInput, type NameOptions } from '../apply.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import { SparseTensor } from '../sparseTensor.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { inferReduction } from './reductionAxes.js';

const grad = notDifferentiable('texts have no derivatives');

/** Indices, values and shape of a sparse matrix with a row of parts per text. */
function inferSplit(c: InferContext): TensorShape[] {
  withRank(c, 0, 1, 'input');
  const separator = c.shape(1);
  if (separator.rank !== null && separator.rank !== 0)
    c.fail(`the separator must be a scalar, got shape ${separator.toString()}`);
  return [new TensorShape([null, 2]), new TensorShape([null]), new TensorShape([2])];
}

function inferJoin(c: InferContext): TensorShape[] {
  return [
    c.shapes.reduce((all, shape) => {
      // Scalars go with every text.
      if (shape.rank === 0) return all;
      if (all.rank === 0) return shape;
      return all.mergeWith(shape) ?? c.fail(`shapes differ: ${all.toString()} and ${shape.toString()}`);
    }, TensorShape.SCALAR),
  ];
}

function inferNgrams(c: InferContext): TensorShape[] {
  withRank(c, 0, 1, 'data');
  const splits = withRank(c, 1, 1, 'data_splits');
  const widths = c.attrs.ints('ngram_widths');
  const bad = widths.find((width) => width < 1);
  if (widths.length === 0 || bad !== undefined)
    c.fail(`attribute "ngram_widths" must have numbers from 1, got [${widths.join(', ')}]`);
  return [new TensorShape([null]), splits];
}

export const STRING_PARTS = {
  StringSplit: op({
    summary: 'The parts of each text between any of several characters, as a sparse matrix.',
    inputs: ['input: string', 'delimiter: string'],
    outputs: ['indices: int64', 'values: string', 'shape: int64'],
    attrs: ['skip_empty: bool = true'],
    infer: inferSplit,
    grad,
  }),
  StringSplitV2: op({
    summary: 'The parts of each text between separators, as a sparse matrix.',
    inputs: ['input: string', 'sep: string'],
    outputs: ['indices: int64', 'values: string', 'shape: int64'],
    attrs: ['maxsplit: int = -1'],
    infer: inferSplit,
    grad,
  }),
  StringJoin: op({
    summary: 'Texts of several tensors, joined.',
    inputs: ['inputs: N * string'],
    outputs: ['output: string'],
    attrs: ['N: int >= 1', 'separator: string = ""'],
    infer: inferJoin,
    grad,
  }),
  ReduceJoin: op({
    summary: 'The texts along axes, joined.',
    inputs: ['inputs: string', 'reduction_indices: int32'],
    outputs: ['output: string'],
    attrs: ['keep_dims: bool = false', 'separator: string = ""'],
    infer: inferReduction,
    grad,
  }),
  StringNGrams: op({
    summary: 'Runs of neighbouring texts in each row of a ragged tensor, joined.',
    inputs: ['data: string', 'data_splits: Tsplits'],
    outputs: ['ngrams: string', 'ngrams_splits: Tsplits'],
    attrs: [
      'separator: string',
      'ngram_widths: list(int)',
      'left_pad: string',
      'right_pad: string',
      'pad_width: int',
      'preserve_short_sequences: bool',
      'Tsplits: index = int64',
    ],
    infer: inferNgrams,
    grad,
  }),
} satisfies Record<string, OpDef>;

export interface StringSplitOptions extends NameOptions {
  /** What stands between parts; default any run of white space. */
  readonly sep?: string;
  /** How often a text is cut at most, from its beginning; default as often as there are separators. */
  readonly maxsplit?: number;
}

/**
 * The parts of each text of a vector, as a sparse matrix with a row per text (`tf.strings.split`). Without `sep`, parts are cut at runs of white space
 * and none is empty; between neighbouring separators there is an empty part, as in Python.
 */
export function stringSplitV2(
  input: TensorLike,
  { sep = '', maxsplit = -1, name }: StringSplitOptions = {},
): SparseTensor {
  const { outputs } = applyOp('StringSplitV2', [input, sep], { name, attrs: { maxsplit } });
  const [indices, values, shape] = outputs as [Tensor, Tensor, Tensor];
  return new SparseTensor(indices, values, shape);
}

export interface SeparatorOptions extends NameOptions {
  /** What is put between texts; default nothing. */
  readonly separator?: string;
}

/** Texts of several tensors, element by element, joined (`tf.strings.join`). The tensors have one shape, or are scalars. */
export function stringJoin(
  inputs: readonly TensorLike[],
  { separator = '', name }: SeparatorOptions = {},
): Tensor {
  return apply('StringJoin', [inputs satisfies ApplyInput], { name, attrs: { separator } });
}

export interface ReduceJoinOptions extends SeparatorOptions {
  /** Axes to join along, of which the first varies fastest; default all, from the last to the first: in the order of the elements. */
  readonly axis?: number | readonly number[];
  /** Leave the axes as 1; default false. */
  readonly keepDims?: boolean;
}

/** The texts along axes, joined (`tf.strings.reduce_join`). */
export function reduceJoin(
  inputs: TensorLike,
  { axis, keepDims = false, separator = '', name }: ReduceJoinOptions = {},
): Tensor {
  const texts = convertToTensor(inputs);
  const every = (): TensorLike => apply('Range', [apply('Sub', [apply('Rank', [texts]), 1]), -1, -1]);
  const axes = axis ?? every();
  return apply('ReduceJoin', [texts, axes], { name, attrs: { keep_dims: keepDims, separator } });
}
