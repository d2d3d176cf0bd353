/** Running measured processes, and the kept results: one file per adapter, of ratios that mean something on another day. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SPECS, type WorkloadName } from '../workloads/specs.js';
import type { Ceilings, Measurement, PlanFigures } from './measure.js';

const child = fileURLToPath(new URL('./child.js', import.meta.url));
const folder = fileURLToPath(new URL('../../results/', import.meta.url));

/** What is kept of a workload. */
export interface KeptResult {
  /** Rate of the step's products and convolutions over the arithmetic ceiling of the same run. */
  readonly ofCeiling: number;
  readonly stepMilliseconds: number;
  readonly firstStepMilliseconds: number;
  /** How many times our step the others took. */
  readonly timesOurs: Readonly<Record<string, number>>;
  readonly plan: PlanFigures | undefined;
}

export interface KeptResults {
  readonly adapter: string;
  readonly ceilings: Ceilings;
  readonly workloads: Readonly<Partial<Record<WorkloadName, KeptResult>>>;
}

/** Runs a process that measures. Throws with what it wrote when it fails. */
export function runChild(...args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}

/** The least step, by the clock and by processor time, and first step: other load on the machine can only add. */
export function least(measurements: readonly Measurement[]): {
  step: number;
  processor: number;
  first: number;
} {
  return {
    processor: Math.min(...measurements.flatMap(({ processorMilliseconds = [] }) => processorMilliseconds)),
    step: Math.min(...measurements.flatMap(({ stepMilliseconds }) => stepMilliseconds)),
    first: Math.min(...measurements.map(({ firstStepMilliseconds }) => firstStepMilliseconds)),
  };
}

/** The share of the arithmetic ceiling that a step of so many milliseconds reaches. */
export function ofCeiling(name: WorkloadName, stepMilliseconds: number, { gflops }: Ceilings): number {
  return SPECS[name].gflop / (stepMilliseconds / 1000) / gflops;
}

function fileOf(adapter: string): string {
  return `${folder}${adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}.json`;
}

/** The kept results of an adapter, if there are any. */
export function readResults(adapter: string): KeptResults | undefined {
  const file = fileOf(adapter);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as KeptResults) : undefined;
}

/** Keeps results; those of workloads that were not measured stay. Returns the file. */
export function writeResults(results: KeptResults): string {
  const before = readResults(results.adapter);
  mkdirSync(folder, { recursive: true });
  const workloads = { ...before?.workloads, ...results.workloads };
  writeFileSync(fileOf(results.adapter), `${JSON.stringify({ ...results, workloads }, null, 2)}\n`);
  return fileOf(results.adapter);
}
