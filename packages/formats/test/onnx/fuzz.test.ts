/** Damaged ONNX models, with bodies of loops and values beside them: a graph or one error that says where. */
import { Graph, TensorValue } from '@forerun/graph';
import { importOnnx, readExternalData, readOnnxModel } from '@forerun/formats';
import { FUZZ_ROUNDS, fuzz } from '@forerun/testing';
import { attribute, modelOf, type ModelParts } from './models.js';

const floats = (...shape: number[]): TensorValue =>
  new TensorValue('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5));
const node = (opType: string, input: string[], output: string[], attributes: Parameters<typeof attribute>[] = []): ModelParts['nodes'][number] => ({
  opType, name: output[0] ?? '', input, output, attribute: attributes.map(([name, value]) => attribute(name, value)),
}); // prettier-ignore

const CONVOLUTION = modelOf({
  nodes: [
    node('Conv', ['x', 'w', 'b'], ['y'], [['pads', [1, 1, 1, 1]], ['strides', [2, 1]], ['group', 1]]),
    node('Reshape', ['y', 'shape'], ['z']),
  ],
  inputs: { x: { type: 1, shape: [2, 4, 7, 6] } },
  outputs: ['z'],
  initializers: { w: floats(5, 4, 3, 3), b: floats(5), shape: new TensorValue('int64', [2], BigInt64Array.of(2n, -1n)) },
}); // prettier-ignore

const LOOP = modelOf({
  nodes: [
    node('LSTM', ['x', 'w', 'r'], ['y', 'h'], [['hidden_size', 2], ['direction', 'forward']]),
    node('Loop', ['count', '', 'h'], ['v', 'rows'], [['body', { body: {
      nodes: [node('Add', ['s', 's'], ['next']), node('Identity', ['goes'], ['on']), node('Neg', ['next'], ['row'])],
      inputs: { i: 7, goes: 9, s: 1 }, outputs: { on: 9, next: 1, row: 1 },
    } }]]),
  ],
  inputs: { x: { type: 1, shape: [3, 1, 2] } },
  outputs: ['v', 'rows'],
  initializers: { w: floats(1, 8, 2), r: floats(1, 8, 2), count: new TensorValue('int64', [], BigInt64Array.of(3n)) },
}); // prettier-ignore

test.each([
  ['a convolution', CONVOLUTION],
  ['a loop and a recurrent layer', LOOP],
])(
  '%s',
  async (_, seed) => {
    const parse = async (bytes: Uint8Array): Promise<void> => {
      const model = readOnnxModel(bytes);
      await readExternalData(model, () => Promise.resolve(new Uint8Array(16)));
      importOnnx(model, { graph: new Graph() });
    };
    const { refused } = await fuzz({ seeds: [seed], parse });
    expect(refused).toBeGreaterThan(FUZZ_ROUNDS / 10);
  },
  3_600_000,
);
