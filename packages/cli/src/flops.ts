/**
 * Floating-point operations of one node. A multiplication and an addition count as two; an elementwise op
 * counts one per output element whatever its function; moving data, shapes and random numbers count nothing.
 * Taps of a convolution that fall into the padding are counted, as in TensorFlow's own statistics.
 */
import { isFloating, type Operation } from '@forerun/graph';
import { kernelOf } from './support.js';

/** Operations of a node, or `null` when its shapes are not known well enough. */
type FlopRule = (op: Operation) => number | null;

/** Product of what is known, or `null`. */
function product(...factors: readonly (number | null | undefined)[]): number | null {
  let result = 1;
  for (const factor of factors) {
    if (factor === null || factor === undefined) return null;
    result *= factor;
  }
  return result;
}

const inputSize = (op: Operation, i: number): number | null => op.inputs[i]?.shape.size ?? null;
const outputSize = (op: Operation): number | null => op.outputs[0]?.shape.size ?? null;

function inputDim(op: Operation, i: number, axis: number): number | null {
  const shape = op.inputs[i]?.shape;
  return shape === undefined || shape.rank === null ? null : shape.dim(axis);
}

/** One output element is a dot product along the inner dimension of the left operand. */
function matMul(transposeAttr: string): FlopRule {
  return (op) => product(2, outputSize(op), inputDim(op, 0, op.attrs.bool(transposeAttr) ? -2 : -1));
}

/** Taps and input channels behind one output element of a convolution with filter [...window, in, out]. */
function taps(filter: Operation['outputs'][number]['shape'] | undefined): number | null {
  return filter?.slice(0, -1).size ?? null;
}

/** Taps of a filter [height, width, ...]. */
function window(filter: Operation['outputs'][number]['shape'] | undefined): number | null {
  return filter?.slice(0, 2).size ?? null;
}

/** Per element of a pooled tensor: one operation for each element of the window. */
function pooling(pooled: (op: Operation) => number | null): FlopRule {
  return (op) => product(pooled(op), ...op.attrs.ints('ksize'));
}

const perInput =
  (count: number, input = 0): FlopRule =>
  (op) =>
    product(count, inputSize(op, input));

/** Per element of the variable that an optimizer changes. */
const perParameter =
  (count: number): FlopRule =>
  (op) =>
    product(count, (op.inputs[0]?.handle?.shape ?? op.inputs[0]?.shape)?.size);

const RULES: Readonly<Record<string, FlopRule>> = {
  MatMul: matMul('transpose_a'),
  BatchMatMul: matMul('adj_x'),
  BatchMatMulV2: matMul('adj_x'),
  Conv2D: (op) => product(2, outputSize(op), taps(op.inputs[1]?.shape)),
  Conv2DBackpropInput: (op) => product(2, inputSize(op, 2), taps(op.inputs[1]?.shape)),
  Conv2DBackpropFilter: (op) => product(2, inputSize(op, 2), taps(op.outputs[0]?.shape)),
  Conv3D: (op) => product(2, outputSize(op), taps(op.inputs[1]?.shape)),
  Conv3DBackpropInputV2: (op) => product(2, inputSize(op, 2), taps(op.inputs[1]?.shape)),
  Conv3DBackpropFilterV2: (op) => product(2, inputSize(op, 2), taps(op.outputs[0]?.shape)),
  // One channel behind every output element.
  DepthwiseConv2dNative: (op) => product(2, outputSize(op), window(op.inputs[1]?.shape)),
  DepthwiseConv2dNativeBackpropInput: (op) => product(2, inputSize(op, 2), window(op.inputs[1]?.shape)),
  DepthwiseConv2dNativeBackpropFilter: (op) => product(2, inputSize(op, 2), window(op.outputs[0]?.shape)),
  Dilation2D: (op) => product(2, outputSize(op), window(op.inputs[1]?.shape)),
  Dilation2DBackpropInput: (op) => product(2, inputSize(op, 2), window(op.inputs[1]?.shape)),
  Dilation2DBackpropFilter: (op) => product(2, inputSize(op, 2), window(op.inputs[1]?.shape)),
  MaxPool: pooling(outputSize),
  AvgPool: pooling(outputSize),
  MaxPoolGrad: pooling((op) => inputSize(op, 2)),
  MaxPoolGradGrad: pooling((op) => inputSize(op, 1)),
  AvgPoolGrad: pooling((op) => inputSize(op, 1)),
  MaxPool3D: pooling(outputSize),
  AvgPool3D: pooling(outputSize),
  MaxPool3DGrad: pooling((op) => inputSize(op, 2)),
  MaxPool3DGradGrad: pooling((op) => inputSize(op, 1)),
  AvgPool3DGrad: pooling((op) => inputSize(op, 1)),
  MaxPoolWithArgmax: pooling(outputSize),
  BiasAdd: outputSize,
  BiasAddGrad: perInput(1),
  AddN: (op) => product(op.inputs.length - 1, outputSize(op)),
  SquaredDifference: (op) => product(2, outputSize(op)),
  Sum: perInput(1),
  Prod: perInput(1),
  Mean: perInput(1),
  Max: perInput(1),
  Min: perInput(1),
  ArgMax: perInput(1),
  ArgMin: perInput(1),
  Cumsum: perInput(1),
  Cumprod: perInput(1),
  UnsortedSegmentSum: perInput(1),
  EuclideanNorm: perInput(2),
  L2Loss: perInput(2),
  // Maximum, difference, exponential, sum, quotient (or difference).
  Softmax: perInput(5),
  LogSoftmax: perInput(5),
  // The five of softmax; product with the labels and sum; gradient.
  SoftmaxCrossEntropyWithLogits: perInput(8),
  SparseSoftmaxCrossEntropyWithLogits: perInput(6),
  ResourceApplyGradientDescent: perParameter(2),
  ApplyGradientDescent: perParameter(2),
  ResourceApplyMomentum: perParameter(4),
  ApplyMomentum: perParameter(4),
  ResourceApplyAdam: perParameter(12),
  ApplyAdam: perParameter(12),
  AssignAddVariableOp: perParameter(1),
  AssignSubVariableOp: perParameter(1),
  AssignAdd: perParameter(1),
  AssignSub: perParameter(1),
};

/** Elementwise kernels that only copy or convert. */
const FREE: ReadonlySet<string> = new Set(['Cast', 'ZerosLike', 'OnesLike', 'Fill', 'BroadcastTo']);

/** FLOPs of one run of a node; `null` when its shapes, or its op, are not known. */
export function flopsOf(op: Operation): number | null {
  const tensors = [...op.inputs, ...op.outputs];
  if (op.def === undefined) return null;
  const floating = tensors.some((tensor) => isFloating(tensor.handle?.dtype ?? tensor.dtype));
  if (!floating) return 0;
  const rule = Object.hasOwn(RULES, op.type) ? RULES[op.type] : undefined;
  if (rule !== undefined) return rule(op);
  const isElementwise = kernelOf(op.type)?.kind === 'elementwise' && !FREE.has(op.type);
  return isElementwise ? outputSize(op) : 0;
}
