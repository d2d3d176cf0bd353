/**
 * Pre-trained graph models of npm `@vladmandic/human`, or those at given paths, in Forerun and in tfjs's WebGPU backend, on the
 * same adapter: import, first and steady inference.
 *
 *   node bench/dist/graphModels.js [--cold] [MODEL | PATH/model.json ...]
 *
 * Each framework runs in a process of its own, in turn, twice; the least time of each counts, and the processor time too,
 * because other load on the machine lengthens a single run. The driver's shader cache is warm from
 * the second process on: `--cold` switches it off (Mesa), and measures every framework once.
 */
import { fileURLToPath } from 'node:url';
import { GRAPH_MODELS, isModel } from './graphModels/models.js';
import { cells, HEADER, leastTimes, runChild } from './graphModels/turns.js';
import type { ModelTimes } from './graphModels/measureModel.js';

const child = fileURLToPath(new URL('./graphModels/child.js', import.meta.url));
const args = process.argv.slice(2);
const cold = args.includes('--cold');
const asked = args.filter((arg) => arg !== '--cold');
const unknown = asked.find((name) => !isModel(name));
if (unknown !== undefined) {
  throw new Error(
    `unknown model "${unknown}": there are ${GRAPH_MODELS.join(', ')}, and paths that end in .json`,
  );
}

function measureOnce(framework: string, model: string): ModelTimes {
  return runChild(child, [framework, model], cold ? { MESA_SHADER_CACHE_DISABLE: 'true' } : {});
}

/** Models that tfjs cannot run here: reading tensors without waiting, as its control flow does, takes an `OffscreenCanvas`. */
const UNABLE: ReadonlySet<string> = new Set(['handtrack']);

console.log('milliseconds in Forerun and in tfjs, and tfjs / Forerun');
console.log(`${''.padEnd(18)}${HEADER}`);
for (const name of asked.length > 0 ? asked : GRAPH_MODELS) {
  const times = { forerun: [] as ModelTimes[], tfjs: [] as ModelTimes[] };
  for (let round = 0; round < (cold ? 1 : 2); round++) {
    times.forerun.push(measureOnce('forerun', name));
    if (!UNABLE.has(name)) times.tfjs.push(measureOnce('tfjs', name));
  }
  const title = name
    .replace(/\.json$/, '')
    .split('/')
    .slice(-2)
    .join('/');
  console.log(`${title.padEnd(18)}${cells(leastTimes(times.forerun), leastTimes(times.tfjs))}`);
}
