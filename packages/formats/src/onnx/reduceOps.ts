/** Reductions of ONNX, positions of extremes, running sums, the largest elements. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { NodeImporter } from './importNode.js';

type Reduce = (x: Tensor, options: { axis?: number[]; keepDims?: boolean }) => Tensor;

function reduction(reduce: Reduce): NodeImporter {
  return (node) => {
    const axes = node.list('axes', 1);
    const keepDims = node.int('keepdims', 1) === 1;
    const none = axes === undefined || axes.length === 0;
    if (none && node.int('noop_with_empty_axes', 0) === 1) return node.input(0);
    const rank = node.rank(0);
    const axis = none ? Array.from({ length: rank }, (_, i) => i) : node.axes(axes, rank);
    return reduce(node.input(0), { axis, keepDims });
  };
}

/** `reduce`, of booleans `logical`. */
const forBooleans =
  (reduce: Reduce, logical: Reduce): Reduce =>
  (x, options) =>
    (x.dtype === 'bool' ? logical : reduce)(x, options);

function argument(find: typeof fr.argMax): NodeImporter {
  return (node) => {
    const rank = node.rank(0);
    const [axis = 0] = node.axes([node.int('axis', 0)], rank);
    const x = node.input(0);
    const keep = (y: Tensor): Tensor => (node.int('keepdims', 1) === 1 ? fr.expandDims(y, axis) : y);
    if (node.int('select_last_index', 0) === 0) return keep(find(x, { axis, outputType: 'int64' }));
    // The last of equals is the first one from the end.
    const size = x.shape.dim(axis) ?? node.fail('the size to search is not known');
    const position = find(fr.reverse(x, [axis]), { axis, outputType: 'int64' });
    return keep(fr.sub(fr.constant(size - 1, { dtype: 'int64' }), position));
  };
}

function cumulative(along: typeof fr.cumsum): NodeImporter {
  return (node) => {
    const [axis = 0] = node.axes([node.known(1)?.[0] ?? 0], node.rank(0));
    const [exclusive, reverse] = [node.int('exclusive', 0) === 1, node.int('reverse', 0) === 1];
    return along(node.input(0), { axis, exclusive, reverse });
  };
}

const topK: NodeImporter = (node) => {
  const rank = node.rank(0);
  const [axis = 0] = node.axes([node.int('axis', -1)], rank);
  const k = node.opset < 10 ? [node.int('k', 1)] : (node.known(1) ?? [1]);
  const perm = Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i));
  const turned = (x: Tensor): Tensor => (axis === rank - 1 ? x : fr.transpose(x, { perm }));
  const largest = node.int('largest', 1) === 1;
  const x = turned(node.input(0));
  const [values, indices] = fr.topK(largest ? x : fr.neg(x), { k: k[0] ?? 1 });
  return [turned(largest ? values : fr.neg(values)), fr.cast(turned(indices), 'int64')];
};

const hardmax: NodeImporter = (node) => {
  const rank = node.rank(0);
  const [axis = 0] = node.axes([node.int('axis', node.opset < 13 ? 1 : -1)], rank);
  if (node.opset < 13 && axis !== rank - 1)
    node.fail('before operator set 13 only the last axis is supported');
  const size = node.input(0).shape.dim(axis) ?? node.fail('the size of the axis is not known');
  return fr.oneHot(fr.argMax(node.input(0), { axis }), size, { axis });
};

export const REDUCE_OPS: Readonly<Record<string, NodeImporter>> = {
  ArgMax: argument(fr.argMax),
  ArgMin: argument(fr.argMin),
  CumProd: cumulative(fr.cumprod),
  CumSum: cumulative(fr.cumsum),
  Hardmax: hardmax,
  ReduceL1: reduction((x, options) => fr.reduceSum(fr.abs(x), options)),
  ReduceL2: reduction((x, options) => fr.sqrt(fr.reduceSum(fr.square(x), options))),
  ReduceLogSum: reduction((x, options) => fr.log(fr.reduceSum(x, options))),
  ReduceLogSumExp: reduction((x, options) => fr.reduceLogSumExp(x, options)),
  ReduceMax: reduction(forBooleans(fr.reduceMax, fr.reduceAny)),
  ReduceMean: reduction(fr.reduceMean),
  ReduceMin: reduction(forBooleans(fr.reduceMin, fr.reduceAll)),
  ReduceProd: reduction(fr.reduceProd),
  ReduceSum: reduction(fr.reduceSum),
  ReduceSumSquare: reduction((x, options) => fr.reduceSum(fr.square(x), options)),
  TopK: topK,
};
