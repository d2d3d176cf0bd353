/**
 * Watches for graphs that grow between runs: each new node costs a new plan, so a loop that adds
 * ops gets slower with every step. Warns once, naming the line.
 */
import type { Graph } from '@forerun/graph';

/** How many new nodes of each growth are looked at. */
const MAX_NODES = 32;

export class GrowthWatch {
  #seen: number | undefined;
  readonly #sites = new Set<string>();
  #warned = false;

  constructor(
    private readonly graph: Graph,
    private readonly warn: (message: string) => void,
  ) {}

  /** Call before every run. Growing is no fault in itself; a line that adds nodes again and again is. */
  check(): void {
    const { operations } = this.graph;
    const before = this.#seen;
    this.#seen = operations.length;
    if (before === undefined || operations.length === before || this.#warned) return;
    const added = operations.slice(before, before + MAX_NODES);
    const again = added.find((op) => this.#sites.has(op.site?.toString() ?? ''));
    for (const op of added) {
      const site = op.site?.toString();
      if (site !== undefined) this.#sites.add(site);
    }
    if (again === undefined) return;
    this.#warned = true;
    this.warn(
      `the graph grows with every run: ${again.describe()} is new since the last run, and the same line made nodes before it` +
        `${again.creationSite()}. Every run that meets new nodes compiles a new plan; ` +
        'create all ops before the loop (graph.finalize() makes adding one an error)',
    );
  }
}
