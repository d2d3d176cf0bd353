/**
 * References of the CTC decoders. The beam search keeps prefixes in a map from their text to two probabilities, as
 * the textbooks write it, and works in probabilities, not in their logarithms.
 */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

type Rows = readonly (readonly number[])[];

function itemsOf(c: ReferenceContext): Rows[] {
  const { shape, data } = c.input(0);
  const [, batch = 0, classes = 0] = shape;
  return Array.from(c.input(1).data, (length, b) =>
    Array.from({ length }, (_, t) =>
      Array.from({ length: classes }, (_, k) => data[(t * batch + b) * classes + k] ?? NaN),
    ),
  );
}

function softmax(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const sum = row.reduce((total, x) => total + Math.exp(x - top), 0);
  return row.map((x) => Math.exp(x - top) / sum);
}

interface Prefix {
  readonly labels: readonly number[];
  blank: number;
  label: number;
}

/** Prefixes and their probabilities after all rows, the likeliest first. */
function prefixSearch(rows: Rows, width: number): Prefix[] {
  let beam: Prefix[] = [{ labels: [], blank: 1, label: 0 }];
  for (const row of rows.map(softmax)) {
    const next = new Map<string, Prefix>();
    const at = (labels: readonly number[]): Prefix => {
      const found = next.get(labels.join()) ?? { labels, blank: 0, label: 0 };
      next.set(labels.join(), found);
      return found;
    };
    for (const { labels, blank, label } of beam) {
      row.forEach((p, k) => {
        if (k === row.length - 1) at(labels).blank += p * (blank + label);
        else if (k === labels.at(-1)) {
          at(labels).label += p * label;
          at([...labels, k]).label += p * blank;
        } else at([...labels, k]).label += p * (blank + label);
      });
    }
    beam = [...next.values()]
      .filter((prefix) => prefix.blank + prefix.label > 0)
      .sort((a, b) => b.blank + b.label - a.blank - a.label)
      .slice(0, width);
  }
  return beam;
}

function sequences(items: readonly (readonly number[])[]): HostValue[] {
  const pairs = items.flatMap((labels, b) => labels.map((label, i) => ({ b, i, label })));
  const longs = (shape: readonly number[], data: readonly number[]): HostValue => ({
    dtype: 'int64',
    shape,
    data: Float64Array.from(data),
  });
  return [
    longs(
      [pairs.length, 2],
      pairs.flatMap(({ b, i }) => [b, i]),
    ),
    longs(
      [pairs.length],
      pairs.map(({ label }) => label),
    ),
    longs([2], [items.length, Math.max(0, ...items.map((labels) => labels.length))]),
  ];
}

function greedy(c: ReferenceContext): HostValue[] {
  const items = itemsOf(c);
  const mergeRepeated = c.attrs.bool('merge_repeated');
  const labels = items.map((rows) => {
    const best = rows.map((row) => row.indexOf(Math.max(...row)));
    const kept = best.filter((k, t) => !(mergeRepeated && k === best[t - 1]));
    return kept.filter((k) => k !== (rows[0]?.length ?? 0) - 1);
  });
  const scores = items.map((rows) => -rows.reduce((sum, row) => sum + Math.max(...row), 0));
  const dtype = c.outputs.at(-1) ?? 'float32';
  return [...sequences(labels), { dtype, shape: [items.length, 1], data: Float64Array.from(scores) }];
}

function beams(c: ReferenceContext): HostValue[] {
  const paths = c.attrs.int('top_paths');
  const found = itemsOf(c).map((rows) => prefixSearch(rows, c.attrs.int('beam_width')));
  const merged = (labels: readonly number[]): readonly number[] =>
    c.attrs.bool('merge_repeated') ? labels.filter((label, i) => label !== labels[i - 1]) : labels;
  const parts = Array.from({ length: paths }, (_, p) =>
    sequences(found.map((item) => merged(item[p]?.labels ?? []))),
  );
  const scores = found.flatMap((item) =>
    item.slice(0, paths).map(({ blank, label }) => Math.log(blank + label)),
  );
  const all = [0, 1, 2].flatMap((part) => parts.map((path) => path[part]).filter((x) => x !== undefined));
  const dtype = c.outputs.at(-1) ?? 'float32';
  return [...all, { dtype, shape: [found.length, paths], data: Float64Array.from(scores) }];
}

export const CTC_DECODE_REFERENCES = {
  CTCGreedyDecoder: greedy,
  CTCBeamSearchDecoder: beams,
} satisfies FamilyReferences;
