/**
 * What concatenations put side by side is stored there by the kernel that computes it, and the same dispatch copies the
 * other parts: the gradient of gates that a recurrent cell has split, the input beside the state.
 */
import {
  appendCopies,
  wholeWidth,
  windowEffect,
  type AdapterFacts,
  type BoundCopy,
  type Whole,
  type Width,
} from '@forerun/kernels-webgpu';
import { kernelOf } from '../fuse.js';
import type { HostValues } from '../hostValues.js';
import { elements, inputOf, outputOf, type IrNode, type IrValue } from '../ir.js';
import { contextOf } from '../kernelContext.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { withEpilogue } from './epilogues.js';
import { dispatchesOf, fitsBindings, partLabel } from './join.js';
import { nodesOf, variableKey, type UnitGraph } from './unitGraph.js';

/** Joins concatenations to what computes their parts. Returns how many it joined. */
export function fuseJoins(graph: UnitGraph, host: HostValues, adapter: AdapterFacts): number {
  return graph.ids.filter((id) => joinToProducer(graph, id, host, adapter)).length;
}

/**
 * Whether a unit does nothing but put values side by side, or in another order in which runs of elements stay together. That is
 * better done where they are computed.
 */
export function isJoining(open: OpenUnit, host: HostValues, adapter: AdapterFacts): boolean {
  const { kind, unit, lowered } = open;
  if (kind !== 'device' || unit.nodes.length > 1 || lowered.dispatches.length !== 1) return false;
  const kernel = kernelOf(unit.root);
  if (kernel.kind !== 'device') return false;
  if (kernel.moves === undefined) return kernel.copies !== undefined;
  return wholeWidth(copiesOf(unit.root, host, adapter), elements(outputOf(unit.root))) === 4;
}

function copiesOf(root: IrNode, host: HostValues, adapter: AdapterFacts): readonly BoundCopy[] {
  const kernel = kernelOf(root);
  if (kernel.kind !== 'device') return [];
  const context = contextOf(root, host, adapter);
  return kernel.copies?.(context) ?? (kernel.moves === undefined ? [] : [kernel.moves(context)]);
}

interface Part {
  readonly copy: BoundCopy;
  readonly value: IrValue;
}

function joinToProducer(graph: UnitGraph, id: number, host: HostValues, adapter: AdapterFacts): boolean {
  const unit = graph.find(id);
  if (unit === null || !isJoining(unit, host, adapter) || !fitsBindings(unit, adapter)) return false;
  const parts = partsOf(unit, host, adapter);
  const producers = new Set(parts.map(({ value }) => graph.producerOf(value)));
  // The parts of most elements decide.
  const sizes = [...producers].map((producer) => {
    const own = parts.filter(({ value }) => graph.producerOf(value) === producer);
    return { producer, own, size: own.reduce((sum, { value }) => sum + elements(value), 0) };
  });
  for (const { producer, own } of sizes.sort((a, b) => b.size - a.size)) {
    if (producer === null || producer === id) continue;
    const others = parts.filter((part) => !own.includes(part));
    if (joinTo(graph, { id, producer, own, others }, adapter)) return true;
  }
  return false;
}

/** The parts of a concatenation that have elements. */
function partsOf({ unit: { root } }: OpenUnit, host: HostValues, adapter: AdapterFacts): Part[] {
  return copiesOf(root, host, adapter).flatMap((copy) => {
    const value = inputOf(root, copy.input);
    return elements(value) === 0 ? [] : [{ copy, value }];
  });
}

interface Place {
  readonly id: number;
  readonly producer: number;
  /** What the producer computes, and what is copied. */
  readonly own: readonly Part[];
  readonly others: readonly Part[];
}

function joinTo(graph: UnitGraph, { id, producer, own, others }: Place, adapter: AdapterFacts): boolean {
  const [unit, before] = [graph.find(id), graph.find(producer)];
  if (unit === null || before === null || !isSuitable(before, adapter)) return false;
  const roots = own.map(({ value }) => aliasRoot(value));
  if (new Set(roots).size < roots.length || others.some(({ value }) => variableKey(value) !== null))
    return false;
  const views = own.flatMap(({ value }) => graph.viewsOf(value));
  const members = new Set([producer, ...views, id]);
  if (!graph.isConvex(members, id)) return false;
  const output = outputOf(unit.unit.root);
  const width = widthOf(before, roots, [...own, ...others], elements(output));
  const whole: Whole = { source: { kind: 'output', index: 0 }, dtype: output.dtype, width };
  let merged: OpenUnit | null = before;
  for (const [k, { copy }] of own.entries()) {
    const root = roots[k];
    if (root === undefined || merged === null) return false;
    const keep = graph.isUsedBeside(root, members);
    const effect = windowEffect(copy, whole);
    const key = `part ${JSON.stringify([copy.shape, copy.from, copy.to, width])}`;
    const alike = { kernels: graph.kernels, key, bound: { inputs: [], outputs: [output] } };
    merged = withEpilogue(
      merged,
      { ...unit, inputs: [] },
      { root, keep, adapter, effect, light: 'move', alike },
    );
  }
  merged = merged === null ? null : withCopies(merged, output, others, { whole, adapter });
  if (merged === null) return false;
  graph.merge(members, {
    ...merged,
    unit: { ...unit.unit, nodes: nodesOf(graph, members), kind: 'single' },
    storesOnce: false,
    loads: () => Infinity,
  });
  return true;
}

/** One dispatch whose results are not being revisited: there they would lie in the place of others. */
function isSuitable(before: OpenUnit, adapter: AdapterFacts): boolean {
  const [first, ...rest] = before.lowered.dispatches;
  return (
    first !== undefined &&
    rest.length === 0 &&
    first.spec.revisit?.active !== true &&
    fitsBindings(before, adapter)
  );
}

function widthOf(before: OpenUnit, roots: readonly IrValue[], parts: readonly Part[], size: number): Width {
  const bindings = before.lowered.dispatches.flatMap(({ spec }) => spec.bindings);
  const stored = bindings.filter(({ source }) => {
    const value = source.kind === 'output' ? before.outputs[source.index] : undefined;
    return value !== undefined && roots.includes(value);
  });
  if (stored.some((binding) => (binding.width ?? 1) !== 4)) return 1;
  return wholeWidth(
    parts.map(({ copy }) => copy),
    size,
  );
}

/** The unit with copies of parts that it does not compute. */
function withCopies(
  unit: OpenUnit,
  output: IrValue,
  parts: readonly Part[],
  { whole, adapter }: { readonly whole: Whole; readonly adapter: AdapterFacts },
): OpenUnit | null {
  if (parts.length === 0) return unit;
  const inputs = [...unit.inputs];
  const copied = parts.map(({ copy, value }) => {
    const known = inputs.findIndex((input) => aliasRoot(input) === aliasRoot(value));
    const index = known >= 0 ? known : inputs.push(value) - 1;
    return { copy, source: { kind: 'input', index } as const };
  });
  const source = { kind: 'output', index: unit.outputs.indexOf(output) } as const;
  const specs = unit.lowered.dispatches.map(({ spec }) => {
    const result = appendCopies(spec, copied, { ...whole, source });
    return result === null ? null : { ...result, label: partLabel(result.label) };
  });
  const dispatches = dispatchesOf(specs, adapter);
  return dispatches === null ? null : { ...unit, inputs, lowered: { ...unit.lowered, dispatches } };
}
