/**
 * Watches for graphs that grow between runs: each new node costs a new plan, so a loop that adds
 * ops gets slower with every step. Warns once, naming the line.
 */
import type { Graph } from '@forerun/graph';

export class GrowthWatch {
  #seen: number | undefined;
  #growths = 0;

  constructor(
    private readonly graph: Graph,
    private readonly warn: (message: string) => void,
  ) {}

  /** Call before every run. A first growth may be a late evaluation graph; the second is a loop. */
  check(): void {
    const { operations } = this.graph;
    const before = this.#seen;
    this.#seen = operations.length;
    if (before === undefined || operations.length === before) return;
    this.#growths++;
    if (this.#growths !== 2) return;
    const op = operations[before];
    this.warn(
      `the graph grows between runs: ${operations.length - before} new node${operations.length - before === 1 ? '' : 's'} ` +
        `since the last one, the first is ${op?.describe() ?? ''}${op?.creationSite() ?? ''}. ` +
        'Every run that meets new nodes compiles a new plan; create all ops before the loop (graph.finalize() makes this an error)',
    );
  }
}
