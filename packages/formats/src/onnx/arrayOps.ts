/** Shapes, slices, joins and products of ONNX. */
import * as fr from '@forerun/graph';
import { TensorValue, type DType, type Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { fourBitRange, onnxDType } from './tensors.js';

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** A computed shape with the sizes of `x` in place of its zeros. */
function withSizesOf(x: Tensor, shape: Tensor): Tensor {
  const count = shape.shape.dim(0);
  if (count === null) return shape;
  const known = fr.constantValue(shape)?.data;
  const sizes = fr.shape(x);
  const own = (i: number): Tensor => fr.gather(sizes, fr.constant(i, { dtype: 'int32' }));
  const rank = x.shape.rank ?? 0;
  return fr.stack(
    fr.unstack(shape, { num: count }).map((asked, i) => {
      const value = known?.[i] ?? NaN;
      if (value === 0) return own(i);
      if (!Number.isNaN(value)) return fr.constant(value, { dtype: 'int32' });
      return i < rank ? fr.where(fr.equal(asked, 0), own(i), asked) : asked;
    }),
  );
}

const reshape: NodeImporter = (node) => {
  const x = node.input(0);
  const shape = node.ints('shape') ?? node.knownElements(1);
  if (shape === undefined) {
    const asked = fr.cast(node.input(1), 'int32');
    return fr.reshape(x, node.int('allowzero', 0) === 1 ? asked : withSizesOf(x, asked));
  }
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

/** A slice whose ends only a run knows. */
function openSlice(node: ImportNode): Tensor {
  const rank = node.rank(0);
  const count = node.input(1).shape.dim(0) ?? node.fail('the number of axes to slice is not known');
  const axes = node.axes(node.known(3) ?? range(0, count), rank);
  const steps = node.known(4) ?? axes.map(() => 1);
  const strides = range(0, rank).map((axis) => steps[axes.indexOf(axis)] ?? 1);
  const open = range(0, rank).reduce((mask, axis) => (axes.includes(axis) ? mask : mask | (1 << axis)), 0);
  const [begin, end] = [1, 2].map((index) => {
    const ends = fr.unstack(node.input(index), { num: count });
    const known = fr.constantValue(node.input(index))?.data;
    return axes.map((axis, i) => {
      const value = known?.[i] ?? NaN;
      // Far ends mean all there is, and need not fit into 32 bits.
      const far = Math.abs(value) >= 2 ** 31 - 1 ? Math.sign(value) * (2 ** 31 - 1) : value;
      const place = Number.isNaN(far)
        ? fr.cast(ends[i] ?? node.input(index), 'int32')
        : fr.constant(far, { dtype: 'int32' });
      return [axis, place] as const;
    });
  });
  const vector = (places: readonly (readonly [number, Tensor])[] | undefined): Tensor => {
    const byAxis = new Map(places);
    return fr.stack(range(0, rank).map((axis) => byAxis.get(axis) ?? fr.constant(0, { dtype: 'int32' })));
  };
  return fr.stridedSlice(node.input(0), vector(begin), vector(end), {
    strides,
    beginMask: open,
    endMask: open,
  });
}

const slice: NodeImporter = (node) => {
  const rank = node.rank(0);
  const starts = node.ints('starts') ?? node.knownElements(1);
  const ends = node.ints('ends') ?? node.knownElements(2);
  if (starts === undefined || ends === undefined) return openSlice(node);
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

/** What a border is filled with. */
function borderOf(node: ImportNode): Tensor | number {
  if (!node.has(2)) return node.float('value', 0);
  const known = node.knownElements(2)?.[0];
  return known ?? fr.reshape(node.input(2), []);
}

/** Pads that only a run knows. */
function openPad(node: ImportNode): Tensor {
  const rank = node.rank(0);
  const axes = node.axes(node.known(3) ?? range(0, rank), rank);
  const given = fr.transpose(fr.reshape(fr.cast(node.input(1), 'int32'), [2, axes.length]), { perm: [1, 0] });
  const none = fr.zeros([1, 2], { dtype: 'int32' });
  const rows = range(0, rank).map((axis) => axes.indexOf(axis));
  const row = (at: number): Tensor => (at < 0 ? none : fr.slice(given, [at, 0], [1, 2]));
  const table =
    axes.every((axis, i) => axis === i) && axes.length === rank ? given : fr.concat(rows.map(row), 0);
  const mode = node.text('mode', 'constant');
  if (mode === 'reflect') return fr.mirrorPad(node.input(0), table, 'REFLECT');
  if (mode !== 'constant') node.fail(`the mode "${mode}" with pads that are computed is not supported`);
  return fr.pad(node.input(0), table, { constantValues: borderOf(node) });
}

const pad: NodeImporter = (node) => {
  const pads = node.ints('pads') ?? node.knownElements(1);
  if (pads === undefined) return openPad(node);
  const rank = node.rank(0);
  const mode = node.text('mode', 'constant');
  const axes = node.axes(node.known(3) ?? range(0, rank), rank);
  const table = range(0, rank).map((i) => {
    const at = axes.indexOf(i);
    return at < 0 ? [0, 0] : [pads[at] ?? 0, pads[at + axes.length] ?? 0];
  });
  if (mode === 'reflect') return fr.mirrorPad(node.input(0), table, 'REFLECT');
  if (mode === 'edge') return repeated(node, table, (i, size) => Math.min(Math.max(i, 0), size - 1));
  if (mode === 'wrap') return repeated(node, table, (i, size) => ((i % size) + size) % size);
  if (mode !== 'constant') node.fail(`the mode "${mode}" is not supported`);
  return fr.pad(node.input(0), table, { constantValues: borderOf(node) });
};

/** Numbers from a start to a limit, each given as a scalar or as the only element of a vector. */
const rangeOf: NodeImporter = (node) => {
  const { dtype } = node.input(0);
  const scalar = (index: number): Tensor => {
    const x = node.input(index).shape.rank === 0 ? node.input(index) : fr.reshape(node.input(index), []);
    return dtype === 'float16' ? fr.cast(x, 'float32') : x;
  };
  const y = fr.range(scalar(0), scalar(1), { delta: scalar(2) });
  return dtype === 'float16' ? fr.cast(y, dtype) : y;
};

/** The places of all elements along a padded axis are computed when the model is read. */
const MAX_PADDED = 2 ** 20;

/** Borders that repeat elements of `x`: which, `place` says for each position from the front of `x`. */
function repeated(
  node: ImportNode,
  table: readonly (readonly number[])[],
  place: (position: number, size: number) => number,
): Tensor {
  return table.reduce((x, [before = 0, after = 0], axis) => {
    if (before === 0 && after === 0) return x;
    const size = x.shape.dim(axis) ?? node.fail('the size to pad is not known');
    if (before + size + after > MAX_PADDED)
      node.fail(`pads ${before} and ${after} of axis ${axis} are too large`);
    const places = range(-before, size + after).map((i) => place(i, size));
    return fr.gather(x, fr.constant(places, { dtype: 'int32' }), { axis });
  }, node.input(0));
}

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
  const texts = node.texts('value_strings');
  if (texts !== undefined) return fr.constant(texts);
  if (node.hasAttribute('value_string')) return fr.constant(node.text('value_string', ''));
  const ints = node.attribute('value_ints') ?? node.fail('a constant of this kind is not supported');
  return fr.constant(ints.ints, { dtype: 'int64' });
};

const matMul: NodeImporter = (node) => {
  const [a, b] = [node.input(0), node.input(1)];
  const [left, right] = [node.rank(0), node.rank(1)];
  if (left > 2 && right === 2) return fr.tensordot(a, b, 1);
  if (left >= 2 && right >= 2) return fr.matMul(a, b);
  // A vector is a row on the left and a column on the right; that axis is not in the result.
  if (left === 1 && right === 1) return fr.reduceSum(fr.mul(a, b));
  if (left === 1) return fr.squeeze(fr.matMul(fr.expandDims(a, 0), b), { axis: [-2] });
  return fr.tensordot(a, b, 1);
};

const gemm: NodeImporter = (node) => {
  const options = { transposeA: node.int('transA', 0) === 1, transposeB: node.int('transB', 0) === 1 };
  const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : fr.mul(x, factor));
  const y = scaled(fr.matMul(node.input(0), node.input(1), options), node.float('alpha', 1));
  return node.has(2) ? fr.add(y, scaled(node.input(2), node.float('beta', 1))) : y;
};

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

/** The sizes of all axes, or of those from `start` to `end`. */
const shapeOf: NodeImporter = (node) => {
  const sizes = fr.shape(node.input(0), { outType: 'int64' });
  if (!node.hasAttribute('start') && !node.hasAttribute('end')) return sizes;
  const rank = node.rank(0);
  const [start = 0, end = rank] = [node.int('start', 0), node.int('end', rank)].map((at) =>
    Math.min(Math.max(at < 0 ? at + rank : at, 0), rank),
  );
  return fr.slice(sizes, [start], [Math.max(0, end - start)]);
};

/** A cast; to integers of four bits, which are kept in bytes, the upper bits are dropped. */
function castTo(node: ImportNode, dtype: DType, range: readonly [number, number] | undefined): Tensor {
  const x = node.input(0);
  if (range === undefined) return fr.cast(x, dtype);
  const [least] = range;
  const whole = fr.cast(x, 'int32');
  const kept = fr.sub(fr.floorMod(fr.sub(whole, least), fr.constant(16, { dtype: 'int32' })), -least);
  const y = fr.cast(kept, dtype);
  node.knowledge.fourBits.set(y, range);
  return y;
}

/** The identity, and a mask of what is kept: all. Where the model says that it trains, elements are dropped. */
const dropout: NodeImporter = (node) => {
  const x = node.input(0);
  if (!node.has(2) || node.knownElements(2)?.[0] === 0) return [x, fr.onesLike(fr.cast(x, 'bool'))];
  const ratio = node.has(1) ? fr.cast(node.input(1), x.dtype) : fr.cast(0.5, x.dtype);
  const share = fr.mul(ratio, fr.cast(node.input(2), x.dtype));
  const kept = fr.greaterEqual(fr.randomUniform(fr.shape(x), { dtype: x.dtype }), share);
  return [fr.mul(fr.div(x, fr.sub(1, share)), fr.cast(kept, x.dtype)), kept];
};

const transpose: NodeImporter = (node) =>
  fr.transpose(node.input(0), { perm: node.ints('perm') ?? range(0, node.rank(0)).reverse() });

export const ARRAY_OPS: Readonly<Record<string, NodeImporter>> = {
  BitCast: (node) => fr.bitcast(node.input(0), onnxDType(node.int('to', 0), node.label)),
  Cast: (node) => castTo(node, onnxDType(node.int('to', 0), node.label), fourBitRange(node.int('to', 0))),
  CastLike: (node) => castTo(node, node.input(1).dtype, node.knowledge.fourBits.get(node.input(1))),
  Concat: (node) =>
    fr.concat(
      node.inputs.map((_, i) => node.input(i)),
      node.axes([node.int('axis', 0)], node.rank(0))[0] ?? 0,
    ),
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Dropout: dropout,
  Expand: expand,
  Flatten: flatten,
  Gemm: gemm,
  // Sequences and optionals are known by their tensors.
  Identity: (node) => (node.input(0).dtype === 'variant' ? node.input(0) : fr.identity(node.input(0))),
  LogSoftmax: softmaxOf(fr.logSoftmax),
  MatMul: matMul,
  Pad: pad,
  Reshape: reshape,
  Range: rangeOf,
  Shape: shapeOf,
  Size: (node) => fr.size(node.input(0), { outType: 'int64' }),
  Slice: slice,
  Softmax: softmaxOf(fr.softmax),
  Split: split,
  Squeeze: squeeze,
  Tile: (node) => fr.tile(node.input(0), fr.cast(node.input(1), 'int32')),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
