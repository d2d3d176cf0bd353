/** The training steps that are compared, with the data both frameworks get. */

/** One model, batch and optimizer, the same for every framework. */
export interface Workload {
  readonly title: string;
  readonly batch: number;
  /** Steps that are timed. */
  readonly steps: number;
}

export const WORKLOADS = {
  mlp: { title: '784-128-10 network, batch 128, Adam', batch: 128, steps: 40 },
  mnistCnn: { title: 'MNIST CNN (5x5x32, 5x5x64, 1024, 10), batch 128, Adam', batch: 128, steps: 6 },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof WORKLOADS;

/** What a measured process prints. */
export interface Measurement {
  readonly adapter: string;
  /** From nothing to the end of the first step, in milliseconds. */
  readonly firstStepMilliseconds: number;
  readonly stepMilliseconds: readonly number[];
  readonly finalLoss: number;
}

/** Images and labels that look like data: values in [0, 1), every class as often. */
export function syntheticBatch(batch: number): { images: Float32Array; labels: Int32Array } {
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    images: Float32Array.from({ length: batch * 784 }, next),
    labels: Int32Array.from({ length: batch }, (_, i) => i % 10),
  };
}

/** Times `step` after one warm-up call, which counts as the first step. */
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
