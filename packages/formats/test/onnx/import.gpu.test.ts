/** Imported ONNX models give what ONNX Runtime gives on the same inputs. */
import type { proto, Tensor, TensorValue } from '@forerun/graph';
import { Graph, toHostValue, UnimplementedError } from '@forerun/graph';
import { Session, type FeedValue } from '@forerun/session';
import { importOnnx, onnxOps } from '@forerun/formats';
import { attribute, modelOf, reference, type ModelParts, type ReferenceResult } from './models.js';
import { integers, values, type Attributes, type Case } from './nodeModels.js';
import { FLOAT_CASES, NODES } from './floatCases.js';
import { CONTROL, FOUND, QUANTIZED, RECURRENT } from './operatorCases.js';

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

test.each(groups([...FLOAT_CASES, ...RECURRENT, ...CONTROL, ...QUANTIZED, ...FOUND]))(
  '%s',
  async (_, list) => {
    const expected = reference(list.map(({ parts, feeds }) => ({ model: modelOf(parts), feeds })));
    const got = await runAll(list);
    list.forEach(({ name }, i) => {
      compare(name, got[i] ?? {}, expected[i] ?? { outputs: {} });
    });
  },
);

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

test.each([true, false])('dropout drops where the model says that it trains: %s', async (trains) => {
  const model = modelOf({
    nodes: [{ opType: 'Dropout', name: 'd', input: ['x', 'ratio', 'trains'], output: ['y', 'mask'] }],
    inputs: { x: { type: 1, shape: [null, 40] }, trains: { type: 9, shape: [] } },
    initializers: { ratio: values([], 0.25, 0.25) },
    outputs: ['y', 'mask'],
  });
  const graph = new Graph();
  const { inputs, outputs } = importOnnx(model, { graph });
  await using sess = await Session.create({ graph });
  const x = values([5, 40], 1, 2);
  const feeds = new Map<Tensor, FeedValue>();
  if (inputs.x !== undefined) feeds.set(inputs.x, x);
  if (inputs.trains !== undefined) feeds.set(inputs.trains, trains);
  const { y, mask } = (await sess.run(outputs, feeds)) as Readonly<Record<string, TensorValue>>;
  const kept = [...(toHostValue(mask ?? x)?.data ?? [])];
  expect(kept.filter((flag) => flag === 0).length > 0).toBe(trains);
  const scale = trains ? 0.75 : 1;
  const want = kept.map((flag, i) => (flag * Number(x.data[i])) / scale);
  [...(toHostValue(y ?? x)?.data ?? [])].forEach((value, i) => expect(value).toBeCloseTo(want[i] ?? NaN, 5));
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
