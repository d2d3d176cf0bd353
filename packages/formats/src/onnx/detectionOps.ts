/** Ops of ONNX whose results are as long as what is found: the best boxes, the distinct elements. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';

/** Boxes [x, y, width, height] around their centres as corners. */
function corners(boxes: Tensor): Tensor {
  const centre = fr.slice(boxes, [0, 0, 0], [-1, -1, 2]);
  const half = fr.mul(fr.slice(boxes, [0, 0, 2], [-1, -1, 2]), 0.5);
  return fr.concat([fr.sub(centre, half), fr.add(centre, half)], 2);
}

/** The most boxes of a class, as int32; more than there can be means all. */
function mostBoxes(node: ImportNode): Tensor | number {
  if (!node.has(2)) return 0;
  const known = node.knownElements(2)?.[0];
  if (known !== undefined) return Math.min(Math.max(known, 0), 2 ** 31 - 1);
  return fr.reshape(fr.cast(node.input(2), 'int32'), []);
}

/** Rows [image, class, box], image by image and class by class, the best box first. */
const nonMaxSuppression: NodeImporter = (node) => {
  const [images, classes] = [node.input(1).shape.dim(0), node.input(1).shape.dim(1)];
  if (images === null || classes === null)
    return node.fail('the numbers of images and classes must be known: give dims when importing');
  const boxes = node.int('center_point_box', 0) === 1 ? corners(node.input(0)) : node.input(0);
  const most = mostBoxes(node);
  const options = {
    iouThreshold: node.has(3) ? fr.reshape(node.input(3), []) : 0,
    scoreThreshold: node.has(4) ? fr.reshape(node.input(4), []) : -Infinity,
  };
  const rows: Tensor[] = [];
  for (let image = 0; image < images; image++) {
    const own = fr.gather(boxes, image);
    for (let kind = 0; kind < classes; kind++) {
      const scores = fr.gather(fr.gather(node.input(1), image), kind);
      const kept = fr.cast(fr.nonMaxSuppression(own, scores, most, options), 'int64');
      const all = (index: number): Tensor => fr.fill(fr.shape(kept), fr.constant(index, { dtype: 'int64' }));
      rows.push(fr.stack([all(image), all(kind), kept], { axis: 1 }));
    }
  }
  if (rows.length === 0) return fr.zeros([0, 3], { dtype: 'int64' });
  return rows.length === 1 && rows[0] !== undefined ? rows[0] : fr.concat(rows, 0);
};

/** The longest slices that are put in order: one sort for each of their elements. */
const MAX_SORTED_SLICE = 64;

/** Positions that put the slices of `y` along its first axis in order, by their first elements, then the next. */
function orderOf(node: ImportNode, y: Tensor): Tensor {
  if (y.shape.rank === 1) return fr.argsort(y);
  const sizes = y.shape.slice(1).toStatic();
  const width = sizes.reduce((product, size) => product * size, 1);
  if (width > MAX_SORTED_SLICE)
    node.fail(`slices of ${width} elements are not sorted; ${MAX_SORTED_SLICE} are`);
  const flat = fr.reshape(y, [-1, width]);
  let order = fr.range(fr.gather(fr.shape(y), 0));
  for (let i = width - 1; i >= 0; i--) {
    const column = fr.gather(fr.gather(flat, i, { axis: 1 }), order);
    order = fr.gather(order, fr.argsort(column));
  }
  return order;
}

/** The distinct elements or slices, where each occurs first, which one each place has, and how often each occurs. */
const unique: NodeImporter = (node) => {
  const byAxis = node.hasAttribute('axis');
  const [axis = 0] = byAxis ? node.axes([node.int('axis', 0)], node.rank(0)) : [];
  const rank = byAxis ? node.rank(0) : 1;
  const front = [axis, ...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)];
  const x = byAxis ? fr.transpose(node.input(0), { perm: front }) : fr.reshape(node.input(0), [-1]);
  const [y, places, counts] = fr.uniqueWithCounts(x, rank === 1 ? {} : { axis: 0 });
  const count = fr.gather(fr.shape(counts), 0);
  const firsts = fr.unsortedSegmentMin(fr.range(fr.gather(fr.shape(x), 0)), places, count);
  const order = node.int('sorted', 1) === 1 ? orderOf(node, y) : null;
  const ordered = (given: Tensor): Tensor => (order === null ? given : fr.gather(given, order));
  const inverse = order === null ? places : fr.gather(fr.invertPermutation(order), places);
  const back = front.map((_, i) => front.indexOf(i));
  const long = (given: Tensor): Tensor => fr.cast(given, 'int64');
  return [
    byAxis ? fr.transpose(ordered(y), { perm: back }) : ordered(y),
    long(ordered(firsts)),
    long(inverse),
    long(ordered(counts)),
  ];
};

export const DETECTION_OPS: Readonly<Record<string, NodeImporter>> = {
  NonMaxSuppression: nonMaxSuppression,
  Unique: unique,
};
