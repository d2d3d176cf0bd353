/**
 * A model of TensorFlow.js, a graph or layers: read, run on noise, written as a frozen TensorFlow graph. The default is one of the models of npm
 * `@vladmandic/human`, which tells photographs of living faces from others.
 *
 *   node examples/dist/tfjsModel.js [model.json]
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fr from 'forerun';

const LIVENESS = fileURLToPath(
  new URL('../../node_modules/@vladmandic/human/models/liveness.json', import.meta.url),
);
const path = process.argv[2] ?? LIVENESS;

const graph = new fr.Graph();
const isLayers = (JSON.parse(readFileSync(path, 'utf8')) as { format?: string }).format === 'layers-model';
const model = await (isLayers
  ? fr.io.loadLayersModel(path, { graph })
  : fr.io.loadGraphModel(path, { graph }));
console.log(`${basename(path)}: ${graph.operations.length} nodes`);

// Noise in place of images; sizes that are open are 1.
const feeds = new Map<fr.Tensor, fr.TensorValue>();
for (const [name, input] of Object.entries(model.inputs)) {
  const shape = (input.shape.dims ?? []).map((dim) => dim ?? 1);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const elements = Array.from({ length: size }, (_, i) => (Math.sin(i * 12.9898) + 1) / 2);
  const data =
    input.dtype === 'int32' ? Int32Array.from(elements, (x) => x * 255) : Float32Array.from(elements);
  feeds.set(input, new fr.TensorValue(input.dtype, shape, data));
  console.log(`  input ${name}: ${input.dtype} ${input.shape.toString()}`);
}
const sess = await fr.Session.create({ graph });
const results = await sess.run(model.outputs, feeds);
for (const [name, { dtype, shape, data }] of Object.entries(results)) {
  const first = [...data].slice(0, 4).map((value) => Number(value).toPrecision(5));
  console.log(`  output ${name}: ${dtype} [${shape.join(',')}]  ${first.join('  ')}`);
}
sess.close();
console.log(`wrote ${await fr.io.writeGraph(graph, 'out/tfjs', 'model.pb', { asText: false })}`);
