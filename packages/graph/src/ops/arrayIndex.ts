/** Ops that read elements at indices held in a tensor: gather, one-hot. */
import { apply, type NameOptions } from '../apply.js';
import { constantValue } from '../constantValue.js';
import type { DType } from '../dtype.js';
import { UnimplementedError } from '../errors.js';
import type { IndexedSlices } from '../indexedSlices.js';
import { normalizeAxis } from '../inferHelpers.js';
import { notDifferentiable, op, type GradContext, type InferContext } from '../opDef.js';
import { sizeOf, TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { indexDType, knownScalar, requireSingle, withShapeOf } from './arrayHost.js';
import { gatherGrad, openGatherGrad, rowSlices, rowsGrad, type GatherPlace } from './gatherGrad.js';
import { indexDepth } from './scatterInfer.js';
import { resourceGather, resourceGatherNd } from './scatterState.js';
import { isRowSource } from './state.js';

/** The number of leading dimensions that params and indices share; negative ones count from the end. */
function batchDims(batch: number, indices: TensorShape): number | null {
  if (batch >= 0) return batch;
  return indices.rank === null ? null : batch + indices.rank;
}

/** Gather, the older form: rows of `params`. */
function inferRows(c: InferContext): TensorShape[] {
  if (c.shape(0).rank === 0) c.fail('params must have rank 1 or more, got a scalar');
  return [c.shape(1).concat(c.shape(0).slice(1))];
}

function inferGather(c: InferContext): TensorShape[] {
  const [params, indices] = [c.shape(0), c.shape(1)];
  requireSingle(c, 2, 'axis');
  if (params.rank === 0) c.fail('params must have rank 1 or more, got a scalar');
  const axis = normalizeAxis(c, knownScalar(c.constant(2)) ?? NaN, params.rank);
  const batch = batchDims(c.attrs.int('batch_dims'), indices);
  if (params.rank === null || indices.rank === null || batch === null) return [TensorShape.UNKNOWN];
  if (batch < 0 || batch > indices.rank || (axis !== null && batch > axis)) {
    c.fail(`batch_dims ${batch} exceeds axis ${axis ?? '?'} or the rank ${indices.rank} of the indices`);
  }
  if (axis === null) return [TensorShape.ofRank(params.rank - 1 + indices.rank - batch)];
  if (!params.slice(0, batch).isCompatibleWith(indices.slice(0, batch))) {
    c.fail(
      `the first ${batch} dimensions of params ${params.toString()} and indices ${indices.toString()} differ`,
    );
  }
  return [
    params
      .slice(0, axis)
      .concat(indices.slice(batch))
      .concat(params.slice(axis + 1)),
  ];
}

/** Gathers on the host; unknown indices give unknown elements. Batched gathers are left to the device. */
function gathered(params: HostValue, indices: HostValue, axis: number): HostValue {
  const outer = sizeOf(params.shape.slice(0, axis));
  const length = params.shape[axis] ?? 1;
  const inner = sizeOf(params.shape.slice(axis + 1));
  const shape = [...params.shape.slice(0, axis), ...indices.shape, ...params.shape.slice(axis + 1)];
  const data = new Float64Array(sizeOf(shape));
  let next = 0;
  for (let o = 0; o < outer; o++) {
    for (const index of indices.data) {
      for (let n = 0; n < inner; n++) {
        const inside = Number.isNaN(index) || (index >= 0 && index < length);
        data[next++] = inside ? (params.data[(o * length + index) * inner + n] ?? NaN) : 0;
      }
    }
  }
  return { dtype: params.dtype, shape, data };
}

/** The gradients of GatherV2: only params has one. */
function gatherGrads(c: GradContext): (Tensor | IndexedSlices | null)[] {
  const [params, indices] = [c.input(0), c.input(1)];
  const place = gatherPlace(c, params, indices);
  if (place === null) return [openGatherGrad(c.ops, c.dy, params, indices, c.input(2)), null, null];
  if (place.axis === 0 && params.op.def?.passesGradient === true) {
    return [rowSlices(c.ops, c.dy, c.ops.shape(params), indices), null, null]; // for the value of a variable
  }
  return [gatherGrad(c.ops, c.dy, params, indices, place), null, null];
}

/**
 * Axis and batch dimensions in `[0, rank)`, `null` when they are not known while the graph is built. Throws when there
 * are batches then.
 */
function gatherPlace(c: GradContext, params: Tensor, indices: Tensor): GatherPlace | null {
  const at = knownScalar(constantValue(c.input(2)));
  const batch = batchDims(c.attrs.int('batch_dims'), indices.shape);
  const { rank } = params.shape;
  if (at === null || batch === null || rank === null || indices.shape.rank === null) {
    if (c.attrs.int('batch_dims') === 0) return null;
    throw new UnimplementedError(
      `the gradient of ${c.op.describe()} with batch_dims needs a constant axis and known ranks${c.op.creationSite()}`,
      { node: c.op.name },
    );
  }
  return { axis: at < 0 ? at + rank : at, batch };
}

function inferOneHot(c: InferContext): TensorShape[] {
  const indices = c.shape(0);
  ['depth', 'on_value', 'off_value'].forEach((name, i) => requireSingle(c, i + 1, name));
  const depth = knownScalar(c.constant(1));
  if (depth !== null && depth < 0) c.fail(`depth must not be negative, got ${depth}`);
  const at = c.attrs.int('axis');
  if (indices.rank === null) return [TensorShape.UNKNOWN];
  const axis = normalizeAxis(c, at, indices.rank + 1);
  if (axis === null) return [TensorShape.UNKNOWN];
  return [indices.slice(0, axis).concat([depth]).concat(indices.slice(axis))];
}

export const ARRAY_INDEX = {
  GatherV2: op({
    summary: 'Slices of a tensor along an axis, at the given indices.',
    inputs: ['params: Tparams', 'indices: Tindices', 'axis: Taxis'],
    outputs: ['output: Tparams'],
    attrs: ['batch_dims: int = 0', 'Tparams: type', 'Tindices: index', 'Taxis: index'],
    infer: inferGather,
    grad: gatherGrads,
    evaluate: (c) => {
      const [params, indices, axis] = [c.value(0), c.value(1), knownScalar(c.value(2))];
      if (params === null || indices === null || axis === null || c.attrs.int('batch_dims') !== 0)
        return null;
      return [gathered(params, indices, axis < 0 ? axis + params.shape.length : axis)];
    },
  }),

  Gather: op({
    summary: 'Rows of a tensor at the given indices, in the form of older files.',
    inputs: ['params: Tparams', 'indices: Tindices'],
    outputs: ['output: Tparams'],
    attrs: ['validate_indices: bool = true', 'Tparams: type', 'Tindices: index'],
    infer: inferRows,
    // d params = the rows of dy added up at the indices that they came from
    grad: ({ ops, input, dy }) => [rowsGrad(ops, dy, input(0), input(1)), null],
    evaluate: (c) => {
      const [params, indices] = [c.value(0), c.value(1)];
      return params === null || indices === null ? null : [gathered(params, indices, 0)];
    },
  }),

  OneHot: op({
    summary: 'One value at each index along a new axis, another elsewhere.',
    inputs: ['indices: TI', 'depth: int32', 'on_value: T', 'off_value: T'],
    outputs: ['output: T'],
    attrs: ['axis: int = -1', 'T: type', 'TI: {uint8, int32, int64} = int64'],
    infer: inferOneHot,
    grad: notDifferentiable('its indices are integers; TensorFlow defines none for its values'),
  }),

  GatherNd: op({
    summary: 'Slices of a tensor at the given index vectors.',
    inputs: ['params: Tparams', 'indices: Tindices'],
    outputs: ['output: Tparams'],
    attrs: ['Tparams: type', 'Tindices: index'],
    infer: (c) => {
      const [params, indices] = [c.shape(0), c.shape(1)];
      const depth = indexDepth(c, indices, params);
      return [depth === null ? TensorShape.UNKNOWN : indices.slice(0, -1).concat(params.slice(depth))];
    },
    // d params = dy added at the positions that were read
    grad: ({ ops, input, dy }) => {
      const shape = ops.shape(input(0), { outType: indexDType(input(1)) });
      return [withShapeOf(ops.scatterNd(input(1), dy, shape), input(0)), null];
    },
  }),
};

export interface GatherOptions extends NameOptions {
  /** The dimension of `params` that is indexed; default `batchDims`. */
  readonly axis?: TensorLike;
  /** Leading dimensions that `params` and `indices` share; default 0. */
  readonly batchDims?: number;
}

/**
 * Slices of `params` along `axis` at integer `indices` (`tf.gather`): shape
 * `params[:axis] + indices[batchDims:] + params[axis+1:]`. An index out of range gives zeros, as on
 * TensorFlow's GPUs. Of a variable only those rows are read, and the gradient for it is `IndexedSlices`.
 */
export function gather(
  params: TensorLike,
  indices: TensorLike,
  { axis, batchDims: batch = 0, name }: GatherOptions = {},
): Tensor {
  const place = axis ?? batch;
  if (place === 0 && batch === 0 && isRowSource(params)) return resourceGather(params, indices, { name });
  return apply('GatherV2', [params, indices, place], { name, attrs: { batch_dims: batch } });
}

/** Slices of `params` at the index vectors in the last dimension of `indices` (`tf.gather_nd`). */
export function gatherNd(params: TensorLike, indices: TensorLike, { name }: NameOptions = {}): Tensor {
  if (isRowSource(params)) return resourceGatherNd(params, indices, { name });
  return apply('GatherNd', [params, indices], { name });
}

export interface OneHotOptions extends NameOptions {
  /** Default 1 (`true` for bool). */
  readonly onValue?: TensorLike;
  /** Default 0 (`false` for bool). */
  readonly offValue?: TensorLike;
  /** Where the new dimension goes; default -1, last. */
  readonly axis?: number;
  /** Default: that of a tensor given as value, else float32. */
  readonly dtype?: DType;
}

/**
 * `onValue` where the coordinate along a new dimension of size `depth` equals the index, `offValue`
 * elsewhere (`tf.one_hot`). Indices out of range give `offValue` everywhere.
 */
export function oneHot(indices: TensorLike, depth: TensorLike, options: OneHotOptions = {}): Tensor {
  const { axis = -1, name, dtype } = options;
  const isBool = dtype === 'bool';
  const { onValue = isBool ? true : 1, offValue = isBool ? false : 0 } = options;
  const attrs = { axis, ...(dtype === undefined ? {} : { T: dtype }) };
  const ids = Array.isArray(indices) || typeof indices === 'number' ? { TI: 'int32' } : {};
  return apply('OneHot', [indices, depth, onValue, offValue], {
    name: name ?? 'one_hot',
    attrs: { ...attrs, ...ids },
  });
}
