/**
 * Small dispatches that have nothing to do with each other become one: updates of biases and scales, powers of decay
 * rates, chains of scalars. Units of one layer (layers.ts) may be packed. Updates, after which nothing comes, meet in the last layers.
 */
import { packShaders, shader, storageType, workgroupWidth, type AdapterFacts } from '@forerun/kernels-webgpu';
import type { OpenUnit } from '../lower.js';
import { MOST_PACKED_BYTES, MOST_PARTS } from './costs.js';
import { deviceBytes, JoinedValues, partLabel } from './join.js';
import { layersOf, variableKeys } from './layers.js';
import { nodesOf, type UnitGraph } from './unitGraph.js';

/** Longer texts take drivers long to compile where many of them meet. */
const LONGEST_TEXT = 4000;
/** So many packs are tried for a unit, the newest first. */
const MOST_TRIED = 8;

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
  const [, y, z] = spec.workgroups;
  return bytes > MOST_PACKED_BYTES || y * z > 1 ? null : workgroupWidth(spec);
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

/** Whether two sets have a member in common. */
export function intersects(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const key of some) if (others.has(key)) return true;
  return false;
}
