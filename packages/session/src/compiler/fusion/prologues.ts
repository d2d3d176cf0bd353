/**
 * Elementwise units join the one unit that reads them: their elements are computed where they are loaded, and
 * never reach memory. A kernel that loads elements several times computes them as often; whether that is worth
 * it is decided by the bytes that move.
 */
import { fuseLoads, type AdapterFacts, type Lowered } from '@forerun/kernels-webgpu';
import { elements, type IrValue } from '../ir.js';
import { identityOf } from '../keys.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { DISPATCH_BYTES, STEP_BYTES } from './costs.js';
import {
  bytesRead,
  deviceBytes,
  dispatchesOf,
  fitsBindings,
  JoinedValues,
  partLabel,
  type JoinedKernels,
} from './join.js';
import { nodesOf, type UnitGraph } from './unitGraph.js';

/** Whether a unit may take prologues. */
export type AcceptsReader = (reader: OpenUnit) => boolean;

/** Joins elementwise units to their only reader, where that is accepted. Returns how many it joined. */
export function fusePrologues(graph: UnitGraph, adapter: AdapterFacts, accepts: AcceptsReader): number {
  let joined = 0;
  // Readers first, so that a chain of producers joins one after the other.
  for (const id of graph.ids.reverse()) while (joinInput(graph, id, adapter, accepts)) joined++;
  return joined;
}

function joinInput(graph: UnitGraph, id: number, adapter: AdapterFacts, accepts: AcceptsReader): boolean {
  const unit = graph.find(id);
  if (unit?.kind !== 'device' || !takesPrologues(unit) || !accepts(unit)) return false;
  return unit.inputs.some((input, position) => {
    if (!Number.isFinite(unit.loads(position))) return false;
    const producer = graph.producerOf(input);
    return producer !== null && producer !== id && joinTo(graph, { id, producer, input }, adapter);
  });
}

/** Elementwise units become one with their producers otherwise, unless they read parts of what those compute. */
function takesPrologues({ program, unit }: OpenUnit): boolean {
  return program === null || (unit.kind === 'single' && unit.nodes.length === 1);
}

interface Place {
  readonly id: number;
  readonly producer: number;
  readonly input: IrValue;
}

function joinTo(graph: UnitGraph, { id, producer, input }: Place, adapter: AdapterFacts): boolean {
  const [unit, before] = [graph.find(id), graph.find(producer)];
  if (unit === null || before?.lowered.dispatches.length !== 1 || before.program === null) return false;
  if (before.outputs.length !== 1) return false;
  const root = aliasRoot(input);
  const positions = unit.inputs.flatMap((value, k) => (aliasRoot(value) === root ? [k] : []));
  const members = new Set([producer, ...positions.flatMap((k) => graph.viewsOf(unit.inputs[k] ?? root)), id]);
  if (graph.isUsedBeside(root, members) || !graph.isConvex(members, id)) return false;
  if (!fitsBindings(unit, adapter) || !fitsBindings(before, adapter)) return false;
  const loads = positions.reduce((sum, k) => sum + unit.loads(k), 0);
  if (!isWorthwhile(before, root, loads)) return false;
  const merged = withPrologue(before, unit, { positions, adapter, kernels: graph.kernels });
  if (merged === null) return false;
  graph.merge(members, { ...merged, unit: { ...unit.unit, nodes: nodesOf(graph, members) } });
  return true;
}

/** Whether computing an element at each of `loads` loads moves fewer bytes than storing it once. */
function isWorthwhile({ program, inputs }: OpenUnit, root: IrValue, loads: number): boolean {
  const read = inputs.reduce((sum, input, k) => sum + bytesRead(input, program?.inputs[k]), 0);
  const steps = (program?.steps.length ?? 0) * STEP_BYTES * elements(root);
  const apart = read + steps + (1 + loads) * deviceBytes(root) + DISPATCH_BYTES;
  return loads * (read + steps) <= apart;
}

interface Prologue {
  /** Inputs of the reader that are computed where they are loaded. */
  readonly positions: readonly number[];
  readonly adapter: AdapterFacts;
  readonly kernels: JoinedKernels;
}

function withPrologue(
  before: OpenUnit,
  unit: OpenUnit,
  { positions, adapter, kernels }: Prologue,
): OpenUnit | null {
  const { program } = before;
  if (program === null) return null;
  const joined = new JoinedValues(unit);
  const join = (): Lowered | null => {
    const specs = unit.lowered.dispatches.map(({ spec }) =>
      positions.reduce<typeof spec | null>((result, index) => {
        if (result === null) return null;
        return fuseLoads(result, {
          target: { kind: 'input', index },
          program: { ...program, label: partLabel(program.label) },
          moved: (binding) => joined.moved(binding, before),
        });
      }, spec),
    );
    if (specs.every((spec, k) => spec === unit.lowered.dispatches[k]?.spec)) return null;
    const dispatches = dispatchesOf(specs, adapter);
    return dispatches === null ? null : { ...unit.lowered, dispatches };
  };
  const places = joined.place({ inputs: before.inputs, outputs: [] });
  const key = `${identityOf(program)} at ${positions.join()} bound to ${places}`;
  const lowered = kernels.get(unit.lowered, key, join);
  if (lowered === null) return null;
  const loads = positions.reduce((sum, k) => sum + unit.loads(k), 0);
  return {
    ...unit,
    lowered,
    inputs: joined.inputs,
    loads: (k) => (k < unit.inputs.length ? unit.loads(k) : loads),
    program: null,
    rows: null,
  };
}
