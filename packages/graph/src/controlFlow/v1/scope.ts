/** Where translated nodes go: a graph for the root and one for every function, each with what stands for what. */
import type { Graph } from '../../graph.js';
import { withGraph } from '../../graphStack.js';
import type { Operation } from '../../operation.js';
import type { Tensor } from '../../tensor.js';
import type { Region } from './regions.js';
import type { Store } from './stores.js';

/** A branch of a conditional that has been made, for another conditional on the same predicate that needs its values. */
export interface EarlierBranch {
  readonly scope: Scope;
  /** Gives a value of the branch to the graph around. */
  readonly handOver: (tensor: Tensor) => Tensor;
  readonly op: Operation;
}

/** A graph under construction: the root, the body of a loop, a branch. */
export class Scope {
  readonly values = new Map<Tensor, Tensor>();
  /** What stands for an operation; `null` where nothing does. */
  readonly built = new Map<Operation, Operation | null>();
  /** The lists that tensor arrays and stacks are by now. */
  readonly lists = new Map<Store, Tensor>();
  /** Branches in this scope that are done. */
  readonly branches = new Map<Region, EarlierBranch[]>();

  constructor(
    readonly region: Region,
    readonly graph: Graph,
    readonly parent: Scope | null,
  ) {}

  /** Runs `build` with the graph of this scope as default. */
  within<R>(build: () => R): R {
    return withGraph(this.graph, build);
  }
}
