/** Ops that the compiler replaces by others: sizes and lengths as they are fed, gradients of two orders, function bodies. */
import {
  Graph,
  TensorValue,
  blockLstm,
  cond,
  gradients,
  lstmBlockCell,
  placeholder,
  reduceSum,
  square,
  toHostValue,
  type Tensor,
} from '@forerun/graph';
import { Session } from '@forerun/session';
import { Random, interpret } from '@forerun/testing';

const random = new Random(23);
const floats = (...shape: number[]): TensorValue => {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue('float32', shape, Float32Array.from(random.array(size)));
};

/** Compares a run with the references. */
async function check(
  sess: Session,
  ys: readonly Tensor[],
  feeds: readonly (readonly [Tensor, TensorValue])[],
): Promise<void> {
  const got = await sess.run(ys, feeds);
  const values = new Map(feeds.map(([tensor, value]) => [tensor, host(value)] as const));
  interpret(ys, values).forEach((want, i) => {
    expect(got[i]?.shape).toEqual(want.shape);
    const data = Array.from(got[i]?.data ?? [], Number);
    want.data.forEach((x, k) =>
      expect(Math.abs((data[k] ?? NaN) - x)).toBeLessThan(1e-5 + 3e-5 * Math.abs(x)),
    );
  });
}

function host(value: TensorValue): NonNullable<ReturnType<typeof toHostValue>> {
  const known = toHostValue(value);
  if (known === null) throw new Error('the value has no numbers');
  return known;
}

/** A session on a new graph. */
async function inSession<T>(build: () => T, use: (sess: Session, built: T) => Promise<void>): Promise<void> {
  const graph = new Graph();
  const built = graph.asDefault(build);
  const sess = await Session.create({ graph });
  try {
    await use(sess, built);
  } finally {
    sess.close();
  }
}

const weights = (): Record<'w' | 'b', Tensor> => ({
  w: placeholder('float32', [5, 12]),
  b: placeholder('float32', [12]),
});

it('BlockLSTM takes sizes and lengths as they are fed, and so does its gradient', async () => {
  const build = () => {
    const length = placeholder('int64', []);
    const x = placeholder('float32', [null, null, 2]);
    const [c, h] = [placeholder('float32', [null, 3]), placeholder('float32', [null, 3])];
    const { w, b } = weights();
    const steps = blockLstm(length, x, c, h, { w, b });
    const sources = [x, c, h, w, b];
    const grads = gradients([square(steps.cs), square(steps.h)], sources).filter((g) => g !== null);
    return { length, sources, ys: [steps.h, steps.cs, ...grads] };
  };
  await inSession(build, async (sess, { length, sources: [x, c, h, w, b], ys }) => {
    if (!x || !c || !h || !w || !b) throw new Error('there are five sources');
    expect(ys).toHaveLength(7);
    for (const [time, batch, steps] of [
      [3, 2, 3],
      [4, 1, 2],
      [2, 5, 0],
    ] as const) {
      await check(sess, ys, [
        [x, floats(time, batch, 2)],
        [c, floats(batch, 3)],
        [h, floats(batch, 3)],
        [w, floats(5, 12)],
        [b, floats(12)],
        [length, new TensorValue('int64', [], BigInt64Array.of(BigInt(steps)))],
      ]);
    }
    await expect(
      sess.run(ys, [
        [x, floats(3, 2, 2)],
        [c, floats(4, 3)],
        [h, floats(2, 3)],
        [w, floats(5, 12)],
        [b, floats(12)],
        [length, 3],
      ]),
    ).rejects.toThrow(/BlockLSTM "BlockLSTM": the batch size of cs_prev is 4, that of x is 2/);
  });
});

it('LSTMBlockCell works in branches, with gradients of second order', async () => {
  const build = () => {
    const flag = placeholder('bool', []);
    const [x, s] = [placeholder('float32', [2, 2]), placeholder('float32', [2, 3])];
    const { w, b } = weights();
    const y = cond(
      flag,
      () => lstmBlockCell(x, s, s, { w, b }, { cellClip: -1 }).h,
      () => square(s),
    );
    const [first] = gradients(reduceSum(square(y)), [s]);
    const second = gradients(reduceSum(square(first ?? y)), [s, w]).filter((g) => g !== null);
    return {
      flag,
      feeds: [x, s, w, b],
      ys: [y, ...(first === null || first === undefined ? [] : [first]), ...second],
    };
  };
  await inSession(build, async (sess, { flag, feeds: [x, s, w, b], ys }) => {
    if (!x || !s || !w || !b) throw new Error('there are four feeds');
    expect(ys).toHaveLength(4);
    for (const chosen of [1, 0]) {
      const feeds = [
        [x, floats(2, 2)],
        [s, floats(2, 3)],
        [w, floats(5, 12)],
        [b, floats(12)],
        [flag, new TensorValue('bool', [], Uint8Array.of(chosen))],
      ] as const;
      await check(sess, ys, feeds);
    }
  });
});
