/** Damaged ONNX models, with bodies of loops and values beside them: a graph or one error that says where. */
import { Graph, TensorValue } from '@forerun/graph';
import { importOnnx, readExternalData, readOnnxModel } from '@forerun/formats';
import { FUZZ_ROUNDS, fuzz } from '@forerun/testing';
import { attribute, modelOf, type ModelParts } from './models.js';

const floats = (...shape: number[]): TensorValue =>
  new TensorValue('float32', shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.5));
const longs = (...list: number[]): TensorValue =>
  new TensorValue('int64', [list.length], BigInt64Array.from(list, BigInt));
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

const OPERATORS = modelOf({
  nodes: [
    node('GridSample', ['image', 'grid'], ['sampled'], [['mode', 'linear'], ['padding_mode', 'border']]),
    node('RoiAlign', ['image', 'regions', 'which'], ['pooled'], [['output_height', 2], ['sampling_ratio', 1]]),
    node('DeformConv', ['image', 'filter', 'offsets'], ['bent']),
    node('DFT', ['signal', 'length'], ['spectrum'], [['onesided', 1]]),
    node('Col2Im', ['columns', 'size', 'block'], ['whole'], [['strides', [1, 1]]]),
    node('GatherND', ['image', 'vectors'], ['points'], [['batch_dims', 1]]),
    node('SplitToSequence', ['image', 'length'], ['parts'], [['axis', 2]]),
    node('SequenceErase', ['parts', 'first'], ['left']),
    node('ConcatFromSequence', ['left'], ['joined'], [['axis', 2]]),
  ],
  inputs: { image: { type: 1, shape: [1, 2, 4, 3] }, grid: { type: 1, shape: [1, 2, 2, 2] }, regions: { type: 1, shape: [1, 4] }, offsets: { type: 1, shape: [1, 8, 3, 2] }, signal: { type: 1, shape: [1, 5, 1] }, columns: { type: 1, shape: [1, 4, 6] } },
  outputs: ['sampled', 'pooled', 'bent', 'spectrum', 'whole', 'points', 'joined'],
  initializers: { filter: floats(1, 2, 2, 2), which: longs(0), length: new TensorValue('int64', [], BigInt64Array.of(3n)), first: new TensorValue('int64', [], BigInt64Array.of(0n)), size: longs(4, 3), block: longs(2, 2), vectors: new TensorValue('int64', [1, 2, 2], BigInt64Array.of(0n, 1n, 1n, 2n)) },
  opset: 20,
}); // prettier-ignore

test.each([
  ['a convolution', CONVOLUTION],
  ['a loop and a recurrent layer', LOOP],
  ['operators of images, signals and sequences', OPERATORS],
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
