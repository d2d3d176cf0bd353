/** The adapter's own limits, to which every figure is put in proportion. */
import { ceiling, copyRate, open } from './kernelBench.js';
import type { Ceilings } from './measure.js';

const RUNS = 3;

async function most(measure: () => Promise<number>): Promise<number> {
  let best = 0;
  for (let i = 0; i < RUNS; i++) best = Math.max(best, await measure());
  return best;
}

/** Measures the rate of arithmetic and of copies, the most of a few runs. */
export async function measureCeilings(): Promise<Ceilings> {
  const bench = await open();
  const gflops = await most(await ceiling(bench));
  const gigabytesPerSecond = await most(await copyRate(bench));
  bench.device.destroy();
  return { gflops, gigabytesPerSecond };
}
