/**
 * Training steps of networks beyond the workloads of `npm run bench`, in Forerun and in tfjs's WebGPU backend with the naps between
 * polls that Forerun takes, on the same adapter.
 *
 *   node bench/dist/networks.js [--shipped] [--steps N] [--labels] [NETWORK ...]
 *
 * Each framework runs in a process of its own, in turn, twice, and the least step of each counts, by wall time and by processor
 * time. `--shipped` measures tfjs without the naps; `--labels` prints every dispatch of one traced step of Forerun instead.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runChild } from './graphModels/turns.js';
import { NETWORK_NAMES, NETWORKS, type NetworkName } from './networks/specs.js';
import { traceNetwork } from './networks/trace.js';
import type { Measurement } from './src/measure.js';

const child = fileURLToPath(new URL('./networks/child.js', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    shipped: { type: 'boolean', default: false },
    labels: { type: 'boolean', default: false },
    steps: { type: 'string', default: '6' },
  },
});
const unknown = positionals.find((name) => !NETWORK_NAMES.includes(name as NetworkName));
if (unknown !== undefined)
  throw new Error(`unknown network "${unknown}": there are ${NETWORK_NAMES.join(', ')}`);
const asked = NETWORK_NAMES.filter((name) => positionals.length === 0 || positionals.includes(name));

const least = (runs: readonly Measurement[], of: (run: Measurement) => readonly number[]): number =>
  Math.min(...runs.flatMap(of));

function compare(name: NetworkName): string {
  const peer = values.shipped ? 'tfjs' : 'tfjsNapping';
  const [ours, theirs]: [Measurement[], Measurement[]] = [[], []];
  for (let round = 0; round < 2; round++) {
    ours.push(runChild(child, ['forerun', name, values.steps]));
    theirs.push(runChild(child, [peer, name, values.steps]));
  }
  const pair = (of: (run: Measurement) => readonly number[]): string => {
    const [a, b] = [least(ours, of), least(theirs, of)];
    return `${a.toFixed(1).padStart(9)} ${b.toFixed(1).padStart(9)} ${(b / a).toFixed(1).padStart(6)}x`;
  };
  const plan = ours[0]?.plan;
  return [
    name.padEnd(15),
    pair((run) => run.stepMilliseconds),
    pair((run) => run.processorMilliseconds ?? []),
    pair((run) => [run.firstStepMilliseconds]),
    String(plan?.dispatches ?? NaN).padStart(11),
    ((plan?.peakBytes ?? NaN) / 2 ** 20).toFixed(1).padStart(9),
    `  ${NETWORKS[name].title}`,
  ].join('');
}

if (values.labels) {
  for (const name of asked) for (const line of await traceNetwork(name)) console.log(line);
} else {
  const titles = ['step ms', 'step, processor ms', 'first step ms']
    .map((title) => title.padStart(27))
    .join('');
  console.log(`Forerun, tfjs, and tfjs / Forerun\n${''.padEnd(15)}${titles} dispatches  peak MiB`);
  for (const name of asked) console.log(compare(name));
}
