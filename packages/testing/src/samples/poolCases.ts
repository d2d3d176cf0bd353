/** What samples of pooling are made of: window attributes, images of distinct elements, and what pooling makes of them. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { ErrorCase, Sample, SampleInput } from '../sample.js';

export interface PoolCase {
  readonly name: string;
  /** Images and pooled images. */
  readonly images: readonly number[];
  readonly pooled: readonly number[];
  readonly attrs: PoolAttrs;
}

export interface PoolAttrs extends AttrInputs {
  readonly ksize: readonly number[];
  readonly strides: readonly number[];
  readonly padding: string;
  readonly data_format: string;
}

/** Windows of equal size and step along every pooled dimension. */
export function poolAttrs(
  size: number,
  stride: number,
  padding: 'SAME' | 'VALID',
  format = 'NHWC',
): PoolAttrs {
  const list = (n: number): number[] => Array.from(format).map((letter) => ('NC'.includes(letter) ? 1 : n));
  return { ksize: list(size), strides: list(stride), padding, data_format: format };
}

/** Elements that differ from each other by more than the steps of finite differences. */
export function distinct(shape: readonly number[], seed = 11): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  const random = new Random(seed);
  const order = Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = random.integer(0, i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  return { value: order.map((k) => 0.02 * k - 1), shape };
}

export function numbers(shape: readonly number[], seed: number): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size)], shape };
}

/** Flat indices from `0` below `end` along one dimension of a window. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

function windowRange({ images, pooled, attrs }: PoolCase, axis: number, o: number): Range {
  const at = (list: readonly number[]): number => list[axis] ?? 1;
  const explicit = (attrs.explicit_paddings ?? []) as readonly number[];
  const total = (at(pooled) - 1) * at(attrs.strides) + at(attrs.ksize) - at(images);
  const same = attrs.padding === 'SAME' ? Math.floor(Math.max(total, 0) / 2) : 0;
  const begin = o * at(attrs.strides) - (explicit[2 * axis] ?? same);
  return { begin: Math.max(0, begin), end: Math.min(at(images), begin + at(attrs.ksize)) };
}

/** The flat index of the largest element of each window, found by the rule alone. */
export function largestOf(each: PoolCase, input: SampleInput): number[] {
  const x = input.value as readonly number[];
  const found: number[] = [];
  const search = (ranges: readonly Range[], flat: number): number => {
    const [range, ...rest] = ranges;
    if (range === undefined) return flat;
    const dim = each.images[each.images.length - ranges.length] ?? 1;
    let best = -1;
    for (let i = range.begin; i < range.end; i++) {
      const candidate = search(rest, flat * dim + i);
      if (best < 0 || (x[candidate] ?? 0) > (x[best] ?? 0)) best = candidate;
    }
    return best;
  };
  const visit = (ranges: readonly Range[]): void => {
    const axis = ranges.length;
    if (axis === each.pooled.length) return void found.push(search(ranges, 0));
    for (let o = 0; o < (each.pooled[axis] ?? 0); o++) visit([...ranges, windowRange(each, axis, o)]);
  };
  visit([]);
  return found;
}

/** What max pooling gives. */
export function pooledOf(each: PoolCase, input: SampleInput): SampleInput {
  const x = input.value as readonly number[];
  return { value: largestOf(each, input).map((i) => x[i] ?? 0), shape: each.pooled };
}

/** Images, pooled in every way that kernels distinguish. */
export const POOL_CASES: readonly PoolCase[] = [
  {
    name: '2x2 over four channels',
    images: [2, 4, 6, 4],
    pooled: [2, 2, 3, 4],
    attrs: poolAttrs(2, 2, 'VALID'),
  },
  { name: '2x2 with a rest', images: [1, 5, 7, 3], pooled: [1, 2, 3, 3], attrs: poolAttrs(2, 2, 'VALID') },
  {
    name: '2x2 SAME over odd sizes',
    images: [1, 5, 7, 4],
    pooled: [1, 3, 4, 4],
    attrs: poolAttrs(2, 2, 'SAME'),
  },
  {
    name: '3x3 overlapping SAME',
    images: [1, 5, 6, 2],
    pooled: [1, 3, 3, 2],
    attrs: poolAttrs(3, 2, 'SAME'),
  },
  { name: '3x3 at every pixel', images: [1, 4, 4, 4], pooled: [1, 4, 4, 4], attrs: poolAttrs(3, 1, 'SAME') },
  {
    name: '3x3 VALID NCHW',
    images: [2, 2, 7, 5],
    pooled: [2, 2, 3, 2],
    attrs: poolAttrs(3, 2, 'VALID', 'NCHW'),
  },
  { name: '3x3 SAME apart', images: [1, 7, 7, 1], pooled: [1, 3, 3, 1], attrs: poolAttrs(3, 3, 'SAME') },
  {
    name: 'steps wider than the window',
    images: [1, 7, 7, 2],
    pooled: [1, 2, 2, 2],
    attrs: poolAttrs(2, 4, 'VALID'),
  },
  { name: '5x5 in a loop', images: [1, 6, 6, 1], pooled: [1, 3, 3, 1], attrs: poolAttrs(5, 2, 'SAME') },
];

/** Windows and images that pooling of images refuses. */
export const POOL_ERRORS: readonly ErrorCase[] = [
  {
    inputs: '[2,3,4]',
    attrs: poolAttrs(2, 2, 'VALID'),
    message: /images must have rank 4, got shape \[2,3,4\]/,
  },
  {
    inputs: '[2,3,4,1]',
    attrs: poolAttrs(5, 1, 'VALID'),
    message: /a window of height 5 does not fit images/,
  },
  {
    inputs: '[2,3,4,1]',
    attrs: { ...poolAttrs(2, 2, 'VALID'), ksize: [1, 2, 2, 2] },
    message: /ksize must be 4 positive numbers, 1 for batch and channels, got \[1,2,2,2\]/,
  },
  {
    inputs: '[2,3,4,1]',
    attrs: { ...poolAttrs(2, 2, 'VALID'), strides: [1, 0, 2, 1] },
    message: /strides must be 4 positive numbers/,
  },
];

export const POOL_TIES: Sample = {
  name: 'equal elements and infinities',
  inputs: [
    { value: [1, 1, 2, 2, 1, 1, 2, 2, 0, -1, -Infinity, -3, -1, 0, -4, -Infinity], shape: [1, 4, 4, 1] },
  ],
  attrs: poolAttrs(2, 2, 'VALID'),
  skipGradient: 'equal elements',
};

/** Samples of max pooling. */
export function maxSamples(cases: readonly PoolCase[]): Sample[] {
  return cases.map((each) => ({ name: each.name, inputs: [distinct(each.images)], attrs: each.attrs }));
}

/** Samples of the two gradients of max pooling; `like` is the shape of the gradient that goes in. */
export function maxGradSamples(cases: readonly PoolCase[], like: 'images' | 'pooled'): Sample[] {
  return cases.map((each) => ({
    name: each.name,
    inputs: [distinct(each.images), pooledOf(each, distinct(each.images)), numbers(each[like], 5)],
    attrs: each.attrs,
    // the images decide only which element is taken; orig_output follows from them
    gradientInputs: [2],
  }));
}
