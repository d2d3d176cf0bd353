/**
 * Elementwise units join the unit that computes what they read: its results are worked on before they are
 * stored. What others read of it is stored as well. That saves a dispatch and the reading, and where nobody else
 * reads it the writing, and nothing is computed twice.
 */
import {
  fuseStores,
  programEffect,
  readsInPlace,
  type AdapterFacts,
  type Lowered,
  type StoreEffect,
  type StoreFusion,
} from '@forerun/kernels-webgpu';
import { elements, type IrValue } from '../ir.js';
import { isRunningSum } from '../passes/newNodes.js';
import { identityOf } from '../keys.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { joinedPrograms } from './chains.js';
import { dispatchesOf, fitsBindings, JoinedValues, partLabel, type JoinedKernels } from './join.js';
import { nodesOf, type UnitGraph } from './unitGraph.js';

/** Whether a unit may take epilogues. */
export type Accepts = (producer: OpenUnit) => boolean;

/** Joins every elementwise unit to an accepted producer of one of its inputs. Returns how many it joined. */
export function fuseEpilogues(graph: UnitGraph, adapter: AdapterFacts, accepts: Accepts): number {
  return graph.ids.filter((id) => joinProducer(graph, id, adapter, accepts)).length;
}

function joinProducer(graph: UnitGraph, id: number, adapter: AdapterFacts, accepts: Accepts): boolean {
  const unit = graph.find(id);
  if (unit?.program === null || unit?.lowered.dispatches.length !== 1) return false;
  const roots = new Set(unit.inputs.map(aliasRoot));
  return [...roots].some((root) => {
    const producer = graph.producerOf(root);
    const before = producer === null ? null : graph.find(producer);
    if (producer === null || before === null || producer === id || !accepts(before)) return false;
    return joinTo(graph, { id, producer, root }, adapter);
  });
}

interface Place {
  readonly id: number;
  readonly producer: number;
  /** What the producer stores and the unit reads. */
  readonly root: IrValue;
}

function joinTo(graph: UnitGraph, { id, producer, root }: Place, adapter: AdapterFacts): boolean {
  const [unit, before] = [graph.find(id), graph.find(producer)];
  const program = unit?.program ?? null;
  if (unit === null || program === null || before === null) return false;
  const given = unit.inputs.flatMap((input, k) => (aliasRoot(input) === root ? [k] : []));
  if (!given.every((k) => readsInPlace(program, k)) || elements(root) === 0) return false;
  if (!fitsBindings(unit, adapter) || !fitsBindings(before, adapter)) return false;
  const views = given.flatMap((k) => graph.viewsOf(unit.inputs[k] ?? root));
  const members = new Set([producer, ...views, id]);
  if (!graph.isConvex(members, id)) return false;
  const keep = graph.isUsedBeside(root, members);
  const effect = programEffect(program, given);
  // The results themselves are added to the sum so far, which may so be overwritten (inPlace.ts).
  const light = unit.unit.nodes.every(isRunningSum) ? 'add' : undefined;
  const alike = {
    kernels: graph.kernels,
    key: `${identityOf(program)} of ${given.join()} ${light ?? ''}`,
    bound: { inputs: unit.inputs.filter((_, k) => !given.includes(k)), outputs: unit.outputs },
  };
  const merged =
    joinedPrograms(before, unit, {
      made: graph.programs,
      adapter,
      keep: (output) => graph.isUsedBeside(output, members),
    }) ?? withEpilogue(before, unit, { root, keep, adapter, effect, light, alike });
  if (merged === null) return false;
  graph.merge(members, { ...merged, unit: { ...unit.unit, nodes: nodesOf(graph, members), kind: 'single' } });
  return true;
}

export interface Epilogue {
  readonly root: IrValue;
  readonly keep: boolean;
  readonly adapter: AdapterFacts;
  readonly effect: StoreEffect;
  /** The effect does next to nothing; see `StoreFusion`. */
  readonly light?: StoreFusion['light'];
  /** Lets alike units share what becomes of them. `key` tells what the effect does to the values `bound`, in this order. */
  readonly alike?: {
    readonly kernels: JoinedKernels;
    readonly key: string;
    readonly bound: Pick<OpenUnit, 'inputs' | 'outputs'>;
  };
}

/** The first unit with the effect of the second at its stores of `root`; `null` where its kernels do not allow it. */
export function withEpilogue(
  before: OpenUnit,
  unit: Pick<OpenUnit, 'inputs' | 'outputs' | 'unit' | 'program'>,
  { root, keep, adapter, effect, light, alike }: Epilogue,
): OpenUnit | null {
  const own = unit.inputs.some(
    (input) => aliasRoot(input) !== root && before.outputs.includes(aliasRoot(input)),
  );
  // What the first unit stores elsewhere cannot be read in the same dispatch.
  if (own) return null;
  const index = before.outputs.indexOf(root);
  const joined = new JoinedValues(before);
  const moved: StoreEffect = (width, prefix) => {
    const code = effect(width, prefix);
    return { ...code, bindings: code.bindings.map((binding) => joined.moved(binding, unit)) };
  };
  const label = partLabel(unit.program?.label ?? unit.unit.root.type);
  const target = { kind: 'output', index } as const;
  const join = (): Lowered | null => {
    const specs = before.lowered.dispatches.map(({ spec }) =>
      fuseStores(spec, { target, effect: moved, keep, label, light }),
    );
    if (specs.every((spec, k) => spec === before.lowered.dispatches[k]?.spec)) return null;
    const dispatches = dispatchesOf(specs, adapter);
    return dispatches === null ? null : { ...before.lowered, dispatches };
  };
  const shared = (one: NonNullable<Epilogue['alike']>): Lowered | null =>
    one.kernels.get(
      before.lowered,
      `${one.key} at ${index} ${keep} bound to ${joined.place(one.bound)}`,
      join,
    );
  const lowered = alike === undefined ? join() : shared(alike);
  if (lowered === null) return null;
  return {
    ...before,
    lowered,
    inputs: joined.inputs,
    outputs: joined.outputs,
    program: null,
    rows: null,
  };
}
