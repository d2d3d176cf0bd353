/** Optimizers in a session: rows of tables, slots that are saved, and L-BFGS around it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from 'forerun';

const TABLE = Array.from({ length: 6 }, (_, i) => [i + 1, -i, 0.5 * i, 2]);

/** Trains rows 4, 1, 4 of a table by Adagrad, whose formula for them is followed by hand. */
test('a gradient of rows changes the rows in use, and slots are saved and restored', async () => {
  const graph = new fr.Graph();
  const { w, step, saver, optimizer } = graph.asDefault(() => {
    const w = new fr.Variable(TABLE, { name: 'w' });
    const loss = fr.math.reduceSum(fr.square(fr.nn.embeddingLookup(w, [4, 1, 4])));
    const optimizer = new fr.train.AdagradOptimizer(0.1);
    const step = optimizer.minimize(loss);
    return { w, step, saver: new fr.train.Saver(), optimizer };
  });
  const slot = optimizer.getSlot(w, 'accumulator');
  if (slot === null) throw new Error('there is no slot');
  const sess = await fr.Session.create({ graph });
  const directory = mkdtempSync(join(tmpdir(), 'forerun-optimizers-'));
  try {
    await sess.run(graph.asDefault(() => fr.globalVariablesInitializer()));
    await sess.run(step);
    const after = (await sess.run(w)).data;
    TABLE.forEach((row, r) => {
      const times = { 1: 1, 4: 2 }[r] ?? 0;
      row.forEach((x, c) => {
        const g = 2 * times * x;
        expect(after[4 * r + c]).toBeCloseTo(x - (0.1 * g) / Math.sqrt(0.1 + g * g), 5);
      });
    });
    const prefix = await saver.save(sess, join(directory, 'm'));
    const saved = (await sess.run(slot)).toArray();
    await sess.run(step);
    const twice = (await sess.run(w)).toArray();
    await saver.restore(sess, prefix);
    expect((await sess.run(slot)).toArray()).toEqual(saved);
    await sess.run(step);
    expect((await sess.run(w)).toArray()).toEqual(twice);
  } finally {
    rmSync(directory, { recursive: true });
    sess.close();
  }
});

test('L-BFGS minimizes a loss that a session computes', async () => {
  const graph = new fr.Graph();
  const { x, optimizer } = graph.asDefault(() => {
    const x = new fr.Variable([-1.2, 1], { name: 'x' });
    const [a, b] = [fr.gather(x, 0), fr.gather(x, 1)];
    const loss = fr.add(fr.mul(100, fr.square(fr.sub(b, fr.square(a)))), fr.square(fr.sub(1, a)));
    return { x, optimizer: new fr.train.LbfgsOptimizerInterface(loss) };
  });
  const sess = await fr.Session.create({ graph });
  try {
    await sess.run(x.initializer);
    const { loss } = await optimizer.minimize(sess);
    expect(loss).toBeLessThan(1e-5);
    const [a = NaN, b = NaN] = (await sess.run(x)).toArray() as number[];
    expect(a).toBeCloseTo(1, 1);
    expect(b).toBeCloseTo(1, 1);
  } finally {
    sess.close();
  }
});
