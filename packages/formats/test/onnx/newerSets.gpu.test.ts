/**
 * Operators of the operator sets 22 to 26 and of 6 to 8, and attributes of older ones that few models have, beside ONNX Runtime; functions
 * that a model brings along.
 */
import { Graph, proto, TensorValue } from '@forerun/graph';
import { Session } from '@forerun/session';
import { importOnnx } from '@forerun/formats';
import { agree, node, type Feeds } from './agree.js';
import { bools, floats, held, ints, long, longs, together, valuesFrom, type Case } from './cases.js';
import { modelOf, type AttributeSource } from './models.js';

const values = valuesFrom(41);
const [queries, keys, past] = [values([2, 4, 3, 6]), values([2, 2, 5, 6]), values([2, 2, 2, 6])];
const mask = values([3, 5]);
const allowed = new TensorValue('bool', [2, 1, 3, 5], Uint8Array.from({ length: 30 }, (_, i) => (i < 10 ? 1 : i % 3) % 2)); // prettier-ignore

const attend = (
  inputs: Case['inputs'],
  attributes: Readonly<Record<string, AttributeSource>> = {},
  outputs = 1,
): Case => ({ op: 'Attention', inputs, attributes, outputs });

const turned = (attributes: Readonly<Record<string, AttributeSource>>, shape: readonly number[], angles: number): Case => ({
  op: 'RotaryEmbedding',
  inputs: [values(shape), values([8, angles]), values([8, angles]), longs([0, 3, 7, 1, 2, 5], [2, 3])],
  attributes,
}); // prettier-ignore

const SETS: Readonly<Record<number, readonly Case[]>> = {
  7: [
    { op: 'Upsample', inputs: [values([1, 2, 2, 3])], attributes: { scales: { floats: [1, 1, 2, 3] } } },
    { op: 'BatchNormalization', inputs: [values([2, 3, 2]), values([3]), values([3]), values([3]), values([3], 0.5, 1)] },
    { op: 'And', inputs: [bools(1, 0, 1), bools(1, 1, 0)] },
  ],
  14: [
    { op: 'BatchNormalization', inputs: [values([4, 3, 5]), values([3]), values([3]), values([3]), values([3], 0.5, 1)], attributes: { training_mode: 1, momentum: { f: 0.7 } }, outputs: 3 },
  ],
  17: [
    { op: 'LayerNormalization', inputs: [values([2, 3, 4]), values([3, 4])], attributes: { axis: 1 }, outputs: 3 },
    { op: 'Selu', inputs: [values([5], -2, 2)], attributes: { alpha: { f: 2 }, gamma: { f: 3 } } },
    { op: 'EyeLike', inputs: [held(values([3, 4]))], attributes: { k: -1, dtype: 6 } },
    { op: 'MaxPool', inputs: [new TensorValue('uint8', [1, 1, 2, 4], Uint8Array.of(1, 250, 3, 4, 9, 0, 200, 7))], attributes: { kernel_shape: [2, 2], pads: [1, 1, 0, 0] } },
    { op: 'Dropout', inputs: [values([3, 2])], outputs: 2 },
  ],
  20: [
    { op: 'IsInf', inputs: [floats(1, Infinity, -Infinity, NaN)], attributes: { detect_negative: 0, detect_positive: 0 } },
    { op: 'ReduceMax', inputs: [new TensorValue('bool', [2, 2], Uint8Array.of(0, 1, 0, 0)), held(longs([1]))] },
    { op: 'ReduceMin', inputs: [new TensorValue('bool', [2, 2], Uint8Array.of(1, 1, 0, 1)), held(longs([1]))] },
    { op: 'Pad', inputs: [values([3, 4]), held(longs([2, 5])), null, held(longs([1]))], attributes: { mode: 'wrap' } },
    { op: 'Pad', inputs: [values([2, 3]), longs([1, 2]), floats(7), held(longs([0]))].map((input, i) => (i === 2 ? new TensorValue('float32', [], Float32Array.of(7)) : input)) },
  ],
  23: [
    attend([queries, values([2, 4, 5, 6]), values([2, 4, 5, 7])], { scale: { f: 0.3 }, softcap: { f: 0.8 } }),
    attend([queries, keys, keys, mask], { qk_matmul_output_mode: 0 }),
    attend([queries, keys, keys, allowed]),
    attend([queries, keys, keys, null, past, past], { is_causal: 1 }, 3),
    attend([values([2, 3, 8]), values([2, 5, 4]), values([2, 5, 6])], { q_num_heads: 4, kv_num_heads: 2, is_causal: 1 }),
    { op: 'RMSNormalization', inputs: [values([2, 3, 4]), values([4])], attributes: { epsilon: { f: 0.01 } } },
    { op: 'RMSNormalization', inputs: [values([2, 3, 4]), values([3, 4])], attributes: { axis: 1 } },
    turned({}, [2, 4, 3, 8], 4),
    turned({ interleaved: 1, rotary_embedding_dim: 4 }, [2, 4, 3, 8], 2),
    turned({ num_heads: 2 }, [2, 3, 12], 3),
    { op: 'RotaryEmbedding', inputs: [values([2, 4, 3, 8]), values([2, 3, 4]), values([2, 3, 4])] },
  ],
  24: [
    { op: 'Swish', inputs: [values([5], -3, 3)], attributes: { alpha: { f: 1.7 } } },
    { op: 'TensorScatter', inputs: [values([2, 3, 6, 2]), values([2, 3, 2, 2]), longs([4, 1])] },
    { op: 'TensorScatter', inputs: [values([2, 6, 3]), values([2, 2, 3]), longs([5, 1])], attributes: { axis: 1, mode: 'circular' } },
    attend([queries, keys, keys, null, null, null, longs([3, 5])]),
  ],
  26: [
    { op: 'CumProd', inputs: [values([2, 4]), held(long(1))], attributes: { exclusive: 1, reverse: 1 } },
    { op: 'BitCast', inputs: [floats(1, -2.5, 0)], attributes: { to: 6 } },
  ],
}; // prettier-ignore

test.each(Object.entries(SETS))('operator set %s', async (opset, cases) => {
  const { parts, feeds } = together(Number(opset), cases);
  await agree(parts, [feeds]);
});

/** What a model of one node with one output gives. */
async function resultOf(opset: number, one: Case): Promise<unknown[]> {
  const { parts, feeds } = together(opset, [one]);
  const graph = new Graph();
  const { inputs, outputs } = importOnnx(modelOf(parts), { graph });
  await using sess = await Session.create({ graph });
  const fed = Object.entries(feeds).flatMap(([key, value]) => {
    const input = inputs[key];
    return input === undefined ? [] : [[input, value] as const];
  });
  const results = Object.values(await sess.run(outputs, new Map(fed)));
  return results.flatMap((result) => (result instanceof TensorValue ? [...result.data] : []));
}

test.each([
  ['detect_positive', [0, 0, 1, 0]],
  ['detect_negative', [0, 1, 0, 0]],
])('infinities without %s', async (left, expected) => {
  // ONNX Runtime 1.30 finds none at all; the operator's definition says what is asked for.
  const infinities: Case = {
    op: 'IsInf',
    inputs: [floats(1, Infinity, -Infinity, NaN)],
    attributes: { [left]: 0 },
  };
  expect(await resultOf(20, infinities)).toEqual(expected);
});

test('operands of operator set 6 begin at an axis', async () => {
  // ONNX Runtime begins with operator set 7.
  const table = new TensorValue(
    'float32',
    [2, 2, 3],
    Float32Array.from({ length: 12 }, (_, i) => i),
  );
  const attributes = { broadcast: 1, axis: 1 };
  const sums = await resultOf(6, { op: 'Add', inputs: [table, floats(100, 200)], attributes });
  expect(sums).toEqual([100, 101, 102, 203, 204, 205, 106, 107, 108, 209, 210, 211]);
});

/** A model with functions of its own, in the domain `local`. */
function withFunctions(
  nodes: readonly proto.Init<proto.onnxNodeProto>[],
  functions: readonly proto.Init<proto.onnxFunctionProto>[],
): Uint8Array {
  const inputs = { x: { type: 1, shape: [2, 3] } };
  const model = proto.decode('onnx.ModelProto', modelOf({ nodes, inputs, outputs: ['y'] }));
  const imports = [
    { domain: '', version: 17 },
    { domain: 'local', version: 1 },
  ];
  return proto.encode('onnx.ModelProto', {
    ...model,
    opsetImport: imports,
    functions: functions.map((fn) => ({ domain: 'local', opsetImport: imports, ...fn })),
  });
}

const local = (...args: Parameters<typeof node>): proto.Init<proto.onnxNodeProto> => ({ ...node(...args), domain: 'local' }); // prettier-ignore
const referring = (made: proto.Init<proto.onnxNodeProto>, name: string, to: string): proto.Init<proto.onnxNodeProto> => ({
  ...made,
  attribute: [{ name, type: 1, refAttrName: to }],
}); // prettier-ignore

test('functions of a model take the place of their calls', async () => {
  const leaky = {
    name: 'Leaky',
    input: ['a', 'shift'],
    output: ['b'],
    attribute: ['slope'],
    node: [
      node('Add', ['a', 'shift'], 'moved'),
      referring(node('LeakyRelu', ['moved'], 'b'), 'alpha', 'slope'),
    ],
  };
  // The names within have nothing to do with those outside, and functions call others.
  const twice = {
    name: 'Twice',
    input: ['x'],
    output: ['y'],
    node: [local('Leaky', ['x', 'x'], 'moved', { slope: { f: 0.5 } }), local('Leaky', ['moved', 'x'], 'y')],
  };
  const nodes = [local('Twice', ['x'], 'moved'), node('Neg', ['moved'], 'y')];
  const feeds: Feeds = { x: values([2, 3], -2, 2) };
  await agree(withFunctions(nodes, [leaky, twice]), [feeds]);
});

const recursive = { name: 'F', input: ['x'], output: ['y'], node: [local('F', ['x'], 'y')] };
const unknown = { name: 'F', input: ['x'], output: ['y'], node: [node('Unheard', ['x'], 'y')] };

test.each<[string, Uint8Array, RegExp]>([
  ['a function that calls itself', withFunctions([local('F', ['x'], 'y')], [recursive]), /F "F_y": the function F calls itself/],
  ['an unknown op in a function', withFunctions([local('F', ['x'], 'y')], [unknown]), /not known here:\n {2}Unheard: Unheard_y/],
  ['a function that is missing', withFunctions([local('G', ['x'], 'y')], [unknown]), /not known here:\n {2}local.G: G_y/],
  ['heads that do not divide', modelOf(together(23, [attend([values([1, 2, 7]), values([1, 2, 4]), values([1, 2, 4])], { q_num_heads: 2, kv_num_heads: 2 })]).parts), /a width of 7 cannot be divided into 2 heads/],
  ['heads that cannot be shared', modelOf(together(23, [attend([values([1, 3, 2, 4]), values([1, 2, 2, 4]), values([1, 2, 2, 4])])]).parts), /3 heads of queries cannot share 2 heads/],
  ['past keys alone', modelOf(together(23, [attend([queries, keys, keys, null, past])]).parts), /past keys and past values must be given together/],
  ['a scatter along the batch', modelOf(together(24, [{ op: 'TensorScatter', inputs: [values([2, 3]), values([2, 3])], attributes: { axis: 0 } }]).parts), /the axis cannot be that of the batch/],
  ['statistics of every position', modelOf(together(7, [{ op: 'BatchNormalization', inputs: [values([2, 3, 2]), ...[1, 2, 3, 4].map(() => values([3, 2]))], attributes: { spatial: 0 } }]).parts), /statistics of every position/],
  ['an operator set that is too old', modelOf(together(5, [{ op: 'Not', inputs: [bools(1)] }]).parts), /operator set 5 is not known; 6 to 26 are/],
  ['a rotation of an odd width', modelOf(together(23, [{ op: 'RotaryEmbedding', inputs: [values([1, 1, 2, 6]), values([4, 1]), values([4, 1]), longs([0, 1], [1, 2])], attributes: { rotary_embedding_dim: 3 } }]).parts), /rotary_embedding_dim 3 of 6 elements/],
  ['a cast of bytes to bits', modelOf(together(26, [{ op: 'BitCast', inputs: [ints(1)], attributes: { to: 7 } }]).parts), /BitCast/],
])('%s is refused', (_, model, message) => {
  expect(() => importOnnx(model, { graph: new Graph() })).toThrow(message);
}); // prettier-ignore
