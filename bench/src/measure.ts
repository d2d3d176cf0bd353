/** How a process measures, and what it prints. */
export interface Measurement {
  readonly adapter: string;
  /** From nothing to the end of the first step, in milliseconds. */
  readonly firstStepMilliseconds: number;
  readonly stepMilliseconds: readonly number[];
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
  const stepMilliseconds: number[] = [];
  let finalLoss = NaN;
  for (let i = 0; i < steps; i++) {
    const before = performance.now();
    finalLoss = await step();
    stepMilliseconds.push(performance.now() - before);
  }
  return { adapter, firstStepMilliseconds, stepMilliseconds, finalLoss };
}
