/** How a process measures, and what it prints. */
export interface Measurement {
  readonly adapter: string;
  /** From nothing to the end of the first step, in milliseconds. */
  readonly firstStepMilliseconds: number;
  readonly stepMilliseconds: readonly number[];
  /** Processor time of this process per step: on a software adapter other load on the machine hardly changes it. */
  readonly processorMilliseconds?: readonly number[];
  readonly finalLoss: number;
  /** What the compiler made of the step, in Forerun. */
  readonly plan?: PlanFigures;
}

export interface PlanFigures {
  readonly dispatches: number;
  readonly peakBytes: number;
  readonly lowerBoundBytes: number;
  /** Microseconds of encoding per dispatch, the least of a few runs. */
  readonly encodeMicrosPerDispatch: number;
}

/** What the adapter can do, measured in the same run. */
export interface Ceilings {
  /** Multiplications and additions in registers. */
  readonly gflops: number;
  /** Bytes read and written by copies between buffers. */
  readonly gigabytesPerSecond: number;
}

/** Times `step` after two calls that warm up; the first of them ends the first step. */
export async function measure(
  adapter: string,
  steps: number,
  started: number,
  step: () => Promise<number>,
): Promise<Measurement> {
  await step();
  const firstStepMilliseconds = performance.now() - started;
  await step();
  const [stepMilliseconds, processorMilliseconds]: [number[], number[]] = [[], []];
  let finalLoss = NaN;
  for (let i = 0; i < steps; i++) {
    const [before, used] = [performance.now(), process.cpuUsage()];
    finalLoss = await step();
    stepMilliseconds.push(performance.now() - before);
    const { user, system } = process.cpuUsage(used);
    processorMilliseconds.push((user + system) / 1000);
  }
  return { adapter, firstStepMilliseconds, stepMilliseconds, processorMilliseconds, finalLoss };
}
