/** Sparse tensors taken apart, joined and added: places and values as TensorFlow gives them, in row-major order. */
import * as fr from '@forerun/graph';
import { Session, type FetchedSparseTensor } from '../src/index.js';

let sess: Session;

beforeEach(async () => {
  fr.resetDefaultGraph();
  sess = await Session.create();
});
afterEach(() => sess.close());

/** [[0, 2, 0], [0, 0, 0], [5, 0, -3]], fed so that nothing is known before the run. */
const VALUE = {
  indices: [
    [0, 1],
    [2, 0],
    [2, 2],
  ],
  values: [2, 5, -3],
  denseShape: [3, 3],
};
const OTHER = {
  indices: [
    [0, 0],
    [0, 1],
    [2, 2],
  ],
  values: [1, 10, 3],
  denseShape: [3, 3],
};

function feedable(): fr.SparseTensor {
  return fr.sparsePlaceholder('float32', { shape: [null, null] });
}

/** `[places, values, shape]`. */
function parts({ indices, values, denseShape }: FetchedSparseTensor): unknown[] {
  return [indices.toArray(), values.toArray(), denseShape.toArray()];
}

test('elements of dense tensors, numbers and texts', async () => {
  const x = fr.placeholder('float32', [null, null]);
  const texts = fr.sparseFromDense(
    fr.constant(
      [
        ['a', ''],
        ['', 'b'],
      ],
      { dtype: 'string' },
    ),
  );
  const flags = fr.sparseFromDense(fr.constant([false, true], { dtype: 'bool' }));
  const got = await sess.run({ sparse: fr.sparseFromDense(x), texts, flags }, [
    [
      x,
      [
        [0, 7],
        [0, 0],
        [8, 0],
      ],
    ],
  ]);
  expect(parts(got.sparse)).toEqual([
    [
      [0, 1],
      [2, 0],
    ],
    [7, 8],
    [3, 2],
  ]);
  expect(parts(got.texts)).toEqual([
    [
      [0, 0],
      [1, 1],
    ],
    ['a', 'b'],
    [2, 2],
  ]);
  expect(parts(got.flags)).toEqual([[[1]], [true], [2]]);
});

test('parts: retained elements, slices, splits', async () => {
  const x = feedable();
  const positive = fr.sparseRetain(x, fr.greater(x.values, 0));
  const corner = fr.sparseSlice(x, [1, 1], [9, 9]);
  const [left, right] = fr.sparseSplit(x, 2, 1);
  if (left === undefined || right === undefined) throw new Error('two parts');
  const got = await sess.run({ positive, corner, left, right }, [[x, VALUE]]);
  expect(parts(got.positive)).toEqual([
    [
      [0, 1],
      [2, 0],
    ],
    [2, 5],
    [3, 3],
  ]);
  expect(parts(got.corner)).toEqual([[[1, 1]], [-3], [2, 2]]);
  expect(parts(got.left)).toEqual([
    [
      [0, 1],
      [2, 0],
    ],
    [2, 5],
    [3, 2],
  ]);
  expect(parts(got.right)).toEqual([[[2, 0]], [-3], [3, 1]]);
});

test('transposed, with more dimensions, side by side', async () => {
  const [x, y] = [feedable(), feedable()];
  const wide = { indices: [[1, 3]], values: [4], denseShape: [3, 4] };
  const fetches = {
    turned: fr.sparseTranspose(x),
    deeper: fr.sparseExpandDims(x, { axis: 1 }),
    joined: fr.sparseConcat(-1, [x, y]),
  };
  const got = await sess.run(fetches, [
    [x, VALUE],
    [y, wide],
  ]);
  expect(parts(got.turned)).toEqual([
    [
      [0, 2],
      [1, 0],
      [2, 2],
    ],
    [5, 2, -3],
    [3, 3],
  ]);
  expect(parts(got.deeper)).toEqual([
    [
      [0, 0, 1],
      [2, 0, 0],
      [2, 0, 2],
    ],
    [2, 5, -3],
    [3, 1, 3],
  ]);
  expect(parts(got.joined)).toEqual([
    [
      [0, 1],
      [1, 6],
      [2, 0],
      [2, 2],
    ],
    [2, 4, 5, -3],
    [3, 7],
  ]);
  const below = fr.sparseConcat(0, [x, y], { expandNonconcatDims: true });
  expect(
    parts(
      await sess.run(below, [
        [x, VALUE],
        [y, wide],
      ]),
    ),
  ).toEqual([
    [
      [0, 1],
      [2, 0],
      [2, 2],
      [4, 3],
    ],
    [2, 5, -3, 4],
    [6, 4],
  ]);
  await expect(
    sess.run(fr.sparseConcat(0, [x, y]), [
      [x, VALUE],
      [y, wide],
    ]),
  ).rejects.toThrow(/the dimensions besides the axis differ/);
});

test('merged by ids, and as an indicator', async () => {
  const ids = fr.sparsePlaceholder('int32', { shape: [null, null] });
  const weights = fr.sparsePlaceholder('float32', { shape: [null, null] });
  const at = {
    indices: [
      [0, 0],
      [0, 1],
      [2, 0],
    ],
    denseShape: [3, 2],
  };
  const got = await sess.run({ merged: fr.sparseMerge(ids, weights, 5), has: fr.sparseToIndicator(ids, 5) }, [
    [ids, { ...at, values: [4, 1, 3] }],
    [weights, { ...at, values: [0.5, 0.25, 2] }],
  ]);
  expect(parts(got.merged)).toEqual([
    [
      [0, 1],
      [0, 4],
      [2, 3],
    ],
    [0.25, 0.5, 2],
    [3, 5],
  ]);
  const [no, yes] = [false, true];
  expect(got.has.toArray()).toEqual([
    [no, yes, no, no, yes],
    [no, no, no, no, no],
    [no, no, no, yes, no],
  ]);
});

test('sums, the larger and the smaller elements, with gradients', async () => {
  const [x, y] = [feedable(), feedable()];
  const sum = fr.sparseAdd(x, y);
  const [dx] = fr.gradients(fr.reduceSum(fr.square(sum.values)), [x.values]);
  if (dx === undefined || dx === null) throw new Error('a gradient');
  const fetches = {
    sum,
    kept: fr.sparseAdd(x, y, { threshold: 0.5 }),
    larger: fr.sparseMaximum(x, y),
    smaller: fr.sparseMinimum(x, y),
    dense: fr.sparseAdd(x, fr.ones([3, 3])),
    dx,
  };
  const got = await sess.run(fetches, [
    [x, VALUE],
    [y, OTHER],
  ]);
  const at = [
    [0, 0],
    [0, 1],
    [2, 0],
    [2, 2],
  ];
  expect(parts(got.sum)).toEqual([at, [1, 12, 5, 0], [3, 3]]);
  expect(parts(got.kept)).toEqual([at.slice(0, 3), [1, 12, 5], [3, 3]]);
  expect(parts(got.larger)).toEqual([at, [1, 10, 5, 3], [3, 3]]);
  expect(parts(got.smaller)).toEqual([at, [0, 2, 0, -3], [3, 3]]);
  expect((got.dense as fr.TensorValue).toArray()).toEqual([
    [1, 3, 1],
    [1, 1, 1],
    [6, 1, -2],
  ]);
  expect(got.dx.toArray()).toEqual([24, 10, 0]);
  await expect(
    sess.run(sum, [
      [x, VALUE],
      [y, { ...OTHER, denseShape: [3, 4] }],
    ]),
  ).rejects.toThrow(/the shapes of the sparse tensors differ/);
});

test('what does not fit is refused when the graph is built', () => {
  const x = feedable();
  const unknown = fr.sparsePlaceholder('float32');
  expect(() => fr.sparseRetain([1] as never, [true])).toThrow(
    'sparseRetain: a SparseTensor is wanted, got 1',
  );
  expect(() => fr.sparseTranspose(unknown)).toThrow(
    'sparseTranspose: the rank of the sparse tensor must be known',
  );
  expect(() => fr.sparseTranspose(x, { perm: [0, 0] })).toThrow(
    'perm [0,0] must name each of the 2 dimensions once',
  );
  expect(() => fr.sparseConcat(2, [x, x])).toThrow('sparseConcat: axis 2 is none of the 2 dimensions');
  expect(() => fr.sparseConcat(0, [])).toThrow('at least one');
  expect(() => fr.sparseSplit(x, 0, 1)).toThrow('numSplit must be a positive integer, got 0');
  expect(() => fr.sparseAdd(x, fr.sparsePlaceholder('int32', { shape: [null, null] }))).toThrow(
    'the values are float32 and int32: they must have one dtype',
  );
  expect(() => fr.sparseAdd(1, 2)).toThrow('sparseAdd: a SparseTensor is wanted, got 2');
});
