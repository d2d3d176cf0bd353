/**
 * Stage 5b: joins lowered units. Which shapes kernels have does not matter here: producers and readers are joined
 * at the loads and stores of their text. Each kind of fusion has a switch.
 */
import type { AdapterFacts } from '@forerun/kernels-webgpu';
import type { HostValues } from '../hostValues.js';
import type { Program } from '../ir.js';
import type { OpenUnit } from '../lower.js';
import { fuseBeside } from './beside.js';
import { fuseEpilogues } from './epilogues.js';
import { packUnits } from './packs.js';
import { fuseJoins, isJoining } from './joins.js';
import { fusePrologues } from './prologues.js';
import { UnitGraph } from './unitGraph.js';
import { fuseRows } from './rows.js';
import { dropUnread } from './unread.js';
import { fuseUpdates } from './updates.js';

const FUSIONS = {
  /** Reductions of rows with the elementwise ops before, between and behind them. */
  rows: (graph, adapter) => fuseRows(graph, adapter),
  /** Elementwise ops into the stores of convolutions, products, reductions … */
  epilogues: (graph, adapter, whole) =>
    fuseEpilogues(graph, adapter, (unit) => unit.program === null && !isLeftToJoins(unit, adapter, whole)),
  /** Elementwise ops into the loads of reductions, softmax, copies … */
  prologues: (graph, adapter, whole) =>
    fusePrologues(graph, adapter, (reader) => !isLeftToJoins(reader, adapter, whole)),
  /** Elementwise ops of which several results are needed, or with a view between them. */
  chains: (graph, adapter, whole) =>
    fuseEpilogues(graph, adapter, (producer) => !isLeftToJoins(producer, adapter, whole)),
  /** Concatenations into the stores of what computes their parts; then what waited for them. */
  joins: (graph, adapter, { host, isOn }) =>
    fuseJoins(graph, host, adapter) +
    (isOn('epilogues') ? fuseEpilogues(graph, adapter, ({ program }) => program === null) : 0) +
    (isOn('prologues') ? fusePrologues(graph, adapter, (unit) => isJoining(unit, host, adapter)) : 0),
  /** Updates of variables into the kernels of their gradients. */
  updates: (graph, adapter, { host }) => fuseUpdates(graph, host, adapter),
  /** Dispatches whose results nobody reads are dropped. */
  unread: (graph, _, { program }) => dropUnread(graph, program),
  /** Reductions into the dispatches of products that read the same. */
  beside: (graph, adapter) => fuseBeside(graph, adapter),
  /** Small dispatches that do not depend on each other into one. */
  packs: (graph, adapter) => packUnits(graph, adapter),
} as const satisfies Record<string, (graph: UnitGraph, adapter: AdapterFacts, whole: Whole) => number>;

/** Whether a unit first goes where its parts are computed. */
function isLeftToJoins(unit: OpenUnit, adapter: AdapterFacts, { host, isOn }: Whole): boolean {
  return isOn('joins') && isJoining(unit, host, adapter);
}

interface Whole {
  readonly host: HostValues;
  readonly program: Program;
  /** Whether another fusion is switched on. */
  readonly isOn: (fusion: string) => boolean;
}

export type Fusion = keyof typeof FUSIONS;

export const FUSION_NAMES = Object.keys(FUSIONS) as readonly Fusion[];

export interface FusionReport {
  readonly fusion: Fusion;
  /** Units that joined another, or dispatches that were dropped. */
  readonly joined: number;
}

export interface FusionOptions {
  readonly host: HostValues;
  readonly adapter: AdapterFacts;
  readonly switches: Readonly<Partial<Record<Fusion, boolean>>>;
}

/** Joins units, in the order of the fusions, each of which runs unless it is switched off. */
export function fuseUnits(
  units: readonly OpenUnit[],
  program: Program,
  { host, adapter, switches }: FusionOptions,
): { units: OpenUnit[]; reports: FusionReport[] } {
  const graph = new UnitGraph(units, program);
  const isOn = (fusion: string): boolean => switches[fusion as Fusion] !== false;
  const reports = FUSION_NAMES.filter((fusion) => switches[fusion] !== false).map((fusion) => ({
    fusion,
    joined: FUSIONS[fusion](graph, adapter, { host, program, isOn }),
  }));
  return { units: graph.units, reports };
}
