/** Sequences and optionals of ONNX, of known and of unknown lengths, beside ONNX Runtime. */
import { Graph, InvalidArgumentError, TensorValue } from '@forerun/graph';
import { Session } from '@forerun/session';
import { Random } from '@forerun/testing';
import { importOnnx } from '@forerun/formats';
import { agree, node, type Feeds } from './agree.js';
import { modelOf, type BodyParts, type ModelParts } from './models.js';

const random = new Random(23);

function values(...shape: number[]): TensorValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue('float32', shape, Float32Array.from(random.array(size, -1, 1)));
}

const long = (value: number): TensorValue => new TensorValue('int64', [], BigInt64Array.of(BigInt(value)));
const longs = (...list: number[]): TensorValue =>
  new TensorValue('int64', [list.length], BigInt64Array.from(list, BigInt));
const fixed = (...shape: (number | null)[]): ModelParts['inputs'][string] => ({ type: 1, shape });
const body = (parts: BodyParts): { readonly body: BodyParts } => ({ body: parts });
const SEQUENCE = { sequence: 1 };

const POSITIONS = { zero: long(0), one: long(1), last: long(-1), two: long(2), half: longs(1, 2) };

test('sequences whose elements are known', async () => {
  const nodes = [
    node('SequenceConstruct', ['x', 'y'], 's'),
    node('SequenceInsert', ['s', 'z', 'one'], 'three'),
    node('SequenceInsert', ['three', 'x', 'last'], 'four'),
    node('SequenceInsert', ['four', 'y'], 'five'),
    node('SequenceErase', ['five', 'two'], 'less'),
    node('SequenceErase', ['less'], 'left'),
    node('SequenceLength', ['left'], 'length'),
    node('SequenceAt', ['left', 'last'], 'at'),
    node('ConcatFromSequence', ['less'], 'row', { axis: -1 }),
    node('SplitToSequence', ['x', 'half'], 'parts', { axis: 1 }),
    node('SequenceAt', ['parts', 'one'], 'part'),
    node('SplitToSequence', ['x'], 'rows', { axis: 0, keepdims: 0 }),
    node('ConcatFromSequence', ['rows'], 'turned', { axis: 1, new_axis: 1 }),
    node('SplitToSequence', ['x', 'two'], 'pairs', { axis: -1 }),
    node('SequenceLength', ['pairs'], 'count'),
    node('SplitToSequence', ['x'], 'columns', { axis: 1 }),
    node('ConcatFromSequence', ['columns'], 'tall', { axis: 0 }),
  ];
  const inputs = { x: fixed(2, 3), y: fixed(2, 3), z: fixed(2, 1) };
  const outputs = ['length', 'at', 'row', 'part', 'turned', 'count', 'tall'];
  const feeds = [{ x: values(2, 3), y: values(2, 3), z: values(2, 1) }];
  await agree({ nodes, inputs, outputs, initializers: POSITIONS }, feeds);
});

test('parts of tensors whose sizes only a run knows', async () => {
  const nodes = [
    node('SplitToSequence', ['x', 'two'], 'pairs', { axis: 1 }),
    node('SequenceLength', ['pairs'], 'count'),
    node('SequenceAt', ['pairs', 'last'], 'rest'),
    node('ConcatFromSequence', ['pairs'], 'again', { axis: 1 }),
    node('SplitToSequence', ['x'], 'columns', { axis: 1, keepdims: 0 }),
    node('ConcatFromSequence', ['columns'], 'stacked', { axis: -1, new_axis: 1 }),
    node('SplitToSequence', ['x', 'sizes'], 'parts', { axis: 0 }),
    node('SequenceInsert', ['parts', 'x', 'place'], 'more'),
    node('SequenceErase', ['more', 'place'], 'same'),
    node('SequenceAt', ['more', 'place'], 'mine'),
    node('ConcatFromSequence', ['same'], 'all', { axis: 0 }),
  ];
  const inputs = { x: fixed(null, null), sizes: { type: 7, shape: [null] }, place: { type: 7, shape: [] } };
  const outputs = ['count', 'rest', 'again', 'stacked', 'mine', 'all'];
  const feeds: Feeds[] = [
    { x: values(3, 5), sizes: longs(1, 2), place: long(1) },
    { x: values(4, 2), sizes: longs(2, 1, 1), place: long(-2) },
  ];
  await agree({ nodes, inputs, outputs, initializers: POSITIONS }, feeds);
});

test('sequences that loops build and shorten, and that branches choose', async () => {
  const grow = body({
    nodes: [
      node('Identity', ['goes'], 'on'),
      node('Mul', ['v', 'factor'], 'next'),
      node('SequenceInsert', ['s', 'next'], 'longer'),
    ],
    inputs: { i: 7, goes: 9, v: 1, s: SEQUENCE },
    outputs: { on: 9, next: 1, longer: SEQUENCE },
    initializers: { factor: values(1) },
  });
  const shorten = body({
    nodes: [node('Identity', ['goes'], 'on'), node('SequenceErase', ['s', 'zero'], 'shorter')],
    inputs: { i: 7, goes: 9, s: SEQUENCE },
    outputs: { on: 9, shorter: SEQUENCE },
  });
  const branch = (...nodes: BodyParts['nodes']): ReturnType<typeof body> =>
    body({ nodes, inputs: {}, outputs: { [nodes.at(-1)?.output?.[0] ?? '']: SEQUENCE } });
  const nodes = [
    node('SequenceEmpty', [], 'empty', { dtype: 1 }),
    node('Loop', ['trips', '', 'x', 'empty'], ['v', 'grown'], { body: grow }),
    node('ConcatFromSequence', ['grown'], 'wide', { axis: 1 }),
    node('Loop', ['one', '', 'grown'], ['left'], { body: shorten }),
    node('SequenceLength', ['left'], 'length'),
    node('ReduceSum', ['x'], 'sum', { keepdims: 0 }),
    node('Greater', ['sum', 'nought'], 'positive'),
    node('If', ['positive'], ['chosen'], {
      then_branch: branch(node('SequenceInsert', ['left', 'x', 'zero'], 't')),
      else_branch: branch(node('SequenceConstruct', ['x', 'v'], 'e')),
    }),
    node('ConcatFromSequence', ['chosen'], 'high', { axis: 0 }),
  ];
  const inputs = { x: fixed(2, 2), trips: { type: 7, shape: [] } };
  const positive = new TensorValue('float32', [2, 2], Float32Array.of(1, 2, 3, 4));
  const negative = new TensorValue('float32', [2, 2], Float32Array.of(-1, 2, -3, -4));
  const feeds = [
    { x: positive, trips: long(3) },
    { x: negative, trips: long(2) },
  ];
  const initializers = { ...POSITIONS, nought: new TensorValue('float32', [], Float32Array.of(0)) };
  await agree({ nodes, inputs, outputs: ['v', 'wide', 'length', 'high'], initializers }, feeds);
});

test('a loop in which elements of other sizes come into a sequence', async () => {
  const grow = body({
    nodes: [
      node('Identity', ['goes'], 'on'),
      node('SequenceAt', ['s', 'last'], 'newest'),
      node('Concat', ['newest', 'newest'], 'double', { axis: 0 }),
      node('SequenceInsert', ['s', 'double'], 'longer'),
    ],
    inputs: { i: 7, goes: 9, s: SEQUENCE },
    outputs: { on: 9, longer: SEQUENCE },
  });
  const nodes = [
    node('SequenceConstruct', ['x'], 'start'),
    node('Loop', ['trips', '', 'start'], ['s'], { body: grow }),
    node('ConcatFromSequence', ['s'], 'y', { axis: 0 }),
  ];
  const inputs = { x: fixed(2), trips: { type: 7, shape: [] } };
  await agree({ nodes, inputs, outputs: ['y'], initializers: POSITIONS }, [{ x: values(2), trips: long(3) }]);
});

test('a body for every element', async () => {
  const each = (id: string): ReturnType<typeof body> =>
    body({
      nodes: [
        node('Add', [`${id}a`, `${id}b`], `${id}sum`),
        node('Mul', [`${id}sum`, `${id}c`], `${id}y`),
        node('ReduceSum', [`${id}y`], `${id}z`),
      ],
      inputs: { [`${id}a`]: 1, [`${id}b`]: 1, [`${id}c`]: 1 },
      outputs: { [`${id}y`]: 1, [`${id}z`]: 1 },
    });
  const nodes = [
    node('SequenceConstruct', ['x', 'y'], 's'),
    node('SequenceMap', ['s', 's', 'x'], ['products', 'sums'], { body: each('first_') }),
    node('ConcatFromSequence', ['products'], 'p', { axis: 0 }),
    node('ConcatFromSequence', ['sums'], 'q', { axis: 0, new_axis: 1 }),
    node('SplitToSequence', ['more'], 'others', { axis: 0 }),
    node('SequenceMap', ['others', 'others', 'y'], ['made', 'm'], { body: each('second_') }),
    node('ConcatFromSequence', ['made'], 'r', { axis: 1 }),
  ];
  const inputs = { x: fixed(2, 3), y: fixed(2, 3), more: fixed(null, 3) };
  const feeds = [{ x: values(2, 3), y: values(2, 3), more: values(4, 3) }];
  await agree({ nodes, inputs, outputs: ['p', 'q', 'r'], opset: 18 }, feeds);
});

test('optionals that are known, and that branches choose', async () => {
  const type = { optional: 1 };
  const branch = (made: BodyParts['nodes'][number]): ReturnType<typeof body> =>
    body({ nodes: [made], inputs: {}, outputs: { [made.output?.[0] ?? '']: type } });
  const get = body({ nodes: [node('OptionalGetElement', ['chosen'], 'g')], inputs: {}, outputs: { g: 1 } });
  const zero = body({ nodes: [node('Neg', ['x'], 'n')], inputs: {}, outputs: { n: 1 } });
  const nodes = [
    node('Optional', ['x'], 'some'),
    node('OptionalHasElement', ['some'], 'has'),
    node('OptionalGetElement', ['some'], 'value'),
    node('Optional', [], 'none', { type: { type: 1 } }),
    node('OptionalHasElement', ['none'], 'hasNot'),
    node('OptionalHasElement', [], 'absent'),
    node('SequenceConstruct', ['x', 'x'], 's'),
    node('Optional', ['s'], 'list'),
    node('OptionalGetElement', ['list'], 'listed'),
    node('ConcatFromSequence', ['listed'], 'twice', { axis: 0 }),
    node('If', ['flag'], ['chosen'], {
      then_branch: branch(node('Optional', ['x'], 't')),
      else_branch: branch(node('Optional', [], 'e', { type: { type: 1 } })),
    }),
    node('OptionalHasElement', ['chosen'], 'there'),
    node('If', ['there'], ['y'], { then_branch: get, else_branch: zero }),
  ];
  const inputs = { x: fixed(3), flag: { type: 9, shape: [] } };
  const outputs = ['has', 'value', 'hasNot', 'absent', 'twice', 'there', 'y'];
  const flag = (value: number): TensorValue => new TensorValue('bool', [], Uint8Array.of(value));
  const feeds = [1, 0].map((value) => ({ x: values(3), flag: flag(value) }));
  await agree({ nodes, inputs, outputs, opset: 18 }, feeds);
});

describe('what is refused', () => {
  const load =
    (nodes: ModelParts['nodes'], outputs: string[], inputs: ModelParts['inputs'] = { x: fixed(null, 3) }) =>
    () =>
      importOnnx(modelOf({ nodes, inputs, outputs, initializers: POSITIONS }), { graph: new Graph() });

  test('when a model is imported', () => {
    const s = node('SequenceConstruct', ['x'], 's');
    expect(load([s, node('SequenceAt', ['s', 'one'], 'y')], ['y'])).toThrow('SequenceAt "SequenceAt_y": position 1 of 1');
    expect(load([node('SequenceAt', ['x', 'one'], 'y')], ['y'])).toThrow('SequenceAt "SequenceAt_y": input 0 must be a sequence');
    expect(load([s, node('ConcatFromSequence', ['s'], 'y')], ['y'])).toThrow('the attribute axis is missing');
    expect(load([node('SequenceEmpty', [], 'e'), node('ConcatFromSequence', ['e'], 'y', { axis: 0 })], ['y'])).toThrow('the sequence is empty');
    expect(load([node('SequenceEmpty', [], 'e', { dtype: 7 }), node('SequenceInsert', ['e', 'x'], 'y')], ['y'])).toThrow('an element is float32, the list holds int64');
    expect(load([node('SplitToSequence', ['x', 'zero'], 'y', { axis: 1 })], ['y'])).toThrow('parts of size 0');
    expect(load([node('Optional', [], 'y', { type: { type: 1 } })], ['y'])).toThrow(InvalidArgumentError);
    expect(load([node('Optional', [], 'o', { type: { type: 1 } }), node('OptionalGetElement', ['o'], 'y')], ['y'])).toThrow('the optional has no value');
    expect(load([node('SplitToSequence', ['x'], 'y')], ['y'])).toThrow('output "y" is a sequence whose length only a run knows');
  }); // prettier-ignore

  test('in a run, after which the session is of use', async () => {
    const graph = new Graph();
    const nodes = [node('SplitToSequence', ['x'], 's'), node('SequenceAt', ['s', 'one'], 'y')];
    const model = modelOf({ nodes, inputs: { x: fixed(null, 3) }, outputs: ['y'], initializers: POSITIONS });
    const { outputs } = importOnnx(model, { graph });
    await using sess = await Session.create({ graph });
    await expect(sess.run(outputs, { x: values(1, 3) })).rejects.toThrow(/index 1 is out of range \[0, 1\)/);
    const x = values(2, 3);
    expect((await sess.run(outputs, { x })).y).toEqual(new TensorValue('float32', [1, 3], x.data.slice(3)));
  });

  test('a sequence of known length is given as its elements', () => {
    const { outputs } = load([node('SequenceConstruct', ['x', 'x'], 's')], ['s'])();
    expect(Object.keys(outputs)).toEqual(['s/0', 's/1']);
  });
});
