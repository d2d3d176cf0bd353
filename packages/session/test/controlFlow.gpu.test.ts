/** Loops, conditionals and lists on the device: unrolled, and run part by part. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

async function open(): Promise<Session> {
  sess = await Session.create();
  return sess;
}

const int = (value: number): fr.Tensor => fr.constant(value, { dtype: 'int32' });

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

describe('whileLoop', () => {
  test('with a known number of iterations becomes one plan', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const [i, y] = fr.whileLoop(
      (i) => fr.less(i, 3),
      (i, y) => [fr.add(i, 1), fr.mul(y, x)],
      [int(0), x],
    );
    await open();
    const report = await sess.compile([i, y], { x: [2] });
    expect(report.dispatches).toBe(1);
    const result = await sess.run([i, y], { x: [2, 3] });
    expect(result[0].item()).toBe(3);
    expect(result[1].toArray()).toEqual([16, 81]);
  });

  test('runs until a value says so', async () => {
    const x = fr.placeholder('float32', [], { name: 'x' });
    const [i, y] = fr.whileLoop(
      (_, y) => fr.less(y, 100),
      (i, y) => [fr.add(i, 1), fr.mul(y, 2)],
      [int(0), x],
    );
    await open();
    for (const [from, steps, to] of [
      [1, 7, 128],
      [99, 1, 198],
      [100, 0, 100],
      [0.001, 17, 131.072],
    ] as const) {
      const result = await sess.run({ i, y }, { x: from });
      expect(result.i.item()).toBe(steps);
      expect(result.y.item()).toBeCloseTo(to, 3);
    }
  });

  test('creates nothing when it runs again', async () => {
    const x = fr.placeholder('float32', [], { name: 'x' });
    const [y] = fr.whileLoop(
      (y) => fr.less(y, 100),
      (y) => [fr.mul(y, 2)],
      [x],
    );
    await open();
    await sess.run(y, { x: 1 });
    const before = sess.stats.created;
    for (let i = 0; i < 5; i++) await sess.run(y, { x: 1 });
    const after = sess.stats.created;
    expect({ ...after, buffers: 0 }).toEqual({ ...before, buffers: 0 });
  });

  test.each([false, true])('has gradients of first and second order (known count: %s)', async (known) => {
    const x = fr.placeholder('float32', [], { name: 'x' });
    const a = fr.placeholder('float32', [], { name: 'a' });
    const [, y] = fr.whileLoop(
      (i, y) => (known ? fr.less(i, 3) : fr.less(y, 49)),
      (i, y) => [fr.add(i, 1), fr.mul(fr.mul(y, y), a)],
      [int(0), x],
    );
    const [dx, da] = fr.gradients(y, [x, a]);
    if (!dx || !da) throw new Error('no gradient');
    const [dxx, dxa] = fr.gradients(dx, [x, a]);
    const [daa] = fr.gradients(da, [a]);
    if (!dxx || !dxa || !daa) throw new Error('no second gradient');
    await open();
    // y = a^7 x^8 after three iterations.
    const result = await sess.run({ y, dx, da, dxx, dxa, daa }, { x: 1.5, a: 1.1 });
    const [vx, va] = [1.5, 1.1];
    expect(result.y.item()).toBeCloseTo(va ** 7 * vx ** 8, 3);
    expect(result.dx.item() / (8 * va ** 7 * vx ** 7)).toBeCloseTo(1, 5);
    expect(result.da.item() / (7 * va ** 6 * vx ** 8)).toBeCloseTo(1, 5);
    expect(result.dxx.item() / (56 * va ** 7 * vx ** 6)).toBeCloseTo(1, 5);
    expect(result.dxa.item() / (56 * va ** 6 * vx ** 7)).toBeCloseTo(1, 5);
    expect(result.daa.item() / (42 * va ** 5 * vx ** 8)).toBeCloseTo(1, 5);
  });

  test('loops in loops, and their gradients', async () => {
    const x = fr.placeholder('float32', [], { name: 'x' });
    const n = fr.placeholder('int32', [], { name: 'n' });
    const power = (base: fr.Tensor, count: fr.TensorLike): fr.Tensor =>
      fr.whileLoop(
        (i) => fr.less(i, count),
        (i, y) => [fr.add(i, 1), fr.mul(y, base)],
        [int(0), fr.constant(1)],
      )[1];
    const [, y] = fr.whileLoop(
      (i) => fr.less(i, n),
      (i, y) => [fr.add(i, 1), fr.add(y, power(x, i))],
      [int(0), fr.constant(0)],
    );
    const [dx] = fr.gradients(y, x);
    if (!dx) throw new Error('no gradient');
    await open();
    // 1 + x + x^2 + x^3
    const result = await sess.run({ y, dx }, { x: 2, n: 4 });
    expect(result.y.item()).toBeCloseTo(15, 4);
    expect(result.dx.item()).toBeCloseTo(17, 4);
  });

  test('gives memory back while it runs, and keeps what it needs', async () => {
    const x = fr.placeholder('float32', [1 << 20], { name: 'x' });
    const limit = fr.placeholder('float32', [], { name: 'limit' });
    const [, y, z] = fr.whileLoop(
      (s) => fr.less(s, limit),
      (s, y, z) => [fr.add(s, 1), fr.add(y, 1), fr.add(z, y)],
      [fr.constant(0), x, fr.mul(x, 2)],
    );
    await open();
    const value = new Float32Array(1 << 20).fill(1);
    const result = await sess.run([fr.reduceMax(y), fr.reduceMin(z)], { x: value, limit: 40 });
    expect(result[0].item()).toBe(41);
    expect(result[1].item()).toBe(2 + 40 + (40 * 39) / 2);
    // Three values of 4 MiB per iteration: without giving back it would be half a gigabyte.
    expect(sess.stats.bufferBytes).toBeLessThan(200 * 2 ** 20);
  });

  test('changes variables in order', async () => {
    const v = new fr.Variable(1, { name: 'v', dtype: 'float32' });
    const n = fr.placeholder('int32', [], { name: 'n' });
    const [, last] = fr.whileLoop(
      (i) => fr.less(i, n),
      (i) => {
        const doubled = v.assign(fr.mul(v, 2));
        return [fr.add(i, 1), doubled];
      },
      [int(0), fr.constant(0)],
    );
    await open();
    await sess.run(fr.globalVariablesInitializer());
    expect((await sess.run(last, { n: 4 })).item()).toBe(16);
    expect((await sess.run(v)).item()).toBe(16);
  });

  test('obeys maximumIterations and shape invariants', async () => {
    const x = fr.placeholder('float32', [1], { name: 'x' });
    const [y] = fr.whileLoop(
      (y) => fr.less(fr.reduceSum(y), 1e9),
      (y) => [fr.concat([y, y], 0)],
      [x],
      {
        maximumIterations: 3,
        shapeInvariants: [[null]],
      },
    );
    await open();
    expect((await sess.run(y, { x: [2] })).toArray()).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
  });

  test('draws other random numbers in every iteration', async () => {
    const [, total] = fr.whileLoop(
      (i) => fr.less(i, 3),
      (i, list) => [fr.add(i, 1), list.write(i, fr.randomUniform([2]))],
      [int(0), new fr.TensorArray('float32', { size: 3, elementShape: [2] })],
    );
    const drawn = total.stack();
    await open();
    const values = Array.from((await sess.run(drawn)).data, Number);
    expect(new Set(values).size).toBe(6);
  });
});

describe('cond', () => {
  test.each(['fed', 'computed'])('takes the branch that the predicate says (%s)', async (how) => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const flag = fr.placeholder('bool', [], { name: 'flag' });
    const pred = how === 'fed' ? flag : fr.greater(fr.reduceSum(x), 0);
    const y = fr.cond(
      pred,
      () => fr.mul(x, x),
      () => fr.neg(x),
    );
    const [dx] = fr.gradients(y, x);
    if (!dx) throw new Error('no gradient');
    const [dxx] = fr.gradients(dx, x);
    await open();
    const yes = await sess.run({ y, dx }, { x: [2, 3], flag: true });
    expect(yes.y.toArray()).toEqual([4, 9]);
    expect(yes.dx.toArray()).toEqual([4, 6]);
    const no = await sess.run({ y, dx }, { x: [-2, -3], flag: false });
    expect(no.y.toArray()).toEqual([2, 3]);
    expect(no.dx.toArray()).toEqual([-1, -1]);
    if (dxx) expect((await sess.run(dxx, { x: [2, 3], flag: true })).toArray()).toEqual([2, 2]);
  });

  test('runs effects of the chosen branch only', async () => {
    const v = new fr.Variable(0, { name: 'v', dtype: 'float32' });
    const flag = fr.placeholder('bool', [], { name: 'flag' });
    const x = fr.placeholder('float32', [], { name: 'x' });
    const op = fr.cond(
      fr.logicalAnd(flag, fr.greater(x, 0)),
      () => v.assignAdd(1, { readValue: false }),
      () => v.assignAdd(10, { readValue: false }),
    );
    await open();
    await sess.run(fr.globalVariablesInitializer());
    await sess.run(op, { flag: true, x: 1 });
    await sess.run(op, { flag: true, x: -1 });
    expect((await sess.run(v)).item()).toBe(11);
  });

  test('case and switchCase', async () => {
    const i = fr.placeholder('int32', [], { name: 'i' });
    const x = fr.placeholder('float32', [], { name: 'x' });
    const picked = fr.switchCase(i, [() => fr.mul(x, 2), () => fr.mul(x, 3)], { default: () => fr.neg(x) });
    const first = fr.caseOf(
      [
        [fr.less(x, 0), () => fr.constant(1)],
        [fr.less(x, 10), () => fr.constant(2)],
      ],
      {
        default: () => fr.constant(3),
      },
    );
    const [dx] = fr.gradients(picked, x);
    if (!dx) throw new Error('no gradient');
    await open();
    for (const [index, want, slope] of [
      [0, 10, 2],
      [1, 15, 3],
      [2, -5, -1],
      [-1, -5, -1],
    ] as const) {
      const result = await sess.run({ picked, dx }, { i: index, x: 5 });
      expect(result.picked.item()).toBe(want);
      expect(result.dx.item()).toBe(slope);
    }
    for (const [value, want] of [
      [-1, 1],
      [5, 2],
      [50, 3],
    ] as const) {
      expect((await sess.run(first, { x: value })).item()).toBe(want);
    }
  });
});

describe('loops over rows', () => {
  test('mapFn, scan, foldl and foldr', async () => {
    const x = fr.placeholder('float32', [null, 2], { name: 'x' });
    const squares = fr.mapFn((row) => fr.mul(row, row), x);
    const sums = fr.scan((a, row) => fr.add(a, row), x);
    const back = fr.scan((a, row) => fr.add(a, row), x, { reverse: true });
    const left = fr.foldl((a, row) => fr.sub(row, a), x);
    const right = fr.foldr((a, row) => fr.sub(row, a), x, { initializer: fr.zeros([2]) });
    const [dx] = fr.gradients([sums, squares], x);
    if (!dx) throw new Error('no gradient');
    await open();
    for (const rows of [3, 2]) {
      const value = Array.from({ length: rows }, (_, i) => [i + 1, 10 * (i + 1)]);
      const r = await sess.run({ squares, sums, back, left, right, dx }, { x: value });
      expect(r.squares.toArray()).toEqual(value.map((row) => row.map((v) => v * v)));
      const total = (k: number): number => value.slice(0, k + 1).reduce((s, row) => s + (row[0] ?? 0), 0);
      expect(r.sums.toArray()).toEqual(value.map((_, k) => [total(k), 10 * total(k)]));
      const after = (k: number): number => value.slice(k).reduce((s, row) => s + (row[0] ?? 0), 0);
      expect(r.back.toArray()).toEqual(value.map((_, k) => [after(k), 10 * after(k)]));
      const wanted = rows === 3 ? 2 : 1;
      expect(r.left.toArray()).toEqual([wanted, 10 * wanted]);
      expect(r.right.toArray()).toEqual(rows === 3 ? [2, 20] : [-1, -10]);
      expect(r.dx.toArray()).toEqual(value.map((row, k) => row.map((v) => rows - k + 2 * v)));
    }
  });
});

describe('shapes that follow from values', () => {
  test('an op whose size is computed on the device', async () => {
    const x = fr.placeholder('float32', [null], { name: 'x' });
    const n = fr.cast(fr.reduceSum(x), 'int32');
    const y = fr.mul(fr.fill(fr.stack([n]), 2), 3);
    await open();
    expect((await sess.run(y, { x: [1, 2] })).toArray()).toEqual([6, 6, 6]);
    expect((await sess.run(y, { x: [1] })).toArray()).toEqual([6]);
  });
});
