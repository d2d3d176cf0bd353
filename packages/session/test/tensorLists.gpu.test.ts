/** Tensor lists on the device: where the compiler knows them, and where only the run does. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

const ints = (...values: number[]): fr.Tensor => fr.constant(values, { dtype: 'int32' });
const longs = (x: fr.Tensor): fr.Tensor => fr.cast(x, 'int64');

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

/** A list of `x`, `2x`, `4x` ... below 20, which the compiler cannot know. */
function grown(x: fr.Tensor, shape: readonly number[]): fr.Tensor {
  const empty = fr.tensorListReserve({ dtype: 'float32', shape: [-1, ...shape.slice(1)] }, 0);
  return fr.whileLoop(
    (y) => fr.less(fr.reduceMax(y), 20),
    (y, list) => [fr.mul(y, 2), fr.tensorListPushBack(list, y)],
    [x, empty],
  )[1];
}

const spec = { dtype: 'float32', shape: -1 } as const;

describe('a list that the compiler knows', () => {
  test('is cut and joined without moving what it need not', async () => {
    const x = fr.placeholder('float32', [6, 2]);
    const list = fr.tensorListSplit(x, longs(ints(1, 3, 2)), { shape: [-1, 2] });
    const changed = fr.tensorListSetItem(list, 0, fr.neg(fr.tensorListGetItem(list, 2, spec)));
    const { tensor, lengths } = fr.tensorListConcat(changed, 'float32');
    sess = await Session.create();
    const value = Array.from({ length: 6 }, (_, i) => [i, 10 * i]);
    const result = await sess.run({ tensor, lengths }, new Map([[x, value]]));
    expect(result.tensor.toArray()).toEqual([[-4, -40], [-5, -50], ...value.slice(1)]);
    expect(Array.from(result.lengths.data, Number)).toEqual([2, 3, 2]);
  });

  test('is scattered, and lists are put in a row and in batches', async () => {
    const x = fr.placeholder('float32', [3]);
    const list = fr.tensorListScatter(x, ints(2, 0, 3), { shape: [], numElements: 5 });
    const twice = fr.tensorListConcatLists(list, fr.tensorListFromTensor(fr.neg(x), []), 'float32');
    const batch = fr.unstack(fr.tensorListPushBackBatch(fr.stack([list, twice]), fr.ones([2])), { num: 2 });
    const stacked = [list, twice, ...batch].map((each) => fr.tensorListStack(each, [], 'float32'));
    sess = await Session.create();
    const values = (await sess.run(stacked, new Map([[x, [1, 2, 3]]]))).map((value) => value.toArray());
    expect(values).toEqual([
      [2, 0, 1, 3, 0],
      [2, 0, 1, 3, 0, -1, -2, -3],
      [2, 0, 1, 3, 0, 1],
      [2, 0, 1, 3, 0, -1, -2, -3, 1],
    ]);
  });

  test('is joined with its elements never set', async () => {
    const x = fr.placeholder('float32', [2, 1]);
    const list = fr.tensorListSetItem(fr.tensorListReserve({ dtype: 'float32', shape: [-1, 1] }, 2), 1, x);
    const leadingDims = longs(ints(3, 2));
    sess = await Session.create();
    const joined = fr.tensorListConcat(list, 'float32', { leadingDims }).tensor;
    expect((await sess.run(joined, new Map([[x, [[1], [2]]]]))).toArray()).toEqual([[0], [0], [0], [1], [2]]);
    const without = fr.tensorListConcat(list, 'float32').tensor;
    await expect(sess.run(without, new Map([[x, [[1], [2]]]]))).rejects.toThrow(
      /TensorListConcatV2 "TensorListConcat.*": element 0 was never set, and its shape is not known/,
    );
  });
});

describe('a list that only the run knows', () => {
  test.each([
    [1, [1, 2, 4, 8, 16]],
    [7, [7, 14]],
    [30, []],
  ])('from %d is joined', async (start, want) => {
    const x = fr.placeholder('float32', [1]);
    const { tensor, lengths } = fr.tensorListConcat(grown(x, [1]), 'float32', { shape: [-1] });
    sess = await Session.create();
    const result = await sess.run({ tensor, lengths }, new Map([[x, [start]]]));
    expect(result.tensor.toArray()).toEqual(want);
    expect(Array.from(result.lengths.data, Number)).toEqual(want.map(() => 1));
  });

  test('is followed by another, scattered and cut', async () => {
    const x = fr.placeholder('float32', [2]);
    const list = grown(x, [2]);
    const all = fr.tensorListConcat(fr.tensorListConcatLists(list, list, 'float32'), 'float32').tensor;
    const count = fr.tensorListLength(list);
    const parts = fr.tensorListSplit(all, longs(fr.stack([count, fr.mul(3, count)])));
    const second = fr.tensorListGetItem(parts, 1, spec);
    const rows = fr.tensorListStack(list, [2], 'float32');
    const spread = fr.tensorListScatter(rows, fr.mul(2, fr.range(0, count)), { shape: [2] });
    sess = await Session.create();
    const feeds = new Map([[x, [5, 6]]]);
    expect((await sess.run(all, feeds)).toArray()).toEqual([5, 6, 10, 12, 5, 6, 10, 12]);
    expect((await sess.run(second, feeds)).toArray()).toEqual([10, 12, 5, 6, 10, 12]);
    const stacked = fr.tensorListStack(spread, [2], 'float32');
    expect((await sess.run(stacked, feeds)).toArray()).toEqual([
      [5, 6],
      [0, 0],
      [10, 12],
    ]);
  });

  test('has a gradient', async () => {
    const x = fr.placeholder('float32', [2]);
    const joined = fr.tensorListConcat(grown(x, [2]), 'float32', { shape: [-1] }).tensor;
    const [dx] = fr.gradients(fr.mul(joined, joined), x);
    if (dx === null || dx === undefined) throw new Error('there is a gradient');
    sess = await Session.create();
    // d/dx of x² + (2x)² where two elements fit.
    expect((await sess.run(dx, new Map([[x, [5, 6]]]))).toArray()).toEqual([50, 60]);
  });

  test('cannot be cut by lengths that do not fit', async () => {
    const x = fr.placeholder('float32', [2]);
    const all = fr.tensorListConcat(grown(x, [2]), 'float32').tensor;
    const count = fr.tensorListLength(fr.tensorListSplit(all, longs(ints(1, 1))));
    sess = await Session.create();
    await expect(sess.run(count, new Map([[x, [5, 6]]]))).rejects.toThrow(
      'the lengths [1,1] add up to 2, the tensor has 4 rows',
    );
  });
});

describe('a list that is read in a loop', () => {
  /** The gradient of the sum of squares of the rows of `x`, added up by a loop that reads one after the other. */
  function gradientOfReads(x: fr.Tensor, goesOn: (i: fr.Tensor, sum: fr.Tensor) => fr.Tensor): fr.Tensor {
    const list = fr.tensorListFromTensor(x, [3]);
    const [, sum] = fr.whileLoop(
      goesOn,
      (i, total) => {
        const row = fr.tensorListGetItem(list, i, { dtype: 'float32', shape: [3] });
        return [fr.add(i, 1), fr.add(total, fr.mul(row, row))];
      },
      [fr.constant(0, { dtype: 'int32' }), fr.zeros([3])],
    );
    const [dx] = fr.gradients(sum, x);
    if (dx === null || dx === undefined) throw new Error('there is a gradient');
    return dx;
  }

  const rows = (count: number): number[][] =>
    Array.from({ length: count }, (_, i) => [i + 1, -i - 1, 0.5 * i]);
  const doubled = (count: number): number[][] => rows(count).map((row) => row.map((value) => 2 * value));

  test('has a gradient that takes as many nodes for each row', async () => {
    const nodes: number[] = [];
    for (const count of [4, 8, 12]) {
      fr.resetDefaultGraph();
      const x = fr.placeholder('float32', [count, 3]);
      const dx = gradientOfReads(x, (i) => fr.less(i, count));
      sess = await Session.create();
      expect((await sess.run(dx, new Map([[x, rows(count)]]))).toArray()).toEqual(doubled(count));
      const { passes } = await sess.compile(dx, new Map([[x, [count, 3]]]));
      nodes.push(passes[0]?.nodesBefore ?? NaN);
      if (count < 12) sess.close();
    }
    const [four = NaN, eight = NaN, twelve = NaN] = nodes;
    expect(twelve - eight).toBe(eight - four);
  });

  test('has a gradient where values end the loop', async () => {
    const x = fr.placeholder('float32', [null, 3]);
    const enough = fr.placeholder('float32', []);
    const dx = gradientOfReads(x, (_, sum) => fr.less(fr.gather(sum, 0), enough));
    sess = await Session.create();
    for (const [count, read] of [
      [4, 4],
      [12, 7],
    ] as const) {
      const squares = rows(read).reduce((sum, [first = 0]) => sum + first ** 2, 0);
      const feeds = new Map<fr.Tensor, number[][] | number>([
        [x, rows(count)],
        [enough, squares],
      ]);
      const expected = doubled(count).map((row, i) => (i < read ? row : [0, 0, 0]));
      expect((await sess.run(dx, feeds)).toArray()).toEqual(expected);
    }
  });
});
