/**
 * Runs a graph model with TensorFlow.js' cpu backend, in a process of its own: `node tfjsGraph.mjs MODEL.json`. Standard input is the JSON list of inputs
 * `{ name, dtype, shape, data }`; standard output the list of outputs `{ shape, data }` of those named by further arguments.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

const [modelPath, ...names] = process.argv.slice(2);
console.warn = () => {};
await tf.setBackend('cpu');
const model = JSON.parse(readFileSync(modelPath, 'utf8'));
const shards = model.weightsManifest
  .flatMap(({ paths }) => paths)
  .map((shard) => readFileSync(path.join(path.dirname(modelPath), shard)));
const weights = Uint8Array.from(Buffer.concat(shards));
const loaded = await loadGraphModel({
  load: () => ({
    ...model,
    weightSpecs: model.weightsManifest.flatMap(({ weights: specs }) => specs),
    weightData: weights.buffer,
  }),
});
const inputs = JSON.parse(readFileSync(0, 'utf8'));
const feeds = Object.fromEntries(
  inputs.map(({ name, dtype, shape, data }) => [name, tf.tensor(data, shape, dtype)]),
);
const results = [await loaded.executeAsync(feeds, names)].flat();
process.stdout.write(
  JSON.stringify(results.map((result) => ({ shape: result.shape, data: [...result.dataSync()] }))),
);
