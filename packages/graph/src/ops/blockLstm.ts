/** Records and builders of the fused LSTM ops: a cell, and a cell over all steps of a sequence, with gradients. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { mainGradient, throughParts } from '../composedOp.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { op, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { AttrInputs } from '../resolveOp.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { GateOrder } from './blockLstmCell.js';
import { composeCell, composeCellGrad, composeSequence, composeSequenceGrad } from './blockLstmParts.js';
import { BlockSizes, columnsOf } from './blockRnnShapes.js';

const INPUTS = ['x: T', 'cs_prev: T', 'h_prev: T', 'w: T', 'wci: T', 'wcf: T', 'wco: T', 'b: T'];
const STEP = ['i: T', 'cs: T', 'f: T', 'o: T', 'ci: T', 'co: T'];
const FLOWS = ['cs_grad: T', 'h_grad: T'];
const TYPES = 'T: {float16, float32}';
const FORWARD = ['forget_bias: float = 1.0', 'cell_clip: float = 3.0', 'use_peephole: bool = false', TYPES];
/** The positions of cs and h among the outputs. */
const MAIN = [1, 6];
const BACKWARD = ['use_peephole: bool', TYPES];

/** Inputs from position `first` on, where x is. */
function sizesOf(c: InferContext, first: number): BlockSizes {
  const sizes = new BlockSizes(c);
  if (first === 0) sizes.input(0, 'x', 'batch', 'inputs');
  else sizes.input(first, 'x', 'steps', 'batch', 'inputs');
  sizes.input(first + 1, 'cs_prev', 'batch', 'units').input(first + 2, 'h_prev', 'batch', 'units');
  ['wci', 'wcf', 'wco'].forEach((name, i) => sizes.input(first + 4 + i, name, 'units'));
  return sizes.input(first + 7, 'b', ['units', 4]).weights(first + 3, 'w', 4);
}

/** What the steps gave and what flows into them: the names of `names`, from position `first` on. */
function checkSteps(sizes: BlockSizes, first: number, names: readonly string[], sequence: boolean): void {
  names.forEach((spec, i) => {
    const name = spec.replace(': T', '');
    if (sequence) sizes.input(first + i, name, 'steps', 'batch', 'units');
    else sizes.input(first + i, name, 'batch', 'units');
  });
}

function inferSequence(c: InferContext): BlockSizes {
  if ((c.shape(0).rank ?? 0) !== 0)
    c.fail(`seq_len_max must be a scalar, got shape ${c.shape(0).toString()}`);
  const sizes = sizesOf(c, 1);
  const [steps, length] = [sizes.get('steps'), c.constant(0)?.data[0] ?? NaN];
  if (length < 0 || (steps !== null && length > steps)) {
    c.fail(`seq_len_max must be from 0 to the ${steps ?? '?'} steps of x, got ${length}`);
  }
  return sizes;
}

/** As TensorFlow's, of what flows into cs and h. */
function cellGrad({ ops, attrs, inputs, input, output, outputs, dys }: GradContext): (Tensor | null)[] {
  const [x, w] = [input(0), input(3)];
  const flows = MAIN.map((i) => dys[i] ?? ops.zerosLike(output(i)));
  const node = applyOp('LSTMBlockCellGrad', [...inputs, ...outputs.slice(0, 6), ...flows], {
    attrs: { use_peephole: attrs.bool('use_peephole') },
  });
  const [dcs, gates, dwci, dwcf, dwco] = node.outputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
  const [dx, dh] = columnsOf(ops, ops.matMul(gates, w, { transposeB: true }), x);
  const dw = ops.matMul(ops.concat([x, input(2)], 1), gates, { transposeA: true });
  return [dx, dcs, dh, dw, dwci, dwcf, dwco, apply('BiasAddGrad', [gates])];
}

function sequence(order: GateOrder, version: '' | 'V2'): OpDef {
  const compose = composeSequence(order);
  const attrs = version === '' ? FORWARD : ['cell_clip: float = 0.0', 'use_peephole: bool = false', TYPES];
  return op({
    summary:
      version === ''
        ? 'All steps of an LSTM, with its gates in the order i, ci, f, o.'
        : 'All steps of an LSTM, with its gates in the order i, f, ci, o.',
    inputs: ['seq_len_max: int64', ...INPUTS],
    outputs: [...STEP, 'h: T'],
    attrs,
    infer: (c) => new Array<TensorShape>(7).fill(inferSequence(c).shape('steps', 'batch', 'units')),
    // as TensorFlow's, of what flows into cs and h
    grad: mainGradient(compose, MAIN, ({ ops, attrs: given, inputs, output, outputs, dys }) => {
      const flows = MAIN.map((i) => dys[i] ?? ops.zerosLike(output(i)));
      const node = applyOp(`BlockLSTMGrad${version}`, [...inputs, ...outputs, ...flows], {
        attrs: { use_peephole: given.bool('use_peephole') },
      });
      return [null, ...node.outputs];
    }),
    compose,
  });
}

function sequenceGrad(order: GateOrder, version: '' | 'V2'): OpDef {
  const names = ['x', 'cs_prev', 'h_prev', 'w', 'wci', 'wcf', 'wco', 'b'];
  const compose = composeSequenceGrad(order);
  return op({
    summary: `Gradients of BlockLSTM${version} with respect to all of its inputs but the length.`,
    inputs: ['seq_len_max: int64', ...INPUTS, ...STEP, 'h: T', ...FLOWS],
    outputs: names.map((name) => `${name}_grad: T`),
    attrs: BACKWARD,
    infer: (c) => {
      const sizes = inferSequence(c);
      checkSteps(sizes, 9, [...STEP, 'h: T', ...FLOWS], true);
      const [state, diagonal] = [sizes.shape('batch', 'units'), sizes.shape('units')];
      return [
        sizes.shape('steps', 'batch', 'inputs'),
        ...[state, state],
        withRank(c, 4, 2, 'w'),
        ...[diagonal, diagonal, diagonal],
        sizes.shape(['units', 4]),
      ];
    },
    grad: throughParts(compose),
    compose,
  });
}

export const BLOCK_LSTM = {
  LSTMBlockCell: op({
    summary: 'One step of an LSTM: its gates, the memory and the output.',
    inputs: INPUTS,
    outputs: [...STEP, 'h: T'],
    attrs: FORWARD,
    infer: (c) => new Array<TensorShape>(7).fill(sizesOf(c, 0).shape('batch', 'units')),
    grad: mainGradient(composeCell, MAIN, cellGrad),
    compose: composeCell,
  }),

  LSTMBlockCellGrad: op({
    summary:
      'Gradients of LSTMBlockCell: of cs_prev, of the gates before their nonlinearities, of the peepholes.',
    inputs: [...INPUTS, ...STEP, ...FLOWS],
    outputs: ['cs_prev_grad: T', 'dicfo: T', 'wci_grad: T', 'wcf_grad: T', 'wco_grad: T'],
    attrs: BACKWARD,
    infer: (c) => {
      const sizes = sizesOf(c, 0);
      checkSteps(sizes, 8, [...STEP, ...FLOWS], false);
      const diagonal = sizes.shape('units');
      const gates = sizes.shape('batch', ['units', 4]);
      return [sizes.shape('batch', 'units'), gates, diagonal, diagonal, diagonal];
    },
    grad: throughParts(composeCellGrad),
    compose: composeCellGrad,
  }),

  BlockLSTM: sequence('icfo', ''),
  BlockLSTMV2: sequence('ifco', 'V2'),
  BlockLSTMGrad: sequenceGrad('icfo', ''),
  BlockLSTMGradV2: sequenceGrad('ifco', 'V2'),
} satisfies Record<string, OpDef>;

/** What the fused LSTM ops take besides inputs and state. */
export interface BlockLstmWeights {
  /** [n + units, 4 units], gates in the order i, ci, f, o. */
  readonly w: TensorLike;
  /** [4 units]. */
  readonly b: TensorLike;
  /** From the memory to the gates i, f and o, [units] each; used with `usePeephole`. Default zeros. */
  readonly peepholes?: readonly [wci: TensorLike, wcf: TensorLike, wco: TensorLike] | undefined;
}

export interface BlockLstmOptions extends NameOptions {
  /** Added to the forget gates. Default 1. */
  readonly forgetBias?: number | undefined;
  /** Bound of the memory's absolute value; 0 or less for none. Default 3. */
  readonly cellClip?: number | undefined;
  /** Whether the memory takes part in the gates. Default `false`. */
  readonly usePeephole?: boolean | undefined;
}

/** Gates i, f, o, the input to the memory ci, the memory cs, its tanh co, the output h. */
export type BlockLstmResult = Readonly<Record<'i' | 'cs' | 'f' | 'o' | 'ci' | 'co' | 'h', Tensor>>;

function attrsOf({ forgetBias = 1, cellClip = 3, usePeephole = false }: BlockLstmOptions): AttrInputs {
  return { forget_bias: forgetBias, cell_clip: cellClip, use_peephole: usePeephole };
}

function peepholesOf({ shape }: Tensor, { peepholes }: BlockLstmWeights): readonly TensorLike[] {
  if (peepholes !== undefined) return peepholes;
  const units = shape.rank === 2 ? shape.dim(1) : null;
  if (units === null) {
    throw new InvalidArgumentError(
      `without peepholes the number of units must be known, csPrev has shape ${shape.toString()}`,
    );
  }
  const none = new Array<number>(units).fill(0);
  return [none, none, none];
}

function resultOf([i, cs, f, o, ci, co, h]: readonly Tensor[]): BlockLstmResult {
  return { i, cs, f, o, ci, co, h } as BlockLstmResult;
}

/**
 * One step of an LSTM (`LSTMBlockCell` of TensorFlow's contrib.rnn; Zaremba et al., 2014): x [batch, n], csPrev and
 * hPrev [batch, units], float32. Gradients flow through clipping as if it were not there, as in TensorFlow. Throws for sizes that do not agree.
 */
export function lstmBlockCell(
  x: TensorLike,
  csPrev: TensorLike,
  hPrev: TensorLike,
  weights: BlockLstmWeights,
  options: BlockLstmOptions = {},
): BlockLstmResult {
  const cs = convertToTensor(csPrev);
  const inputs = [x, cs, hPrev, weights.w, ...peepholesOf(cs, weights), weights.b];
  return resultOf(applyOp('LSTMBlockCell', inputs, { name: options.name, attrs: attrsOf(options) }).outputs);
}

/**
 * All steps of an LSTM (`BlockLSTM` of TensorFlow's contrib.rnn): x [time, batch, n], the state before the first step
 * csPrev and hPrev [batch, units]; results [time, batch, units], zeros from step `seqLenMax` on. When it runs, the
 * steps follow each other in one plan, with a single matrix product for all inputs. Gradients as those of
 * `lstmBlockCell`; the second order needs the number of steps. Throws for sizes that do not agree.
 */
export function blockLstm(
  seqLenMax: TensorLike,
  x: TensorLike,
  csPrev: TensorLike,
  hPrev: TensorLike,
  weights: BlockLstmWeights,
  options: BlockLstmOptions = {},
): BlockLstmResult {
  const cs = convertToTensor(csPrev);
  const inputs = [seqLenMax, x, cs, hPrev, weights.w, ...peepholesOf(cs, weights), weights.b];
  return resultOf(applyOp('BlockLSTM', inputs, { name: options.name, attrs: attrsOf(options) }).outputs);
}
