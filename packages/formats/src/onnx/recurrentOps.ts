/**
 * RNN, GRU and LSTM of ONNX: a step for each row of the sequence, in a loop of the graph. Weights of several gates lie one below
 * the other; the backward direction reads its sequence from the end, padding left out. What the sequence contributes to the gates is one
 * product over all rows in front of the loop; a step multiplies the state alone, for as many gates at once as it can.
 */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';

type Activation = (x: Tensor) => Tensor;

/** What one direction has of the weights. */
interface Direction {
  /** [gates * hidden, in] */
  readonly w: Tensor;
  /** [gates * hidden, hidden] */
  readonly r: Tensor;
  /** Both biases, [2 * gates * hidden]; nothing where there are none. */
  readonly b: Tensor | undefined;
  /** Peepholes of an LSTM, [3 * hidden]. */
  readonly p: Tensor | undefined;
  readonly hidden: number;
  readonly activations: readonly Activation[];
  readonly clip: Activation;
}

/** The states after a step of what the row of the sequence contributes to the gates, in parts; the first one is the result. */
type Step = (row: readonly Tensor[], states: readonly Tensor[]) => Tensor[];

interface Cell {
  readonly step: Step;
  /** What is added to the contribution of every row, [gates * hidden]. */
  readonly bias: Tensor | undefined;
  /** Into how many parts of equal width the contributions are cut, once for all rows. */
  readonly parts: number;
}

type MakeCell = (node: ImportNode, direction: Direction) => Cell;

const affine =
  (alpha: number, beta: number): Activation =>
  (x) =>
    fr.add(fr.mul(x, alpha), beta);

/** Activations by name with their default parameters. */
const ACTIVATIONS: Readonly<Record<string, (alpha?: number, beta?: number) => Activation>> = {
  relu: () => fr.relu,
  tanh: () => fr.tanh,
  sigmoid: () => fr.sigmoid,
  affine: (alpha = 1, beta = 0) => affine(alpha, beta),
  leakyrelu:
    (alpha = 0.01) =>
    (x) =>
      fr.leakyRelu(x, { alpha }),
  thresholdedrelu:
    (alpha = 1) =>
    (x) =>
      fr.whereV2(fr.greater(x, alpha), x, fr.zerosLike(x)),
  scaledtanh:
    (alpha = 1, beta = 1) =>
    (x) =>
      fr.mul(fr.tanh(fr.mul(x, beta)), alpha),
  hardsigmoid:
    (alpha = 0.2, beta = 0.5) =>
    (x) =>
      fr.minimum(fr.maximum(affine(alpha, beta)(x), 0), 1),
  elu:
    (alpha = 1) =>
    (x) =>
      fr.whereV2(fr.less(x, 0), fr.mul(fr.expm1(x), alpha), x),
  softsign: () => fr.softsign,
  softplus: () => fr.softplus,
};

function activationsOf(node: ImportNode, defaults: readonly string[], directions: number): Activation[] {
  const names = node.texts('activations') ?? Array.from({ length: directions }, () => defaults).flat();
  const [alphas, betas] = [node.floats('activation_alpha') ?? [], node.floats('activation_beta') ?? []];
  // Parameters are listed for those activations that take any.
  let [alpha, beta] = [0, 0];
  return names.map((given) => {
    const name = given.toLowerCase();
    const make = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
    if (make === undefined) return node.fail(`the activation "${given}" is not supported`);
    return make(
      ['affine', 'leakyrelu', 'thresholdedrelu', 'scaledtanh', 'hardsigmoid', 'elu'].includes(name) ? alphas[alpha++] : undefined,
      ['affine', 'scaledtanh', 'hardsigmoid'].includes(name) ? betas[beta++] : undefined,
    ); // prettier-ignore
  });
}

/** The part of one gate in weights or biases whose first axis holds all gates. */
function part(x: Tensor, gate: number, hidden: number): Tensor {
  const rest = new Array<number>((x.shape.rank ?? 1) - 1);
  return fr.slice(x, [gate * hidden, ...rest.fill(0)], [hidden, ...rest.fill(-1)]);
}

/** Sums for all gates, [batch, gates * hidden], as those of each gate. */
const gatesOf = (sums: Tensor, gates: number): Tensor[] => fr.split(sums, gates, { axis: 1 });

/** A part that a step is always given. */
function given(x: Tensor | undefined): Tensor {
  if (x === undefined) throw new fr.InternalError('a recurrent step lacks an operand');
  return x;
}

/** x Wᵀ for the gates whose weights are given. */
const product = (x: Tensor, r: Tensor): Tensor => fr.matMul(x, r, { transposeB: true });

/** The bias of the sequence (0) or of the state (1) for all gates. */
function biasOf({ b, hidden }: Direction, half: 0 | 1, gates: number): Tensor | undefined {
  return b === undefined ? undefined : fr.slice(b, [half * gates * hidden], [gates * hidden]);
}

/** Both biases for all gates. */
function wholeBias(direction: Direction, gates: number): Tensor | undefined {
  const [ofRows, ofState] = [biasOf(direction, 0, gates), biasOf(direction, 1, gates)];
  return ofRows === undefined || ofState === undefined ? undefined : fr.add(ofRows, ofState);
}

const rnnCell: MakeCell = (_, direction) => {
  const [f = fr.tanh] = direction.activations;
  return {
    bias: wholeBias(direction, 1),
    parts: 1,
    step: ([row], [h]) => [f(direction.clip(fr.add(given(row), product(given(h), direction.r))))],
  };
};

/** Gates in the order input, output, forget, cell. */
const lstmCell: MakeCell = (node, direction) => {
  const { hidden, activations, clip, p, r } = direction;
  const [f = fr.sigmoid, g = fr.tanh, out = fr.tanh] = activations;
  const coupled = node.int('input_forget', 0) === 1;
  const step: Step = ([row], [before, memory]) => {
    const c = given(memory);
    const sums = gatesOf(fr.add(given(row), product(given(before), r)), 4);
    const gate = (index: number, peephole: number, seen: Tensor): Tensor => {
      const sum = given(sums[index]);
      if (p === undefined || peephole < 0) return clip(sum);
      return clip(fr.add(sum, fr.mul(part(p, peephole, hidden), seen)));
    };
    const input = f(gate(0, 0, c));
    const forget = coupled ? fr.sub(1, input) : f(gate(2, 2, c));
    const cell = fr.add(fr.mul(forget, c), fr.mul(input, g(gate(3, -1, c))));
    const output = f(gate(1, 1, cell));
    return [fr.mul(output, out(cell)), cell];
  };
  return { step, bias: wholeBias(direction, 4), parts: 1 };
};

/** Gates in the order update, reset, hidden. */
const gruCell: MakeCell = (node, direction) => {
  const { hidden, activations, clip, r } = direction;
  const [f = fr.sigmoid, g = fr.tanh] = activations;
  const next = (ofRow: Tensor, fromH: Tensor, update: Tensor, h: Tensor): Tensor[] => {
    const candidate = g(clip(fr.add(ofRow, fromH)));
    return [fr.add(fr.mul(fr.sub(1, update), candidate), fr.mul(update, h))];
  };
  const gate = (ofRow?: Tensor, sum?: Tensor): Tensor => f(clip(fr.add(given(ofRow), given(sum))));
  if (node.int('linear_before_reset', 0) === 0) {
    const [ofGates, ofCandidate] = [fr.slice(r, [0, 0], [2 * hidden, -1]), part(r, 2, hidden)];
    const step: Step = ([toUpdate, toReset, toCandidate], [before]) => {
      const h = given(before);
      const [updating, resetting] = gatesOf(product(h, ofGates), 2);
      const [update, reset] = [gate(toUpdate, updating), gate(toReset, resetting)];
      return next(given(toCandidate), product(fr.mul(reset, h), ofCandidate), update, h);
    };
    return { step, bias: wholeBias(direction, 3), parts: 3 };
  }
  // The reset gate multiplies the product with its bias: all biases of the state are added there.
  const [ofRows, ofState] = [biasOf(direction, 0, 3), biasOf(direction, 1, 3)];
  const step: Step = ([toUpdate, toReset, toCandidate], [before]) => {
    const h = given(before);
    const sums = ofState === undefined ? product(h, r) : fr.add(product(h, r), ofState);
    const [updating, resetting, candidate] = gatesOf(sums, 3);
    const [update, reset] = [gate(toUpdate, updating), gate(toReset, resetting)];
    return next(given(toCandidate), fr.mul(reset, given(candidate)), update, h);
  };
  return { step, bias: ofRows, parts: 3 };
};

/** Ranks of the inputs, in their order. */
const RANKS = [3, 3, 3, 2, 1, 3, 3, 2] as const;

function checkRanks(node: ImportNode): void {
  RANKS.forEach((rank, i) => {
    if (node.has(i) && node.rank(i) !== rank) {
      node.fail(`input ${i} must have rank ${rank}, its shape is ${node.input(i).shape.toString()}`);
    }
  });
}

function recurrent(cell: MakeCell, defaults: readonly string[], states: number): NodeImporter {
  return (node) => {
    checkRanks(node);
    const kind = node.text('direction', 'forward');
    const count = kind === 'bidirectional' ? 2 : 1;
    const activations = activationsOf(node, defaults, count);
    const batchFirst = node.int('layout', 0) === 1;
    const swapped = (x: Tensor): Tensor => (batchFirst ? fr.transpose(x, { perm: [1, 0, 2] }) : x);
    const x = swapped(node.input(0));
    const lengths = node.has(4) ? fr.cast(node.input(4), 'int32') : undefined;
    const hidden = node.input(2).shape.dim(2) ?? node.fail('the number of hidden units is not known');
    const results = Array.from({ length: count }, (_, i) => {
      const backward = kind === 'reverse' || i === 1;
      const direction = directionOf(node, i, hidden, activations.slice(i * defaults.length, (i + 1) * defaults.length)); // prettier-ignore
      const initial = Array.from({ length: states }, (_k, k) => {
        const given = node.has(5 + k) ? rowOf(swapped(node.input(5 + k)), i) : undefined;
        return given ?? zeroState(x, hidden);
      });
      const made = cell(node, direction);
      return runDirection(
        made,
        { rows: contributions(x, direction.w, made.bias), lengths, backward },
        initial,
      );
    });
    const stacked = (tensors: readonly Tensor[], axis: number): Tensor => fr.stack(tensors, { axis });
    // [time, directions, batch, hidden], or with the batch first.
    const y = stacked(results.map(({ sequence }) => sequence), 1); // prettier-ignore
    const lasts = Array.from({ length: states }, (_, k) =>
      swapped(
        stacked(
          results.map(({ last }) => last[k] ?? node.fail('a state is missing')),
          0,
        ),
      ),
    );
    return [batchFirst ? fr.transpose(y, { perm: [2, 0, 1, 3] }) : y, ...lasts];
  };
}

function rowOf(x: Tensor, i: number): Tensor {
  return fr.squeeze(fr.slice(x, [i, 0, 0], [1, -1, -1]), { axis: [0] });
}

/** [batch, hidden] */
function zeroState(x: Tensor, hidden: number): Tensor {
  const batch = x.shape.dim(1);
  if (batch !== null) return fr.zeros([batch, hidden], { dtype: x.dtype });
  const rows = fr.slice(fr.shape(x), [1], [1]);
  const sizes = fr.concat([rows, fr.constant([hidden], { dtype: 'int32' })], 0);
  const zeros = fr.fill(sizes, fr.constant(0, { dtype: x.dtype }));
  zeros.setShape([null, hidden]);
  return zeros;
}

function directionOf(
  node: ImportNode,
  i: number,
  hidden: number,
  activations: readonly Activation[],
): Direction {
  const row = (index: number): Tensor | undefined => {
    if (!node.has(index)) return undefined;
    const x = node.input(index);
    const rest = new Array<number>((x.shape.rank ?? 2) - 1);
    return fr.squeeze(fr.slice(x, [i, ...rest.fill(0)], [1, ...rest.fill(-1)]), { axis: [0] });
  };
  const limit = node.hasAttribute('clip') ? node.float('clip', 0) : undefined;
  return {
    w: row(1) ?? node.fail('W is missing'),
    r: row(2) ?? node.fail('R is missing'),
    b: row(3),
    p: row(7),
    hidden,
    activations,
    clip: limit === undefined ? (x) => x : (x) => fr.minimum(fr.maximum(x, -limit), limit),
  };
}

/** x Wᵀ + bias of all rows of a sequence [time, batch, in] at once: [time, batch, gates * hidden]. */
function contributions(x: Tensor, w: Tensor, bias: Tensor | undefined): Tensor {
  const [time, batch, width] = [x.shape.dim(0), x.shape.dim(1), w.shape.dim(0)];
  const flat = product(fr.reshape(x, fr.stack([-1, fr.gather(fr.shape(w), 1)])), w);
  const sums = bias === undefined ? flat : fr.add(flat, bias);
  const sizes = fr.concat([fr.slice(fr.shape(x), [0], [2]), fr.slice(fr.shape(w), [0], [1])], 0);
  const rows = fr.reshape(sums, sizes);
  rows.setShape([time, batch, width]);
  return rows;
}

interface Sequence {
  /** [time, batch, gates * hidden] */
  readonly rows: Tensor;
  /** Number of rows of each sequence of the batch. */
  readonly lengths: Tensor | undefined;
  readonly backward: boolean;
}

/** The results of all steps, [time, batch, hidden], and the last states. */
function runDirection(
  { step, parts }: Cell,
  { rows: whole, lengths, backward }: Sequence,
  initial: readonly Tensor[],
): { sequence: Tensor; last: Tensor[] } {
  const turned = (rows: Tensor): Tensor => {
    if (!backward) return rows;
    return lengths === undefined
      ? fr.reverse(rows, [0])
      : fr.reverseSequence(rows, lengths, { seqAxis: 0, batchAxis: 1 });
  };
  const time = whole.shape.dim(0) ?? fr.gather(fr.shape(whole), 0);
  // [time, batch, 1]: whether the row belongs to its sequence.
  const inside =
    lengths === undefined
      ? undefined
      : fr.expandDims(fr.less(fr.expandDims(fr.range(time), 1), fr.expandDims(lengths, 0)), 2);
  const cut = parts === 1 ? [turned(whole)] : fr.split(turned(whole), parts, { axis: 2 });
  const rows = inside === undefined ? cut : [...cut, inside];
  const states = fr.scan(
    (before, row) => {
      const [after, valid] = [step(row, before), row[parts]];
      if (valid === undefined) return after;
      return after.map((state, k) => fr.whereV2(valid, state, before[k] ?? state));
    },
    rows,
    { initializer: [...initial] },
  );
  const last = states.map((all) => fr.gather(all, typeof time === 'number' ? time - 1 : fr.sub(time, 1)));
  const [sequence = whole] = states;
  const kept = inside === undefined ? sequence : fr.whereV2(inside, sequence, fr.zerosLike(sequence));
  return { sequence: turned(kept), last };
}

export const RECURRENT_OPS: Readonly<Record<string, NodeImporter>> = {
  GRU: recurrent(gruCell, ['Sigmoid', 'Tanh'], 1),
  LSTM: recurrent(lstmCell, ['Sigmoid', 'Tanh', 'Tanh'], 2),
  RNN: recurrent(rnnCell, ['Tanh'], 1),
};
