/**
 * Float64 reference of CTC: the probability of the labels by dynamic programming over their prefixes, and its
 * gradient by differences, which shares nothing with the backward sums of the kernel.
 */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, ReferenceContext } from '../sample.js';

interface Rules {
  readonly merge: boolean;
  readonly blank: number;
}

function logAdd(...terms: readonly number[]): number {
  const top = Math.max(...terms);
  return top === -Infinity ? top : top + Math.log(terms.reduce((sum, x) => sum + Math.exp(x - top), 0));
}

function logSoftmax(row: readonly number[]): number[] {
  const total = logAdd(...row);
  return row.map((x) => x - total);
}

/**
 * -log p(labels | rows). After each time step `blank[k]` and `last[k]` are the log probabilities of having spelt k
 * labels, ending in a blank or in label k.
 */
function ctcLoss(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { merge, blank }: Rules,
): number {
  let ends = [0, ...labels.map(() => -Infinity)];
  let last = [-Infinity, ...labels.map(() => -Infinity)];
  for (const row of rows.map(logSoftmax)) {
    const [before, lastBefore] = [ends, last];
    const at = (list: readonly number[], k: number): number => list[k] ?? -Infinity;
    ends = before.map((_, k) => logAdd(at(before, k), at(lastBefore, k)) + (row[blank] ?? NaN));
    last = lastBefore.map((_, k) => {
      const label = labels[k - 1];
      if (label === undefined) return -Infinity;
      const repeats = merge && label === labels[k - 2];
      const stay = merge ? at(lastBefore, k) : -Infinity;
      const step = repeats ? -Infinity : at(lastBefore, k - 1);
      return logAdd(stay, at(before, k - 1), step) + (row[label] ?? NaN);
    });
  }
  return -logAdd(ends.at(-1) ?? NaN, last.at(-1) ?? NaN);
}

/** d loss / d rows, by central differences of fourth order. */
function difference(
  rows: readonly (readonly number[])[],
  [t, k]: readonly [number, number],
  loss: (rows: readonly (readonly number[])[]) => number,
): number {
  const h = 1e-3;
  const at = (step: number): number =>
    loss(rows.map((row, i) => row.map((x, j) => (i === t && j === k ? x + step : x))));
  return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
}

function labelsOf(c: ReferenceContext, item: number): number[] {
  const all = Array.from(c.input(2).data).filter((_, i) => c.input(1).data[2 * i] === item);
  if (!c.attrs.bool('preprocess_collapse_repeated')) return all;
  return all.filter((label, i) => label !== all[i - 1]);
}

function reference(c: ReferenceContext): HostValue[] {
  const [time = 0, batch = 0, classes = 0] = c.input(0).shape;
  const rules = { merge: c.attrs.bool('ctc_merge_repeated'), blank: classes - 1 };
  const loss = new Float64Array(batch);
  const gradient = new Float64Array(time * batch * classes);
  for (let b = 0; b < batch; b++) {
    const steps = c.input(3).data[b] ?? 0;
    const labels = labelsOf(c, b);
    const rows = Array.from({ length: steps }, (_, t) => {
      const begin = (t * batch + b) * classes;
      return [...c.input(0).data.slice(begin, begin + classes)];
    });
    const repeats = rules.merge ? labels.filter((label, i) => label === labels[i - 1]).length : 0;
    const fits = labels.length + repeats <= steps;
    if (steps === 0 || (!fits && c.attrs.bool('ignore_longer_outputs_than_inputs'))) continue;
    loss[b] = ctcLoss(rows, labels, rules);
    rows.forEach((row, t) => {
      row.forEach((_, k) => {
        gradient[(t * batch + b) * classes + k] = fits
          ? difference(rows, [t, k], (moved) => ctcLoss(moved, labels, rules))
          : Math.exp(logSoftmax(row)[k] ?? NaN);
      });
    });
  }
  const [dtype = 'float32'] = c.outputs;
  return [
    { dtype, shape: [batch], data: loss },
    { dtype, shape: [time, batch, classes], data: gradient },
  ];
}

export const CTC_REFERENCES = { CTCLoss: reference } satisfies FamilyReferences;
