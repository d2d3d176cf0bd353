/**
 * Small dispatches that have nothing to do with each other become one: updates of biases and scales, powers of decay
 * rates, chains of scalars. Units are layered by the longest way to an end of the step, on which units of one layer cannot lie
 * together, so that any of them may be packed. Updates, after which nothing comes, meet in the last layers.
 */
import { packShaders, shader, workgroupWidth, type AdapterFacts } from '@forerun/kernels-webgpu';
import type { OpenUnit } from '../lower.js';
import { deviceBytes, JoinedValues, partLabel } from './join.js';
import { nodesOf, variableKey, type UnitGraph } from './unitGraph.js';

/** What moves more bytes is worth a dispatch of its own, and should not wait for others. */
const MOST_BYTES = 1 << 16;
/** Longer texts take drivers long to compile where many of them meet. */
const LONGEST_TEXT = 4000;
const MOST_PARTS = 16;

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
    if (packs.some((pack) => pack.take(id, unit, adapter))) joined++;
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
  return bytes > MOST_BYTES ? null : workgroupWidth(spec);
}

/** Units that will share a dispatch. */
class Pack {
  readonly #members: Map<number, OpenUnit>;

  constructor(id: number, unit: OpenUnit) {
    this.#members = new Map([[id, unit]]);
  }

  /** Takes a unit if the adapter binds as much, and no variable is written that others of the pack use. */
  take(id: number, unit: OpenUnit, { maxBindings }: AdapterFacts): boolean {
    if (this.#members.size >= MOST_PARTS) return false;
    const members = [...this.#members.values()];
    if (members.some((other) => conflict(other, unit) || conflict(unit, other))) return false;
    if (countBindings([...members, unit]) > maxBindings) return false;
    this.#members.set(id, unit);
    return true;
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

/** How many bindings a pack of units has: values that are only read are bound once. */
function countBindings(units: readonly OpenUnit[]): number {
  const read = new Set<string>();
  let others = 0;
  for (const { inputs, lowered } of units) {
    for (const { source, access = 'read', width = 1 } of lowered.dispatches.flatMap(
      ({ spec }) => spec.bindings,
    )) {
      const value = source.kind === 'input' && access === 'read' ? inputs[source.index] : undefined;
      if (value === undefined) others++;
      else read.add(`${value.node.id}:${value.index}/${width}`);
    }
  }
  return read.size + others;
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

function conflict(writer: OpenUnit, other: OpenUnit): boolean {
  const used = variableKeys(other, false);
  return [...variableKeys(writer, true)].some((key) => used.has(key));
}

/**
 * For every unit the most steps to one after which nothing comes; a variable is written after its old value has been used.
 * Units for which that is circular or hard to say, and those before them, have no layer.
 */
function layersOf(graph: UnitGraph): Map<number, number> {
  const before = new Map<number, Set<number>>();
  const waiting = new Map<number, number>();
  const add = (from: number, to: number): void => {
    const list = before.get(to) ?? new Set<number>();
    before.set(to, list);
    if (list.has(from)) return;
    list.add(from);
    waiting.set(from, (waiting.get(from) ?? 0) + 1);
  };
  for (const id of graph.ids) for (const next of graph.after(id)) add(id, next);
  for (const id of graph.ids) {
    const unit = graph.find(id);
    const keys = unit === null ? [] : [...variableKeys(unit, true)];
    if (keys.length === 0) continue;
    const after = graph.descendants(id);
    for (const user of keys.flatMap((key) => graph.usersOfVariable(key))) {
      if (user === id) continue;
      // What cannot be decided waits for itself.
      if (after === null) add(user, user);
      else if (!after.has(user)) add(user, id);
    }
  }
  const layers = new Map<number, number>();
  const ready = graph.ids.filter((id) => (waiting.get(id) ?? 0) === 0);
  for (const id of ready) {
    const layer = layers.get(id) ?? 0;
    layers.set(id, layer);
    for (const earlier of before.get(id) ?? []) {
      layers.set(earlier, Math.max(layers.get(earlier) ?? 0, layer + 1));
      const left = (waiting.get(earlier) ?? 0) - 1;
      waiting.set(earlier, left);
      if (left === 0) ready.push(earlier);
    }
  }
  return new Map(ready.map((id) => [id, layers.get(id) ?? 0]));
}
