/** Images in a session: sizes and selections that follow from values, and random changes that differ by run. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let sess: Session;

async function open(): Promise<Session> {
  sess = await Session.create();
  return sess;
}

const numbers = ({ data }: fr.TensorValue): number[] => Array.from(data as Float32Array);

beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

test('boxes that the device computes are selected, and what is selected goes on', async () => {
  const scores = fr.placeholder('float32', [null], { name: 'scores' });
  const boxes = fr.placeholder('float32', [null, 4], { name: 'boxes' });
  const moved = fr.mul(boxes, 2);
  const kept = fr.nonMaxSuppression(moved, fr.sqrt(scores), 10, { iouThreshold: 0.5 });
  const result = fr.add(fr.gather(moved, kept), 1);
  await open();
  const square = [0, 0, 1, 1];
  for (const [feed, expected] of [
    [
      [0.25, 0.5, 0.125],
      [1, 2],
    ],
    [
      [0.5, 0.25, 0.125],
      [0, 2],
    ],
  ] as const) {
    const feeds = { scores: [...feed], boxes: [square, [0, 0, 1, 0.75], [3, 3, 4, 4]] };
    const run = await sess.run({ kept, result }, feeds);
    expect(run.kept.toArray()).toEqual([...expected]);
    expect(run.result.shape).toEqual([2, 4]);
    expect(numbers(run.result).slice(4)).toEqual([7, 7, 9, 9]);
  }
  const none = await sess.run(kept, {
    scores: [],
    boxes: new fr.TensorValue('float32', [0, 4], new Float32Array()),
  });
  expect(none.toArray()).toEqual([]);
});

test('images of any size are brought to one, and back', async () => {
  const image = fr.placeholder('uint8', [null, null, 3], { name: 'image' });
  const fitted = fr.resizeImageWithPad(image, 4, 4);
  const cropped = fr.resizeImageWithCropOrPad(image, 3, 3);
  await open();
  for (const [h, w] of [
    [2, 4],
    [8, 8],
    [5, 2],
  ] as const) {
    const value = new fr.TensorValue('uint8', [h, w, 3], new Uint8Array(h * w * 3).fill(9));
    const run = await sess.run({ fitted, cropped }, { image: value });
    expect([run.fitted.shape, run.cropped.shape]).toEqual([[4, 4, 3], [3, 3, 3]]); // prettier-ignore
    expect(Math.max(...numbers(run.fitted))).toBeCloseTo(9, 5);
  }
});

test('random crops share one plan and differ from run to run', async () => {
  const x = fr.placeholder('float32', [8, 8], { name: 'x' });
  const crop = fr.randomCrop(x, [2, 8], { seed: 3 });
  const [begin, size] = fr.sampleDistortedBoundingBox([32, 32, 3], [[[0, 0, 1, 1]]], { seed: 4 });
  await open();
  const values = Array.from({ length: 8 }, (_, i) => new Array<number>(8).fill(i));
  const rows = new Set<number>();
  const parts = new Set<string>();
  for (let k = 0; k < 12; k++) {
    const run = await sess.run({ crop, begin, size }, { x: values });
    const [first = -1, last = -1] = [run.crop.data[0], run.crop.data[15]].map(Number);
    expect(last).toBe(first + 1);
    rows.add(first);
    parts.add([run.begin.toArray(), run.size.toArray()].join());
  }
  expect(rows.size).toBeGreaterThan(2);
  expect(parts.size).toBeGreaterThan(6);
});

test('resizing learns', async () => {
  const x = fr.placeholder('float32', [1, 4, 4, 1], { name: 'x' });
  const small = fr.resizeImages(x, [2, 2], { alignCorners: true });
  const [dx] = fr.gradients(fr.reduceSum(fr.square(small)), x);
  await open();
  if (dx === null || dx === undefined) throw new Error('there is no gradient');
  const values = Array.from({ length: 16 }, (_, i) => i);
  const gradient = await sess.run(dx, {
    x: new fr.TensorValue('float32', [1, 4, 4, 1], Float32Array.from(values)),
  });
  // the corners, 0, 3, 12 and 15, and nothing else
  const expected = values.map((v) => ([0, 3, 12, 15].includes(v) ? 2 * v : 0));
  expect(numbers(gradient)).toEqual(expected);
});

test.each([true, false])('glimpses beyond an image are noise, uniform: %s', async (uniformNoise) => {
  const x = fr.placeholder('float32', [null, 6, 6, 1], { name: 'x' });
  const glimpse = fr.extractGlimpse(x, [20, 20], [[0, 0]], { uniformNoise });
  const session = await open();
  const image = Float32Array.from({ length: 36 }, (_, i) => 3 + i / 36);
  const feeds = { x: new fr.TensorValue('float32', [1, 6, 6, 1], image) };
  const [a, b] = [await session.run(glimpse, feeds), await session.run(glimpse, feeds)].map(({ data }) =>
    Array.from(data, Number),
  ) as [number[], number[]];
  const inside = (i: number): boolean => [Math.floor(i / 20), i % 20].every((k) => k >= 7 && k < 13);
  expect(a.filter((_, i) => inside(i))).toEqual(Array.from(image));
  const noise = a.filter((_, i) => !inside(i));
  expect(noise).not.toEqual(b.filter((_, i) => !inside(i)));
  const mean = noise.reduce((sum, v) => sum + v, 0) / noise.length;
  expect(Math.abs(mean - 3.49)).toBeLessThan(0.1);
  expect(noise.every((v) => v >= 3 && v <= 4)).toBe(uniformNoise);
});
