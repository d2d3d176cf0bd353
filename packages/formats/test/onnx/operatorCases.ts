/** Recurrent layers, control flow, quantized operators, and those that find something: boxes, unique values, the places of maxima. */
import { TensorValue } from '@forerun/graph';
import { attribute } from './models.js';
import { integers, random, values, withInputs, type Case } from './nodeModels.js';

/** Weights of `directions` of a recurrent layer with 3 inputs and 4 units: W, R, B. */
const weights = (gates: number, directions: number): TensorValue[] => [
  values([directions, gates * 4, 3]),
  values([directions, gates * 4, 4]),
  values([directions, gates * 8]),
];
const lengths = new TensorValue('int32', [2], Int32Array.of(5, 3));
const hidden = { hidden_size: 4 };
const sequence = values([5, 2, 3]);
const Y = ['y', 'h'];

export const RECURRENT: readonly Case[] = [
  withInputs('RNN', [sequence, ...weights(1, 1)], { attributes: hidden, outputs: Y }),
  withInputs('RNN', [sequence, ...weights(1, 2), lengths, values([2, 2, 4])], { attributes: { ...hidden, direction: 'bidirectional', activations: ['Relu', 'HardSigmoid'], activation_alpha: { floats: [0.3] }, activation_beta: { floats: [0.4] } }, outputs: Y }),
  withInputs('GRU', [sequence, ...weights(3, 1)], { attributes: hidden, outputs: Y }),
  withInputs('GRU', [sequence, ...weights(3, 2), lengths], { attributes: { ...hidden, direction: 'bidirectional', linear_before_reset: 1 }, outputs: Y }),
  withInputs('LSTM', [sequence, ...weights(4, 1)], { attributes: hidden, outputs: [...Y, 'c'] }),
  withInputs('LSTM', [sequence, values([1, 16, 3]), values([1, 16, 4]), null, lengths, values([1, 2, 4]), values([1, 2, 4]), values([1, 12])], { attributes: { ...hidden, direction: 'reverse', clip: { f: 0.4 } }, outputs: ['y', 'h', 'c'] }),
  withInputs('LSTM', [sequence, ...weights(4, 2)], { attributes: { ...hidden, direction: 'bidirectional' }, outputs: ['', 'h', 'c'] }),
]; // prettier-ignore

const BODY_ADD = { opType: 'Add', name: 'sum', input: ['v', 'step'], output: ['next'] };
const flag = (value: number): TensorValue => new TensorValue('bool', [], Uint8Array.of(value));

export const CONTROL: readonly Case[] = [
  ...[1, 0].map((value) =>
    withInputs('If', [flag(value)], {
      attributes: {
        then_branch: { body: { nodes: [{ opType: 'Neg', name: 'n', input: ['half'], output: ['t'] }], inputs: {}, outputs: { t: 1 }, initializers: { half: values([3]) } } },
        else_branch: { body: { nodes: [{ opType: 'Constant', name: 'c', output: ['e'], attribute: [attribute('value_floats', { floats: [1, 2, 3] })] }], inputs: {}, outputs: { e: 1 } } },
      },
      outputs: ['y'],
    })),
  // Counts to 4, adding a row each time.
  withInputs('Loop', [integers([4], []), null, values([2])], {
    fed: [2],
    attributes: { body: { body: { nodes: [BODY_ADD, { opType: 'Identity', name: 'c', input: ['goes'], output: ['on'] }, { opType: 'Mul', name: 'm', input: ['next', 'next'], output: ['row'] }], inputs: { i: 7, goes: 9, v: 1 }, outputs: { on: 9, next: 1, row: 1 }, initializers: { step: values([2]) } } } },
    outputs: ['v', 'rows'],
  }),
  // Ends when the sum is large enough; a tensor of the graph outside is used.
  withInputs('Loop', [integers([100], []), flag(1), values([], 0, 0)], {
    fed: [2],
    attributes: { body: { body: { nodes: [BODY_ADD, { opType: 'Less', name: 'l', input: ['next', 'most'], output: ['on'] }, { opType: 'Identity', name: 'r', input: ['v'], output: ['row'] }], inputs: { i: 7, goes: 9, v: 1 }, outputs: { on: 9, next: 1, row: 1 }, initializers: { step: values([], 0.7, 0.7), most: values([], 3, 3) } } } },
    outputs: ['v', 'rows'],
  }),
  // The variable grows in every iteration.
  withInputs('Loop', [integers([3], []), null, values([1, 2])], {
    fed: [2],
    attributes: { body: { body: { nodes: [{ opType: 'Concat', name: 'cat', input: ['v', 'v'], output: ['next'], attribute: [attribute('axis', 0)] }, { opType: 'Identity', name: 'c', input: ['goes'], output: ['on'] }], inputs: { i: 7, goes: 9, v: 1 }, outputs: { on: 9, next: 1 } } } },
    outputs: ['v'],
  }),
  withInputs('Scan', [values([3]), values([4, 3]), values([3, 4])], {
    fed: [0, 1, 2],
    attributes: {
      num_scan_inputs: 2, scan_input_axes: [0, 1], scan_input_directions: [0, 1], scan_output_axes: [1], scan_output_directions: [1],
      body: { body: { nodes: [{ opType: 'Add', name: 'a', input: ['s', 'x'], output: ['next'] }, { opType: 'Mul', name: 'm', input: ['next', 'z'], output: ['row'] }], inputs: { s: 1, x: 1, z: 1 }, outputs: { next: 1, row: 1 } } },
    },
    outputs: ['s', 'rows'],
  }),
]; // prettier-ignore

const bytes = (shape: readonly number[], low = 0, high = 255): TensorValue =>
  new TensorValue('uint8', shape, Uint8Array.from(random.array(size(shape), low, high + 1), Math.floor));
const signed = (shape: readonly number[]): TensorValue =>
  new TensorValue('int8', shape, Int8Array.from(random.array(size(shape), -128, 128), Math.floor));
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const float = (value: number): TensorValue => values([], value, value);
const uint8 = (...list: number[]): TensorValue => new TensorValue('uint8', list.length === 1 ? [] : [list.length], Uint8Array.from(list)); // prettier-ignore
const floats = (...list: number[]): TensorValue => new TensorValue('float32', [list.length], Float32Array.from(list)); // prettier-ignore

/** Boxes [x1, y1, x2, y2] of two images, which overlap, and scores of two classes. */
const boxes = new TensorValue('float32', [2, 6, 4], Float32Array.from({ length: 48 }, (_, i) => (i % 4 < 2 ? 0 : 10) + ((1.7 * Math.floor(i / 4)) % 9))); // prettier-ignore
const ofClasses = values([2, 2, 6], 0, 1);

export const QUANTIZED: readonly Case[] = [
  withInputs('QuantizeLinear', [values([3, 4], -9, 40), float(0.15), uint8(40)], { outputs: ['y'], opset: 13 }),
  withInputs('QuantizeLinear', [values([2, 3, 4], -30, 30), floats(0.1, 0.2, 0.3), new TensorValue('int8', [3], Int8Array.of(-3, 0, 5))], { attributes: { axis: 1 }, outputs: ['y'], opset: 13 }),
  withInputs('DynamicQuantizeLinear', [values([3, 7], -2, 5)], { outputs: ['y', 'scale', 'zero'] }),
  withInputs('DynamicQuantizeLinear', [values([4], 0, 0)], { outputs: ['y', 'scale', 'zero'] }),
  withInputs('MatMulInteger', [bytes([3, 40]), bytes([40, 5]), uint8(7), uint8(1, 2, 3, 4, 5)], { outputs: ['y'] }),
  withInputs('MatMulInteger', [bytes([2, 3, 4]), signed([4, 5])], { outputs: ['y'] }),
  withInputs('ConvInteger', [bytes([2, 3, 6, 5]), bytes([4, 3, 3, 2]), uint8(12), uint8(130)], { attributes: { pads: [1, 0, 1, 1], strides: [2, 1] }, outputs: ['y'] }),
  withInputs('ConvInteger', [bytes([1, 40, 5, 5], 180), bytes([2, 40, 3, 3], 180)], { outputs: ['y'] }),
  withInputs('QLinearMatMul', [bytes([4, 6]), float(0.03), uint8(100), bytes([6, 3]), floats(0.02, 0.05, 0.01), uint8(120, 128, 90), float(0.11), uint8(127)], { outputs: ['y'] }),
  withInputs('QLinearConv', [bytes([1, 4, 6, 6]), float(0.02), uint8(110), signed([4, 2, 3, 3]), floats(0.01, 0.02, 0.015, 0.005), new TensorValue('int8', [4], new Int8Array(4)), float(0.17), uint8(120), new TensorValue('int32', [4], Int32Array.of(100, -3000, 0, 7))], { attributes: { group: 2, pads: [1, 1, 1, 1] }, outputs: ['y'] }),
]; // prettier-ignore

export const FOUND: readonly Case[] = [
  withInputs('NonMaxSuppression', [boxes, ofClasses, integers([3]), floats(0.4), floats(0.1)], { outputs: ['y'], fed: [0, 1] }),
  withInputs('NonMaxSuppression', [boxes, ofClasses, integers([2 ** 40])], { attributes: { center_point_box: 1 }, outputs: ['y'], fed: [0, 1] }),
  withInputs('NonMaxSuppression', [boxes, ofClasses], { outputs: ['y'], fed: [0, 1] }),
  withInputs('Unique', [floats(2, 1, 1, 3, 4, 3)], { outputs: ['y', 'indices', 'inverse', 'counts'] }),
  withInputs('Unique', [new TensorValue('float32', [2, 3], Float32Array.of(2, 1, 1, 3, 4, 3))], { attributes: { sorted: 0 }, outputs: ['y', 'indices', 'inverse', 'counts'] }),
  withInputs('Unique', [new TensorValue('float32', [4, 3], Float32Array.of(1, 0, 0, 1, 0, 0, 2, 3, 4, 1, -1, 9))], { attributes: { axis: 0 }, outputs: ['y', 'indices', 'inverse', 'counts'] }),
  withInputs('Unique', [new TensorValue('float32', [2, 4, 2], Float32Array.of(1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1))], { attributes: { axis: 1, sorted: 1 }, outputs: ['y', '', '', 'counts'] }),
  withInputs('MaxPool', [values([2, 3, 7, 6])], { attributes: { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] }, outputs: ['y', 'indices'] }),
  withInputs('MaxPool', [values([1, 2, 9])], { attributes: { kernel_shape: [3], dilations: [2], strides: [2], ceil_mode: 1 }, outputs: ['y', 'indices'] }),
  withInputs('MaxPool', [values([1, 2, 8, 7])], { attributes: { kernel_shape: [2, 3], dilations: [3, 2], pads: [1, 1, 0, 1] }, outputs: ['y'] }),
  withInputs('MaxPool', [values([1, 2, 5, 4, 6])], { attributes: { kernel_shape: [2, 2, 2], strides: [2, 2, 2], auto_pad: 'SAME_UPPER' }, outputs: ['y', 'indices'] }),
  withInputs('AveragePool', [values([1, 2, 9, 8])], { attributes: { kernel_shape: [3, 2], dilations: [2, 3], pads: [1, 1, 1, 0], strides: [1, 2] }, outputs: ['y'], opset: 19 }),
  withInputs('AveragePool', [values([1, 2, 9])], { attributes: { kernel_shape: [3], dilations: [2], pads: [1, 1], count_include_pad: 1 }, outputs: ['y'], opset: 19 }),
  withInputs('LpPool', [values([1, 2, 7, 6])], { attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 0], p: 3 }, outputs: ['y'] }),
  withInputs('LpPool', [values([1, 2, 9])], { attributes: { kernel_shape: [2], dilations: [3] }, outputs: ['y'], opset: 18 }),
  withInputs('GlobalLpPool', [values([1, 2, 4, 3])], { outputs: ['y'] }),
  withInputs('MaxUnpool', [values([1, 2, 2, 2]), integers([5, 7, 13, 15, 16, 18, 26, 31], [1, 2, 2, 2])], { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: ['y'] }),
  withInputs('MaxUnpool', [values([1, 1, 2, 2]), integers([5, 7, 13, 20], [1, 1, 2, 2]), integers([1, 1, 5, 5])], { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: ['y'] }),
]; // prettier-ignore
