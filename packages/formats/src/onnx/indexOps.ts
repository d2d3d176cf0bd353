/** Gathers, scatters and rearrangements of ONNX. Negative indices count from the end. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType } from './tensors.js';

/** Indices from the front; `sizes` broadcasts against them. */
function fromFront(indices: Tensor, sizes: () => Tensor): Tensor {
  if (fr.constantValue(indices)?.data.every((index) => index >= 0) === true) return indices;
  const counted = fr.add(indices, fr.cast(sizes(), indices.dtype));
  return fr.whereV2(fr.less(indices, fr.zerosLike(indices)), counted, indices);
}

const gather: NodeImporter = (node) => {
  const [axis = 0] = node.axes([node.int('axis', 0)], node.rank(0));
  const params = node.input(0);
  const indices = fromFront(node.input(1), () => fr.gather(fr.shape(params), axis));
  return fr.gather(params, indices, { axis });
};

const gatherNd: NodeImporter = (node) => {
  const batch = node.int('batch_dims', 0);
  if (!(batch >= 0 && batch < node.rank(0))) node.fail(`batch_dims ${batch} of rank ${node.rank(0)}`);
  if (batch === 0) return fr.gatherNd(node.input(0), vectorIndices(node, 1));
  if (node.input(1).shape.dim(-1) !== 1) return fr.gatherNd(node.input(0), batchedVectors(node, batch));
  const size = fr.gather(fr.shape(node.input(0)), batch);
  const indices = fromFront(fr.squeeze(node.input(1), { axis: [-1] }), () => size);
  return fr.gather(node.input(0), indices, { axis: batch, batchDims: batch });
};

/** Index vectors along the last axis, of the axes from `first` on. */
function vectorIndices(node: ImportNode, index: number, first = 0): Tensor {
  const indices = node.input(index);
  const depth = indices.shape.dim(-1) ?? node.fail('the length of the index vectors is not known');
  return fromFront(indices, () => fr.slice(fr.shape(node.input(0)), [first], [depth]));
}

/** Index vectors with their places in the batch before them. */
function batchedVectors(node: ImportNode, batch: number): Tensor {
  const rank = node.rank(1);
  const own = vectorIndices(node, 1, batch);
  const zeros = fr.zerosLike(
    fr.slice(own, new Array<number>(rank).fill(0), [...new Array<number>(rank - 1).fill(-1), 1]),
  );
  const places = Array.from({ length: batch }, (_, axis) => {
    const range = fr.cast(fr.range(fr.gather(fr.shape(own), axis)), own.dtype);
    return fr.add(
      zeros,
      fr.reshape(
        range,
        Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)),
      ),
    );
  });
  return fr.concat([...places, own], -1);
}

/** The full positions that indices along one axis mean, [..., rank]. */
function positions(node: ImportNode, index: number): Tensor {
  const given = node.input(index);
  const rank = node.rank(0);
  const [axis = 0] = node.axes([node.int('axis', 0)], rank);
  const sizes = given.shape.toStatic();
  const chosen = fromFront(given, () => fr.gather(fr.shape(node.input(0)), axis));
  const parts = sizes.map((size, i) => {
    if (i === axis) return fr.cast(chosen, 'int32');
    const shape = sizes.map((_, k) => (k === i ? size : 1));
    return fr.broadcastTo(fr.reshape(fr.range(size), shape), sizes);
  });
  return fr.stack(parts, { axis: rank });
}

const scatterElements: NodeImporter = (node) => {
  const at = positions(node, 1);
  return scattered(node, at);
};

function scattered(node: ImportNode, at: Tensor): Tensor {
  const [data, updates] = [node.input(0), node.input(2)];
  switch (node.text('reduction', 'none')) {
    case 'none':
      return fr.tensorScatterUpdate(data, at, updates);
    case 'add':
      return fr.tensorScatterAdd(data, at, updates);
    case 'max':
      return fr.tensorScatterMax(data, at, updates);
    case 'min':
      return fr.tensorScatterMin(data, at, updates);
    case 'mul':
      return fr.mul(data, productsAt(data, at, updates));
    default:
      return node.fail(`the reduction "${node.text('reduction', '')}" is not known`);
  }
}

/** The product of all updates of each element, 1 where there are none. */
function productsAt(data: Tensor, at: Tensor, updates: Tensor): Tensor {
  const depth = at.shape.dim(-1) ?? 0;
  const sizes = fr.slice(fr.shape(data), [0], [depth]);
  const behind = fr.slice(fr.shape(data), [depth], [-1]);
  const strides = fr.cumprod(sizes, { exclusive: true, reverse: true });
  const places = fr.reshape(fr.reduceSum(fr.mul(fr.cast(at, 'int32'), strides), { axis: [-1] }), [-1]);
  const rows = fr.reshape(updates, fr.concat([fr.constant([-1], { dtype: 'int32' }), behind], 0));
  const products = fr.unsortedSegmentProd(rows, places, fr.reduceProd(sizes));
  return fr.reshape(products, fr.shape(data));
}

const oneHot: NodeImporter = (node) => {
  const depth = node.known(1)?.[0] ?? node.fail('the depth is missing');
  const [off, on] = [0, 1].map((i) => fr.gather(node.input(2), fr.constant(i, { dtype: 'int32' })));
  const rank = node.rank(0);
  const axis = node.int('axis', -1);
  const ids = fr.cast(node.input(0), 'int32');
  const indices = fr.whereV2(fr.less(ids, 0), fr.add(ids, depth), ids);
  const options = { onValue: on ?? 1, offValue: off ?? 0, axis: axis < 0 ? axis + rank + 1 : axis };
  return fr.oneHot(indices, depth, options);
};

const nonZero: NodeImporter = (node) => {
  const x = node.input(0);
  const mask = x.dtype === 'bool' ? x : fr.notEqual(x, fr.zerosLike(x));
  return fr.transpose(fr.where(mask), { perm: [1, 0] });
};

const trilu: NodeImporter = (node) => {
  const k = node.known(1)?.[0] ?? 0;
  const upper = node.int('upper', 1) === 1;
  const x = node.input(0);
  const [rows, columns] = [x.shape.dim(-2), x.shape.dim(-1)];
  if (rows === null || columns === null) return node.fail('the sizes of the matrices must be known');
  // Distance of each element from the main diagonal.
  const distance = fr.sub(fr.expandDims(fr.range(columns), 0), fr.expandDims(fr.range(rows), 1));
  const kept = upper ? fr.greaterEqual(distance, k) : fr.lessEqual(distance, k);
  return fr.whereV2(kept, x, fr.zerosLike(x));
};

const eyeLike: NodeImporter = (node) => {
  const [rows = 0, columns = 0] = node.input(0).shape.toStatic();
  const dtype = node.hasAttribute('dtype')
    ? onnxDType(node.int('dtype', 0), node.label)
    : node.input(0).dtype;
  const distance = fr.sub(fr.expandDims(fr.range(columns), 0), fr.expandDims(fr.range(rows), 1));
  return fr.cast(fr.equal(distance, node.int('k', 0)), dtype);
};

const depthToSpace: NodeImporter = (node) => {
  const block = node.int('blocksize', 1);
  const [batch, channels, height, width] = node.input(0).shape.dims ?? [];
  if (typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number')
    return node.fail('the size of the image must be known');
  const depth = channels / (block * block);
  const rows = batch ?? -1;
  const columnRow = node.text('mode', 'DCR') === 'CRD';
  const apart = columnRow
    ? [rows, depth, block, block, height, width]
    : [rows, block, block, depth, height, width];
  const perm = columnRow ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2];
  const moved = fr.transpose(fr.reshape(node.input(0), apart), { perm });
  return fr.reshape(moved, [rows, depth, height * block, width * block]);
};

const spaceToDepth: NodeImporter = (node) => {
  const block = node.int('blocksize', 1);
  const [batch, channels, height, width] = node.input(0).shape.dims ?? [];
  if (typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number')
    return node.fail('the size of the image must be known');
  const [rows, h, w] = [batch ?? -1, height / block, width / block];
  const apart = fr.reshape(node.input(0), [rows, channels, h, block, w, block]);
  return fr.reshape(fr.transpose(apart, { perm: [0, 3, 5, 1, 2, 4] }), [
    rows,
    channels * block * block,
    h,
    w,
  ]);
};

export const INDEX_OPS: Readonly<Record<string, NodeImporter>> = {
  DepthToSpace: depthToSpace,
  Det: (node) => fr.matrixDeterminant(node.input(0)),
  Einsum: (node) => fr.einsum(node.text('equation', '').replaceAll(' ', ''), ...node.inputs.map((_, i) => node.input(i))), // prettier-ignore
  EyeLike: eyeLike,
  Gather: gather,
  GatherElements: (node) => fr.gatherNd(node.input(0), positions(node, 1)),
  GatherND: gatherNd,
  NonZero: nonZero,
  OneHot: oneHot,
  ReverseSequence: (node) =>
    fr.reverseSequence(node.input(0), node.input(1), {
      seqAxis: node.int('time_axis', 0),
      batchAxis: node.int('batch_axis', 1),
    }),
  Scatter: scatterElements,
  ScatterElements: scatterElements,
  ScatterND: (node) => scattered(node, vectorIndices(node, 1)),
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
};
