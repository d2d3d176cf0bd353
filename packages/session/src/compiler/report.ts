/** What a compiled plan tells of itself. */
import type { PlannedDispatch, PlanReport } from '../plan.js';
import type { PlanBuilder } from './build.js';
import type { Fitted } from './fit.js';
import type { Schedule } from './schedule.js';

/** What the report has from elsewhere: the graph, the passes, the device, the tuner and the clock. */
type Measured = Pick<PlanReport, 'graphNodes' | 'passes' | 'pipelines' | 'kernels' | 'compileMilliseconds'>;

/** The report of a plan that has been built. */
export function reportOf(
  { fusions, lowered, scheduled, memory, recomputed }: Fitted,
  builder: Pick<PlanBuilder, 'constantBytes' | 'feeds'>,
  measured: Measured,
): PlanReport {
  const copies = scheduled.copied.size;
  return {
    ...measured,
    fusions,
    units: lowered.length,
    dispatches: lowered.reduce((total, { dispatches }) => total + dispatches.length, 0) + copies,
    copiedReads: copies,
    memory: {
      peakBytes: memory.peakBytes,
      lowerBoundBytes: memory.lowerBoundBytes,
      naiveBytes: memory.naiveBytes,
      inPlace: memory.inPlace,
      recomputed,
      buffers: memory.buffers.length,
      constantBytes: builder.constantBytes,
      feedBytes: builder.feeds.reduce((total, { buffer }) => total + (buffer?.size ?? 0), 0),
    },
    dispatchList: dispatchList(scheduled),
    temporaries: memory.temporaries,
  };
}

function dispatchList({ order }: Schedule): PlannedDispatch[] {
  return order.flatMap(({ unit, dispatches }, position) =>
    dispatches.map(({ dispatch }) => ({
      label: dispatch.label,
      nodes: unit.nodes.flatMap((node) => node.sources),
      workgroups: dispatch.workgroups,
      wgsl: dispatch.wgsl,
      position,
    })),
  );
}
