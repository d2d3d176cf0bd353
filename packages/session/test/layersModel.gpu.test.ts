/** Layers models of TensorFlow.js give what it computes; what cannot be read is refused, naming the layer. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Graph, InvalidArgumentError, TensorValue, type Tensor } from '@forerun/graph';
import { loadLayersModel, Session } from '../src/index.js';

const FIXTURES = fileURLToPath(new URL('fixtures/layers/', import.meta.url));

interface Listed {
  readonly dtype: string;
  readonly shape: number[];
  readonly data: number[];
}

function valueOf({ dtype, shape, data }: Listed): TensorValue {
  return dtype === 'int32'
    ? new TensorValue('int32', shape, Int32Array.from(data))
    : new TensorValue('float32', shape, Float32Array.from(data));
}

test.each(['sequential', 'functional'])('a %s model', async (name) => {
  const graph = new Graph();
  const model = await loadLayersModel(`${FIXTURES}${name}/model.json`, { graph });
  const given = JSON.parse(readFileSync(`${FIXTURES}${name}/values.json`, 'utf8')) as Record<
    'inputs' | 'outputs',
    Listed[]
  >;
  const inputs = Object.values(model.inputs);
  expect(inputs.length).toBe(given.inputs.length);
  const feeds = new Map<Tensor, TensorValue>(
    inputs.flatMap((input, i) => (given.inputs[i] === undefined ? [] : [[input, valueOf(given.inputs[i])]])),
  );
  const sess = await Session.create({ graph });
  const results = await sess.run(Object.values(model.outputs), feeds);
  sess.close();
  expect(results.map(({ shape }) => shape)).toEqual(given.outputs.map(({ shape }) => shape));
  results.forEach(({ data }, k) => {
    const wanted = given.outputs[k]?.data ?? [];
    const worst = Math.max(...wanted.map((x, i) => Math.abs(Number(data[i]) - x)));
    expect(worst).toBeLessThan(2e-6);
  });
});

/** A Sequential model with one layer after the input. */
function modelJson(layer: object, weights: object[] = []): string {
  const input = { class_name: 'InputLayer', config: { name: 'in', batch_input_shape: [null, 2] } };
  return JSON.stringify({
    format: 'layers-model',
    modelTopology: { class_name: 'Sequential', config: { layers: [input, layer] } },
    weightsManifest: [{ paths: ['w.bin'], weights }],
  });
}

test.each([
  [
    'an unknown layer',
    { class_name: 'Bidirectional', config: { name: 'rnn' } },
    /layer "rnn": Bidirectional is not known; there are Input/,
  ],
  [
    'a missing weight',
    { class_name: 'Dense', config: { name: 'd' } },
    /layer "d" \(Dense\): the weights hold no "d\/kernel"/,
  ],
  [
    'an unknown activation',
    { class_name: 'Activation', config: { name: 'a', activation: 'zigzag' } },
    /layer "a" .*"zigzag" is not known/,
  ],
  ['a layer without a name', { class_name: 'Dense', config: {} }, /layers\[1\]: name: expected text/],
])('refuses %s', async (_, layer, message) => {
  const readFile = (path: string): Promise<Uint8Array> =>
    Promise.resolve(path === 'w.bin' ? new Uint8Array(0) : new TextEncoder().encode(modelJson(layer)));
  const loading = loadLayersModel('model.json', { graph: new Graph(), readFile });
  await expect(loading).rejects.toThrow(message);
  await expect(loading).rejects.toThrow(InvalidArgumentError);
});
