/**
 * The gradient of CropAndResizeGradBoxes, spelled out in elementary ops. With u for the gradient flowing in,
 * a crop position (y, x) of a box moves by v = (vy, vx), which depends on u as (y, x) does on the box, and the
 * op contracted with u is
 *
 *     S = sum of g (Dy vy + Dx vx)
 *
 * where Dy and Dx are the slopes of the bilinear interpolation. Hence dg = Dy vy + Dx vx, the boxes get the
 * mixed derivative Dxy, and each of the four pixels around a position gets its share of the slopes.
 */
import { isFloating } from '../dtype.js';
import type { GradContext } from '../opDef.js';
import type { Tensor } from '../tensor.js';
import type { Ops } from './index.js';

/** One axis of the crops: what depends on rows (or columns) only. */
interface CropAxis {
  /** Positions in the image per unit of the box's low and high end: `[1, positions]` each. */
  readonly low: Tensor;
  readonly high: Tensor;
  /** `[boxes, positions]`: movement under u, and 1 inside the image. */
  readonly moved: Tensor;
  readonly inside: Tensor;
  /** Neighbouring pixels, int32, and the distance from the first. */
  readonly before: Tensor;
  readonly after: Tensor;
  readonly fraction: Tensor;
}

/** How far each of `count` positions is along the box; the middle when there is only one. */
function along(ops: Ops, count: Tensor): Tensor {
  const steps = ops.maximum(ops.sub(count, 1), 1);
  const even = ops.div(ops.cast(ops.range(0, count), 'float32'), ops.cast(steps, 'float32'));
  return ops.add(even, ops.mul(ops.cast(ops.equal(count, 1), 'float32'), 0.5));
}

function cropAxis(c: GradContext, axis: 0 | 1): CropAxis {
  const { ops, input, dy } = c;
  const [grads, image, boxes] = [input(0), input(1), input(2)];
  const count = ops.getItem(ops.shape(grads), axis + 1);
  const last = ops.sub(ops.getItem(ops.shape(image), axis + 1), 1);
  const limit = ops.cast(last, 'float32');
  const t = ops.expandDims(along(ops, count), 0);
  const [low, high] = [ops.mul(limit, ops.sub(1, t)), ops.mul(limit, t)];
  const place = (of: Tensor): Tensor =>
    ops.add(
      ops.mul(ops.slice(of, [0, axis], [-1, 1]), low),
      ops.mul(ops.slice(of, [0, axis + 2], [-1, 1]), high),
    );
  const at = place(boxes);
  const clamp = (x: Tensor): Tensor => ops.clipByValue(x, 0, limit);
  const before = ops.stopGradient(ops.floor(clamp(at)));
  const inside = ops.logicalAnd(ops.greaterEqual(at, 0), ops.lessEqual(at, limit));
  return {
    low,
    high,
    moved: place(dy),
    inside: ops.cast(inside, 'float32'),
    before: ops.cast(before, 'int32'),
    after: ops.cast(ops.stopGradient(ops.ceil(clamp(at))), 'int32'),
    fraction: ops.sub(at, before),
  };
}

/** `[boxes, rows]` and `[boxes, columns]` as `[boxes, rows, 1, 1]` and `[boxes, 1, columns, 1]`. */
const overRows = (ops: Ops, x: Tensor): Tensor => ops.expandDims(ops.expandDims(x, -1), -1);
const overColumns = (ops: Ops, x: Tensor): Tensor => ops.expandDims(ops.expandDims(x, 1), -1);

/** Index vectors `[image, row, column]` of the pixels at `rows` and `columns` of every box. */
function pixelIndices(c: GradContext, rows: Tensor, columns: Tensor): Tensor {
  const { ops, input } = c;
  const images = ops.expandDims(ops.expandDims(input(3), -1), -1);
  const zero = ops.zerosLike(ops.add(ops.expandDims(rows, -1), ops.expandDims(columns, 1)));
  const parts = [images, ops.expandDims(rows, -1), ops.expandDims(columns, 1)];
  return ops.stack(
    parts.map((part) => ops.add(part, zero)),
    { axis: -1 },
  );
}

/** The boxes' gradient: what moves positions by `rows` and `columns` moves the ends in proportion. */
function ofEnds({ ops }: GradContext, y: CropAxis, x: CropAxis, rows: Tensor, columns: Tensor): Tensor {
  const sum = (weights: Tensor, movement: Tensor): Tensor =>
    ops.reduceSum(ops.mul(weights, movement), { axis: 1 });
  return ops.stack([sum(y.low, rows), sum(x.low, columns), sum(y.high, rows), sum(x.high, columns)], {
    axis: 1,
  });
}

export function cropGradBoxesGrad(c: GradContext): (Tensor | null)[] {
  const { ops, input } = c;
  const [grads, image] = [input(0), input(1)];
  const [y, x] = [cropAxis(c, 0), cropAxis(c, 1)];
  const [vy, vx] = [overRows(ops, y.moved), overColumns(ops, x.moved)];
  const [fy, fx] = [overRows(ops, y.fraction), overColumns(ops, x.fraction)];
  const inside = ops.mul(overRows(ops, y.inside), overColumns(ops, x.inside));
  const corners = [
    [y.before, x.before],
    [y.before, x.after],
    [y.after, x.before],
    [y.after, x.after],
  ] as const;
  const indices = corners.map(([rows, columns]) => pixelIndices(c, rows, columns));
  // d S / d pixel divided by g: shares of Dy vy + Dx vx
  const [ry, rx] = [ops.sub(1, fy), ops.sub(1, fx)];
  const shares = [
    ops.neg(ops.add(ops.mul(rx, vy), ops.mul(ry, vx))),
    ops.sub(ops.mul(ry, vx), ops.mul(fx, vy)),
    ops.sub(ops.mul(rx, vy), ops.mul(fy, vx)),
    ops.add(ops.mul(fx, vy), ops.mul(fy, vx)),
  ].map((share) => ops.mul(share, inside));
  const pixels = indices.map((at) => ops.cast(ops.gatherNd(image, at), 'float32'));
  const terms = (factors: readonly Tensor[]): Tensor =>
    ops.addN(pixels.map((pixel, k) => ops.mul(pixel, factors[k] ?? inside)));
  const mixed = terms([inside, ops.neg(inside), ops.neg(inside), inside]);
  const twist = ops.reduceSum(ops.mul(grads, mixed), { axis: -1, keepDims: true });
  const rows = ops.reduceSum(ops.mul(twist, vx), { axis: [2, 3] });
  const columns = ops.reduceSum(ops.mul(twist, vy), { axis: [1, 3] });
  const dImage = (): Tensor => {
    const parts = indices.map((at, k) =>
      ops.scatterNd(at, ops.cast(ops.mul(grads, shares[k] ?? inside), image.dtype), ops.shape(image)),
    );
    return ops.addN(parts);
  };
  return [terms(shares), isFloating(image.dtype) ? dImage() : null, ofEnds(c, y, x, rows, columns), null];
}
