/** Float64 references of the fused recurrent ops: loops over batch, units and steps. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { at, matricesOf, type Matrix } from './matrices.js';

type Order = 'icfo' | 'ifco';
/** [batch][units] by name. */
type State = Record<'i' | 'cs' | 'f' | 'o' | 'ci' | 'co' | 'h', Matrix>;
const NAMES = ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'] as const;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const table = (rows: number, columns: number, f: (r: number, c: number) => number): Matrix =>
  Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_c, c) => f(r, c)));
const zeros = (rows: number, columns: number): Matrix => table(rows, columns, () => 0);
const matrix = (value: HostValue): Matrix => matricesOf(value)[0] ?? [];
const vector = (value: HostValue): number[] => Array.from(value.data);
const join = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => [...row, ...(b[r] ?? [])]);

function product(a: Matrix, b: Matrix, columns: number): Matrix {
  return table(a.length, columns, (r, c) => (a[r] ?? []).reduce((sum, x, k) => sum + x * at(b, k, c), 0));
}

function pack(shape: readonly number[], parts: readonly Matrix[]): HostValue {
  return { dtype: 'float32', shape, data: Float64Array.from(parts.flat(2)) };
}

interface Weights {
  readonly w: Matrix;
  readonly peep: readonly [number[], number[], number[]];
  readonly b: number[];
  readonly units: number;
  readonly order: Order;
  readonly used: boolean;
}

/** The weights, of which `w` is input `first`. */
function weightsOf({ attrs, input }: ReferenceContext, first: number, order: Order): Weights {
  const b = vector(input(first + 4));
  return {
    w: matrix(input(first)),
    peep: [vector(input(first + 1)), vector(input(first + 2)), vector(input(first + 3))],
    b,
    units: b.length / 4,
    order,
    used: attrs.bool('use_peephole'),
  };
}

function forward(c: ReferenceContext, weights: Weights, x: Matrix, csPrev: Matrix, hPrev: Matrix): State {
  const { attrs } = c;
  const { w, peep, b, units, order, used } = weights;
  const bias = attrs.has('forget_bias') ? attrs.float('forget_bias') : 0;
  const clip = attrs.float('cell_clip');
  const gates = product(join(x, hPrev), w, 4 * units);
  const gate = (name: string, r: number, k: number): number => {
    const column = order.indexOf(name) * units + k;
    return at(gates, r, column) + (b[column] ?? NaN);
  };
  const peeped = (which: 0 | 1 | 2, cs: number, k: number): number =>
    used ? cs * (peep[which][k] ?? NaN) : 0;
  const each = (f: (r: number, k: number) => number): Matrix => table(x.length, units, f);
  const i = each((r, k) => sigmoid(gate('i', r, k) + peeped(0, at(csPrev, r, k), k)));
  const f = each((r, k) => sigmoid(gate('f', r, k) + bias + peeped(1, at(csPrev, r, k), k)));
  const ci = each((r, k) => Math.tanh(gate('c', r, k)));
  const cs = each((r, k) => {
    const memory = at(ci, r, k) * at(i, r, k) + at(f, r, k) * at(csPrev, r, k);
    return clip > 0 ? Math.min(Math.max(memory, -clip), clip) : memory;
  });
  const o = each((r, k) => sigmoid(gate('o', r, k) + peeped(2, at(cs, r, k), k)));
  const co = each((r, k) => Math.tanh(at(cs, r, k)));
  return { i, cs, f, o, ci, co, h: each((r, k) => at(o, r, k) * at(co, r, k)) };
}

interface Backward {
  readonly csPrev: Matrix;
  readonly gates: Matrix;
  readonly peep: readonly [number[], number[], number[]];
}

/** Back through one step, clipping or not. */
function backward(
  { peep, units, order, used }: Weights,
  saved: Omit<State, 'h'>,
  csPrev: Matrix,
  csGrad: Matrix,
  hGrad: Matrix,
): Backward {
  const rows = csPrev.length;
  const gates = zeros(rows, 4 * units);
  const sums: [number[], number[], number[]] = [0, 1, 2].map(() => new Array<number>(units).fill(0)) as [
    number[],
    number[],
    number[],
  ];
  const back = table(rows, units, (r, k) => {
    const of = (name: keyof typeof saved): number => at(saved[name], r, k);
    const [i, f, o, ci, co, before] = [of('i'), of('f'), of('o'), of('ci'), of('co'), at(csPrev, r, k)];
    const dh = at(hGrad, r, k);
    const dOut = o * (1 - o) * dh * co;
    const weight = (which: 0 | 1 | 2): number => (used ? (peep[which][k] ?? NaN) : 0);
    const dcs = (1 - co * co) * dh * o + at(csGrad, r, k) + dOut * weight(2);
    const parts = {
      i: i * (1 - i) * dcs * ci,
      c: (1 - ci * ci) * dcs * i,
      f: f * (1 - f) * dcs * before,
      o: dOut,
    };
    for (const [name, value] of Object.entries(parts)) {
      const row = gates[r];
      if (row !== undefined) row[order.indexOf(name) * units + k] = value;
    }
    const shares = [parts.i * before, parts.f * before, dOut * of('cs')];
    shares.forEach((share, which) => {
      const sum = sums[which];
      if (used && sum !== undefined) sum[k] = (sum[k] ?? 0) + share;
    });
    return dcs * f + parts.i * weight(0) + parts.f * weight(1);
  });
  return { csPrev: back, gates, peep: sums };
}

const cell: Reference = (c) => {
  const [x, csPrev, hPrev] = [0, 1, 2].map((i) => matrix(c.input(i))) as [Matrix, Matrix, Matrix];
  const state = forward(c, weightsOf(c, 3, 'icfo'), x, csPrev, hPrev);
  return NAMES.map((name) => pack(c.input(1).shape, [state[name]]));
};

const cellGrad: Reference = (c) => {
  const at_ = (i: number): Matrix => matrix(c.input(i));
  const saved = { i: at_(8), cs: at_(9), f: at_(10), o: at_(11), ci: at_(12), co: at_(13) };
  const weights = weightsOf(c, 3, 'icfo');
  const back = backward(weights, saved, at_(1), at_(14), at_(15));
  const [batch = 0] = c.input(1).shape;
  return [
    pack([batch, weights.units], [back.csPrev]),
    pack([batch, 4 * weights.units], [back.gates]),
    ...back.peep.map((sums) => pack([weights.units], [[sums]])),
  ];
};

function sequence(order: Order): Reference {
  return (c) => {
    const weights = weightsOf(c, 4, order);
    const [steps = 0, batch = 0] = c.input(1).shape;
    const length = c.input(0).data[0] ?? 0;
    let [cs, h] = [matrix(c.input(2)), matrix(c.input(3))];
    const nothing = zeros(batch, weights.units);
    const states = matricesOf(c.input(1)).map((x, t) => {
      if (t >= length) return null;
      const state = forward(c, weights, x, cs, h);
      [cs, h] = [state.cs, state.h];
      return state;
    });
    const shape = [steps, batch, weights.units];
    return NAMES.map((name) =>
      pack(
        shape,
        states.map((state) => state?.[name] ?? nothing),
      ),
    );
  };
}

function sequenceGrad(order: Order): Reference {
  return (c) => {
    const weights = weightsOf(c, 4, order);
    const { w, units } = weights;
    const all = (i: number): Matrix[] => matricesOf(c.input(i));
    const [x, i, cs, f, o, ci, co, h, csGrad, hGrad] = [1, 9, 10, 11, 12, 13, 14, 15, 16, 17].map(all) as Ten;
    const [inputSize = 0] = c.input(1).shape.slice(2);
    const [csPrev, hPrev] = [matrix(c.input(2)), matrix(c.input(3))];
    let [csFlow, hFlow] = [zeros(csPrev.length, units), zeros(csPrev.length, units)];
    const plus = (a: Matrix, b: Matrix): Matrix => a.map((row, r) => row.map((v, k) => v + at(b, r, k)));
    const dx = x.map((step) => step.map((row) => row.map(() => 0)));
    let dw = zeros(w.length, 4 * units);
    const db = new Array<number>(4 * units).fill(0);
    let dp = [0, 1, 2].map(() => new Array<number>(units).fill(0));
    const length = c.input(0).data[0] ?? 0;
    const of = (list: readonly Matrix[], t: number): Matrix => list[t] ?? [];
    for (let t = length - 1; t >= 0; t--) {
      const before = t === 0 ? csPrev : of(cs, t - 1);
      const saved = { i: of(i, t), cs: of(cs, t), f: of(f, t), o: of(o, t), ci: of(ci, t), co: of(co, t) };
      const back = backward(weights, saved, before, plus(of(csGrad, t), csFlow), plus(of(hGrad, t), hFlow));
      csFlow = back.csPrev;
      const xh = join(of(x, t), t === 0 ? hPrev : of(h, t - 1));
      const dxh = table(xh.length, w.length, (r, k) =>
        (back.gates[r] ?? []).reduce((sum, g, column) => sum + g * at(w, k, column), 0),
      );
      dx[t] = dxh.map((row) => row.slice(0, inputSize));
      hFlow = dxh.map((row) => row.slice(inputSize));
      dw = table(w.length, 4 * units, (k, column) =>
        xh.reduce((sum, row, r) => sum + (row[k] ?? 0) * at(back.gates, r, column), at(dw, k, column)),
      );
      back.gates.forEach((row) => row.forEach((g, column) => (db[column] = (db[column] ?? 0) + g)));
      dp = dp.map((sums, which) => sums.map((sum, k) => sum + (back.peep[which]?.[k] ?? NaN)));
    }
    return [
      pack(c.input(1).shape, dx),
      pack(c.input(2).shape, [csFlow]),
      pack(c.input(3).shape, [hFlow]),
      pack(c.input(4).shape, [dw]),
      ...dp.map((sums) => pack([units], [[sums]])),
      pack([4 * units], [[db]]),
    ];
  };
}

type Ten = [
  ...[Matrix[], Matrix[], Matrix[], Matrix[], Matrix[]],
  ...[Matrix[], Matrix[], Matrix[], Matrix[], Matrix[]],
];

const gru: Reference = ({ input }) => {
  const [x, h, wru, wc] = [0, 1, 2, 3].map((i) => matrix(input(i))) as [Matrix, Matrix, Matrix, Matrix];
  const [bru, bc] = [vector(input(4)), vector(input(5))];
  const units = bc.length;
  const gates = product(join(x, h), wru, 2 * units);
  const each = (f: (r: number, k: number) => number): Matrix => table(x.length, units, f);
  const r = each((row, k) => sigmoid(at(gates, row, k) + (bru[k] ?? NaN)));
  const u = each((row, k) => sigmoid(at(gates, row, units + k) + (bru[units + k] ?? NaN)));
  const kept = each((row, k) => at(r, row, k) * at(h, row, k));
  const sums = product(join(x, kept), wc, units);
  const c = each((row, k) => Math.tanh(at(sums, row, k) + (bc[k] ?? NaN)));
  const next = each((row, k) => at(u, row, k) * at(h, row, k) + (1 - at(u, row, k)) * at(c, row, k));
  return [r, u, c, next].map((part) => pack(input(1).shape, [part]));
};

const gruGrad: Reference = ({ input }) => {
  const at_ = (i: number): Matrix => matrix(input(i));
  const [h, wru, wc, r, u, c, dh] = [1, 2, 3, 6, 7, 8, 9].map(at_) as Seven;
  const [batch = 0, inputSize = 0] = input(0).shape;
  const units = input(1).shape[1] ?? 0;
  const each = (f: (row: number, k: number) => number): Matrix => table(batch, units, f);
  const dc = each((row, k) => at(dh, row, k) * (1 - at(u, row, k)) * (1 - at(c, row, k) ** 2));
  const du = each(
    (row, k) => at(dh, row, k) * (at(h, row, k) - at(c, row, k)) * at(u, row, k) * (1 - at(u, row, k)),
  );
  const back = (d: Matrix, w: Matrix): Matrix =>
    table(batch, inputSize + units, (row, k) =>
      (d[row] ?? []).reduce((sum, g, column) => sum + g * at(w, k, column), 0),
    );
  const viaC = back(dc, wc);
  const dr = each(
    (row, k) => at(viaC, row, inputSize + k) * at(h, row, k) * at(r, row, k) * (1 - at(r, row, k)),
  );
  const gates = join(dr, du);
  const viaGates = back(gates, wru);
  const dx = table(batch, inputSize, (row, k) => at(viaC, row, k) + at(viaGates, row, k));
  const dhPrev = each(
    (row, k) =>
      at(viaC, row, inputSize + k) * at(r, row, k) +
      at(viaGates, row, inputSize + k) +
      at(dh, row, k) * at(u, row, k),
  );
  const shape = input(1).shape;
  return [
    pack(input(0).shape, [dx]),
    pack(shape, [dhPrev]),
    pack(shape, [dc]),
    pack([batch, 2 * units], [gates]),
  ];
};

type Seven = [Matrix, Matrix, Matrix, Matrix, Matrix, Matrix, Matrix];

export const BLOCK_RNN_REFERENCES = {
  LSTMBlockCell: cell,
  LSTMBlockCellGrad: cellGrad,
  BlockLSTM: sequence('icfo'),
  BlockLSTMV2: sequence('ifco'),
  BlockLSTMGrad: sequenceGrad('icfo'),
  BlockLSTMGradV2: sequenceGrad('ifco'),
  GRUBlockCell: gru,
  GRUBlockCellGrad: gruGrad,
} satisfies FamilyReferences;
