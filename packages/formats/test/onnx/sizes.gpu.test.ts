/**
 * Models that leave sizes open and ask for them, as exporters write them: computed shapes and sizes of images, conditionals on
 * ranks and sizes. They give what ONNX Runtime gives.
 */
import { Graph, TensorValue, type proto } from '@forerun/graph';
import { Random } from '@forerun/testing';
import { Session } from '@forerun/session';
import { importOnnx, type ImportOnnxOptions } from '@forerun/formats';
import { agree, node } from './agree.js';
import { modelOf, type AttributeSource, type ModelParts } from './models.js';

const random = new Random(11);

function values(...shape: number[]): TensorValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue('float32', shape, Float32Array.from(random.array(size, -1, 1)));
}

const floats = (...list: number[]): TensorValue =>
  new TensorValue('float32', [list.length], Float32Array.from(list));
const longs = (...list: number[]): TensorValue =>
  new TensorValue('int64', [list.length], BigInt64Array.from(list, BigInt));
const long = (value: number): TensorValue => new TensorValue('int64', [], BigInt64Array.of(BigInt(value)));

const open = (rank: number) => ({ type: 1, shape: new Array<null>(rank).fill(null) });

describe('sizes of images that a run knows', () => {
  const images = [values(1, 2, 4, 5), values(2, 2, 7, 3)].map((x) => ({ x }));

  test.each<[string, Readonly<Record<string, AttributeSource>>, TensorValue]>([
    ['nearest', { mode: 'nearest' }, floats(1, 1, 2, 3)],
    [
      'nearest, asymmetric',
      { mode: 'nearest', nearest_mode: 'floor', coordinate_transformation_mode: 'asymmetric' },
      floats(1, 1, 2, 1.5),
    ],
    ['linear', { mode: 'linear' }, floats(1, 1, 2, 0.6)],
    [
      'linear, corners aligned',
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
      floats(1, 1, 1.5, 2),
    ],
    [
      'linear, as PyTorch',
      { mode: 'linear', coordinate_transformation_mode: 'pytorch_half_pixel' },
      floats(1, 1, 0.25, 2),
    ],
  ])('Resize by factors: %s', async (_, attributes, scales) => {
    const nodes = [node('Resize', ['x', '', 'scales'], 'y', attributes)];
    await agree({ nodes, inputs: { x: open(4) }, outputs: ['y'], initializers: { scales } }, images);
  });

  test('Resize to the size of another image', async () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Slice', ['s', 'zero', 'two'], 'first'),
      node('Shape', ['like'], 't'),
      node('Slice', ['t', 'two', 'four'], 'rest'),
      node('Concat', ['first', 'rest'], 'size', { axis: 0 }),
      node('Resize', ['x', '', '', 'size'], 'y', { mode: 'linear' }),
    ];
    const initializers = { zero: longs(0), two: longs(2), four: longs(4) };
    const feeds = images.map(({ x }) => ({ x, like: values(1, 1, 6, 9) }));
    await agree({ nodes, inputs: { x: open(4), like: open(4) }, outputs: ['y'], initializers }, feeds);
  });

  test('a transposed convolution', async () => {
    const attributes = { strides: [2, 3], pads: [1, 0, 0, 1], output_padding: [0, 1] };
    const nodes = [node('ConvTranspose', ['x', 'w', 'b'], 'y', attributes)];
    const initializers = { w: values(2, 3, 3, 3), b: values(3) };
    await agree({ nodes, inputs: { x: open(4) }, outputs: ['y'], initializers }, images);
  });

  test('a convolution of one pixel, as blocks that weigh channels have', async () => {
    const nodes = [
      node('GlobalAveragePool', ['x'], 'p'),
      node('Conv', ['p', 'w', 'b'], 'c'),
      node('HardSigmoid', ['c'], 'h'),
      node('Mul', ['x', 'h'], 'y'),
    ];
    const initializers = { w: values(8, 8, 1, 1), b: values(8) };
    const feeds = [{ x: values(2, 8, 4, 4) }];
    await agree({ nodes, inputs: { x: open(4) }, outputs: ['y'], initializers }, feeds);
  });
});

test('slices and pads whose places are computed', async () => {
  const nodes = [
    node('Shape', ['x'], 's'),
    node('Slice', ['s', 'one', 'two'], 'length'),
    node('Sub', ['length', 'one'], 'end'),
    node('Slice', ['x', 'one', 'end', 'one'], 'inner'),
    node('Slice', ['x', 'end', 'far', 'last'], 'tail'),
    node('Concat', ['zero', 'end', 'one', 'zero'], 'pads', { axis: 0 }),
    node('Pad', ['x', 'pads', 'fill'], 'padded'),
  ];
  const initializers = { zero: longs(0), one: longs(1), two: longs(2), last: longs(-1), far: longs(2 ** 62), fill: values() };
  const feeds = [values(2, 5), values(3, 4)].map((x) => ({ x }));
  const outputs = ['inner', 'tail', 'padded'];
  await agree({ nodes, inputs: { x: open(2) }, outputs, initializers }, feeds);
}); // prettier-ignore

test('a computed shape keeps the sizes where it is zero', async () => {
  const nodes = [
    node('Shape', ['x'], 's'),
    node('Slice', ['s', 'one', 'two'], 'length'),
    node('Concat', ['zero', 'length', 'rest'], 'to', { axis: 0 }),
    node('Reshape', ['x', 'to'], 'y'),
    node('Reshape', ['x', 'given'], 'z'),
  ];
  const initializers = { zero: longs(0), one: longs(1), two: longs(2), rest: longs(3, 2) };
  const inputs = { x: open(3), given: { type: 7, shape: [3] } };
  const feeds = [values(2, 4, 6), values(3, 1, 6)].map((x) => ({ x, given: longs(0, -1, 3) }));
  await agree({ nodes, inputs, outputs: ['y', 'z'], initializers }, feeds);
});

describe('conditionals on ranks and sizes', () => {
  const branch = (...nodes: proto.Init<proto.onnxNodeProto>[]) => ({
    body: { nodes, inputs: {}, outputs: { [nodes.at(-1)?.output?.[0] ?? '']: 1 } },
  });

  test('of a known rank only the branch that is valid is made', async () => {
    const nodes = [
      node('Shape', ['x'], 's'),
      node('Shape', ['s'], 'r'),
      node('Equal', ['r', 'three'], 'is'),
      node('If', ['is'], 'y', {
        then_branch: branch(node('Transpose', ['x'], 't', { perm: [2, 0, 1] })),
        else_branch: branch(node('Transpose', ['x'], 'e', { perm: [1, 0] })),
      }),
    ];
    const initializers = { three: longs(3) };
    await agree({ nodes, inputs: { x: open(3) }, outputs: ['y'], initializers }, [{ x: values(2, 3, 4) }]);
  });

  const parts: ModelParts = {
    nodes: [
      node('Equal', ['rate', 'high'], 'is'),
      node('If', ['is'], 'z', {
        then_branch: branch(node('Reshape', ['x', 'twos'], 't')),
        else_branch: branch(node('Reshape', ['x', 'threes'], 'e')),
      }),
      node('Transpose', ['z'], 'y', { perm: [1, 0] }),
    ],
    inputs: { x: open(2), rate: { type: 7, shape: [] } },
    outputs: ['y'],
    initializers: { high: long(16000), twos: longs(2, 4), threes: longs(3, 3) },
  };

  test('a branch for other sizes than those that are given fails when it is run, and no sooner', async () => {
    const options = { shapes: { x: [1, 8] } };
    const x = values(1, 8);
    await agree(parts, [{ x, rate: long(16000) }], options);
    const graph = new Graph();
    const { inputs, outputs } = importOnnx(modelOf(parts), { ...options, graph });
    await using sess = await Session.create({ graph });
    const [a, b] = [inputs.x, inputs.rate];
    if (a === undefined || b === undefined) throw new Error('there are two inputs');
    await expect(sess.run(outputs, new Map([[a, x], [b, long(8000)]]))).rejects.toThrow(
      /cannot reshape 8 elements to \[3,3\]/,
    ); // prettier-ignore
    const again = await sess.run(outputs, new Map([[a, x], [b, long(16000)]])); // prettier-ignore
    expect(again.y?.shape).toEqual([4, 2]);
  });

  test('shapes of inputs that are none, or do not fit', () => {
    const graph = new Graph();
    const load = (shapes: ImportOnnxOptions['shapes']) => () => importOnnx(modelOf(parts), { graph, shapes });
    expect(load({ rate: [1] })).toThrow(/input "rate" has the shape \[\], not \[1\]/);
    expect(load({ y: [1] })).toThrow(/a shape is given for "y", the inputs are x, rate/);
  });
});
