/** References of candidate samplers: classes one by one and bit for bit, expected counts in float64. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { seeded } from './randomStream.js';
import { exp, softOf, softScaled, times, whole } from './softNumber.js';

interface Law {
  readonly range: number;
  readonly candidate: (words: readonly number[]) => number;
  readonly probability: (id: number) => number;
}

const wide = ([high = 0, low = 0]: readonly number[]): bigint => (BigInt(high) << 32n) | BigInt(low);

const uniform = (c: ReferenceContext): Law => {
  const range = c.attrs.int('range_max');
  return {
    range,
    candidate: (words) => Number((wide(words) * BigInt(range)) >> 64n),
    probability: () => 1 / range,
  };
};

const logUniform = (c: ReferenceContext): Law => {
  const range = c.attrs.int('range_max');
  return {
    range,
    candidate: ([word = 0]) => {
      const u = softScaled(word % 2 === 0 ? word + 1 : word, -32);
      const power = Number(whole(exp(times(u, softOf(Math.log1p(range))))));
      return Math.min(Math.max(power, 1) - 1, range - 1);
    },
    probability: (id) => Math.log((id + 2) / (id + 1)) / Math.log(range + 1),
  };
};

const fixed = (c: ReferenceContext): Law => {
  const weights = [
    ...Array.from({ length: c.attrs.int('num_reserved_ids') }, () => 0),
    ...c.attrs.floats('unigrams').map((weight) => weight ** c.attrs.float('distortion')),
  ].filter((_, id) => id % c.attrs.int('num_shards') === c.attrs.int('shard'));
  const total = weights.reduce((a, b) => a + b, 0);
  const shares = weights.map((weight) => {
    return weight === 0 ? 0n : BigInt(Math.max(1, Math.round((weight / total) * 2 ** 40)));
  });
  const sums = shares.map((_, k) => shares.slice(0, k + 1).reduce((a, b) => a + b, 0n));
  return {
    range: weights.length,
    candidate: (words) => sums.findIndex((sum) => sum > (wide(words) * (sums.at(-1) ?? 0n)) >> 64n),
    probability: (id) => (weights[id] ?? 0) / total,
  };
};

function sampler(lawOf: (c: ReferenceContext) => Law): Reference {
  return (c) => {
    const { candidate, probability } = lawOf(c);
    const stream = seeded(c);
    const count = c.attrs.int('num_sampled');
    const ids: number[] = [];
    let tries = 0;
    for (; ids.length < count; tries++) {
      const id = candidate(stream(tries, 0));
      if (!c.attrs.bool('unique') || !ids.includes(id)) ids.push(id);
    }
    const expected = (id: number): number => {
      const p = probability(id);
      return tries === count ? p * tries : 1 - (1 - p) ** tries;
    };
    return samples(c, ids, expected);
  };
}

function samples(c: ReferenceContext, ids: readonly number[], expected: (id: number) => number): HostValue[] {
  const classes = c.input(0);
  return [
    { dtype: 'int64', shape: [ids.length], data: Float64Array.from(ids) },
    { dtype: 'float32', shape: classes.shape, data: classes.data.map(expected) },
    { dtype: 'float32', shape: [ids.length], data: Float64Array.from(ids, expected) },
  ];
}

export const CANDIDATE_REFERENCES = {
  UniformCandidateSampler: sampler(uniform),
  LogUniformCandidateSampler: sampler(logUniform),
  FixedUnigramCandidateSampler: sampler(fixed),
  // The first batch, before anything is learned.
  LearnedUnigramCandidateSampler: sampler(uniform),
  AllCandidateSampler: (c) =>
    samples(
      c,
      Array.from({ length: c.attrs.int('num_sampled') }, (_, i) => i),
      () => 1,
    ),
  ComputeAccidentalHits: ({ input }) => {
    const columns = input(0).shape[1] ?? 1;
    const hits: [number, number][] = [];
    input(0).data.forEach((id, i) => {
      input(1).data.forEach((sampled, j) => {
        if (id === sampled) hits.push([Math.floor(i / columns), j]);
      });
    });
    const shape = [hits.length];
    const lowest = -(2 ** 128 - 2 ** 104);
    return [
      { dtype: 'int32', shape, data: Float64Array.from(hits, ([row]) => row) },
      { dtype: 'int64', shape, data: Float64Array.from(hits, ([, position]) => position) },
      { dtype: 'float32', shape, data: Float64Array.from(hits, () => lowest) },
    ];
  },
} satisfies FamilyReferences;
