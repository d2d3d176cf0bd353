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

test.each(['sequential', 'functional', 'recurrent', 'masked', 'words', 'windows', 'prepared', 'attention'])(
  'the model %s',
  async (name) => {
    const graph = new Graph();
    const model = await loadLayersModel(`${FIXTURES}${name}/model.json`, { graph });
    const given = JSON.parse(readFileSync(`${FIXTURES}${name}/values.json`, 'utf8')) as Record<
      'inputs' | 'outputs',
      Listed[]
    >;
    const inputs = Object.values(model.inputs);
    expect(inputs.length).toBe(given.inputs.length);
    const feeds = new Map<Tensor, TensorValue>(
      inputs.flatMap((input, i) =>
        given.inputs[i] === undefined ? [] : [[input, valueOf(given.inputs[i])]],
      ),
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
  },
);

/** The weights of an LSTM named "rnn" with 2 inputs and 1 unit. */
const LSTM_WEIGHTS = [
  { name: 'rnn/lstm_cell/kernel', shape: [2, 4], dtype: 'float32' },
  { name: 'rnn/lstm_cell/recurrent_kernel', shape: [1, 4], dtype: 'float32' },
  { name: 'rnn/lstm_cell/bias', shape: [4], dtype: 'float32' },
];

test('states that are given: those after the first steps go on as if there had been no break', async () => {
  const input = (name: string, shape: (number | null)[]): object => ({
    class_name: 'InputLayer',
    name,
    config: { name, batch_input_shape: shape },
    inbound_nodes: [],
  });
  const config = { name: 'rnn', units: 1, return_state: true, return_sequences: true };
  const from = ['x', 'h', 'c'].map((name) => [name, 0, 0, {}]);
  const rnn = { class_name: 'LSTM', name: 'rnn', config, inbound_nodes: [from] };
  const topology = {
    class_name: 'Model',
    config: {
      layers: [input('x', [null, null, 2]), input('h', [null, 1]), input('c', [null, 1]), rnn],
      input_layers: from,
      output_layers: [0, 1, 2].map((i) => ['rnn', 0, i]),
    },
  };
  const json = JSON.stringify({ format: 'layers-model', modelTopology: topology, weightsManifest: [{ paths: ['w.bin'], weights: LSTM_WEIGHTS }] }); // prettier-ignore
  const bytes = new Uint8Array(Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)).buffer);
  const readFile = (path: string): Promise<Uint8Array> =>
    Promise.resolve(path === 'w.bin' ? bytes : new TextEncoder().encode(json));
  const graph = new Graph();
  const { inputs } = await loadLayersModel('model.json', { graph, readFile });
  await using sess = await Session.create({ graph });
  const inputOf = (name: string): Tensor => inputs[name] ?? graph.getTensorByName(name);
  const run = (x: number[][], h: TensorValue, c: TensorValue): Promise<TensorValue[]> =>
    sess.run(
      [0, 1, 2].map((i) => graph.getTensorByName(i === 0 ? 'rnn/output:0' : `rnn/output_${i}:0`)),
      new Map([
        [inputOf('x'), new TensorValue('float32', [1, x.length, 2], Float32Array.from(x.flat()))],
        [inputOf('h'), h],
        [inputOf('c'), c],
      ]),
    );
  const zero = new TensorValue('float32', [1, 1], Float32Array.of(0));
  const steps = [[1, 2], [0.5, -1], [-2, 0.3], [0, 1]]; // prettier-ignore
  const [whole] = await run(steps, zero, zero);
  const [start, h = zero, c = zero] = await run(steps.slice(0, 2), zero, zero);
  const [end] = await run(steps.slice(2), h, c);
  expect([...(start?.data ?? []), ...(end?.data ?? [])]).toEqual([...(whole?.data ?? [])]);
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

/** The output of a Sequential model of one layer for the input [[1, -2], [0.5, 3]], with weights sin(0), sin(1), … */
async function outputOf(
  layer: object,
  shapes: Readonly<Record<string, number[]>>,
  input: (number | null)[],
): Promise<number[]> {
  const weights = Object.entries(shapes).map(([name, shape]) => ({ name, shape, dtype: 'float32' }));
  const count = Object.values(shapes).reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const bytes = new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.sin(i)).buffer);
  const json = JSON.parse(modelJson(layer, weights)) as {
    modelTopology: { config: { layers: { config: { batch_input_shape: unknown } }[] } };
  };
  const [first] = json.modelTopology.config.layers;
  if (first !== undefined) first.config.batch_input_shape = input;
  const readFile = (path: string): Promise<Uint8Array> =>
    Promise.resolve(path === 'w.bin' ? bytes : new TextEncoder().encode(JSON.stringify(json)));
  const graph = new Graph();
  const model = await loadLayersModel('model.json', { graph, readFile });
  await using sess = await Session.create({ graph });
  const [x] = Object.values(model.inputs);
  const value = new TensorValue('float32', [1, 2, 2], Float32Array.of(1, -2, 0.5, 3));
  const [y] = await sess.run(
    Object.values(model.outputs),
    x === undefined ? new Map() : new Map([[x, value]]),
  );
  return [...(y?.data ?? [])].map(Number);
}

test('a gated unit that resets after its product computes as Keras says', async () => {
  const config = { name: 'g', units: 1, reset_after: true };
  const shapes = { 'g/kernel': [2, 3], 'g/recurrent_kernel': [1, 3], 'g/bias': [2, 3] };
  const got = await outputOf({ class_name: 'GRU', config }, shapes, [null, 2, 2]);
  const w = (i: number): number => Math.sin(i);
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  let h = 0;
  for (const [a = 0, b = 0] of [
    [1, -2],
    [0.5, 3],
  ]) {
    const fromX = [0, 1, 2].map((k) => a * w(k) + b * w(3 + k) + w(9 + k));
    const fromH = [0, 1, 2].map((k) => h * w(6 + k) + w(12 + k));
    const [z, r] = [0, 1].map((k) => sigmoid((fromX[k] ?? 0) + (fromH[k] ?? 0)));
    const candidate = Math.tanh((fromX[2] ?? 0) + (r ?? 0) * (fromH[2] ?? 0));
    h = (z ?? 0) * h + (1 - (z ?? 0)) * candidate;
  }
  expect(got).toEqual([expect.closeTo(h, 6)]);
});

test('a product by an equation', async () => {
  const config = { name: 'e', equation: 'abc,cd->adb', bias_axes: 'd', activation: 'linear' };
  const got = await outputOf(
    { class_name: 'EinsumDense', config },
    { 'e/kernel': [2, 3], 'e/bias': [3, 1] },
    [null, 2, 2],
  );
  const want = [0, 1, 2].flatMap((d) =>
    [
      [1, -2],
      [0.5, 3],
    ].map(([a = 0, b = 0]) => a * Math.sin(d) + b * Math.sin(3 + d) + Math.sin(6 + d)),
  );
  expect(got).toEqual(want.map((x) => expect.closeTo(x, 5) as number));
});

test.each([
  [
    'an unknown layer',
    { class_name: 'TransformerDecoder', config: { name: 'decoder' } },
    /layer "decoder": TransformerDecoder is not known; there are Activation, /,
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
  [
    'a cell that is not known',
    { class_name: 'RNN', config: { name: 'r', cell: { class_name: 'Cell', config: {} } } },
    /layer "r" \(RNN\): the cell "Cell" is not known/,
  ],
  [
    'attention without a value',
    { class_name: 'MultiHeadAttention', config: { name: 'heads', key_dim: 2 } },
    /layer "heads" \(MultiHeadAttention\): takes a query and a value/,
  ],
  [
    'a size that is none',
    { class_name: 'Resizing', config: { name: 'r', height: 'x', width: 2 } },
    /layer "r" \(Resizing\): height must be a number/,
  ],
  ['a layer without a name', { class_name: 'Dense', config: {} }, /layers\[1\]: name: expected text/],
])('refuses %s', async (_, layer, message) => {
  const readFile = (path: string): Promise<Uint8Array> =>
    Promise.resolve(path === 'w.bin' ? new Uint8Array(0) : new TextEncoder().encode(modelJson(layer)));
  const loading = loadLayersModel('model.json', { graph: new Graph(), readFile });
  await expect(loading).rejects.toThrow(message);
  await expect(loading).rejects.toThrow(InvalidArgumentError);
});
