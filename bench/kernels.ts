/**
 * Measures single kernels: `node bench/dist/kernels.js [--candidates] [filter]`. Prints milliseconds (the best of
 * a few runs), the rate, and its fraction of the adapter's arithmetic ceiling or copy rate, which is measured in turn with the
 * kernels. With `--candidates` all candidates of a contraction, and what the best gains over the default.
 */
import type { Choice, Lowered } from '@forerun/kernels-webgpu';
import {
  buffersOf,
  ceiling,
  copyRate,
  lower,
  nodeOf,
  once,
  open,
  prepare,
  type Bench,
} from './src/kernelBench.js';
import { CONTRACTIONS, MEMORY_BOUND, type Case } from './src/kernelCases.js';

const RUNS = 7;
/** Shorter kernels are run several times in one submission. */
const SPAN_MILLISECONDS = 4;

interface Timed {
  readonly label: string;
  readonly first: number;
  /** Milliseconds, the best of the runs. */
  best: number;
}

interface Measured {
  readonly timed: readonly Timed[];
  /** The best rate of the adapter, in GFLOP/s or GB/s. */
  readonly peak: number;
}

function labelOf({ dispatches }: Lowered): string {
  return dispatches.map(({ label }) => label.replace(/^\w+\./, '')).join(' + ');
}

/** What the kernels of a case are: the chosen one, or all candidates. */
function variantsOf(bench: Bench, test: Case, all: boolean): Lowered[] {
  const op = nodeOf(test);
  const choices: Choice[] = [];
  const choose = (choice: Choice): number => {
    choices.push(choice);
    return 0;
  };
  const first = lower(op, { ...bench.facts, choose });
  const [choice] = choices;
  if (!all || choice === undefined) return [first];
  return choice.candidates.map((_, i) => choice.lower(i));
}

/** Runs all variants and the adapter's own measure in turn. */
async function measure(
  bench: Bench,
  test: Case,
  variants: readonly Lowered[],
  adapter: () => Promise<number>,
): Promise<Measured> {
  const op = nodeOf(test);
  const entries: (Timed & { run: () => void; repeats: number })[] = [];
  const release: GPUBuffer[] = [];
  const shared = buffersOf(bench, op, { dispatches: [] });
  for (const lowered of variants) {
    const scratch = buffersOf(bench, op, lowered).scratch ?? [];
    const step = prepare(bench, lowered.dispatches, (source) => {
      const buffers = source.kind === 'scratch' ? scratch : shared[source.kind];
      const buffer = 'index' in source ? buffers?.[source.index] : undefined;
      if (buffer === undefined) throw new Error(`${test.name}: a binding of kind ${source.kind}`);
      return buffer;
    });
    release.push(...scratch);
    const first = await once(bench, step, 1);
    const short = await once(bench, step);
    const repeats = Math.max(1, Math.min(50, Math.ceil(SPAN_MILLISECONDS / Math.max(short, 0.05))));
    const run = (): void => {
      for (let i = 0; i < repeats; i++) step();
    };
    entries.push({ label: labelOf(lowered), first, best: Infinity, run, repeats });
  }
  let peak = 0;
  for (let i = 0; i < RUNS; i++) {
    peak = Math.max(peak, await adapter());
    for (const entry of entries) {
      entry.best = Math.min(entry.best, (await once(bench, entry.run)) / entry.repeats);
    }
  }
  for (const buffer of [...Object.values(shared).flat(), ...release]) buffer.destroy();
  return { timed: entries, peak };
}

function line(test: Case, { label, best, first }: Timed, peak: number): string {
  const [amount, unit] = test.gflop > 0 ? [test.gflop, 'GFLOP/s'] : [test.gigabytes ?? 0, 'GB/s'];
  const rate = (amount / best) * 1e3;
  return [
    test.name.padEnd(36),
    `${best.toFixed(2).padStart(8)} ms`,
    `${rate.toFixed(1).padStart(7)} ${unit.padEnd(7)}`,
    `${(rate / peak).toFixed(3)} of ${peak.toFixed(0)}`,
    `first ${first.toFixed(0).padStart(5)} ms`,
    label,
  ].join('  ');
}

async function main(): Promise<void> {
  const all = process.argv.includes('--candidates');
  const filter = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '';
  const bench = await open();
  const [arithmetic, memory] = [await ceiling(bench), await copyRate(bench)];
  const wanted = ({ name, step }: Case): boolean => (filter === 'step' ? step : name.includes(filter));
  const gains: number[] = [];
  for (const test of [...CONTRACTIONS, ...MEMORY_BOUND].filter(wanted)) {
    const adapter = test.gflop > 0 ? arithmetic : memory;
    const { timed, peak } = await measure(bench, test, variantsOf(bench, test, all), adapter);
    for (const one of timed) console.log(line(test, one, peak));
    const [standard] = timed;
    if (timed.length > 1 && standard !== undefined) {
      gains.push(standard.best / Math.min(...timed.map(({ best }) => best)));
      console.log(`${test.name}: the best is ${gains.at(-1)?.toFixed(2)} times as fast as the default\n`);
    }
  }
  if (gains.length > 0) {
    const mean = Math.exp(gains.reduce((total, gain) => total + Math.log(gain), 0) / gains.length);
    console.log(`the best over the default, geometric mean of ${gains.length}: ${mean.toFixed(2)}`);
  }
  bench.device.destroy();
}

await main();
