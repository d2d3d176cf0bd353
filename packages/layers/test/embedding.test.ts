/** Looking rows up in one or several tables, their gradients, and Adam that only touches rows in use. */
import { IndexedSlices, Variable, constant, gradients, reduceSum, square } from '@forerun/graph';
import { nn, train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

describe('embeddingLookup', () => {
  it('gives rows of one table for ids of any shape, and their gradient as rows', () => {
    ReferenceSession.in((session) => {
      const w = new Variable([[1], [2], [3]]);
      const found = nn.embeddingLookup(w, [[2, 0]]);
      const [grad] = gradients(reduceSum(found), [w]);
      session.initializeAll();
      expect(found.shape.dims).toEqual([1, 2, 1]);
      expect(session.get(found)).toEqual([3, 1]);
      expect(grad).toBeInstanceOf(IndexedSlices);
    });
  });

  it.each([
    ['mod', [10, 20, 11, 21, 12]],
    ['div', [10, 11, 12, 20, 21]],
  ] as const)('spreads ids over tables by %s', (partitionStrategy, want) => {
    ReferenceSession.in((session) => {
      const tables = [constant([[10], [11], [12]]), constant([[20], [21]])];
      const found = nn.embeddingLookup(tables, [0, 1, 2, 3, 4], { partitionStrategy });
      expect(session.get(found)).toEqual(want);
    });
  });

  it('limits the norm of rows', () => {
    ReferenceSession.in((session) => {
      const table = constant([
        [3, 4],
        [0.3, 0.4],
      ]);
      expectNear(session.get(nn.embeddingLookup(table, [0, 1], { maxNorm: 1 })), [0.6, 0.8, 0.3, 0.4]);
    });
  });

  it('refuses an empty list', () => {
    ReferenceSession.in(() => {
      expect(() => nn.embeddingLookup([], [0])).toThrow('embeddingLookup: there are no params');
    });
  });
});

it('lazy Adam leaves rows that are not in use alone, their moments too', () => {
  ReferenceSession.in((session) => {
    const w = new Variable([[1], [2], [3]], { name: 'w' });
    const optimizer = new train.LazyAdamOptimizer(0.1);
    const first = optimizer.minimize(reduceSum(square(nn.embeddingLookup(w, [0, 2, 0]))));
    const second = optimizer.minimize(reduceSum(square(nn.embeddingLookup(w, [2]))));
    session.initializeAll();
    session.do(first);
    const [x0 = 0, , x2 = 0] = session.read(w);
    session.do(second);
    const g2 = 2 * x2;
    const m = 0.9 * (0.1 * 6) + 0.1 * g2;
    const v = 0.999 * (0.001 * 36) + 0.001 * g2 * g2;
    const rate = (0.1 * Math.sqrt(1 - 0.999 ** 2)) / (1 - 0.9 ** 2);
    expectNear([x0, x2], [0.9, 2.9], 5);
    expectNear(session.read(w), [x0, 2, x2 - (rate * m) / (Math.sqrt(v) + 1e-8)], 5);
  });
});
