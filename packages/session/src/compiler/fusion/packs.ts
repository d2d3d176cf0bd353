/**
 * Small dispatches that have nothing to do with each other become one: updates of biases and scales, powers of decay
 * rates, chains of scalars. Units are layered by the longest way to an end of the step, on which units of one layer cannot lie
 * together, so that any of them may be packed. Updates, after which nothing comes, meet in the last layers.
 */
import { packShaders, shader, storageType, workgroupWidth, type AdapterFacts } from '@forerun/kernels-webgpu';
import type { OpenUnit } from '../lower.js';
import { MOST_PACKED_BYTES, MOST_PARTS } from './costs.js';
import { deviceBytes, JoinedValues, partLabel } from './join.js';
import { nodesOf, variableKey, type UnitGraph } from './unitGraph.js';

/** Longer texts take drivers long to compile where many of them meet. */
const LONGEST_TEXT = 4000;
/** So many packs are tried for a unit, the newest first. */
const MOST_TRIED = 8;
/** Where more pairs of a writer and a user of one variable have to be ordered, they are not packed. */
const MOST_PAIRS = 256;
/** A search for whether one unit comes after another that takes more steps is given up. */
const MOST_STEPS = 500;

/** Packs what is small. Returns how many units joined others. */
export function packUnits(graph: UnitGraph, adapter: AdapterFacts): number {
  const layers = layersOf(graph);
  const open = new Map<string, Pack[]>();
  let joined = 0;
  for (const id of graph.ids) {
    const [unit, layer] = [graph.find(id), layers.get(id)];
    const width = unit === null ? null : packableWidth(unit);
    if (unit === null || layer === undefined || width === null) continue;
    const key = `${layer}/${width}`;
    const packs = open.get(key) ?? [];
    open.set(key, packs);
    if (packs.slice(-MOST_TRIED).some((pack) => pack.take(id, unit, adapter))) joined++;
    else packs.push(new Pack(id, unit));
  }
  for (const pack of [...open.values()].flat()) pack.close(graph, adapter);
  return joined;
}

/** Invocations per workgroup of a unit that may be packed. */
function packableWidth({ kind, lowered, inputs, outputs }: OpenUnit): number | null {
  const [dispatch] = lowered.dispatches;
  if (kind !== 'device' || dispatch === undefined || lowered.dispatches.length > 1) return null;
  if ((lowered.scratch ?? []).length > 0) return null;
  const { spec } = dispatch;
  if (spec.body.length + (spec.declarations ?? '').length > LONGEST_TEXT) return null;
  const bytes = [...inputs, ...outputs].reduce((sum, value) => sum + deviceBytes(value), 0);
  return bytes > MOST_PACKED_BYTES ? null : workgroupWidth(spec);
}

/** Units that will share a dispatch. */
class Pack {
  readonly #members = new Map<number, OpenUnit>();
  /** Variables that members bind, and those that they write. */
  readonly #used = new Set<string>();
  readonly #written = new Set<string>();
  readonly #bindings = new Set<string>();

  constructor(id: number, unit: OpenUnit) {
    this.add(id, unit);
  }

  /** Takes a unit if the adapter binds as much, and no variable is written that others of the pack use. */
  take(id: number, unit: OpenUnit, { maxBindings }: AdapterFacts): boolean {
    if (this.#members.size >= MOST_PARTS) return false;
    if (intersects(variableKeys(unit, true), this.#used)) return false;
    if (intersects(variableKeys(unit, false), this.#written)) return false;
    const added = bindingsOf(id, unit).filter((binding) => !this.#bindings.has(binding));
    if (this.#bindings.size + added.length > maxBindings) return false;
    this.add(id, unit);
    return true;
  }

  private add(id: number, unit: OpenUnit): void {
    this.#members.set(id, unit);
    for (const key of variableKeys(unit, false)) this.#used.add(key);
    for (const key of variableKeys(unit, true)) this.#written.add(key);
    for (const binding of bindingsOf(id, unit)) this.#bindings.add(binding);
  }

  close(graph: UnitGraph, adapter: AdapterFacts): void {
    if (this.#members.size < 2) return;
    const units = [...this.#members.values()];
    const joined = new JoinedValues({ inputs: [], outputs: [] });
    const parts = units.flatMap((unit) =>
      unit.lowered.dispatches.map(({ spec }) => ({
        ...spec,
        bindings: spec.bindings.map((binding) => joined.moved(binding, unit)),
      })),
    );
    const label = `pack(${partLabel(parts.map((part) => part.label).join(', '))})`;
    const ids = new Set(this.#members.keys());
    const last = units.at(-1);
    if (last === undefined) return;
    graph.merge(ids, {
      ...last,
      unit: { ...last.unit, nodes: nodesOf(graph, ids), kind: 'single' },
      lowered: { dispatches: [shader(packShaders(parts, label), adapter)] },
      inputs: joined.inputs,
      outputs: joined.outputs,
      program: null,
      rows: null,
      storesOnce: false,
      loads: () => Infinity,
      inPlace: new Set(units.flatMap(({ inPlace }) => [...inPlace])),
    });
  }
}

/** Names of a unit's bindings: a value that several units only read, as the same type, is bound once for a pack. */
function bindingsOf(id: number, { inputs, lowered }: OpenUnit): string[] {
  const all = lowered.dispatches.flatMap(({ spec }) => spec.bindings);
  const names = new Set<string>();
  all.forEach(({ source, dtype, access = 'read', width = 1 }, i) => {
    const value = source.kind === 'input' && access === 'read' ? inputs[source.index] : undefined;
    const shared =
      value === undefined ? '' : `${value.node.id}:${value.index}/${storageType(dtype)}/${width}`;
    // What a unit itself binds twice stays so.
    names.add(shared === '' || names.has(shared) ? `${id} ${i}` : shared);
  });
  return [...names];
}

/** Keys of variables that a unit binds, all or those it writes. */
function variableKeys(unit: OpenUnit, writing: boolean): Set<string> {
  const keys = unit.lowered.dispatches.flatMap(({ spec }) =>
    spec.bindings.flatMap(({ source, access = 'read' }) => {
      if (source.kind !== 'input' || (writing && access === 'read')) return [];
      const value = unit.inputs[source.index];
      return value === undefined ? [] : (variableKey(value) ?? []);
    }),
  );
  return new Set(keys);
}

function intersects(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const key of some) if (others.has(key)) return true;
  return false;
}

/**
 * For every unit the most steps to one after which nothing comes; a variable is written after its old value has been used.
 * Units for which that is circular or hard to say, and those before them, have no layer.
 */
function layersOf(graph: UnitGraph): Map<number, number> {
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
