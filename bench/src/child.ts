/** One measured process: `child.js <framework> <workload>` prints a measurement as JSON. */
import { WORKLOAD_NAMES, type WorkloadName } from '../workloads/specs.js';
import type { Measurement } from './measure.js';

/** Frameworks by name; each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (name: WorkloadName) => Promise<Measurement>>> = {
  forerun: async (name) => (await import('./forerun.js')).measureForerun(name),
  tfjs: async (name) => (await import('../tfjs/measure.js')).measureTfjs(name),
};

const [framework = '', workload = ''] = process.argv.slice(2);
const run = FRAMEWORKS[framework];
if (run === undefined || !WORKLOAD_NAMES.includes(workload as WorkloadName)) {
  throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} ${WORKLOAD_NAMES.join('|')}`);
}
process.stdout.write(`${JSON.stringify(await run(workload as WorkloadName))}\n`, () => process.exit(0));
