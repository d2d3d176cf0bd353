/** Conditionals of version 1 control flow: which `Merge` nodes belong together, and the `If` that stands for them. */
import { constant } from '../../apply.js';
import type { FuncGraph } from '../../funcGraph.js';
import { UnimplementedError } from '../../errors.js';
import type { Operation } from '../../operation.js';
import { TensorShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { funcAttr, isStateful, newFunction, register, shareCaptures } from '../functions.js';
import type { Translator } from './functionalize.js';
import { reach } from './needed.js';
import { isLoopMerge, isMerge, isNextIteration, type Region, type Regions } from './regions.js';
import { Scope, type EarlierBranch } from './scope.js';
import { listOf } from './storeOps.js';
import type { Store } from './stores.js';
import { builders } from '../../registry.js';
import { ForwardCall } from '../callGradients.js';

/** The joining nodes of one conditional. */
export interface Conditional {
  readonly merges: readonly Operation[];
  readonly predicate: Tensor;
  /** The branches for false and true. */
  readonly branches: readonly [Region, Region];
}

/**
 * The conditional of every `Merge` that joins branches. Those of one predicate are one conditional unless one
 * depends on the result of another, as in a gradient.
 */
export function conditionals(
  operations: readonly Operation[],
  regions: Regions,
): ReadonlyMap<Operation, Conditional> {
  const result = new Map<Operation, Conditional>();
  const position = new Map(operations.map((op, i) => [op, i]));
  const open = new Map<Region, { merges: Operation[]; conditional: Conditional }>();
  for (const merge of operations) {
    if (!isMerge(merge) || isLoopMerge(merge)) continue;
    const branches = branchesOf(merge, regions);
    const [falsy] = branches;
    const predicate = falsy.predicate;
    if (predicate === null) continue;
    let group = open.get(falsy);
    if (group === undefined || dependsOn(merge, group.merges, position)) {
      const merges: Operation[] = [];
      group = { merges, conditional: { merges, predicate, branches } };
      open.set(falsy, group);
    }
    group.merges.push(merge);
    result.set(merge, group.conditional);
  }
  return result;
}

function branchesOf(merge: Operation, regions: Regions): readonly [Region, Region] {
  const found = merge.inputs.map((input) => regions.ofTensor(input));
  const side = (i: 0 | 1): Region | undefined =>
    found.find((region) => region.side === i && region.kind === 'branch');
  const [falsy, truthy] = [side(0), side(1)];
  const pair = merge.inputs.length === 2 && falsy !== undefined && truthy !== undefined;
  if (pair && falsy.parent === truthy.parent && falsy.predicate === truthy.predicate) return [falsy, truthy];
  throw new UnimplementedError(`${merge.describe()} does not join the two branches of one conditional`, {
    node: merge.name,
  });
}

function dependsOn(
  merge: Operation,
  group: readonly Operation[],
  position: ReadonlyMap<Operation, number>,
): boolean {
  const first = position.get(group[0] ?? merge) ?? 0;
  const later = (op: Operation): boolean => (position.get(op) ?? -1) >= first;
  const reached = reach([merge], (op) =>
    [...op.inputs.map((input) => input.op), ...op.controlInputs].filter(
      (other) => later(other) && !isNextIteration(other),
    ),
  );
  return group.some((member) => reached.has(member));
}

/** Makes the `If` of a conditional in `scope`, and takes its results for those of the `Merge` nodes. */
export function buildConditional(translator: Translator, conditional: Conditional, scope: Scope): void {
  const { merges, predicate } = conditional;
  for (const merge of merges) scope.built.set(merge, null);
  const selector = translator.value(predicate, scope);
  const stores = changedStores(translator, conditional);
  for (const store of stores) listOf(translator, store, scope);
  const [otherwise, then] = conditional.branches.map((region) =>
    branchFunction(translator, conditional, stores, region, scope),
  );
  if (otherwise === undefined || then === undefined) return;
  const awaiting = [...merges, ...waitingEntries(translator, conditional)];
  const controls = awaiting.flatMap((op) => translator.controls(op, scope));
  const name = `${merges[0]?.name ?? 'cond'}/If`;
  scope.within(() => {
    const functions = [then.fn, otherwise.fn] as const;
    const op = ifOf(name, scope, selector, functions, controls);
    merges.forEach((merge, i) => {
      translator.set(scope, merge.output(0), op.output(2 * i));
      translator.set(scope, merge.output(1), op.output(2 * i + 1));
    });
    stores.forEach((store, i) => scope.lists.set(store, op.output(2 * merges.length + i)));
    const call = new ForwardCall(op, builders, functions, 1);
    [then, otherwise].forEach((branch, b) => {
      noteBranch(scope, { scope: branch.scope, op, handOver: (value) => call.output(b, value) });
    });
  });
}

function ifOf(
  name: string,
  { graph }: Scope,
  selector: Tensor,
  functions: readonly [then: FuncGraph, otherwise: FuncGraph],
  controls: readonly Operation[],
): Operation {
  const [then, otherwise] = functions;
  const captured = shareCaptures(functions);
  const waits = register(functions).filter((op) => op.graph === graph);
  return graph.createOp({
    type: functions.some(isStateful) ? 'If' : 'StatelessIf',
    name,
    inputs: [selector, ...captured],
    controlInputs: [...new Set([...controls, ...waits])],
    attrs: {
      then_branch: funcAttr(then),
      else_branch: funcAttr(otherwise),
      Tout: { kind: 'list(type)', value: then.outputs.map(({ dtype }) => dtype) },
      output_shapes: then.outputs.map(({ shape }, i) => commonShape(shape, otherwise.outputs[i]?.shape)),
    },
  });
}

/** What leads into the branches and waits for something; not what leads into those of later conditionals on the predicate. */
function waitingEntries(
  { regions, operations }: Translator,
  { branches, merges }: Conditional,
): readonly Operation[] {
  const entries = new Set(regions.entries(branches).filter(({ controlInputs }) => controlInputs.length > 0));
  if (entries.size === 0) return [];
  const from = operations.findIndex((op) => entries.has(op));
  const near = new Set(operations.slice(from));
  const needed = reach(merges, (op) =>
    [...op.inputs.map((input) => input.op), ...op.controlInputs].filter(
      (other) => near.has(other) && !isNextIteration(other),
    ),
  );
  return [...entries].filter((op) => needed.has(op));
}

/** Lets later conditionals on the same predicate take values of a branch. */
function noteBranch(scope: Scope, branch: EarlierBranch): void {
  const { region } = branch.scope;
  scope.branches.set(region, [...(scope.branches.get(region) ?? []), branch]);
}

/** Tensor arrays and stacks from around that a branch changes. */
function changedStores(translator: Translator, { branches }: Conditional): readonly Store[] {
  return [...new Set(branches.flatMap((region) => translator.stores.changedIn(region)))];
}

interface Branch {
  readonly fn: FuncGraph;
  readonly scope: Scope;
}

/**
 * A branch: for every `Merge` the value that it has there, and the position of the input it comes from; then the lists
 * of the stores that the conditional changes.
 */
function branchFunction(
  translator: Translator,
  conditional: Conditional,
  stores: readonly Store[],
  region: Region,
  scope: Scope,
): Branch {
  const { merges } = conditional;
  const side = region.side === 1 ? 'true' : 'false';
  const name = `${merges[0]?.name.replaceAll('/', '_') ?? 'cond'}_${side}`;
  const fn = newFunction(name, scope.graph);
  const inner = new Scope(region, fn, scope);
  const sources = merges.map((merge) => {
    const index = merge.inputs.findIndex((input) => translator.regions.ofTensor(input) === region);
    return { index, input: merge.inputs[index] };
  });
  const awaited = merges.flatMap((merge) => merge.controlInputs);
  translator.buildAll([...sources.flatMap(({ input }) => input?.op ?? []), ...awaited], inner);
  if (translator.isLastOf(conditional, scope)) translator.buildChanges(inner);
  const values = sources.flatMap(({ index, input }) => {
    if (input === undefined) return [];
    const value = fn.capture(translator.value(input, inner));
    return [value, inner.within(() => constant(index, { dtype: 'int32' }))];
  });
  fn.outputs = [...values, ...stores.map((store) => fn.capture(listOf(translator, store, inner)))];
  return { fn, scope: inner };
}

/** What is known of a shape that is one or the other. */
export function commonShape(a: TensorShape, b: TensorShape | undefined): TensorShape {
  const [left, right] = [a.dims, b?.dims ?? null];
  if (left === null || left.length !== right?.length) return TensorShape.UNKNOWN;
  return new TensorShape(left.map((dim, i) => (dim === right[i] ? dim : null)));
}
