/** One measured process: `child.js <framework> <model.onnx> [NAME=1,2,3 ...]` prints times and outputs as JSON. */
import { parseShapes, type OnnxTimes, type Shapes } from './inputs.js';

/** Frameworks by name; each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (path: string, shapes: Shapes) => Promise<OnnxTimes>>> = {
  forerun: async (path, shapes) => (await import('./forerunOnnx.js')).forerunOnnx(path, shapes),
  onnxruntime: async (path, shapes) => (await import('./onnxRuntime.js')).onnxRuntime(path, shapes),
};

const [framework = '', path = '', ...shapes] = process.argv.slice(2);
const run = FRAMEWORKS[framework];
if (run === undefined || path === '') {
  throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} MODEL.onnx [NAME=1,2,3 ...]`);
}
process.stdout.write(`\n${JSON.stringify(await run(path, parseShapes(shapes)))}\n`, () => process.exit(0));
