/** The stack of graphs made default by `graph.asDefault`. Apart, so that `Graph` and the builders can share it. */
import type { Graph } from './graph.js';

const stack: Graph[] = [];

/** The innermost graph of `asDefault`, if any. */
export function topGraph(): Graph | undefined {
  return stack.at(-1);
}

/** Runs `build` with `graph` on top of the stack. */
export function withGraph<R>(graph: Graph, build: () => R): R {
  stack.push(graph);
  try {
    return build();
  } finally {
    stack.pop();
  }
}
