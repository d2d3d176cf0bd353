/**
 * Non-maximum suppression on the host. How many boxes are selected depends on their values, so the session reads
 * them and evaluates here; the arithmetic is rounded to float32 as TensorFlow's, since a threshold decides.
 */
import type { HostValue } from '../value.js';

const f = Math.fround;

export interface SuppressionRule {
  readonly limit: number;
  readonly iouThreshold: number;
  readonly scoreThreshold: number;
  /** 0: boxes that overlap a better one are dropped; else their score sinks (Bodla et al., "Soft-NMS", 2017). */
  readonly softSigma: number;
}

export interface Selection {
  readonly indices: readonly number[];
  readonly scores: readonly number[];
}

/** Reads coordinate `k` of a box: y1, x1, y2, x2; either corner may come first. */
export type Boxes = (box: number, k: number) => number;

/** How much candidate `i` overlaps the selected `j`. */
export type Overlap = (i: number, j: number) => number;

/** Area of the intersection by the area of the union; 0 for boxes without area. */
function intersectionByUnion(boxes: Boxes, i: number, j: number): number {
  const low = (box: number, k: number): number => Math.min(boxes(box, k), boxes(box, k + 2));
  const high = (box: number, k: number): number => Math.max(boxes(box, k), boxes(box, k + 2));
  const area = (box: number): number => f(f(high(box, 0) - low(box, 0)) * f(high(box, 1) - low(box, 1)));
  const [a, b] = [area(i), area(j)];
  if (!(a > 0 && b > 0)) return 0;
  const shared = (k: number): number =>
    Math.max(f(Math.min(high(i, k), high(j, k)) - Math.max(low(i, k), low(j, k))), 0);
  const both = f(shared(0) * shared(1));
  return f(both / f(f(a + b) - both));
}

interface Candidate {
  readonly box: number;
  readonly score: number;
  /** Boxes selected before, which the score has paid for already. */
  readonly paid: number;
}

const better = (a: Candidate, b: Candidate): boolean =>
  a.score > b.score || (a.score === b.score && a.box < b.box);

/** A binary heap with the best candidate on top. */
class Queue {
  readonly #items: Candidate[] = [];

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent];
      if (above === undefined || better(above, item)) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const [top] = items;
    const last = items.pop();
    if (last === undefined || items.length === 0) return last;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [items[child], items[child + 1]];
      if (left === undefined) break;
      if (right !== undefined && better(right, left)) child++;
      const next = items[child];
      if (next === undefined || better(last, next)) break;
      items[at] = next;
      at = child;
    }
    items[at] = last;
    return top;
  }
}

/** The boxes that are kept, best first; of equal scores the earlier box. */
export function suppress(overlap: Overlap, scores: ArrayLike<number>, rule: SuppressionRule): Selection {
  const queue = new Queue();
  for (let box = 0; box < scores.length; box++) {
    const score = scores[box] ?? NaN;
    if (score > rule.scoreThreshold) queue.push({ box, score, paid: 0 });
  }
  const [indices, kept]: [number[], number[]] = [[], []];
  while (indices.length < rule.limit) {
    const next = queue.pop();
    if (next === undefined) break;
    const score = scoreAfter(overlap, next, indices, rule);
    if (score === null) continue;
    if (score === next.score) {
      indices.push(next.box);
      kept.push(score);
    } else if (score > rule.scoreThreshold) {
      queue.push({ box: next.box, score, paid: indices.length });
    }
  }
  return { indices, scores: kept };
}

/** The score of a candidate beside the boxes selected since it was last looked at; `null` when it is dropped. */
function scoreAfter(
  overlap: Overlap,
  { box, score, paid }: Candidate,
  selected: readonly number[],
  { iouThreshold, scoreThreshold, softSigma }: SuppressionRule,
): number | null {
  let rest = score;
  for (let j = selected.length - 1; j >= paid; j--) {
    const iou = overlap(box, selected[j] ?? box);
    if (softSigma === 0) {
      if (iou > iouThreshold) return null;
      continue;
    }
    const scale = f(-0.5 / softSigma);
    rest = iou <= iouThreshold ? f(rest * f(Math.exp(f(f(scale * iou) * iou)))) : 0;
    if (rest <= scoreThreshold) break;
  }
  return rest;
}

/** The overlap of boxes. */
export function overlapOf(boxes: Boxes): Overlap {
  return (i, j) => intersectionByUnion(boxes, i, j);
}

/** Reads boxes from rows of four numbers, beginning at `offset` and `stride` apart. */
export function boxRows({ data }: HostValue, offset = 0, stride = 4): Boxes {
  return (box, k) => data[offset + box * stride + k] ?? NaN;
}

export interface CombinedRule extends Omit<SuppressionRule, 'softSigma'> {
  /** Rows of the result for each image. */
  readonly rows: number;
  readonly clip: boolean;
}

export interface CombinedResult {
  readonly boxes: Float64Array;
  readonly scores: Float64Array;
  readonly classes: Float64Array;
  readonly valid: Float64Array;
}

/**
 * Suppression for each class of each image by itself; the best of all classes fill the rows. `boxes` is
 * `[batch, n, 1 or classes, 4]`, `scores` `[batch, n, classes]`.
 */
export function suppressClasses(boxes: HostValue, scores: HostValue, rule: CombinedRule): CombinedResult {
  const [batch = 0, count = 0, classes = 0] = scores.shape;
  const shared = boxes.shape[2] ?? 1;
  const out = {
    boxes: new Float64Array(batch * rule.rows * 4),
    scores: new Float64Array(batch * rule.rows),
    classes: new Float64Array(batch * rule.rows),
    valid: new Float64Array(batch),
  };
  for (let b = 0; b < batch; b++) {
    const found: { score: number; label: number; box: number; of: Boxes }[] = [];
    for (let label = 0; label < classes; label++) {
      const of = boxRows(boxes, (b * count * shared + (shared === 1 ? 0 : label)) * 4, shared * 4);
      const own = Array.from(
        { length: count },
        (_, i) => scores.data[(b * count + i) * classes + label] ?? NaN,
      );
      const kept = suppress(overlapOf(of), own, { ...rule, softSigma: 0 });
      kept.indices.forEach((box, i) => found.push({ score: kept.scores[i] ?? 0, label, box, of }));
    }
    found.sort((x, y) => y.score - x.score);
    const best = found.slice(0, rule.rows);
    out.valid[b] = best.length;
    best.forEach(({ score, label, box, of }, i) => {
      const row = b * rule.rows + i;
      out.scores[row] = score;
      out.classes[row] = label;
      for (let k = 0; k < 4; k++) {
        const edge = of(box, k);
        out.boxes[4 * row + k] = rule.clip ? Math.max(0, Math.min(1, edge)) : edge;
      }
    });
  }
  return out;
}
