/** Rows of variables read and updated in a session: resource variables, and reference variables of older files. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

const { builders: ops } = fr;

test('rows of a variable are updated in place, read, and differentiated', async () => {
  const graph = new fr.Graph();
  const made = graph.asDefault(() => {
    const w = new fr.Variable(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { name: 'w' },
    );
    const rows = w.sparseRead([2, 0, 2]);
    return {
      init: w.initializer,
      rows,
      parts: w.gatherNd([
        [0, 1],
        [1, 0],
      ]),
      grad: fr.gradients(ops.square(rows), w)[0] ?? rows,
      add: w.scatterAdd({
        indices: [2, 2],
        values: [
          [1, 1],
          [10, 10],
        ],
      }),
      effect: ops.scatterNdUpdate(w, [[0, 1]], [9], { readValue: false }),
      value: w.readValue(),
    };
  });
  const sess = await Session.create({ graph });
  await sess.run(made.init);
  expect((await sess.run(made.rows)).toArray()).toEqual([
    [5, 6],
    [1, 2],
    [5, 6],
  ]);
  expect((await sess.run(made.parts)).toArray()).toEqual([2, 3]);
  // d sum(x²) = 2x for each time that a row was read
  expect((await sess.run(made.grad)).toArray()).toEqual([
    [2, 4],
    [0, 0],
    [20, 24],
  ]);
  expect((await sess.run(made.add)).toArray()).toEqual([
    [1, 2],
    [3, 4],
    [16, 17],
  ]);
  await sess.run(made.effect);
  expect((await sess.run(made.value)).toArray()).toEqual([
    [1, 9],
    [3, 4],
    [16, 17],
  ]);
  sess.close();
});

test('updates of rows of a reference variable are seen through the reference', async () => {
  const graph = new fr.Graph();
  const { init, after, tooWide } = graph.asDefault(() => {
    const attrs = { shape: new fr.TensorShape([3]), dtype: 'float32' };
    const ref = graph.createOp({ type: 'VariableV2', name: 'w', attrs }).output(0);
    const any = ops.placeholder('float32', null, { name: 'any' });
    return {
      init: ops.assign(ref, [1, 2, 3]),
      after: ops.identity(ops.scatterSub(ref, [0, 2, 0], [1, 1, 1])),
      tooWide: ops.identity(ops.scatterAdd(ref, [0], any)),
    };
  });
  const sess = await Session.create({ graph });
  await sess.run(init);
  expect((await sess.run(after)).toArray()).toEqual([-1, 2, 2]);
  await expect(sess.run(tooWide, { any: [1, 2] })).rejects.toThrow(
    /updates must be a scalar or have shape \[1\], got \[2\]/,
  );
  sess.close();
});
