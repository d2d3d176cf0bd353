/** A binary min-heap, for the scheduler's ready list. */
export class Heap<T> {
  readonly #items: { readonly item: T; readonly key: number }[] = [];

  constructor(private readonly keyOf: (item: T) => number) {}

  push(item: T): void {
    const entry = { item, key: this.keyOf(item) };
    let i = this.#items.length;
    this.#items.push(entry);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.#items[parent];
      if (above === undefined || above.key <= entry.key) break;
      this.#items[i] = above;
      i = parent;
    }
    this.#items[i] = entry;
  }

  /** The item with the smallest key, or `undefined` when the heap is empty. */
  pop(): T | undefined {
    const top = this.#items[0];
    const last = this.#items.pop();
    if (top === undefined || last === undefined) return undefined;
    if (this.#items.length > 0) this.sink(last);
    return top.item;
  }

  private sink(entry: { readonly item: T; readonly key: number }): void {
    let i = 0;
    for (;;) {
      const left = this.#items[2 * i + 1];
      const right = this.#items[2 * i + 2];
      const child = right !== undefined && left !== undefined && right.key < left.key ? right : left;
      if (child === undefined || child.key >= entry.key) break;
      this.#items[i] = child;
      i = child === left ? 2 * i + 1 : 2 * i + 2;
    }
    this.#items[i] = entry;
  }
}
