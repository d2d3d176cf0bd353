/** Imported ONNX models give what ONNX Runtime gives on the same inputs. */
import type { proto, Tensor } from '@forerun/graph';
import { Graph, TensorValue, toHostValue, UnimplementedError } from '@forerun/graph';
import { Random } from '@forerun/testing';
import { Session } from '@forerun/session';
import { importOnnx, onnxOps } from '@forerun/formats';
import {
  DTYPE_NUMBERS,
  attribute,
  modelOf,
  reference,
  type AttributeSource,
  type ModelParts,
  type ReferenceResult,
} from './models.js';

const random = new Random(5);

function values(shape: readonly number[], low = -1, high = 1): TensorValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue('float32', shape, Float32Array.from(random.array(size, low, high)));
}

function integers(list: readonly number[], shape: readonly number[] = [list.length]): TensorValue {
  return new TensorValue('int64', shape, BigInt64Array.from(list, BigInt));
}

interface Case {
  readonly name: string;
  readonly parts: ModelParts;
  readonly feeds: Readonly<Record<string, TensorValue>>;
}

type Attributes = Readonly<Record<string, AttributeSource>>;

interface NodeCase {
  readonly op: string;
  readonly shapes: readonly (readonly number[])[];
  readonly attributes?: Attributes;
  /** Inputs that the file holds, after those that are fed. */
  readonly known?: readonly TensorValue[];
  readonly opset?: number;
  readonly range?: readonly [number, number];
  readonly outputs?: number;
}

/** A model of one node. */
function single(
  { op, shapes, attributes = {}, known = [], opset = 17, range = [-1, 1], outputs = 1 }: NodeCase,
  i: number,
): Case {
  const fed = shapes.map((shape, k) => [`x${k}`, values(shape, ...range)] as const);
  const held = known.map((value, k) => [`k${k}`, value] as const);
  const node = {
    opType: op,
    name: `node_${op}`,
    input: [...fed, ...held].map(([name]) => name),
    output: Array.from({ length: outputs }, (_, k) => `y${k}`),
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  };
  const inputs = Object.fromEntries(fed.map(([name, { shape }]) => [name, { type: 1, shape }]));
  return {
    name: `${i}: ${op} ${JSON.stringify(attributes)} opset ${opset}`,
    parts: { nodes: [node], inputs, outputs: node.output, initializers: Object.fromEntries(held), opset },
    feeds: Object.fromEntries(fed),
  };
}

const IMAGE = [2, 4, 7, 6] as const;

const NODES: readonly NodeCase[] = [
  ...['Abs', 'Ceil', 'Cos', 'Erf', 'Exp', 'Floor', 'HardSwish', 'Identity', 'Neg', 'Relu', 'Selu', 'Sigmoid', 'Sign', 'Sin', 'Softplus', 'Softsign', 'Tan', 'Tanh', 'Round', 'HardSigmoid', 'Elu', 'LeakyRelu'].map((op) => ({ op, shapes: [[3, 4]], range: [-3, 3] as const })),
  ...['Log', 'Sqrt', 'Reciprocal'].map((op) => ({ op, shapes: [[3, 4]], range: [0.2, 3] as const })),
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'Sum', 'Mean', 'PRelu'].map((op) => ({ op, shapes: op === 'Sum' || op === 'Mean' ? [[3, 4], [3, 4], [3, 4]] : [[3, 4], [4]], range: [0.1, 2] as const })),
  { op: 'Pow', shapes: [[3, 4], [4]], range: [0.2, 2] },
  { op: 'Clip', shapes: [[5]], known: [values([], -0.5, -0.5), values([], 0.5, 0.5)] },
  { op: 'Clip', shapes: [[5]], attributes: { min: { f: -0.25 }, max: { f: 0.5 } }, opset: 9 },
  { op: 'LeakyRelu', shapes: [[3, 4]], attributes: { alpha: { f: 0.3 } } },
  { op: 'Gelu', shapes: [[3, 4]], opset: 20 },
  { op: 'Gelu', shapes: [[3, 4]], attributes: { approximate: 'tanh' }, opset: 20 },
  { op: 'Conv', shapes: [IMAGE], known: [values([5, 4, 3, 3]), values([5])] },
  { op: 'Conv', shapes: [IMAGE], known: [values([5, 4, 3, 2])], attributes: { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [2, 1] } },
  { op: 'Conv', shapes: [IMAGE], known: [values([8, 1, 3, 3])], attributes: { group: 4, pads: [1, 1, 1, 1] } },
  { op: 'Conv', shapes: [IMAGE], known: [values([6, 2, 3, 3])], attributes: { group: 2 } },
  { op: 'Conv', shapes: [IMAGE], known: [values([5, 4, 3, 3])], attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] } },
  { op: 'Conv', shapes: [[2, 3, 9]], known: [values([4, 3, 3]), values([4])], attributes: { pads: [1, 1], strides: [2] } },
  { op: 'Conv', shapes: [IMAGE, [5, 4, 2, 2]] },
  { op: 'ConvTranspose', shapes: [IMAGE], known: [values([4, 3, 3, 3]), values([3])], attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] } },
  { op: 'MaxPool', shapes: [IMAGE], attributes: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] } },
  { op: 'MaxPool', shapes: [[1, 2, 8, 8]], attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
  { op: 'AveragePool', shapes: [IMAGE], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
  { op: 'AveragePool', shapes: [IMAGE], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 } },
  { op: 'GlobalAveragePool', shapes: [IMAGE] },
  { op: 'GlobalMaxPool', shapes: [IMAGE] },
  { op: 'BatchNormalization', shapes: [IMAGE], known: [values([4]), values([4]), values([4]), values([4], 0.5, 2)], attributes: { epsilon: { f: 1e-3 } } },
  { op: 'InstanceNormalization', shapes: [IMAGE], known: [values([4]), values([4])] },
  { op: 'LayerNormalization', shapes: [[3, 4, 5]], known: [values([5]), values([5])] },
  { op: 'Gemm', shapes: [[3, 4]], known: [values([5, 4]), values([5])], attributes: { transB: 1, alpha: { f: 0.5 }, beta: { f: 2 } } },
  { op: 'MatMul', shapes: [[3, 4], [4, 5]] },
  { op: 'MatMul', shapes: [[2, 3, 4], [4, 5]] },
  { op: 'MatMul', shapes: [[2, 3, 4], [2, 4, 5]] },
  { op: 'Softmax', shapes: [[3, 4, 5]], attributes: { axis: 1 } },
  { op: 'Softmax', shapes: [[3, 4, 5]], opset: 11 },
  { op: 'LogSoftmax', shapes: [[3, 4]] },
  ...['ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd'].map((op) => ({ op, shapes: [[3, 4, 5]], attributes: { axes: [1, -1], keepdims: 0 } })),
  { op: 'ReduceSum', shapes: [[3, 4, 5]], known: [integers([1])] },
  { op: 'ReduceMean', shapes: [[3, 4]], known: [integers([0])], opset: 18 },
  { op: 'ReduceSum', shapes: [[3, 4]] },
  { op: 'ArgMax', shapes: [[3, 4]], attributes: { axis: 1, keepdims: 0 } },
  { op: 'ArgMin', shapes: [[3, 4]], attributes: { axis: -1 } },
  { op: 'Reshape', shapes: [[3, 4, 2]], known: [integers([0, -1])] },
  { op: 'Flatten', shapes: [[3, 4, 2]], attributes: { axis: 2 } },
  { op: 'Transpose', shapes: [[3, 4, 2]], attributes: { perm: [2, 0, 1] } },
  { op: 'Transpose', shapes: [[3, 4, 2]] },
  { op: 'Concat', shapes: [[3, 4], [3, 2]], attributes: { axis: -1 } },
  { op: 'Split', shapes: [[6, 4]], known: [integers([2, 4])], outputs: 2 },
  { op: 'Split', shapes: [[6, 4]], attributes: { axis: 1 }, outputs: 2 },
  { op: 'Squeeze', shapes: [[3, 1, 4]], known: [integers([1])] },
  { op: 'Unsqueeze', shapes: [[3, 4]], known: [integers([0, -1])] },
  { op: 'Unsqueeze', shapes: [[3, 4]], attributes: { axes: [1] }, opset: 11 },
  { op: 'Slice', shapes: [[5, 6]], known: [integers([1, -1]), integers([4, -100]), integers([0, 1]), integers([2, -2])] },
  { op: 'Slice', shapes: [[5, 6]], attributes: { starts: [1], ends: [2 ** 62], axes: [0] }, opset: 9 },
  { op: 'Pad', shapes: [[2, 3]], known: [integers([1, 0, 0, 2]), values([], 0.5, 0.5)] },
  { op: 'Pad', shapes: [[4, 5]], known: [integers([1, 2, 1, 0])], attributes: { mode: 'reflect' } },
  { op: 'Gather', shapes: [[5, 3]], known: [integers([0, 4, 2, 2], [2, 2])] },
  { op: 'Gather', shapes: [[5, 3]], known: [integers([-1, 0])], attributes: { axis: 1 } },
  { op: 'Expand', shapes: [[3, 1]], known: [integers([2, 1, 4])] },
  { op: 'Tile', shapes: [[3, 2]], known: [integers([2, 3])] },
  { op: 'Shape', shapes: [[3, 2]] },
  { op: 'Cast', shapes: [[3, 2]], attributes: { to: 6 }, range: [-5, 5] },
  { op: 'Dropout', shapes: [[3, 2]] },
  { op: 'Greater', shapes: [[3, 4], [4]] },
  { op: 'LessOrEqual', shapes: [[3, 4], [4]] },
  ...['Acos', 'Asin', 'Atan', 'Atanh', 'Sinh', 'Cosh', 'Asinh', 'Celu', 'Mish', 'ThresholdedRelu', 'Size'].map((op) => ({ op, shapes: [[3, 4]], range: [-0.9, 0.9] as const, opset: op === 'Mish' ? 18 : 17 })),
  { op: 'Acosh', shapes: [[3, 4]], range: [1.1, 3] },
  { op: 'Elu', shapes: [[3, 4]], attributes: { alpha: { f: 0.5 } } },
  { op: 'Mod', shapes: [[3, 4], [4]], attributes: { fmod: 1 }, range: [0.5, 3] },
  { op: 'IsNaN', shapes: [[3]] },
  { op: 'IsInf', shapes: [[3]] },
  { op: 'DequantizeLinear', shapes: [], known: [new TensorValue('uint8', [2, 3], Uint8Array.of(1, 2, 3, 200, 128, 0)), values([3], 0.1, 1), new TensorValue('uint8', [3], Uint8Array.of(128, 0, 3))], attributes: { axis: 1 }, opset: 13 },
  { op: 'CastLike', shapes: [[3]], known: [integers([1])] },
  { op: 'Range', shapes: [], known: [values([], 1, 1), values([], 4, 4), values([], 0.5, 0.5)] },
  ...['ReduceL1', 'ReduceL2', 'ReduceLogSum', 'ReduceLogSumExp', 'ReduceSumSquare'].map((op) => ({ op, shapes: [[3, 4, 5]], attributes: { axes: [1], keepdims: 0 }, range: [0.2, 1] as const })),
  { op: 'CumSum', shapes: [[3, 4]], known: [integers([1], [])], attributes: { reverse: 1, exclusive: 1 } },
  { op: 'TopK', shapes: [[4, 5]], known: [integers([2])], attributes: { axis: 0, largest: 0 }, outputs: 2 },
  { op: 'ArgMax', shapes: [[3, 4]], attributes: { axis: 0, select_last_index: 1 } },
  { op: 'Hardmax', shapes: [[3, 4]] },
  { op: 'GatherND', shapes: [[4, 5]], known: [integers([1, 2, -1, 0], [2, 2])] },
  { op: 'GatherElements', shapes: [[4, 3]], known: [integers([0, -1, 2, 1, 0, 3], [2, 3])] },
  { op: 'ScatterND', shapes: [[4, 3]], known: [integers([2, 0], [2, 1]), values([2, 3])] },
  { op: 'ScatterElements', shapes: [[4, 3]], known: [integers([0, 3, 2], [1, 3]), values([1, 3])], attributes: { reduction: 'add' } },
  { op: 'OneHot', shapes: [], known: [integers([1, -1, 3, 9]), integers([4]), values([2])] },
  { op: 'NonZero', shapes: [[3, 4]] },
  { op: 'Trilu', shapes: [[2, 3, 4]], known: [integers([1], [])] },
  { op: 'Trilu', shapes: [[4, 3]], attributes: { upper: 0 } },
  { op: 'EyeLike', shapes: [[3, 4]], attributes: { k: 1 } },
  { op: 'DepthToSpace', shapes: [[2, 8, 2, 3]], attributes: { blocksize: 2 } },
  { op: 'DepthToSpace', shapes: [[2, 8, 2, 3]], attributes: { blocksize: 2, mode: 'CRD' } },
  { op: 'SpaceToDepth', shapes: [[2, 2, 4, 6]], attributes: { blocksize: 2 } },
  { op: 'ReverseSequence', shapes: [[4, 3]], known: [integers([1, 4, 2])] },
  { op: 'Einsum', shapes: [[3, 4], [4, 2]], attributes: { equation: 'ij, jk -> ki' } },
  { op: 'MatMul', shapes: [[4], [3, 4, 5]] },
  { op: 'MatMul', shapes: [[2, 3, 4], [4]] },
  { op: 'MatMul', shapes: [[4], [4]] },
  { op: 'Pad', shapes: [[2, 3, 4]], known: [integers([1, 2, 0, 1]), values([], 0, 0), integers([2, 0])], opset: 18 },
  { op: 'Pad', shapes: [[3, 4]], known: [integers([1, 2, 2, 0])], attributes: { mode: 'edge' } },
  { op: 'Shape', shapes: [[3, 2, 4]], attributes: { start: 1, end: -1 } },
  { op: 'Conv', shapes: [[2, 4, 9]], known: [values([4, 1, 3])], attributes: { group: 4, auto_pad: 'SAME_LOWER', strides: [2] } },
  { op: 'Conv', shapes: [[2, 4, 5, 6, 4]], known: [values([3, 4, 3, 2, 2]), values([3])], attributes: { pads: [1, 0, 0, 1, 1, 0], strides: [1, 2, 1] } },
  { op: 'Conv', shapes: [[1, 4, 4, 5, 4]], known: [values([4, 2, 2, 2, 2])], attributes: { group: 2 } },
  { op: 'ConvTranspose', shapes: [[2, 3, 6]], known: [values([3, 2, 4]), values([2])], attributes: { strides: [2], pads: [1, 1] } },
  { op: 'ConvTranspose', shapes: [[1, 4, 3, 4]], known: [values([4, 2, 3, 3])], attributes: { group: 2, dilations: [2, 1] } },
  { op: 'ConvTranspose', shapes: [[1, 3, 4, 4]], known: [values([3, 2, 3, 3])], attributes: { strides: [2, 2], auto_pad: 'SAME_UPPER' } },
  { op: 'ConvTranspose', shapes: [[1, 3, 4, 4]], known: [values([3, 2, 3, 3])], attributes: { strides: [2, 2], output_shape: [8, 10] } },
  { op: 'ConvTranspose', shapes: [[1, 3, 2, 3, 2]], known: [values([3, 2, 2, 3, 2]), values([2])], attributes: { strides: [2, 1, 2], pads: [0, 1, 0, 0, 1, 1] } },
  { op: 'MaxPool', shapes: [[2, 3, 9]], attributes: { kernel_shape: [3], strides: [2], pads: [1, 1] } },
  { op: 'MaxPool', shapes: [[1, 2, 5, 4, 6]], attributes: { kernel_shape: [2, 2, 3], strides: [2, 1, 2], pads: [1, 0, 0, 0, 1, 1] } },
  { op: 'AveragePool', shapes: [[1, 2, 5, 4, 6]], attributes: { kernel_shape: [2, 2, 3], strides: [2, 1, 2], pads: [1, 0, 0, 0, 1, 1] } },
  { op: 'AveragePool', shapes: [[2, 3, 8]], attributes: { kernel_shape: [3], strides: [2], auto_pad: 'SAME_LOWER' } },
  { op: 'AveragePool', shapes: [[1, 2, 8, 8]], attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 }, opset: 19 },
  { op: 'GroupNormalization', shapes: [[2, 6, 4, 3]], known: [values([6]), values([6])], attributes: { num_groups: 3 }, opset: 21 },
  { op: 'GroupNormalization', shapes: [[2, 6, 4, 3]], known: [values([3]), values([3])], attributes: { num_groups: 3 }, opset: 18 },
  { op: 'LRN', shapes: [[2, 6, 3, 3]], attributes: { size: 3, alpha: { f: 0.3 } } },
  { op: 'LpNormalization', shapes: [[3, 4]], attributes: { axis: 0 } },
  { op: 'MeanVarianceNormalization', shapes: [[2, 3, 4, 4]] },
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), new TensorValue('float32', [4], Float32Array.of(1, 1, 2, 2))], attributes: { mode: 'nearest' } },
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), new TensorValue('float32', [4], Float32Array.of(1, 1, 1.6, 0.7))], attributes: { mode: 'nearest', nearest_mode: 'ceil', coordinate_transformation_mode: 'asymmetric' } },
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), values([0]), integers([1, 2, 7, 3])], attributes: { mode: 'cubic', exclude_outside: 1 } },
  { op: 'Resize', shapes: [[2, 4, 5]], known: [values([0]), values([0]), integers([3, 6])], attributes: { mode: 'linear', axes: [1, 2] }, opset: 18 },
  { op: 'Resize', shapes: [[1, 1, 3, 3]], known: [new TensorValue('float32', [4], Float32Array.of(1, 1, 2, 2))], opset: 10 },
  { op: 'Resize', shapes: [[1, 2, 3, 4, 5]], known: [values([0]), values([0]), integers([1, 2, 5, 6, 4])], attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' } },
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), new TensorValue('float32', [4], Float32Array.of(1, 1, 2, 3))], attributes: { mode: 'linear' } },
]; // prettier-ignore

const cases = NODES.map(single);
async function run({ parts, feeds }: Case): Promise<Record<string, TensorValue>> {
  const graph = new Graph();
  const { outputs } = importOnnx(modelOf(parts), { graph });
  await using sess = await Session.create({ graph });
  return await sess.run(outputs, feeds);
}

function compare(what: string, got: Record<string, TensorValue>, { error, outputs }: ReferenceResult): void {
  expect([what, error]).toEqual([what, undefined]);
  expect([what, Object.keys(outputs).length]).toEqual([what, Object.keys(got).length]);
  for (const [name, { dims, data }] of Object.entries(outputs)) {
    expect([what, name, got[name]?.shape]).toEqual([what, name, dims]);
    const ours = toHostValue(got[name] ?? values([0]))?.data ?? [];
    const off = data.filter((x, i) => !(Math.abs((ours[i] ?? NaN) - x) < 2e-5 * Math.max(1, Math.abs(x))));
    expect([what, name, off, off.length === 0 ? [] : ours]).toEqual([what, name, [], []]);
  }
}

const byName = (value: TensorValue): ModelParts['inputs'][string] => ({ type: DTYPE_NUMBERS[value.dtype] ?? 0, shape: value.shape }); // prettier-ignore

/** A model of one node with inputs by place; empty names are left out. */
function withInputs(
  op: string,
  inputs: readonly (TensorValue | null)[],
  { attributes = {}, outputs, fed = [0], opset = 17 }: { attributes?: Attributes; outputs: readonly string[]; fed?: readonly number[]; opset?: number },
): Case {
  const names = inputs.map((value, i) => (value === null ? '' : `x${i}`));
  const chosen = (want: boolean): Record<string, TensorValue> =>
    Object.fromEntries(inputs.flatMap((value, i) => (value === null || fed.includes(i) !== want ? [] : [[`x${i}`, value]])));
  const attribute_ = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  const nodes = [{ opType: op, name: 'node', input: names, output: [...outputs], attribute: attribute_ }];
  const feeds = chosen(true);
  const shapes = Object.fromEntries(Object.entries(feeds).map(([name, value]) => [name, byName(value)]));
  return { name: `${op} ${Object.keys(attributes).join(' ')}`, feeds, parts: { nodes, inputs: shapes, outputs: outputs.filter((name) => name !== ''), initializers: chosen(false), opset } };
} // prettier-ignore

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

const RECURRENT: readonly Case[] = [
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

const CONTROL: readonly Case[] = [
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

const QUANTIZED: readonly Case[] = [
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

const FOUND: readonly Case[] = [
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

/** All cases in one graph, each under a scope of its own: one plan compiles faster than many. */
async function runAll(list: readonly Case[]): Promise<Record<string, TensorValue>[]> {
  const graph = new Graph();
  const feeds = new Map<Tensor, TensorValue>();
  const outputs = list.map((one, i) => {
    const imported = importOnnx(modelOf(one.parts), { graph, name: `case${i}` });
    for (const [name, value] of Object.entries(one.feeds)) {
      const input = imported.inputs[name];
      if (input !== undefined) feeds.set(input, value);
    }
    return imported.outputs;
  });
  await using sess = await Session.create({ graph });
  return await sess.run(outputs, feeds);
}

const GROUP = 20;

function groups(list: readonly Case[]): (readonly [string, readonly Case[]])[] {
  return Array.from({ length: Math.ceil(list.length / GROUP) }, (_, i) => {
    const part = list.slice(i * GROUP, (i + 1) * GROUP);
    return [`${part[0]?.name ?? ''} and ${part.length - 1} more`, part] as const;
  });
}

test.each(groups([...cases, ...RECURRENT, ...CONTROL, ...QUANTIZED, ...FOUND]))('%s', async (_, list) => {
  const expected = reference(list.map(({ parts, feeds }) => ({ model: modelOf(parts), feeds })));
  const got = await runAll(list);
  list.forEach(({ name }, i) => {
    compare(name, got[i] ?? {}, expected[i] ?? { outputs: {} });
  });
});

test('random numbers have the shape, dtype and range that a model says', async () => {
  const node = (opType: string, input: string[], attributes: Attributes): ModelParts['nodes'][number] => ({
    opType,
    name: opType,
    input,
    output: [opType],
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
  const model = modelOf({
    nodes: [
      node('RandomUniform', [], { shape: [2, 50], low: { f: 2 }, high: { f: 3 } }),
      node('RandomUniformLike', ['x'], { low: { f: 2 }, high: { f: 3 } }),
      node('RandomNormal', [], { shape: [3], mean: { f: 2.5 }, scale: { f: 0.001 } }),
      node('RandomNormalLike', ['x'], { mean: { f: 2.5 }, scale: { f: 0.001 }, dtype: 1 }),
    ],
    inputs: { x: { type: 1, shape: [null, 4] } },
    outputs: ['RandomUniform', 'RandomUniformLike', 'RandomNormal', 'RandomNormalLike'],
  });
  const graph = new Graph();
  const { inputs, outputs } = importOnnx(model, { graph });
  await using sess = await Session.create({ graph });
  const feeds = inputs.x === undefined ? new Map() : new Map([[inputs.x, values([5, 4])]]);
  const drawn = (await sess.run(outputs, feeds)) as Readonly<Record<string, TensorValue>>;
  expect(Object.values(drawn).map(({ shape }) => shape)).toEqual([[2, 50], [5, 4], [3], [5, 4]]);
  for (const [name, value] of Object.entries(drawn)) {
    const numbers = [...(toHostValue(value)?.data ?? [])];
    expect([name, numbers.every((x) => x >= 2 && x < 3), new Set(numbers).size > 1]).toEqual([
      name,
      true,
      true,
    ]);
  }
});

/** What sequences.gpu.test.ts, operators.gpu.test.ts and newerSets.gpu.test.ts compare. */
const ELSEWHERE = [
  'AffineGrid', 'Bernoulli', 'BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor', 'BlackmanWindow', 'CenterCropPad', 'Col2Im', 'Compress',
  'DFT', 'DeformConv', 'Det', 'GridSample', 'HammingWindow', 'HannWindow', 'MaxRoiPool', 'MelWeightMatrix', 'Multinomial',
  'NegativeLogLikelihoodLoss', 'RoiAlign', 'STFT', 'Scatter', 'Shrink', 'SoftmaxCrossEntropyLoss',
  'ConcatFromSequence', 'Optional', 'OptionalGetElement', 'OptionalHasElement', 'SequenceAt', 'SequenceConstruct', 'SequenceEmpty', 'SequenceErase',
  'SequenceInsert', 'SequenceLength', 'SequenceMap', 'SplitToSequence',
  'And', 'Attention', 'BitCast', 'CumProd', 'RMSNormalization', 'RotaryEmbedding', 'Swish', 'TensorScatter', 'Upsample',
]; // prettier-ignore

test('the cases are of many ops', () => {
  const used = new Set([
    ...NODES.map(({ op }) => op),
    // Of random numbers only what is sure can be compared; see below.
    'RandomNormal',
    'RandomNormalLike',
    'RandomUniform',
    'RandomUniformLike',
    ...[...RECURRENT, ...CONTROL, ...QUANTIZED, ...FOUND].flatMap(({ parts }) =>
      parts.nodes.map(({ opType }) => opType),
    ),
    ...ELSEWHERE,
  ]);
  expect(onnxOps().filter((op) => !used.has(op))).toEqual([
    'Constant',
    'ConstantOfShape',
    'Equal',
    'GreaterOrEqual',
    'Less',
    'Not',
    'Or',
    'Where',
    'Xor',
  ]);
});

test('a network with unknown batch, shape arithmetic and logic', async () => {
  const node = (
    opType: string,
    input: string[],
    output: string[],
    attributes: Attributes = {},
  ): proto.Init<proto.onnxNodeProto> => ({
    opType,
    name: output[0] ?? '',
    input,
    output,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  });
  const parts: ModelParts = {
    inputs: { x: { type: 1, shape: [null, 3, 8, 8] } },
    outputs: ['probabilities', 'picked'],
    initializers: {
      w: values([4, 3, 3, 3]),
      b: values([4]),
      fc: values([64, 5]),
      zero: integers([0]),
      tail: integers([-1]),
      half: values([], 0.2, 0.2),
    },
    nodes: [
      node('Conv', ['x', 'w', 'b'], ['c'], { pads: [1, 1, 1, 1] }),
      node('Relu', ['c'], ['r']),
      node('MaxPool', ['r'], ['p'], { kernel_shape: [2, 2], strides: [2, 2] }),
      node('Shape', ['p'], ['s']),
      node('Gather', ['s', 'zero'], ['batch']),
      node('Concat', ['batch', 'tail'], ['to'], { axis: 0 }),
      node('Reshape', ['p', 'to'], ['flat']),
      node('MatMul', ['flat', 'fc'], ['logits']),
      node('Softmax', ['logits'], ['probabilities'], { axis: 1 }),
      node('Less', ['probabilities', 'half'], ['small']),
      node('Not', ['small'], ['large']),
      node('Where', ['large', 'logits', 'probabilities'], ['picked']),
    ],
  };
  const one = { name: '', parts, feeds: { x: values([3, 3, 8, 8]) } };
  compare(
    'the network',
    await run(one),
    reference([{ model: modelOf(parts), feeds: one.feeds }])[0] ?? { outputs: {} },
  );
}, 60_000);

describe('what is refused', () => {
  const model = (parts: Partial<ModelParts>): Uint8Array =>
    modelOf({ nodes: [], inputs: {}, outputs: [], ...parts });

  test('ops that are not known, all at once; operator sets; inputs that nothing computes', () => {
    const nodes = [
      { opType: 'StringSplit', name: 'a' },
      { opType: 'ImageDecoder', name: 'b' },
      { opType: 'StringSplit', name: 'c' },
    ];
    expect(() => importOnnx(model({ nodes }), { graph: new Graph() })).toThrow(UnimplementedError);
    expect(() => importOnnx(model({ nodes }), { graph: new Graph() })).toThrow(
      '  StringSplit: a, c\n  ImageDecoder: b',
    );
    expect(() => importOnnx(model({ opset: 30 }), { graph: new Graph() })).toThrow(
      'operator set 30 is not known; 6 to 26 are',
    );
    const lstm = [{ opType: 'LSTM', name: 'l', input: ['x', 'x', 'x'], output: ['y'] }];
    const x = { x: { type: 1, shape: [3, 4] } };
    expect(() => importOnnx(model({ nodes: lstm, inputs: x }), { graph: new Graph() })).toThrow(
      'LSTM "l": input 0 must have rank 3, its shape is [3,4]',
    );
    const relu = [{ opType: 'Relu', name: 'r', input: ['none'], output: ['y'] }];
    expect(() => importOnnx(model({ nodes: relu }), { graph: new Graph() })).toThrow(
      'input of Relu "r" "none" is computed by no node before it',
    );
  });
});
