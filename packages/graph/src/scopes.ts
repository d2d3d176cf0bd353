/**
 * The default graph and the scopes that builders obey without being told: `asDefault`,
 * `nameScope`, `controlDependencies`, `device`. Scopes take a synchronous callback and restore the
 * state when it returns or throws.
 */
import { Graph } from './graph.js';
import { topGraph, withGraph } from './graphStack.js';
import { InvalidArgumentError } from './errors.js';
import type { Operation } from './operation.js';
import type { Tensor } from './tensor.js';

let root: Graph | undefined;

/** The innermost graph of `asDefault`, or the process-wide default graph (`tf.get_default_graph`). */
export function getDefaultGraph(): Graph {
  root ??= new Graph();
  return topGraph() ?? root;
}

/** Replaces the process-wide default graph by an empty one (`tf.reset_default_graph`). Throws inside `asDefault`. */
export function resetDefaultGraph(): void {
  if (topGraph() !== undefined) {
    throw new InvalidArgumentError('resetDefaultGraph() cannot be called inside asDefault()');
  }
  root = new Graph();
}

/** Puts the names of nodes that `build` makes under `name` (`tf.name_scope`). A trailing `/` re-enters a scope. */
export function nameScope<R>(name: string | null, build: (scope: string) => R): R {
  return refusePromise(getDefaultGraph().nameScope(name, build), 'nameScope');
}

/** Makes every op that `build` creates run after `inputs` (`tf.control_dependencies`); `null` clears outer ones. */
export function controlDependencies<R>(
  inputs: readonly (Operation | Tensor | { readonly op: Operation })[] | null,
  build: () => R,
): R {
  return refusePromise(getDefaultGraph().controlDependencies(inputs, build), 'controlDependencies');
}

/** Labels the ops that `build` creates with a device name (`tf.device`). Labels are kept, not obeyed. */
export function device<R>(name: string | null, build: () => R): R {
  return refusePromise(getDefaultGraph().withDevice(name, build), 'device');
}

/** Runs `build` in the graph that variables and collections live in: the one around all functions. */
export function inRootGraph<R>(build: () => R): R {
  const graph = getDefaultGraph();
  return graph.root === graph ? build() : withGraph(graph.root, build);
}

function refusePromise<R>(result: R, scope: string): R {
  if (result instanceof Promise) {
    throw new InvalidArgumentError(
      `${scope}() takes a synchronous callback: it has ended when a promise resolves`,
    );
  }
  return result;
}

/** Runs `build` with the graph of `tensor` as the default graph. */
export function withGraphOf<R>(tensor: Tensor, build: () => R): R {
  return withGraph(tensor.graph, build);
}
