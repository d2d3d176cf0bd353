/** What tells requests apart, and how those with control flow of version 1 are translated, once each. */
import {
  functionalize,
  inFunctionalForm,
  isVersion1ControlFlow,
  type FunctionalRequest,
  type Graph,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import type { Feed } from './run/feeds.js';
import type { ResolvedFetches } from './run/fetches.js';

const numbers = new WeakMap<Graph, number>();
let lastNumber = 0;

/** A graph's number and that of its last edit; translated requests have graphs of their own. */
export function graphKey(op: Operation | undefined): string {
  if (op === undefined) return '';
  const { root } = op.graph;
  const number = numbers.get(root) ?? ++lastNumber;
  numbers.set(root, number);
  return `${number}.${root.edits}`;
}

/** The key under which the plan of a request is kept. */
export function requestKey(
  tensors: readonly Tensor[],
  operations: readonly Operation[],
  feeds: readonly Feed[],
): string {
  const fetched = tensors.map(({ op, index }) => `${op.id}:${index}`).join();
  const targets = operations.map(({ id }) => id).join();
  const fed = feeds
    .map(({ tensor, value }) => `${tensor.op.id}:${tensor.index}=${value.shape.join('x')}`)
    .join();
  return `${graphKey(tensors[0]?.op ?? operations[0])}|${fetched}|${targets}|${fed}`;
}

type Request = readonly [resolved: ResolvedFetches, feeds: readonly Feed[]];

/** The requests of a session in a form without control flow of version 1. */
export class Version1Requests {
  readonly #known = new Map<string, FunctionalRequest | null>();
  #seen = 0;
  #found = false;

  constructor(private readonly graph: Graph) {}

  /** The same request on functions, or itself where it needs none. */
  translate(resolved: ResolvedFetches, feeds: readonly Feed[]): Request {
    if (!this.graphHasIt()) return [resolved, feeds];
    const { operations } = resolved;
    // Where gradients were asked for, functions stand for loops and conditionals already.
    const tensors = resolved.tensors.map(inFunctionalForm);
    const given = feeds.map((feed) => ({ ...feed, tensor: inFunctionalForm(feed.tensor) }));
    const made = this.translated({ fetches: tensors, targets: operations, feeds: given });
    if (made === null) return [{ ...resolved, tensors }, given];
    const { fetches, targets, feeds: tensorsFed } = made;
    return [
      { ...resolved, tensors: fetches, operations: targets },
      given.map((feed, i) => ({ ...feed, tensor: tensorsFed[i] ?? feed.tensor })),
    ];
  }

  private translated({
    fetches,
    targets,
    feeds,
  }: Omit<FunctionalRequest, 'feeds'> & { readonly feeds: readonly Feed[] }): FunctionalRequest | null {
    const key = requestKey(fetches, targets, feeds);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = functionalize({ fetches, targets, feeds: feeds.map(({ tensor }) => tensor) });
    this.#known.set(key, made);
    return made;
  }

  /** Looks at the nodes that were added since it was asked last. */
  private graphHasIt(): boolean {
    const { operations } = this.graph;
    if (operations.length === this.#seen) return this.#found;
    this.#found ||= operations.slice(this.#seen).some(isVersion1ControlFlow);
    this.#seen = operations.length;
    return this.#found;
  }
}
