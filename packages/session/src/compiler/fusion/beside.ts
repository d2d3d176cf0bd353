/**
 * Reductions lie beside the products that read the same values, in one dispatch with workgroups of their own: the gradient of
 * a bias beside that of the weights. Both results are wanted at the same time, and what both read is in the cache.
 */
import {
  interleaveShaders,
  isWidenable,
  packShaders,
  shader,
  workgroupWidth,
  type AdapterFacts,
  type ShaderSpec,
  type Work,
} from '@forerun/kernels-webgpu';
import { workOf } from '../fuse.js';
import type { IrValue } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { MOST_PACKED_BYTES } from './costs.js';
import { deviceBytes, JoinedValues, partLabel } from './join.js';
import { layersOf, variableKeys } from './layers.js';
import { intersects } from './packs.js';
import { nodesOf, type UnitGraph } from './unitGraph.js';

/** Joins reductions to products of their layer. Returns how many joined one. */
export function fuseBeside(graph: UnitGraph, adapter: AdapterFacts): number {
  // Of the graph as it is before anything is joined, and only where there is something to join: many graphs have nothing.
  let layers: ReadonlyMap<number, number> | undefined;
  const layerOf = (id: number): number | undefined => (layers ??= layersOf(graph)).get(id);
  return graph.ids.filter((id) => joinProduct(graph, id, layerOf, adapter)).length;
}

function joinProduct(
  graph: UnitGraph,
  id: number,
  layerOf: (id: number) => number | undefined,
  adapter: AdapterFacts,
): boolean {
  const unit = graph.find(id);
  if (unit === null || !isReduction(unit)) return false;
  const roots = new Set(unit.inputs.map(aliasRoot));
  for (const root of roots) {
    for (const other of graph.usersOf(root)) {
      const product = other === id ? null : graph.find(other);
      if (product === null || !isProduct(product)) continue;
      const layer = layerOf(id);
      if (layer === undefined || layerOf(other) !== layer) continue;
      const joined = beside(unit, product, adapter);
      if (joined === null) continue;
      const members = new Set([id, other]);
      graph.merge(members, {
        ...joined,
        unit: { ...joined.unit, nodes: nodesOf(graph, members), kind: 'single' },
      });
      return true;
    }
  }
  return false;
}

function does(unit: OpenUnit, work: Work): boolean {
  return unit.kind === 'device' && unit.unit.nodes.some((node) => workOf(node) === work);
}

function isReduction(unit: OpenUnit): boolean {
  const [first] = unit.lowered.dispatches;
  return first !== undefined && does(unit, 'reduction') && !does(unit, 'contraction');
}

/** Small products are packed with others. */
function isProduct(unit: OpenUnit): boolean {
  if (!does(unit, 'contraction') || does(unit, 'reduction')) return false;
  return bytesOfAll([...unit.inputs, ...unit.outputs]) > MOST_PACKED_BYTES;
}

function bytesOfAll(values: readonly IrValue[]): number {
  return values.reduce((sum, value) => sum + deviceBytes(value), 0);
}

/** Both as one unit, dispatch by dispatch; `null` where that cannot be. */
function beside(unit: OpenUnit, product: OpenUnit, adapter: AdapterFacts): OpenUnit | null {
  if (intersects(variableKeys(product, true), variableKeys(unit, false))) return null;
  if (intersects(variableKeys(unit, true), variableKeys(product, false))) return null;
  const joined = new JoinedValues({ inputs: [], outputs: [] });
  const scratch = product.lowered.scratch ?? [];
  const own = product.lowered.dispatches.map(({ spec }) => rebound(spec, product, joined, 0));
  const others = unit.lowered.dispatches.map(({ spec }) => rebound(spec, unit, joined, scratch.length));
  const specs: ShaderSpec[] = [];
  for (let k = 0; k < Math.max(own.length, others.length); k++) {
    const pack = packed(own[k], others[k], adapter);
    if (pack === null || pack.bindings.length > adapter.maxBindings) return null;
    specs.push(pack);
  }
  return {
    ...product,
    lowered: {
      dispatches: specs.map((spec) => shader(spec, adapter)),
      scratch: [...scratch, ...(unit.lowered.scratch ?? [])],
    },
    inputs: joined.inputs,
    outputs: joined.outputs,
    storesOnce: false,
    loads: () => Infinity,
    inPlace: new Set([...unit.inPlace, ...product.inPlace]),
  };
}

/** A shader with its bindings among those of both units. */
function rebound(spec: ShaderSpec, unit: OpenUnit, joined: JoinedValues, scratch: number): ShaderSpec {
  const bindings = spec.bindings.map((binding) => {
    const { source } = binding;
    if (source.kind !== 'scratch') return joined.moved(binding, unit);
    return { ...binding, source: { ...source, index: source.index + scratch } };
  });
  return { ...spec, bindings };
}

/** The shaders of a product and of what lies beside it as one; the one that there is; `null` where they do not fit. */
function packed(
  own: ShaderSpec | undefined,
  other: ShaderSpec | undefined,
  { software }: AdapterFacts,
): ShaderSpec | null {
  if (own === undefined || other === undefined) return own ?? other ?? null;
  const [wide, narrow] = [workgroupWidth(own), workgroupWidth(other)];
  if (narrow === null || wide === null || narrow > wide) return null;
  if (narrow < wide && !isWidenable(other)) return null;
  const label = `${partLabel(own.label)}, ${partLabel(other.label)}`;
  // Software adapters deal the workgroups of a dispatch out to their threads in equal runs, whatever each takes.
  if (software && groupsOf(own) + groupsOf(other) <= MOST_INTERLEAVED)
    return interleaveShaders(other, own, label);
  // The reduction's few invocations have long loops, and begin first.
  return packShaders([other, own], label);
}

/** Products of two numbers of workgroups are numbers of 32 bits. */
const MOST_INTERLEAVED = 65_535;

function groupsOf({ workgroups: [x, y, z] }: ShaderSpec): number {
  return x * y * z;
}
