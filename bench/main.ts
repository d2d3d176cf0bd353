/**
 * `npm run bench`: a training step in Forerun and in tfjs's WebGPU backend, on one adapter in one run.
 * Each framework runs in a process of its own, in turn, twice; the least step time of each counts,
 * because other load on the machine can only add. Claims are the ratios, not the times.
 *
 *   npm run bench                   all workloads
 *   npm run bench -- mlp            one
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Measurement } from './src/measure.js';
import { SPECS, WORKLOAD_NAMES, type WorkloadName } from './workloads/specs.js';

const ROUNDS = 2;
const child = fileURLToPath(new URL('./src/child.js', import.meta.url));

function measureOnce(framework: string, workload: string): Measurement {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, framework, workload], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (status !== 0) throw new Error(`${framework} ${workload} failed:\n${stderr}`);
  return JSON.parse(last) as Measurement;
}

function combine(measurements: readonly Measurement[]): { step: number; first: number; adapter: string } {
  return {
    step: Math.min(...measurements.flatMap(({ stepMilliseconds }) => stepMilliseconds)),
    first: Math.min(...measurements.map(({ firstStepMilliseconds }) => firstStepMilliseconds)),
    adapter: measurements[0]?.adapter ?? '',
  };
}

function compare(name: WorkloadName): void {
  const ours: Measurement[] = [];
  const theirs: Measurement[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(measureOnce('forerun', name));
    theirs.push(measureOnce('tfjs', name));
  }
  const [a, b] = [combine(ours), combine(theirs)];
  console.log(`\n${SPECS[name].title}`);
  console.log(
    `  forerun   step ${a.step.toFixed(2).padStart(9)} ms   first step ${a.first.toFixed(0).padStart(6)} ms`,
  );
  console.log(
    `  tfjs      step ${b.step.toFixed(2).padStart(9)} ms   first step ${b.first.toFixed(0).padStart(6)} ms`,
  );
  console.log(
    `  tfjs / forerun: step ${(b.step / a.step).toFixed(1)}x, first step ${(b.first / a.first).toFixed(1)}x`,
  );
  console.log(`  adapter: ${a.adapter} | ${b.adapter}`);
}

const asked = process.argv.slice(2);
const names = WORKLOAD_NAMES;
const unknown = asked.find((name) => !names.includes(name as WorkloadName));
if (unknown !== undefined) throw new Error(`unknown workload "${unknown}": there are ${names.join(', ')}`);
for (const name of names) if (asked.length === 0 || asked.includes(name)) compare(name);
