/** Functions on arrays that are made of several ops: grids, masks of sequences, repetition, batched gathers. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { nameScope } from '../scopes.js';
import type { Tensor } from '../tensor.js';
import { type TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import type { DType } from '../dtype.js';
import { gather } from './arrayIndex.js';
import { stack } from './arrayJoin.js';
import { booleanMask } from './dynamicWhere.js';

/** A tensor from a list of numbers as int32; everything else as it is. */
function integers(value: TensorLike): Tensor {
  const isLiteral =
    typeof value === 'number' || (Array.isArray(value) && value.flat().every((x) => typeof x === 'number'));
  return convertToTensor(value, isLiteral ? { dtype: 'int32' } : {});
}

/** A constant int32 vector. */
function vector(...elements: number[]): Tensor {
  return convertToTensor(toTensorValue(elements, 'int32', [elements.length]));
}

/**
 * Coordinates of a grid with the given vectors as axes (`tf.meshgrid`): one tensor per vector, each of the
 * grid's shape. `indexing` `xy` (default) has the first vector along the columns, `ij` along the rows. Throws for
 * another `indexing`.
 */
export function meshgrid(
  vectors: readonly TensorLike[],
  { indexing = 'xy', name = 'meshgrid' }: NameOptions & { readonly indexing?: string } = {},
): Tensor[] {
  if (indexing !== 'xy' && indexing !== 'ij') {
    throw new InvalidArgumentError(`meshgrid: indexing must be xy or ij, got ${indexing}`);
  }
  return nameScope(name, () => {
    const axes = vectors.map((x) => convertToTensor(x));
    const swapped = indexing === 'xy' && axes.length > 1;
    // Where along the grid the i-th vector lies.
    const places = axes.map((_, i) => (swapped && i < 2 ? 1 - i : i));
    const sizes = axes.map((_, d) => apply('Size', [axes[places.indexOf(d)] ?? 0]));
    const shape = sizes.length === 0 ? vector() : apply('Pack', [sizes]);
    return axes.map((x, i) => {
      const thin = vector(...axes.map((_, d) => (d === places[i] ? -1 : 1)));
      return apply('BroadcastTo', [apply('Reshape', [x, thin]), shape]);
    });
  });
}

export interface SequenceMaskOptions extends NameOptions {
  /** Size of the new dimension; default the largest length. */
  readonly maxlen?: TensorLike;
  /** Default bool. */
  readonly dtype?: DType;
}

/**
 * For each length in `lengths` as many `true` as it says, then `false`, along a new last dimension
 * (`tf.sequence_mask`). Without `maxlen` the shape depends on the largest length.
 */
export function sequenceMask(lengths: TensorLike, options: SequenceMaskOptions = {}): Tensor {
  const { maxlen, dtype = 'bool', name = 'SequenceMask' } = options;
  return nameScope(name, () => {
    const counts = integers(lengths);
    const axes = (): Tensor => apply('Range', [0, apply('Rank', [counts]), 1]);
    const most =
      maxlen === undefined
        ? apply('Max', [counts, axes()])
        : apply('Cast', [integers(maxlen)], { attrs: { DstT: counts.dtype } });
    const [zero, one] = [apply('ZerosLike', [most]), apply('OnesLike', [most])];
    const row = apply('Range', [zero, apply('Maximum', [most, zero]), one]);
    const mask = apply('Less', [row, apply('ExpandDims', [counts, -1])]);
    return dtype === 'bool' ? mask : apply('Cast', [mask], { attrs: { DstT: dtype } });
  });
}

/**
 * `input` with each element (or slice along `axis`) repeated `repeats` times, one number for all or one for each
 * (`tf.repeat`). Without `axis` the input is flattened first. With a number for each, the shape depends on them.
 */
export function repeat(
  input: TensorLike,
  repeats: TensorLike,
  { axis, name = 'repeat' }: NameOptions & { readonly axis?: number } = {},
): Tensor {
  return nameScope(name, () => {
    const given = convertToTensor(input);
    const x = axis === undefined ? apply('Reshape', [given, vector(-1)]) : given;
    const times = integers(repeats);
    const { rank } = x.shape;
    if (rank === null || times.shape.rank === null)
      throw new InvalidArgumentError('repeat: ranks must be known');
    const at = axis === undefined ? 0 : axis < 0 ? axis + rank : axis;
    if (at < 0 || at >= rank)
      throw new InvalidArgumentError(`repeat: axis ${axis ?? 0} is out of range for ${x.toString()}`);
    const size = apply('StridedSlice', [apply('Shape', [x]), vector(at), vector(at + 1), vector(1)], {
      attrs: { shrink_axis_mask: 1 },
    });
    const positions = apply('ExpandDims', [apply('Range', [0, size, 1]), 1]);
    if (times.shape.size === 1) {
      const multiples = apply('Pack', [[1, apply('Reshape', [times, vector()])]]);
      return gather(x, apply('Reshape', [apply('Tile', [positions, multiples]), vector(-1)]), { axis: at });
    }
    const mask = sequenceMask(times);
    const width = apply('StridedSlice', [apply('Shape', [mask]), vector(1), vector(2), vector(1)]);
    const multiples = apply('ConcatV2', [[vector(1), width], 0]);
    return gather(x, booleanMask(apply('Tile', [positions, multiples]), mask), { axis: at });
  });
}

/** `tensors` of one shape along a new first dimension (`tf.parallel_stack`). */
export function parallelStack(
  values: readonly TensorLike[],
  { name = 'parallel_stack' }: NameOptions = {},
): Tensor {
  return stack(values, { name });
}

/**
 * Slices of `params` at `indices`, whose leading dimensions, all but the last, both share (`tf.batch_gather`).
 * Throws when the rank of `indices` is not known or 0.
 */
export function batchGather(params: TensorLike, indices: TensorLike, { name }: NameOptions = {}): Tensor {
  const places = integers(indices);
  const { rank } = places.shape;
  if (rank === null || rank === 0) {
    throw new InvalidArgumentError(
      `batchGather: the indices need a known rank of 1 or more, got ${places.toString()}`,
    );
  }
  return gather(params, places, { batchDims: rank - 1, axis: rank - 1, name });
}
