/** Where translated nodes go: a graph for the root and one for every function, each with what stands for what. */
import type { Graph } from '../../graph.js';
import { withGraph } from '../../graphStack.js';
import type { Operation } from '../../operation.js';
import type { Tensor } from '../../tensor.js';
import type { Region } from './regions.js';

/** A graph under construction: the root, the body of a loop, a branch. */
export class Scope {
  readonly values = new Map<Tensor, Tensor>();
  /** What stands for an operation; `null` where nothing does. */
  readonly built = new Map<Operation, Operation | null>();

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
