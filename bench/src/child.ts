/** One measured process: `child.js <framework> <workload> [batch]`, or `child.js ceilings`, prints a measurement as JSON. */
import { WORKLOAD_NAMES, type WorkloadName } from '../workloads/specs.js';
import type { Measurement } from './measure.js';

/** Frameworks by name; each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (name: WorkloadName, batch?: number) => Promise<Measurement>>> = {
  forerun: async (name, batch) => (await import('./forerun.js')).measureForerun(name, batch),
  tfjs: async (name) => (await import('../tfjs/measure.js')).measureTfjs(name, false),
  pytorch: async (name) => (await import('../pytorch/measure.js')).measurePytorch(name),
  tfjsNapping: async (name) => (await import('../tfjs/measure.js')).measureTfjs(name, true),
};

async function result(): Promise<unknown> {
  const [framework = '', workload = '', batch] = process.argv.slice(2);
  if (framework === 'ceilings') return (await import('./ceilings.js')).measureCeilings();
  const run = FRAMEWORKS[framework];
  if (run === undefined || !WORKLOAD_NAMES.includes(workload as WorkloadName)) {
    throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} ${WORKLOAD_NAMES.join('|')}`);
  }
  return run(workload as WorkloadName, batch === undefined ? undefined : Number(batch));
}

process.stdout.write(`${JSON.stringify(await result())}\n`, () => process.exit(0));
