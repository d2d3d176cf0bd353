/** What the fused LSTM ops are made of: the cell, and sequences of steps with one product for all inputs. */
import { UnimplementedError } from '../errors.js';
import type { ComposeContext } from '../opDef.js';
import type { Tensor } from '../tensor.js';
import { BlockLstmCell, type GateOrder, type LstmGradients, type LstmStep } from './blockLstmCell.js';

/** The names of the outputs of a step, in their order. */
const NAMES = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'] as const;

/** `LSTMBlockCell`: inputs x, cs_prev, h_prev, w, wci, wcf, wco, b. */
export function composeCell(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const product = ops.matMul(ops.concat([input(0), input(2)], 1), input(3));
  const step = new BlockLstmCell(c, 4, 'icfo').step(ops.biasAdd(product, input(7)), input(1));
  return NAMES.map((name) => step[name]);
}

/** `LSTMBlockCellGrad`: the inputs of the cell, i, cs, f, o, ci, co, cs_grad, h_grad. */
export function composeCellGrad(c: ComposeContext): Tensor[] {
  const { input } = c;
  const step = { i: input(8), f: input(10), o: input(11), ci: input(12), co: input(13) };
  const cell = new BlockLstmCell(c, 4, 'icfo');
  const back = cell.stepBack(step, input(1), input(14), input(15));
  const peepholes = peepholeGrads(c, [4, 5, 6], () => [back.di, back.df, back.doOut, input(1), input(9)]);
  return [back.csPrev, back.gates, ...peepholes];
}

/** Gradients of the weights from the memory to the gates: zeros where they are not used. */
function peepholeGrads(
  { ops, attrs, input }: ComposeContext,
  positions: readonly [number, number, number],
  made: () => readonly [di: Tensor, df: Tensor, doOut: Tensor, csPrev: Tensor, cs: Tensor],
): Tensor[] {
  if (!attrs.bool('use_peephole')) return positions.map((i) => ops.zerosLike(input(i)));
  const [di, df, doOut, csPrev, cs] = made();
  const axes = di.shape.rank === 3 ? [0, 1] : [0];
  const total = (a: Tensor, b: Tensor): Tensor => ops.reduceSum(ops.mul(a, b), { axis: axes });
  return [total(di, csPrev), total(df, csPrev), total(doOut, cs)];
}

/** Sizes and weights of a sequence: inputs seq_len_max, x, cs_prev, h_prev, w, wci, wcf, wco, b. */
class Sequence {
  readonly steps: number;
  /** Steps that are computed; after them all is zero. */
  readonly computed: number;
  readonly x: Tensor;
  readonly wx: Tensor;
  readonly wh: Tensor;

  constructor(readonly c: ComposeContext) {
    const { ops, input } = c;
    this.x = input(1);
    const steps = this.x.shape.rank === 3 ? this.x.shape.dim(0) : null;
    if (steps === null) {
      throw new UnimplementedError(
        `the ops that a sequence of LSTM steps is made of need the number of steps, x has shape ${this.x.shape.toString()}`,
      );
    }
    this.steps = steps;
    this.computed = Math.max(0, Math.min(steps, c.constant(0)?.data[0] ?? steps));
    const inputSize = this.size(this.x, 2);
    this.wx = ops.slice(input(4), [0, 0], [inputSize, -1]);
    this.wh = ops.slice(input(4), [inputSize, 0], [-1, -1]);
  }

  size(x: Tensor, axis: number): number | Tensor {
    const dim = x.shape.rank === null ? null : x.shape.dim(axis);
    return dim ?? this.c.ops.gather(this.c.ops.shape(x), axis);
  }

  /** The steps of a tensor [time, ...] that are computed. */
  unstack(x: Tensor): Tensor[] {
    if (this.computed === 0) return [];
    return this.c.ops.unstack(x, { num: this.steps }).slice(0, this.computed);
  }

  /** Steps [batch, n] as one tensor [time, batch, n], with zeros where nothing was computed. */
  stack(parts: readonly Tensor[], columns: number | Tensor): Tensor {
    const { ops, input } = this.c;
    const rest = this.steps - parts.length;
    const zeros = ops.zeros([rest, this.size(this.x, 1), columns], { dtype: input(8).dtype });
    if (parts.length === 0) return zeros;
    return rest === 0 ? ops.stack(parts) : ops.concat([ops.stack(parts), zeros], 0);
  }

  /** `x` [time, batch, n] with zeros from step seq_len_max on, which only the run may know. */
  masked(x: Tensor): Tensor {
    const { ops, input, constant } = this.c;
    if (constant(0) !== null) return x;
    const valid = ops.less(ops.range(0, this.steps), ops.cast(input(0), 'int32'));
    return ops.where(ops.reshape(valid, [-1, 1, 1]), x, ops.zerosLike(x));
  }

  /** The rows of all steps below each other. */
  rows(x: Tensor): Tensor {
    const { ops } = this.c;
    return ops.reshape(x, [this.count(), this.size(x, 2)]);
  }

  count(): number | Tensor {
    const batch = this.size(this.x, 1);
    return typeof batch === 'number' ? batch * this.steps : this.c.ops.mul(batch, this.steps);
  }
}

/** `BlockLSTM` and `BlockLSTMV2`. */
export function composeSequence(order: GateOrder): (c: ComposeContext) => Tensor[] {
  return (c) => {
    const { ops, input } = c;
    const sequence = new Sequence(c);
    const cell = new BlockLstmCell(c, 5, order);
    const columns = sequence.size(input(8), 0);
    const product = ops.biasAdd(ops.matMul(sequence.rows(sequence.x), sequence.wx), input(8));
    const shape = [sequence.steps, sequence.size(sequence.x, 1), columns];
    let [cs, h] = [input(2), input(3)];
    const made: LstmStep[] = sequence.unstack(ops.reshape(product, shape)).map((gates) => {
      const step = cell.step(ops.add(gates, ops.matMul(h, sequence.wh)), cs);
      [cs, h] = [step.cs, step.h];
      return step;
    });
    const units = sequence.size(input(2), 1);
    return NAMES.map((name) => {
      const parts = made.map((step) => step[name]);
      return sequence.masked(sequence.stack(parts, units));
    });
  };
}

/** `BlockLSTMGrad` and `BlockLSTMGradV2`: the inputs of the sequence, its outputs, cs_grad, h_grad. */
export function composeSequenceGrad(order: GateOrder): (c: ComposeContext) => Tensor[] {
  return (c) => {
    const { ops, input } = c;
    const sequence = new Sequence(c);
    const cell = new BlockLstmCell(c, 5, order);
    const before = earlier(c, input(2), input(10));
    const kept = [9, 11, 12, 13, 14].map((k) => sequence.unstack(input(k)));
    const flows = [16, 17].map((k) => sequence.unstack(sequence.masked(input(k))));
    const slices = transposed([...kept, ...flows, sequence.unstack(before)]);
    let [csFlow, hFlow] = [ops.zerosLike(input(2)), ops.zerosLike(input(3))];
    const backs = slices.reverse().map((step) => {
      const [i, f, o, ci, co, csGrad, hGrad, csPrev] = step as BackwardInputs;
      const back = cell.stepBack({ i, f, o, ci, co }, csPrev, ops.add(csGrad, csFlow), ops.add(hGrad, hFlow));
      csFlow = back.csPrev;
      hFlow = ops.matMul(back.gates, sequence.wh, { transposeB: true });
      return back;
    });
    const all = (name: keyof LstmGradients, columns: number | Tensor): Tensor =>
      sequence.stack(backs.map((back) => back[name]).reverse(), columns);
    const gates = all('gates', sequence.size(input(8), 0));
    const units = sequence.size(input(2), 1);
    const peepholes = peepholeGrads(c, [5, 6, 7], () => [
      all('di', units),
      all('df', units),
      all('doOut', units),
      before,
      input(10),
    ]);
    const bias = ops.reduceSum(gates, { axis: [0, 1] });
    return [...weightGrads(sequence, gates, csFlow, hFlow), ...peepholes, bias];
  };
}

/** What a step back takes. */
type BackwardInputs = [
  ...[i: Tensor, f: Tensor, o: Tensor, ci: Tensor, co: Tensor],
  ...[csGrad: Tensor, hGrad: Tensor, csPrev: Tensor],
];

/** The lists' first elements, their second ones and so on. */
function transposed(lists: readonly (readonly Tensor[])[]): Tensor[][] {
  const [first = []] = lists;
  return first.map((_, t) => lists.flatMap((list) => list[t] ?? []));
}

/** What each step [time, ...] follows: `first`, then all but the last. */
function earlier({ ops }: ComposeContext, first: Tensor, all: Tensor): Tensor {
  const steps = all.shape.dim(0) ?? 1;
  if (steps === 0) return all;
  return ops.concat([ops.expandDims(first, 0), ops.slice(all, [0, 0, 0], [steps - 1, -1, -1])], 0);
}

/** Gradients of x, cs_prev, h_prev and w from those of the gates of all steps. */
function weightGrads(sequence: Sequence, gates: Tensor, csFlow: Tensor, hFlow: Tensor): Tensor[] {
  const { ops, input } = sequence.c;
  const rows = sequence.rows(gates);
  const dx = ops.reshape(ops.matMul(rows, sequence.wx, { transposeB: true }), ops.shape(sequence.x));
  const outputs = earlier(sequence.c, input(3), input(15));
  const factor = (x: Tensor): Tensor => ops.matMul(sequence.rows(x), rows, { transposeA: true });
  return [dx, csFlow, hFlow, ops.concat([factor(sequence.x), factor(outputs)], 0)];
}
