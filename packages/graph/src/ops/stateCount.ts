/** Counters that stop at a limit: variables that say when enough was drawn from something. */
import { apply, type NameOptions } from '../apply.js';
import { notDifferentiable, op, type InferContext } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { variableHandle, type VariableLike } from './stateHandle.js';
import { inferHandle } from './stateInfer.js';

const INTEGERS = notDifferentiable('it counts');

function requireScalar(c: InferContext, shape: TensorShape): TensorShape[] {
  if (shape.rank !== null && shape.rank !== 0) {
    c.fail(`the variable must be a scalar, it has shape ${shape.toString()}`);
  }
  return [TensorShape.SCALAR];
}

export const COUNTERS = {
  CountUpTo: op({
    summary: 'The value of a reference variable, which then grows by one, up to a limit.',
    inputs: ['ref: Ref(T)'],
    outputs: ['output: T'],
    attrs: ['limit: int', 'T: {int32, int64}'],
    infer: (c) => requireScalar(c, c.shape(0)),
    grad: INTEGERS,
    stateful: true,
  }),

  ResourceCountUpTo: op({
    summary: 'The value of a variable, which then grows by one, up to a limit.',
    inputs: ['resource: resource'],
    outputs: ['output: T'],
    attrs: ['limit: int', 'T: {int32, int64}'],
    infer: (c) => requireScalar(c, inferHandle(c, 0, 'T')?.shape ?? TensorShape.UNKNOWN),
    grad: INTEGERS,
    stateful: true,
  }),
};

/**
 * The value of an int32 or int64 scalar variable before it grows by one (`tf.count_up_to`). A run in which it has
 * reached `limit` throws `OutOfRangeError` and leaves the variable as it is.
 */
export function countUpTo(ref: VariableLike, limit: number, { name }: NameOptions = {}): Tensor {
  const handle = variableHandle(ref);
  if (handle.dtype !== 'resource') return apply('CountUpTo', [handle], { name, attrs: { limit } });
  const dtype = handle.handle?.dtype ?? 'int32';
  return apply('ResourceCountUpTo', [handle], { name, attrs: { limit, T: dtype } });
}
