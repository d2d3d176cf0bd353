/** Running graphs: feeds, fetches, variables, ordering, callables, profiles. */
import * as fr from '@forerun/graph';
import { RunMetadata, Session, Timeline } from '../src/index.js';
import { NO_PASSES } from './support/passes.js';

let sess: Session;

/** Opens the session that the test uses on the current default graph. */
async function open(): Promise<Session> {
  sess = await Session.create();
  return sess;
}

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

describe('feeds and fetches', () => {
  test('results have the nesting of the fetches', async () => {
    const x = fr.placeholder('float32', [2], { name: 'x' });
    const y = fr.add(x, 1, { name: 'y' });
    const nothing = fr.noOp({ name: 'nothing' });
    await open();
    const result = await sess.run({ a: [y, 'y:0'], b: { c: x, d: nothing } }, { x: [1, 2] });
    expect(result.a[0].toArray()).toEqual([2, 3]);
    expect(result.a[1].toArray()).toEqual([2, 3]);
    expect(result.b.c.toArray()).toEqual([1, 2]);
    expect(result.b.d).toBeUndefined();
  });

  test('feeds may be a map, pairs or a record, of any kind of value', async () => {
    const x = fr.placeholder('float32', [null, 2], { name: 'x' });
    const y = fr.mul(x, 2);
    await open();
    const want = [
      [2, 4],
      [6, 8],
    ];
    const flat = Float32Array.of(1, 2, 3, 4);
    for (const value of [
      [
        [1, 2],
        [3, 4],
      ],
      flat,
      new fr.TensorValue('float32', [2, 2], flat),
    ]) {
      expect((await sess.run(y, new Map([[x, value]]))).toArray()).toEqual(want);
      expect((await sess.run(y, [[x, value]])).toArray()).toEqual(want);
      expect((await sess.run(y, { 'x:0': value })).toArray()).toEqual(want);
    }
  });

  test('a nesting of tensors is fed with a value of its nesting, which may be what was fetched', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => fr.placeholder('float32', [], { name }));
    if (a === undefined || b === undefined || c === undefined) throw new Error('three placeholders');
    const state = [{ a, b }, c] as const;
    const next = [{ a: fr.add(a, 1), b: fr.add(b, 2) }, fr.add(c, 3)] as const;
    await open();
    let value = await sess.run(next, [[state, [{ a: 10, b: 20 }, 30]]]);
    value = await sess.run(next, new Map([[state, value]]));
    expect([value[0].a.item(), value[0].b.item(), value[1].item()]).toEqual([12, 24, 36]);
    const call = sess.makeCallable(fr.addN([a, b, c]), [state]);
    expect((await call(value)).item()).toBe(72);
    await expect(sess.run(a, [[state, [1, 2, 3]]])).rejects.toThrow(
      'feed for a list of 2 must be of that structure, got a list of 3',
    );
    await expect(sess.run(a, [[state, [{ a: 1 }, 2]]])).rejects.toThrow(
      'feed for {a, b} must be of that structure, got {a}',
    );
    await expect(sess.run(a, [[state, 5]])).rejects.toThrow('got 5');
    await expect(
      sess.run(a, [
        [
          [a, { d: 'nowhere' }],
          [1, { d: 2 }],
        ],
      ]),
    ).rejects.toThrow(/feed: .*nowhere/);
    await expect(
      sess.run(a, [
        [state, value],
        [c, 1],
      ]),
    ).rejects.toThrow('"c:0" is fed twice');
    await expect(sess.run(a, [[[null as never], [1]]])).rejects.toThrow(
      'a feed key must be a tensor, a variable or a name, got null',
    );
  });

  test('any tensor may be fed', async () => {
    const x = fr.placeholder('float32', [2]);
    const inner = fr.exp(x);
    const y = fr.add(inner, 1);
    await open();
    expect((await sess.run(y, [[inner, [10, 20]]])).toArray()).toEqual([11, 21]);
  });

  test('a buffer on the device can be fed', async () => {
    const x = fr.placeholder('float32', [4], { name: 'x' });
    const y = fr.mul(x, 3);
    await open();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = sess.device.createBuffer({ size: 16, usage });
    sess.device.queue.writeBuffer(buffer, 0, Float32Array.of(1, 2, 3, 4));
    expect((await sess.run(y, [[x, buffer]])).toArray()).toEqual([3, 6, 9, 12]);
    sess.device.queue.writeBuffer(buffer, 0, Float32Array.of(5, 6, 7, 8));
    expect((await sess.run(y, [[x, buffer]])).toArray()).toEqual([15, 18, 21, 24]);
    buffer.destroy();
  });

  test('all device dtypes survive the way to the device and back', async () => {
    const cases: readonly [fr.BaseDType, readonly (number | boolean)[]][] = [
      ['float32', [1.5, -2]],
      ['int32', [2 ** 31 - 1, -(2 ** 31)]],
      ['int64', [7, -9]],
      ['uint8', [0, 255]],
      ['int8', [-128, 127]],
      ['uint32', [0, 2 ** 32 - 1]],
      ['bool', [true, false]],
    ];
    const variables = cases.map(
      ([dtype, values]) => new fr.Variable(fr.constant([...values], { dtype }), { name: `v_${dtype}` }),
    );
    await open();
    await sess.run(fr.globalVariablesInitializer());
    const got = await sess.run(variables);
    cases.forEach(([dtype, values], i) => {
      expect(got[i]?.dtype).toBe(dtype);
      expect(got[i]?.toArray()).toEqual(values);
    });
  });

  test('int64 feeds beyond 32 bits are refused by name', async () => {
    const x = fr.placeholder('int64', [1], { name: 'big' });
    const y = fr.add(x, x);
    await open();
    await expect(sess.run(y, { big: [2 ** 40] })).rejects.toThrow(
      /big: element 0 is 1099511627776; int64 is kept as int32/,
    );
    expect((await sess.run(y, { big: [4] })).toArray()).toEqual([8]);
  });

  test('runs called without waiting are executed in order', async () => {
    const v = new fr.Variable(fr.constant(0), { name: 'v' });
    const add = v.assignAdd(fr.constant(1));
    await open();
    await sess.run(v.initializer);
    await Promise.all(Array.from({ length: 20 }, () => sess.run(add.op)));
    expect((await sess.run(v)).item()).toBe(20);
  });

  test('constants, empty tensors and strings can be fetched', async () => {
    const empty = fr.placeholder('float32', [0, 3], { name: 'empty' });
    await open();
    expect((await sess.run(fr.constant([1, 2]))).toArray()).toEqual([1, 2]);
    expect((await sess.run(fr.exp(empty), { empty: new Float32Array(0) })).shape).toEqual([0, 3]);
    expect((await sess.run(fr.constant(['a', 'b']))).toArray()).toEqual(['a', 'b']);
  });
});

describe('plans', () => {
  test('shapes that depend on fed values get a plan for each value', async () => {
    const x = fr.placeholder('float32', [null], { name: 'x' });
    const s = fr.placeholder('int32', [2], { name: 's' });
    const y = fr.reshape(fr.add(x, 1), s);
    await open();
    const feed = Float32Array.of(0, 1, 2, 3, 4, 5);
    expect((await sess.run(y, { x: feed, s: [2, 3] })).shape).toEqual([2, 3]);
    expect((await sess.run(y, { x: feed, s: [3, 2] })).shape).toEqual([3, 2]);
    expect(sess.stats.plans).toBe(2);
    expect((await sess.run(y, { x: feed, s: [2, 3] })).shape).toEqual([2, 3]);
    expect(sess.stats.plans).toBe(2);
  });

  test('the cache is bounded and evicted plans free their buffers', async () => {
    const x = fr.placeholder('float32', [null], { name: 'x' });
    const y = fr.exp(x);
    sess = await Session.create({ config: { planCacheSize: 3 } });
    for (let n = 1; n <= 3; n++) await sess.run(y, { x: new Float32Array(64).subarray(0, 8 * n) });
    const { bufferBytes } = sess.stats;
    for (let n = 1; n <= 12; n++) await sess.run(y, { x: new Float32Array(8 + (n % 5)) });
    expect(sess.stats.plans).toBe(3);
    expect(sess.stats.bufferBytes).toBeLessThanOrEqual(bufferBytes);
  });

  test('plans for several batch sizes share the constants of the graph', async () => {
    const x = fr.placeholder('float32', [null, 100], { name: 'x' });
    const y = fr.matMul(x, fr.constant(new Float32Array(10_000).fill(0.5), { shape: [100, 100] }));
    await open();
    await sess.run(y, { x: new Float32Array(100).fill(1) });
    const { bufferBytes } = sess.stats;
    expect((await sess.run(y, { x: new Float32Array(200).fill(1) })).data[150]).toBe(50);
    expect(sess.stats.bufferBytes - bufferBytes).toBeLessThan(10_000);
  });

  test('compile reports its progress and leaves nothing for the first run', async () => {
    const x = fr.placeholder('float32', [null, 4], { name: 'x' });
    const y = fr.matMul(fr.relu(x), fr.constant(new Float32Array(12), { shape: [4, 3] }));
    await open();
    const stages: string[] = [];
    const report = await sess.compile(y, { x: [2, 4] }, { onProgress: ({ stage }) => stages.push(stage) });
    expect(report.dispatches).toBeGreaterThanOrEqual(2);
    expect(stages).toEqual(expect.arrayContaining(['simplify', 'lower', 'schedule', 'pipelines']));
    const { pipelines, bindGroups } = sess.stats.created;
    await sess.run(y, { x: new Float32Array(8) });
    expect(sess.stats.created.pipelines).toBe(pipelines);
    expect(sess.stats.created.bindGroups).toBe(bindGroups);
  });

  test('a callable runs with values in order', async () => {
    const a = fr.placeholder('float32', []);
    const b = fr.placeholder('float32', []);
    const f = fr.sub(a, b);
    await open();
    const call = sess.makeCallable({ f }, [a, b]);
    expect((await call(5, 3)).f.item()).toBe(2);
    expect((await call(1, 4)).f.item()).toBe(-3);
    await expect(call(1)).rejects.toThrow(/takes 2 values, got 1/);
  });

  test('switching passes off changes nothing but the plan', async () => {
    const x = fr.placeholder('float32', [8], { name: 'x' });
    const y = fr.sqrt(fr.add(fr.square(fr.identity(x)), fr.mul(fr.exp(x), fr.exp(x))));
    const feed = { x: Float32Array.of(-2, -1, -0.5, 0, 0.5, 1, 2, 3) };
    const results: Float32Array[] = [];
    for (const passes of [{}, { fuse: false }, NO_PASSES]) {
      const session = await Session.create({ config: { passes } });
      results.push((await session.run(y, feed)).data as Float32Array);
      session.close();
    }
    await open();
    for (const data of results) {
      data.forEach((value, i) => expect(value).toBeCloseTo(results[0]?.[i] ?? NaN, 5));
    }
  });
});

describe('variables', () => {
  test('the value read before an assignment stays what it was', async () => {
    const v = new fr.Variable(fr.constant([1, 2, 3, 4]), { name: 'v' });
    const old = fr.identity(v);
    const update = fr.controlDependencies([old], () => v.assign(fr.constant([5, 6, 7, 8])));
    await open();
    await sess.run(v.initializer);
    const [before] = await sess.run([old, update.op]);
    expect(before.toArray()).toEqual([1, 2, 3, 4]);
    expect((await sess.run(v)).toArray()).toEqual([5, 6, 7, 8]);
  });

  test('a read under a control dependency sees the new value', async () => {
    const v = new fr.Variable(fr.constant([1, 2]), { name: 'v' });
    const after = fr.controlDependencies([v.assignAdd(fr.constant([10, 20]))], () => fr.identity(v.value()));
    await open();
    await sess.run(v.initializer);
    expect((await sess.run(after)).toArray()).toEqual([11, 22]);
  });

  test('an update may use the very value that it replaces', async () => {
    const v = new fr.Variable(fr.constant([1, 2, 3, 4]), { name: 'v' });
    const update = v.assignSub(v.value());
    await open();
    await sess.run(v.initializer);
    await sess.run(update.op);
    expect((await sess.run(v)).toArray()).toEqual([0, 0, 0, 0]);
  });

  test('two variables can be swapped in one run', async () => {
    const a = new fr.Variable(fr.constant([1, 1]), { name: 'a' });
    const b = new fr.Variable(fr.constant([2, 2]), { name: 'b' });
    const [oldA, oldB] = [fr.identity(a), fr.identity(b)];
    const swap = fr.controlDependencies([oldA, oldB], () => [a.assign(oldB), b.assign(oldA)]);
    await open();
    await sess.run([a.initializer, b.initializer]);
    await sess.run(swap.map((assign) => assign.op));
    expect((await sess.run([a, b])).map((value) => value.toArray())).toEqual([
      [2, 2],
      [1, 1],
    ]);
  });

  test('a destroyed variable is uninitialized, and the graph can ask', async () => {
    const v = new fr.Variable(fr.constant([1, 2]), { name: 'v' });
    const asked = fr.isVariableInitialized(v);
    const destroy = fr.destroyVariable(v);
    await open();
    expect((await sess.run(asked)).toArray()).toBe(false);
    await sess.run(v.initializer);
    expect((await sess.run(asked)).toArray()).toBe(true);
    await sess.run(destroy);
    expect((await sess.run(asked)).toArray()).toBe(false);
    await expect(sess.run(v)).rejects.toThrow(/variable "v" is not initialized/);
  });

  test('those without a value are reported by name', async () => {
    const [w] = [new fr.Variable([1, 2], { name: 'w' }), new fr.Variable(3, { name: 'v' })];
    new fr.Variable(0, { name: 'n', trainable: false, collections: [fr.GraphKeys.LOCAL_VARIABLES] });
    const report = fr.reportUninitializedVariables();
    const none = fr.reportUninitializedVariables([]);
    await open();
    expect((await sess.run(report)).toArray()).toEqual(['w', 'v', 'n']);
    await sess.run([w.initializer, fr.localVariablesInitializer()]);
    expect((await sess.run(report)).toArray()).toEqual(['v']);
    await sess.run(fr.globalVariablesInitializer());
    expect((await sess.run(report)).shape).toEqual([0]);
    expect((await sess.run(none)).shape).toEqual([0]);
  });

  test('variables without elements can be initialized and saved', async () => {
    const v = new fr.Variable(fr.zeros([0, 3]), { name: 'empty' });
    await open();
    await sess.run(v.initializer);
    expect((await sess.run(v)).shape).toEqual([0, 3]);
  });

  test('sessions do not share variables', async () => {
    const v = new fr.Variable(fr.constant(1), { name: 'v' });
    await open();
    await sess.run(v.initializer);
    const other = await Session.create();
    await expect(other.run(v)).rejects.toThrow(/variable "v" is not initialized/);
    other.close();
  });
});

describe('random ops', () => {
  test('two sessions with one seed draw the same, steps differ, a restored step repeats', async () => {
    const x = fr.randomUniform([8], { seed: 5 });
    await open();
    const first = await sess.run(x);
    const second = await sess.run(x);
    expect(second.data).not.toEqual(first.data);
    const other = await Session.create();
    expect((await other.run(x)).data).toEqual(first.data);
    other.randomStep = 1n;
    expect((await other.run(x)).data).toEqual(second.data);
    other.close();
  });
});

describe('profiles', () => {
  test('a traced run names kernels by graph nodes and gives a Chrome trace', async () => {
    const x = fr.placeholder('float32', [64, 64], { name: 'x' });
    const y = fr.relu(fr.matMul(x, x, { name: 'product' }), { name: 'activation' });
    await open();
    const runMetadata = new RunMetadata();
    const feed = { x: new Float32Array(4096).fill(1) };
    const traced = await sess.run(y, feed, { traceLevel: 'FULL_TRACE', runMetadata });
    expect(traced.data[0]).toBe(64);
    const stats = runMetadata.stepStats.devStats[0]?.nodeStats ?? [];
    expect(stats.flatMap(({ sources }) => sources)).toEqual(
      expect.arrayContaining(['product', 'activation']),
    );
    expect(runMetadata.dispatches).toBe(stats.length);
    expect(stats.every(({ opEndRelMicros }) => opEndRelMicros >= 0)).toBe(true);
    expect(runMetadata.memory.planBytes).toBeGreaterThanOrEqual(2 * 4096 * 4);
    const trace = JSON.parse(new Timeline(runMetadata.stepStats).generateChromeTraceFormat()) as {
      traceEvents: { ph: string; args: { name: string } }[];
    };
    const events = trace.traceEvents.filter(({ ph }) => ph === 'X');
    expect(events.map(({ args }) => args.name)).toEqual(stats.map(({ nodeName }) => nodeName));
  });
});
