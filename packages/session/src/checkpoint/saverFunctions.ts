/**
 * Savers of TensorFlow 2: their file names a function that restores, called with the path and the handles of the variables. Which
 * variable takes which tensor of the checkpoint is in the function's body.
 */
import { InvalidArgumentError, type FuncGraph, type Operation, type Tensor } from '@forerun/graph';
import { textOf } from '../run/texts.js';

/** An assignment of a restored tensor. */
export interface RestoredVariable {
  /** The variable's handle in the graph of the call. */
  readonly handle: Tensor;
  /** Key of its value in the checkpoint. */
  readonly key: string;
}

const CALLS: ReadonlySet<string> = new Set(['PartitionedCall', 'StatefulPartitionedCall']);

export function isFunctionCall({ type }: Operation): boolean {
  return CALLS.has(type);
}

/** What a call restores. Throws `InvalidArgumentError` for a function that assigns something else than restored tensors. */
export function restoredVariables(call: Operation): RestoredVariable[] {
  const fn = call.graph.getFunction(call.attrs.func('f').name);
  return fn.operations.flatMap((op) => {
    if (isFunctionCall(op)) return restoredVariables(op).flatMap((inner) => outer(call, fn, inner));
    if (op.type !== 'AssignVariableOp') return [];
    const [handle, value] = op.inputs;
    const key = value === undefined ? undefined : restoredKey(value);
    if (handle !== undefined && key !== undefined) return outer(call, fn, { handle, key });
    throw new InvalidArgumentError(
      `the saver's function "${fn.functionName}": "${op.name}" assigns no tensor of the checkpoint`,
    );
  });
}

/** The same for the handle that the call passes. */
function outer(call: Operation, fn: FuncGraph, { handle, key }: RestoredVariable): RestoredVariable[] {
  const passed = call.inputs[fn.inputs.indexOf(through(handle))];
  if (passed !== undefined) return [{ handle: through(passed), key }];
  throw new InvalidArgumentError(
    `the saver's function "${fn.functionName}" assigns "${handle.name}", which the call does not pass`,
  );
}

function through(tensor: Tensor): Tensor {
  const [source] = tensor.op.inputs;
  return tensor.op.type === 'Identity' && source !== undefined ? through(source) : tensor;
}

/** The name that a `RestoreV2` node gives the tensor that reaches an assignment. */
export function restoredKey(tensor: Tensor): string | undefined {
  const { op, index } = through(tensor);
  const names = op.inputs[1]?.op;
  if (op.type !== 'RestoreV2' || names?.type !== 'Const') return undefined;
  return textOf(names.attrs.tensor('value').data[index]);
}
