/**
 * Floating-point operations of one node. A multiplication and an addition count as two; an elementwise op
 * counts one per output element whatever its function; moving data, shapes and random numbers count nothing.
 * Taps of a convolution that fall into the padding are counted, as in TensorFlow's own statistics.
 */
import { isFloating, type Operation, type Tensor } from '@forerun/graph';
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

/** An op with others fused to it, each of which takes one operation per output element. */
function fused(rule: FlopRule): FlopRule {
  return (op) => {
    const own = rule(op);
    const others = product(op.attrs.strings('fused_ops').length, outputSize(op));
    return own === null || others === null ? null : own + others;
  };
}

const convolution: FlopRule = (op) => product(2, outputSize(op), taps(op.inputs[1]?.shape));
/** One channel behind every output element. */
const depthwise: FlopRule = (op) => product(2, outputSize(op), window(op.inputs[1]?.shape));

/** Scale and offset; in training the mean (1) and the variance (3) first. */
const batchNorm: FlopRule = (op) => product(op.attrs.bool('is_training') ? 6 : 2, inputSize(op, 0));

/** Per element: square and add over the window, then bias, power and quotient. */
const responseNorm: FlopRule = (op) =>
  product(2 * (2 * op.attrs.int('depth_radius') + 1) + 3, inputSize(op, 0));

/** A product and a sum for every combination of labels; of one operand a sum for each of its elements. */
const einsum: FlopRule = (op) => {
  const [left = ''] = op.attrs.string('equation').replaceAll(' ', '').split('->');
  const operands = left.split(',');
  if (left.includes('.')) return null;
  const dims = new Map<string, number | null>();
  operands.forEach((labels, i) =>
    Array.from(labels).forEach((label, axis) => dims.set(label, inputDim(op, i, axis))),
  );
  return product(operands.length, ...dims.values());
};

/** The leading term of a direct method for matrices [..., m, n], by `cost(m, n)` for each of them. */
function perMatrix(cost: (m: number, n: number, columns: number) => number): FlopRule {
  return (op) => {
    const [m, n] = [inputDim(op, 0, -2), inputDim(op, 0, -1)];
    const count = op.inputs[0]?.shape.slice(0, -2).size ?? null;
    const columns = op.inputs[1] === undefined ? 0 : inputDim(op, 1, -1);
    return m === null || n === null || columns === null
      ? null
      : product(count, Math.round(cost(m, n, columns)));
  };
}

/** Per parameter, by the name that optimizers' updates have behind `Apply`. */
const OPTIMIZERS: Readonly<Record<string, number>> = {
  GradientDescent: 2,
  Momentum: 4,
  KerasMomentum: 4,
  Adagrad: 6,
  AdagradV2: 7,
  ProximalGradientDescent: 6,
  AddSign: 8,
  AdagradDA: 8,
  AdaMax: 9,
  PowerSign: 9,
  ProximalAdagrad: 10,
  RMSProp: 10,
  Adam: 12,
  Ftrl: 12,
  FtrlV2: 13,
  AdamWithAmsgrad: 13,
  CenteredRMSProp: 13,
  Adadelta: 14,
};

const RULES: Readonly<Record<string, FlopRule>> = {
  MatMul: matMul('transpose_a'),
  BatchMatMul: matMul('adj_x'),
  BatchMatMulV2: matMul('adj_x'),
  BatchMatMulV3: matMul('adj_x'),
  _FusedMatMul: fused(matMul('transpose_a')),
  Einsum: einsum,
  SparseTensorDenseMatMul: (op) => product(2, inputSize(op, 1), op.outputs[0]?.shape.dim(-1)),
  Conv2D: convolution,
  _FusedConv2D: fused(convolution),
  Conv2DBackpropInput: (op) => product(2, inputSize(op, 2), taps(op.inputs[1]?.shape)),
  Conv2DBackpropFilter: (op) => product(2, inputSize(op, 2), taps(op.outputs[0]?.shape)),
  Conv3D: convolution,
  Conv3DBackpropInputV2: (op) => product(2, inputSize(op, 2), taps(op.inputs[1]?.shape)),
  Conv3DBackpropFilterV2: (op) => product(2, inputSize(op, 2), taps(op.outputs[0]?.shape)),
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: fused(depthwise),
  _FusedDepthwiseConv2dNative: fused(depthwise),
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
  UnsortedSegmentProd: perInput(1),
  UnsortedSegmentMax: perInput(1),
  UnsortedSegmentMin: perInput(1),
  SegmentSum: perInput(1),
  SegmentMean: perInput(1),
  SegmentProd: perInput(1),
  SegmentMax: perInput(1),
  SegmentMin: perInput(1),
  ResourceScatterAdd: perInput(1, 2),
  ResourceScatterSub: perInput(1, 2),
  ResourceScatterMul: perInput(1, 2),
  ResourceScatterDiv: perInput(1, 2),
  TensorScatterAdd: perInput(1, 2),
  TensorScatterSub: perInput(1, 2),
  EuclideanNorm: perInput(2),
  L2Loss: perInput(2),
  // Maximum, difference, exponential, sum, quotient (or difference).
  Softmax: perInput(5),
  LogSoftmax: perInput(5),
  // The five of softmax; product with the labels and sum; gradient.
  SoftmaxCrossEntropyWithLogits: perInput(8),
  SparseSoftmaxCrossEntropyWithLogits: perInput(6),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  // Sums of dy (1) and dy * x (3), then dx.
  FusedBatchNormGrad: perInput(9),
  FusedBatchNormGradV2: perInput(9),
  FusedBatchNormGradV3: perInput(9),
  LRN: responseNorm,
  // Three differences of two corners each, with their weights.
  ResizeBilinear: (op) => product(7, outputSize(op)),
  CropAndResize: (op) => product(7, outputSize(op)),
  // Five sums of four taps.
  ResizeBicubic: (op) => product(35, outputSize(op)),
  Cross: (op) => product(3, outputSize(op)),
  Cholesky: perMatrix((n) => n ** 3 / 3),
  MatrixDeterminant: perMatrix((n) => (2 * n ** 3) / 3),
  LogMatrixDeterminant: perMatrix((n) => (2 * n ** 3) / 3),
  MatrixInverse: perMatrix((n) => 2 * n ** 3),
  MatrixSolve: perMatrix((n, _, k) => (2 * n ** 3) / 3 + 2 * n * n * k),
  MatrixTriangularSolve: perMatrix((n, _, k) => n * n * k),
  Qr: perMatrix((m, n) => 2 * n * n * (m - n / 3)),
  SelfAdjointEigV2: perMatrix((n) => 9 * n ** 3),
  AssignAddVariableOp: perParameter(1),
  AssignSubVariableOp: perParameter(1),
  AssignAdd: perParameter(1),
  AssignSub: perParameter(1),
};

/** Of `ResourceApplyAdam`, `ApplyAdam`. */
function optimizerRule(type: string): FlopRule | undefined {
  const name = /^(?:Resource)?Apply(\w+)$/.exec(type)?.[1] ?? '';
  return Object.hasOwn(OPTIMIZERS, name) ? perParameter(OPTIMIZERS[name] ?? 0) : undefined;
}

/** Elementwise kernels that only copy or convert. */
const FREE: ReadonlySet<string> = new Set(['Cast', 'ZerosLike', 'OnesLike', 'Fill', 'BroadcastTo']);

/** Whether a tensor, or the variable that it is a handle of, holds floating-point numbers. */
function isReal({ handle, dtype }: Tensor): boolean {
  return isFloating(handle?.dtype ?? dtype);
}

/** FLOPs of one run of a node; `null` when its shapes, or its op, are not known. */
export function flopsOf(op: Operation): number | null {
  if (op.def === undefined) return null;
  if (!op.inputs.some(isReal) && !op.outputs.some(isReal)) return 0;
  const rule = Object.hasOwn(RULES, op.type) ? RULES[op.type] : optimizerRule(op.type);
  if (rule !== undefined) return rule(op);
  const isElementwise = kernelOf(op.type)?.kind === 'elementwise' && !FREE.has(op.type);
  return isElementwise ? outputSize(op) : 0;
}
