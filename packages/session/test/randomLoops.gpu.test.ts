/**
 * Random ops in loops and functions: every iteration and every call draws anew, and the numbers are the same
 * whether a loop is unrolled into a plan, run iteration by iteration, or interpreted.
 */
import * as fr from '@forerun/graph';
import { interpret } from '@forerun/testing';
import { Session } from '../src/index.js';

let graph: fr.Graph;
let sess: Session | null = null;

beforeEach(() => {
  graph = new fr.Graph();
});

afterEach(() => {
  sess?.close();
  sess = null;
});

/** A number that no plan knows: the loop over it is run iteration by iteration. */
const unknown = (count: number): fr.Tensor =>
  fr.cast(fr.reduceSum(fr.placeholderWithDefault(fr.constant([count]), [1])), 'int32');

/** Draws of `count` iterations, each with draws of two inner ones. */
function nested(count: fr.TensorLike, inner: fr.TensorLike): fr.Tensor {
  const [, list] = fr.whileLoop(
    (i) => fr.less(i, count),
    (i, list) => {
      const [, sums] = fr.whileLoop(
        (k) => fr.less(k, inner),
        (k, sums) => [
          fr.add(k, 1),
          fr.add(sums, fr.mul(fr.randomUniform([2], { seed: 7 }), fr.cast(fr.add(k, 1), 'float32'))),
        ],
        [fr.constant(0, { dtype: 'int32' }), fr.zeros([2])],
      );
      return [fr.add(i, 1), list.write(i, fr.add(sums, fr.randomNormal([2], { seed: 8 })))];
    },
    [fr.constant(0, { dtype: 'int32' }), new fr.TensorArray('float32', { size: 3, elementShape: [2] })],
  );
  return list.stack();
}

const interpreted = (tensor: fr.Tensor): number[] => Array.from(interpret([tensor])[0]?.data ?? []);

async function drawn(tensor: fr.Tensor, step = 0n): Promise<number[]> {
  sess ??= await Session.create({ graph });
  sess.randomStep = step;
  return Array.from((await sess.run(tensor)).data, Number);
}

function expectSame(got: readonly number[], want: readonly number[]): void {
  expect(got).toHaveLength(want.length);
  got.forEach((x, i) => expect(x).toBeCloseTo(want[i] ?? NaN, 5));
}

test('an unrolled loop draws what the interpreter draws, anew in every iteration', async () => {
  const draws = graph.asDefault(() => nested(3, 2));
  const got = await drawn(draws);
  expect(new Set(got).size).toBe(6);
  expectSame(got, interpreted(draws));
});

test.each(['the outer', 'the inner', 'both'])(
  '%s loop run iteration by iteration draws the same',
  async (which) => {
    const open = graph.asDefault(() =>
      nested(which === 'the inner' ? 3 : unknown(3), which === 'the outer' ? 2 : unknown(2)),
    );
    const got = await drawn(open);
    expect(new Set(got).size).toBe(6);
    expectSame(got, interpreted(open));
  },
);

test('a run of many parts takes one random step, and the next run draws others', async () => {
  const open = graph.asDefault(() => nested(unknown(3), unknown(2)));
  const first = await drawn(open, 5n);
  expect(sess?.randomStep).toBe(6n);
  expect(await drawn(open, 5n)).toEqual(first);
  expect(new Set([...first, ...(await drawn(open, 6n))]).size).toBe(12);
});

test('ops without seeds, as files have them, draw anew in every iteration too', async () => {
  const loop = (count: fr.TensorLike): fr.Tensor => {
    const [, list] = fr.whileLoop(
      (i) => fr.less(i, count),
      (i, list) => {
        const size = fr.constant([2], { dtype: 'int32' });
        const draw = fr.apply('RandomUniform', [size], { attrs: { dtype: 'float32' } });
        return [fr.add(i, 1), list.write(i, draw)];
      },
      [fr.constant(0, { dtype: 'int32' }), new fr.TensorArray('float32', { size: 3, elementShape: [2] })],
    );
    return list.stack();
  };
  const [straight, open] = graph.asDefault(() => [loop(3), loop(unknown(3))]);
  expect(new Set(await drawn(straight)).size).toBe(6);
  expect(new Set(await drawn(open)).size).toBe(6);
});

test('mapFn draws anew for every element', async () => {
  const draws = graph.asDefault(() =>
    fr.mapFn((x) => fr.add(fr.mul(x, 0), fr.randomUniform([], { seed: 1 })), fr.zeros([5])),
  );
  const got = await drawn(draws);
  expect(new Set(got).size).toBe(5);
  expectSame(got, interpreted(draws));
});
