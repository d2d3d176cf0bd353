/** References of gamma, Poisson, truncated normal and categorical numbers and of shuffles, bit for bit. */
import type { DType, HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';
import { gammaSampleDerivative } from './gammaDerivative.js';
import { fixedQuantile, seeded, stateless, type Stream } from './randomStream.js';
import {
  exp,
  float32Of,
  isLess,
  log,
  log1pExcess,
  magnitude,
  minus,
  negated,
  numberOf,
  over,
  plus,
  root,
  softOf,
  softScaled,
  times,
  whole,
  type SoftNumber,
} from './softNumber.js';

const half = softOf(0.5);
const one = softOf(1);

/** Blocks of the attempts of one element. */
type Draw = (attempt: number) => number[];

const normal = (word: number): SoftNumber =>
  softScaled(fixedQuantile((word % 2 ** 31) | 1) * (word >= 2 ** 31 ? -1 : 1), -28);
const uniform = (word: number): SoftNumber => softScaled(word % 2 === 0 ? word + 1 : word, -32);
const square = (x: SoftNumber): SoftNumber => times(x, x);
const sum = (...terms: readonly SoftNumber[]): SoftNumber => terms.reduce(plus);

/** A gamma sample by Marsaglia and Tsang's method. */
export function gammaOf(alpha: number, draw: Draw): number {
  if (Number.isNaN(alpha) || alpha < 0) return NaN;
  if (alpha === 0 || alpha === Infinity) return alpha;
  const shape = softOf(alpha);
  const third = minus(shape, softOf(1 / 3));
  const d = alpha < 1 ? plus(third, one) : third;
  const c = times(exp(times(log(d), softOf(-0.5))), softOf(1 / 3));
  for (let attempt = 0; ; attempt++) {
    const [first = 0, second = 0, last = 0] = draw(attempt);
    const x = normal(first);
    const t = times(c, x);
    const v = plus(one, t);
    if (v.m <= 0n) continue;
    const cubic = times(square(t), plus(softOf(3), t));
    const bracket = minus(times(softOf(3), log1pExcess(t)), cubic);
    if (!isLess(log(uniform(second)), plus(times(square(x), half), times(d, bracket)))) continue;
    const gamma = times(d, times(v, times(v, v)));
    if (alpha >= 1) return float32Of(gamma);
    return float32Of(times(gamma, exp(times(log(uniform(last)), exp(negated(log(shape)))))));
  }
}

/** log(rate^k e^-rate / k!) by Stirling's series. */
function logProbability(rate: SoftNumber, k: SoftNumber): SoftNumber {
  if (k.m === 0n) return negated(rate);
  const distance = minus(rate, k);
  const ratio = over(magnitude(distance), k);
  const t = distance.m < 0n ? negated(ratio) : ratio;
  const inverse = over(one, k);
  const cube = times(inverse, square(inverse));
  const rest = minus(times(softOf(1 / 12), inverse), times(softOf(1 / 360), cube));
  const main = minus(times(k, log1pExcess(t)), times(half, log(times(softOf(2 * Math.PI), k))));
  return minus(main, rest);
}

function knuth(rate: SoftNumber, draw: Draw): SoftNumber {
  const limit = exp(negated(rate));
  let product = one;
  for (let count = 0; ; count++) {
    product = times(product, uniform(draw(Math.floor(count / 4))[count % 4] ?? 0));
    if (!isLess(limit, product)) return softScaled(count, 0);
  }
}

function transformedRejection(rate: SoftNumber, draw: Draw): SoftNumber {
  const b = plus(softOf(0.931), times(softOf(2.53), root(rate)));
  const a = minus(times(softOf(0.02483), b), softOf(0.059));
  const inverseAlpha = plus(softOf(1.1239), over(softOf(1.1328), minus(b, softOf(3.4))));
  const sure = minus(softOf(0.9277), over(softOf(3.6224), minus(b, softOf(2))));
  for (let attempt = 0; ; attempt++) {
    const [first = 0, second = 0] = draw(attempt);
    const [u, v] = [minus(uniform(first), half), uniform(second)];
    const edge = minus(half, magnitude(u));
    const slope = plus(over(times(softOf(2), a), edge), b);
    const place = plus(times(slope, u), plus(rate, softOf(0.43)));
    if (place.m < 0n) continue;
    const k = place.e >= 0 ? place : softScaled(Number(whole(place)), 0);
    if (!isLess(edge, softOf(0.07)) && !isLess(sure, v)) return k;
    if (isLess(edge, softOf(0.013)) && isLess(edge, v)) continue;
    const height = log(over(times(v, inverseAlpha), plus(over(a, square(edge)), b)));
    if (!isLess(logProbability(rate, k), height)) return k;
  }
}

/** A Poisson sample. */
export function poissonOf(rate: number, draw: Draw): SoftNumber {
  if (rate === 0) return softOf(0);
  return rate < 10 ? knuth(softOf(rate), draw) : transformedRejection(softOf(rate), draw);
}

/** A normal number in [low, high], high >= |low|. */
function truncated(low: SoftNumber, high: SoftNumber, draw: Draw): SoftNumber {
  const width = minus(high, low);
  const centred = low.m <= 0n;
  const near = !centred && isLess(low, one);
  const flat = isLess(centred ? high : near ? width : times(width, low), centred ? softOf(1.25) : one);
  for (let attempt = 0; ; attempt++) {
    const [first = 0, second = 0] = draw(attempt);
    const test = log(uniform(second));
    let z = normal(first);
    if (flat) {
      z = plus(low, times(width, uniform(first)));
      const from = centred ? square(z) : minus(square(z), square(low));
      if (isLess(times(softOf(-0.5), from), test)) continue;
    } else if (near) {
      z = magnitude(z);
    } else if (!centred) {
      const beyond = over(negated(log(uniform(first))), low);
      z = plus(low, beyond);
      if (isLess(times(softOf(-0.5), square(beyond)), test)) continue;
    }
    if (!isLess(z, low) && !isLess(high, z)) return z;
  }
}

/** A normal number of `mean` and `deviation` between two limits. */
export function truncatedOf(
  { mean, deviation, low, high }: { mean: number; deviation: number; low: number; high: number },
  draw: Draw,
): number {
  const valid = Number.isFinite(mean) && Number.isFinite(deviation) && deviation > 0;
  if (!valid || !(low < high)) return NaN;
  const limit = (x: number): SoftNumber => {
    if (!Number.isFinite(x)) return softOf(Math.sign(x) * 2 ** 20);
    const distance = minus(softOf(x), softOf(mean));
    const z = over(magnitude(distance), softOf(deviation));
    return distance.m < 0n ? negated(z) : z;
  };
  const [a, b] = [limit(low), limit(high)];
  if (!isLess(a, b)) return NaN;
  const mirrored = sum(a, b).m < 0n;
  const z = mirrored ? negated(truncated(negated(b), negated(a), draw)) : truncated(a, b, draw);
  const value = plus(softOf(mean), times(softOf(deviation), z));
  if (Number.isFinite(low) && isLess(value, softOf(low))) return low;
  return Number.isFinite(high) && isLess(softOf(high), value) ? high : float32Of(value);
}

/** The running sums of a row's weights. */
function weightSums(row: readonly number[]): bigint[] {
  const finite = row.filter(Number.isFinite);
  const largest = softOf(finite.length === 0 ? 0 : Math.max(...finite));
  let total = 0n;
  return row.map((x) => {
    if (Number.isFinite(x)) {
      const { m, e } = exp(minus(softOf(x), largest));
      total += whole({ m, e: e + 31 });
    }
    return total;
  });
}

function categorical(c: ReferenceContext, stream: Stream): readonly HostValue[] {
  const [rows = 0, classes = 0] = c.input(0).shape;
  const samples = c.input(1).data[0] ?? 0;
  const data: number[] = [];
  for (let r = 0; r < rows; r++) {
    const sums = weightSums([...c.input(0).data.slice(r * classes, (r + 1) * classes)]);
    for (let s = 0; s < samples; s++) {
      const [high = 0, low = 0] = stream(r * samples + s, 0);
      const place = (((BigInt(high) << 32n) | BigInt(low)) * (sums.at(-1) ?? 0n)) >> 64n;
      const found = sums.findIndex((x) => x > place);
      data.push(found < 0 ? classes : found);
    }
  }
  return [{ dtype: c.outputs[0] ?? 'int64', shape: [rows, samples], data: Float64Array.from(data) }];
}

/** Positions of the slices after shuffling `count` of them. */
export function shuffledOrder(count: number, stream: Stream): number[] {
  const places = Array.from({ length: count }, (_, i) => i);
  if (count > 1024) return places.map(networkPlace(count, stream));
  const keys = places.map((i) => {
    const [high = 0, low = 0] = stream(i, 0);
    return (BigInt(high) << 32n) | BigInt(low);
  });
  return places.sort((i, j) => {
    const [a = 0n, b = 0n] = [keys[i], keys[j]];
    return a < b ? -1 : a > b ? 1 : i - j;
  });
}

/** A Feistel network of 12 rounds, walked until it is below `count`. */
function networkPlace(count: number, stream: Stream): (position: number) => number {
  const bits = Math.ceil(Math.ceil(Math.log2(count)) / 2);
  const keys = [0, 1, 2].flatMap((block) => stream(block, 1));
  const mix = (x: number, key: number): number => {
    let h = Math.imul(x, 0x9e3779b1) ^ key;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) & (2 ** bits - 1);
  };
  const once = (x: number): number => {
    const halves: [number, number] = [x >>> bits, x & (2 ** bits - 1)];
    const [left, right] = keys.reduce(([l, r], key) => [r, l ^ mix(r, key)], halves);
    return left * 2 ** bits + right;
  };
  return (position) => {
    let x = once(position);
    while (x >= count) x = once(x);
    return x;
  };
}

function shuffle(c: ReferenceContext): readonly HostValue[] {
  const { dtype, shape, data } = c.input(0);
  const count = shape[0] ?? 1;
  const inner = data.length / Math.max(1, count);
  const order = data.length === 0 ? [] : shuffledOrder(count, seeded(c));
  const slices = order.flatMap((from) => [...data.slice(from * inner, (from + 1) * inner)]);
  return [{ dtype, shape, data: Float64Array.from(slices) }];
}

/** One number per element of the output, by the parameter that stands at the same place of the last dimensions. */
function perParameter(c: ReferenceContext, one: (parameter: number, draw: Draw) => number): HostValue[] {
  const parameter = c.input(1);
  const shape = [...c.input(0).data, ...parameter.shape];
  const size = shape.reduce((a, b) => a * b, 1);
  const stream = seeded(c);
  const dtype: DType = c.outputs[0] ?? 'float32';
  const data = Float64Array.from({ length: size }, (_, i) =>
    one(parameter.data[i % parameter.data.length] ?? NaN, (attempt) => stream(i, attempt)),
  );
  return [{ dtype, shape, data }];
}

function poisson(c: ReferenceContext): HostValue[] {
  const isFloat = c.outputs[0] === 'float32';
  return perParameter(c, (rate, draw) => {
    if (!Number.isFinite(rate) || rate < 0) return isFloat ? NaN : -(2 ** 31);
    const k = poissonOf(rate, draw);
    return isFloat ? float32Of(k) : Math.min(numberOf(k), 2 ** 31 - 1);
  });
}

function parameterizedTruncated(c: ReferenceContext): HostValue[] {
  const shape = [...c.input(0).data];
  const size = shape.reduce((a, b) => a * b, 1);
  const perRow = size / Math.max(1, shape[0] ?? 1);
  const stream = seeded(c);
  const data = Float64Array.from({ length: size }, (_, i) => {
    const [mean = NaN, deviation = NaN, low = NaN, high = NaN] = [1, 2, 3, 4].map((k) => {
      const own = c.input(k).data;
      return own[own.length === 1 ? 0 : Math.floor(i / perRow)];
    });
    return truncatedOf({ mean, deviation, low, high }, (attempt) => stream(i, attempt));
  });
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data }];
}

export const RANDOM_DRAW_REFERENCES = {
  RandomGamma: (c) => perParameter(c, gammaOf),
  RandomGammaGrad: gammaSampleDerivative,
  RandomPoisson: poisson,
  RandomPoissonV2: poisson,
  ParameterizedTruncatedNormal: parameterizedTruncated,
  Multinomial: (c) => categorical(c, seeded(c)),
  StatelessMultinomial: (c) => categorical(c, stateless(c.input(2))),
  RandomShuffle: shuffle,
} satisfies FamilyReferences;
