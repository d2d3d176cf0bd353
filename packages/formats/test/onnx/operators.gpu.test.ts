/** Operators of ONNX for images at computed places, regions, signals, losses and bits, beside ONNX Runtime: all of an operator set in one model. */
import { Graph, proto, TensorValue, toHostValue } from '@forerun/graph';
import { Session } from '@forerun/session';
import { importOnnx } from '@forerun/formats';
import { agree, node } from './agree.js';
import { bools, bytes, floats, held, ints, long, longs, together, valuesFrom, type Case } from './cases.js';
import { modelOf, type ModelParts } from './models.js';

const values = valuesFrom(31);

const image = values([2, 3, 5, 4]);
const grid = values([2, 3, 4, 2], -1.4, 1.4);
const sampling = (mode: string, padding_mode: string, align_corners: number): Case => ({
  op: 'GridSample',
  inputs: [image, grid],
  attributes: { mode, padding_mode, align_corners },
});

const regions = new TensorValue(
  'float32',
  [3, 4],
  Float32Array.of(0.5, 1, 9.5, 7, 3, 2, 6.2, 9.7, -2, 4, 3, 12),
);
const picture = values([2, 2, 10, 11]);
const align = (attributes: Case['attributes']): Case => ({
  op: 'RoiAlign',
  inputs: [picture, regions, longs([0, 1, 1])],
  attributes: { output_height: 3, output_width: 2, ...attributes },
});

const logProbabilities = values([3, 4, 2], -3, 0);
const classes = longs([0, 3, 2, 1, 0, 2], [3, 2]);
const classWeights = floats(0.5, 1, 2, 0.25);

const SETS: Readonly<Record<number, readonly Case[]>> = {
  10: [{ op: 'Scatter', inputs: [values([4, 3]), held(longs([0, 3, 2], [1, 3])), values([1, 3])] }],
  16: [
    sampling('bilinear', 'zeros', 0),
    sampling('bilinear', 'reflection', 0),
    sampling('nearest', 'border', 1),
    sampling('nearest', 'reflection', 1),
    sampling('bicubic', 'zeros', 0),
    align({ sampling_ratio: 2, spatial_scale: { f: 0.8 } }),
    align({ coordinate_transformation_mode: 'output_half_pixel' }),
    align({ mode: 'max', sampling_ratio: 2 }),
  ],
  17: [
    { op: 'HannWindow', inputs: [held(long(7))] },
    { op: 'HammingWindow', inputs: [long(8)], attributes: { periodic: 0 } },
    { op: 'BlackmanWindow', inputs: [held(long(9))], attributes: { periodic: 1 } },
    { op: 'MelWeightMatrix', inputs: [long(8), long(64), long(8192), floats(20), floats(3000)].map((x) => held(new TensorValue(x.dtype, [], x.data))) },
    { op: 'DFT', inputs: [values([2, 7, 1])], attributes: { axis: 1, onesided: 1 } },
    { op: 'DFT', inputs: [values([2, 6, 3, 2])], attributes: { axis: 1 } },
    { op: 'DFT', inputs: [values([2, 3, 5, 2]), held(long(8))], attributes: { axis: 2, inverse: 1 } },
    { op: 'DFT', inputs: [values([2, 9, 1]), held(long(4))], attributes: { axis: 1 } },
    { op: 'STFT', inputs: [values([2, 20, 1]), held(long(4)), values([8])] },
    { op: 'STFT', inputs: [values([2, 17, 2]), held(long(3)), null, held(long(6))], attributes: { onesided: 0 } },
    { op: 'NegativeLogLikelihoodLoss', inputs: [logProbabilities, classes], attributes: { reduction: 'none' } },
    { op: 'NegativeLogLikelihoodLoss', inputs: [logProbabilities, classes, classWeights], attributes: { ignore_index: 2 } },
    { op: 'NegativeLogLikelihoodLoss', inputs: [values([3, 4]), longs([1, -1, 3])], attributes: { reduction: 'sum', ignore_index: -1 } },
    { op: 'SoftmaxCrossEntropyLoss', inputs: [values([3, 4, 2], -4, 4), classes, classWeights], outputs: 2 },
    { op: 'SoftmaxCrossEntropyLoss', inputs: [values([3, 4], -4, 4), longs([1, 0, 3])], attributes: { reduction: 'none' } },
    { op: 'MaxRoiPool', inputs: [picture, new TensorValue('float32', [2, 5], Float32Array.of(0, 1, 2, 8, 9, 1, 3, 0, 4, 12))], attributes: { pooled_shape: [2, 3], spatial_scale: { f: 0.9 } } },
    { op: 'Compress', inputs: [values([3, 4]), bools(1, 0, 1)], attributes: { axis: 1 } },
    { op: 'Compress', inputs: [values([3, 2]), bools(0, 1, 1, 0, 1)] },
    { op: 'Det', inputs: [values([2, 3, 3])] },
    { op: 'Shrink', inputs: [values([3, 5], -2, 2)], attributes: { lambd: { f: 0.7 }, bias: { f: 0.2 } } },
    { op: 'BitShift', inputs: [bytes(1, 7, 200), bytes(1, 3, 2)], attributes: { direction: 'LEFT' } },
    { op: 'BitShift', inputs: [bytes(1, 7, 200), bytes(1, 3, 2)], attributes: { direction: 'RIGHT' } },
    { op: 'MaxPool', inputs: [values([2, 3, 7, 6])], attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1], storage_order: 1 }, outputs: 2 },
    { op: 'MaxPool', inputs: [values([1, 2, 4, 5, 6])], attributes: { kernel_shape: [2, 2, 2], strides: [2, 2, 1], storage_order: 1 }, outputs: 2 },
    { op: 'GatherND', inputs: [values([2, 3, 4, 2]), held(longs([0, 1, 2, -1, 1, 1, 0, 0], [2, 2, 2]))], attributes: { batch_dims: 1 } },
    { op: 'GatherND', inputs: [values([2, 2, 3, 4]), longs([0, 1, 2, 3, 1, -2, 0, -1], [2, 2, 1, 2])], attributes: { batch_dims: 2 } },
  ],
  18: [
    { op: 'CenterCropPad', inputs: [values([5, 6, 4]), held(longs([3, 9]))], attributes: { axes: [0, -1] } },
    { op: 'CenterCropPad', inputs: [values([4, 3]), held(longs([7, 2]))] },
    { op: 'Col2Im', inputs: [values([2, 12, 6]), held(longs([4, 5])), held(longs([2, 3]))], attributes: { strides: [1, 1], dilations: [2, 1] } },
    { op: 'Col2Im', inputs: [values([1, 4, 9]), held(longs([5, 4])), held(longs([2, 2]))], attributes: { strides: [2, 2], pads: [0, 1, 1, 1] } },
    { op: 'BitwiseAnd', inputs: [ints(12, -7, 3), ints(10, 5, -1)] },
    { op: 'BitwiseOr', inputs: [ints(12, -7, 3), ints(10, 5, -1)] },
    { op: 'BitwiseXor', inputs: [ints(12, -7, 3), ints(10, 5, -1)] },
    { op: 'BitwiseNot', inputs: [ints(12, -7, 3)] },
    ...['mul', 'max', 'min'].flatMap((reduction): Case[] => [
      { op: 'ScatterElements', inputs: [values([3, 4]), held(longs([1, 0, 2, 2, 1, -1], [2, 3])), values([2, 3])], attributes: { axis: 0, reduction } },
      { op: 'ScatterND', inputs: [values([4, 3, 2]), longs([3, 0, 3], [3, 1]), values([3, 3, 2])], attributes: { reduction } },
    ]),
  ],
  19: [
    { op: 'DeformConv', inputs: [values([2, 4, 5, 6]), held(values([3, 4, 2, 3])), values([2, 12, 4, 4]), held(values([3]))] },
    { op: 'DeformConv', inputs: [values([1, 4, 7, 6]), held(values([4, 2, 2, 2])), values([1, 16, 3, 4], -2, 2), null, values([1, 8, 3, 4], 0, 1)], attributes: { group: 2, offset_group: 2, strides: [2, 2], pads: [0, 1, 1, 2], dilations: [2, 1] } },
  ],
  20: [
    sampling('linear', 'reflection', 1), sampling('cubic', 'border', 1),
    { op: 'GridSample', inputs: [values([1, 2, 3, 4, 5]), values([1, 2, 3, 2, 3], -1.2, 1.2)], attributes: { mode: 'linear', padding_mode: 'border' } },
    { op: 'GridSample', inputs: [values([1, 2, 3, 4, 5]), values([1, 2, 3, 2, 3], -1.2, 1.2)], attributes: { mode: 'nearest', align_corners: 1 } },
    { op: 'AffineGrid', inputs: [values([2, 2, 3]), held(longs([2, 1, 3, 4]))] },
    { op: 'AffineGrid', inputs: [values([2, 3, 4]), longs([2, 1, 2, 3, 4])], attributes: { align_corners: 1 } },
    { op: 'DFT', inputs: [values([2, 6, 3, 2]), null, held(long(1))] },
    { op: 'DFT', inputs: [values([2, 5, 1])], attributes: { onesided: 1 } },
  ],
  21: [
    { op: 'DequantizeLinear', inputs: [new TensorValue('int8', [3, 4], Int8Array.from({ length: 12 }, (_, i) => i * 9 - 50)), values([3, 2], 0.1, 1)], attributes: { axis: 1, block_size: 2 } },
    { op: 'DequantizeLinear', inputs: [new TensorValue('uint8', [5, 2], Uint8Array.from({ length: 10 }, (_, i) => i * 25)), values([2, 2], 0.1, 1), new TensorValue('uint8', [2, 2], Uint8Array.of(3, 100, 7, 255))], attributes: { axis: 0, block_size: 3 } },
    { op: 'QuantizeLinear', inputs: [values([3, 4], -20, 20), values([3, 2], 0.1, 1), new TensorValue('uint8', [3, 2], Uint8Array.of(3, 100, 7, 255, 0, 128))], attributes: { axis: 1, block_size: 2 } },
    { op: 'QuantizeLinear', inputs: [values([3, 4], -20, 20), values([4], 0.1, 1)], attributes: { axis: -1, output_dtype: 3 } },
  ],
}; // prettier-ignore

test.each(Object.entries(SETS))('operator set %s', async (opset, cases) => {
  const { parts, feeds } = together(Number(opset), cases);
  await agree(parts, [feeds]);
});

test('weights of four bits', async () => {
  const weights = new TensorValue('int8', [3, 3], Int8Array.of(-8, 7, 0, 1, -1, 3, -3, 5, 2));
  const packed = Uint8Array.of(0x78, 0x10, 0x3f, 0x5d, 0x02);
  const parts: ModelParts = {
    nodes: [
      node('DequantizeLinear', ['w', 'scale'], 'weights', { axis: 0, block_size: 2 }),
      node('MatMul', ['x', 'weights'], 'y'),
      node('QuantizeLinear', ['x', 'one', 'zero'], 'q'),
      node('DequantizeLinear', ['q', 'one'], 'z'),
    ],
    inputs: { x: { type: 1, shape: [2, 3] } },
    outputs: ['y', 'z'],
    initializers: { w: weights, scale: values([2, 3], 0.1, 1), one: new TensorValue('float32', [], Float32Array.of(1)), zero: new TensorValue('int8', [], Int8Array.of(1)) },
    opset: 21,
  };
  const message = proto.decode('onnx.ModelProto', modelOf(parts));
  for (const tensor of message.graph?.initializer ?? []) {
    if (tensor.dataType !== 3) continue;
    tensor.dataType = 22;
    tensor.rawData = tensor.name === 'w' ? packed : Uint8Array.of(1);
  }
  message.irVersion = 10;
  await agree(proto.encode('onnx.ModelProto', message), [{ x: values([2, 3], -20, 20) }]);
}); // prettier-ignore

test('random choices follow the probabilities', async () => {
  const graph = new Graph();
  const nodes = [node('Bernoulli', ['p'], 'b', { dtype: 6 }), node('Multinomial', ['logits'], 'm', { sample_size: 300 })];
  const inputs = { p: { type: 1, shape: [400] }, logits: { type: 1, shape: [2, 3] } };
  const { outputs } = importOnnx(modelOf({ nodes, inputs, outputs: ['b', 'm'], opset: 15 }), { graph });
  await using sess = await Session.create({ graph });
  const p = new TensorValue('float32', [400], Float32Array.from({ length: 400 }, (_, i) => [0, 0.3, 1][i % 3] ?? 0));
  const logits = new TensorValue('float32', [2, 3], Float32Array.of(-50, 0, Math.log(3), 20, -20, -20));
  const { b, m } = (await sess.run(outputs, { p, logits })) as Readonly<Record<string, TensorValue>>;
  const drawn = [...(toHostValue(b ?? p)?.data ?? [])];
  const share = (remainder: number): number => {
    const own = drawn.filter((_, i) => i % 3 === remainder);
    return own.reduce((sum, x) => sum + x, 0) / own.length;
  };
  expect([b?.dtype, share(0), share(2)]).toEqual(['int32', 0, 1]);
  expect(share(1)).toBeGreaterThan(0.15);
  expect(share(1)).toBeLessThan(0.45);
  const classes = [...(toHostValue(m ?? p)?.data ?? [])];
  const ones = classes.slice(0, 300).filter((x) => x === 1).length;
  expect([m?.dtype, m?.shape, ones + classes.slice(0, 300).filter((x) => x === 2).length]).toEqual(['int32', [2, 300], 300]);
  expect(Math.abs(ones - 75)).toBeLessThan(35);
  expect(classes.slice(300).every((x) => x === 0)).toBe(true);
}); // prettier-ignore

test.each<[string, Case, RegExp]>([
  ['a mode', { op: 'GridSample', inputs: [image, grid], attributes: { mode: 'sinc' } }, /GridSample ".*": the mode "sinc" is not known/],
  ['a grid of another rank', { op: 'GridSample', inputs: [image, values([2, 3, 2])] }, /images of rank 4 with a grid of rank 3/],
  ['a reduction', { op: 'NegativeLogLikelihoodLoss', inputs: [logProbabilities, classes], attributes: { reduction: 'most' } }, /the reduction "most" is not known/],
  ['a transform that is too long', { op: 'DFT', inputs: [values([1, 5, 1]), held(long(100_000))] }, /transforms of length 100000 are not supported/],
  ['an inverse of one side', { op: 'DFT', inputs: [values([1, 5, 1])], attributes: { inverse: 1, onesided: 1 } }, /an inverse transform of one side/],
  ['edges beyond the spectrum', { op: 'MelWeightMatrix', inputs: [8, 64, 8192, 20, 9000].map((x) => held(long(x))) }, /the edges 20 and 9000 Hz/],
  ['too few sizes', { op: 'CenterCropPad', inputs: [values([2, 3]), held(longs([3]))] }, /there are 1 sizes for 2 axes/],
  ['windows that do not fit', { op: 'Col2Im', inputs: [values([1, 5, 4]), held(longs([3, 3])), held(longs([2, 2]))] }, /5 rows for windows of 4 elements/],
  ['blocks without scales', { op: 'DequantizeLinear', inputs: [new TensorValue('int8', [4], new Int8Array(4)), floats(1, 2)], attributes: { axis: 0, block_size: -2 } }, /blocks of -2/],
  ['a batch that is all there is', { op: 'GatherND', inputs: [values([2, 3]), held(longs([0, 1], [2, 1]))], attributes: { batch_dims: 2 } }, /batch_dims 2 of rank 2/],
  ['a kernel that is too large', { op: 'DeformConv', inputs: [values([1, 1, 4, 4]), values([1, 1, 40, 40]), values([1, 3200, 1, 1])] }, /a kernel of 1600 taps is not supported/],
  ['a direction', { op: 'BitShift', inputs: [bytes(1), bytes(1)], attributes: { direction: 'UP' } }, /the direction "UP" is not known/],
])('%s is refused', (_, one, message) => {
  expect(() => importOnnx(modelOf(together(17, [one]).parts), { graph: new Graph() })).toThrow(message);
}); // prettier-ignore
