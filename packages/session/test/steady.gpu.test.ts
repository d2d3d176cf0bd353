/** A training loop in steady state creates nothing: no buffer, bind group, pipeline or graph node. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

test('1,000 training steps create nothing after the first, and memory stays flat', async () => {
  fr.resetDefaultGraph();
  const x = fr.placeholder('float32', [null, 8], { name: 'x' });
  const target = fr.placeholder('float32', [null, 2], { name: 'target' });
  const w = new fr.Variable(fr.fill([8, 16], 0.1), { name: 'w' });
  const v = new fr.Variable(fr.fill([16, 2], 0.1), { name: 'v' });
  const noise = fr.randomUniform([16], { seed: 3 });
  const hidden = fr.mul(fr.relu(fr.matMul(x, w)), fr.add(noise, 0.5));
  const loss = fr.reduceMean(fr.square(fr.sub(fr.matMul(hidden, v), target)));
  const [dw, dv] = fr.gradients(loss, [w, v]);
  if (!dw || !dv) throw new Error('the loss depends on both weights');
  const train = fr.group([w.assignSub(fr.mul(dw, 0.01)), v.assignSub(fr.mul(dv, 0.01))]);
  const sess = await Session.create();
  await sess.run([w.initializer, v.initializer]);
  const step = sess.makeCallable([train, loss], [x, target]);
  const inputs = Float32Array.from({ length: 32 }, (_, i) => Math.sin(i));
  const targets = Float32Array.from({ length: 8 }, (_, i) => Math.cos(i));

  const first = (await step(inputs, targets))[1].item();
  const { stats } = sess;
  const nodes = sess.graph.operations.length;
  let last = first;
  for (let i = 0; i < 1000; i++) last = (await step(inputs, targets))[1].item();

  expect(sess.stats).toEqual(stats);
  expect(sess.graph.operations.length).toBe(nodes);
  expect(last).toBeLessThan(first);
  sess.close();
  expect(sess.stats.bufferBytes).toBeLessThan(stats.bufferBytes);
});
