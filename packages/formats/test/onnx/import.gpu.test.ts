/** Imported ONNX models give what ONNX Runtime gives on the same inputs. */
import type { proto } from '@forerun/graph';
import { Graph, TensorValue, toHostValue, UnimplementedError } from '@forerun/graph';
import { Random, fuzz } from '@forerun/testing';
import { Session } from '@forerun/session';
import { importOnnx, onnxOps } from '@forerun/formats';
import { attribute, modelOf, reference, type ModelParts, type ReferenceResult } from './models.js';

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

type Attributes = Readonly<Record<string, Parameters<typeof attribute>[1]>>;

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
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), new TensorValue('float32', [4], Float32Array.of(1, 1, 2, 2))], attributes: { mode: 'nearest' } },
  { op: 'Resize', shapes: [[1, 2, 4, 5]], known: [values([0]), new TensorValue('float32', [4], Float32Array.of(1, 1, 2, 3))], attributes: { mode: 'linear' } },
]; // prettier-ignore

const cases = NODES.map(single);
let expected: ReferenceResult[];

beforeAll(() => {
  expected = reference(cases.map(({ parts, feeds }) => ({ model: modelOf(parts), feeds })));
}, 120_000);

async function run({ parts, feeds }: Case): Promise<Record<string, TensorValue>> {
  const graph = new Graph();
  const { outputs } = importOnnx(modelOf(parts), { graph });
  await using sess = await Session.create({ graph });
  return await sess.run(outputs, feeds);
}

function compare(got: Record<string, TensorValue>, { error, outputs }: ReferenceResult): void {
  expect(error).toBeUndefined();
  for (const [name, { dims, data }] of Object.entries(outputs)) {
    expect(got[name]?.shape).toEqual(dims);
    const ours = toHostValue(got[name] ?? values([0]))?.data ?? [];
    data.forEach((value, i) =>
      expect(Math.abs((ours[i] ?? NaN) - value)).toBeLessThan(2e-5 * Math.max(1, Math.abs(value))),
    );
  }
}

test.each(cases.map((one, i) => [one.name, one, i] as const))('%s', async (_, one, i) => {
  compare(await run(one), expected[i] ?? { outputs: {} });
});

test('the cases are of many ops', () => {
  const used = new Set(NODES.map(({ op }) => op));
  expect(onnxOps().filter((op) => !used.has(op))).toEqual([
    'And',
    'Constant',
    'ConstantOfShape',
    'Equal',
    'GreaterOrEqual',
    'Less',
    'Not',
    'Or',
    'Upsample',
    'Where',
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
  compare(await run(one), reference([{ model: modelOf(parts), feeds: one.feeds }])[0] ?? { outputs: {} });
}, 60_000);

describe('what is refused', () => {
  const model = (parts: Partial<ModelParts>): Uint8Array =>
    modelOf({ nodes: [], inputs: {}, outputs: [], ...parts });

  test('ops that are not known, all at once; operator sets; inputs that nothing computes', () => {
    const nodes = [
      { opType: 'NonZero', name: 'a' },
      { opType: 'Loop', name: 'b' },
      { opType: 'NonZero', name: 'c' },
    ];
    expect(() => importOnnx(model({ nodes }), { graph: new Graph() })).toThrow(UnimplementedError);
    expect(() => importOnnx(model({ nodes }), { graph: new Graph() })).toThrow('  NonZero: a, c\n  Loop: b');
    expect(() => importOnnx(model({ opset: 30 }), { graph: new Graph() })).toThrow(
      'operator set 30 is not known; 9 to 21 are',
    );
    const relu = [{ opType: 'Relu', name: 'r', input: ['none'], output: ['y'] }];
    expect(() => importOnnx(model({ nodes: relu }), { graph: new Graph() })).toThrow(
      'input of Relu "r" "none" is computed by no node before it',
    );
  });

  test('damaged models', async () => {
    const seeds = [cases[45], cases[37]].flatMap((one) => (one === undefined ? [] : [modelOf(one.parts)]));
    const { refused } = await fuzz({ seeds, parse: (bytes) => importOnnx(bytes, { graph: new Graph() }) });
    expect(refused).toBeGreaterThan(500);
  }, 600_000);
});
