/** float16 through the session: feeds and fetches, variables, constants, runs in parts, mixed-precision training. */
import * as fr from '@forerun/graph';
import { Session, type SessionOptions } from '@forerun/session';
import { expectClose, interpret, Random } from '@forerun/testing';
import { NO_PASSES } from './support/passes.js';
import { plainDevice } from './support/plainDevice.js';

/** A session on the graph that `build` makes. */
async function inSession<T>(
  build: () => T,
  use: (sess: Session, built: T) => Promise<void>,
  options: SessionOptions = {},
): Promise<void> {
  const graph = new fr.Graph();
  const built = graph.asDefault(build);
  const sess = await Session.create({ graph, ...options });
  try {
    await use(sess, built);
  } finally {
    sess.close();
  }
}

const halves = (...values: number[]): Uint16Array => Uint16Array.from(values, fr.float16Bits);

describe('feeds and fetches', () => {
  const build = () => {
    const x = fr.placeholder('float16', [null]);
    return { x, twice: fr.add(x, x), third: fr.div(x, 3), wide: fr.cast(x, 'float32') };
  };

  it.each([
    ['numbers', [1.5, 2, 0.1]],
    ['a Float32Array', Float32Array.of(1.5, 2, 0.1)],
    ['bit patterns', halves(1.5, 2, 0.1)],
  ])('takes %s, and gives bit patterns and numbers', async (_, fed) => {
    await inSession(build, async (sess, { x, twice, third, wide }) => {
      const got = await sess.run({ x, twice, third, wide }, [[x, fed]]);
      const tenth = fr.roundToHalf(0.1);
      expect(got.x.data).toEqual(halves(1.5, 2, 0.1));
      expect(got.twice.data).toEqual(halves(3, 4, 2 * tenth));
      expect(got.twice.toArray()).toEqual([3, 4, 2 * tenth]);
      expect(got.third.toArray()).toEqual([0.5, 2 / 3, tenth / 3].map(fr.roundToHalf));
      expect(got.wide.data).toEqual(Float32Array.of(1.5, 2, tenth));
    });
  });

  it('keeps two bytes per element on the device, whatever their number', async () => {
    for (const size of [1, 7, 1000, 1001]) {
      await inSession(build, async (sess, { x, twice }) => {
        const data = Float32Array.from({ length: size }, (_, i) => i % 100);
        const got = await sess.run(twice, [[x, data]]);
        expect(got.toArray()).toEqual(Array.from(data, (value) => 2 * value));
        const report = await sess.compile(twice, new Map([[x, [size]]]));
        expect(report.memory.feedBytes).toBe(Math.ceil(Math.max(16, 2 * size) / 16) * 16);
      });
    }
  });

  it('refuses numbers that are none, naming the placeholder', async () => {
    await inSession(build, async (sess, { x, twice }) => {
      await expect(sess.run(twice, [[x, ['a']]])).rejects.toThrow(
        /feed for "Placeholder:0" \(float16 \[\?\]\)/,
      );
      expect((await sess.run(twice, [[x, [2]]])).toArray()).toEqual([4]);
    });
  });
});

it('computes on the host what the device would', async () => {
  await inSession(
    () => fr.cast(fr.div(fr.constant(1, { dtype: 'float16' }), 3), 'float32'),
    async (sess, third) => {
      expect((await sess.run(third)).item()).toBe(fr.roundToHalf(1 / 3));
    },
  );
});

it('keeps variables in two bytes per element: initialized, updated, read, assigned', async () => {
  const build = () => {
    const v = new fr.Variable(fr.constant([0.1, 2, 3], { dtype: 'float16' }), { name: 'v' });
    return { v, add: v.assignAdd([1, 1, 1]), read: fr.cast(v, 'float32') };
  };
  await inSession(build, async (sess, { v, add, read }) => {
    await sess.run(v.initializer);
    await sess.run(add);
    const sum = fr.roundToHalf(fr.roundToHalf(0.1) + 1);
    expect((await sess.run(v)).data).toEqual(halves(sum, 3, 4));
    expect((await sess.run(read)).toArray()).toEqual([sum, 3, 4]);
    await sess.assignVariables(new Map([[v.handle, new fr.TensorValue('float16', [3], halves(7, 8, 9))]]));
    expect((await sess.run(v)).toArray()).toEqual([7, 8, 9]);
  });
});

describe('runs in parts', () => {
  /** Doubles `x` as often as a computed number says, and keeps every step. */
  const build = () => {
    const x = fr.placeholder('float16', [null]);
    const count = fr.cast(fr.reduceSum(fr.cast(x, 'float32')), 'int32');
    const [, doubled] = fr.whileLoop<[fr.Tensor, fr.Tensor]>(
      (i) => fr.less(i, count),
      (i, value) => [fr.add(i, 1), fr.add(value, value)],
      [fr.constant(0, { dtype: 'int32' }), x],
    );
    return {
      x,
      doubled,
      branch: fr.cond(
        fr.greater(count, 2),
        () => fr.negative(x),
        () => fr.square(x),
      ),
    };
  };

  it('hands float16 values of any size from part to part', async () => {
    await inSession(build, async (sess, { x, doubled, branch }) => {
      expect((await sess.run(doubled, [[x, [1, 0.5, 1.5]]])).toArray()).toEqual([8, 4, 12]);
      const got = await sess.run([doubled, branch], [[x, [0, 1.5]]]);
      expect(got.map((value) => value.toArray())).toEqual([
        [0, 3],
        [0, 2.25],
      ]);
      expect((await sess.run(branch, [[x, [1, 0.5, 1.5]]])).toArray()).toEqual([-1, -0.5, -1.5]);
    });
  });
});

describe('what is refused', () => {
  it.each([
    [
      'MatrixInverse',
      () => fr.matrixInverse(fr.placeholder('float16', [2, 2])),
      /MatrixInverse "MatrixInverse": float16 matrices are not factorized/,
    ],
    [
      'bfloat16',
      () => fr.add(fr.placeholder('bfloat16', [2, 2]), fr.placeholder('bfloat16', [2, 2])),
      /Add "Add": dtype bfloat16 is not computed with on the device \(created at/,
    ],
  ])('%s, naming it', async (_, build, message) => {
    await inSession(
      () => ({ bad: build(), x: fr.placeholder('float16', [2], { name: 'x' }) }),
      async (sess, { bad, x }) => {
        const feeds = bad.op.inputs.map((input) => [input, new Float32Array(4)] as const);
        await expect(sess.run(bad, feeds)).rejects.toThrow(message);
        expect((await sess.run(x, [[x, [1, 2]]])).toArray()).toEqual([1, 2]);
      },
    );
  });
});

describe('weights stored in float16', () => {
  const random = new Random(11);
  const weights = Uint16Array.from(random.array(128 * 64), fr.float16Bits);
  const build = () => {
    const x = fr.placeholder('float32', [2, 128]);
    const stored = fr.constant(new fr.TensorValue('float16', [128, 64], weights));
    const w = fr.cast(stored, 'float32');
    return { x, w, y: fr.matMul(x, w), shown: fr.reshape(w, [-1]) };
  };
  const fed = Float32Array.from(random.array(256));

  it('stay so on the device where a kernel reads them', async () => {
    await inSession(build, async (sess, { x, y }) => {
      const [want] = interpret(
        [y],
        new Map([[x, { dtype: 'float32', shape: [2, 128], data: Float64Array.from(fed) }]]),
      );
      const report = await sess.compile(y, new Map([[x, [2, 128]]]));
      expect(report.memory.constantBytes).toBe(2 * weights.length);
      expect(report.dispatchList.map(({ label }) => label).join()).not.toContain('Cast');
      const got = await sess.run(y, [[x, fed]]);
      if (want !== undefined)
        expectClose({ ...want, data: Float64Array.from(got.data as Float32Array) }, want);
    });
  });

  it('are float32 where they are fetched or shown under another shape', async () => {
    await inSession(build, async (sess, { x, y, w, shown }) => {
      const got = await sess.run({ y, w, shown }, [[x, fed]]);
      const values = Float32Array.from(weights, fr.float16Value);
      expect(got.w.data).toEqual(values);
      expect(got.shown.data).toEqual(values);
      expect(got.y.data).toEqual((await sess.run(y, [[x, fed]])).data);
    });
  });
});

/** Products, a softmax, sums and their gradients, in float16. */
function network() {
  const x = fr.placeholder('float16', [6, 5], { name: 'x' });
  const w = fr.placeholder('float16', [5, 7], { name: 'w' });
  const logits = fr.matMul(fr.tanh(x), w);
  const loss = fr.reduceMean(fr.logSoftmax(logits));
  return { x, w, fetches: [loss, logits, ...fr.gradients(loss, [x, w])] as fr.Tensor[] };
}

/** Computes `network` in float64 from the same float16 values, and on a device. */
async function compareNetwork(options: SessionOptions): Promise<void> {
  const random = new Random(5);
  const inputs = (size: number): number[] => Array.from(random.array(size), fr.roundToHalf);
  await inSession(
    network,
    async (sess, { x, w, fetches }) => {
      const feeds: [fr.Tensor, number[]][] = [
        [x, inputs(30)],
        [w, inputs(35)],
      ];
      const values = feeds.map(([tensor, data]): [fr.Tensor, fr.HostValue] => [
        tensor,
        { dtype: 'float16', shape: tensor.shape.toStatic(), data: Float64Array.from(data) },
      ]);
      const want = interpret(fetches, new Map(values));
      const got = await sess.run(
        fetches,
        feeds.map(([tensor, data]) => [tensor, Float32Array.from(data)] as const),
      );
      want.forEach((value, i) => {
        const result = got[i] === undefined ? null : fr.toHostValue(got[i]);
        if (result === null) throw new Error('a fetch has no numbers');
        // Half a unit in the last place per op, of some ten in a row; sums of numbers up to 1.
        expectClose(result, value, { rtol: 5e-3, atol: 2e-4 }, `fetch ${i}`);
      });
    },
    options,
  );
}

it('computes a network and its gradients', async () => compareNetwork({}));

it('does so with no pass of the compiler', async () => compareNetwork({ config: { passes: NO_PASSES } }));

it('does so where shaders have no f16', async () => compareNetwork({ device: await plainDevice() }));
