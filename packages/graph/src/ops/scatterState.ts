/**
 * Reading and updating rows of variables at indices: on resource variables, and on the reference variables of
 * older files, which the session runs as the former.
 */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { noOutputs, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { controlDependencies } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { indexDType, withShapeOf } from './arrayHost.js';
import { gatherGrad, rowSlices } from './gatherGrad.js';
import { checkRowUpdates, checkVectorUpdates, gatheredRows, indexDepth } from './scatterInfer.js';
import { readVariable, variableHandle, type AssignOptions, type VariableLike } from './state.js';
import { inferHandle } from './stateInfer.js';

const EFFECT = notDifferentiable('it changes a variable');

/** The shape of the variable behind input 0. */
function variableShape(c: InferContext, attr: string): TensorShape {
  return inferHandle(c, 0, attr)?.shape ?? TensorShape.UNKNOWN;
}

function checkVectors(c: InferContext, target: TensorShape): void {
  checkVectorUpdates(c, { indices: c.shape(1), updates: c.shape(2), target });
}

/** Rows along the first dimension of a resource variable. */
function rows(summary: string, dtype: 'type' | 'numeric' = 'numeric'): OpDef {
  return op({
    summary,
    inputs: ['resource: resource', 'indices: Tindices', 'updates: dtype'],
    attrs: [`dtype: ${dtype}`, 'Tindices: index'],
    infer: (c) => {
      checkRowUpdates(c, variableShape(c, 'dtype'));
      return noOutputs();
    },
    grad: EFFECT,
    stateful: true,
  });
}

/** Parts of a resource variable at index vectors. */
function vectors(summary: string): OpDef {
  return op({
    summary,
    inputs: ['ref: resource', 'indices: Tindices', 'updates: T'],
    attrs: ['T: type', 'Tindices: index', 'use_locking: bool = true'],
    infer: (c) => {
      checkVectors(c, variableShape(c, 'T'));
      return noOutputs();
    },
    grad: EFFECT,
    stateful: true,
  });
}

/** The same for reference variables. */
function byReference(
  summary: string,
  check: (c: InferContext, target: TensorShape) => void,
  dtype: 'type' | 'numeric' = 'numeric',
): OpDef {
  return op({
    summary,
    inputs: ['ref: Ref(T)', 'indices: Tindices', 'updates: T'],
    outputs: ['output_ref: Ref(T)'],
    attrs: [`T: ${dtype}`, 'Tindices: index', `use_locking: bool = ${dtype === 'type' ? 'true' : 'false'}`],
    infer: (c) => {
      check(c, c.shape(0));
      return sameShape(c);
    },
    grad: EFFECT,
    stateful: true,
  });
}

export const SCATTER_STATE = {
  ResourceScatterUpdate: rows('Replaces rows of a variable.', 'type'),
  ResourceScatterAdd: rows('Adds to rows of a variable.'),
  ResourceScatterSub: rows('Subtracts from rows of a variable.'),
  ResourceScatterMul: rows('Multiplies rows of a variable.'),
  ResourceScatterDiv: rows('Divides rows of a variable.'),
  ResourceScatterMin: rows('Takes the minimum with rows of a variable.'),
  ResourceScatterMax: rows('Takes the maximum with rows of a variable.'),
  ResourceScatterNdUpdate: vectors('Replaces parts of a variable at index vectors.'),
  ResourceScatterNdAdd: vectors('Adds to parts of a variable at index vectors.'),
  ResourceScatterNdSub: vectors('Subtracts from parts of a variable at index vectors.'),

  ScatterUpdate: byReference('Replaces rows of a reference variable.', checkRowUpdates, 'type'),
  ScatterAdd: byReference('Adds to rows of a reference variable.', checkRowUpdates),
  ScatterSub: byReference('Subtracts from rows of a reference variable.', checkRowUpdates),
  ScatterMul: byReference('Multiplies rows of a reference variable.', checkRowUpdates),
  ScatterDiv: byReference('Divides rows of a reference variable.', checkRowUpdates),
  ScatterMin: byReference('Takes the minimum with rows of a reference variable.', checkRowUpdates),
  ScatterMax: byReference('Takes the maximum with rows of a reference variable.', checkRowUpdates),
  ScatterNdUpdate: byReference('Replaces parts of a reference variable.', checkVectors, 'type'),
  ScatterNdAdd: byReference('Adds to parts of a reference variable.', checkVectors),
  ScatterNdSub: byReference('Subtracts from parts of a reference variable.', checkVectors),

  ResourceGather: op({
    summary: 'Rows of a variable at the given indices.',
    inputs: ['resource: resource', 'indices: Tindices'],
    outputs: ['output: dtype'],
    attrs: ['batch_dims: int = 0', 'validate_indices: bool = true', 'dtype: type', 'Tindices: index'],
    infer: (c) => [gatheredRows(c, variableShape(c, 'dtype'), c.shape(1), c.attrs.int('batch_dims'))],
    // The gradient for a handle is that for the variable's value: the rows, or that of GatherV2 along the first open dimension.
    grad: ({ ops, attrs, input, dy }) => {
      const value = ops.readVariable(input(0));
      if (attrs.int('batch_dims') === 0) return [rowSlices(ops, dy, ops.shape(value), input(1)), null];
      const given = attrs.int('batch_dims');
      const batch = given < 0 ? given + (input(1).shape.rank ?? 0) : given;
      return [gatherGrad(ops, dy, value, input(1), { axis: batch, batch }), null];
    },
    stateful: true,
  }),
  ResourceGatherNd: op({
    summary: 'Parts of a variable at the given index vectors.',
    inputs: ['resource: resource', 'indices: Tindices'],
    outputs: ['output: dtype'],
    attrs: ['dtype: type', 'Tindices: index'],
    infer: (c) => {
      const [params, indices] = [variableShape(c, 'dtype'), c.shape(1)];
      const depth = indexDepth(c, indices, params);
      return [depth === null ? TensorShape.UNKNOWN : indices.slice(0, -1).concat(params.slice(depth))];
    },
    grad: ({ ops, input, dy }) => {
      const value = ops.readVariable(input(0));
      const shape = ops.shape(value, { outType: indexDType(input(1)) });
      return [withShapeOf(ops.scatterNd(input(1), dy, shape), value), null];
    },
    stateful: true,
  }),
};

/** Updates of a variable: returns its value after the update or, with `readValue: false`, the operation. */
export interface ScatterFunction {
  (
    ref: VariableLike,
    indices: TensorLike,
    updates: TensorLike,
    options: AssignOptions & { readValue: false },
  ): Operation;
  (ref: VariableLike, indices: TensorLike, updates: TensorLike, options?: AssignOptions): Tensor;
}

/** The builder of `ScatterAdd` and its kin, on resource and reference variables alike. */
function scatterBuilder(type: string, dtypeAttr: 'dtype' | 'T'): ScatterFunction {
  function build(
    ref: VariableLike,
    indices: TensorLike,
    updates: TensorLike,
    options: AssignOptions & { readValue: false },
  ): Operation;
  function build(
    ref: VariableLike,
    indices: TensorLike,
    updates: TensorLike,
    options?: AssignOptions,
  ): Tensor;
  function build(
    ref: VariableLike,
    indices: TensorLike,
    updates: TensorLike,
    { name, readValue = true }: AssignOptions = {},
  ): Tensor | Operation {
    const handle = variableHandle(ref);
    if (handle.dtype !== 'resource') {
      const node = applyOp(type, [handle, indices, updates], { name });
      return readValue ? node.output(0) : node;
    }
    const dtype = handle.handle === null ? undefined : baseDType(handle.handle.dtype);
    const value = convertToTensor(updates, { dtype });
    const attrs = { [dtypeAttr]: value.dtype };
    const node = applyOp(`Resource${type}`, [handle, indices, value], { name, attrs });
    return readValue ? controlDependencies([node], () => readVariable(handle)) : node;
  }
  return build;
}

/**
 * Replaces the rows of a variable at `indices` (`tf.scatter_update`): `updates` has the shape of `indices`
 * followed by that of a row, or is a scalar. Of several updates of one row the last one stays; indices out of
 * range are ignored. Returns the variable's value afterwards, or with `readValue: false` the operation.
 */
export const scatterUpdate = scatterBuilder('ScatterUpdate', 'dtype');
/** Adds `updates` to the rows of a variable at `indices`; repeated ones add up (`tf.scatter_add`). See `scatterUpdate`. */
export const scatterAdd = scatterBuilder('ScatterAdd', 'dtype');
/** Subtracts `updates` from the rows of a variable at `indices` (`tf.scatter_sub`). See `scatterUpdate`. */
export const scatterSub = scatterBuilder('ScatterSub', 'dtype');
/** Multiplies the rows of a variable at `indices` by `updates` (`tf.scatter_mul`). See `scatterUpdate`. */
export const scatterMul = scatterBuilder('ScatterMul', 'dtype');
/** Divides the rows of a variable at `indices` by `updates` (`tf.scatter_div`). See `scatterUpdate`. */
export const scatterDiv = scatterBuilder('ScatterDiv', 'dtype');
/** Replaces the rows of a variable at `indices` by their minimum with `updates` (`tf.scatter_min`). See `scatterUpdate`. */
export const scatterMin = scatterBuilder('ScatterMin', 'dtype');
/** Replaces the rows of a variable at `indices` by their maximum with `updates` (`tf.scatter_max`). See `scatterUpdate`. */
export const scatterMax = scatterBuilder('ScatterMax', 'dtype');
/** Replaces the parts of a variable at the index vectors `indices` (`tf.scatter_nd_update`). See `scatterUpdate`. */
export const scatterNdUpdate = scatterBuilder('ScatterNdUpdate', 'T');
/** Adds `updates` to the parts of a variable at the index vectors `indices` (`tf.scatter_nd_add`). See `scatterUpdate`. */
export const scatterNdAdd = scatterBuilder('ScatterNdAdd', 'T');
/** Subtracts `updates` from the parts of a variable at index vectors (`tf.scatter_nd_sub`). See `scatterUpdate`. */
export const scatterNdSub = scatterBuilder('ScatterNdSub', 'T');

/**
 * Rows of a variable at `indices`, read without a copy of the whole (`ResourceVariable.sparse_read`). An
 * index out of range gives zeros. Throws for reference variables.
 */
export function resourceGather(
  variable: VariableLike,
  indices: TensorLike,
  { batchDims = 0, name }: NameOptions & { readonly batchDims?: number } = {},
): Tensor {
  const { handle, dtype } = resourceOf(variable);
  return apply('ResourceGather', [handle, indices], { name, attrs: { dtype, batch_dims: batchDims } });
}

/** Parts of a variable at index vectors (`ResourceVariable.gather_nd`). */
export function resourceGatherNd(
  variable: VariableLike,
  indices: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  const { handle, dtype } = resourceOf(variable);
  return apply('ResourceGatherNd', [handle, indices], { name, attrs: { dtype } });
}

function resourceOf(variable: VariableLike) {
  const handle = variableHandle(variable);
  if (handle.handle === null)
    throw new InvalidArgumentError(`${handle.name} is no handle of a known variable`);
  return { handle, dtype: handle.handle.dtype };
}
