/**
 * Updates of variables join the unit that computes the gradient, or the value that is assigned: it never
 * reaches memory. A unit stores every element once, and so the update happens once.
 */
import {
  isFused,
  updateEffect,
  type AdapterFacts,
  type ElementUpdate,
  type ShaderSpec,
} from '@forerun/kernels-webgpu';
import { isElementwise, isView, kernelOf } from '../fuse.js';
import type { HostValues } from '../hostValues.js';
import { elements, inputOf, type IrNode, type IrValue } from '../ir.js';
import { contextOf } from '../kernelContext.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { withEpilogue } from './epilogues.js';
import { fitsBindings } from './join.js';
import { nodesOf, variableKey, type UnitGraph } from './unitGraph.js';

/** Joins every update to the unit that computes what it consumes. Returns how many it joined. */
export function fuseUpdates(graph: UnitGraph, host: HostValues, adapter: AdapterFacts): number {
  return graph.ids.filter((id) => joinProducer(graph, id, host, adapter)).length;
}

function joinProducer(graph: UnitGraph, id: number, host: HostValues, adapter: AdapterFacts): boolean {
  const unit = graph.find(id);
  const update = unit === null ? null : updateOf(unit, host, adapter);
  if (unit === null || update === null) return false;
  const consumed = inputOf(unit.unit.root, update.input);
  const producer = graph.producerOf(consumed);
  const before = producer === null ? null : graph.find(producer);
  if (producer === null || before?.storesOnce !== true || elements(consumed) === 0) return false;
  if (!fitsBindings(unit, adapter) || !fitsBindings(before, adapter)) return false;
  const members = new Set([producer, ...graph.viewsOf(consumed), id]);
  const old = oldValueUsers(graph, unit, id);
  if (old === null || !graph.isConvex(members, id, new Set(old.filter((user) => !members.has(user)))))
    return false;
  const root = aliasRoot(consumed);
  const rebound = rebind(before, unit, update, { root, mayRead: (key) => graph.isOnlyWriter(id, key) });
  if (rebound === null) return false;
  const keep = graph.isUsedBeside(root, members);
  const options = { root, adapter, effect: updateEffect(update) };
  // A kernel that reads its own result later needs it stored.
  const merged =
    withEpilogue(rebound, unit, { ...options, keep }) ??
    (keep ? null : withEpilogue(rebound, unit, { ...options, keep: true }));
  if (merged === null) return false;
  graph.merge(members, { ...merged, unit: { ...unit.unit, nodes: nodesOf(graph, members), kind: 'single' } });
  return true;
}

/** Units that use what the update overwrites, and so come before it; `null` when that is hard to say. */
function oldValueUsers(graph: UnitGraph, unit: OpenUnit, id: number): number[] | null {
  const after = graph.descendants(id);
  if (after === null) return null;
  const keys = new Set(unit.inputs.flatMap((input) => input.variable?.key ?? []));
  return [...keys]
    .flatMap((key) => graph.usersOfVariable(key))
    .filter((user) => user !== id && !after.has(user));
}

function updateOf({ kind, unit }: OpenUnit, host: HostValues, adapter: AdapterFacts): ElementUpdate | null {
  const kernel = kernelOf(unit.root);
  if (kind !== 'device' || kernel.kind !== 'device' || unit.nodes.length > 1) return null;
  return kernel.update?.(contextOf(unit.root, host, adapter)) ?? null;
}

/** Variables that are bound for `access`, with the positions among the unit's inputs. */
function boundVariables(
  unit: OpenUnit,
  specs: readonly ShaderSpec[],
  writing: boolean,
): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { source, access = 'read' } of specs.flatMap(({ bindings }) => bindings)) {
    if (source.kind !== 'input' || (access === 'read_write') !== writing) continue;
    const value = unit.inputs[source.index];
    const key = value === undefined ? null : variableKey(value);
    if (key !== null) found.set(key, [...new Set([...(found.get(key) ?? []), source.index])]);
  }
  return found;
}

/**
 * `before` in a form in which it may also write the variables of `update`. One buffer cannot be bound for reading
 * and for writing; where `before` reads such a variable, it must read the very element that is then
 * written, and reads it through the binding that writes. `null` where it does not, or where another node may write between.
 */
function rebind(
  before: OpenUnit,
  unit: OpenUnit,
  update: ElementUpdate,
  { root, mayRead }: { readonly root: IrValue; readonly mayRead: (key: string) => boolean },
): OpenUnit | null {
  const specs = before.lowered.dispatches.map(({ spec }) => spec);
  const read = boundVariables(before, specs, false);
  const written = boundVariables(before, specs, true);
  let result: OpenUnit | null = before;
  for (const { source, access } of update.bindings(1)) {
    const value = source.kind === 'input' ? unit.inputs[source.index] : undefined;
    const key = value === undefined ? null : variableKey(value);
    if (value === undefined || key === null) continue;
    if (written.has(key)) return null;
    const positions = access === 'read_write' ? (read.get(key) ?? []) : [];
    if (positions.length > 1 || (positions.length > 0 && !mayRead(key))) return null;
    for (const position of positions)
      result = result === null ? null : throughHandle(result, position, value, root);
  }
  return result;
}

/** The unit with its input `position`, which it reads, replaced by the handle of the variable, which it may write. */
function throughHandle(unit: OpenUnit, position: number, handle: IrValue, root: IrValue): OpenUnit | null {
  const target = unit.outputs.indexOf(root);
  if (unit.unit.nodes.some((node) => isCutOf(node, handle))) return null;
  const elementwise = unit.unit.nodes.every((node) => isElementwise(node) || isView(node));
  const specs: ShaderSpec[] = [];
  for (const { spec } of unit.lowered.dispatches) {
    const own = spec.bindings.filter(({ source }) => source.kind === 'input' && source.index === position);
    const stored = spec.bindings.find(({ source }) => source.kind === 'output' && source.index === target);
    const fine = own.every(
      ({ name }) =>
        stored !== undefined &&
        (elementwise || isFused(name)) &&
        readsOwnElement(spec, name) &&
        !readsAfterStore(spec, name, stored.name),
    );
    if (!fine || own.length > 1) return null;
    const bindings = spec.bindings.map((one) =>
      own.includes(one) ? { ...one, access: 'read_write' as const } : one,
    );
    specs.push({ ...spec, bindings });
  }
  const value = unit.inputs[position];
  return {
    ...unit,
    inputs: unit.inputs.map((input, k) => (k === position ? handle : input)),
    lowered: {
      ...unit.lowered,
      dispatches: unit.lowered.dispatches.map((dispatch, k) => ({
        ...dispatch,
        spec: specs[k] ?? dispatch.spec,
      })),
    },
    inPlace: value === undefined ? unit.inPlace : new Set([...unit.inPlace, aliasRoot(value)]),
  };
}

/** Whether a node reads a part of a variable: other elements than those that are worked on. */
function isCutOf(node: IrNode, handle: IrValue): boolean {
  const kernel = kernelOf(node);
  if (kernel.kind !== 'device' || kernel.cuts === undefined) return false;
  return node.inputs.some((input) => variableKey(input) === variableKey(handle));
}

/**
 * Whether a shader may read an array after it has stored an element of another: in the function that stores, or after a call
 * of that in those that call it. What is stored is then what the update that takes the store's place has overwritten.
 */
function readsAfterStore({ body, declarations = '' }: ShaderSpec, name: string, stored: string): boolean {
  const functions = [{ called: '', text: body }, ...functionsIn(declarations)];
  const seen = new Set<string>();
  const patterns = [`(?<![\\w.])${stored}\\[`];
  for (let pattern = patterns.pop(); pattern !== undefined; pattern = patterns.pop()) {
    for (const { called, text } of functions) {
      const at = text.search(new RegExp(pattern));
      if (at < 0) continue;
      if (new RegExp(`(?<![\\w.])${name}\\b`).test(text.slice(at))) return true;
      if (called !== '' && !seen.has(called)) patterns.push(`\\b${called}\\(`);
      seen.add(called);
    }
  }
  return false;
}

/** The functions that a text declares, with their bodies. */
function functionsIn(declarations: string): { called: string; text: string }[] {
  const starts = [...declarations.matchAll(/\bfn\s+(\w+)\s*\(/g)];
  return starts.map(({ 0: head, 1: called = '', index }, k) => ({
    called,
    text: declarations.slice(index + head.length, starts[k + 1]?.index),
  }));
}

/** Whether a shader reads element `i` of an array where it works on element `i`, and no other. */
function readsOwnElement({ body, declarations = '' }: ShaderSpec, name: string): boolean {
  const text = `${declarations}\n${body}`;
  const count = (pattern: string): number =>
    text.match(new RegExp(`(?<![\\w.])${name}${pattern}`, 'g'))?.length ?? 0;
  return count('\\b') === count('\\[(?:i|0u)\\]');
}
