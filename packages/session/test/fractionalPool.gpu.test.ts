/** Fractional pools: which windows are drawn, what is pooled in them, and that training goes through. */
import {
  Graph,
  fractionalAvgPool,
  fractionalMaxPool,
  gradients,
  placeholder,
  square,
  toHostValue,
  TensorValue,
  type FractionalPoolOptions,
} from '@forerun/graph';
import { Random, expectClose, interpret } from '@forerun/testing';
import { Session } from '../src/index.js';

const [HEIGHT, WIDTH] = [9, 12];
const RATIO = [1, 1.6, 2.5, 1];
const images = new TensorValue(
  'float32',
  [2, HEIGHT, WIDTH, 2],
  Float32Array.from(new Random(3).array(2 * HEIGHT * WIDTH * 2)),
);

const OPTIONS: readonly FractionalPoolOptions[] = [
  {},
  { overlapping: true },
  { pseudoRandom: true },
  { pseudoRandom: true, overlapping: true, deterministic: true },
];

it.each(OPTIONS)('pools the windows that it tells of: %j', async (options) => {
  const graph = new Graph();
  const { x, fetches } = graph.asDefault(() => {
    const fed = placeholder('float32', [null, null, null, 2]);
    const [average, largest] = [
      fractionalAvgPool(fed, RATIO, { seed: 1, ...options }),
      fractionalMaxPool(fed, RATIO, { seed: 1, ...options }),
    ];
    const [da, dm] = gradients([average.output, largest.output], [fed]).concat(
      gradients(largest.output, [fed]),
    );
    if (!da || !dm) throw new Error('there is no gradient');
    return { x: fed, fetches: { average, largest, dm } };
  });
  const sess = await Session.create({ graph });
  const seen = new Set<string>();
  for (let run = 0; run < 3; run++) {
    const { average, largest, dm } = await sess.run(fetches, [[x, images]]);
    for (const [pool, value] of [
      ['mean', average],
      ['max', largest],
    ] as const) {
      const [rows, columns] = [value.rowPoolingSequence, value.colPoolingSequence].map(({ data }) =>
        Array.from(data, Number),
      ) as [number[], number[]];
      expectSequence(rows, HEIGHT, 5);
      expectSequence(columns, WIDTH, 4);
      expect(value.output.shape).toEqual([2, 5, 4, 2]);
      const want = pooledValues(rows, columns, options.overlapping === true, pool);
      want.forEach((v, i) => expect(value.output.data[i]).toBeCloseTo(v, 5));
      seen.add(`${pool} ${rows.join()} ${columns.join()}`);
    }
    // every pooled element gives 1 to one element
    expect(Array.from(dm.data, Number).reduce((a, b) => a + b, 0)).toBe(2 * 5 * 4 * 2);
  }
  if (options.deterministic === true) expect(seen.size).toBe(2);
  else expect(seen.size).toBeGreaterThan(2);
  sess.close();
});

it.each([
  ['mean', fractionalAvgPool],
  ['max', fractionalMaxPool],
])('%s: gradients of both orders where the sizes are known to the run alone', async (_, pool) => {
  const graph = new Graph();
  const { x, fetches } = graph.asDefault(() => {
    const fed = placeholder('float32', [null, null, null, null]);
    const { output } = pool(fed, RATIO, { seed: 1, deterministic: true });
    const [first] = gradients(square(output), fed);
    const [second] = first ? gradients(square(first), fed) : [];
    if (!first || !second) throw new Error('there is no gradient');
    return { x: fed, fetches: [first, second] };
  });
  const sess = await Session.create({ graph });
  const got = await sess.run(fetches, [[x, images]]);
  const point = {
    dtype: 'float32',
    shape: images.shape,
    data: Float64Array.from(images.data, Number),
  } as const;
  interpret(fetches, new Map([[x, point]])).forEach((want, i) => {
    const result = got[i] === undefined ? null : toHostValue(got[i]);
    if (result === null) throw new Error('a fetch has no numbers');
    expectClose(result, want, { rtol: 1e-4, atol: 1e-5 });
  });
  sess.close();
});

it('refuses ratios that pool the batch or nothing', () => {
  new Graph().asDefault(() => {
    const x = placeholder('float32', [1, 4, 4, 1]);
    expect(() => fractionalMaxPool(x, [2, 1.5, 1.5, 1])).toThrow(
      /pooling_ratio must be \[1, rows, columns, 1\], each 1 or more, got \[2,1.5,1.5,1\]/,
    );
    expect(() => fractionalAvgPool(x, [1, 0.5, 1.5, 1])).toThrow(/each 1 or more/);
    expect(() => fractionalAvgPool(x, [1, 5, 1.5, 1])).toThrow(
      /pooling_ratio 5 leaves nothing of 4 elements/,
    );
  });
});

/** From 0 to the size, in steps of two neighbouring lengths. */
function expectSequence(places: readonly number[], size: number, windows: number): void {
  expect(places).toHaveLength(windows + 1);
  expect([places[0], places.at(-1)]).toEqual([0, size]);
  const short = Math.floor(size / windows);
  places.slice(1).forEach((place, i) => expect([short, short + 1]).toContain(place - (places[i] ?? NaN)));
}

function pooledValues(
  rows: readonly number[],
  columns: readonly number[],
  overlapping: boolean,
  pool: 'mean' | 'max',
): number[] {
  const end = (next: number, size: number): number => Math.min(overlapping ? next : next - 1, size - 1);
  const result: number[] = [];
  for (let b = 0; b < 2; b++) {
    for (let r = 0; r + 1 < rows.length; r++) {
      for (let s = 0; s + 1 < columns.length; s++) {
        for (let c = 0; c < 2; c++) {
          const inside: number[] = [];
          for (let y = rows[r] ?? 0; y <= end(rows[r + 1] ?? 0, HEIGHT); y++) {
            for (let x = columns[s] ?? 0; x <= end(columns[s + 1] ?? 0, WIDTH); x++) {
              inside.push(Number(images.data[((b * HEIGHT + y) * WIDTH + x) * 2 + c]));
            }
          }
          const sum = inside.reduce((a, v) => a + v, 0);
          result.push(pool === 'max' ? Math.max(...inside) : sum / inside.length);
        }
      }
    }
  }
  return result;
}
