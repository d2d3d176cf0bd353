/** Ops that join tensors and cut them apart: concat, stack, unstack, split. */
import { checkOptions } from '../checkOptions.js';
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { normalizeAxis } from '../inferHelpers.js';
import { op, type EvaluateContext, type GradContext, type InferContext } from '../opDef.js';
import { stridesOf, TensorShape, type Dim } from '../shape.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { toTensorValue, type HostValue, type ValueLike } from '../value.js';
import {
  cut,
  dimOf,
  indexDType,
  join,
  knownScalar,
  pick,
  requireSingle,
  valueOrUnknown,
  withDim,
  withShapeOf,
} from './arrayHost.js';

/** The dimensions that all parts agree on; `axis` is left out of the comparison. */
function mergedParts(c: InferContext, parts: readonly TensorShape[], axis: number | null): TensorShape {
  let merged = TensorShape.UNKNOWN;
  parts.forEach((part, i) => {
    const open =
      axis === null ? TensorShape.of(part.dims?.map(() => null) ?? null) : withDim(part, axis, null);
    const next = merged.mergeWith(open);
    if (next === null)
      c.fail(`shapes differ: value ${i} has ${part.toString()}, the others ${merged.toString()}`);
    merged = next;
  });
  return merged;
}

/** The sum of dimensions; `null` when any is unknown. */
function total(dims: readonly Dim[]): Dim {
  return dims.reduce<Dim>((sum, dim) => (sum === null || dim === null ? null : sum + dim), 0);
}

/** Positions of the values and of the axis: ConcatV2 has the axis last, Concat first. */
function concatParts<T>(all: readonly T[], axisFirst: boolean): T[] {
  return axisFirst ? all.slice(1) : all.slice(0, -1);
}

function inferConcat(c: InferContext, axisFirst = false): TensorShape[] {
  const parts = concatParts(c.shapes, axisFirst);
  const at = axisFirst ? 0 : parts.length;
  requireSingle(c, at, 'axis');
  const rank = parts.find((part) => part.rank !== null)?.rank ?? null;
  if (rank === 0) c.fail('scalars cannot be concatenated; stack them');
  const axis = normalizeAxis(c, knownScalar(c.constant(at)) ?? NaN, rank);
  const merged = mergedParts(c, parts, axis);
  if (axis === null) return [merged];
  return [withDim(merged, axis, total(parts.map((part) => part.dims?.[axis] ?? null)))];
}

/** dx_i = the piece of dy that x_i became. Sizes that are not known statically come from the shapes. */
function concatGrad({ ops, inputs, dy }: GradContext, axisFirst = false): (Tensor | null)[] {
  const values = concatParts(inputs, axisFirst);
  const axis = inputs.at(axisFirst ? 0 : -1);
  if (axis === undefined) return [];
  const at = ops.reshape(axis, [1]);
  const sizeAlong = (x: Tensor): Tensor =>
    ops.stridedSlice(ops.shape(x, { outType: indexDType(axis) }), at, ops.add(at, 1), { shrinkAxisMask: 1 });
  const sizes = ops.stack(values.map(sizeAlong));
  const pieces = ops.split(dy, sizes, { axis: ops.cast(axis, 'int32'), num: values.length }); // as SplitV wants it
  const dxs = pieces.map((piece, i) => withShapeOf(piece, values[i] ?? piece));
  return axisFirst ? [null, ...dxs] : [...dxs, null];
}

/** The gradients of all outputs, zeros where none flows. */
function filledGradients({ ops, outputs, dys }: GradContext): Tensor[] {
  return outputs.map((y, i) => dys[i] ?? ops.zerosLike(y));
}

function inferPack(c: InferContext): TensorShape[] {
  const merged = mergedWhole(c);
  const at = c.attrs.int('axis');
  const axis = normalizeAxis(c, at, merged.rank === null ? null : merged.rank + 1);
  if (axis === null) return [TensorShape.UNKNOWN];
  return [merged.slice(0, axis).concat([c.shapes.length]).concat(merged.slice(axis))];
}

function mergedWhole(c: InferContext): TensorShape {
  return c.shapes.reduce((merged, part, i) => {
    const next = merged.mergeWith(part);
    return (
      next ?? c.fail(`shapes differ: value ${i} has ${part.toString()}, the others ${merged.toString()}`)
    );
  }, TensorShape.UNKNOWN);
}

function inferUnpack(c: InferContext): TensorShape[] {
  const [x, num] = [c.shape(0), c.attrs.int('num')];
  const axis = normalizeAxis(c, c.attrs.int('axis'), x.rank);
  if (axis === null) return new Array<TensorShape>(num).fill(TensorShape.UNKNOWN);
  const dim = x.dim(axis);
  if (dim !== null && dim !== num)
    c.fail(`dimension ${axis} of ${x.toString()} has size ${dim}, not num = ${num}`);
  return new Array<TensorShape>(num).fill(x.slice(0, axis).concat(x.slice(axis + 1)));
}

function inferSplit(c: InferContext): TensorShape[] {
  const [x, num] = [c.shape(1), c.attrs.int('num_split')];
  requireSingle(c, 0, 'split_dim');
  const axis = normalizeAxis(c, knownScalar(c.constant(0)) ?? NaN, x.rank);
  if (axis === null) return new Array<TensorShape>(num).fill(TensorShape.of(x.dims?.map(() => null) ?? null));
  const dim = x.dim(axis);
  if (dim !== null && dim % num !== 0) {
    c.fail(`dimension ${axis} of ${x.toString()} has size ${dim}, which is not divisible by ${num}`);
  }
  return new Array<TensorShape>(num).fill(withDim(x, axis, dim === null ? null : dim / num));
}

/** Piece lengths of SplitV: one may be -1 and then takes the rest. */
function splitLengths(c: InferContext, num: number, dim: Dim): Dim[] {
  const sizes = c.constant(1);
  if (sizes === null) return new Array<Dim>(num).fill(null);
  const given = Array.from(sizes.data, dimOf);
  const text = `[${given.map((size) => size ?? '?').join(',')}]`;
  if (given.length !== num) c.fail(`size_splits ${text} has ${given.length} elements, num_split is ${num}`);
  if (given.some((size) => size !== null && size < -1)) c.fail(`size_splits ${text} has a negative element`);
  const open = given.filter((size) => size === -1).length;
  if (open > 1) c.fail(`size_splits ${text} may have one -1 only`);
  const sum = total(given.map((size) => (size === -1 ? 0 : size)));
  if (sum !== null && dim !== null && (open === 1 ? sum > dim : sum !== dim)) {
    c.fail(`size_splits ${text} does not add up to the dimension's size ${dim}`);
  }
  return given.map((size) => (size === -1 ? (sum === null || dim === null ? null : dim - sum) : size));
}

function inferSplitV(c: InferContext): TensorShape[] {
  const [x, num] = [c.shape(0), c.attrs.int('num_split')];
  requireSingle(c, 2, 'split_dim');
  const axis = normalizeAxis(c, knownScalar(c.constant(2)) ?? NaN, x.rank);
  if (axis === null) return new Array<TensorShape>(num).fill(TensorShape.of(x.dims?.map(() => null) ?? null));
  return splitLengths(c, num, x.dim(axis)).map((length) => withDim(x, axis, length));
}

function axisIn(value: HostValue | null, rank: number): number | null {
  const axis = knownScalar(value);
  return axis === null ? null : axis < 0 ? axis + rank : axis;
}

function evaluateConcat(c: EvaluateContext, axisFirst: boolean): HostValue[] | null {
  const positions = concatParts([...c.shapes.keys()], axisFirst);
  const parts = positions.map((i) => valueOrUnknown(c, i));
  const known = parts.filter((part) => part !== null);
  const axis = axisIn(c.value(axisFirst ? 0 : parts.length), known[0]?.shape.length ?? 1);
  const joined = axis === null || known.length < parts.length ? null : join(known, axis);
  return joined === null ? null : [joined];
}

export const ARRAY_JOIN = {
  ConcatV2: op({
    summary: 'Tensors in a row along an axis.',
    inputs: ['values: N * T', 'axis: Tidx'],
    outputs: ['output: T'],
    attrs: ['N: int >= 2', 'T: type', 'Tidx: index = int32'],
    infer: (c) => inferConcat(c),
    grad: (c) => concatGrad(c),
    evaluate: (c) => evaluateConcat(c, false),
  }),

  Concat: op({
    summary: 'Tensors in a row along an axis, in the form of older files.',
    inputs: ['concat_dim: int32', 'values: N * T'],
    outputs: ['output: T'],
    attrs: ['N: int >= 2', 'T: type'],
    infer: (c) => inferConcat(c, true),
    grad: (c) => concatGrad(c, true),
    evaluate: (c) => evaluateConcat(c, true),
  }),

  Pack: op({
    summary: 'Tensors of one shape along a new axis.',
    inputs: ['values: N * T'],
    outputs: ['output: T'],
    attrs: ['N: int >= 1', 'T: type', 'axis: int = 0'],
    infer: inferPack,
    grad: ({ ops, attrs, inputs, dy }) => ops.unstack(dy, { num: inputs.length, axis: attrs.int('axis') }),
    evaluate: (c) => {
      const parts = c.shapes.map((_, i) => valueOrUnknown(c, i)).filter((part) => part !== null);
      const rank = parts[0]?.shape.length ?? 0;
      const at = c.attrs.int('axis');
      const axis = at < 0 ? at + rank + 1 : at;
      if (parts.length < c.shapes.length) return null;
      const thick = parts.map((part) => ({
        ...part,
        shape: [...part.shape.slice(0, axis), 1, ...part.shape.slice(axis)],
      }));
      const joined = join(thick, axis);
      return joined === null ? null : [joined];
    },
  }),

  ParallelConcat: op({
    summary: 'Tensors of one row each, one below the other.',
    inputs: ['values: N * T'],
    outputs: ['output: T'],
    attrs: ['N: int >= 1', 'T: type', 'shape: shape'],
    infer: (c) => {
      const row = mergedWhole(c);
      const rows = c.shapes.length;
      if (row.rank === 0 || (row.rank !== null && row.dim(0) !== null && row.dim(0) !== 1)) {
        c.fail(`every value must have 1 as its first dimension, got shape ${row.toString()}`);
      }
      const all = c.attrs.shape('shape');
      const inferred = row.rank === null ? TensorShape.UNKNOWN : withDim(row, 0, rows);
      return [
        all.mergeWith(inferred) ??
          c.fail(`shape says ${all.toString()}, the values make ${inferred.toString()}`),
      ];
    },
    // dx_i = row i of dy
    grad: ({ ops, inputs, dy }) =>
      ops.split(dy, inputs.length).map((piece, i) => withShapeOf(piece, inputs[i] ?? piece)),
    evaluate: (c) => {
      const parts = c.shapes.map((_, i) => valueOrUnknown(c, i)).filter((part) => part !== null);
      const joined = parts.length < c.shapes.length ? null : join(parts, 0);
      return joined === null ? null : [joined];
    },
  }),

  Unpack: op({
    summary: 'The slices of a tensor along an axis.',
    inputs: ['value: T'],
    outputs: ['output: num * T'],
    attrs: ['num: int >= 0', 'T: type', 'axis: int = 0'],
    infer: inferUnpack,
    grad: (c) => [c.ops.stack(filledGradients(c), { axis: c.attrs.int('axis') })],
    evaluate: (c) => {
      const x = c.value(0);
      if (x === null) return null;
      const at = c.attrs.int('axis');
      const axis = at < 0 ? at + x.shape.length : at;
      const strides = stridesOf(x.shape);
      const without = (list: readonly number[]): number[] => list.filter((_, i) => i !== axis);
      return Array.from({ length: c.attrs.int('num') }, (_, i) =>
        pick(x, without(x.shape), without(strides), i * (strides[axis] ?? 0)),
      );
    },
  }),

  Split: op({
    summary: 'A tensor cut along an axis into equal pieces.',
    inputs: ['split_dim: int32', 'value: T'],
    outputs: ['output: num_split * T'],
    attrs: ['num_split: int >= 1', 'T: type'],
    infer: inferSplit,
    grad: (c) => [null, c.ops.concat(filledGradients(c), c.input(0))],
    evaluate: (c) => {
      const x = c.value(1);
      const axis = x === null ? null : axisIn(c.value(0), x.shape.length);
      if (x === null || axis === null) return null;
      const num = c.attrs.int('num_split');
      return cut(x, new Array<number>(num).fill((x.shape[axis] ?? 0) / num), axis);
    },
  }),

  SplitV: op({
    summary: 'A tensor cut along an axis into pieces of given lengths.',
    inputs: ['value: T', 'size_splits: Tlen', 'split_dim: int32'],
    outputs: ['output: num_split * T'],
    attrs: ['num_split: int >= 1', 'T: type', 'Tlen: index = int64'],
    infer: inferSplitV,
    grad: (c) => [c.ops.concat(filledGradients(c), c.input(2)), null, null],
    evaluate: (c) => {
      const [x, sizes] = [c.value(0), c.value(1)];
      const axis = x === null ? null : axisIn(c.value(2), x.shape.length);
      if (x === null || axis === null || sizes === null || sizes.data.some(Number.isNaN)) return null;
      const given = [...sizes.data].reduce((sum, size) => sum + Math.max(size, 0), 0);
      const rest = (x.shape[axis] ?? 0) - given;
      return cut(
        x,
        Array.from(sizes.data, (size) => (size < 0 ? rest : size)),
        axis,
      );
    },
  }),
};

/** `values` in a row along `axis`; all other dimensions must agree (`tf.concat`). */
export function concat(values: readonly TensorLike[], axis: TensorLike, { name }: NameOptions = {}): Tensor {
  const [first] = values;
  if (values.length === 1 && first !== undefined)
    return apply('Identity', [first], { name: name ?? 'concat' });
  return apply('ConcatV2', [values, axis], { name: name ?? 'concat' });
}

/** `values` of one shape along a new dimension at `axis`, default 0 (`tf.stack`). */
export function stack(
  values: readonly TensorLike[],
  options: NameOptions & { readonly axis?: number } = {},
): Tensor {
  const { axis = 0, name } = checkOptions('stack', options, '{ axis: 1 }');
  return apply('Pack', [values], { name: name ?? 'stack', attrs: { axis } });
}

/**
 * The slices of `value` along `axis`, default 0 (`tf.unstack`). `num` is needed only when the dimension
 * is not known statically; throws when it is neither known nor given.
 */
export function unstack(
  value: TensorLike,
  { num, axis = 0, name }: NameOptions & { readonly num?: number; readonly axis?: number } = {},
): Tensor[] {
  const x = convertToTensor(value);
  const count = num ?? x.shape.dim(axis);
  if (count === null) {
    throw new InvalidArgumentError(`unstack: dimension ${axis} of ${x.name} is not known: give "num"`);
  }
  return applyOp('Unpack', [x], { name: name ?? 'unstack', attrs: { num: count, axis } }).outputs;
}

export interface SplitOptions extends NameOptions {
  /** Default 0. */
  readonly axis?: TensorLike;
  /** Number of pieces; needed when the length of `numOrSizeSplits` is not known statically. */
  readonly num?: number;
}

/**
 * `value` cut along `axis` (`tf.split`): a number gives that many equal pieces, a list or vector the
 * length of each piece, of which one may be -1.
 */
export function split(
  value: TensorLike,
  numOrSizeSplits: TensorLike,
  { axis = 0, num, name }: SplitOptions = {},
): Tensor[] {
  if (typeof numOrSizeSplits === 'number') {
    const attrs = { num_split: numOrSizeSplits };
    return applyOp('Split', [axis, value], { name: name ?? 'split', attrs }).outputs;
  }
  const isTensor = numOrSizeSplits instanceof Tensor;
  const sizes = isTensor ? numOrSizeSplits : toTensorValue(numOrSizeSplits as ValueLike, 'int32');
  const count = num ?? (sizes instanceof Tensor ? sizes.shape.size : sizes.data.length);
  if (count === null) throw new InvalidArgumentError('split: the number of pieces is not known: give "num"');
  const attrs = { num_split: count, ...(isTensor ? {} : { Tlen: 'int32' }) };
  return applyOp('SplitV', [value, sizes, axis], { name: name ?? 'split', attrs }).outputs;
}
