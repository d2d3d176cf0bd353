/** Counters with a limit, and parts of variables that are set. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('a counter gives its value before it grows, and stops at the limit', async () => {
  const counter = new fr.Variable(fr.constant(0, { dtype: 'int32' }), { name: 'counter' });
  const count = fr.countUpTo(counter, 2);
  const doubled = fr.mul(count, 10);
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  expect((await sess.run(count)).item()).toBe(0);
  const both = await sess.run({ count, doubled });
  expect([both.count.item(), both.doubled.item()]).toEqual([1, 10]);
  const failed = sess.run(doubled);
  await expect(failed).rejects.toThrow(fr.OutOfRangeError);
  await expect(failed).rejects.toThrow('reached limit of 2');
  expect((await sess.run(counter)).item()).toBe(2);
  await sess.run(counter.initializer);
  expect((await sess.run(count)).item()).toBe(0);
});

test('a counter of int64 is carried out although nothing uses its value', async () => {
  const counter = new fr.Variable(fr.constant(5, { dtype: 'int64' }));
  const count = counter.countUpTo(100);
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  await sess.run(count.op);
  await sess.run(count.op);
  expect((await sess.run(counter)).item()).toBe(7);
});

test('parts of a variable are set, read afterwards, and the rest stays', async () => {
  const w = new fr.Variable(fr.zeros([3, 4]));
  const x = fr.placeholder('float32', [2]);
  const after = w.assignSlice([1, 0], [2, 4], x, { strides: [1, 3], shrinkAxisMask: 1 });
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  const want = [
    [0, 0, 0, 0],
    [7, 0, 0, 8],
    [0, 0, 0, 0],
  ];
  expect((await sess.run(after, [[x, [7, 8]]])).toArray()).toEqual(want);
  expect((await sess.run(w)).toArray()).toEqual(want);
});

test('bounds may be computed, and what does not fit is refused', async () => {
  const w = new fr.Variable(fr.zeros([4]));
  const begin = fr.placeholder('int32', [1]);
  const after = fr.stridedSliceAssign(w, fr.add(begin, 1), [4], [1, 2], { strides: [1] });
  expect(() => w.assignSlice([0], [3], [1, 2])).toThrow(
    'the value has shape [2], the part of the variable [3]',
  );
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  expect((await sess.run(after, [[begin, [1]]])).toArray()).toEqual([0, 0, 1, 2]);
  await expect(sess.run(after, [[begin, [0]]])).rejects.toThrow('the part of the variable [3]');
});

test('files with reference variables count and set parts', async () => {
  const graph = new fr.Graph();
  const int = 'attr { key: "T" value { type: DT_INT32 } }';
  const shape = (dims: string): string => `attr { key: "shape" value { shape { ${dims} } } }`;
  const list = (name: string, value: number): string =>
    `node { name: "${name}" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { dim { size: 1 } } int_val: ${value} } } } }`;
  const text = `
node { name: "n" op: "VariableV2" attr { key: "dtype" value { type: DT_INT32 } } ${shape('')} }
node { name: "w" op: "VariableV2" attr { key: "dtype" value { type: DT_INT32 } } ${shape('dim { size: 3 }')} }
node { name: "zero" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { } int_val: 0 } } } }
node { name: "zeros" op: "Const" attr { key: "dtype" value { type: DT_INT32 } } attr { key: "value" value { tensor { dtype: DT_INT32 tensor_shape { dim { size: 3 } } int_val: 0 } } } }
${list('one', 1)}
${list('two', 2)}
${list('nine', 9)}
node { name: "init_n" op: "Assign" input: "n" input: "zero" ${int} }
node { name: "init_w" op: "Assign" input: "w" input: "zeros" ${int} }
node { name: "count" op: "CountUpTo" input: "n" attr { key: "limit" value { i: 1 } } ${int} }
node { name: "set" op: "StridedSliceAssign" input: "w" input: "one" input: "two" input: "one" input: "nine" ${int} attr { key: "Index" value { type: DT_INT32 } } }
node { name: "after" op: "Identity" input: "set" ${int} }
versions { producer: 27 }`;
  fr.importGraphDef(new TextEncoder().encode(text), { graph, name: '' });
  sess = await Session.create({ graph });
  await sess.run(['init_n', 'init_w']);
  expect((await sess.run('count:0')).item()).toBe(0);
  await expect(sess.run('count:0')).rejects.toThrow('reached limit of 1');
  expect((await sess.run('after:0')).toArray()).toEqual([0, 9, 0]);
});
