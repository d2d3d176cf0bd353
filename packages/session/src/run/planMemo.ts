/** The plan that a callable used last: while graph and shapes stay as they were, no key is made to look it up. */
import type { Graph } from '@forerun/graph';
import type { Plan } from '../plan.js';
import type { Feed } from './feeds.js';

export class PlanMemo {
  #plan: Plan | null = null;
  #edits = 0;
  #shapes: readonly (readonly number[])[] = [];

  /** The kept plan, if it is for feeds of these shapes, the graph has not been edited and the plan not evicted. */
  plan(graph: Graph, feeds: readonly Feed[]): Plan | undefined {
    if (this.#plan === null || this.#plan.disposed || this.#edits !== graph.edits) return undefined;
    if (feeds.length !== this.#shapes.length) return undefined;
    for (let i = 0; i < feeds.length; i++) {
      if (!sameShape(feeds[i]?.value.shape, this.#shapes[i])) return undefined;
    }
    return this.#plan;
  }

  /** Keeps a plan that depends on nothing but the graph and the shapes of its feeds. */
  keep(graph: Graph, feeds: readonly Feed[], plan: Plan): void {
    this.#plan = plan;
    this.#edits = graph.edits;
    this.#shapes = feeds.map(({ value }) => value.shape);
  }
}

function sameShape(a: readonly number[] = [], b: readonly number[] = []): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
