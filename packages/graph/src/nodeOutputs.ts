/** Outputs of a new node: their dtypes, shapes, and what is behind handles. Shapes may be left for later. */
import type { CallSite } from './callSite.js';
import type { DType } from './dtype.js';
import { InternalError, InvalidArgumentError } from './errors.js';
import { inferShapes } from './inferShapes.js';
import type { HandleData } from './opDef.js';
import type { Operation } from './operation.js';
import { outputDTypes, RuleError } from './resolveOp.js';
import { TensorShape } from './shape.js';
import { Tensor } from './tensor.js';

/** Gives a node its outputs; `dtypes` are those of types that are not registered. Throws `RuleError` for a broken rule. */
export function addOutputs(op: Operation, dtypes: readonly DType[], deferShapes: boolean): void {
  const { def } = op;
  if (def === undefined) {
    op.addOutputs(dtypes.map((dtype, i) => new Tensor(op, i, dtype, TensorShape.UNKNOWN)));
    return;
  }
  const types = outputDTypes(def, op.attrs);
  if (deferShapes && !types.some(isHandle)) {
    op.addOutputs(types.map((dtype, i) => new Tensor(op, i, dtype, null)));
    op.deferShapes(inferDeferred);
    return;
  }
  const shapes = inferShapes(def, op, types.length);
  const made = op.outputs.length;
  op.addOutputs(types.slice(made).map((dtype, i) => newOutput(op, made + i, dtype, shapes)));
}

function newOutput(op: Operation, index: number, dtype: DType, shapes: readonly TensorShape[]): Tensor {
  const shape = shapes[index];
  if (shape === undefined) throw new InternalError(`${op.describe()}: no shape for output ${index}`);
  return new Tensor(op, index, dtype, shape, handleOf(op, index, dtype));
}

/** Throws `InvalidArgumentError` naming node and creation site for a `RuleError`, other errors as they are. */
export function explain(
  error: unknown,
  {
    type,
    name,
    site,
  }: { readonly type: string; readonly name: string; readonly site?: CallSite | undefined },
): never {
  if (!(error instanceof RuleError)) throw error;
  const where = site?.toString();
  const suffix = where === undefined ? '' : ` (created at ${where})`;
  throw new InvalidArgumentError(`${type} "${name}": ${error.message}${suffix}`, { node: name });
}

/** Infers the deferred shapes of an operation and of those before it, inputs first; by a loop, as chains may be long. */
function inferDeferred(last: Operation): void {
  const stack = [{ op: last, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const input = top.op.inputs[top.next++];
    if (input === undefined) {
      if (top.op.shapesDeferred) inferOne(top.op);
      stack.pop();
    } else if (input.op.shapesDeferred) stack.push({ op: input.op, next: 0 });
  }
}

function inferOne(op: Operation): void {
  const { def } = op;
  if (def === undefined) throw new InternalError(`${op.describe()} is not registered`);
  try {
    op.resolveShapes(inferShapes(def, op, op.outputs.length));
  } catch (error) {
    explain(error, op);
  }
}

/** True for tensors that stand for something with a dtype and shape of its own. */
export function isHandle(dtype: DType): boolean {
  return dtype === 'resource' || dtype === 'variant';
}

/** What is behind a resource or variant output: declared by the op itself, or passed through from its input. */
function handleOf(op: Operation, index: number, dtype: DType): HandleData | null {
  if (!isHandle(dtype)) return null;
  if (op.attrs.has('_handle_dtype')) {
    return { dtype: op.attrs.type('_handle_dtype'), shape: op.attrs.shape('_handle_shape') };
  }
  if (op.def?.handles !== undefined) return op.def.handles(op)[index] ?? null;
  // An argument of a function says of itself that it is a handle, but not of what.
  const behind = op.attrs.has('dtype') && op.attrs.has('shape') ? op.attrs.type('dtype') : dtype;
  if (!isHandle(behind)) return { dtype: behind, shape: op.attrs.shape('shape') };
  return op.inputs.find((input) => input.dtype === dtype)?.handle ?? null;
}
