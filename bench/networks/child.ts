/** One measured process: `child.js <framework> <network> <steps>` prints a measurement as JSON. */
import type { Measurement } from '../src/measure.js';
import { NETWORK_NAMES, type NetworkName } from './specs.js';

/** Frameworks by name; each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (name: NetworkName, steps: number) => Promise<Measurement>>> = {
  forerun: async (name, steps) => (await import('./forerun.js')).measureForerun(name, steps),
  tfjs: async (name, steps) => (await import('./tfjs.js')).measureTfjs(name, steps, false),
  tfjsNapping: async (name, steps) => (await import('./tfjs.js')).measureTfjs(name, steps, true),
};

const [framework = '', network = '', steps = '6'] = process.argv.slice(2);
const run = FRAMEWORKS[framework];
if (run === undefined || !NETWORK_NAMES.includes(network as NetworkName)) {
  throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} ${NETWORK_NAMES.join('|')} [STEPS]`);
}
process.stdout.write(`\n${JSON.stringify(await run(network as NetworkName, Number(steps)))}\n`, () =>
  process.exit(0),
);
