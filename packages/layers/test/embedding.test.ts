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

it('AdaMax leaves rows that are not in use alone, their averages too', () => {
  ReferenceSession.in((session) => {
    const w = new Variable([[1], [2], [3]], { name: 'w' });
    const optimizer = new train.AdaMaxOptimizer(0.1);
    const first = optimizer.minimize(reduceSum(square(nn.embeddingLookup(w, [0, 2, 0]))));
    const second = optimizer.minimize(reduceSum(square(nn.embeddingLookup(w, [2]))));
    session.initializeAll();
    session.do(first);
    session.do(second);
    const x2 = 3 - 0.1;
    const m = 0.9 * 0.1 * 6 + 0.1 * 2 * x2;
    const v = Math.max(0.999 * 6, 2 * x2);
    expectNear(session.read(w), [0.9, 2, x2 - ((0.1 / (1 - 0.81)) * m) / (v + 1e-8)], 5);
  });
});

it.each([
  ['AddSign', () => new train.AddSignOptimizer(0.1, { alpha: 0.5, beta: 0.8 }), (a: number) => 0.5 + a],
  ['PowerSign', () => new train.PowerSignOptimizer(0.1, { base: 2, beta: 0.8 }), (a: number) => 2 ** a],
] as const)('%s moves the rows in use, and lets all averages decay', (_, make, factor) => {
  ReferenceSession.in((session) => {
    const w = new Variable([[1], [2], [-3]], { name: 'w' });
    const optimizer = make();
    const rows = (...ids: number[]) => reduceSum(square(nn.embeddingLookup(w, ids)));
    const [first, second] = [optimizer.minimize(rows(0, 2, 0)), optimizer.minimize(rows(2))];
    session.initializeAll();
    session.do(first);
    session.do(second);
    const x2 = -3 + 0.6 * factor(1);
    expectNear(session.read(w), [1 - 0.4 * factor(1), 2, x2 - 0.2 * x2 * factor(1)], 5);
    const slot = optimizer.getSlot(w, 'm');
    if (slot === null) throw new Error('a slot is wanted');
    expectNear(session.read(slot), [0.8 * 0.2 * 4, 0, 0.8 * 0.2 * -6 + 0.2 * 2 * x2], 5);
  });
});
