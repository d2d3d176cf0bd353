/** Gradients of rows: where they come from, how they are aggregated, and what optimizers and clipping make of them. */
import {
  IndexedSlices,
  Variable,
  add,
  constant,
  gather,
  gradients,
  mul,
  placeholder,
  reduceSum,
  square,
  type Gradient,
  type Tensor,
} from '@forerun/graph';
import { clipByGlobalNorm, clipByNorm, globalNorm, train } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const TABLE = [
  [1, 2],
  [3, 4],
  [5, 6],
  [7, 8],
];

function slices(gradient: Gradient | undefined): IndexedSlices {
  if (!(gradient instanceof IndexedSlices)) throw new Error('the gradient is no slices');
  return gradient;
}

function table(): Variable {
  return new Variable(TABLE, { name: 'table' });
}

describe('the gradient of gathered rows', () => {
  it('for a variable is slices, added by joining them', () => {
    ReferenceSession.in((session) => {
      const w = table();
      const y = add(
        reduceSum(gather(w, [1, 3, 1])),
        reduceSum(mul(gather(w, constant([[0]], { dtype: 'int32' })), 10)),
      );
      const grad = slices(gradients(y, [w])[0]);
      session.initializeAll();
      expect(grad.shape.dims).toEqual([4, 2]);
      expect(session.get(grad.indices).sort()).toEqual([0, 1, 1, 3]);
      expect(session.get(grad.asTensor())).toEqual([10, 10, 2, 2, 0, 0, 1, 1]);
    });
  });

  it('through the value of a variable is slices too, and a tensor for a tensor', () => {
    ReferenceSession.in((session) => {
      const w = table();
      const value = w.value();
      const y = reduceSum(square(gather(value, [2, 2])));
      session.initializeAll();
      expect(session.get(slices(gradients(y, w)[0]).asTensor())).toEqual([0, 0, 0, 0, 20, 24, 0, 0]);
      const [dense] = gradients(y, value);
      expect(dense === null || dense === undefined ? [] : session.get(dense)).toEqual([
        0, 0, 0, 0, 20, 24, 0, 0,
      ]);
    });
  });

  it('is a tensor where the whole variable is used as well', () => {
    ReferenceSession.in((session) => {
      const w = table();
      const [grad] = gradients(add(reduceSum(gather(w, [0])), reduceSum(w)), [w]);
      session.initializeAll();
      expect(grad).not.toBeInstanceOf(IndexedSlices);
      expect(session.get(grad as Tensor)).toEqual([2, 2, 1, 1, 1, 1, 1, 1]);
    });
  });

  it('is differentiated again', () => {
    ReferenceSession.in((session) => {
      const w = table();
      const y = reduceSum(mul(square(gather(w, [1, 1])), gather(w, [1, 0])));
      const first = slices(gradients(y, w)[0]);
      const [second] = gradients(reduceSum(first), [w]);
      session.initializeAll();
      // y = sum over columns of w1^3 + w1^2 w0; the sum of its gradient is 3 w1^2 + 2 w1 w0 + w1^2.
      const want = [0, 1].flatMap((c) => [2 * (TABLE[1]?.[c] ?? 0)]);
      const wantOwn = [0, 1].map((c) => 8 * (TABLE[1]?.[c] ?? 0) + 2 * (TABLE[0]?.[c] ?? 0));
      const got = second instanceof IndexedSlices ? second.asTensor() : second;
      expect(got === null || got === undefined ? [] : session.get(got)).toEqual([
        ...want,
        ...wantOwn,
        0,
        0,
        0,
        0,
      ]);
    });
  });

  it('refuses to become a tensor of unknown shape, and rows without indices', () => {
    ReferenceSession.in(() => {
      const values = constant([[1, 2]]);
      const indices = constant([1], { dtype: 'int32' });
      expect(() => new IndexedSlices(values, indices).asTensor()).toThrow(/have no denseShape/);
      expect(() => new IndexedSlices(values, constant([1, 2], { dtype: 'int32' }))).toThrow(
        /values of shape \[1,2\] need one row per index, the indices have shape \[2\]/,
      );
    });
  });
});

/** Loss over rows 1, 3, 1 of a table: its gradient for row 1 comes in two parts. */
function trained(optimizer: train.Optimizer, steps: number): { rows: number[]; slots: number[][] } {
  return ReferenceSession.in((session) => {
    const w = table();
    const ids = placeholder('int32', [3]);
    const loss = reduceSum(square(gather(w, ids)));
    const step = optimizer.minimize(loss);
    session.initializeAll();
    for (let i = 0; i < steps; i++) session.do(step, [[ids, [1, 3, 1]]]);
    const slots = optimizer.getSlotNames().map((name) => {
      const slot = optimizer.getSlot(w, name);
      return slot === null ? [] : session.read(slot);
    });
    return { rows: session.read(w), slots };
  });
}

/** The same with the whole gradient for the rows in use, by hand; other rows stay. */
function byRows(steps: number, rule: (x: number, g: number, state: number[]) => number): number[] {
  const w = TABLE.flat();
  const states = w.map(() => [0, 0]);
  for (let t = 0; t < steps; t++) {
    for (const [row, times] of [
      [1, 2],
      [3, 1],
    ] as const) {
      for (const i of [2 * row, 2 * row + 1])
        w[i] = rule(w[i] ?? 0, 2 * times * (w[i] ?? 0), states[i] ?? []);
    }
  }
  return w;
}

describe('an optimizer', () => {
  it('of gradient descent touches the rows in use', () => {
    const { rows } = trained(new train.GradientDescentOptimizer(0.1), 2);
    expectNear(
      rows,
      byRows(2, (x, g) => x - 0.1 * g),
    );
  });

  it('of Adagrad adds up duplicate rows before it squares them', () => {
    const { rows } = trained(new train.AdagradOptimizer(0.1), 3);
    const want = byRows(3, (x, g, state) => {
      state[0] = (state[0] ?? 0) + g * g;
      return x - (0.1 * g) / Math.sqrt(0.1 + state[0]);
    });
    expectNear(rows, want);
  });

  it('of momentum leaves the accumulators of other rows alone', () => {
    const { rows, slots } = trained(new train.MomentumOptimizer(0.1, 0.9), 2);
    const want = byRows(2, (x, g, state) => {
      state[0] = 0.9 * (state[0] ?? 0) + g;
      return x - 0.1 * state[0];
    });
    expectNear(rows, want);
    expect(slots[0]?.slice(4, 6)).toEqual([0, 0]);
  });

  it('of Adam lets all moments decay', () => {
    const { rows } = trained(new train.AdamOptimizer(0.1), 2);
    const dense = ReferenceSession.in((session) => {
      const w = table();
      const weights = constant([[0], [2], [0], [1]]);
      const step = new train.AdamOptimizer(0.1).minimize(reduceSum(mul(weights, square(w))));
      session.initializeAll();
      session.do(step);
      session.do(step);
      return session.read(w);
    });
    expectNear(rows, dense);
  });
});

describe('norms of slices', () => {
  it('are those of the rows, which are scaled', () => {
    ReferenceSession.in((session) => {
      const rows = new IndexedSlices(
        constant([[3], [4]]),
        constant([2, 2], { dtype: 'int32' }),
        constant([5, 1], { dtype: 'int32' }),
      );
      expectNear(session.get(globalNorm([rows, null])), [5]);
      const [[clipped]] = clipByGlobalNorm([rows], 1);
      if (clipped === undefined) throw new Error('nothing was clipped');
      expectNear(session.get(clipped.values), [0.6, 0.8]);
      expectNear(session.get(clipByNorm(rows, 2.5).values), [1.5, 2]);
    });
  });
});
