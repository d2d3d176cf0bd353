/** The operations that a request needs in a graph with loops of version 1 control flow. */
import type { Operation } from '../../operation.js';
import type { Tensor } from '../../tensor.js';
import { frameName, isEnter, isMerge, isNextIteration } from './regions.js';

/**
 * All operations that `roots` need, every one after its inputs; only the end of a loop comes after its beginning.
 * The entries of one loop follow all values that enter it.
 */
export function neededOperations(
  roots: readonly Operation[],
  isFed: (tensor: Tensor) => boolean,
): Operation[] {
  const reached = reach(roots, (op) => before(op, isFed));
  const entering = new Map<string, Operation[]>();
  for (const op of [...reached].filter(isEnter)) {
    const sources = before(op, isFed);
    entering.set(frameName(op), [...(entering.get(frameName(op)) ?? []), ...sources]);
  }
  const order = new Set<Operation>();
  const open = new Set<Operation>();
  const stack = [...reached].reverse();
  for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
    if (order.has(op) || open.has(op)) {
      stack.pop();
      order.add(op);
      continue;
    }
    open.add(op);
    const edges = isEnter(op)
      ? [...(entering.get(frameName(op)) ?? []), ...op.controlInputs]
      : before(op, isFed);
    const sources = edges.filter((source) => !(isMerge(op) && isNextIteration(source)));
    for (const source of sources) if (!open.has(source)) stack.push(source);
  }
  return [...order];
}

/** What must run before `op`. */
function before(op: Operation, isFed: (tensor: Tensor) => boolean): Operation[] {
  return [...op.inputs.filter((input) => !isFed(input)).map((input) => input.op), ...op.controlInputs];
}

/** Everything that can be reached, `roots` included. */
export function reach(
  roots: readonly Operation[],
  next: (op: Operation) => readonly Operation[],
): Set<Operation> {
  const seen = new Set<Operation>(roots);
  for (const op of seen) for (const other of next(op)) seen.add(other);
  return seen;
}
