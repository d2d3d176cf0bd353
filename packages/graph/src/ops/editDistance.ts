/** How far sequences are from those that are right: of speech and handwriting, as rows of sparse tensors. Family nn. */
import { apply, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { SparseTensor } from '../sparseTensor.js';
import type { Tensor } from '../tensor.js';
import type { HostValue } from '../value.js';
import { complete, wholeValue } from './dynamicHost.js';

/** Rows of a sparse tensor: the sequence behind all but the last coordinate. */
type Rows = ReadonlyMap<number, readonly number[]>;

function groupShape(hypothesis: HostValue, truth: HostValue): number[] {
  return Array.from(hypothesis.data.slice(0, -1), (dim, i) => Math.max(dim, truth.data[i] ?? 0));
}

function inferDistance(c: InferContext): TensorShape[] {
  for (const [first, name] of [
    [0, 'hypothesis'],
    [3, 'truth'],
  ] as const) {
    withRank(c, first, 2, `${name}_indices`);
    withRank(c, first + 1, 1, `${name}_values`);
    withRank(c, first + 2, 1, `${name}_shape`);
  }
  const rank = c.shape(2).mergeWith(c.shape(5));
  if (rank === null) {
    c.fail(
      `hypothesis_shape ${c.shape(2).toString()} and truth_shape ${c.shape(5).toString()} differ in length`,
    );
  }
  const length = rank.rank === null ? null : rank.dim(0);
  if (length !== null && length < 2)
    c.fail(`the sequences need rank 2 or more, got shapes of ${length} elements`);
  const [own, wanted] = [complete(c.constant(2)), complete(c.constant(5))];
  if (own !== null && wanted !== null) return [new TensorShape(groupShape(own, wanted))];
  return [length === null ? TensorShape.UNKNOWN : TensorShape.ofRank(length - 1)];
}

/** The sequences of a sparse tensor whose groups have the shape `shape`. */
function rowsOf(indices: HostValue, values: HostValue, shape: readonly number[]): Rows {
  const rows = new Map<number, number[]>();
  const rank = shape.length + 1;
  values.data.forEach((value, k) => {
    const group = shape.reduce((sum, dim, d) => sum * dim + (indices.data[k * rank + d] ?? 0), 0);
    const row = rows.get(group) ?? [];
    row.push(value);
    rows.set(group, row);
  });
  return rows;
}

/** The least number of insertions, deletions and substitutions (Levenshtein, 1966). */
function distance(a: readonly number[], b: readonly number[]): number {
  let row = b.map((_, j) => j + 1);
  a.forEach((x, i) => {
    let [diagonal, left] = [i, i + 1];
    row = row.map((above, j) => {
      const next = Math.min(above + 1, left + 1, diagonal + Number(x !== b[j]));
      [diagonal, left] = [above, next];
      return next;
    });
  });
  return row.at(-1) ?? a.length;
}

function evaluateDistance(c: EvaluateContext): HostValue[] | null {
  const values = Array.from({ length: 6 }, (_, i) => wholeValue(c, i));
  const [hi, hv, hs, ti, tv, ts] = values;
  if (!hi || !hv || !hs || !ti || !tv || !ts) return null;
  const shape = groupShape(hs, ts);
  const [guesses, truths] = [rowsOf(hi, hv, shape), rowsOf(ti, tv, shape)];
  const data = new Float64Array(shape.reduce((size, dim) => size * dim, 1));
  for (const group of new Set([...guesses.keys(), ...truths.keys()])) {
    const [guess, truth] = [guesses.get(group) ?? [], truths.get(group) ?? []];
    const edits = distance(guess, truth);
    data[group] = c.attrs.bool('normalize') ? edits / truth.length : edits;
  }
  return [{ dtype: 'float32', shape, data }];
}

export const EDIT_DISTANCE = {
  EditDistance: op({
    summary: 'The edit distances between the rows of two sparse tensors.',
    inputs: [
      ...['hypothesis_indices: int64', 'hypothesis_values: T', 'hypothesis_shape: int64'],
      ...['truth_indices: int64', 'truth_values: T', 'truth_shape: int64'],
    ],
    outputs: ['output: float32'],
    attrs: ['normalize: bool = true', 'T: type'],
    infer: inferDistance,
    grad: notDifferentiable('it counts edits'),
    evaluate: evaluateDistance,
  }),
};

/**
 * How many insertions, deletions and substitutions turn each sequence of `hypothesis` into that of `truth`
 * (`tf.edit_distance`), by default divided by the length of the latter: the error rate of labels. Both are sparse, of one
 * dtype and rank, with sequences along the last dimension. float32, of the shape of the other dimensions; infinite
 * where nothing is right but something was found. Throws `InvalidArgumentError` when dtypes differ.
 */
export function editDistance(
  hypothesis: SparseTensor,
  truth: SparseTensor,
  { normalize = true, name }: NameOptions & { readonly normalize?: boolean } = {},
): Tensor {
  if (hypothesis.dtype !== truth.dtype) {
    throw new InvalidArgumentError(
      `editDistance: hypothesis is ${hypothesis.dtype}, truth ${truth.dtype}: they must have one dtype`,
    );
  }
  const parts = [hypothesis, truth].flatMap(({ indices, values, denseShape }) => [
    indices,
    values,
    denseShape,
  ]);
  return apply('EditDistance', parts, { name: name ?? 'edit_distance', attrs: { normalize } });
}
