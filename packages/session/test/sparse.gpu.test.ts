/** Sparse tensors in a session: fed and fetched as one, and in the middle of a run that values cut. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

beforeEach(async () => {
  fr.resetDefaultGraph();
  sess = await Session.create();
});
afterEach(() => sess.close());

const VALUE = {
  indices: [
    [0, 2],
    [2, 1],
  ],
  values: [4, -1],
  denseShape: [3, 3],
};

test('a value of three parts feeds a sparse tensor, and fetching it gives one', async () => {
  const x = fr.sparsePlaceholder('float32');
  const dense = fr.sparseTensorToDense(x);
  const got = await sess.run({ x, dense }, [[x, VALUE]]);
  expect(got.dense.toArray()).toEqual([
    [0, 0, 4],
    [0, 0, 0],
    [0, -1, 0],
  ]);
  expect(got.x.values.toArray()).toEqual([4, -1]);
  expect(got.x.indices.shape).toEqual([2, 2]);
  const again = await sess.run(dense, new Map([[x, got.x]]));
  expect(again.toArray()).toEqual(got.dense.toArray());
});

test('values of other sizes, and of no elements, need no new graph', async () => {
  const x = fr.sparsePlaceholder('float32', { shape: [null, null] });
  const sums = fr.sparseReduceSum(x, { axis: 1 });
  expect((await sess.run(sums, [[x, VALUE]])).toArray()).toEqual([4, 0, -1]);
  const empty = { indices: [], values: [], denseShape: [2, 9] };
  expect((await sess.run(sums, [[x, empty]])).toArray()).toEqual([0, 0]);
});

test('a callable takes sparse values', async () => {
  const x = fr.sparsePlaceholder('float32', { shape: [null, null] });
  const scale = fr.placeholder('float32', []);
  const call = sess.makeCallable(fr.mul(fr.sparseReduceSum(x), scale), [x, scale]);
  expect((await call(VALUE, 2)).item()).toBe(6);
});

test('what is no sparse value is refused', async () => {
  const x = fr.sparsePlaceholder('float32');
  const y = fr.placeholder('float32', null, { name: 'y' });
  const dense = fr.sparseTensorToDense(x);
  await expect(sess.run(dense, [[x, [1, 2]]])).rejects.toThrow(
    'must have indices, values and denseShape, got a list',
  );
  await expect(sess.run(y, [[y, VALUE]])).rejects.toThrow('feed for "y:0" is the value of a sparse tensor');
  await expect(sess.run(dense, [[x, { ...VALUE, values: [[1]] }]])).rejects.toThrow('has shape [1,1]');
});

test('rows without elements are filled between device work', async () => {
  const x = fr.sparsePlaceholder('float32', { shape: [null, null] });
  const doubled = new fr.SparseTensor(x.indices, fr.mul(x.values, 2), x.denseShape);
  const [filled, empty] = fr.sparseFillEmptyRows(doubled, 0.5);
  const loss = fr.reduceSum(fr.square(filled.values));
  const [grad] = fr.gradients(loss, [x.values]);
  if (!(grad instanceof fr.Tensor)) throw new Error('a gradient is wanted');
  const got = await sess.run({ filled, empty, grad }, [[x, VALUE]]);
  expect(got.filled.indices.toArray()).toEqual([
    [0, 2],
    [1, 0],
    [2, 1],
  ]);
  expect(got.filled.values.toArray()).toEqual([8, 0.5, -2]);
  expect(got.empty.toArray()).toEqual([false, true, false]);
  expect(got.grad.toArray()).toEqual([32, -8]);
  const outside = {
    ...VALUE,
    indices: [
      [0, 2],
      [3, 1],
    ],
  };
  await expect(sess.run(filled, [[x, outside]])).rejects.toThrow('indices[1] is in row 3, there are 3');
  expect((await sess.run(grad, [[x, VALUE]])).toArray()).toEqual([32, -8]);
});

test('elements are put in order on the device', async () => {
  const x = fr.sparsePlaceholder('int32', { shape: [null, null] });
  const ordered = await sess.run(fr.sparseReorder(x), [
    [
      x,
      {
        indices: [
          [2, 0],
          [0, 1],
          [0, 0],
        ],
        values: [1, 2, 3],
        denseShape: [3, 2],
      },
    ],
  ]);
  expect(ordered.values.toArray()).toEqual([3, 2, 1]);
});

test('a sparse tensor of computed sizes takes another shape', async () => {
  const x = fr.sparsePlaceholder('float32', { shape: [null, null] });
  const rows = fr.stridedSlice(x.denseShape, [0], [1]);
  const flat = fr.sparseReshape(x, fr.concat([rows, fr.constant([-1, 1], { dtype: 'int64' })], 0));
  const dense = fr.sparseTensorToDense(fr.sparseReshape(flat, [-1]));
  const got = await sess.run({ flat, dense }, [[x, VALUE]]);
  expect(got.flat.indices.toArray()).toEqual([[0, 2, 0], [2, 1, 0]]);
  expect(got.flat.denseShape.toArray()).toEqual([3, 3, 1]);
  expect(got.dense.toArray()).toEqual([0, 0, 4, 0, 0, 0, 0, -1, 0]);
}); // prettier-ignore
