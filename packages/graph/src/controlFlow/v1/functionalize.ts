/**
 * Turns version 1 control flow into functions: a loop of `Enter`, `Merge`, `Switch`, `NextIteration` and `Exit`
 * becomes a `While`, a conditional of `Switch` and `Merge` an `If`. What a request needs is copied into a graph
 * of its own, names and all; the graph itself, and so its file, stays as it is.
 */
import { nameForCopy } from '../../names.js';
import { Graph } from '../../graph.js';
import { InvalidArgumentError, UnimplementedError } from '../../errors.js';
import type { Operation } from '../../operation.js';
import type { Tensor } from '../../tensor.js';
import { buildConditional, conditionals, type Conditional } from './conditionals.js';
import { buildLoop } from './loops.js';
import { neededOperations, reach } from './needed.js';
import {
  Regions,
  contains,
  isControlFlow,
  isEnter,
  isExit,
  isLoopMerge,
  isLoopSwitch,
  isMerge,
  isNextIteration,
  isSwitch,
  isTrigger,
  type Region,
} from './regions.js';
import { Scope } from './scope.js';
import { translateStoreOp } from './storeOps.js';
import { changesStore, Stores } from './stores.js';

/** What to compute: tensors and operations of one graph, with tensors whose values are given. */
export interface FunctionalRequest {
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Tensor[];
}

/**
 * The same request without version 1 control flow, or `null` when there is none in what it needs. Order and
 * number of fetches, targets and feeds stay. Throws `UnimplementedError` naming a node where loops and branches
 * are not nested, and for fetches from within one.
 */
export function functionalize(request: FunctionalRequest): FunctionalRequest | null {
  const fed = new Set(request.feeds);
  const isFed = (tensor: Tensor): boolean => fed.has(tensor);
  const roots = [
    ...request.fetches.filter((tensor) => !isFed(tensor)).map(({ op }) => op),
    ...request.targets,
  ];
  const operations = neededOperations(roots, isFed);
  if (!operations.some(isControlFlow)) return null;
  return new Translator(operations, request.feeds, emptyLike(operations[0]?.graph)).translate(request);
}

/** A graph for copies of nodes, with the functions that these call. */
function emptyLike(source: Graph | undefined): Graph {
  const graph = new Graph();
  graph.seed = source?.seed ?? null;
  for (const fn of source?.functions.values() ?? []) graph.addFunction(fn);
  for (const [name, gradient] of source?.functionGradients ?? []) graph.functionGradients.set(name, gradient);
  return graph;
}

export class Translator {
  readonly regions: Regions;
  readonly stores: Stores;
  readonly #conditionals: ReadonlyMap<Operation, Conditional>;
  readonly #root: Scope;
  readonly #inPlace: boolean;

  constructor(
    /** What the request needs, every operation after its inputs. */
    readonly operations: readonly Operation[],
    feeds: readonly Tensor[],
    /** The graph to put things into: that of the operations themselves, or one into which all else is copied. */
    target: Graph,
  ) {
    const fed = new Set(feeds);
    this.regions = new Regions(operations, (tensor) => fed.has(tensor));
    this.stores = new Stores(operations, this.regions);
    this.#conditionals = conditionals(operations, this.regions);
    this.#root = new Scope(this.regions.root, target, null);
    this.#inPlace = operations[0]?.graph === target;
    // Copies keep their names, which nothing that is made before them may take.
    if (!this.#inPlace) for (const op of operations) target.uniqueName(`${op.name}/`);
    for (const tensor of feeds) {
      const fed = fedPlaceholder(target, tensor);
      this.#root.values.set(tensor, fed);
      // Operations may wait for a placeholder, which is nothing but its value.
      if (tensor.op.type === 'Placeholder') this.#root.built.set(tensor.op, fed.op);
    }
  }

  /** Makes what stands for the operations outside of loops and branches; their tensors with what these have become. */
  translateAll(): ReadonlyMap<Tensor, Tensor> {
    for (const op of this.operations)
      if (this.regions.of(op) === this.regions.root) this.build(op, this.#root);
    return this.#root.values;
  }

  translate({ fetches, targets, feeds }: FunctionalRequest): FunctionalRequest {
    this.translateAll();
    return {
      fetches: fetches.map((tensor) => this.value(tensor, this.#root)),
      targets: targets.map((op) => this.target(op)),
      feeds: feeds.map((tensor) => this.value(tensor, this.#root)),
    };
  }

  /** What stands for `tensor` in `scope`; made where it is not there yet. It may belong to a graph around. */
  value(tensor: Tensor, scope: Scope): Tensor {
    const home = this.home(this.regions.ofTensor(tensor), scope, tensor.op);
    const known = home.values.get(tensor);
    if (known !== undefined) return known;
    const [data] = tensor.op.inputs;
    // The value goes into the loop or the branch as it is: a function captures it.
    const enters = isEnter(tensor.op) || (isSwitch(tensor.op) && !isLoopSwitch(tensor.op));
    if (enters && data !== undefined && home.parent !== null) {
      const outer = this.value(data, home.parent);
      home.values.set(tensor, outer);
      return outer;
    }
    this.build(tensor.op, home);
    const made = home.values.get(tensor);
    if (made !== undefined) return made;
    throw new UnimplementedError(
      `${tensor.op.describe()} has no counterpart without control flow of version 1`,
      {
        node: tensor.op.name,
      },
    );
  }

  /** Makes what stands for `op`, which lies in the region of `scope`. */
  build(op: Operation, scope: Scope): void {
    if (scope.built.has(op)) return;
    scope.built.set(op, null);
    if (this.takeFromEarlier(op, scope)) return;
    const [first] = op.inputs;
    if (isExit(op)) {
      buildLoop(this, op, scope);
      return;
    }
    const conditional = this.#conditionals.get(op);
    if (conditional !== undefined) {
      buildConditional(this, conditional, scope);
      return;
    }
    if (isEnter(op) || isSwitch(op) || isLoopMerge(op) || isMerge(op)) return;
    if (isNextIteration(op) || op.type === 'LoopCond') {
      if (first !== undefined) scope.values.set(op.output(0), this.value(first, scope));
      return;
    }
    const stored = translateStoreOp(this, op, scope);
    if (stored === null) this.carryOver(op, scope);
    else op.outputs.forEach((output, i) => this.set(scope, output, stored[i]));
  }

  /** What has effects or draws numbers must run once: a later conditional on a predicate takes it from the earlier one. */
  private takeFromEarlier(op: Operation, scope: Scope): boolean {
    if (!runsOnce(op)) return false;
    const branches = scope.parent?.branches.get(scope.region) ?? [];
    const earlier = branches.find((branch) => branch.scope.built.has(op));
    if (earlier === undefined) return false;
    for (const output of op.outputs) {
      const made = earlier.scope.values.get(output);
      if (made === undefined) continue;
      scope.values.set(output, made.graph === earlier.scope.graph ? earlier.handOver(made) : made);
    }
    scope.built.set(op, earlier.op);
    return true;
  }

  /** Makes what changes stores in the region of `scope`, or in one within it, and is not there yet. */
  buildChanges(scope: Scope): void {
    const { region } = scope;
    for (const op of this.operations) {
      const own = this.regions.of(op);
      if (own === region && changesStore(op)) this.build(op, scope);
      const [output] = op.outputs;
      const left: readonly Region[] = isExit(op) ? [own] : (this.#conditionals.get(op)?.branches ?? []);
      if (output === undefined || left[0]?.parent !== region) continue;
      if (left.some((inner) => this.stores.changedIn(inner).length > 0)) this.value(output, scope);
    }
  }

  /** Whether all conditionals on the predicate of `conditional` but itself have been made in `scope`. */
  isLastOf(conditional: Conditional, scope: Scope): boolean {
    const [region] = conditional.branches;
    const others = [...this.#conditionals.values()].filter((other) => other.branches[0] === region);
    return others.every((other) => other.merges.every((merge) => scope.built.has(merge)));
  }

  /** Everything in the region of `scope` that `roots` need, in order. */
  buildAll(roots: readonly Operation[], scope: Scope): void {
    const inside = (op: Operation): boolean => contains(scope.region, this.regions.of(op));
    const needed = reach(roots.filter(inside), (op) =>
      isLoopMerge(op) && this.regions.of(op) === scope.region
        ? []
        : [...op.inputs.map((input) => input.op), ...op.controlInputs].filter(inside),
    );
    for (const op of this.operations) {
      if (needed.has(op) && this.regions.of(op) === scope.region) this.build(op, scope);
    }
  }

  /** Control inputs as they are in the scopes; waiting for the mere entry of a loop or branch is needless. */
  controls(op: Operation, scope: Scope): Operation[] {
    return op.controlInputs.flatMap((control) => {
      if (isPivot(control)) return [];
      const region = this.regions.ofControl(control);
      // A trigger waits for what lies in branches, which runs in any case; a merge for what lies in its own, of which it is made.
      if ((isTrigger(op) || isMerge(op)) && !contains(region, scope.region)) return [];
      const home = this.home(region, scope, control);
      this.build(control, home);
      return home.built.get(control) ?? [];
    });
  }

  set(scope: Scope, output: Tensor, value: Tensor | undefined): void {
    if (value === undefined) return;
    scope.values.set(output, value);
    scope.built.set(output.op, value.op);
  }

  private carryOver(op: Operation, scope: Scope): void {
    const inputs = op.inputs.map((input) => this.value(input, scope));
    const [first] = inputs;
    // The flow of a tensor array is a list here.
    if (op.type === 'Identity' && first !== undefined && first.dtype !== op.inputs[0]?.dtype) {
      this.set(scope, op.output(0), first);
      return;
    }
    if (this.#inPlace && scope === this.#root) this.rewire(op, inputs);
    else this.copy(op, inputs, scope);
  }

  /** An operation that stays as it is, and takes what stands for its inputs. */
  private rewire(op: Operation, inputs: readonly Tensor[]): void {
    inputs.forEach((input, i) => {
      if (op.inputs[i] !== input) op.replaceInput(i, input);
    });
    for (const output of op.outputs) this.#root.values.set(output, output);
    this.#root.built.set(op, op);
  }

  private copy(op: Operation, inputs: readonly Tensor[], scope: Scope): void {
    const controlInputs = this.controls(op, scope);
    const copy = scope.within(() =>
      scope.graph.createOp({
        type: isTrigger(op) ? 'NoOp' : op.type,
        name: scope.parent === null ? `${op.name}/` : nameForCopy(op.name),
        inputs,
        controlInputs,
        attrs: op.attrs.values,
        device: op.device,
        outputDTypes: op.outputs.map(({ dtype }) => dtype),
      }),
    );
    scope.built.set(op, copy);
    op.outputs.forEach((output, i) => {
      const made = copy.output(i);
      if (made.shape.isCompatibleWith(output.shape)) made.setShape(output.shape);
      if (!scope.values.has(output)) scope.values.set(output, made);
    });
  }

  private target(op: Operation): Operation {
    const home = this.home(this.regions.ofControl(op), this.#root, op);
    this.build(op, home);
    const made = home.built.get(op);
    if (made !== null && made !== undefined) return made;
    throw new UnimplementedError(`${op.describe()} cannot be run by itself`, { node: op.name });
  }

  /** The scope, `scope` or one around it, that is for `region`. */
  home(region: Region, scope: Scope, op: Operation): Scope {
    for (let found: Scope | null = scope; found !== null; found = found.parent) {
      if (found.region === region) return found;
    }
    throw new UnimplementedError(
      `${op.describe()} lies in a ${region.kind} of version 1 control flow and is used or fetched outside of it`,
      { node: op.name },
    );
  }
}

/** Ops whose second run would be another: those with effects and those that draw numbers. */
function runsOnce(op: Operation): boolean {
  return changesStore(op) || (op.def?.stateful === true && op.type !== 'Placeholder');
}

/** The `Identity` of a `Switch` by which nodes of a loop or a branch wait for its entry. */
function isPivot(op: Operation): boolean {
  const [input] = op.inputs;
  return (
    isSwitch(op) ||
    isEnter(op) ||
    (op.type === 'Identity' && input !== undefined && isSwitch(input.op) && op.controlInputs.length === 0)
  );
}

function fedPlaceholder(graph: Graph, { op, dtype, shape }: Tensor): Tensor {
  if (dtype === 'resource') throw new InvalidArgumentError(`"${op.name}" is a handle and cannot be fed`);
  const name = op.type === 'Placeholder' ? `${op.name}/` : `${op.name}_fed`;
  return graph.createOp({ type: 'Placeholder', name, attrs: { dtype, shape } }).output(0);
}
