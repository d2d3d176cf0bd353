/** The compiler from end to end: graph, fetches and fed values in, a plan out. */
import type { Operation, Tensor, TensorValue } from '@forerun/graph';
import type { DeviceHandle } from '../device/handle.js';
import { Plan, type PlanReport } from '../plan.js';
import { PlanBuilder, type SessionState } from './build.js';
import { insertCopies } from './copies.js';
import { fuse } from './fuse.js';
import type { IrValue, Program, VariableRef } from './ir.js';
import { lower, type LoweredUnit } from './lower.js';
import { planMemory } from './memory.js';
import { prune } from './rebuild.js';
import { pruneGraph } from './prune.js';
import { schedule } from './schedule.js';
import { simplify, type PassSwitches } from './simplify.js';
import { specialize } from './specialize.js';
import { variableRead } from './storage.js';

/** The stages, as `compile` reports them. */
export type CompileStage = 'simplify' | 'lower' | 'schedule' | 'pipelines';

export interface CompileProgress {
  readonly stage: CompileStage;
  readonly done: number;
  readonly total: number;
}

export interface CompileRequest {
  readonly fetches: readonly Tensor[];
  readonly targets: readonly Operation[];
  readonly feeds: readonly Tensor[];
  /** A value for each feed: its dtype and shape decide, its elements only where a shape depends on them. */
  readonly fed: readonly TensorValue[];
  readonly passes: PassSwitches;
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
  const report = (stage: CompileStage, done = 0, total = 1): void =>
    request.onProgress?.({ stage, done, total });
  report('simplify');
  const feeds = new Map(request.feeds.map((tensor, i) => [tensor, i]));
  const pruned = pruneGraph(request.fetches, request.targets, feeds);
  const { program: exact, host } = specialize(pruned, request.fed);
  const { program, reports } = simplify(prune(exact), host, request.passes);
  report('lower');
  const units = fuse(program, host, handle.facts.maxBindings, request.passes.fuse !== false);
  const lowered = lower(units, host, handle.facts);
  report('schedule');
  const scheduled = insertCopies(schedule(lowered, program), handle.facts);
  const memory = planMemory(program, scheduled);
  const builder = new PlanBuilder(
    handle,
    scheduled,
    memory,
    host,
    state,
    feedValues(exact, request.feeds.length),
  );
  const before = handle.counts.pipelines;
  const { steps, fetches } = await buildOrFree(handle, builder, async () => ({
    steps: await builder.steps((done, total) => report('pipelines', done, total)),
    fetches: program.fetches.map((value) => builder.planned(value)),
  }));
  const planReport: PlanReport = {
    graphNodes: pruned.operations.length,
    passes: reports,
    units: units.length,
    dispatches:
      lowered.reduce((total, { dispatches }) => total + dispatches.length, 0) + scheduled.copied.size,
    pipelines: handle.counts.pipelines - before,
    copiedReads: scheduled.copied.size,
    memory: {
      peakBytes: memory.peakBytes,
      lowerBoundBytes: memory.lowerBoundBytes,
      naiveBytes: memory.naiveBytes,
      buffers: memory.buffers.length,
      constantBytes: builder.constantBytes,
      feedBytes: builder.feeds.reduce((total, { buffer }) => total + (buffer?.size ?? 0), 0),
    },
    compileMilliseconds: performance.now() - started,
  };
  const plan = new Plan(handle, {
    ...variableUse(scheduled.order),
    steps,
    fetches,
    feeds: builder.feeds,
    random: builder.random,
    hostSlots: builder.hostSlots,
    owned: builder.owned,
    report: planReport,
  });
  return { plan, valueFeeds: [...host.usedFeeds] };
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
    const { root } = lowered.unit;
    for (const ref of variablesRead(lowered)) if (!written.has(ref.key)) requires.set(ref.key, ref);
    if (root.type === 'AssignVariableOp') {
      const ref = root.inputs[0]?.variable;
      if (ref !== null && ref !== undefined) written.set(ref.key, ref);
    }
  }
  return { requires: [...requires.values()], initializes: [...written.values()] };
}

/** Variables whose old value a unit uses: reads, and updates in place. */
function variablesRead({ unit: { root }, kind }: LoweredUnit): VariableRef[] {
  if (root.type === 'ReadVariableOp') return root.outputs.map(variableRead);
  if (root.type === 'AssignVariableOp' || kind === 'host') return [];
  if (root.type === 'VarHandleOp') return [];
  return root.inputs.flatMap(({ variable }) => variable ?? []);
}
