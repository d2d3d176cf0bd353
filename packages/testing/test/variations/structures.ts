/** Variations of boxes, factorizations, CTC, sparse tensors and fused cells: few, for their shaders are large. */
import type { HostValue, OpName } from '@forerun/graph';
import { expectClose } from '@forerun/testing';
import { scalar, vector, type Draw, type Generator } from './draw.js';

const LOOSE = { rtol: 1e-3, atol: 1e-4 };

/** Numbers in one shape and another of the same batch. */
function images(d: Draw): number[] {
  return [d.integer(1, 2), d.integer(2, 5), d.integer(2, 5), d.integer(1, 3)];
}

function cropGrad(boxes: boolean): Generator {
  return (d) => {
    const shape = images(d);
    const count = d.integer(1, 3);
    const grads = d.floats([count, d.integer(1, 4), d.integer(1, 4), shape[3] ?? 1]);
    const where = [d.floats([count, 4], -0.2, 1.2), d.integers([count], 0, (shape[0] ?? 1) - 1)];
    return boxes
      ? { inputs: [grads, d.floats(shape), ...where], attrs: { method: 'bilinear' }, tolerance: LOOSE }
      : {
          inputs: [grads, ...where, vector(shape)],
          attrs: { method: d.pick(['bilinear', 'nearest']), T: 'float32' },
          tolerance: LOOSE,
        };
  };
}

const suppression: Generator = (d) => {
  const n = d.integer(1, 6);
  const corner = d.floats([n, 2], 0, 1).data;
  const boxes = Float64Array.from({ length: 4 * n }, (_, i) => {
    const start = corner[2 * (i >> 2) + (i % 2)] ?? 0;
    return Math.fround(i % 4 < 2 ? start : start + 0.3);
  });
  return {
    inputs: [
      { dtype: 'float32', shape: [n, 4], data: boxes },
      d.distinct([n]),
      scalar(d.integer(0, n + 1)),
      scalar(d.pick([0.2, 0.5]), 'float32'),
    ],
  };
};

const factored: Generator = (d) => {
  const [rows, columns] = [d.integer(1, 4), d.integer(1, 4)];
  return { inputs: [d.floats([...d.shape(0, 1, 2), rows, columns])], tolerance: LOOSE };
};

/** The signs of singular vectors are free: values are compared with the reference, vectors by what they must fulfil. */
const singular: Generator = (d) => {
  const drawn = factored(d);
  const [a] = drawn.inputs;
  if (a === undefined || d.chance(0.3)) return { ...drawn, attrs: { compute_uv: false } };
  const full = d.chance(0.5);
  return { ...drawn, attrs: { full_matrices: full }, check: (got, want) => checkVectors(a, got, want) };
};

/** a = u s vᵀ, and the columns of u and v are orthonormal, in every matrix of the batch. */
function checkVectors(a: HostValue, got: readonly HostValue[], want: readonly HostValue[]): void {
  const [s, u, v] = got;
  if (s === undefined || u === undefined || v === undefined || want[0] === undefined)
    throw new Error('Svd gives three outputs');
  expectClose(s, want[0], LOOSE, 'singular values');
  const last = ({ shape }: HostValue, k: 1 | 2): number => shape.at(-k) ?? 0;
  const [rows, columns, count] = [last(a, 2), last(a, 1), last(s, 1)];
  const at = (x: HostValue, b: number, i: number, j: number): number =>
    x.data[(b * last(x, 2) + i) * last(x, 1) + j] ?? NaN;
  const sum = (n: number, term: (k: number) => number): number =>
    Array.from({ length: n }, (_, k) => term(k)).reduce((total, x) => total + x, 0);
  const near = (x: number, y: number, what: string): void => {
    if (!(Math.abs(x - y) <= 1e-4 * Math.max(1, Math.abs(y)))) throw new Error(`${what}: ${x}, not ${y}`);
  };
  for (let b = 0; b < s.data.length / Math.max(1, count); b++) {
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const back = sum(count, (k) => at(u, b, i, k) * (s.data[b * count + k] ?? NaN) * at(v, b, j, k));
        near(back, at(a, b, i, j), `matrix ${b}: u s v^T at ${i}, ${j}`);
      }
    for (const [name, x] of [
      ['u', u],
      ['v', v],
    ] as const)
      for (let i = 0; i < last(x, 1); i++)
        for (let j = 0; j <= i; j++) {
          const product = sum(last(x, 2), (k) => at(x, b, k, i) * at(x, b, k, j));
          near(product, Number(i === j), `matrix ${b}: columns ${i} and ${j} of ${name}`);
        }
  }
}

const lu: Generator = (d) => {
  const n = d.integer(1, 4);
  return { inputs: [d.floats([...d.shape(0, 2, 3), n, n])], gradient: true, tolerance: LOOSE };
};

const tridiagonal: Generator = (d) => {
  const [batch, m] = [d.shape(0, 2, 3), d.integer(1, 5)];
  const bands = d.floats([...batch, 3, m], -1, 1);
  const data = bands.data.map((x, i) => (Math.floor(i / m) % 3 === 1 ? Math.fround(x + 3) : x));
  return {
    inputs: [{ ...bands, data }, d.floats([...batch, m, d.integer(1, 3)])],
    attrs: { partial_pivoting: d.chance(0.5) },
    gradient: batch.every((dim) => dim > 0),
    tolerance: LOOSE,
  };
};

/** One shape for all cases: every other would be another shader of seconds. */
const ctc: Generator = (d) => {
  const [time, batch, classes] = [5, 2, 3];
  const lengths = [2, 1];
  const places = lengths.flatMap((n, b) => Array.from({ length: n }, (_, k) => [b, k]));
  return {
    inputs: [
      d.floats([time, batch, classes]),
      { dtype: 'int64', shape: [places.length, 2], data: Float64Array.from(places.flat()) },
      vector(places.map(() => d.integer(0, classes - 2))),
      vector(lengths.map(() => d.integer(4, time))),
    ],
    tolerance: LOOSE,
  };
};

/** Distinct index pairs in row-major order, their values and the shape. */
function sparseMatrix(d: Draw): { indices: HostValue; values: HostValue; shape: HostValue; size: number[] } {
  const [rows, columns] = [d.integer(1, 4), d.integer(1, 4)];
  const chosen = Array.from({ length: rows * columns }, (_, i) => i).filter(() => d.chance(0.4));
  const pairs = chosen.flatMap((i) => [Math.floor(i / columns), i % columns]);
  return {
    indices: { dtype: 'int64', shape: [chosen.length, 2], data: Float64Array.from(pairs) },
    values: d.floats([chosen.length]),
    shape: { dtype: 'int64', shape: [2], data: Float64Array.of(rows, columns) },
    size: [rows, columns],
  };
}

const sparseProduct: Generator = (d) => {
  const { indices, values, shape, size } = sparseMatrix(d);
  const [adjointA, adjointB] = [d.chance(0.4), d.chance(0.4)];
  const inner = size[adjointA ? 0 : 1] ?? 1;
  const other = d.integer(1, 3);
  return {
    inputs: [indices, values, shape, d.floats(adjointB ? [other, inner] : [inner, other])],
    attrs: { adjoint_a: adjointA, adjoint_b: adjointB },
    gradient: true,
  };
};

/** x, cs_prev, h_prev, w, wci, wcf, wco, b. */
function lstm(d: Draw, steps: readonly number[]): HostValue[] {
  const [batch, inputs, units] = [d.integer(1, 3), d.integer(1, 3), d.integer(1, 3)];
  const shapes = [
    [...steps, batch, inputs],
    [batch, units],
    [batch, units],
    [inputs + units, 4 * units],
  ];
  return [...shapes, [units], [units], [units], [4 * units]].map((shape) => d.floats(shape, -1, 1));
}

const cellAttrs = (d: Draw): Record<string, number | boolean> => ({
  cell_clip: d.pick([-1, 3]),
  use_peephole: d.chance(0.5),
});

const blockLstm: Generator = (d) => {
  const steps = d.integer(1, 3);
  return {
    inputs: [scalar(d.integer(0, steps), 'int64'), ...lstm(d, [steps])],
    attrs: { ...cellAttrs(d), forget_bias: d.pick([0, 1]) },
    gradient: true,
    tolerance: LOOSE,
  };
};

export const STRUCTURE_VARIATIONS: Partial<Record<OpName, Generator>> = {
  CropAndResizeGradImage: cropGrad(false),
  CropAndResizeGradBoxes: cropGrad(true),
  NonMaxSuppressionV3: (d) => {
    const { inputs } = suppression(d);
    return { inputs: [...inputs, scalar(d.pick([-1, 0]), 'float32')] };
  },
  Qr: factored,
  Svd: singular,
  Lu: lu,
  TridiagonalSolve: tridiagonal,
  CTCLoss: ctc,
  SparseTensorDenseMatMul: sparseProduct,
  LSTMBlockCell: (d) => ({ inputs: lstm(d, []), attrs: cellAttrs(d), gradient: true, tolerance: LOOSE }),
  BlockLSTM: blockLstm,
};
