/** Shapes, slices, joins, reductions and products of ONNX. */
import * as fr from '@forerun/graph';
import { TensorValue, type Tensor } from '@forerun/graph';
import type { NodeImporter } from './importNode.js';
import { onnxDType } from './tensors.js';

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

const reshape: NodeImporter = (node) => {
  const x = node.input(0);
  const shape = node.ints('shape') ?? node.knownElements(1);
  if (shape === undefined) return fr.reshape(x, fr.cast(node.input(1), 'int32'));
  if (node.int('allowzero', 0) === 1 || !shape.includes(0)) return fr.reshape(x, shape);
  if (shape.every((dim, i) => dim !== 0 || x.shape.dim(i) !== null)) {
    return fr.reshape(
      x,
      shape.map((dim, i) => (dim === 0 ? (x.shape.dim(i) ?? 0) : dim)),
    );
  }
  const sizes = fr.unstack(fr.shape(x), { num: node.rank(0) });
  return fr.reshape(
    x,
    fr.stack(shape.map((dim, i) => (dim === 0 ? (sizes[i] ?? dim) : fr.constant(dim, { dtype: 'int32' })))),
  );
};

const flatten: NodeImporter = (node) => {
  const rank = node.rank(0);
  const axis = node.int('axis', 1) < 0 ? node.int('axis', 1) + rank : node.int('axis', 1);
  const dims = node.input(0).shape.dims ?? [];
  const after = dims.slice(axis).reduce<number>((size, dim) => size * (dim ?? NaN), 1);
  if (axis === 0) return fr.reshape(node.input(0), [1, -1]);
  if (!Number.isNaN(after)) return fr.reshape(node.input(0), [-1, after]);
  const before = dims.slice(0, axis).reduce<number>((size, dim) => size * (dim ?? NaN), 1);
  return Number.isNaN(before)
    ? node.fail('too little is known of the shape')
    : fr.reshape(node.input(0), [before, -1]);
};

const squeeze: NodeImporter = (node) => {
  const axes = node.list('axes', 1);
  return fr.squeeze(node.input(0), axes === undefined ? {} : { axis: node.axes(axes, node.rank(0)) });
};

const unsqueeze: NodeImporter = (node) => {
  const axes = node.list('axes', 1) ?? node.fail('axes are missing');
  const rank = node.rank(0) + axes.length;
  return node
    .axes(axes, rank)
    .sort((a, b) => a - b)
    .reduce((x, axis) => fr.expandDims(x, axis), node.input(0));
};

const slice: NodeImporter = (node) => {
  const rank = node.rank(0);
  const [starts, ends] = [node.list('starts', 1) ?? [], node.list('ends', 2) ?? []];
  const axes = node.axes(node.list('axes', 3) ?? range(0, starts.length), rank);
  const steps = node.known(4) ?? starts.map(() => 1);
  const [begin, end, strides] = [
    new Array<number>(rank).fill(0),
    new Array<number>(rank).fill(0),
    new Array<number>(rank).fill(1),
  ];
  let [beginMask, endMask] = [2 ** rank - 1, 2 ** rank - 1];
  axes.forEach((axis, i) => {
    const [start = 0, stop = 0, step = 1] = [starts[i], ends[i], steps[i]];
    strides[axis] = step;
    if (Math.abs(start) < 2 ** 31 - 1) [begin[axis], beginMask] = [start, beginMask & ~(1 << axis)];
    if (Math.abs(stop) < 2 ** 31 - 1) [end[axis], endMask] = [stop, endMask & ~(1 << axis)];
  });
  return fr.stridedSlice(node.input(0), begin, end, { strides, beginMask, endMask });
};

const split: NodeImporter = (node) => {
  const count = node.def.output.length;
  const [axis = 0] = node.axes([node.int('axis', 0)], node.rank(0));
  const sizes = node.list('split', 1);
  if (sizes !== undefined) return fr.split(node.input(0), sizes, { axis, num: count });
  const size = node.input(0).shape.dim(axis) ?? node.fail('the size to split is not known');
  const part = Math.ceil(size / count);
  return fr.split(
    node.input(0),
    range(0, count).map((i) => Math.min(part, size - i * part)),
    { axis, num: count },
  );
};

const pad: NodeImporter = (node) => {
  const pads = node.list('pads', 1) ?? node.fail('pads are missing');
  const rank = node.rank(0);
  if (node.has(3)) node.fail('pads of chosen axes are not supported');
  const mode = node.text('mode', 'constant');
  const table = range(0, rank).map((i) => [pads[i] ?? 0, pads[i + rank] ?? 0]);
  if (mode === 'reflect') return fr.mirrorPad(node.input(0), table, 'REFLECT');
  if (mode !== 'constant') node.fail(`the mode "${mode}" is not supported`);
  return fr.pad(node.input(0), table, { constantValues: node.known(2)?.[0] ?? node.float('value', 0) });
};

const gather: NodeImporter = (node) => {
  const [axis = 0] = node.axes([node.int('axis', 0)], node.rank(0));
  const [params, indices] = [node.input(0), node.input(1)];
  const known = fr.constantValue(indices);
  if (known?.data.every((index) => index >= 0) === true) return fr.gather(params, indices, { axis });
  // Negative indices count from the end.
  const size = fr.cast(fr.gather(fr.shape(params), axis), indices.dtype);
  return fr.gather(
    params,
    fr.where(fr.less(indices, fr.zerosLike(indices)), fr.add(indices, size), indices),
    { axis },
  );
};

const expand: NodeImporter = (node) => {
  const shape = fr.cast(node.input(1), 'int32');
  return fr.broadcastTo(node.input(0), fr.broadcastDynamicShape(fr.shape(node.input(0)), shape));
};

const constantOfShape: NodeImporter = (node) => {
  const value = node.tensor('value') ?? new TensorValue('float32', [1], Float32Array.of(0));
  return fr.fill(
    fr.cast(node.input(0), 'int32'),
    node.constant(new TensorValue(value.dtype, [], value.data)),
  );
};

const constant: NodeImporter = (node) => {
  const value = node.tensor('value');
  if (value !== undefined) return node.constant(value);
  const float = node.attribute('value_float');
  if (float !== undefined) return fr.constant(float.f);
  const int = node.attribute('value_int');
  if (int !== undefined) return fr.constant(int.i, { dtype: 'int64' });
  const floats = node.attribute('value_floats');
  if (floats !== undefined) return fr.constant(floats.floats);
  const ints = node.attribute('value_ints') ?? node.fail('a constant of this kind is not supported');
  return fr.constant(ints.ints, { dtype: 'int64' });
};

const matMul: NodeImporter = (node) => {
  const [a, b] = [node.input(0), node.input(1)];
  if (node.rank(0) === 2 && node.rank(1) === 2) return fr.matMul(a, b);
  if (node.rank(0) > 2 && node.rank(1) === 2) return fr.tensordot(a, b, 1);
  if (node.rank(0) < 2 || node.rank(1) < 2) node.fail('products with vectors are not supported');
  return fr.matMul(a, b);
};

const gemm: NodeImporter = (node) => {
  const options = { transposeA: node.int('transA', 0) === 1, transposeB: node.int('transB', 0) === 1 };
  const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : fr.mul(x, factor));
  const y = scaled(fr.matMul(node.input(0), node.input(1), options), node.float('alpha', 1));
  return node.has(2) ? fr.add(y, scaled(node.input(2), node.float('beta', 1))) : y;
};

type Reduce = (x: Tensor, options: { axis?: number[]; keepDims?: boolean }) => Tensor;

function reduction(reduce: Reduce): NodeImporter {
  return (node) => {
    const axes = node.list('axes', 1);
    const keepDims = node.int('keepdims', 1) === 1;
    if ((axes === undefined || axes.length === 0) && node.int('noop_with_empty_axes', 0) === 1)
      return node.input(0);
    const axis =
      axes === undefined || axes.length === 0 ? range(0, node.rank(0)) : node.axes(axes, node.rank(0));
    return reduce(node.input(0), { axis, keepDims });
  };
}

function argument(find: typeof fr.argMax): NodeImporter {
  return (node) => {
    const [axis = 0] = node.axes([node.int('axis', 0)], node.rank(0));
    if (node.int('select_last_index', 0) === 1) node.fail('select_last_index is not supported');
    const y = find(node.input(0), { axis, outputType: 'int64' });
    return node.int('keepdims', 1) === 1 ? fr.expandDims(y, axis) : y;
  };
}

/** Softmax along one axis; before operator set 13, along all from that axis on. */
function softmaxOf(along: typeof fr.softmax): NodeImporter {
  return (node) => {
    const rank = node.rank(0);
    const [axis = 0] = node.axes([node.int('axis', node.opset < 13 ? 1 : -1)], rank);
    if (node.opset >= 13 || axis === rank - 1) return along(node.input(0), { axis });
    const x = node.input(0);
    const inner = x.shape
      .toStatic()
      .slice(axis)
      .reduce((size, dim) => size * dim, 1);
    return fr.reshape(along(fr.reshape(x, [-1, inner])), fr.shape(x));
  };
}

const transpose: NodeImporter = (node) =>
  fr.transpose(node.input(0), { perm: node.ints('perm') ?? range(0, node.rank(0)).reverse() });

const resize: NodeImporter = (node) => {
  const mode = node.text('mode', 'nearest');
  const sizes = node.has(3) ? node.known(3) : undefined;
  const scales =
    node.def.opType === 'Upsample'
      ? node.known(1)
      : node.has(2) && node.input(2).shape.size !== 0
        ? node.known(2)
        : undefined;
  const dims = node.input(0).shape.dims ?? [];
  const target = [2, 3].map(
    (i) => sizes?.[i] ?? Math.floor((dims[i] ?? node.fail('the size is not known')) * (scales?.[i] ?? 1)),
  );
  const how = node.text(
    'coordinate_transformation_mode',
    node.def.opType === 'Upsample' ? 'asymmetric' : 'half_pixel',
  );
  const last = fr.transpose(node.input(0), { perm: [0, 2, 3, 1] });
  const options = {
    alignCorners: how === 'align_corners',
    halfPixelCenters: how === 'half_pixel' || how === 'pytorch_half_pixel',
  };
  if (!['align_corners', 'half_pixel', 'pytorch_half_pixel', 'asymmetric'].includes(how))
    node.fail(`the coordinate mode "${how}" is not supported`);
  if (mode === 'linear')
    return fr.transpose(fr.resizeBilinear(last, target, options), { perm: [0, 3, 1, 2] });
  const rounding = node.text('nearest_mode', 'round_prefer_floor');
  const whole = target.every((size, i) => size % (dims[i + 2] ?? NaN) === 0);
  if (mode !== 'nearest' || !(whole || (rounding === 'floor' && how === 'asymmetric'))) {
    node.fail(`resizing with mode "${mode}" (${rounding}, ${how}) is not supported`);
  }
  return fr.transpose(fr.resizeNearestNeighbor(last, target, {}), { perm: [0, 3, 1, 2] });
};

export const ARRAY_OPS: Readonly<Record<string, NodeImporter>> = {
  ArgMax: argument(fr.argMax),
  ArgMin: argument(fr.argMin),
  Cast: (node) => fr.cast(node.input(0), onnxDType(node.int('to', 0), node.label)),
  Concat: (node) =>
    fr.concat(
      node.inputs.map((_, i) => node.input(i)),
      node.axes([node.int('axis', 0)], node.rank(0))[0] ?? 0,
    ),
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Dropout: (node) => node.input(0),
  Expand: expand,
  Flatten: flatten,
  Gather: gather,
  Gemm: gemm,
  Identity: (node) => fr.identity(node.input(0)),
  LogSoftmax: softmaxOf(fr.logSoftmax),
  MatMul: matMul,
  Pad: pad,
  ReduceMax: reduction(fr.reduceMax),
  ReduceMean: reduction(fr.reduceMean),
  ReduceMin: reduction(fr.reduceMin),
  ReduceProd: reduction(fr.reduceProd),
  ReduceSum: reduction(fr.reduceSum),
  Reshape: reshape,
  Resize: resize,
  Shape: (node) => fr.shape(node.input(0), { outType: 'int64' }),
  Slice: slice,
  Softmax: softmaxOf(fr.softmax),
  Split: split,
  Squeeze: squeeze,
  Tile: (node) => fr.tile(node.input(0), fr.cast(node.input(1), 'int32')),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Upsample: resize,
};
