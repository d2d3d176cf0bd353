/** Measures and random changes of images, and selections of boxes, through the builders. */
import {
  combinedNonMaxSuppression,
  constant,
  drawBoundingBoxes,
  gradients,
  imageGradients,
  nonMaxSuppression,
  nonMaxSuppressionOverlaps,
  nonMaxSuppressionPadded,
  nonMaxSuppressionWithScores,
  placeholder,
  psnr,
  randomBrightness,
  randomContrast,
  randomCrop,
  randomFlipLeftRight,
  randomFlipUpDown,
  randomHue,
  randomSaturation,
  resetDefaultGraph,
  sobelEdges,
  ssim,
  ssimMultiscale,
  totalVariation,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { Random, interpret } from '@forerun/testing';

beforeEach(resetDefaultGraph);

const run = (tensor: Tensor): HostValue => {
  const [value] = interpret([tensor]);
  if (value === undefined) throw new Error('nothing was computed');
  return value;
};
const elements = (tensor: Tensor): number[] => Array.from(run(tensor).data);
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** Random images with values between 0 and 1. */
function pictures(shape: number[], seed: number): number[] {
  return [
    ...new Random(seed).array(
      shape.reduce((a, b) => a * b, 1),
      0,
      1,
    ),
  ];
}

describe('slopes', () => {
  it('of neighbouring pixels', () => {
    const x = constant([1, 4, 2, 9], { shape: [1, 2, 2, 1] });
    expect(elements(totalVariation(x))).toEqual([1 + 5 + 3 + 7]);
    expect(
      run(
        totalVariation(
          constant([
            [[1], [3]],
            [[0], [0]],
          ]),
        ),
      ).shape,
    ).toEqual([]);
    const [dy, dx] = imageGradients(x);
    expect(elements(dy)).toEqual([1, 5, 0, 0]);
    expect(elements(dx)).toEqual([3, 0, 7, 0]);
    expect(() => imageGradients(constant([[[1]]]))).toThrow(/images must be \[batch, height, width, depth\]/);
    expect(() => totalVariation(constant([1]))).toThrow(/totalVariation: an image has 3 dimensions/);
  });

  it('by Sobel, for each channel', () => {
    const ramp = count(9).flatMap((i) => [i % 3, 10 * Math.floor(i / 3)]);
    const edges = run(sobelEdges(constant(ramp, { shape: [1, 3, 3, 2] })));
    expect(edges.shape).toEqual([1, 3, 3, 2, 2]);
    // the middle pixel: [down, right] of both channels
    expect(Array.from(edges.data.slice(16, 20))).toEqual([0, 8, 80, 0]);
    // mirrored borders have no slope across them
    expect(Array.from(edges.data.slice(0, 4))).toEqual([0, 0, 0, 0]);
  });
});

/** Similarity of planes by its definition, in plain loops over every window. */
function plainSsim(a: number[], b: number[], side: number, n: number): [whole: number, contrast: number] {
  const bell = count(n * n).map((i) => {
    const [y, x] = [Math.floor(i / n) - (n - 1) / 2, (i % n) - (n - 1) / 2];
    return Math.exp(-(y * y + x * x) / (2 * 1.5 ** 2));
  });
  const total = bell.reduce((sum, w) => sum + w, 0);
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  let [whole, contrast] = [0, 0];
  const places = (side - n + 1) ** 2;
  for (let top = 0; top + n <= side; top++) {
    for (let left = 0; left + n <= side; left++) {
      const mean = (of: (i: number) => number): number =>
        bell.reduce(
          (sum, w, k) => sum + (w / total) * of((top + Math.floor(k / n)) * side + left + (k % n)),
          0,
        );
      const [x, y] = [(i: number) => a[i] ?? 0, (i: number) => b[i] ?? 0];
      const [mx, my] = [mean(x), mean(y)];
      const covariance = mean((i) => (x(i) - mx) * (y(i) - my));
      const variances = mean((i) => (x(i) - mx) ** 2) + mean((i) => (y(i) - my) ** 2);
      const structure = (2 * covariance + c2) / (variances + c2);
      contrast += structure / places;
      whole += ((2 * mx * my + c1) / (mx * mx + my * my + c1)) * (structure / places);
    }
  }
  return [whole, contrast];
}

describe('likeness', () => {
  it('is the ratio of peak and noise', () => {
    const [a, b] = [
      constant([0, 0, 0, 0], { shape: [2, 1, 2, 1] }),
      constant([1, 1, 2, 2], { shape: [2, 1, 2, 1] }),
    ];
    const [first = NaN, second = NaN] = elements(psnr(a, b, 10));
    expect(first).toBeCloseTo(20, 5);
    expect(second).toBeCloseTo(10 * Math.log10(25), 5);
    const bytes = (value: number): Tensor => constant([value], { dtype: 'uint8', shape: [1, 1, 1] });
    expect(elements(psnr(bytes(0), bytes(51), 255))[0]).toBeCloseTo(20 * Math.log10(5), 5);
    expect(() => psnr(a, constant([[[1]]]), 1)).toThrow(/of one size, got \[2,1,2,1\] and \[1,1,1\]/);
  });

  it('is 1 for equal images and as defined for others', () => {
    const shape = [2, 8, 8, 2];
    const [a, b] = [pictures(shape, 1), pictures(shape, 2)];
    const [x, y] = [constant(a, { shape }), constant(b, { shape })];
    elements(ssim(x, x, 1, { filterSize: 5 })).forEach((value) => {
      expect(value).toBeCloseTo(1, 6);
    });
    const plane = (values: number[], image: number, channel: number): number[] =>
      count(64).map((i) => values[(image * 64 + i) * 2 + channel] ?? 0);
    const expected = [0, 1].map(
      (image) =>
        [0, 1].reduce((sum, k) => sum + plainSsim(plane(a, image, k), plane(b, image, k), 8, 5)[0], 0) / 2,
    );
    elements(ssim(x, y, 1, { filterSize: 5 })).forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] ?? NaN, 6);
    });
    expect(run(ssim(constant(a.slice(0, 64), { shape: [8, 8, 1] }), constant(b.slice(0, 64), { shape: [8, 8, 1] }), 1, { filterSize: 3 })).shape).toEqual([]); // prettier-ignore
    expect(() => ssim(x, y, 1, { filterSize: 0 })).toThrow(/filterSize must be a positive integer, got 0/);
  });

  it('multiplies over scales', () => {
    const shape = [1, 9, 9, 1];
    const a = pictures(shape, 3);
    const b = a.map((value, i) => value * 0.9 + 0.1 * (pictures(shape, 4)[i] ?? 0));
    const half = (image: number[]): number[] =>
      count(25).map((i) => {
        const [y, x] = [2 * Math.floor(i / 5), 2 * (i % 5)];
        const at = (r: number, k: number): number => image[Math.min(r, 8) * 9 + Math.min(k, 8)] ?? 0;
        return (at(y, x) + at(y, x + 1) + at(y + 1, x) + at(y + 1, x + 1)) / 4;
      });
    const fine = plainSsim(a, b, 9, 3)[1];
    const coarse = plainSsim(half(a), half(b), 5, 3)[0];
    const options = { filterSize: 3, powerFactors: [0.4, 0.6] };
    const result = ssimMultiscale(constant(a, { shape }), constant(b, { shape }), 1, options);
    expect(elements(result)[0]).toBeCloseTo(fine ** 0.4 * coarse ** 0.6, 6);
    const open = placeholder('float32', [1, null, null, 1]);
    const value = run(constant(a, { shape }));
    const atRun = ssimMultiscale(open, constant(b, { shape }), 1, options);
    const fed = interpret([atRun], new Map([[open, value]]));
    expect(fed[0]?.data[0]).toBeCloseTo(fine ** 0.4 * coarse ** 0.6, 6);
  });
});

describe('random changes', () => {
  const image = (): Tensor => constant(count(12), { shape: [2, 2, 3] });

  it('mirror or do not, each image by itself', () => {
    const [one, other] = [count(12).join(), [3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8].join()];
    const seen = new Set(count(8).map((seed) => elements(randomFlipLeftRight(image(), { seed })).join()));
    expect([...seen].sort()).toEqual([one, other].sort());
    const batch = constant(count(64), { shape: [32, 2, 1, 1] });
    const rows = elements(randomFlipUpDown(batch, { seed: 5 }));
    const mirrored = count(32).filter((i) => rows[2 * i] === 2 * i + 1);
    expect(mirrored.length).toBeGreaterThan(6);
    expect(mirrored.length).toBeLessThan(26);
    expect(elements(randomFlipUpDown(batch, { seed: 5 }))).toEqual(rows);
    expect(() => randomFlipLeftRight(constant([1]))).toThrow(/an image has 3 dimensions/);
  });

  it('adjust within their bounds', () => {
    const grey = (): Tensor => constant([0.5, 0.25, 0.75], { shape: [1, 1, 3] });
    const brighter = elements(randomBrightness(grey(), 0.2, { seed: 1 }));
    expect(Math.abs((brighter[0] ?? 9) - 0.5)).toBeLessThanOrEqual(0.2);
    expect((brighter[2] ?? 9) - (brighter[0] ?? 0)).toBeCloseTo(0.25, 6);
    const two = constant([0, 1], { shape: [2, 1, 1] });
    const [low = 9, high = 9] = elements(randomContrast(two, 0.5, 0.75, { seed: 1 }));
    expect(high - low).toBeGreaterThanOrEqual(0.5);
    expect(high - low).toBeLessThan(0.75);
    expect(Math.max(...elements(randomHue(grey(), 0.1, { seed: 1 })))).toBeCloseTo(0.75, 6);
    expect(Math.max(...elements(randomSaturation(grey(), 0.1, 0.9, { seed: 1 })))).toBeCloseTo(0.75, 6);
  });

  it('refuse bounds that make no sense', () => {
    expect(() => randomBrightness(image(), -1)).toThrow(/maxDelta must not be negative, got -1/);
    expect(() => randomContrast(image(), 1, 1)).toThrow(/upper must be above lower, got 1 and 1/);
    expect(() => randomSaturation(image(), -1, 1)).toThrow(/lower must not be negative, got -1/);
    expect(() => randomHue(image(), 0.6)).toThrow(/between 0 and 0.5, got 0.6/);
  });

  it('crop at any place, and never outside', () => {
    const x = constant(count(20), { shape: [4, 5] });
    const places = new Set<number>();
    for (const seed of count(40)) {
      const [first = -1, ...rest] = elements(randomCrop(x, [2, 5], { seed }));
      expect(rest).toEqual(count(9).map((i) => first + i + 1));
      places.add(first);
    }
    expect([...places].sort((a, b) => a - b)).toEqual([0, 5, 10]);
    const open = placeholder('float32', [null, 3]);
    expect(randomCrop(open, [2, 3]).shape.toString()).toBe('[2,3]');
    expect(gradients(randomCrop(x, [2, 2], { seed: 3 }), x)[0]?.shape.toString()).toBe('[4,5]');
    expect(() => randomCrop(x, [5, 5])).toThrow(/a part of size 5 does not fit dimension 0 of shape \[4,5\]/);
    expect(() => randomCrop(x, [5])).toThrow(/size has 1 numbers for a value of shape \[4,5\]/);
  });
});

describe('boxes', () => {
  const boxes = [[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]]; // prettier-ignore

  it('are selected', () => {
    expect(elements(nonMaxSuppression(boxes, [0.5, 0.8, 0.1], 3))).toEqual([1, 2]);
    expect(elements(nonMaxSuppression(boxes, [0.5, 0.8, 0.1], 3, { iouThreshold: 0.95 }))).toEqual([1, 0, 2]);
    expect(elements(nonMaxSuppression(boxes, [0.5, 0.8, 0.1], 3, { scoreThreshold: 0.2 }))).toEqual([1]);
    const [padded, valid] = nonMaxSuppressionPadded(boxes, [0.5, 0.8, 0.1], 4, { padToMaxOutputSize: true });
    expect([padded.shape.toString(), elements(padded), elements(valid)]).toEqual(['[4]', [1, 2, 0, 0], [2]]);
    const [soft, scores] = nonMaxSuppressionWithScores(boxes, [0.5, 0.8, 0.1], 3, {
      iouThreshold: 1,
      softNmsSigma: 0.5,
    });
    expect(elements(soft)).toEqual([1, 0, 2]);
    expect(elements(scores)[1]).toBeCloseTo(0.5 * Math.exp(-(0.9 ** 2)), 5);
  });

  it('are selected by overlaps that are given', () => {
    const overlaps = [[1, 0.9, 0], [0, 1, 0], [0, 0, 1]]; // prettier-ignore
    expect(elements(nonMaxSuppressionOverlaps(overlaps, [0.5, 0.8, 0.1], 3))).toEqual([1, 2]);
    expect(elements(nonMaxSuppressionOverlaps(overlaps, [0.8, 0.5, 0.1], 2))).toEqual([0, 1]);
  });

  it('are selected for each class', () => {
    const result = combinedNonMaxSuppression([boxes.map((box) => [box])], [[[0.5, 0.1], [0.8, 0.2], [0.1, 0.9]]], 2, 3); // prettier-ignore
    expect(elements(result.nmsedClasses)).toEqual([1, 0, 1]);
    expect(elements(result.validDetections)).toEqual([3]);
    expect(elements(result.nmsedBoxes).slice(0, 8)).toEqual([1, 1, 1, 1, 0, 0, 1, 0.8999999761581421]);
  });

  it('are drawn', () => {
    const drawn = elements(drawBoundingBoxes(constant(count(9), { shape: [1, 3, 3, 1] }), [[[0, 0, 1, 1]]]));
    expect(drawn).toEqual([1, 1, 1, 1, 4, 1, 1, 1, 1]);
    const paper = constant([0, 0], { shape: [1, 1, 2, 1] });
    expect(elements(drawBoundingBoxes(paper, [[[0, 0, 1, 0]]], { colors: [[7, 8]] }))).toEqual([7, 0]);
  });
});
