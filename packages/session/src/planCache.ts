/** Compiled plans by request, the least recently used going first. */
import type { TensorValue } from '@forerun/graph';
import type { Plan } from './plan.js';

/** What is kept per request: which feeds' elements matter, and a plan for each combination of them. */
/** A plan, and the positions of the feeds whose elements it depends on. */
export interface KeptPlan {
  readonly plan: Plan;
  readonly valueFeeds: readonly number[];
}

interface Entry {
  readonly valueFeeds: readonly number[];
  readonly plans: Map<string, Plan>;
}

export class PlanCache {
  readonly #entries = new Map<string, Entry>();
  #size = 0;

  constructor(private readonly capacity: number) {}

  /** The plan for a request and fed values, or `undefined`. */
  get(key: string, fed: readonly TensorValue[]): KeptPlan | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const valueKey = valuesKey(entry.valueFeeds, fed);
    const plan = entry.plans.get(valueKey);
    if (plan === undefined) return undefined;
    if (entry.plans.size > 1) {
      entry.plans.delete(valueKey);
      entry.plans.set(valueKey, plan);
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return { plan, valueFeeds: entry.valueFeeds };
  }

  /** Keeps a plan; evicts the least recently used above the capacity. */
  set(key: string, fed: readonly TensorValue[], valueFeeds: readonly number[], plan: Plan): void {
    const entry = this.entryFor(key, valueFeeds);
    entry.plans.set(valuesKey(entry.valueFeeds, fed), plan);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    this.#size++;
    while (this.#size > this.capacity) this.evict();
  }

  /** The entry of a request. One whose plans are told apart by fewer feeds starts anew. */
  private entryFor(key: string, valueFeeds: readonly number[]): Entry {
    const known = this.#entries.get(key);
    const before = known?.valueFeeds ?? [];
    const union = [...new Set([...before, ...valueFeeds])];
    if (known !== undefined && union.length === before.length) return known;
    for (const plan of known?.plans.values() ?? []) plan.dispose();
    this.#size -= known?.plans.size ?? 0;
    return { valueFeeds: union, plans: new Map<string, Plan>() };
  }

  private evict(): void {
    const [first] = this.#entries;
    if (first === undefined) return;
    const [key, { plans }] = first;
    const [oldest] = plans;
    if (oldest !== undefined) {
      oldest[1].dispose();
      plans.delete(oldest[0]);
      this.#size--;
    }
    if (plans.size === 0) this.#entries.delete(key);
  }

  get size(): number {
    return this.#size;
  }

  clear(): void {
    for (const { plans } of this.#entries.values()) for (const plan of plans.values()) plan.dispose();
    this.#entries.clear();
    this.#size = 0;
  }
}

function valuesKey(positions: readonly number[], fed: readonly TensorValue[]): string {
  return positions.map((position) => fed[position]?.data.toString() ?? '').join('|');
}
