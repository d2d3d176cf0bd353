/** Times the candidates of one choice: compiled one after the other, then run in turn, so that a busy moment meets all. */
import type { Choice } from '@forerun/kernels-webgpu';
import { operandBytes, type Bench, type Measurer } from './measure.js';

export interface MeasureLimits {
  /** For all kernels of a plan together. */
  readonly planMilliseconds: number;
  /** Candidates with larger bodies are not tried: drivers that nobody knows may compile them for minutes. */
  readonly largestBody: number;
  /** A candidate whose first run takes longer, compilation included, is not used, nor are larger ones tried. */
  readonly slowestCompile: number;
  /** Choices with more bytes of operands are not measured. */
  readonly mostBytes: number;
}

export const DEFAULT_LIMITS: MeasureLimits = {
  planMilliseconds: 6000,
  largestBody: 512,
  slowestCompile: 2500,
  mostBytes: 2 ** 30,
};

export interface MeasureContext {
  readonly measurer: Measurer;
  readonly limits: MeasureLimits;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  /** In the time of `now`. */
  readonly deadline: number;
}

/** Times are the least of so many. */
const ROUNDS = 5;
/** After the first round only candidates within this factor of the best go on. */
const PROMISING = 1.4;
/** The part of the time that goes into compiling. */
const COMPILING = 0.7;

/**
 * Times over that of the default (candidate 0, the first of `indices`) by name; `null` for candidates that failed or were too slow
 * to compile. Candidates for which the time does not suffice are left out; `null` in place of all when the
 * default itself cannot be measured.
 */
export async function measureCandidates(
  choice: Choice,
  indices: readonly number[],
  context: MeasureContext,
): Promise<Record<string, number | null> | null> {
  if (operandBytes(choice) > context.limits.mostBytes) return null;
  const bench = context.measurer.open(choice);
  try {
    const { ready, refused } = await compileAll(bench, choice, [...new Set(indices)], context);
    const times = await timeAll(bench, ready, context);
    const base = times.get(0);
    if (base === undefined) return null;
    const entries: [string, number | null][] = [...times].map(([i, time]) => [
      nameOf(choice, i),
      time / base,
    ]);
    return Object.fromEntries([...entries, ...refused.map((i): [string, null] => [nameOf(choice, i), null])]);
  } finally {
    bench.close();
  }
}

function nameOf({ candidates }: Choice, index: number): string {
  return candidates[index]?.name ?? `candidate ${index}`;
}

async function compileAll(
  bench: Bench,
  choice: Choice,
  indices: readonly number[],
  { limits, now, warn, deadline }: MeasureContext,
): Promise<{ ready: number[]; refused: number[] }> {
  const [ready, refused]: [number[], number[]] = [[], []];
  const end = now() + (deadline - now()) * COMPILING;
  let largest = limits.largestBody;
  for (const i of indices) {
    const body = choice.candidates[i]?.body ?? 0;
    if (i !== 0 && body > largest) refused.push(i);
    if (i !== 0 && (now() >= end || body > largest)) continue;
    try {
      const time = await bench.first(i);
      // The default is compared with, however long it takes.
      if (time <= limits.slowestCompile || i === 0) ready.push(i);
      else {
        refused.push(i);
        largest = Math.min(largest, body - 1);
      }
    } catch (error) {
      refused.push(i);
      const reason = error instanceof Error ? error.message : String(error);
      warn(`${choice.signature}: the candidate ${nameOf(choice, i)} does not run: ${reason}`);
    }
  }
  return { ready, refused };
}

async function timeAll(
  bench: Bench,
  ready: readonly number[],
  { now, deadline }: MeasureContext,
): Promise<Map<number, number>> {
  const times = new Map<number, number>();
  let going = ready;
  for (let round = 0; round < ROUNDS; round++) {
    if (round > 0 && now() >= deadline) break;
    for (const i of going) times.set(i, Math.min(times.get(i) ?? Infinity, await bench.time(i)));
    const best = Math.min(...times.values());
    going = going.filter((i) => i === 0 || (times.get(i) ?? Infinity) <= best * PROMISING);
  }
  return times;
}
