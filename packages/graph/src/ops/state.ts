/**
 * Records and builders of state: resource variables and what is done to them, and (stateFiles.ts)
 * the reference variables of older files, saving and restoring.
 */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { noOutputs, scalarShape } from '../inferHelpers.js';
import { notDifferentiable, op, type OpDef } from '../opDef.js';
import type { Operation } from '../operation.js';
import { controlDependencies } from '../scopes.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import { isTensorConvertible, Tensor, type TensorConvertible, type TensorLike } from '../tensor.js';
import { COUNTERS } from './stateCount.js';
import { FILES } from './stateFiles.js';
import { variableHandle, type VariableLike } from './stateHandle.js';
import { checkVariableShape, inferHandle } from './stateInfer.js';
import { REFERENCES } from './stateRefs.js';
import { SLICE_ASSIGN } from './stateSlice.js';

export * from './stateCount.js';
export * from './stateHandle.js';
export { stridedSliceAssign, type StridedSliceAssignOptions } from './stateSlice.js';

const EFFECT = notDifferentiable('it changes a variable and has no outputs');

function assignment(summary: string, dtype: 'type' | 'numeric'): OpDef {
  return op({
    summary,
    inputs: ['resource: resource', 'value: dtype'],
    attrs: [`dtype: ${dtype}`],
    infer: (c) => {
      checkVariableShape(c, 1, 'the value');
      return noOutputs();
    },
    grad: EFFECT,
    stateful: true,
  });
}

const RESOURCES = {
  VarHandleOp: op({
    summary: 'The handle of a variable, which the session keeps.',
    outputs: ['resource: resource'],
    attrs: ['container: string = ""', 'shared_name: string = ""', 'dtype: type', 'shape: shape'],
    infer: scalarShape,
    grad: () => [],
    stateful: true,
  }),

  ReadVariableOp: op({
    summary: 'The value of a variable when the op runs.',
    inputs: ['resource: resource'],
    outputs: ['value: dtype'],
    attrs: ['dtype: type'],
    infer: (c) => [inferHandle(c, 0, 'dtype')?.shape ?? TensorShape.UNKNOWN],
    grad: ({ dy }) => [dy], // The gradient for a handle is that for the variable's value.
    passesGradient: true,
    stateful: true,
  }),

  VariableShape: op({
    summary: 'The shape of a variable.',
    inputs: ['input: resource'],
    outputs: ['output: out_type'],
    attrs: ['out_type: {int32, int64} = int32'],
    infer: (c) => [new TensorShape([(c.handle(0)?.shape ?? TensorShape.UNKNOWN).rank])],
    grad: notDifferentiable('its result depends on shapes only'),
    evaluate: (c) => {
      const { dims } = c.shape(0);
      if (dims === null) return null;
      const [dtype = 'int32'] = c.outputs;
      return [{ dtype, shape: [dims.length], data: Float64Array.from(dims, (dim) => dim ?? NaN) }];
    },
  }),

  AssignVariableOp: assignment('Sets a variable.', 'type'),
  AssignAddVariableOp: assignment('Adds to a variable.', 'numeric'),
  AssignSubVariableOp: assignment('Subtracts from a variable.', 'numeric'),

  VarIsInitializedOp: op({
    summary: 'Whether a variable has a value.',
    inputs: ['resource: resource'],
    outputs: ['is_initialized: bool'],
    infer: scalarShape,
    grad: notDifferentiable('its output is a bool'),
    stateful: true,
  }),

  DestroyResourceOp: op({
    summary: 'Deletes a variable, which is uninitialized afterwards.',
    inputs: ['resource: resource'],
    attrs: ['ignore_lookup_error: bool = true'],
    infer: noOutputs,
    grad: EFFECT,
    stateful: true,
  }),
};

export const STATE = { ...RESOURCES, ...COUNTERS, ...SLICE_ASSIGN, ...REFERENCES, ...FILES };

/** A variable in its own right, not a tensor: its rows are read without reading the whole of it. */
export interface RowSource extends TensorConvertible {
  readonly handle: Tensor;
}

/** True for variables that the session keeps behind a resource handle. */
export function isRowSource(params: TensorLike): params is RowSource {
  if (params instanceof Tensor || !isTensorConvertible(params) || !('handle' in params)) return false;
  return params.handle instanceof Tensor && params.handle.handle !== null;
}

/** Creates a handle (`VarHandleOp`). `name` with a trailing `/` is taken exactly. */
export function varHandle(
  dtype: DType,
  shape: ShapeLike,
  { name, sharedName = '', container = '' }: NameOptions & { sharedName?: string; container?: string } = {},
): Tensor {
  const attrs = { dtype, shape: TensorShape.of(shape), shared_name: sharedName, container };
  return apply('VarHandleOp', [], { name, attrs });
}

/**
 * A new read of a variable, which obeys the control dependencies in force: after an assignment in
 * `controlDependencies` it sees the assigned value.
 */
export function readVariable(variable: VariableLike, { name }: NameOptions = {}): Tensor {
  const handle = variableHandle(variable);
  if (handle.dtype !== 'resource') return apply('Identity', [handle], { name });
  if (handle.handle === null)
    throw new InvalidArgumentError(`${handle.name} is no handle of a known variable`);
  return apply('ReadVariableOp', [handle], { name, attrs: { dtype: handle.handle.dtype } });
}

export interface AssignOptions extends NameOptions {
  /** Older files' `validate_shape` and `use_locking` have no counterpart: shapes are always checked. */
  readonly readValue?: boolean;
}

/**
 * Sets a variable (`tf.assign`): returns the value after the assignment, or with `readValue: false` the
 * operation. `value` has the variable's dtype and shape. Throws `InvalidArgumentError` when it has not.
 */
export function assign(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions & { readValue: false },
): Operation;
export function assign(ref: VariableLike, value: TensorLike, options?: AssignOptions): Tensor;
export function assign(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions = {},
): Tensor | Operation {
  return assignWith('Assign', ref, value, options);
}

/** Adds to a variable (`tf.assign_add`); otherwise as `assign`. */
export function assignAdd(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions & { readValue: false },
): Operation;
export function assignAdd(ref: VariableLike, value: TensorLike, options?: AssignOptions): Tensor;
export function assignAdd(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions = {},
): Tensor | Operation {
  return assignWith('AssignAdd', ref, value, options);
}

/** Subtracts from a variable (`tf.assign_sub`); otherwise as `assign`. */
export function assignSub(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions & { readValue: false },
): Operation;
export function assignSub(ref: VariableLike, value: TensorLike, options?: AssignOptions): Tensor;
export function assignSub(
  ref: VariableLike,
  value: TensorLike,
  options: AssignOptions = {},
): Tensor | Operation {
  return assignWith('AssignSub', ref, value, options);
}

/** Whether a variable has a value, as a bool scalar (`tf.is_variable_initialized`). */
export function isVariableInitialized(variable: VariableLike, { name }: NameOptions = {}): Tensor {
  const handle = variableHandle(variable);
  const type = handle.dtype === 'resource' ? 'VarIsInitializedOp' : 'IsVariableInitialized';
  return apply(type, [handle], { name });
}

/** Deletes a variable's value (`DestroyResourceOp`). */
export function destroyVariable(variable: VariableLike, { name }: NameOptions = {}): Operation {
  return applyOp('DestroyResourceOp', [variableHandle(variable)], { name });
}

function assignWith(
  type: 'Assign' | 'AssignAdd' | 'AssignSub',
  variable: VariableLike,
  value: TensorLike,
  { name, readValue = true }: AssignOptions,
): Tensor | Operation {
  const handle = variableHandle(variable);
  if (handle.dtype !== 'resource') {
    const assigned = applyOp(type, [handle, value], { name });
    return readValue ? assigned.output(0) : assigned;
  }
  const dtype = handle.handle?.dtype;
  const tensor = convertToTensor(value, { dtype: dtype === undefined ? undefined : baseDType(dtype) });
  const assigned = applyOp(`${type}VariableOp`, [handle, tensor], { name, attrs: { dtype: tensor.dtype } });
  if (!readValue) return assigned;
  return controlDependencies([assigned], () => readVariable(handle));
}
