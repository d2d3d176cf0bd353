/** Checks of all tensors of a graph, and the global step as a number. */
import * as fr from '@forerun/graph';
import { Session, globalStep } from '../src/index.js';

let sess: Session;

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('the first tensor that is not finite is named', async () => {
  const x = fr.placeholder('float32', [2], { name: 'x' });
  const y = fr.mul(fr.log(x, { name: 'log' }), 2, { name: 'twice' });
  const check = fr.addCheckNumericsOps();
  sess = await Session.create();
  const [got] = await sess.run([y, check], [[x, [1, 1]]]);
  expect(got.toArray()).toEqual([0, 0]);
  await expect(sess.run([y, check], [[x, [1, 0]]])).rejects.toThrow('log:0 : the tensor has NaN or infinite');
  expect((await sess.run(y, [[x, [1, 1]]])).toArray()).toEqual([0, 0]);
});

test('graphs with control flow are refused', async () => {
  const x = fr.placeholder('float32', []);
  fr.cond(
    fr.greater(x, 0),
    () => fr.log(x),
    () => fr.neg(x),
  );
  expect(() => fr.addCheckNumericsOps()).toThrow('the graph has control flow');
  sess = await Session.create();
});

test('verifyTensorAllFinite passes finite tensors on', async () => {
  const x = fr.placeholder('float32', [2]);
  const y = fr.add(fr.verifyTensorAllFinite(x, 'x is not finite'), 1);
  sess = await Session.create();
  expect((await sess.run(y, [[x, [1, 2]]])).toArray()).toEqual([2, 3]);
  await expect(sess.run(y, [[x, [1, NaN]]])).rejects.toThrow('x is not finite');
});

test('globalStep reads a step', async () => {
  const step = new fr.Variable(fr.constant(41, { dtype: 'int64' }));
  sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  await sess.run(step.assignAdd(1));
  expect(await globalStep(sess, step)).toBe(42);
});
