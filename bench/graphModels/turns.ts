/** Models in processes of their own, in turn, and how their times are put beside each other. */
import { spawnSync } from 'node:child_process';
import type { ModelTimes } from './measureModel.js';

/** Runs `child` once with `args`; what it prints last is JSON. Throws with what it wrote when it fails. */
export function runChild<Result>(
  child: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Result {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    env: { ...process.env, ...env },
  });
  if (status !== 0) throw new Error(`${args.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
}

/** The least of each time; infinite where there are none. */
export function leastTimes(times: readonly ModelTimes[]): ModelTimes {
  const of = (key: keyof ModelTimes): number => Math.min(...times.map((time) => time[key]));
  return {
    load: of('load'),
    first: of('first'),
    steady: of('steady'),
    loadProcessor: of('loadProcessor'),
    firstProcessor: of('firstProcessor'),
    steadyProcessor: of('steadyProcessor'),
  };
}

const COLUMNS: readonly (readonly [title: string, key: keyof ModelTimes])[] = [
  ['import', 'load'],
  ['first inference', 'first'],
  ['steady', 'steady'],
  ['import, processor', 'loadProcessor'],
  ['first, processor', 'firstProcessor'],
  ['steady, processor', 'steadyProcessor'],
];

const WIDTH = 23;

export const HEADER = COLUMNS.map(([title]) => title.padStart(WIDTH)).join('');

/** One line of a table under `HEADER`: ours, theirs, and how many times as long theirs takes. */
export function cells(ours: ModelTimes, theirs: ModelTimes): string {
  return COLUMNS.map(([, key]) => cell(ours[key], theirs[key])).join('');
}

function cell(ours: number, theirs: number): string {
  const text = Number.isFinite(theirs)
    ? `${amount(ours)} ${amount(theirs)} ${(theirs / ours).toFixed(1).padStart(6)}x`
    : `${amount(ours)}${'-'.padStart(15)}`;
  return text.padStart(WIDTH);
}

function amount(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 10 ? 1 : 0).padStart(7);
}
