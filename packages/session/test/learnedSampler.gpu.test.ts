/** `learnedUnigramCandidateSampler`: draws by what was true before, in state that the session keeps. */
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

let graph: fr.Graph;
let sess: Session;

beforeEach(async () => {
  graph = new fr.Graph();
  sess = await Session.create({ graph });
});

afterEach(() => sess.close());

function build(numSampled: number, unique: boolean, range: number) {
  return graph.asDefault(() => {
    const classes = fr.placeholder('int64', [null, 2]);
    return {
      classes,
      sampler: fr.learnedUnigramCandidateSampler(classes, 2, numSampled, unique, range, { seed: 3 }),
    };
  });
}

test('every class begins with weight 1, and gets 1 more each time that it is true', async () => {
  const { classes, sampler } = build(40, false, 4);
  const [drawn, expected, own] = sampler;
  const first = await sess.run([drawn, expected, own], new Map([[classes, [[1, 1]]]]));
  const ids = first[0].toArray() as number[];
  expect(new Set(ids)).toEqual(new Set([0, 1, 2, 3]));
  expect(first[1].toArray()).toEqual([[10, 10]]);
  expect(new Set(first[2].toArray() as number[])).toEqual(new Set([10]));
  // 40 samples, weights 1, 3, 1, 1
  const second = await sess.run([expected], new Map([[classes, [[1, 2]]]]));
  const [[one, two]] = second[0].toArray() as [[number, number]];
  expect(one).toBeCloseTo(20, 5);
  expect(two).toBeCloseTo(40 / 6, 5);
});

test('classes that were often true are drawn often, by the same seed the same', async () => {
  const { classes, sampler } = build(200, false, 8);
  const rows = Array.from({ length: 300 }, () => [5, 5]);
  await sess.run(sampler[0], new Map([[classes, rows]]));
  const drawn = (await sess.run(sampler[0], new Map([[classes, [[0, 0]]]]))).toArray() as number[];
  // 601 of 608 are class 5
  expect(drawn.filter((id) => id === 5).length).toBeGreaterThan(180);
  const again = await Session.create({ graph });
  await again.run(sampler[0], new Map([[classes, rows]]));
  expect((await again.run(sampler[0], new Map([[classes, [[0, 0]]]]))).toArray()).toEqual(drawn);
  again.close();
});

test('unique classes differ, and are expected with the chance of being among them', async () => {
  const { classes, sampler } = build(4, true, 4);
  const [ids, expected] = await sess.run([sampler[0], sampler[1]], new Map([[classes, [[0, 3]]]]));
  expect([...(ids.toArray() as number[])].sort()).toEqual([0, 1, 2, 3]);
  const [[a, b]] = expected.toArray() as [[number, number]];
  expect(a).toBe(b);
  expect(a).toBeGreaterThan(0.6);
  expect(a).toBeLessThanOrEqual(1);
});

test('a class out of range is refused, and the session goes on', async () => {
  const { classes, sampler } = build(2, false, 4);
  await expect(sess.run(sampler[0], new Map([[classes, [[0, 4]]]]))).rejects.toThrow(
    /LearnedUnigramCandidateSampler ".*": class 4 is out of range \[0, 4\)/,
  );
  expect((await sess.run(sampler[1], new Map([[classes, [[0, 3]]]]))).toArray()).toEqual([[0.5, 0.5]]);
});
