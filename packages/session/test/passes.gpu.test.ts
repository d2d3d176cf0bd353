/** The passes over arithmetic and layout change programs, not results: each is compared with itself switched off. */
import * as fr from '@forerun/graph';
import { Session, type SessionConfig } from '../src/index.js';

const FLOATS = [-Infinity, -3e38, -2.5, -1, -1e-38, -0, 0, 1e-38, 0.75, 1, 7, NaN];
const INTS = [-2147483648, -17, -16, -9, -8, -1, 0, 1, 7, 8, 17, 2147483647];

async function results(
  fetches: readonly fr.Tensor[],
  feeds: readonly (readonly [fr.Tensor, fr.TensorValue])[],
  passes: NonNullable<SessionConfig['passes']>,
): Promise<number[][]> {
  const sess = await Session.create({ config: { passes } });
  try {
    const values = await sess.run(fetches, new Map(feeds));
    return values.map((value) => Array.from(value.data as ArrayLike<number>));
  } finally {
    sess.close();
  }
}

beforeEach(() => fr.resetDefaultGraph());

test('cheaper arithmetic gives the same bits, infinities and signed zeros included', async () => {
  const x = fr.placeholder('float32', [12]);
  const n = fr.placeholder('int32', [12]);
  const [ex, negated] = [fr.identity(x), fr.neg(x)];
  const fetches = [
    fr.realDiv(x, 8),
    fr.realDiv(x, -0.5),
    fr.pow(x, 1),
    fr.sub(x, 0),
    fr.add(ex, fr.neg(fr.mul(x, 3))),
    fr.sub(ex, fr.neg(fr.mul(x, 3))),
    fr.mul(negated, fr.neg(fr.mul(x, 3))),
    fr.neg(negated),
    fr.relu(fr.relu(x)),
    fr.square(fr.abs(x)),
    fr.floorDiv(n, 8),
    fr.floorDiv(n, 1),
    fr.floorMod(n, 16),
    fr.floorMod(n, 1),
  ];
  const feeds = [
    [x, new fr.TensorValue('float32', [12], Float32Array.from(FLOATS))],
    [n, new fr.TensorValue('int32', [12], Int32Array.from(INTS))],
  ] as const;
  const plain = await results(fetches, feeds, { arithmetic: false });
  expect(await results(fetches, feeds, {})).toEqual(plain);
});

test('powers become squares and reciprocals', async () => {
  const x = fr.placeholder('float32', [4]);
  const feeds = [[x, new fr.TensorValue('float32', [4], Float32Array.of(-3, -0.1, 1e19, 1.5))]] as const;
  const [square, reciprocal] = await results([fr.pow(x, 2), fr.pow(x, -1)], feeds, {});
  const given = [-3, Math.fround(-0.1), Math.fround(1e19), 1.5];
  expect(square).toEqual(given.map((a) => Math.fround(a * a)));
  reciprocal?.forEach((y, i) => expect(Math.abs(y * (given[i] ?? NaN) - 1)).toBeLessThan(2e-7));
});

test('moved and cancelled transposes give the same numbers', async () => {
  const x = fr.placeholder('float32', [2, 3, 4, 5]);
  const m = fr.placeholder('float32', [2, 3, 4]);
  const [toLast, toFirst] = [{ perm: [0, 2, 3, 1] }, { perm: [0, 3, 1, 2] }];
  const last = fr.transpose(x, toLast);
  const fetches = [
    fr.transpose(last, toLast),
    fr.transpose(fr.relu(fr.add(fr.mul(last, fr.constant([0.5, -1, 2])), 0.25)), toFirst),
    fr.transpose(fr.add(last, fr.exp(last)), toFirst),
    fr.reduceMax(last, { axis: [1, 2] }),
    fr.reduceMin(last, { axis: -1, keepDims: true }),
    fr.transpose(fr.reshape(x, [1, 6, 1, 20]), { perm: [2, 1, 0, 3] }),
    fr.matMul(fr.transpose(m, { perm: [0, 2, 1] }), m),
    fr.matMul(m, fr.transpose(m, { perm: [0, 2, 1] })),
    fr.matMul(fr.transpose(fr.reshape(m, [6, 4])), fr.reshape(m, [6, 4])),
  ];
  const noise = (count: number): Float32Array =>
    Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 50 - 1);
  const feeds = [
    [x, new fr.TensorValue('float32', [2, 3, 4, 5], noise(120))],
    [m, new fr.TensorValue('float32', [2, 3, 4], noise(24))],
  ] as const;
  const plain = await results(fetches, feeds, { layout: false });
  const moved = await results(fetches, feeds, {});
  moved.forEach((values, i) =>
    values.forEach((value, k) => expect(value).toBeCloseTo(plain[i]?.[k] ?? NaN, 5)),
  );
});
