/** Elements that occur, each once: unique, with or without counts or an axis, and differences of lists. */
import { applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { normalizeAxis, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type EvaluateContext, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { sizeOf, TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { knownElements, vectorLength } from './arrayHost.js';
import { complete, vectorOf, wholeValue } from './dynamicHost.js';
import type { IndexDType } from './shape.js';

const EQUALITY = notDifferentiable(
  'which elements are equal has no derivative; TensorFlow defines none for the values',
);
const OUT_IDX = 'out_idx: {int32, int64} = int32';

/** Slices along an axis: which occur first where, and which of them each slice is. */
interface Distinct {
  /** Positions of the first occurrences. */
  readonly firsts: readonly number[];
  readonly numbers: readonly number[];
}

/** Compares slices by their elements; NaN equals nothing. */
function distinct(keys: readonly (string | number)[]): Distinct {
  const seen = new Map<string | number, number>();
  const firsts: number[] = [];
  const numbers = keys.map((key, i) => {
    const isNew = Number.isNaN(key) || !seen.has(key);
    const number = isNew ? firsts.length : (seen.get(key) ?? 0);
    if (isNew) {
      seen.set(key, number);
      firsts.push(i);
    }
    return number;
  });
  return { firsts, numbers };
}

/** The slices of `x` along `axis` as [outer, axis, inner]. */
function sliced({ shape, data }: HostValue, axis: number) {
  const length = shape[axis] ?? 1;
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const slice = (i: number): number[] =>
    Array.from({ length: outer * inner }, (_, k) => {
      const [o, n] = [Math.floor(k / inner), k % inner];
      return data[(o * length + i) * inner + n] ?? NaN;
    });
  return { length, outer, inner, slice };
}

function distinctSlices(x: HostValue, axis: number): Distinct {
  const { length, slice } = sliced(x, axis);
  const keys = Array.from({ length }, (_, i) => {
    const elements = slice(i);
    if (elements.some(Number.isNaN)) return NaN;
    // -0 and 0 are equal: adding 0 makes them the same text.
    return elements.map((element) => element + 0).join();
  });
  return distinct(keys);
}

/** The slices of `x` at `positions` along `axis`. */
function taken(x: HostValue, axis: number, positions: readonly number[]): HostValue {
  const { outer, inner, length } = sliced(x, axis);
  const shape = x.shape.map((dim, d) => (d === axis ? positions.length : dim));
  const data = new Float64Array(sizeOf(shape));
  for (let o = 0; o < outer; o++) {
    positions.forEach((position, p) => {
      for (let n = 0; n < inner; n++) {
        data[(o * positions.length + p) * inner + n] = x.data[(o * length + position) * inner + n] ?? NaN;
      }
    });
  }
  return { dtype: x.dtype, shape, data };
}

/** The axis of UniqueV2: an empty list means that the input is a vector. */
function axisOf(value: HostValue | null, rank: number): number | null {
  const axes = knownElements(value);
  if (axes === null) return null;
  const [axis = 0] = axes;
  return axis < 0 ? axis + rank : axis;
}

function results(c: EvaluateContext, hasAxis: boolean): HostValue[] | null {
  const x = wholeValue(c, 0);
  const axis = x === null ? null : hasAxis ? axisOf(c.value(1), x.shape.length) : 0;
  if (x === null || axis === null) return null;
  const { firsts, numbers } = distinctSlices(x, axis);
  const [, idx = 'int32'] = c.outputs;
  const counts = firsts.map((_, k) => numbers.filter((number) => number === k).length);
  return [taken(x, axis, firsts), vectorOf(idx, numbers), vectorOf(idx, counts)].slice(0, c.outputs.length);
}

/** Shapes of y and idx, and of the counts. */
function inferUnique(c: InferContext, hasAxis: boolean, outputs: number): TensorShape[] {
  const x = c.shape(0);
  const axis = hasAxis ? inferAxis(c) : 0;
  if (!hasAxis) withRank(c, 0, 1, 'x');
  const value = complete(c.constant(0));
  const count = value === null || axis === null ? null : distinctSlices(value, axis).firsts.length;
  const length = axis === null || x.rank === null ? null : x.dim(axis);
  const y = axis === null && x.rank !== null ? TensorShape.ofRank(x.rank) : x;
  const kept = new TensorShape(
    y.dims === null ? (hasAxis ? null : [count]) : y.dims.map((dim, d) => (d === axis ? count : dim)),
  );
  return [kept, new TensorShape([length]), new TensorShape([count])].slice(0, outputs);
}

function inferAxis(c: InferContext): number | null {
  const { rank } = c.shape(0);
  const length = vectorLength(c, 1, 'axis');
  if (length !== null && length > 1) c.fail(`axis must have one element or none, got ${length}`);
  if (length === 0 && rank !== null && rank !== 1) {
    c.fail(`without an axis x must be a vector, got shape ${c.shape(0).toString()}`);
  }
  const axes = knownElements(c.constant(1)) ?? (length === 0 ? [] : null);
  return axes === null ? null : normalizeAxis(c, axes[0] ?? 0, rank);
}

function uniqueOp(summary: string, hasAxis: boolean, counts: boolean): OpDef {
  return op({
    summary,
    inputs: hasAxis ? ['x: T', 'axis: Taxis'] : ['x: T'],
    outputs: ['y: T', 'idx: out_idx', ...(counts ? ['count: out_idx'] : [])],
    attrs: ['T: type', ...(hasAxis ? ['Taxis: index = int64'] : []), OUT_IDX],
    infer: (c) => inferUnique(c, hasAxis, counts ? 3 : 2),
    grad: EQUALITY,
    evaluate: (c) => results(c, hasAxis),
  });
}

/** The elements of `x` that are not in `y`, and where they are. */
function difference(x: HostValue, y: HostValue): { elements: number[]; places: number[] } {
  const left = new Set(y.data);
  const places = [...x.data.keys()].filter((i) => {
    const element = x.data[i] ?? NaN;
    return Number.isNaN(element) || !left.has(element);
  });
  return { elements: places.map((i) => x.data[i] ?? NaN), places };
}

export const DYNAMIC_UNIQUE = {
  Unique: uniqueOp('The elements of a vector, each once, and the number of each.', false, false),
  UniqueV2: uniqueOp('The slices along an axis, each once, and the number of each.', true, false),
  UniqueWithCounts: uniqueOp('The elements of a vector, each once, and how often each occurs.', false, true),
  UniqueWithCountsV2: uniqueOp('The slices along an axis, each once, and how often each occurs.', true, true),

  ListDiff: op({
    summary: 'The elements of one vector that are not in another, and where they are.',
    inputs: ['x: T', 'y: T'],
    outputs: ['out: T', 'idx: out_idx'],
    attrs: ['T: type', OUT_IDX],
    infer: (c) => {
      withRank(c, 0, 1, 'x');
      withRank(c, 1, 1, 'y');
      const [x, y] = [complete(c.constant(0)), complete(c.constant(1))];
      const count = x === null || y === null ? null : difference(x, y).places.length;
      return [new TensorShape([count]), new TensorShape([count])];
    },
    grad: EQUALITY,
    evaluate: (c) => {
      const [x, y] = [wholeValue(c, 0), wholeValue(c, 1)];
      if (x === null || y === null) return null;
      const { elements, places } = difference(x, y);
      return [vectorOf(x.dtype, elements), vectorOf(c.outputs[1] ?? 'int32', places)];
    },
  }),
};

export interface UniqueOptions extends NameOptions {
  /** The dtype of positions and counts; default int32. */
  readonly outIdx?: IndexDType;
  /** Compares slices along this axis instead of the elements of a vector. */
  readonly axis?: number;
}

/**
 * The distinct elements of the vector `x` in the order in which they first occur, and for each element of `x` its
 * position among them (`tf.unique`). With `axis`, slices are compared. NaN equals nothing.
 */
export function unique(x: TensorLike, options: UniqueOptions = {}): [y: Tensor, idx: Tensor] {
  const node = uniqueNode('Unique', x, options);
  return [node.output(0), node.output(1)];
}

/** As `unique`, followed by how often each element occurs (`tf.unique_with_counts`). */
export function uniqueWithCounts(
  x: TensorLike,
  options: UniqueOptions = {},
): [y: Tensor, idx: Tensor, count: Tensor] {
  const node = uniqueNode('UniqueWithCounts', x, options);
  return [node.output(0), node.output(1), node.output(2)];
}

function uniqueNode(type: string, x: TensorLike, { axis, outIdx = 'int32', name }: UniqueOptions): Operation {
  const attrs = { out_idx: outIdx };
  if (axis === undefined) return applyOp(type, [convertToTensor(x)], { name, attrs });
  return applyOp(`${type}V2`, [convertToTensor(x), [axis]], { name, attrs });
}

/** The elements of the vector `x` that do not occur in `y`, and where they are in `x` (`tf.setdiff1d`). */
export function setdiff1d(
  x: TensorLike,
  y: TensorLike,
  { indexDtype = 'int32', name }: NameOptions & { readonly indexDtype?: IndexDType } = {},
): [out: Tensor, idx: Tensor] {
  const node = applyOp('ListDiff', [convertToTensor(x), y], { name, attrs: { out_idx: indexDtype } });
  return [node.output(0), node.output(1)];
}
