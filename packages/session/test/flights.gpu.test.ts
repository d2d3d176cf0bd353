/** Several runs in flight: order, values, errors, back-pressure, closing; and warming up. */
import * as fr from '@forerun/graph';
import { Session, type CompileProgress } from '../src/index.js';

let sess: Session;

beforeEach(async () => {
  fr.resetDefaultGraph();
  sess = await Session.create({ graph: fr.getDefaultGraph() });
});

afterEach(() => sess.close());

/** `v` becomes `2 v + x` with every run. */
async function recurrence(): Promise<{ v: fr.Variable; x: fr.Tensor; update: fr.Operation }> {
  const x = fr.placeholder('float32', [3], { name: 'x' });
  const v = new fr.Variable(fr.zeros([3]), { name: 'v' });
  const update = v.assign(fr.add(fr.mul(v, 2), x)).op;
  await sess.run(v.initializer);
  return { v, x, update };
}

test('runs that are not awaited see the variables and feeds of their turn', async () => {
  const { v, x, update } = await recurrence();
  const step = sess.makeCallable(update, [x]);
  const read = sess.makeCallable(v, []);
  const seen: Promise<fr.TensorValue>[] = [];
  const steps: Promise<unknown>[] = [];
  let expected = 0;
  const wanted: number[] = [];
  for (let i = 1; i <= 12; i++) {
    steps.push(step(Float32Array.of(i, i, i)));
    seen.push(read());
    wanted.push((expected = 2 * expected + i));
  }
  expect((await Promise.all(seen)).map((value) => value.toArray())).toEqual(wanted.map((w) => [w, w, w]));
  await Promise.all(steps);
});

test('results come in the order of the calls, and few runs hold buffers at a time', async () => {
  const { v, x, update } = await recurrence();
  const both = sess.makeCallable([update, v], [x]);
  await both(Float32Array.of(1, 1, 1));
  const { buffers } = sess.stats.created;
  const order: number[] = [];
  const calls = Array.from({ length: 40 }, (_, i) =>
    both(Float32Array.of(0, 0, 0)).then(() => order.push(i)),
  );
  await Promise.all(calls);
  expect(order).toEqual(Array.from({ length: 40 }, (_, i) => i));
  // The ring grows to the number of runs in flight, and no further.
  expect(sess.stats.created.buffers - buffers).toBeLessThanOrEqual(2);
  const after = sess.stats;
  await Promise.all(Array.from({ length: 20 }, () => both(Float32Array.of(0, 0, 0))));
  expect(sess.stats).toEqual(after);
});

test('a run that fails between others is the only one to fail', async () => {
  const { v, x, update } = await recurrence();
  const good = sess.makeCallable(update, [x]);
  const bad = fr.reshape(fr.placeholder('float32', [null], { name: 'y' }), [2, 2]);
  const calls = await Promise.allSettled([
    good(Float32Array.of(1, 1, 1)),
    sess.run(bad, { y: new Float32Array(5) }),
    good(Float32Array.of(1, 1, 1)),
  ]);
  expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect((await sess.run(v)).toArray()).toEqual([3, 3, 3]);
});

test('what the device says about one submit reaches that run alone, and its variables stay uninitialized', async () => {
  const { x, update } = await recurrence();
  const w = new fr.Variable(fr.zeros([3]), { name: 'w' });
  const buffer = sess.device.createBuffer({
    size: 12,
    usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  const fill = w.assign(x);
  // The first run compiles; the second is given a buffer that was destroyed.
  await sess.run(fill.op, { x: buffer });
  await sess.run(fr.getDefaultGraph().createOp({ type: 'DestroyResourceOp', inputs: [w.handle] }));
  buffer.destroy();
  const calls = await Promise.allSettled([
    sess.run(update, { x: [1, 1, 1] }),
    sess.run(fill.op, { x: buffer }),
    sess.run(update, { x: [1, 1, 1] }),
  ]);
  expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(String((calls[1] as PromiseRejectedResult).reason)).toMatch(/WebGPU reported: .*destroyed/);
  await expect(sess.run(w)).rejects.toThrow(/variable "w" is not initialized/);
});

test('closing lets runs in flight end, and refuses those that wait', async () => {
  const { v, x, update } = await recurrence();
  const both = sess.makeCallable([update, v], [x]);
  await both(Float32Array.of(1, 1, 1));
  const calls = Array.from({ length: 8 }, () => both(Float32Array.of(0, 0, 0)));
  // The first calls have been submitted when one of them is done.
  await calls[0];
  sess.close();
  const outcomes = await Promise.allSettled(calls);
  const ended = outcomes.filter(({ status }) => status === 'fulfilled').length;
  expect(ended).toBeGreaterThanOrEqual(1);
  expect(outcomes.slice(0, ended).every(({ status }) => status === 'fulfilled')).toBe(true);
  for (const outcome of outcomes.slice(ended)) {
    expect(String((outcome as PromiseRejectedResult).reason)).toMatch(/the session is closed/);
  }
  expect(sess.stats.plans).toBe(0);
});

test('a callable finds its plan for shapes that change and come back', async () => {
  const x = fr.placeholder('float32', [null], { name: 'x' });
  const sum = sess.makeCallable(fr.reduceSum(x), [x]);
  for (const size of [3, 5, 3, 3, 5]) {
    expect((await sum(new Float32Array(size).fill(1))).item()).toBe(size);
  }
  expect(sess.stats.plans).toBe(2);
});

test('compiling warms every pipeline up, tells how far it is, and leaves variables alone', async () => {
  const { v, update } = await recurrence();
  const progress: CompileProgress[] = [];
  await sess.compile(update, { x: [3] }, { onProgress: (each) => progress.push(each) });
  const warm = progress.filter(({ stage }) => stage === 'warmUp');
  expect(warm.at(0)?.done).toBe(0);
  expect(warm.at(-1)?.done).toBe(warm.at(-1)?.total);
  expect(warm.at(-1)?.total).toBeGreaterThan(0);
  expect((await sess.run(v)).toArray()).toEqual([0, 0, 0]);
  const again: CompileProgress[] = [];
  await sess.compile(update, { x: [3] }, { onProgress: (each) => again.push(each) });
  expect(again).toEqual([{ stage: 'warmUp', done: 0, total: 0 }]);
});

test('plans for other batch sizes share the pipelines whose text is the same', async () => {
  const x = fr.placeholder('float32', [null, 4], { name: 'x' });
  const w = new fr.Variable(fr.ones([4, 4]), { name: 'w' });
  const update = w.assignSub(fr.mul(w, 0.5));
  const wide = fr.relu(x);
  const first = await sess.compile([update.op, wide], { x: [8, 4] });
  const second = await sess.compile([update.op, wide], { x: [16, 4] });
  expect(second.pipelines).toBeLessThan(first.pipelines);
});
