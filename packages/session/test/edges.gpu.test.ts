/** Corners of a run: feeds inside the graph, variables in one run, odd sizes, lifetimes, special values. */
import * as fr from '@forerun/graph';
import { Session, type SessionConfig } from '../src/index.js';
import { NO_PASSES } from './support/passes.js';

let sess: Session;

async function open(config: SessionConfig = {}): Promise<Session> {
  sess = await Session.create({ config });
  return sess;
}

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

describe('feeds inside the graph', () => {
  test('a control dependency on a fed placeholder of unknown shape costs nothing', async () => {
    for (const shape of [[null, 2], null] as const) {
      const x = fr.placeholder('float32', shape);
      const y = fr.controlDependencies([x], () => fr.add(1, 2));
      await open();
      expect((await sess.run(y, [[x, [[1, 2]]]])).item()).toBe(3);
      sess.close();
    }
  });

  test('an op whose output is fed still runs where another waits for it', async () => {
    const v = new fr.Variable(fr.constant([1, 2]));
    const update = v.assignAdd([1, 1], { readValue: false });
    const read = fr.controlDependencies([update], () => v.readValue());
    const after = fr.controlDependencies([read], () => fr.add(read, 10));
    await open();
    await sess.run(v.initializer);
    expect((await sess.run(after, [[read, [5, 6]]])).toArray()).toEqual([15, 16]);
    expect((await sess.run(v)).toArray()).toEqual([2, 3]);
  });

  test('feeding the read of a variable needs no variable', async () => {
    const v = new fr.Variable(fr.constant([1, 2]));
    await open();
    expect((await sess.run(fr.mul(v, 2), [[v.snapshot, [5, 6]]])).toArray()).toEqual([10, 12]);
    expect((await sess.run([v.snapshot], [[v.snapshot, [5, 6]]]))[0].toArray()).toEqual([5, 6]);
  });

  test('the placeholder of older files is fed like others, and only its shape', async () => {
    const graph = fr.getDefaultGraph();
    const attrs = { dtype: 'float32', shape: [null, 2] } as const;
    const x = graph.createOp({ type: 'PlaceholderV2', attrs }).output(0);
    const y = fr.mul(x, 2);
    await open();
    expect((await sess.run(y, [[x, [[1, 2]]]])).toArray()).toEqual([[2, 4]]);
    await expect(sess.run(y)).rejects.toThrow(/PlaceholderV2/);
    await expect(sess.run(y, [[x, [1, 2, 3]]])).rejects.toThrow(/shape \[3\]/);
  });

  test('a buffer on the device that is fetched directly is read back', async () => {
    const x = fr.placeholder('float32', [4]);
    const y = fr.add(x, 1);
    await open();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = sess.device.createBuffer({ size: 16, usage });
    sess.device.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4));
    const feeds = [[x, buffer]] as const;
    expect((await sess.run([x, y], feeds)).map((value) => value.toArray())).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4, 5],
    ]);
    expect((await sess.run(x, feeds)).toArray()).toEqual([1, 2, 3, 4]);
    expect((await sess.run(fr.identity(x), feeds)).toArray()).toEqual([1, 2, 3, 4]);
    buffer.destroy();
  });

  test('a shape may depend on a buffer on the device, which is read then', async () => {
    const dims = fr.placeholder('int32', [1]);
    await open();
    const buffer = sess.device.createBuffer({
      size: 16,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    sess.device.queue.writeBuffer(buffer, 0, Int32Array.of(5));
    expect((await sess.run(fr.zeros(dims), [[dims, buffer]])).shape).toEqual([5]);
    expect((await sess.run(fr.zeros(dims), [[dims, [3]]])).shape).toEqual([3]);
    buffer.destroy();
  });

  test('plans that depend on different feeds by value are told apart', async () => {
    const first = fr.placeholder('int32', []);
    const second = fr.placeholder('int32', []);
    const y = fr.range(0, fr.mul(first, second));
    await open();
    for (const [a, b] of [
      [1, 2],
      [2, 2],
      [0, 5],
      [2, 3],
      [1, 2],
    ] as const) {
      expect(
        (
          await sess.run(y, [
            [first, a],
            [second, b],
          ])
        ).shape,
      ).toEqual([a * b]);
    }
    expect(sess.stats.plans).toBe(4);
  });
});

describe.each([
  ['all passes', {}],
  ['no passes', NO_PASSES],
])('variables in one run, %s', (_, passes) => {
  test('views of the old value survive an update that uses them', async () => {
    const v = new fr.Variable(
      fr.constant([
        [1, 2],
        [3, 4],
      ]),
    );
    const old = v.readValue();
    const view = fr.reshape(fr.identity(old), [4]);
    const update = v.assignAdd(fr.reshape(view, [2, 2]), { readValue: false });
    const now = fr.controlDependencies([update], () => v.readValue());
    const flat = fr.reshape(now, [4]);
    await open({ passes });
    await sess.run(v.initializer);
    const got = await sess.run([view, flat, update, old]);
    expect(got[0].toArray()).toEqual([1, 2, 3, 4]);
    expect(got[1].toArray()).toEqual([2, 4, 6, 8]);
    expect(got[3].toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  test('each read between updates keeps its value', async () => {
    const v = new fr.Variable(fr.constant([1, 1, 1]));
    const reads: fr.Tensor[] = [v.readValue()];
    for (let i = 0; i < 4; i++) {
      const last = reads.at(-1) ?? v.snapshot;
      const update = fr.controlDependencies([last], () => v.assignAdd(fr.mul(last, 2), { readValue: false }));
      reads.push(fr.controlDependencies([update], () => v.readValue()));
    }
    await open({ passes });
    await sess.run(v.initializer);
    const got = await sess.run([...reads, fr.addN(reads)]);
    expect(got.map((value) => value.data[0])).toEqual([1, 3, 9, 27, 81, 121]);
  });

  test('integers and booleans are assigned and updated', async () => {
    const i = new fr.Variable(fr.constant([1, -2], { dtype: 'int64' }));
    const u = new fr.Variable(fr.constant([250, 3], { dtype: 'uint8' }));
    const b = new fr.Variable(fr.constant([true, false]));
    await open({ passes });
    await sess.run(fr.globalVariablesInitializer());
    const got = await sess.run([
      i.assignAdd(fr.constant([5, 5], { dtype: 'int64' })),
      u.assignAdd(fr.constant([10, 10], { dtype: 'uint8' })),
      b.assign(fr.logicalNot(b)),
      fr.mul(u.snapshot, u.snapshot),
    ]);
    expect(got.map((value) => value.toArray())).toEqual([
      [6, 3],
      [4, 13],
      [false, true],
      [36, 9],
    ]);
  });

  test('special values pass through', async () => {
    const x = fr.placeholder('float32', [5]);
    const specials = [NaN, Infinity, -Infinity, -0, 1e-45];
    const c = fr.constant(specials);
    const huge = fr.constant(3e38);
    await open({ passes });
    const fetches = [
      fr.mul(fr.identity(c), 1),
      fr.add(c, x),
      fr.mul(huge, 10),
      fr.add(fr.mul(huge, 10), x),
      fr.div(fr.constant(1), 0),
      fr.mul(fr.exp(fr.constant(1000)), x),
      fr.add(fr.log(fr.constant(-1)), x),
      fr.add(fr.constant(2147483647), 1),
      fr.sqrt(fr.constant(-2)),
    ];
    const got = (await sess.run(fetches, [[x, [1, 1, 1, 1, 1]]])).map((value) => [value.toArray()].flat());
    expect(got[0]?.slice(0, 4)).toEqual(specials.slice(0, 4));
    expect(got[1]).toEqual([NaN, Infinity, -Infinity, 1, 1]);
    expect(got[2]).toEqual([Infinity]);
    expect(got[3]).toEqual(new Array(5).fill(Infinity));
    expect(got[4]).toEqual([Infinity]);
    expect(got[5]).toEqual(new Array(5).fill(Infinity));
    expect(got[6]).toEqual(new Array(5).fill(NaN));
    expect(got[8]).toEqual([NaN]);
  });

  test('one constant fills four lanes at a time', async () => {
    const one = fr.broadcastTo(fr.constant(NaN), [8]);
    await open({ passes });
    expect((await sess.run([one, fr.onesLike(one)])).map((value) => value.data)).toEqual([
      new Float32Array(8).fill(NaN),
      new Float32Array(8).fill(1),
    ]);
  });

  test('integers wrap whether they are folded or computed', async () => {
    const big = fr.constant(2147483647, { dtype: 'int32' });
    const x = fr.placeholder('int32', []);
    const byte = fr.constant(200, { dtype: 'uint8' });
    const small = fr.constant(100, { dtype: 'int8' });
    await open({ passes });
    const fetches = [
      fr.add(big, 1),
      fr.mul(big, big),
      fr.add(fr.add(big, 1), x),
      fr.add(byte, byte),
      fr.floorDiv(fr.add(byte, byte), fr.constant(2, { dtype: 'uint8' })),
      fr.add(small, small),
      fr.neg(fr.constant(-2147483648, { dtype: 'int32' })),
      fr.mul(fr.abs(fr.sub(fr.neg(big), 1)), x),
    ];
    const got = (await sess.run(fetches, [[x, 1]])).map((value) => value.item());
    expect(got).toEqual([-2147483648, 1, -2147483647, 144, 72, -56, -2147483648, -2147483648]);
  });
});

describe('sizes', () => {
  test('chains with more inputs than can be bound', async () => {
    const xs = Array.from({ length: 40 }, () => fr.placeholder('float32', [null, 3]));
    const y = xs.reduce((sum, x, i) => fr.add(fr.mul(sum, i % 2 === 0 ? 1 : -1), x));
    const z = fr.addN(xs);
    await open();
    const [got, total] = await sess.run(
      [y, z],
      xs.map((x, i) => [x, [[i, 1, 0]]] as const),
    );
    const want = Array.from({ length: 40 }, (_, i) => i).reduce((sum, i) => sum * (i % 2 === 0 ? 1 : -1) + i);
    expect(got.toArray()).toEqual([
      [want, Array.from({ length: 40 }, () => 1).reduce((s, _, i) => s * (i % 2 === 0 ? 1 : -1) + 1), 0],
    ]);
    expect(total.toArray()).toEqual([[780, 40, 0]]);
  });

  test('very many fetches, among them one tensor many times', async () => {
    const x = fr.placeholder('float32', [null]);
    const ys = Array.from({ length: 300 }, (_, i) => fr.add(x, [i, i, i]));
    await open();
    const got = await sess.run([...ys, x, x, ys[7] ?? x, (ys[7] ?? x).op], [[x, [1, 2, 3]]]);
    expect(got.slice(0, 300).map((value) => value?.toArray())).toEqual(
      ys.map((_, i) => [1 + i, 2 + i, 3 + i]),
    );
    expect(got.slice(300).map((value) => value?.toArray())).toEqual([
      [1, 2, 3],
      [1, 2, 3],
      [8, 9, 10],
      undefined,
    ]);
  });

  test('more elements than one row of workgroups holds', async () => {
    const n = 65_535 * 64 * 4 + 5;
    const x = fr.placeholder('float32', [null]);
    const y = fr.add(fr.mul(x, 2), 1);
    await open();
    const data = new Float32Array(n);
    data[n - 1] = 3;
    data[65_535 * 64] = 4;
    const got = (await sess.run(y, [[x, data]])).data;
    expect([got[0], got[65_535 * 64], got[n - 2], got[n - 1], got.length]).toEqual([1, 9, 1, 7, n]);
  });

  test('no elements at all', async () => {
    const x = fr.placeholder('float32', [null, 3]);
    await open();
    const fetches = [
      fr.reduceSum(x),
      fr.softmax(x),
      fr.matMul(x, fr.ones([3, 2])),
      fr.concat([x, x], 0),
      fr.reduceMax(x, { axis: 0 }),
      fr.matMul(x, x, { transposeA: true }),
      fr.reshape(x, [-1]),
      x,
    ];
    const got = await sess.run(fetches, [[x, new Float32Array(0)]]);
    expect(got.map(({ shape }) => shape)).toEqual([[], [0, 3], [0, 2], [0, 3], [3], [3, 3], [0], [0, 3]]);
    expect(got[0]?.item()).toBe(0);
    expect(got[4]?.toArray()).toEqual([-Infinity, -Infinity, -Infinity]);
    expect(got[5]?.toArray()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('lifetimes', () => {
  test('a callable may be called again before it is done', async () => {
    const x = fr.placeholder('float32', [2]);
    await open();
    const call = sess.makeCallable(fr.mul(x, 2), [x]);
    const got = await Promise.all(Array.from({ length: 12 }, (_, i) => call([i, -i])));
    expect(got.map((value) => value.toArray())).toEqual(
      Array.from({ length: 12 }, (_, i) => [2 * i, -2 * i]),
    );
  });

  test('plans are evicted while other runs wait', async () => {
    const x = fr.placeholder('float32', [null]);
    const y = fr.add(x, 1);
    await open({ planCacheSize: 1 });
    const sizes = [1, 2, 1, 3, 2, 1, 3];
    const got = await Promise.all(sizes.map((n) => sess.run(y, [[x, new Float32Array(n)]])));
    expect(got.map(({ shape }) => shape[0])).toEqual(sizes);
    expect(sess.stats.plans).toBe(1);
  });

  test('closing turns queued runs away and leaves nothing behind', async () => {
    const x = fr.placeholder('float32', [null]);
    const v = new fr.Variable(fr.constant([1, 2, 3]));
    const y = fr.mul(v, fr.reduceSum(x));
    await open();
    await sess.run(v.initializer);
    const other = await Session.create();
    const before = other.stats.bufferBytes - sess.stats.variableBytes;
    const runs = [4, 5, 6].map((n) => sess.run(y, [[x, new Float32Array(n)]]));
    await Promise.resolve();
    sess.close();
    for (const result of await Promise.allSettled(runs)) {
      if (result.status === 'rejected') expect(String(result.reason)).toMatch(/the session is closed/);
      else expect(result.value.shape).toEqual([3]);
    }
    expect(other.stats.bufferBytes).toBeLessThanOrEqual(before);
    other.close();
  });

  test('closing while a run is being compiled', async () => {
    const v = new fr.Variable(fr.constant([1, 2, 3]));
    const y = fr.tanh(fr.add(fr.mul(v, 1.234), 5.4321));
    await open();
    await sess.run(v.initializer);
    const run = sess.run(y).then(() => 'done', String);
    await new Promise((resolve) => setTimeout(resolve, 0));
    sess.close();
    expect(await run).toMatch(/done|the session is closed/);
    await expect(sess.run(y)).rejects.toThrow(/the session is closed/);
  });
});
