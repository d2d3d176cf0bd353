/** The compiler from end to end: graph, fetches and fed values in, a plan out. */
import type { Operation, Tensor, TensorValue } from '@forerun/graph';
import type { AdapterFacts } from '@forerun/kernels-webgpu';
import type { DeviceHandle } from '../device/handle.js';
import { Plan, type PlanInit } from '../plan.js';
import { PlanBuilder, type SessionState } from './build.js';
import { fuse, type Unit } from './fuse.js';
import { fit, type Fitted, type LoweredProgram, type MemoryWish } from './fit.js';
import { fuseUnits } from './fusion/index.js';
import type { HostValues } from './hostValues.js';
import type { IrNode, IrValue, Program, VariableRef } from './ir.js';
import { NeedsHostValue } from './kernelContext.js';
import { bindUnits, lower, type LoweredUnit, type OpenUnit } from './lower.js';
import { prune } from './rebuild.js';
import type { Pruned } from './prune.js';
import { reportOf } from './report.js';
import { simplify, type PassReport, type PassSwitches } from './simplify.js';
import { specialize, type Specialized } from './specialize.js';
import { variableRead } from './storage.js';
import type { PlanTuning, Tuner } from '../tuning/tuner.js';

/** The stages, as `compile` reports them. */
export type CompileStage = 'simplify' | 'lower' | 'tune' | 'schedule' | 'pipelines' | 'warmUp';

export interface CompileProgress {
  readonly stage: CompileStage;
  readonly done: number;
  readonly total: number;
}

export interface CompileRequest {
  /** Operations to run, inputs first: those that the fetches need, or what an earlier part of the run left. */
  readonly operations: readonly Operation[];
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Tensor[];
  /** Feeds that are no values; see `Pruned`. */
  readonly bound?: Pruned['bound'];
  /** Values stay on the device. */
  readonly keep?: boolean;
  /** A value for each feed: its dtype and shape decide, its elements only where a shape depends on them. */
  readonly fed: readonly TensorValue[];
  readonly passes: PassSwitches;
  readonly memory?: MemoryWish | undefined;
  /** Chooses among the candidates of kernels. */
  readonly tuner: Tuner;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

export interface Compiled {
  readonly plan: Plan;
  /** Positions of the feeds whose elements the plan depends on. */
  readonly valueFeeds: readonly number[];
}

/** Compiles a plan. Throws before anything is created on the device when the request is wrong. */
export async function compile(
  handle: DeviceHandle,
  state: SessionState,
  request: CompileRequest,
): Promise<Compiled> {
  const started = performance.now();
  const report: Report = (stage, done = 0, total = 1) => request.onProgress?.({ stage, done, total });
  report('simplify');
  const tuning = await request.tuner.forPlan();
  const facts = { ...handle.facts, choose: tuning.choose };
  const feeds = new Map(request.feeds.map((tensor, i) => [tensor, i]));
  const untuned = compileFront({ ...request, feeds }, request, facts, report);
  const front = await tuned(untuned, facts, tuning, report);
  report('schedule');
  const fitted = fitFront(front, request, facts);
  const builder = new PlanBuilder(
    handle,
    fitted.scheduled,
    fitted.memory,
    front.host,
    state,
    feedValues(front.exact, request.feeds.length),
    request.passes.parameters !== false,
  );
  const before = handle.counts.pipelines;
  const built = await buildSteps(handle, builder, fitted, report);
  const planReport = reportOf(fitted, builder, {
    graphNodes: request.operations.length,
    passes: front.reports,
    pipelines: handle.counts.pipelines - before,
    kernels: tuning.report(),
    compileMilliseconds: performance.now() - started,
  });
  return {
    plan: planOf(handle, front, fitted, builder, { ...built, report: planReport }),
    valueFeeds: [...front.host.usedFeeds],
  };
}

/** The schedule and the memory of a front, in the form that the wish for memory asks for. */
function fitFront(front: Front, { memory, passes }: CompileRequest, facts: AdapterFacts): Fitted {
  const inPlace = passes.inPlace !== false;
  return fit(front.program, memory, { adapter: facts, inPlace }, (each) =>
    each === front.program ? fuseFront(front, facts, passes) : lowerAgain(each, front.host, facts, passes),
  );
}

function buildSteps(
  handle: DeviceHandle,
  builder: PlanBuilder,
  { program }: Fitted,
  report: Report,
): Promise<BuiltSteps> {
  return buildOrFree(handle, builder, async () => ({
    steps: await builder.steps((done, total) => report('pipelines', done, total)),
    fetches: program.fetches.map((value) => builder.planned(value)),
  }));
}

function planOf(
  handle: DeviceHandle,
  { deferred, exports }: Front,
  { scheduled }: Fitted,
  { feeds, random, hostSlots, owned }: PlanBuilder,
  built: BuiltSteps & Pick<PlanInit, 'report'>,
): Plan {
  const use = variableUse(scheduled.order);
  return new Plan(handle, { ...use, ...built, deferred, exports, feeds, random, hostSlots, owned });
}

type Report = (stage: CompileStage, done?: number, total?: number) => void;
type BuiltSteps = Pick<PlanInit, 'steps' | 'fetches'>;
type Front = Omit<Specialized, 'program'> & {
  readonly exact: Program;
  readonly program: Program;
  readonly reports: readonly PassReport[];
  readonly units: readonly Unit[];
  readonly open: readonly OpenUnit[];
};

/** Measures kernels that nobody measured, where that is wanted, and lowers with what came out. */
async function tuned(front: Front, facts: AdapterFacts, tuning: PlanTuning, report: Report): Promise<Front> {
  report('tune');
  if (!(await tuning.tune())) return front;
  return { ...front, open: lower(front.units, front.host, facts) };
}

/** What becomes of a program that was changed after it had been lowered. */
function lowerAgain(
  program: Program,
  host: HostValues,
  facts: AdapterFacts,
  passes: PassSwitches,
): LoweredProgram {
  const units = fuse(program, host, facts.maxBindings, passes.fuse !== false);
  return fuseFront({ program, host, open: lower(units, host, facts) }, facts, passes);
}

/** Joins units, and resolves what they bind. */
function fuseFront(
  { open, program, host }: Pick<Front, 'open' | 'program' | 'host'>,
  facts: AdapterFacts,
  passes: PassSwitches,
): LoweredProgram {
  const { units, reports } =
    passes.fuse === false
      ? { units: open, reports: [] }
      : fuseUnits(open, program, { host, adapter: facts, switches: passes });
  return { lowered: bindUnits(units, facts), fusions: reports };
}

/** Everything before scheduling. Where a kernel must know a value that is only computed, its op is deferred. */
function compileFront(
  pruned: Pruned,
  { fed, keep = false, passes }: CompileRequest,
  facts: AdapterFacts,
  report: Report,
): Front {
  const forced = new Map<Operation, readonly number[]>();
  for (;;) {
    const specialized = specialize(pruned, fed, { forced, keep });
    const { host, program: exact } = specialized;
    const { program, reports } = simplify(prune(exact), host, passes);
    report('lower');
    const units = fuse(program, host, facts.maxBindings, passes.fuse !== false);
    try {
      return { ...specialized, exact, program, reports, units, open: lower(units, host, facts) };
    } catch (error) {
      if (!(error instanceof NeedsHostValue) || !deferOrigin(error, forced)) throw error;
    }
  }
}

/** Notes the operation that a kernel's wish is for; false when it has been deferred before. */
function deferOrigin(
  { irNode, hostInputs }: NeedsHostValue,
  forced: Map<Operation, readonly number[]>,
): boolean {
  const { origin } = irNode;
  if (origin === null) return false;
  const own = origin.name === irNode.name && irNode.inputs.length === origin.inputs.length ? hostInputs : [];
  const before = forced.get(origin);
  if (before !== undefined && own.every((i) => before.includes(i))) return false;
  forced.set(origin, [...new Set([...(before ?? []), ...own])]);
  return true;
}

/** Builds under error scopes; a failed build leaves no buffers behind. */
async function buildOrFree<T>(
  handle: DeviceHandle,
  builder: PlanBuilder,
  build: () => Promise<T>,
): Promise<T> {
  try {
    return await handle.guarded('building the plan', build);
  } catch (error) {
    builder.owned.forEach((buffer) => handle.destroyBuffer(buffer));
    throw error;
  }
}

function feedValues(program: Program, count: number): (IrValue | undefined)[] {
  const values = new Array<IrValue | undefined>(count).fill(undefined);
  for (const node of program.nodes) if (node.feed !== null) values[node.feed] = node.outputs[0];
  return values;
}

/** Which variables must have a value beforehand, and which have one afterwards. */
function variableUse(order: readonly LoweredUnit[]): { requires: VariableRef[]; initializes: VariableRef[] } {
  const written = new Map<string, VariableRef>();
  const requires = new Map<string, VariableRef>();
  for (const lowered of order) {
    const { nodes } = lowered.unit;
    for (const ref of nodes.flatMap((node) => variablesRead(node, lowered.kind))) {
      if (!written.has(ref.key)) requires.set(ref.key, ref);
    }
    for (const { type, inputs } of nodes) {
      const ref = type === 'AssignVariableOp' ? inputs[0]?.variable : null;
      if (ref !== null && ref !== undefined) written.set(ref.key, ref);
    }
  }
  return { requires: [...requires.values()], initializes: [...written.values()] };
}

/** Variables whose old value a node uses: reads, and updates in place. */
function variablesRead(node: IrNode, kind: LoweredUnit['kind']): VariableRef[] {
  if (node.type === 'ReadVariableOp') return node.outputs.map(variableRead);
  if (node.type === 'AssignVariableOp' || kind === 'host') return [];
  if (node.type === 'VarHandleOp') return [];
  return node.inputs.flatMap(({ variable }) => (variable?.table === undefined ? (variable ?? []) : []));
}
