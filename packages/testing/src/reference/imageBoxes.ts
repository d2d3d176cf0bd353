/** References of the ops on boxes: greedy selection without any queue, and drawing box by box, line by line. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

type Box = readonly [y1: number, x1: number, y2: number, x2: number];

function boxAt({ data }: HostValue, row: number): Box {
  const [a = NaN, b = NaN, c = NaN, d = NaN] = data.slice(4 * row, 4 * row + 4);
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)];
}

const area = ([y1, x1, y2, x2]: Box): number => Math.max(0, y2 - y1) * Math.max(0, x2 - x1);

/** Intersection by union, rounded to the float32 that thresholds are compared with. */
function iou(a: Box, b: Box): number {
  if (area(a) === 0 || area(b) === 0) return 0;
  const shared = area([
    Math.max(a[0], b[0]),
    Math.max(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.min(a[3], b[3]),
  ]);
  return Math.fround(shared / (area(a) + area(b) - shared));
}

interface Rule {
  readonly limit: number;
  readonly iou: number;
  readonly score: number;
  readonly sigma: number;
}

interface Kept {
  readonly box: number;
  readonly score: number;
}

type Overlap = (i: number, j: number) => number;

const overlapOf =
  (boxes: readonly Box[]): Overlap =>
  (i, j) => {
    const [a, b] = [boxes[i], boxes[j]];
    return a === undefined || b === undefined ? NaN : iou(a, b);
  };

/** Takes the best box and lets it weigh on all that are left, until none is left or enough are taken. */
function select(overlap: Overlap, scores: readonly number[], rule: Rule): Kept[] {
  let left = scores.map((score, box) => ({ box, score })).filter(({ score }) => score > rule.score);
  const kept: Kept[] = [];
  const weigh = (overlap: number): number => {
    if (overlap > rule.iou) return 0;
    return rule.sigma === 0 ? 1 : Math.exp((-0.5 * overlap ** 2) / rule.sigma);
  };
  while (left.length > 0 && kept.length < rule.limit) {
    const best = left.reduce((a, b) => (b.score > a.score ? b : a));
    kept.push(best);
    left = left
      .filter((each) => each !== best)
      .flatMap((each) => {
        const weight = weigh(overlap(each.box, best.box));
        const score = each.score * weight;
        return (weight > 0 || rule.sigma > 0) && score > rule.score ? [{ box: each.box, score }] : [];
      });
  }
  return kept;
}

/** A selection from boxes or, with `given`, from a matrix of overlaps. */
const suppressionBy =
  (given: boolean): Reference =>
  (c) => {
    const count = c.input(1).data.length;
    const boxes = Array.from({ length: given ? 0 : count }, (_, i) => boxAt(c.input(0), i));
    const overlap: Overlap = given ? (i, j) => c.input(0).data[i * count + j] ?? NaN : overlapOf(boxes);
    const number = (i: number, otherwise: number): number => c.inputs[i]?.data[0] ?? otherwise;
    const kept = select(overlap, Array.from(c.input(1).data), {
      limit: number(2, 0),
      iou: c.attrs.has('iou_threshold') ? c.attrs.float('iou_threshold') : number(3, NaN),
      score: number(4, -Infinity),
      sigma: number(5, 0),
    });
    const padded = c.attrs.has('pad_to_max_output_size') && c.attrs.bool('pad_to_max_output_size');
    const length = padded ? number(2, 0) : kept.length;
    const vector = (dtype: HostValue['dtype'], element: (each: Kept) => number): HostValue => {
      const data = Float64Array.from({ length }, (_, i) => (kept[i] === undefined ? 0 : element(kept[i])));
      return { dtype, shape: [length], data };
    };
    const indices = vector('int32', ({ box }) => box);
    const scores = vector('float32', ({ score }) => score);
    const valid: HostValue = { dtype: 'int32', shape: [], data: Float64Array.of(kept.length) };
    return { 1: [indices], 2: [indices, valid], 3: [indices, scores, valid] }[c.outputs.length] ?? [];
  };

function combined(c: ReferenceContext): readonly HostValue[] {
  const [batch = 0, count = 0, variants = 1] = c.input(0).shape;
  const classes = c.input(1).shape[2] ?? 0;
  const [perClass = 0, total = 0, threshold = 0, least = 0] = [2, 3, 4, 5].map((i) => c.input(i).data[0]);
  const rows = c.attrs.bool('pad_per_class') ? Math.min(total, perClass * classes) : total;
  const all: number[][] = [[], [], [], []];
  for (let b = 0; b < batch; b++) {
    const found: { box: Box; score: number; label: number }[] = [];
    for (let label = 0; label < classes; label++) {
      const rowOf = (i: number): number => (b * count + i) * variants + Math.min(label, variants - 1);
      const places = Array.from({ length: count }, (_, i) => i);
      const raw = (i: number): Box => {
        const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = c.input(0).data.slice(4 * rowOf(i), 4 * rowOf(i) + 4);
        return [y1, x1, y2, x2];
      };
      const scores = places.map((i) => c.input(1).data[(b * count + i) * classes + label] ?? 0);
      const own = places.map((i) => boxAt(c.input(0), rowOf(i)));
      const rule = { limit: perClass, iou: threshold, score: least, sigma: 0 };
      found.push(
        ...select(overlapOf(own), scores, rule).map(({ box, score }) => ({ box: raw(box), score, label })),
      );
    }
    found.sort((x, y) => y.score - x.score);
    all[3]?.push(Math.min(found.length, rows));
    for (let i = 0; i < rows; i++) {
      const { box, score, label } = found[i] ?? { box: [0, 0, 0, 0] as Box, score: 0, label: 0 };
      all[0]?.push(...box.map((x) => (c.attrs.bool('clip_boxes') ? Math.min(Math.max(x, 0), 1) : x)));
      all[1]?.push(score);
      all[2]?.push(label);
    }
  }
  const shapes = [[batch, rows, 4], [batch, rows], [batch, rows], [batch]];
  return shapes.map((shape, i) => ({
    dtype: c.outputs[i] ?? 'float32',
    shape,
    data: Float64Array.from(all[i] ?? []),
  }));
}

const PALETTE = ['110', '001', '100', '010', 'h0h', 'hh0', 'h00', '00h', '011', '101'];

const drawing: Reference = (c) => {
  const { shape, data } = c.input(0);
  const [batch = 0, height = 0, width = 0, depth = 0] = shape;
  const count = c.input(1).shape[1] ?? 0;
  const given = c.inputs[2];
  const palette =
    given === undefined || given.data.length === 0
      ? PALETTE.map((digits) => {
          const rgb = Array.from(digits, (digit) => (digit === 'h' ? 0.5 : Number(digit)));
          return depth === 1 ? [1] : [...rgb, 1];
        })
      : Array.from({ length: given.shape[0] ?? 0 }, (_, i) => {
          const width = given.shape[1] ?? 0;
          return Array.from(given.data.slice(i * width, (i + 1) * width));
        });
  const out = Float64Array.from(data);
  const paint = (b: number, y: number, x: number, box: number): void => {
    if (y < 0 || y >= height || x < 0 || x >= width) return;
    const channels = palette[box % palette.length] ?? [];
    for (let k = 0; k < depth; k++) out[((b * height + y) * width + x) * depth + k] = channels[k] ?? NaN;
  };
  for (let b = 0; b < batch; b++) {
    for (let box = 0; box < count; box++) {
      const edge = (k: number, size: number): number =>
        Math.trunc(Math.fround((c.input(1).data[(b * count + box) * 4 + k] ?? 0) * (size - 1)));
      const [y1, x1, y2, x2] = [edge(0, height), edge(1, width), edge(2, height), edge(3, width)];
      if (y1 > y2 || x1 > x2) continue;
      for (let x = x1; x <= x2; x++) for (const y of [y1, y2]) paint(b, y, x, box);
      for (let y = y1; y <= y2; y++) for (const x of [x1, x2]) paint(b, y, x, box);
    }
  }
  return [{ dtype: c.outputs[0] ?? 'float32', shape, data: out }];
};

const suppression = suppressionBy(false);

export const IMAGE_BOXES_REFERENCES = {
  DrawBoundingBoxes: drawing,
  DrawBoundingBoxesV2: drawing,
  NonMaxSuppression: suppression,
  NonMaxSuppressionV2: suppression,
  NonMaxSuppressionV3: suppression,
  NonMaxSuppressionV4: suppression,
  NonMaxSuppressionV5: suppression,
  NonMaxSuppressionWithOverlaps: suppressionBy(true),
  CombinedNonMaxSuppression: combined,
} satisfies FamilyReferences;
