/** Runs a training step or a graph under a choice of compiler passes, and gives all that can be seen of it. */
import * as fr from 'forerun';
import type { PassSwitches } from '../../src/index.js';

export interface Built {
  readonly fetches: readonly (fr.Tensor | fr.Operation)[];
  readonly feeds: ReadonlyMap<fr.Tensor, readonly number[]>;
}

/** Numbers between -1 and 1 that are the same in every run. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed * 2654435761;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

export function input(shape: readonly number[], feeds: Map<fr.Tensor, readonly number[]>): fr.Tensor {
  const x = fr.placeholder('float32', shape);
  feeds.set(x, shape);
  return x;
}

/** Runs `steps` steps under a choice of passes and gives everything that can be seen afterwards. */
export async function observe(
  build: () => Built,
  passes: PassSwitches,
  steps = 2,
): Promise<{ seen: number[][]; dispatches: number; report: fr.PlanReport }> {
  const graph = new fr.Graph();
  const { built, init, variables } = graph.asDefault(() => {
    fr.setRandomSeed(7);
    const made = build();
    return { built: made, init: fr.globalVariablesInitializer(), variables: fr.globalVariables() };
  });
  const sess = await fr.Session.create({ graph, config: { passes } });
  try {
    await sess.run(init);
    const feeds = [...built.feeds].map(
      ([x, shape], i) =>
        [x, { dtype: 'float32' as const, shape, data: numbers(x.shape.size ?? 1, i + 1) }] as const,
    );
    const seen: number[][] = [];
    for (let step = 0; step < steps; step++) {
      for (const value of await sess.run(built.fetches, feeds)) {
        if (value !== undefined) seen.push([...(value.data as Float32Array)]);
      }
    }
    for (const value of await sess.run(variables)) seen.push([...(value.data as Float32Array)]);
    const report = await sess.compile(built.fetches, new Map(built.feeds));
    return { seen, dispatches: report.dispatches, report };
  } finally {
    sess.close();
  }
}
