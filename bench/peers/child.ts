/** One measured process: `child.js <framework> <case>` prints a measurement as JSON. */
import { PEER_CASES, type PeerCase, type PeerMeasurement } from './peerCases.js';

/** Each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (test: PeerCase) => Promise<PeerMeasurement>>> = {
  forerun: async (test) => (await import('./forerunKernel.js')).measureForerun(test),
  tfjs: async (test) => (await import('./tfjsKernel.js')).measureTfjs(test),
  onnxruntime: async (test) => (await import('./onnxKernel.js')).measureOnnx(test),
};

const [framework = '', name = ''] = process.argv.slice(2);
const test = PEER_CASES.find((one) => one.name === name);
const measure = FRAMEWORKS[framework];
if (measure === undefined || test === undefined)
  throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} CASE`);
process.stdout.write(`\n${JSON.stringify(await measure(test))}\n`, () => process.exit(0));
