/** Kernels of neural network ops: bias, softmax, cross-entropies. */
import { lowerCtcLoss } from './ctc.js';
import { sizeOf, type OpName } from '@forerun/graph';
import { QUANTIZE_KERNELS } from './quantize.js';
import {
  composed,
  LOADS_ONCE,
  STORES_ONCE,
  type KernelFacts,
  device,
  hostOp,
  elementwise,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { lowerReduction } from './reduce.js';
import { SUM } from './reduction.js';
import { lowerCrossEntropy, lowerSoftmax, lowerSparseCrossEntropy } from './softmax.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** Position of the channels of a tensor that a bias is added to. */
function channelAxis(c: KernelContext): number {
  const { shape } = c.input(0);
  return c.attrs.string('data_format') === 'NCHW' ? 1 : shape.length - 1;
}

/** The bias as a tensor of ones but for the channels. */
function biasShape(c: KernelContext, i: number): readonly number[] {
  const { shape } = c.input(i);
  if (i === 0) return shape;
  const axis = channelAxis(c);
  return c.input(0).shape.map((dim, d) => (d === axis ? dim : 1));
}

function biasAddGrad(c: KernelContext): Lowered {
  const axis = channelAxis(c);
  const others = c
    .input(0)
    .shape.map((_, d) => d)
    .filter((d) => d !== axis);
  return lowerReduction(c, { ...SUM, name: 'biasAddGrad' }, others);
}

function l2Loss(c: KernelContext): Lowered {
  const reducer = {
    ...SUM,
    name: 'l2Loss',
    map: (x: string): string => `(${x} * ${x})`,
    finish: (total: string): string => `(${total} / f32(2.0))`,
  };
  return lowerReduction(
    c,
    reducer,
    c.input(0).shape.map((_, d) => d),
  );
}

/** Whether fewer than `k` (WGSL of type i32) finite predictions of a row are above that of the target. */
function inTopK(c: KernelContext, k: string): Lowered {
  const [rows = 0, columns = 0] = c.input(0).shape;
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const size = c.adapter.software ? 8 : 64;
  const grid = gridFor(rows, 1, c.adapter, size);
  const body = `let target_class = targets[row];
let in_range = target_class >= 0i && target_class < ${columns}i;
let base = row * ${columns}u;
let own = predictions[base + u32(select(0i, target_class, in_range))];
var above = 0i;
var decidable = in_range && is_finite(own);
for (var column = 0u; column < ${columns}u; column += 1u) {
let prediction = predictions[base + column];
decidable = decidable && is_finite(prediction);
above += select(0i, 1i, prediction > own);
}
out[row] = u32(decidable && above < ${k});`;
  const targets = [inputBinding(c, 0, 'predictions'), inputBinding(c, 1, 'targets')];
  const limit = k === 'k[0]' ? [inputBinding(c, 2, 'k')] : [];
  const dispatch = shader(
    {
      label: 'inTopK',
      bindings: [...targets, ...limit, outputBinding(c)],
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: columns === 0 ? gridStride(grid, 'out[row] = 0u;', 'row') : gridStride(grid, body, 'row'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

const DECODED = hostOp(
  'how many labels it gives depends on values: the session evaluates it between device work',
);

/** The largest logit, the sum of the exponentials, the results. */
const THREE_PASSES: KernelFacts = { loads: () => 3, work: 'pass' };

export const NN_KERNELS = {
  ...QUANTIZE_KERNELS,
  LSTMBlockCell: composed,
  LSTMBlockCellGrad: composed,
  BlockLSTM: composed,
  BlockLSTMV2: composed,
  BlockLSTMGrad: composed,
  BlockLSTMGradV2: composed,
  GRUBlockCell: composed,
  GRUBlockCellGrad: composed,
  CTCLoss: device(lowerCtcLoss),
  EditDistance: hostOp('the session compares sequences between device work'),
  CTCGreedyDecoder: DECODED,
  CTCBeamSearchDecoder: DECODED,
  BiasAdd: elementwise('value + bias', { operandShape: biasShape }),
  BiasAddV1: elementwise('value + bias'),
  BiasAddGrad: device(biasAddGrad, {
    ...LOADS_ONCE,
    ...STORES_ONCE,
    work: 'reduction',
    linear: true,
  }),
  L2Loss: device(l2Loss, LOADS_ONCE),
  Softmax: device((c) => lowerSoftmax(c, false), THREE_PASSES),
  LogSoftmax: device((c) => lowerSoftmax(c, true), THREE_PASSES),
  SoftmaxCrossEntropyWithLogits: device(lowerCrossEntropy, THREE_PASSES),
  SparseSoftmaxCrossEntropyWithLogits: device(lowerSparseCrossEntropy, THREE_PASSES),
  InTopK: device((c) => inTopK(c, `${c.attrs.int('k')}i`)),
  InTopKV2: device((c) => inTopK(c, 'k[0]')),
} satisfies Partial<Record<OpName, Kernel>>;
