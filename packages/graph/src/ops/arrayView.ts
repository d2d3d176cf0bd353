/** Ops that only give a tensor another shape: reshape, expandDims, squeeze. */
import { checkOptions } from '../checkOptions.js';
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { normalizeAxis } from '../inferHelpers.js';
import { op, type InferContext } from '../opDef.js';
import { sizeOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { reshapeGrad } from './arrayHost.js';

/**
 * The shape that `target` (with at most one -1, NaN where unknown) gives to `size` elements.
 * The one dimension that is not given follows from the size where that is known.
 */
function reshapedDims(fail: (rule: string) => never, size: Dim, target: readonly number[]): Dim[] {
  const text = `[${target.map((dim) => (Number.isNaN(dim) ? '?' : dim)).join(',')}]`;
  const low = target.find((dim) => dim < -1);
  if (low !== undefined) fail(`dimensions must be -1 or more, got ${low} in ${text}`);
  const open = target.filter((dim) => dim === -1);
  if (open.length > 1) fail(`only one dimension may be -1, got ${text}`);
  const given = target.filter((dim) => dim >= 0);
  const product = sizeOf(given);
  const missing = target.length - given.length;
  if (size === null || missing > 1) return target.map(knownDim);
  if (missing === 0) {
    if (product !== size) fail(`cannot reshape ${size} elements to ${text}, which has ${product}`);
    return target.map(knownDim);
  }
  if (product === 0) {
    if (open.length === 1) fail(`cannot infer the -1 in ${text}: the other dimensions give 0 elements`);
    return target.map(knownDim);
  }
  if (size % product !== 0) fail(`cannot reshape ${size} elements to ${text}: not a multiple of ${product}`);
  return target.map((dim) => (dim >= 0 ? dim : size / product));
}

function knownDim(dim: number): Dim {
  return dim >= 0 ? dim : null;
}

function inferReshape(c: InferContext): TensorShape[] {
  const [x, vector] = [c.shape(0), c.shape(1)];
  if (vector.rank !== null && vector.rank !== 1)
    c.fail(`shape must be a vector, got shape ${vector.toString()}`);
  const target = c.constant(1);
  if (target === null) {
    const length = vector.rank === 1 ? vector.dim(0) : null;
    return [length === null ? TensorShape.UNKNOWN : TensorShape.ofRank(length)];
  }
  return [new TensorShape(reshapedDims((rule) => c.fail(rule), x.size, [...target.data]))];
}

/** The same elements in another shape, `null` when the shape does not fit or is not known. */
function reshaped(x: HostValue | null, dims: readonly Dim[]): HostValue[] | null {
  const shape = dims.filter((dim) => dim !== null);
  if (x === null || shape.length !== dims.length || sizeOf(shape) !== x.data.length) return null;
  return [{ dtype: x.dtype, shape, data: x.data }];
}

/** The only element of an axis input; `null` when not known. */
function axisValue(value: HostValue | null): number | null {
  const axis = value?.data[0];
  return axis === undefined || Number.isNaN(axis) ? null : axis;
}

function expandedDims(dims: readonly Dim[], axis: number): Dim[] {
  const at = axis < 0 ? axis + dims.length + 1 : axis;
  return [...dims.slice(0, at), 1, ...dims.slice(at)];
}

function inferSqueeze(c: InferContext): TensorShape[] {
  const { dims, rank } = c.shape(0);
  const listed = c.attrs.ints('squeeze_dims');
  if (dims === null) return [TensorShape.UNKNOWN];
  if (listed.length === 0) {
    return [dims.includes(null) ? TensorShape.UNKNOWN : new TensorShape(dims.filter((dim) => dim !== 1))];
  }
  const axes = new Set(listed.map((axis) => normalizeAxis(c, axis, rank)));
  for (const axis of axes) {
    const dim = axis === null ? 1 : (dims[axis] ?? 1);
    if (dim !== 1)
      c.fail(`dimension ${axis} of ${c.shape(0).toString()} has size ${dim}: only size 1 can be squeezed`);
  }
  return [new TensorShape(dims.filter((_, axis) => !axes.has(axis)))];
}

export const ARRAY_VIEW = {
  Reshape: op({
    summary: 'The elements of a tensor in another shape.',
    inputs: ['tensor: T', 'shape: Tshape'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tshape: index = int32'],
    infer: inferReshape,
    grad: (c) => [reshapeGrad(c), null],
    evaluate: (c) => {
      const [x, target] = [c.value(0), c.value(1)];
      if (x === null || target === null) return null;
      const given = sizeOf([...target.data].filter((dim) => dim >= 0));
      const open = [...target.data].filter((dim) => !(dim >= 0)).length;
      if (open > 1 || (open === 1 && given === 0)) return null;
      return reshaped(
        x,
        Array.from(target.data, (dim) => (dim >= 0 ? dim : x.data.length / given)),
      );
    },
  }),

  ExpandDims: op({
    summary: 'A dimension of size 1 inserted at an axis.',
    inputs: ['input: T', 'dim: Tdim'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tdim: index = int32'],
    infer: (c) => {
      const { dims } = c.shape(0);
      const count = c.shape(1).size;
      if (count !== null && count !== 1)
        c.fail(`dim must have one element, got shape ${c.shape(1).toString()}`);
      const axis = axisValue(c.constant(1));
      if (dims === null) return [TensorShape.UNKNOWN];
      if (axis === null) return [TensorShape.ofRank(dims.length + 1)];
      normalizeAxis(c, axis, dims.length + 1);
      return [new TensorShape(expandedDims(dims, axis))];
    },
    grad: (c) => [reshapeGrad(c), null],
    evaluate: (c) => {
      const [x, axis] = [c.value(0), axisValue(c.value(1))];
      return x === null || axis === null ? null : reshaped(x, expandedDims(x.shape, axis));
    },
  }),

  Squeeze: op({
    summary: 'Dimensions of size 1 removed.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'squeeze_dims: list(int) = []'],
    infer: inferSqueeze,
    grad: (c) => [reshapeGrad(c)],
    evaluate: (c) => {
      const x = c.value(0);
      const listed = c.attrs
        .ints('squeeze_dims')
        .map((axis) => (axis < 0 ? axis + (x?.shape.length ?? 0) : axis));
      const kept = x?.shape.filter((dim, i) => (listed.length === 0 ? dim !== 1 : !listed.includes(i)));
      return reshaped(x, kept ?? []);
    },
  }),
};

/**
 * The elements of `tensor` in row-major order in another shape (`tf.reshape`). `shape` is a list or an
 * integer vector; one dimension may be -1 and then follows from the number of elements.
 */
export function reshape(tensor: TensorLike, shape: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('Reshape', [tensor, shape], { name });
}

/** `input` with a dimension of size 1 inserted before `axis`; negative axes count from the end (`tf.expand_dims`). */
export function expandDims(input: TensorLike, axis: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('ExpandDims', [input, axis], { name });
}

/**
 * `input` without its dimensions of size 1, or only without those in `axis` (`tf.squeeze`). Throws when
 * a named dimension has another size.
 */
export function squeeze(
  input: TensorLike,
  options: NameOptions & { readonly axis?: number | readonly number[] } = {},
): Tensor {
  const { axis = [], name } = checkOptions('squeeze', options, '{ axis: [1] }');
  const axes = typeof axis === 'number' ? [axis] : [...axis];
  return apply('Squeeze', [convertToTensor(input)], { name, attrs: { squeeze_dims: axes } });
}
