/**
 * Pre-trained graph models of npm `@vladmandic/human` in Forerun and in tfjs's WebGPU backend, on the same adapter:
 * import, first and steady inference.
 *
 *   node bench/dist/graphModels.js [MODEL ...]
 *
 * Each framework runs in a process of its own, in turn, twice; the least time of each counts, and of reading and the first
 * inference the processor time too, because other load on the machine lengthens a single run. The driver's shader cache is warm from
 * the second process on: `--cold` switches it off (Mesa), and measures every framework once.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { GRAPH_MODELS } from './graphModels/models.js';
import type { ModelTimes } from './graphModels/measureModel.js';

const child = fileURLToPath(new URL('./graphModels/child.js', import.meta.url));
const args = process.argv.slice(2);
const cold = args.includes('--cold');
const asked = args.filter((arg) => arg !== '--cold');
const unknown = asked.find((name) => !GRAPH_MODELS.includes(name));
if (unknown !== undefined)
  throw new Error(`unknown model "${unknown}": there are ${GRAPH_MODELS.join(', ')}`);

function measureOnce(framework: string, model: string): ModelTimes {
  const { status, stdout, stderr } = spawnSync(process.execPath, [child, framework, model], {
    encoding: 'utf8',
    env: { ...process.env, ...(cold ? { MESA_SHADER_CACHE_DISABLE: 'true' } : {}) },
  });
  if (status !== 0) throw new Error(`${framework} ${model} failed:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ModelTimes;
}

function least(times: readonly ModelTimes[]): ModelTimes {
  const of = (key: keyof ModelTimes): number => Math.min(...times.map((time) => time[key]));
  return {
    load: of('load'),
    first: of('first'),
    steady: of('steady'),
    loadProcessor: of('loadProcessor'),
    firstProcessor: of('firstProcessor'),
  };
}

/** Models that tfjs cannot run here: reading tensors without waiting, as its control flow does, takes an `OffscreenCanvas`. */
const UNABLE: ReadonlySet<string> = new Set(['handtrack']);

function cell(ours: number, theirs: number): string {
  if (!Number.isFinite(theirs)) return `${ours.toFixed(0).padStart(7)}${'-'.padStart(16)}`;
  return `${ours.toFixed(0).padStart(7)} ${theirs.toFixed(0).padStart(7)} ${(theirs / ours).toFixed(1).padStart(6)}x`;
}

const COLUMNS: readonly (readonly [title: string, key: keyof ModelTimes])[] = [
  ['import', 'load'],
  ['first inference', 'first'],
  ['steady', 'steady'],
  ['import, processor', 'loadProcessor'],
  ['first, processor', 'firstProcessor'],
];

console.log('milliseconds in Forerun and in tfjs, and tfjs / Forerun');
console.log(`${''.padEnd(18)}${COLUMNS.map(([title]) => title.padStart(23)).join('')}`);
for (const name of GRAPH_MODELS) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const times = { forerun: [] as ModelTimes[], tfjs: [] as ModelTimes[] };
  for (let round = 0; round < (cold ? 1 : 2); round++) {
    times.forerun.push(measureOnce('forerun', name));
    if (!UNABLE.has(name)) times.tfjs.push(measureOnce('tfjs', name));
  }
  const [a, b] = [least(times.forerun), least(times.tfjs)];
  console.log(`${name.padEnd(18)}${COLUMNS.map(([, key]) => cell(a[key], b[key])).join('')}`);
}
