/**
 * Layers of units by the longest way to an end of the step. Units of one layer do not depend on each other, not even by way
 * of a third unit, so that any of them may become one.
 */
import type { OpenUnit } from '../lower.js';
import { variableKey, type UnitGraph } from './unitGraph.js';

/** Where more pairs of a writer and a user of one variable have to be ordered, they have no layer. */
const MOST_PAIRS = 256;
/** A search for whether one unit comes after another that takes more steps is given up. */
const MOST_STEPS = 500;

/** Keys of variables that a unit binds, all or those it writes. */
export function variableKeys(unit: OpenUnit, writing: boolean): Set<string> {
  const keys = unit.lowered.dispatches.flatMap(({ spec }) =>
    spec.bindings.flatMap(({ source, access = 'read' }) => {
      if (source.kind !== 'input' || (writing && access === 'read')) return [];
      const value = unit.inputs[source.index];
      return value === undefined ? [] : (variableKey(value) ?? []);
    }),
  );
  return new Set(keys);
}

/**
 * For every unit the most steps to one after which nothing comes; a variable is written after its old value has been used.
 * Units for which that is circular or hard to say, and those before them, have no layer.
 */
export function layersOf(graph: UnitGraph): Map<number, number> {
  const order = new Order(graph);
  const writers = new Map<string, number[]>();
  for (const id of graph.ids) {
    const unit = graph.find(id);
    for (const key of unit === null ? [] : variableKeys(unit, true))
      writers.set(key, [...(writers.get(key) ?? []), id]);
  }
  for (const [key, ids] of writers) {
    const users = graph.usersOfVariable(key);
    // What cannot be decided waits for itself.
    if (users.length * ids.length > MOST_PAIRS) for (const one of [...users, ...ids]) order.add(one, one);
    else for (const id of ids) orderUsers(order, id, users);
  }
  return order.layers();
}

/** Users of a variable come before the unit `id`, which writes it, unless edges lead from it to them. */
function orderUsers(order: Order, id: number, users: readonly number[]): void {
  for (const user of users) {
    if (user === id) continue;
    const after = order.isAfter(user, id);
    if (after === null) order.add(user, user);
    else if (!after) order.add(user, id);
  }
}

/** Which units come before which. */
class Order {
  readonly #ids: readonly number[];
  readonly #after: ReadonlyMap<number, readonly number[]>;
  readonly #before = new Map<number, Set<number>>();
  readonly #waiting = new Map<number, number>();
  /** The most steps to a unit from one before which nothing comes, by data and control edges. */
  readonly #levels = new Map<number, number>();

  constructor(graph: UnitGraph) {
    this.#ids = graph.ids;
    this.#after = new Map(this.#ids.map((id) => [id, graph.after(id)]));
    for (const [id, next] of this.#after) for (const one of next) this.add(id, one);
    this.findLevels();
  }

  private findLevels(): void {
    const left = new Map(this.#ids.map((id) => [id, this.#before.get(id)?.size ?? 0]));
    const ready = this.#ids.filter((id) => left.get(id) === 0);
    // Grows while it is read.
    for (const id of ready) {
      const level = this.#levels.get(id) ?? 0;
      this.#levels.set(id, level);
      for (const next of this.#after.get(id) ?? []) {
        this.#levels.set(next, Math.max(this.#levels.get(next) ?? 0, level + 1));
        const rest = (left.get(next) ?? 0) - 1;
        left.set(next, rest);
        if (rest === 0) ready.push(next);
      }
    }
  }

  add(from: number, to: number): void {
    const list = this.#before.get(to) ?? new Set<number>();
    this.#before.set(to, list);
    if (list.has(from)) return;
    list.add(from);
    this.#waiting.set(from, (this.#waiting.get(from) ?? 0) + 1);
  }

  /** Whether edges lead from `first` to `last`; `null` where that takes too long to find out. */
  isAfter(last: number, first: number): boolean | null {
    const end = this.#levels.get(last) ?? 0;
    const seen = new Set<number>();
    const stack = [first];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (id === last) return true;
      // On the way to `last` levels grow.
      if (seen.has(id) || (this.#levels.get(id) ?? 0) >= end) continue;
      if (seen.size >= MOST_STEPS) return null;
      seen.add(id);
      stack.push(...(this.#after.get(id) ?? []));
    }
    return false;
  }

  layers(): Map<number, number> {
    const layers = new Map<number, number>();
    const ready = this.#ids.filter((id) => (this.#waiting.get(id) ?? 0) === 0);
    for (const id of ready) {
      const layer = layers.get(id) ?? 0;
      layers.set(id, layer);
      for (const earlier of this.#before.get(id) ?? []) {
        layers.set(earlier, Math.max(layers.get(earlier) ?? 0, layer + 1));
        const left = (this.#waiting.get(earlier) ?? 0) - 1;
        this.#waiting.set(earlier, left);
        if (left === 0) ready.push(earlier);
      }
    }
    return new Map(ready.map((id) => [id, layers.get(id) ?? 0]));
  }
}
