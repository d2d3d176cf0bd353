/** Loops over time on the device: sizes that only feeds tell, draws in every step, training. */
import {
  Graph,
  fill,
  globalVariablesInitializer,
  placeholder,
  reduceMean,
  setRandomSeed,
  square,
  sub,
} from '@forerun/graph';
import { GradientDescentOptimizer, nn, rnnCell } from '@forerun/layers';
import { Session } from '@forerun/session';

/** Runs `use` with a session on a new graph. */
async function inSession<T>(build: () => T, use: (sess: Session, built: T) => Promise<void>): Promise<void> {
  const graph = new Graph();
  const [built, init] = graph.asDefault(() => [build(), globalVariablesInitializer()] as const);
  const sess = await Session.create({ graph });
  try {
    await sess.run(init);
    await use(sess, built);
  } finally {
    sess.close();
  }
}

describe('dynamicRnn on the device', () => {
  it('takes batches, times and lengths as they are fed', async () => {
    const build = () => {
      const x = placeholder('float32', [null, null, 2]);
      const lengths = placeholder('int32', [null]);
      const cell = new rnnCell.GRUCell(3);
      const [ys, state] = nn.dynamicRnn(cell, x, { dtype: 'float32', sequenceLength: lengths });
      return { x, lengths, ys, state };
    };
    await inSession(build, async (sess, { x, lengths, ys, state }) => {
      for (const [batch, time] of [
        [1, 1],
        [3, 4],
        [2, 6],
      ] as const) {
        const fed = Array.from({ length: batch }, (_, b) =>
          Array.from({ length: time }, (_, t) => [b + 1, t]),
        );
        const ends = fed.map((_, b) => Math.min(b + 1, time));
        const got = await sess.run({ ys, state }, [
          [x, fed],
          [lengths, ends],
        ]);
        expect(got.ys.shape).toEqual([batch, time, 3]);
        ends.forEach((end, b) => {
          const row = (t: number): number[] =>
            Array.from(got.ys.data.slice(3 * (b * time + t), 3 * (b * time + t + 1)), Number);
          expect(row(end - 1)).toEqual(Array.from(got.state.data.slice(3 * b, 3 * b + 3), Number));
          expect(row(end - 1)).not.toEqual([0, 0, 0]);
          if (end < time) expect(row(end)).toEqual([0, 0, 0]);
        });
      }
    });
  });

  it('draws anew in every step', async () => {
    const build = () => {
      const cell = new rnnCell.DropoutWrapper(new rnnCell.GRUCell(16), { outputKeepProb: 0.5, seed: 3 });
      return nn.dynamicRnn(cell, fill([1, 4, 2], 1), { dtype: 'float32' })[0];
    };
    await inSession(build, async (sess, ys) => {
      const { data } = await sess.run(ys);
      const kept = [0, 1, 2, 3].map((t) =>
        Array.from(data.slice(16 * t, 16 * t + 16), Number).map((v) => v !== 0),
      );
      expect(new Set(kept.map((row) => row.join())).size).toBeGreaterThan(1);
    });
  });

  it('learns to count', async () => {
    const build = () => {
      setRandomSeed(5);
      const x = placeholder('float32', [4, 5, 1]);
      const want = placeholder('float32', [4, 1]);
      const cell = new rnnCell.BasicRNNCell(1, { activation: (z) => z });
      const [, state] = nn.dynamicRnn(cell, x, { dtype: 'float32' });
      const loss = reduceMean(square(sub(state, want)));
      return { x, want, loss, train: new GradientDescentOptimizer(0.01).minimize(loss) };
    };
    await inSession(build, async (sess, { x, want, loss, train }) => {
      const rows = [
        [1, 0, 0, 1, 0],
        [1, 1, 0, 1, 0],
        [0, 0, 0, 0, 1],
        [0, 1, 0, 0, 0],
      ];
      const feeds = [
        [x, rows.map((row) => row.map((v) => [v]))],
        [want, rows.map((row) => [row.reduce((a, b) => a + b, 0)])],
      ] as const;
      const first = (await sess.run(loss, feeds)).item();
      for (let step = 0; step < 60; step++) await sess.run(train, feeds);
      expect((await sess.run(loss, feeds)).item()).toBeLessThan(first / 4);
    });
  });
});
