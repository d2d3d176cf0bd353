/** Graphs with the reference variables of older files: imported from text, initialized, trained, saved. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { Saver, Session } from '../src/index.js';

/** y = w * x with w trained by gradient descent towards y = t, as TensorFlow wrote it before resource variables. */
const GRAPH = `
node { name: "x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 2 } } } } }
node { name: "t" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 2 } } } } }
node { name: "init_value" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { dim { size: 2 } } float_val: 1.0 float_val: 2.0 } } } }
node { name: "rate" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 0.5 } } } }
node { name: "w" op: "VariableV2" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 2 } } } } attr { key: "container" value { s: "" } } attr { key: "shared_name" value { s: "" } } }
node { name: "w/Assign" op: "Assign" input: "w" input: "init_value" attr { key: "T" value { type: DT_FLOAT } } attr { key: "use_locking" value { b: true } } attr { key: "validate_shape" value { b: true } } }
node { name: "w/read" op: "Identity" input: "w" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "y" op: "Mul" input: "w/read" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "error" op: "Sub" input: "y" input: "t" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "grad" op: "Mul" input: "error" input: "x" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "train" op: "ApplyGradientDescent" input: "w" input: "rate" input: "grad" attr { key: "T" value { type: DT_FLOAT } } attr { key: "use_locking" value { b: false } } }
node { name: "plus" op: "AssignAdd" input: "w" input: "init_value" attr { key: "T" value { type: DT_FLOAT } } attr { key: "use_locking" value { b: false } } }
node { name: "after" op: "Identity" input: "plus" attr { key: "T" value { type: DT_FLOAT } } }
node { name: "asked" op: "IsVariableInitialized" input: "w" attr { key: "dtype" value { type: DT_FLOAT } } }
versions { producer: 27 }
`;

const FEEDS = { x: [1, 2], t: [3, 8] };
let graph: fr.Graph;
let sess: Session;

beforeEach(async () => {
  graph = new fr.Graph();
  fr.importGraphDef(new TextEncoder().encode(GRAPH), { graph, name: '' });
  sess = await Session.create({ graph });
});

afterEach(() => sess.close());

test('a reference variable is initialized, read, trained and assigned', async () => {
  expect((await sess.run('asked:0')).toArray()).toBe(false);
  await expect(sess.run('y:0', FEEDS)).rejects.toThrow(/variable "w" is not initialized/);
  await sess.run('w/Assign');
  expect((await sess.run('asked:0')).toArray()).toBe(true);
  expect((await sess.run('y:0', FEEDS)).toArray()).toEqual([1, 4]);
  // w -= 0.5 * (w x - t) x
  const [before] = await sess.run(['error:0', 'train'], FEEDS);
  expect(before.toArray()).toEqual([-2, -4]);
  expect((await sess.run('w:0')).toArray()).toEqual([2, 6]);
  // Who reads through the reference of an update sees the update.
  expect((await sess.run('after:0')).toArray()).toEqual([3, 8]);
  expect((await sess.run('w/read:0')).toArray()).toEqual([3, 8]);
});

test('references are passed on and chosen, and updated through what passes them on', async () => {
  const [w, value] = [graph.getTensorByName('w:0'), graph.getTensorByName('init_value:0')];
  const attrs = { shape: [2], dtype: 'float32' } as const;
  const other = graph.createOp({ type: 'VariableV2', name: 'other', inputs: [], attrs }).output(0);
  const same = graph.createOp({ type: 'RefIdentity', inputs: [w] }).output(0);
  const index = graph.asDefault(() => fr.placeholder('int32', []));
  const chosen = graph.createOp({ type: 'RefSelect', inputs: [index, same, other] }).output(0);
  const init = graph.createOp({ type: 'Assign', inputs: [other, value] });
  const plus = graph.createOp({ type: 'AssignAdd', inputs: [chosen, value] });
  await sess.run(['w/Assign', init]);
  await sess.run(plus, [[index, 0]]);
  expect((await sess.run([same, other])).map((x) => x.toArray())).toEqual([
    [2, 4],
    [1, 2],
  ]);
  await sess.run(plus, [[index, 1]]);
  expect((await sess.run([same, other])).map((x) => x.toArray())).toEqual([
    [2, 4],
    [2, 4],
  ]);
  await expect(sess.run(plus, [[index, 2]])).rejects.toThrow(/RefSelect "RefSelect": index 2 is not below 2/);
  const wrong = { type: 'RefSelect', inputs: [graph.asDefault(() => fr.constant(3, { dtype: 'int32' })), w] };
  expect(() => graph.createOp(wrong)).toThrow(/index must be from 0 to 0, got 3/);
});

test('gradients go through the read, and the saver knows the variable', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'forerun-references-'));
  const [handle, read] = [graph.getTensorByName('w:0'), graph.getTensorByName('w/read:0')];
  const initializer = graph.getOperationByName('w/Assign');
  const w = new fr.Variable(new fr.VariableNodes(handle, initializer, read, null, true));
  const [grad] = fr.gradients(graph.getTensorByName('y:0'), [read]);
  const saver = graph.asDefault(() => new Saver({ varList: [w] }));
  await sess.run('w/Assign');
  expect((await sess.run(grad ?? read, FEEDS)).toArray()).toEqual([1, 2]);
  const prefix = await saver.save(sess, join(directory, 'm'));
  await sess.run('plus');
  expect((await sess.run(w)).toArray()).toEqual([2, 4]);
  await saver.restore(sess, prefix);
  expect((await sess.run(w)).toArray()).toEqual([1, 2]);
  rmSync(directory, { recursive: true });
});

test('a temporary variable is assigned, added to and taken, anew in every run', async () => {
  const dtype = 'attr { key: "T" value { type: DT_FLOAT } }';
  const node = (name: string, op: string, inputs: string, attrs: string): string =>
    `node { name: "${name}" op: "${op}" ${inputs
      .split(' ')
      .filter((input) => input !== '')
      .map((input) => `input: "${input}"`)
      .join(' ')} ${attrs} }`;
  const varName = 'attr { key: "var_name" value { s: "sum" } }';
  const shape = 'attr { key: "shape" value { shape { dim { size: 2 } } } }';
  const added = [
    node(
      'tmp',
      'TemporaryVariable',
      '',
      `attr { key: "dtype" value { type: DT_FLOAT } } ${shape} ${varName}`,
    ),
    node('tmp/start', 'Assign', 'tmp x', dtype),
    node('tmp/more', 'AssignAdd', 'tmp t ^tmp/start', dtype),
    node('tmp/most', 'AssignAdd', 'tmp/more t', dtype),
    node('sum', 'DestroyTemporaryVariable', 'tmp/most', `${dtype} ${varName}`),
    node('twice', 'Add', 'sum sum', dtype),
  ];
  const again = new fr.Graph();
  fr.importGraphDef(new TextEncoder().encode(GRAPH.replace('versions', `${added.join('\n')}\nversions`)), {
    graph: again,
    name: '',
  });
  const own = await Session.create({ graph: again });
  try {
    expect((await own.run('sum:0', FEEDS)).toArray()).toEqual([7, 18]);
    const [sum, twice] = await own.run(['sum:0', 'twice:0'], { x: [0, 1], t: [1, 1] });
    expect([sum.toArray(), twice.toArray()]).toEqual([
      [2, 3],
      [4, 6],
    ]);
  } finally {
    own.close();
  }
});

test('a variable of float64, as mean_iou of TensorFlow counts in, is refused and not kept as float32', async () => {
  const other = new fr.Graph();
  const [assign, count, sum] = other.asDefault(() => {
    const attrs = { dtype: 'float64', shape: [2, 2] } as const;
    const ref = other.createOp({ type: 'VariableV2', name: 'total', attrs }).output(0);
    const ones = fr.ones([2, 2], { dtype: 'float64' });
    return [
      other.createOp({ type: 'Assign', name: 'start', inputs: [ref, ones] }),
      other.createOp({ type: 'AssignAdd', name: 'count', inputs: [ref, ones] }),
      fr.add(fr.constant(1), 1),
    ] as const;
  });
  await using own = await Session.create({ graph: other });
  await expect(own.run(assign)).rejects.toThrow(/"start": dtype float64 is not computed with on the device/);
  await expect(own.run(count)).rejects.toThrow(fr.ForerunError);
  expect((await own.run(sum)).item()).toBe(2);
});
