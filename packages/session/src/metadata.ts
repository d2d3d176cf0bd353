/**
 * What a traced run tells: per-kernel times under the graph's node names, dispatch counts and
 * memory, in the structure of TensorFlow's `RunMetadata`; and its Chrome trace.
 */
import type { PlanReport } from './plan.js';
import type { KernelTime } from './run/tracer.js';

/** `NodeExecStats` of step_stats.proto; microseconds. */
export interface NodeExecStats {
  readonly nodeName: string;
  readonly allStartMicros: number;
  readonly opStartRelMicros: number;
  readonly opEndRelMicros: number;
  readonly allEndRelMicros: number;
  /** `name = Kernel(sources)`: the kernel and the graph nodes it stands for. */
  readonly timelineLabel: string;
  readonly sources: readonly string[];
  readonly kernel: string;
}

export interface DeviceStepStats {
  readonly device: string;
  readonly nodeStats: readonly NodeExecStats[];
}

/** What the session knows of a run. */
export interface RunRecord {
  readonly device: string;
  /** Empty unless the run was traced. */
  readonly kernels: readonly KernelTime[];
  readonly plan: PlanReport;
  readonly variableBytes: number;
  readonly encodeMilliseconds: number;
}

/** Filled by `sess.run(…, { traceLevel: 'FULL_TRACE', runMetadata })` (`tf.RunMetadata`). */
export class RunMetadata {
  stepStats: { readonly devStats: readonly DeviceStepStats[] } = { devStats: [] };
  /** What the compiler made of the run: passes, dispatches, memory plan. */
  plan: PlanReport | undefined;
  /** Dispatches of the run. */
  dispatches = 0;
  /** Sum of all kernel times in microseconds. */
  kernelMicros = 0;
  /** Bytes of the plan's temporaries, constants and feeds, and of all variables of the session. */
  memory: { readonly planBytes: number; readonly variableBytes: number } = { planBytes: 0, variableBytes: 0 };

  /** Milliseconds that encoding the dispatches took; 0 for runs that are traced or cut by host steps. */
  encodeMilliseconds = 0;

  /** Records a run. Called by the session. */
  record({ device, kernels, plan, variableBytes, encodeMilliseconds }: RunRecord): void {
    this.stepStats = { devStats: [{ device, nodeStats: kernels.map(nodeStats) }] };
    this.plan = plan;
    this.dispatches = kernels.length > 0 ? kernels.length : plan.dispatches;
    this.kernelMicros = kernels.reduce((total, { durationMicros }) => total + durationMicros, 0);
    this.encodeMilliseconds = encodeMilliseconds;
    const { peakBytes, constantBytes, feedBytes } = plan.memory;
    this.memory = { planBytes: peakBytes + constantBytes + feedBytes, variableBytes };
  }
}

function nodeStats({ label, sources, startMicros, durationMicros }: KernelTime): NodeExecStats {
  const nodeName = sources.at(-1) ?? label;
  return {
    nodeName,
    allStartMicros: startMicros,
    opStartRelMicros: 0,
    opEndRelMicros: durationMicros,
    allEndRelMicros: durationMicros,
    timelineLabel: `${nodeName} = ${label}(${sources.join(', ')})`,
    sources,
    kernel: label,
  };
}

/** An event of the Chrome trace format (`chrome://tracing`, Perfetto). */
interface TraceEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Turns step statistics into a trace (`tensorflow.python.client.timeline.Timeline`). */
export class Timeline {
  constructor(private readonly stepStats: RunMetadata['stepStats']) {}

  /** JSON text for chrome://tracing or Perfetto. Times are in microseconds. */
  generateChromeTraceFormat(): string {
    const traceEvents = this.stepStats.devStats.flatMap((stats, pid) => [
      { name: 'process_name', ph: 'M', pid, tid: 0, args: { name: stats.device } } satisfies TraceEvent,
      ...stats.nodeStats.map((node) => traceEvent(node, pid)),
    ]);
    return JSON.stringify({ traceEvents }, null, 1);
  }
}

function traceEvent(node: NodeExecStats, pid: number): TraceEvent {
  return {
    name: node.kernel,
    ph: 'X',
    pid,
    tid: 0,
    ts: node.allStartMicros,
    dur: node.opEndRelMicros,
    args: { name: node.nodeName, sources: node.sources },
  };
}
