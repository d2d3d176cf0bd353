/** Ops whose results have as many elements as their values say: the plan is cut there, and only there. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

function vector(length: number | null = null): fr.Tensor {
  return fr.placeholder('float32', [length], { name: 'x' });
}

test('booleanMask and its gradient, for different numbers of elements', async () => {
  const x = vector();
  const kept = fr.booleanMask(fr.mul(x, 1), fr.greater(x, 0));
  const y = fr.reduceSum(fr.square(kept));
  const [dx] = fr.gradients(y, x);
  if (!dx) throw new Error('no gradient');
  sess = await Session.create();
  for (const values of [[1, -2, 3, -4], [5], [-1, -2], []]) {
    const positive = values.filter((value) => value > 0);
    const result = await sess.run({ kept, y, dx }, { x: Float32Array.from(values) });
    expect(result.kept.toArray()).toEqual(positive);
    expect(result.y.item()).toBe(positive.reduce((sum, value) => sum + value * value, 0));
    expect(result.dx.toArray()).toEqual(values.map((value) => (value > 0 ? 2 * value : 0)));
  }
});

test('where, unique and what follows them', async () => {
  const x = vector(6);
  const positions = fr.where(fr.greater(x, 1));
  const [values, idx] = fr.unique(fr.mul(x, 2));
  const restored = fr.gather(values, idx);
  sess = await Session.create();
  const result = await sess.run({ positions, values, restored }, { x: [1, 2, 2, 3, 1, 3] });
  expect(result.positions.shape).toEqual([4, 1]);
  expect(Array.from(result.positions.data, Number)).toEqual([1, 2, 3, 5]);
  expect(result.values.toArray()).toEqual([2, 4, 6]);
  expect(result.restored.toArray()).toEqual([2, 4, 4, 6, 2, 6]);
});

test('dynamicPartition and dynamicStitch give back what they took', async () => {
  const x = vector(5);
  const groups = fr.cast(fr.greater(x, 2), 'int32');
  const parts = fr.dynamicPartition(x, groups, 2);
  const places = fr.dynamicPartition(fr.range(5), groups, 2);
  const back = fr.dynamicStitch(
    places,
    parts.map((part) => fr.mul(part, 10)),
  );
  sess = await Session.create();
  const result = await sess.run({ parts, back }, { x: [1, 3, 2, 5, 4] });
  expect(result.parts.map((part) => part.toArray())).toEqual([
    [1, 2],
    [3, 5, 4],
  ]);
  expect(result.back.toArray()).toEqual([10, 30, 20, 50, 40]);
});

test('requests that differ in what they fetch after a cut have plans of their own', async () => {
  const x = vector();
  const kept = fr.booleanMask(fr.mul(x, 1), fr.greater(x, 0));
  const doubled = fr.mul(kept, 2);
  const shifted = fr.add(doubled, 1);
  sess = await Session.create();
  const feeds = { x: [1, -1, 2] };
  expect((await sess.run(shifted, feeds)).toArray()).toEqual([3, 5]);
  const both = await sess.run({ doubled, shifted }, feeds);
  expect(both.doubled.toArray()).toEqual([2, 4]);
  expect(both.shifted.toArray()).toEqual([3, 5]);
});

test('variables are updated once though the plan is cut', async () => {
  const x = vector(4);
  const v = new fr.Variable(0, { name: 'v', dtype: 'float32' });
  const count = fr.controlDependencies([v.assignAdd(1, { readValue: false })], () =>
    fr.size(fr.booleanMask(x, fr.greater(x, 0))),
  );
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  expect((await sess.run(count, { x: [1, -1, 2, 3] })).item()).toBe(3);
  expect((await sess.run(v)).item()).toBe(1);
});

test('an axis and a permutation that are computed on the device', async () => {
  const x = fr.placeholder('float32', [2, 3], { name: 'x' });
  const last = fr.cast(fr.reduceMax(fr.cast(fr.greater(x, 5), 'float32')), 'int32');
  const sums = fr.reduceSum(x, { axis: last });
  sess = await Session.create();
  const value = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  expect((await sess.run(sums, { x: value })).toArray()).toEqual([6, 15]);
  const small = [
    [1, 2, 3],
    [4, 5, 5],
  ];
  expect((await sess.run(sums, { x: small })).toArray()).toEqual([5, 7, 8]);
});

test('a group does all of its operations, also those that are done before one that waits for elements', async () => {
  const x = vector(4);
  const [a, b] = [new fr.Variable(fr.constant(0)), new fr.Variable(fr.constant(0))];
  const [values] = fr.unique(x);
  const both = fr.group([a.assignAdd(1), b.assignAdd(fr.reduceSum(values))]);
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  await sess.run(both, { x: [1, 2, 2, 3] });
  await sess.run(both, { x: [5, 5, 5, 5] });
  expect((await sess.run([a, b])).map((value) => value.toArray())).toEqual([2, 11]);
});

/** How often each number up to the largest occurs: the size of the result is computed, and asked for by a part of an op. */
function counts(numbers: fr.Tensor): fr.Tensor {
  const size = fr.add(fr.reduceMax(numbers, { axis: [0] }), 1);
  const attrs = { T: 'int32', Tidx: 'int32' };
  const inputs = [numbers, size, fr.constant([], { dtype: 'int32' })];
  return fr.getDefaultGraph().createOp({ type: 'DenseBincount', inputs, attrs }).output(0);
}

test('an op made of others waits for its own inputs, also in a function that is called', async () => {
  const x = fr.placeholder('int32', [4], { name: 'x' });
  const graph = fr.getDefaultGraph();
  const fn = new fr.FuncGraph('counted', graph);
  const [first, arg] = ['first', 'numbers'].map((name) =>
    fn.addInput({ name, dtype: 'int32', shape: fr.TensorShape.UNKNOWN }),
  ) as [fr.Tensor, fr.Tensor];
  fn.outputs = fn.asDefault(() => [fr.identity(counts(arg)), first]);
  graph.addFunction(fn);
  const types = ['int32', 'int32'] as const;
  const [called] = graph.createOp({
    type: 'PartitionedCall',
    inputs: [fr.constant(7, { dtype: 'int32' }), fr.add(x, 1)],
    attrs: { Tin: types, Tout: types, f: { kind: 'func', value: { name: 'counted', attrs: new Map() } } },
  }).outputs;
  sess = await Session.create();
  const both = await sess.run([counts(fr.mul(x, 1)), called ?? x], { x: [3, 0, 3, 1] });
  expect(both.map((value) => value.toArray())).toEqual([[1, 1, 0, 2], [0, 1, 1, 0, 2]]); // prettier-ignore
});
