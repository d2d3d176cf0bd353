/**
 * `IndexedSlices`: a tensor of which only some rows are not zero, given by those rows. It is the gradient
 * of reading rows of a variable, so that a training step touches no more of a large table than it used.
 */
import { apply } from './apply.js';
import { constantValue } from './constantValue.js';
import type { DType } from './dtype.js';
import { InternalError, InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import type { Operation } from './operation.js';
import { TensorShape } from './shape.js';
import type { Tensor, TensorConvertible } from './tensor.js';

/**
 * Rows `values` that belong at `indices` of a tensor of shape `denseShape` (`tf.IndexedSlices`). Rows with the
 * same index add up. Wherever a tensor is wanted it stands for the whole tensor, which is then computed.
 */
export class IndexedSlices implements TensorConvertible {
  /** Throws `InvalidArgumentError` unless there is one row per index. */
  constructor(
    readonly values: Tensor,
    /** A vector of int32 or int64. */
    readonly indices: Tensor,
    /** A vector, or `null` where it is not known; the whole tensor cannot be computed then. */
    readonly denseShape: Tensor | null = null,
  ) {
    const [rows, ids] = [values.shape, indices.shape];
    if (rows.rank === 0 || (ids.rank !== null && ids.rank !== 1) || !ids.isCompatibleWith(rows.slice(0, 1))) {
      throw new InvalidArgumentError(
        `IndexedSlices: values of shape ${rows.toString()} need one row per index, the indices have shape ${ids.toString()}`,
      );
    }
  }

  get dtype(): DType {
    return this.values.dtype;
  }

  get graph(): Graph {
    return this.values.graph;
  }

  /** The operation that makes the rows. */
  get op(): Operation {
    return this.values.op;
  }

  /** The shape of the whole tensor as far as it is known. */
  get shape(): TensorShape {
    const dims = this.denseShape === null ? null : constantValue(this.denseShape);
    if (dims === null) return TensorShape.UNKNOWN;
    return new TensorShape(Array.from(dims.data, (dim) => (Number.isNaN(dim) ? null : dim)));
  }

  /** The name of the rows' tensor. */
  get name(): string {
    return this.values.name;
  }

  /** The whole tensor (`tf.convert_to_tensor`). Throws `InvalidArgumentError` when the shape is not known. */
  asTensor(): Tensor {
    if (this.denseShape === null) {
      throw new InvalidArgumentError(
        `IndexedSlices of ${this.name} have no denseShape to become a tensor of`,
      );
    }
    const rows = apply('StridedSlice', [this.denseShape, [0], [1], [1]], { attrs: { shrink_axis_mask: 1 } });
    return apply('UnsortedSegmentSum', [this.values, this.indices, rows]);
  }

  /** The slices with rows computed from these: `rows` must keep their number and order. */
  withValues(rows: Tensor): IndexedSlices {
    return new IndexedSlices(rows, this.indices, this.denseShape);
  }

  toString(): string {
    return `IndexedSlices(indices=${this.indices.toString()}, values=${this.values.toString()})`;
  }
}

/** The sum of several slices of one tensor: all their rows, one after the other. */
export function concatSlices(all: readonly IndexedSlices[]): IndexedSlices {
  const [first] = all;
  if (first === undefined) throw new InternalError('there are no slices to add');
  if (all.length === 1) return first;
  const wide = all.some(({ indices }) => indices.dtype === 'int64');
  const ids = all.map(({ indices }) =>
    wide && indices.dtype !== 'int64' ? apply('Cast', [indices], { attrs: { DstT: 'int64' } }) : indices,
  );
  const values = apply('ConcatV2', [all.map((slices) => slices.values), 0]);
  return new IndexedSlices(values, apply('ConcatV2', [ids, 0]), first.denseShape);
}
