/** Embeddings of lists of ids: combiners, weights, ids that do not count, several tables, and gradients as rows. */
import {
  IndexedSlices,
  SparseTensor,
  Variable,
  constant,
  gradients,
  placeholder,
  reduceSum,
  sparsePlaceholder,
  mul,
  type ValueLike,
} from '@forerun/graph';
import { nn, train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const TABLE = [
  [1, 2],
  [3, 4],
  [5, 6],
  [7, 8],
];

/** Ids 0 and 2 in row 0, 3 in row 1, nothing in row 2. */
function ids(values: ValueLike = [0, 2, 3]): SparseTensor {
  const indices = [
    [0, 0],
    [0, 1],
    [1, 0],
  ];
  return new SparseTensor(indices, constant(values, { dtype: 'int32' }), [3, 2]);
}

function weights(values: ValueLike = [2, 0.5, 4]): SparseTensor {
  const like = ids();
  return new SparseTensor(like.indices, constant(values, { dtype: 'float32' }), like.denseShape);
}

describe('embeddingLookupSparse', () => {
  const root = Math.sqrt(2);
  it.each([
    ['sum', [6, 8, 7, 8, 0, 0]],
    ['mean', [3, 4, 7, 8, 0, 0]],
    ['sqrtn', [6 / root, 8 / root, 7, 8, 0, 0]],
  ] as const)('combines rows by %s', (combiner, want) => {
    ReferenceSession.in((session) => {
      const found = nn.embeddingLookupSparse(constant(TABLE), ids(), null, { combiner });
      expect(found.shape.dims).toEqual([3, 2]);
      expectNear(session.get(found), want);
    });
  });

  const norm = Math.sqrt(4 + 0.25);
  it.each([
    ['sum', [4.5, 7, 28, 32, 0, 0]],
    ['mean', [4.5 / 2.5, 7 / 2.5, 7, 8, 0, 0]],
    ['sqrtn', [4.5 / norm, 7 / norm, 7, 8, 0, 0]],
  ] as const)('weighs rows, combining by %s', (combiner, want) => {
    ReferenceSession.in((session) => {
      const found = nn.embeddingLookupSparse(constant(TABLE), ids(), weights(), { combiner });
      expectNear(session.get(found), want);
    });
  });

  it('limits the norm of rows before it combines them', () => {
    ReferenceSession.in((session) => {
      const table = constant([[3], [0.5], [-8], [1]]);
      const found = nn.embeddingLookupSparse(table, ids(), null, { combiner: 'sum', maxNorm: 1 });
      expectNear(session.get(found), [0, 1, 0]);
    });
  });

  it('gives gradients by the weights, and as rows by each of several variables', () => {
    ReferenceSession.in((session) => {
      const parts = [new Variable([[1], [5]]), new Variable([[3], [7]])];
      const by = weights();
      const found = nn.embeddingLookupSparse(parts, ids(), by, { combiner: 'sum' });
      const grads = gradients(reduceSum(mul(found, [[1], [10], [100]])), [...parts, by.values]);
      session.initializeAll();
      expect(session.get(found)).toEqual([4.5, 28, 0]);
      expect(grads[0]).toBeInstanceOf(IndexedSlices);
      expect(grads[1]).toBeInstanceOf(IndexedSlices);
      const dense = grads.map((g) => (g instanceof IndexedSlices ? g.asTensor() : g));
      expect(dense.map((g) => (g === null ? null : session.get(g)))).toEqual([
        [2, 0.5],
        [0, 40],
        [1, 5, 70],
      ]);
    });
  });

  it('takes ids of any number that are fed', () => {
    ReferenceSession.in((session) => {
      const fed = sparsePlaceholder('int64', { shape: [null, null] });
      const found = nn.embeddingLookupSparse(constant(TABLE), fed, null, { combiner: 'sum' });
      const run = (indices: number[][], values: number[], rows: number): number[] =>
        session.get(found, [
          [fed.indices, indices],
          [fed.values, values],
          [fed.denseShape, [rows, 9]],
        ]);
      expect(run([[1, 0]], [1], 2)).toEqual([0, 0, 3, 4]);
      expect(
        run(
          [
            [0, 0],
            [0, 1],
            [0, 2],
          ],
          [1, 1, 0],
          1,
        ),
      ).toEqual([7, 10]);
    });
  });

  it('refuses what does not fit', () => {
    ReferenceSession.in(() => {
      const table = constant(TABLE);
      const short = new SparseTensor([[0, 0]], [1], [3, 2]);
      const build = (...args: unknown[]): unknown =>
        (nn.embeddingLookupSparse as (...args: unknown[]) => unknown)(table, ...args);
      expect(() => build([1, 2])).toThrow('embeddingLookupSparse: the ids must be a SparseTensor');
      expect(() => build(ids(), [1])).toThrow('the weights must be a SparseTensor or null');
      expect(() => build(ids(), short)).toThrow('there are ids of shape [3] and weights of shape [1]');
      expect(() => build(ids(), null, { combiner: 'max' })).toThrow(
        "combiner must be 'sum', 'mean' or 'sqrtn', got 'max'",
      );
    });
  });
});

describe('safeEmbeddingLookupSparse', () => {
  it('leaves negative ids out and gives zeros where none are left', () => {
    ReferenceSession.in((session) => {
      const found = nn.safeEmbeddingLookupSparse(constant(TABLE), ids([-1, 2, -7]));
      expect(session.get(found)).toEqual([5, 6, 0, 0, 0, 0]);
    });
  });

  it('has a row for rows without ids', () => {
    ReferenceSession.in((session) => {
      const options = { defaultId: 1, combiner: 'sum' } as const;
      const found = nn.safeEmbeddingLookupSparse(constant(TABLE), ids([0, 2, -7]), options);
      expect(session.get(found)).toEqual([6, 8, 3, 4, 3, 4]);
    });
  });

  it.each([
    ['mean', [1, 2, 0, 0, 0, 0]],
    ['sum', [2 - 5, 4 - 6, 0, 0, 0, 0]],
  ] as const)('takes weights of 0 or less only for sums: %s', (combiner, want) => {
    ReferenceSession.in((session) => {
      const sparseWeights = weights([2, -1, 0]);
      const found = nn.safeEmbeddingLookupSparse(constant(TABLE), ids(), { sparseWeights, combiner });
      expectNear(session.get(found), want);
    });
  });

  it('keeps all dimensions but the last', () => {
    ReferenceSession.in((session) => {
      const indices = [
        [0, 1, 0],
        [1, 0, 2],
        [1, 0, 3],
      ];
      const cube = new SparseTensor(indices, constant([3, 0, 2], { dtype: 'int64' }), [2, 2, 4]);
      const found = nn.safeEmbeddingLookupSparse(constant(TABLE), cube, { combiner: 'sum' });
      expect(found.shape.dims).toEqual([2, 2, 2]);
      expect(session.get(found)).toEqual([0, 0, 7, 8, 6, 8, 0, 0]);
    });
  });

  it('sends no gradient for ids that are left out', () => {
    ReferenceSession.in((session) => {
      const w = new Variable(TABLE);
      const [grad] = gradients(reduceSum(nn.safeEmbeddingLookupSparse(w, ids([-1, 2, 3]))), [w]);
      session.initializeAll();
      if (!(grad instanceof IndexedSlices)) throw new Error('rows are wanted');
      expect(session.get(grad.indices)).toEqual([-1, 2, 3]);
      expect(session.get(grad.asTensor())).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    });
  });
});

describe('embeddingLookup in several variables', () => {
  it.each([
    ['mod', [10, 20, 11, 21, 12]],
    ['div', [10, 11, 12, 20, 21]],
  ] as const)('reads only the rows in use, dealt out by %s', (partitionStrategy, want) => {
    ReferenceSession.in((session) => {
      const parts = [new Variable([[10], [11], [12]]), new Variable([[20], [21]])];
      const chosen = placeholder('int32', [null]);
      const found = nn.embeddingLookup(parts, chosen, { partitionStrategy });
      const grads = gradients(reduceSum(found), parts);
      session.initializeAll();
      expect(session.get(found, [[chosen, [0, 1, 2, 3, 4]]])).toEqual(want);
      grads.forEach((grad) => expect(grad).toBeInstanceOf(IndexedSlices));
    });
  });

  it('moves no other row, nor its momentum', () => {
    ReferenceSession.in((session) => {
      const parts = [new Variable([[1], [2]]), new Variable([[3], [4]])];
      const chosen = placeholder('int32', [null]);
      const loss = reduceSum(nn.embeddingLookup(parts, chosen));
      const step = new train.MomentumOptimizer(1, 0.5).minimize(loss);
      session.initializeAll();
      session.do(step, [[chosen, [0, 3]]]);
      session.do(step, [[chosen, [3]]]);
      expect(parts.map((part) => session.read(part))).toEqual([
        [0, 2],
        [3, 4 - 1 - 1.5],
      ]);
    });
  });

  it('refuses another strategy', () => {
    ReferenceSession.in(() => {
      const partitionStrategy = 'hash' as 'mod';
      expect(() => nn.embeddingLookup([constant([[1]])], [0], { partitionStrategy })).toThrow(
        "embeddingLookup: partitionStrategy must be 'mod' or 'div', got 'hash'",
      );
    });
  });
});
