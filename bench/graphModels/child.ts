/** One measured process: `child.js <framework> <model>` prints the times as JSON. */
import { GRAPH_MODELS, isModel } from './models.js';
import type { ModelTimes } from './measureModel.js';

/** Frameworks by name; each is loaded only in its own process. */
const FRAMEWORKS: Readonly<Record<string, (name: string) => Promise<ModelTimes>>> = {
  forerun: async (name) => (await import('./forerunModel.js')).forerunModel(name),
  tfjs: async (name) => (await import('./tfjsModel.js')).tfjsModel(name),
};

const [framework = '', model = ''] = process.argv.slice(2);
const run = FRAMEWORKS[framework];
if (run === undefined || !isModel(model)) {
  throw new Error(`usage: child.js ${Object.keys(FRAMEWORKS).join('|')} ${GRAPH_MODELS.join('|')}`);
}
process.stdout.write(`${JSON.stringify(await run(model))}\n`, () => process.exit(0));
