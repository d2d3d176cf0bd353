/**
 * Dispatches whose results nobody reads, such as the reserved outputs of batch normalization. Kernels write all outputs
 * of their op; who needs which is only known here.
 */
import { aliasRoot } from '../storage.js';
import type { IrValue, Program } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import type { UnitGraph } from './unitGraph.js';

/** Drops the dispatches that do nothing but write what no kernel, host step or fetch reads. Returns how many. */
export function dropUnread(graph: UnitGraph, program: Program): number {
  const read = readValues(graph, program);
  let dropped = 0;
  for (const id of graph.ids) {
    const unit = graph.find(id);
    if (unit?.kind !== 'device') continue;
    const dispatches = unit.lowered.dispatches.filter(({ spec }) => !isUnread(unit, spec.bindings, read));
    dropped += unit.lowered.dispatches.length - dispatches.length;
    if (dispatches.length === unit.lowered.dispatches.length) continue;
    const kind = dispatches.length === 0 ? 'none' : 'device';
    graph.replace(id, { ...unit, kind, lowered: { ...unit.lowered, dispatches } });
  }
  return dropped;
}

type Bindings = OpenUnit['lowered']['dispatches'][number]['spec']['bindings'];

/** Everything that is fetched, loaded by a kernel or given to a host step. */
function readValues(graph: UnitGraph, program: Program): Set<IrValue> {
  const read = new Set(program.fetches.map(aliasRoot));
  for (const { kind, unit, lowered, inputs, outputs } of graph.units) {
    if (kind === 'host') for (const input of unit.root.inputs) read.add(aliasRoot(input));
    for (const { source, access } of lowered.dispatches.flatMap(({ spec }) => spec.bindings)) {
      if (source.kind === 'input') addRoot(read, inputs[source.index]);
      // Later dispatches of a unit may load what earlier ones have stored.
      if (source.kind === 'output' && access === 'read') addRoot(read, outputs[source.index]);
    }
  }
  return read;
}

function addRoot(read: Set<IrValue>, value: IrValue | undefined): void {
  if (value !== undefined) read.add(aliasRoot(value));
}

function isUnread(unit: OpenUnit, bindings: Bindings, read: ReadonlySet<IrValue>): boolean {
  return bindings.every(({ source, access }) => {
    if (access === 'read' || source.kind === 'data' || source.kind === 'random') return true;
    if (source.kind === 'input') return access === undefined;
    const output = source.kind === 'output' ? unit.outputs[source.index] : undefined;
    return output !== undefined && !read.has(output);
  });
}
