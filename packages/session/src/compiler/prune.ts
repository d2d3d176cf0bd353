/**
 * Stage 1: the operations that the fetches need, inputs first, stopping at fed tensors. Finds what
 * makes a run impossible before anything is compiled: unfed placeholders, unsupported ops, cycles.
 */
import {
  EXTERNAL_WEIGHTS_ATTR,
  InvalidArgumentError,
  UnimplementedError,
  type OpName,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { KERNELS } from '@forerun/kernels-webgpu';
import type { VariableRef } from './ir.js';

export interface Pruned {
  /** Topological order over data and control edges. */
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: ReadonlyMap<Tensor, number>;
  /** Feeds that are no values: the variable behind a handle, or a tensor list of an earlier part of the run. */
  readonly bound?: ReadonlyMap<Tensor, VariableRef | 'list'> | undefined;
}

/** The needed operations. Throws `InvalidArgumentError` or `UnimplementedError` naming all offending nodes. */
export function pruneGraph(
  fetches: readonly Tensor[],
  targets: readonly Operation[],
  feeds: ReadonlyMap<Tensor, number>,
): Pruned {
  const roots = [...fetches.filter((tensor) => !feeds.has(tensor)).map((tensor) => tensor.op), ...targets];
  const operations = topologicalOrder(roots, feeds);
  refuseUnfed(operations, feeds);
  refuseUnsupported(operations);
  return { operations, fetches, targets, feeds };
}

/** Ops without a value of their own. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['Placeholder', 'PlaceholderV2']);

/** Ops that do not run when they are fed. All others do where an op waits for them, as in TensorFlow. */
const REPLACED_BY_FEEDS: ReadonlySet<string> = new Set([...PLACEHOLDERS, 'RestoreV2']);

/** Whether feeds stand in for the whole op. */
export function isReplaced(op: Operation, feeds: ReadonlyMap<Tensor, number>): boolean {
  return REPLACED_BY_FEEDS.has(op.type) && op.outputs.every((output) => feeds.has(output));
}

/** What must run before `op`: producers of inputs that are not fed, and control inputs. */
function predecessors(op: Operation, feeds: ReadonlyMap<Tensor, number>): Operation[] {
  if (isReplaced(op, feeds)) return [];
  return [...op.inputs.filter((input) => !feeds.has(input)).map((input) => input.op), ...op.controlInputs];
}

function topologicalOrder(roots: readonly Operation[], feeds: ReadonlyMap<Tensor, number>): Operation[] {
  const order: Operation[] = [];
  const done = new Map<Operation, boolean>();
  const stack = [...roots].reverse();
  for (let op = stack.at(-1); op !== undefined; op = stack.at(-1)) {
    const state = done.get(op);
    if (state !== undefined) {
      stack.pop();
      if (!state) order.push(op);
      done.set(op, true);
      continue;
    }
    done.set(op, false);
    for (const before of predecessors(op, feeds).reverse()) {
      if (done.get(before) === false) throw cycleError(before, op, feeds);
      if (!done.has(before)) stack.push(before);
    }
  }
  return order;
}

function cycleError(
  start: Operation,
  end: Operation,
  feeds: ReadonlyMap<Tensor, number>,
): InvalidArgumentError {
  const path: Operation[] = [];
  const seen = new Set<Operation>();
  const search = (op: Operation): boolean => {
    if (seen.has(op)) return false;
    seen.add(op);
    path.push(op);
    if (op === start || predecessors(op, feeds).some(search)) return true;
    path.pop();
    return false;
  };
  search(end);
  const names = [...path.reverse(), start].map((op) => `"${op.name}"`);
  return new InvalidArgumentError(`the graph has a cycle: ${names.join(' -> ')}`, { node: start.name });
}

function refuseUnfed(operations: readonly Operation[], feeds: ReadonlyMap<Tensor, number>): void {
  const unfed = operations.filter(
    ({ type, outputs: [value] }) => PLACEHOLDERS.has(type) && value !== undefined && !feeds.has(value),
  );
  const [first] = unfed;
  if (first === undefined) return;
  const list = unfed.map((op) => {
    const tensor = op.output(0);
    const outside = op.attrs.has(EXTERNAL_WEIGHTS_ATTR)
      ? ': a constant whose value lies beside the graph file, read it with fr.io.readGraph(path)'
      : '';
    return `"${op.name}" (${tensor.dtype} ${tensor.shape.toString()})${outside}${op.creationSite()}`;
  });
  throw new InvalidArgumentError(
    `the fetches need ${unfed.length === 1 ? 'a placeholder that is' : 'placeholders that are'} not fed: ${list.join(', ')}`,
    { node: first.name },
  );
}

/** Lists every op on the way to the fetches that cannot run, all at once. */
function refuseUnsupported(operations: readonly Operation[]): void {
  const problems: string[] = [];
  for (const op of operations) {
    if (op.def === undefined) {
      problems.push(`${op.describe()}: the op type is not known to Forerun`);
      continue;
    }
    if (op.def.functionName !== undefined) continue;
    const kernel = KERNELS[op.type as OpName];
    if (kernel.kind === 'unsupported')
      problems.push(`${op.describe()}: ${kernel.reason}${op.creationSite()}`);
  }
  if (problems.length > 0) {
    throw new UnimplementedError(
      `the fetches need ${problems.length} op${problems.length === 1 ? '' : 's'} that cannot run:\n  ${problems.join('\n  ')}`,
    );
  }
}
