/** CTC with dense labels against the sum over all paths, and decoders through their builders. */
import {
  Graph,
  SparseTensor,
  constant,
  ctcBeamSearchDecoder,
  ctcBeamSearchDecoderV2,
  ctcGreedyDecoder,
  gradients,
  placeholder,
  type ValueLike,
} from '@forerun/graph';
import { nn } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

function softmax(row: readonly number[]): number[] {
  const sum = row.reduce((total, x) => total + Math.exp(x), 0);
  return row.map((x) => Math.exp(x) / sum);
}

/** -log of the summed probability of all paths that spell `labels`. */
function lossOf(rows: readonly number[][], labels: readonly number[], blank: number): number {
  const spell = (path: readonly number[]): string =>
    path.filter((k, t) => k !== path[t - 1] && k !== blank).join();
  const walk = (path: readonly number[], p: number): number => {
    const row = rows[path.length];
    if (row === undefined) return spell(path) === labels.join() ? p : 0;
    return softmax(row).reduce((sum, q, k) => sum + walk([...path, k], p * q), 0);
  };
  return -Math.log(walk([], 1));
}

const ITEMS = [
  [
    [0.1, 0.9, -0.4],
    [1.2, 0.3, 0.5],
    [-0.7, 0.2, 0.8],
    [0.4, -0.6, 0.1],
  ],
  [
    [0.5, -0.1, 0.3],
    [0.6, 0.7, -0.2],
    [0.2, 0.2, 0.9],
    [9, 9, 9],
  ],
];

describe('ctcLossV2', () => {
  it.each([
    [
      0,
      [
        [1, 2, 7],
        [2, 7, 7],
      ],
      [[1, 2], [2]],
    ],
    [
      1,
      [
        [0, 2, 7],
        [2, 7, 7],
      ],
      [[0, 2], [2]],
    ],
    [
      -1,
      [
        [0, 0, 7],
        [1, 7, 7],
      ],
      [[0, 0], [1]],
    ],
  ] as [number, number[][], number[][]][])(
    'sums over paths with class %d as blank',
    (blankIndex, labels, spelt) => {
      ReferenceSession.in((session) => {
        const loss = nn.ctcLossV2(labels, constant(ITEMS), [2, 1], [4, 3], {
          blankIndex,
          logitsTimeMajor: false,
        });
        const blank = (blankIndex + 3) % 3;
        const want = ITEMS.map((rows, b) => lossOf(rows.slice(0, 4 - b), spelt[b] ?? [], blank));
        expect(loss.shape.dims).toEqual([2]);
        expectNear(session.get(loss), want, 5);
      });
    },
  );

  it('has the blank at 0 and time first by default', () => {
    ReferenceSession.in((session) => {
      const loss = nn.ctcLossV2([[1]], constant([[[0, 0]], [[0, 0]]]), [1], [2]);
      expectNear(session.get(loss), [-Math.log(3 / 4)]);
    });
  });

  it('takes labels of unknown number, all of them short or none', () => {
    ReferenceSession.in((session) => {
      const labels = placeholder('int64', [null, null]);
      const counts = placeholder('int32', [null]);
      const loss = nn.ctcLossV2(labels, constant(ITEMS), counts, [4, 3], { logitsTimeMajor: false });
      const run = (value: ValueLike, lengths: number[]): number[] =>
        session.get(loss, [
          [labels, value],
          [counts, lengths],
        ]);
      const want = (a: number[], b: number[]): number[] => [
        lossOf(ITEMS[0] ?? [], a, 0),
        lossOf(ITEMS[1]?.slice(0, 3) ?? [], b, 0),
      ];
      expectNear(run([[9], [9]], [0, 0]), want([], []), 5);
      expectNear(
        run(
          [
            [2, 1],
            [1, 2],
          ],
          [1, 2],
        ),
        want([2], [1, 2]),
        5,
      );
    });
  });

  it('takes sparse labels with a blank', () => {
    ReferenceSession.in((session) => {
      const indices = [
        [0, 0],
        [0, 1],
        [1, 0],
      ];
      const labels = new SparseTensor(indices, constant([0, 2, 2], { dtype: 'int32' }), [2, 2]);
      const options = { blankIndex: 1, logitsTimeMajor: false };
      const loss = nn.ctcLossV2(labels, constant(ITEMS), null, [4, 3], options);
      const want = [lossOf(ITEMS[0] ?? [], [0, 2], 1), lossOf(ITEMS[1]?.slice(0, 3) ?? [], [2], 1)];
      expectNear(session.get(loss), want, 5);
    });
  });

  it('sends its gradient to the logits, zeros past the length', () => {
    ReferenceSession.in((session) => {
      const x = constant(ITEMS);
      const loss = (logits: ReturnType<typeof constant>) =>
        nn.ctcLossV2(
          [
            [1, 2],
            [2, 1],
          ],
          logits,
          [2, 1],
          [4, 3],
          { logitsTimeMajor: false },
        );
      const [grad] = gradients(loss(x), [x]);
      if (!grad || !('op' in grad)) throw new Error('a gradient is wanted');
      const got = session.get(grad);
      const moved = (h: number): number[][] =>
        (ITEMS[0] ?? []).map((row, t) => (t === 1 ? row.map((v, k) => (k === 2 ? v + h : v)) : row));
      const slope = (lossOf(moved(1e-4), [1, 2], 0) - lossOf(moved(-1e-4), [1, 2], 0)) / 2e-4;
      expect(got[5]).toBeCloseTo(slope, 5);
      expect(got.slice(21)).toEqual([0, 0, 0]);
    });
  });

  it('refuses what does not fit', () => {
    new Graph().asDefault(() => {
      const x = constant(ITEMS);
      const sparse = new SparseTensor([[0, 0]], constant([1], { dtype: 'int32' }), [2, 1]);
      expect(() => nn.ctcLossV2(sparse, x, null, [4, 3])).toThrow('sparse labels need a blankIndex');
      expect(() => nn.ctcLossV2([[1]], x, null, [4, 3])).toThrow('dense labels need a labelLength');
      expect(() => nn.ctcLossV2([[1]], x, [1], [4, 3], { blankIndex: 3 })).toThrow(
        'blankIndex 3 is no class',
      );
      expect(() => nn.ctcLossV2([1], x, [1], [4, 3])).toThrow('labels must have rank 2');
      expect(() => nn.ctcLossV2([[1]], constant([[1, 2]]), [1], [1])).toThrow('logits must have rank 3');
    });
  });
});

describe('decoders', () => {
  const byTime = (): ReturnType<typeof constant> =>
    constant([0, 1, 2, 3].map((t) => ITEMS.map((rows) => rows[t] ?? [])));

  it('ctcGreedyDecoder takes the likeliest classes', () => {
    ReferenceSession.in((session) => {
      const [[labels], score] = ctcGreedyDecoder(byTime(), [4, 3]);
      if (labels === undefined) throw new Error('labels are wanted');
      expect(session.get(labels.values)).toEqual([1, 0, 0, 0, 1]);
      expect(session.get(labels.indices)).toEqual([0, 0, 0, 1, 0, 2, 1, 0, 1, 1]);
      expect(session.get(labels.denseShape)).toEqual([2, 3]);
      expectNear(session.get(score), [-(0.9 + 1.2 + 0.8 + 0.4), -(0.5 + 0.7 + 0.9)]);
    });
  });

  it('ctcBeamSearchDecoder gives the sequences with the least loss', () => {
    ReferenceSession.in((session) => {
      const [paths, scores] = ctcBeamSearchDecoderV2(byTime(), [4, 3], { topPaths: 2 });
      expect(paths.length).toBe(2);
      const found = paths.map((path) => {
        const [indices, values] = session.run([path.indices, path.values]);
        return [0, 1].map((b) => values?.filter((_, n) => indices?.[2 * n] === b) ?? []);
      });
      const want = [0, 1].flatMap((b) =>
        [0, 1].map((p) => -lossOf(ITEMS[b]?.slice(0, 4 - b) ?? [], found[p]?.[b] ?? [], 2)),
      );
      const got = session.get(scores);
      expectNear(got, want, 5);
      expect(got[0]).toBeGreaterThan(got[1] ?? NaN);
    });
  });

  it('refuses more sequences than there are', () => {
    new Graph().asDefault(() => {
      const one = constant([[[0, 0]]]);
      expect(() => ctcBeamSearchDecoder(one, [1], { beamWidth: 1, topPaths: 2 })).toThrow(
        'top_paths is 2, more than the beam_width 1',
      );
      expect(() => ctcGreedyDecoder(one, [2])).toThrow('sequence_length must be in [0, 1], got 2');
    });
  });
});
