/**
 * Prefetching: elements are made while the consumer waits for something else (the GPU, a file). The work is
 * put into turns of the event loop of its own, so it never delays an element that is ready.
 */
import { streamNode, type Node } from './node.js';

/** A bounded queue that fills itself from an iterator while it has room. */
class Prefetcher<T> {
  readonly #source: AsyncGenerator<T, void, undefined>;
  readonly #bound: number;
  readonly #queue: T[] = [];
  #pulling: Promise<void> | undefined;
  #cancelTurn: (() => void) | undefined;
  #ended = false;
  #failure: { error: unknown } | undefined;

  constructor(source: AsyncGenerator<T, void, undefined>, bound: number) {
    this.#source = source;
    this.#bound = bound;
  }

  /** The next element, or the error that came after the last one, or the end. */
  async next(): Promise<IteratorResult<T, void>> {
    while (this.#queue.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return { done: true, value: undefined };
      await this.#pull();
    }
    const value = this.#queue.shift() as T;
    this.#fillLater();
    return { done: false, value };
  }

  /** Stops filling, waits for an element in the making, and closes the source. */
  async close(): Promise<void> {
    this.#ended = true;
    this.#cancelTurn?.();
    await this.#pulling;
    await this.#source.return();
  }

  #pull(): Promise<void> {
    this.#pulling ??= this.#pullOne().finally(() => (this.#pulling = undefined));
    return this.#pulling;
  }

  async #pullOne(): Promise<void> {
    try {
      const result = await this.#source.next();
      if (result.done === true) this.#ended = true;
      else this.#queue.push(result.value);
    } catch (error) {
      // Kept for the consumer, who gets it in its place: after the elements before it.
      this.#failure = { error };
    }
  }

  #fillLater(): void {
    if (this.#cancelTurn !== undefined || !this.#hasRoom()) return;
    this.#cancelTurn = nextTurn(() => {
      this.#cancelTurn = undefined;
      if (this.#hasRoom()) void this.#pull().then(() => this.#fillLater());
    });
  }

  #hasRoom(): boolean {
    return !this.#ended && this.#failure === undefined && this.#queue.length < this.#bound;
  }
}

/** Runs `task` in a later turn of the event loop; returns what cancels it. */
function nextTurn(task: () => void): () => void {
  if (typeof setImmediate === 'function') {
    const turn = setImmediate(task);
    return () => clearImmediate(turn);
  }
  const turn = setTimeout(task, 0);
  return () => clearTimeout(turn);
}

/** `up` with at most `bound` elements made ahead of the consumer. */
export function prefetchNode<T>(up: Node<T>, bound: number): Node<T> {
  return streamNode(up.count, async function* (options) {
    // Elements in the queue must stay whole, besides those that the consumer may still use.
    const source = up.open({ ...options, lease: options.lease + bound });
    const ahead = new Prefetcher(source, bound);
    try {
      for (;;) {
        const result = await ahead.next();
        if (result.done === true) return;
        yield result.value;
      }
    } finally {
      await ahead.close();
    }
  });
}
