/**
 * What is known of a tensor's value while the graph is built: enough to see through shape
 * arithmetic such as `reshape(x, [shape(x)[0], -1])`. Integers only; an element that is not known is NaN.
 */
import { isInteger } from './dtype.js';
import { sizeOf, TensorShape } from './shape.js';
import type { Tensor } from './tensor.js';
import { toHostValue, type HostValue } from './value.js';

/** Larger integer tensors are data, not shapes. */
const MAX_ELEMENTS = 4096;
/** Longer chains are not shape arithmetic; the bound keeps the recursion shallow. */
const MAX_DEPTH = 200;

const known = new WeakMap<Tensor, HostValue | null>();

/** The value of an integer or bool tensor as far as it is known, or `null` when nothing is. */
export function constantValue(tensor: Tensor): HostValue | null {
  return valueAt(tensor, 0);
}

/** Computes the value anew when it is next asked for: the shapes that it follows from have changed. */
export function forgetConstant(tensor: Tensor): void {
  known.delete(tensor);
}

function valueAt(tensor: Tensor, depth: number): HostValue | null {
  const cached = known.get(tensor);
  if (cached !== undefined) return cached;
  if (depth > MAX_DEPTH) return null;
  const value = evaluate(tensor, depth);
  known.set(tensor, value);
  return value;
}

/** The shape of a tensor, or of the variable whose handle it is. */
function shapeBehind(tensor: Tensor): TensorShape {
  return tensor.dtype === 'resource' ? (tensor.handle?.shape ?? TensorShape.UNKNOWN) : tensor.shape;
}

function evaluate(tensor: Tensor, depth: number): HostValue | null {
  const { op } = tensor;
  if (!isInteger(tensor.dtype) && tensor.dtype !== 'bool') return null;
  const size = tensor.shape.size;
  if (op.type === 'Const') return (size ?? 0) > MAX_ELEMENTS ? null : toHostValue(op.attrs.tensor('value'));
  if (op.def?.evaluate === undefined || (size !== null && size > MAX_ELEMENTS)) return null;
  const results = op.def.evaluate({
    attrs: op.attrs,
    shapes: op.inputs.map(shapeBehind),
    outputs: op.outputs.map((output) => output.dtype),
    shape: (i) => shapeBehind(op.inputs[i] ?? tensor),
    value: (i) => {
      const input = op.inputs[i];
      return input === undefined ? null : valueAt(input, depth + 1);
    },
  });
  const value = results?.[tensor.index] ?? null;
  return value !== null && sizeOf(value.shape) > MAX_ELEMENTS ? null : value;
}
