/** Float64 references of diagonals and bands, element by element. */
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';
import { wrapTo } from './unary.js';

/** Lowest and highest diagonal, and the alignment. */
function bandOf(c: ReferenceContext, k: number | null, align: string | null) {
  const data = k === null ? [0] : [...c.input(k).data];
  const [low = 0, high = low] = data;
  return { low, high, align: align ?? c.attrs.string('align') };
}

/** Where diagonal `k` of `rows` x `columns` begins in a row of `length`. */
function startOf(k: number, rows: number, columns: number, length: number, align: string): number {
  let own = 0;
  for (let i = 0; i < rows; i++) if (i + k >= 0 && i + k < columns) own++;
  const [above = '', below = ''] = align.split('_');
  const left = (k >= 0 && above === 'LEFT') || (k <= 0 && below === 'LEFT');
  return left ? 0 : length - own;
}

function part(k: number | null, align: string | null): Reference {
  return (c) => {
    const x = c.input(0);
    const [rows = 0, columns = 0] = x.shape.slice(-2);
    const { low, high, align: how } = bandOf(c, k, align);
    const own = Array.from({ length: high - low + 1 }, (_, d) => {
      let n = 0;
      for (let i = 0; i < rows; i++) if (i + high - d >= 0 && i + high - d < columns) n++;
      return n;
    });
    const length = Math.max(...own);
    const batch = x.shape.slice(0, -2);
    const several = own.length > 1;
    const read = coordinates(x);
    const padding = k === null ? 0 : (c.input(2).data[0] ?? NaN);
    const shape = [...batch, ...(several ? [own.length] : []), length];
    return [
      tabulate(x.dtype, shape, (at) => {
        const d = several ? (at.at(-2) ?? 0) : 0;
        const diagonal = high - d;
        const n = (at.at(-1) ?? 0) - startOf(diagonal, rows, columns, length, how);
        if (n < 0 || n >= (own[d] ?? 0)) return padding;
        const row = diagonal < 0 ? n - diagonal : n;
        return read([...at.slice(0, batch.length), row, row + diagonal]);
      }),
    ];
  };
}

/** Values of a band tensor at `row`, `column` of the matrices, `null` beside the band. */
function onBand(
  c: ReferenceContext,
  source: number,
  k: number | null,
  align: string | null,
  rows: number,
  columns: number,
) {
  const diagonals = c.input(source);
  const { low, high, align: how } = bandOf(c, k, align);
  const length = diagonals.shape.at(-1) ?? 1;
  const read = coordinates(diagonals);
  return (batch: readonly number[], row: number, column: number): number | null => {
    const diagonal = column - row;
    if (diagonal < low || diagonal > high) return null;
    const n = Math.min(row, column) + startOf(diagonal, rows, columns, length, how);
    return read([...batch, ...(high > low ? [high - diagonal] : []), n]);
  };
}

function diag(k: number | null, align: string | null): Reference {
  return (c) => {
    const diagonals = c.input(0);
    const { low, high } = bandOf(c, k, align ?? 'LEFT_LEFT');
    const batch = diagonals.shape.slice(0, high > low ? -2 : -1);
    const length = diagonals.shape.at(-1) ?? 1;
    const fewest = [length - Math.min(high, 0), length + Math.max(low, 0)] as const;
    const [r, n] = k === null ? [-1, -1] : [c.input(2).data[0] ?? -1, c.input(3).data[0] ?? -1];
    const side = Math.max(...fewest);
    const [rows, columns] =
      r === -1 && n === -1 ? [side, side] : [r === -1 ? fewest[0] : r, n === -1 ? fewest[1] : n];
    const padding = k === null ? 0 : (c.input(4).data[0] ?? NaN);
    const element = onBand(c, 0, k, align, rows, columns);
    return [
      tabulate(diagonals.dtype, [...batch, rows, columns], (at) => {
        return element(at.slice(0, -2), at.at(-2) ?? 0, at.at(-1) ?? 0) ?? padding;
      }),
    ];
  };
}

function setDiag(k: number | null, align: string | null): Reference {
  return (c) => {
    const x = c.input(0);
    const [rows = 0, columns = 0] = x.shape.slice(-2);
    const [read, element] = [coordinates(x), onBand(c, 1, k, align, rows, columns)];
    return [
      tabulate(
        x.dtype,
        x.shape,
        (at) => element(at.slice(0, -2), at.at(-2) ?? 0, at.at(-1) ?? 0) ?? read(at),
      ),
    ];
  };
}

const band: Reference = ({ input }) => {
  const x = input(0);
  const [lower, upper] = [input(1).data[0] ?? 0, input(2).data[0] ?? 0];
  const read = coordinates(x);
  return [
    tabulate(x.dtype, x.shape, (at) => {
      const [row = 0, column = 0] = at.slice(-2);
      const below = lower >= 0 && row - column > lower;
      const above = upper >= 0 && column - row > upper;
      return below || above ? 0 : read(at);
    }),
  ];
};

const tensorDiag: Reference = ({ input }) => {
  const x = input(0);
  const read = coordinates(x);
  const half = x.shape.length;
  return [
    tabulate(x.dtype, [...x.shape, ...x.shape], (at) => {
      const [first, second] = [at.slice(0, half), at.slice(half)];
      return first.join() === second.join() ? read(first) : 0;
    }),
  ];
};

const tensorDiagPart: Reference = ({ input }) => {
  const x = input(0);
  const read = coordinates(x);
  return [tabulate(x.dtype, x.shape.slice(x.shape.length / 2), (at) => read([...at, ...at]))];
};

const cross: Reference = ({ input }) => {
  const [a, b] = [coordinates(input(0)), coordinates(input(1))];
  const { dtype, shape } = input(0);
  return [
    tabulate(dtype, shape, (at) => {
      const lead = at.slice(0, -1);
      const [i, j] =
        [
          [1, 2],
          [2, 0],
          [0, 1],
        ][at.at(-1) ?? 0] ?? [];
      const product =
        a([...lead, i ?? 0]) * b([...lead, j ?? 0]) - a([...lead, j ?? 0]) * b([...lead, i ?? 0]);
      return wrapTo(product, dtype);
    }),
  ];
};

export const MATRIX_DIAG_REFERENCES = {
  MatrixDiag: diag(null, 'LEFT_LEFT'),
  MatrixDiagV2: diag(1, 'LEFT_LEFT'),
  MatrixDiagV3: diag(1, null),
  MatrixDiagPart: part(null, 'LEFT_LEFT'),
  MatrixDiagPartV2: part(1, 'LEFT_LEFT'),
  MatrixDiagPartV3: part(1, null),
  MatrixSetDiag: setDiag(null, 'LEFT_LEFT'),
  MatrixSetDiagV2: setDiag(2, 'LEFT_LEFT'),
  MatrixSetDiagV3: setDiag(2, null),
  MatrixBandPart: band,
  Diag: tensorDiag,
  DiagPart: tensorDiagPart,
  Cross: cross,
} satisfies FamilyReferences;
