/** `GRUBlockCell`: the gated recurrent unit as one op (Cho et al., 2014), and its gradient. */
import { apply, applyOp, type NameOptions } from '../apply.js';
import { mainGradient, throughParts } from '../composedOp.js';
import { op, type ComposeContext, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { BlockSizes, columnsOf } from './blockRnnShapes.js';

const INPUTS = ['x: T', 'h_prev: T', 'w_ru: T', 'w_c: T', 'b_ru: T', 'b_c: T'];
const TYPES = 'T: {float32}';

function sizesOf(c: InferContext): BlockSizes {
  return new BlockSizes(c)
    .input(0, 'x', 'batch', 'inputs')
    .input(1, 'h_prev', 'batch', 'units')
    .input(4, 'b_ru', ['units', 2])
    .input(5, 'b_c', 'units')
    .weights(2, 'w_ru', 2)
    .weights(3, 'w_c', 1);
}

/** [x, h] times a matrix, plus a bias. */
function linear({ ops, input }: ComposeContext, h: Tensor, w: Tensor, b: Tensor): Tensor {
  return ops.biasAdd(ops.matMul(ops.concat([input(0), h], 1), w), b);
}

/** r, u = sigmoid([x, h] w_ru + b_ru), c = tanh([x, r h] w_c + b_c), h' = u h + (1 - u) c. */
function composeCell(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const h = input(1);
  const gates = ops.sigmoid(linear(c, h, input(2), input(4)));
  const [r = gates, u = gates] = ops.split(gates, 2, { axis: 1 });
  const candidate = ops.tanh(linear(c, ops.mul(h, r), input(3), input(5)));
  return [r, u, candidate, ops.add(ops.mul(u, h), ops.mul(ops.sub(1, u), candidate))];
}

/** Gradients of x and h_prev, and of the candidate and the gates before their nonlinearities. */
function composeGrad({ ops, input }: ComposeContext): Tensor[] {
  const { add, mul, sub, square } = ops;
  const [x, h, r, u, candidate, dh] = [0, 1, 6, 7, 8, 9].map(input) as Six;
  const dc = mul(mul(dh, sub(1, u)), sub(1, square(candidate)));
  const du = mul(mul(dh, sub(h, candidate)), mul(u, sub(1, u)));
  const [dx1, dhr] = columnsOf(ops, ops.matMul(dc, input(3), { transposeB: true }), x);
  const dr = mul(mul(dhr, h), mul(r, sub(1, r)));
  const gates = ops.concat([dr, du], 1);
  const [dx2, dh2] = columnsOf(ops, ops.matMul(gates, input(2), { transposeB: true }), x);
  return [add(dx1, dx2), add(add(mul(dhr, r), dh2), mul(dh, u)), dc, gates];
}

type Six = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

/** As TensorFlow's, of what flows into h. */
function cellGrad({ ops, input, inputs, output, dys }: GradContext): (Tensor | null)[] {
  const [x, h] = [input(0), input(1)];
  const flow = dys[3] ?? ops.zerosLike(output(3));
  const node = applyOp('GRUBlockCellGrad', [...inputs, output(0), output(1), output(2), flow]);
  const [dx, dh, dc, gates] = node.outputs as [Tensor, Tensor, Tensor, Tensor];
  const beside = (state: Tensor): Tensor => ops.concat([x, state], 1);
  return [
    dx,
    dh,
    ops.matMul(beside(h), gates, { transposeA: true }),
    ops.matMul(beside(ops.mul(h, output(0))), dc, { transposeA: true }),
    apply('BiasAddGrad', [gates]),
    apply('BiasAddGrad', [dc]),
  ];
}

export const BLOCK_GRU = {
  GRUBlockCell: op({
    summary: 'One step of a gated recurrent unit: its gates, the candidate and the new state.',
    inputs: INPUTS,
    outputs: ['r: T', 'u: T', 'c: T', 'h: T'],
    attrs: [TYPES],
    infer: (c) => {
      const state = sizesOf(c).shape('batch', 'units');
      return [state, state, state, state];
    },
    grad: mainGradient(composeCell, [3], cellGrad),
    compose: composeCell,
  }),

  GRUBlockCellGrad: op({
    summary:
      'Gradients of GRUBlockCell: of x and h_prev, and of the candidate and the gates before their nonlinearities.',
    inputs: [...INPUTS, 'r: T', 'u: T', 'c: T', 'd_h: T'],
    outputs: ['d_x: T', 'd_h_prev: T', 'd_c_bar: T', 'd_r_bar_u_bar: T'],
    attrs: [TYPES],
    infer: (c) => {
      const sizes = sizesOf(c);
      ['r', 'u', 'c', 'd_h'].forEach((name, i) => sizes.input(6 + i, name, 'batch', 'units'));
      const state = sizes.shape('batch', 'units');
      return [sizes.shape('batch', 'inputs'), state, state, sizes.shape('batch', ['units', 2])];
    },
    grad: throughParts(composeGrad),
    compose: composeGrad,
  }),
} satisfies Record<string, OpDef>;

export interface GruBlockResult {
  readonly r: Tensor;
  readonly u: Tensor;
  readonly c: Tensor;
  readonly h: Tensor;
}

/**
 * One step of a gated recurrent unit (`GRUBlockCell` of TensorFlow's contrib.rnn): x [batch, n], hPrev [batch, units],
 * wRu [n + units, 2 units], wC [n + units, units], bRu [2 units], bC [units], all float32. `h` is the new state. Throws for sizes that do not agree.
 */
export function gruBlockCell(
  x: TensorLike,
  hPrev: TensorLike,
  weights: Readonly<Record<'wRu' | 'wC' | 'bRu' | 'bC', TensorLike>>,
  { name }: NameOptions = {},
): GruBlockResult {
  const { wRu, wC, bRu, bC } = weights;
  const node = applyOp('GRUBlockCell', [x, hPrev, wRu, wC, bRu, bC], { name });
  return { r: node.output(0), u: node.output(1), c: node.output(2), h: node.output(3) };
}
