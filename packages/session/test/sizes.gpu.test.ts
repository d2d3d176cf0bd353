/** Many operands, many ranks, many elements, many batch sizes. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('AddN of 10 and ConcatV2 of 100 operands that are fed', async () => {
  const xs = Array.from({ length: 100 }, (_, i) => fr.placeholder('float32', [2], { name: `x${i}` }));
  const sum = fr.addN(xs.slice(0, 10));
  const joined = fr.concat(xs, 0);
  const grads = fr.gradients(fr.reduceSum(fr.square(joined)), [xs[0] ?? sum, xs[99] ?? sum]);
  sess = await Session.create();
  const feeds = new Map(xs.map((x, i) => [x, [i, -i]]));
  const result = await sess.run({ sum, joined, grads: grads.filter((g) => g !== null) }, feeds);
  expect(result.sum.toArray()).toEqual([45, -45]);
  expect(result.joined.toArray()).toEqual(xs.flatMap((_, i) => (i === 0 ? [0, -0] : [i, -i])));
  expect(result.grads.map((g) => Array.from(g.data, Number))).toEqual([
    [0, -0],
    [198, -198],
  ]);
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  'elementwise, reduced, transposed and broadcast at rank %d',
  async (rank) => {
    const shape = Array.from({ length: rank }, (_, i) => (i % 3) + 1);
    const size = shape.reduce((product, dim) => product * dim, 1);
    const x = fr.placeholder('float32', shape, { name: 'x' });
    const perm = shape.map((_, i) => rank - 1 - i);
    const back = fr.transpose(fr.transpose(x, { perm }), { perm });
    const total = fr.reduceSum(fr.add(fr.mul(x, 2), fr.ones(shape.map(() => 1))));
    sess = await Session.create();
    const value = Float32Array.from({ length: size }, (_, i) => i);
    const result = await sess.run({ back, total }, { x: new fr.TensorValue('float32', shape, value) });
    expect(Array.from(result.back.data, Number)).toEqual(Array.from(value));
    expect(result.total.item()).toBe(size * (size - 1) + size);
  },
);

test('more workgroups than one dispatch dimension has', async () => {
  const count = 65_536 * 256 + 3;
  const x = fr.placeholder('int32', [], { name: 'x' });
  const many = fr.fill([count], x);
  const y = fr.add(many, fr.range(count));
  const last = fr.slice(y, [count - 2], [2]);
  sess = await Session.create();
  const [a, b] = Array.from((await sess.run(last, { x: 1 })).data, Number);
  expect([a, b]).toEqual([count - 1, count]);
});

test('a network of unknown sizes trains and infers at three batch sizes', async () => {
  const x = fr.placeholder('float32', [null, null], { name: 'x' });
  const w = new fr.Variable(
    fr.constant([
      [1, 2],
      [3, 4],
      [5, 6],
    ]),
    { name: 'w' },
  );
  const y = fr.relu(fr.matMul(x, w));
  const loss = fr.reduceMean(fr.square(y));
  const [dw] = fr.gradients(loss, w);
  if (!dw) throw new Error('no gradient');
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  for (const batch of [1, 3, 7]) {
    const rows = Array.from({ length: batch }, (_, i) => [i, 1, -0.5]);
    const result = await sess.run({ y, dw: fr.convertToTensor(dw) }, { x: rows });
    expect(result.y.toArray()).toEqual(rows.map(([a = 0]) => [a + 0.5, 2 * a + 1]));
    const column = (f: (a: number) => number): number =>
      rows.reduce((sum, [a = 0]) => sum + (f(a) * a) / batch, 0);
    expect(result.dw.data[0]).toBeCloseTo(
      column((a) => a + 0.5),
      4,
    );
    expect(result.dw.data[1]).toBeCloseTo(
      column((a) => 2 * a + 1),
      4,
    );
  }
});
