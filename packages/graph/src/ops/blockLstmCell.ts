/**
 * The equations of the fused LSTM ops, forward and backward, as ordinary ops (Zaremba et al., 2014; peepholes as in
 * Gers and Schmidhuber, 2000). All tensors are [batch, units], gates beside each other [batch, 4 units].
 */
import type { ComposeContext } from '../opDef.js';
import type { Tensor } from '../tensor.js';

/** The order in which the gates stand in the columns of the weights. */
export type GateOrder = 'icfo' | 'ifco';

/** What the ops give for every step, in the order of their outputs. */
export interface LstmStep {
  readonly i: Tensor;
  readonly cs: Tensor;
  readonly f: Tensor;
  readonly o: Tensor;
  readonly ci: Tensor;
  readonly co: Tensor;
  readonly h: Tensor;
}

export interface LstmGradients {
  readonly di: Tensor;
  readonly df: Tensor;
  readonly doOut: Tensor;
  readonly csPrev: Tensor;
  /** Of the four gates before their nonlinearities, beside each other. */
  readonly gates: Tensor;
}

type Peepholes = Readonly<Record<'i' | 'f' | 'o', Tensor>>;

/** One cell: what the attributes say, and the weights from the memory to the gates. */
export class BlockLstmCell {
  readonly #ops: ComposeContext['ops'];
  readonly #forgetBias: number;
  readonly #clip: number;
  readonly #peepholes: Peepholes | null;

  /** `first` is the position of the weights `wci`, which `wcf` and `wco` follow. */
  constructor(
    { ops, attrs, input }: ComposeContext,
    first: number,
    private readonly order: GateOrder,
  ) {
    this.#ops = ops;
    this.#forgetBias = attrs.has('forget_bias') ? attrs.float('forget_bias') : 0;
    this.#clip = attrs.has('cell_clip') ? attrs.float('cell_clip') : 0;
    const peepholes = { i: input(first), f: input(first + 1), o: input(first + 2) };
    this.#peepholes = attrs.bool('use_peephole') ? peepholes : null;
  }

  /** One step from the gates before their nonlinearities and the memory. */
  step(gates: Tensor, csPrev: Tensor): LstmStep {
    const { add, clipByValue, mul, sigmoid, split, tanh } = this.#ops;
    const parts = split(gates, 4, { axis: 1 });
    const gate = (name: string): Tensor => parts[this.order.indexOf(name)] ?? gates;
    const i = sigmoid(this.peep('i', gate('i'), csPrev));
    const f = sigmoid(this.peep('f', add(gate('f'), this.#forgetBias), csPrev));
    const ci = tanh(gate('c'));
    const memory = add(mul(ci, i), mul(csPrev, f));
    const cs = this.#clip > 0 ? clipByValue(memory, -this.#clip, this.#clip) : memory;
    const co = tanh(cs);
    const o = sigmoid(this.peep('o', gate('o'), cs));
    return { i, cs, f, o, ci, co, h: mul(co, o) };
  }

  private peep(name: keyof Peepholes, gate: Tensor, cs: Tensor): Tensor {
    return this.#peepholes === null ? gate : this.#ops.add(gate, this.#ops.mul(cs, this.#peepholes[name]));
  }

  /** Back through a step, by TensorFlow's formulas: clipping lets gradients pass. */
  stepBack(
    { i, f, o, ci, co }: Omit<LstmStep, 'h' | 'cs'>,
    csPrev: Tensor,
    csGrad: Tensor,
    hGrad: Tensor,
  ): LstmGradients {
    const { add, concat, mul, sub, square } = this.#ops;
    const sigmoidGrad = (y: Tensor, dy: Tensor): Tensor => mul(dy, mul(y, sub(1, y)));
    const tanhGrad = (y: Tensor, dy: Tensor): Tensor => mul(dy, sub(1, square(y)));
    const peepholes = this.#peepholes;
    const doOut = sigmoidGrad(o, mul(hGrad, co));
    const through = add(tanhGrad(co, mul(hGrad, o)), csGrad);
    const dcs = peepholes === null ? through : add(through, mul(doOut, peepholes.o));
    const grads = { i: sigmoidGrad(i, mul(dcs, ci)), f: sigmoidGrad(f, mul(dcs, csPrev)) };
    const all = { ...grads, c: tanhGrad(ci, mul(dcs, i)), o: doOut };
    const kept = mul(dcs, f);
    const peeped =
      peepholes === null ? kept : add(kept, add(mul(grads.i, peepholes.i), mul(grads.f, peepholes.f)));
    return {
      di: grads.i,
      df: grads.f,
      doOut,
      csPrev: peeped,
      gates: concat(
        Array.from(this.order, (name) => all[name as keyof typeof all]),
        1,
      ),
    };
  }
}
