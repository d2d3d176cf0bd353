/** Variations of diagonals, bands, linear algebra and Einsum. */
import type { DType, HostValue, OpName } from '@forerun/graph';
import { scalar, type Draw, type Generator } from './draw.js';

const LOOSE = { rtol: 1e-3, atol: 1e-4 };

/** Matrices that are far from singular: a diagonal that dominates. */
function regular(d: Draw, batch: readonly number[], n: number, symmetric = false): HostValue {
  const x = d.floats([...batch, n, n], -1, 1);
  const data = x.data.map((value, i) => {
    const [row, column] = [Math.floor(i / n) % n, i % n];
    const other = symmetric ? (x.data[i - row * n - column + column * n + row] ?? 0) : value;
    return Math.fround((value + other) / 2 + (row === column ? n + 1 : 0));
  });
  return { ...x, data };
}

const size = (d: Draw): number => d.integer(1, 5);

function square(symmetric: boolean, gradient = true): Generator {
  return (d) => ({ inputs: [regular(d, d.shape(0, 2, 3), size(d), symmetric)], gradient, tolerance: LOOSE });
}

/** An equation over a few letters, at times with broadcast dimensions. */
const einsum: Generator = (d) => {
  const letters = 'abcde'.slice(0, d.integer(2, 5));
  const sizes = new Map(Array.from(letters, (letter) => [letter, d.integer(1, 4)]));
  const choose = (): string =>
    Array.from(letters)
      .filter(() => d.chance(0.6))
      .sort(() => (d.chance(0.5) ? 1 : -1))
      .join('');
  const [a, b] = [choose(), choose()];
  const used = [...new Set(a + b)];
  const result = used
    .filter(() => d.chance(0.6))
    .sort(() => (d.chance(0.5) ? 1 : -1))
    .join('');
  const dots = d.chance(0.3);
  const batches = dots
    ? d.broadcastShapes(2, 2).map((shape) => shape.map((dim) => Math.max(dim, 1)))
    : [[], []];
  const place = (labels: string): string => {
    const at = d.integer(0, labels.length);
    return dots ? `${labels.slice(0, at)}...${labels.slice(at)}` : labels;
  };
  const shapeOf = (text: string, batch: readonly number[]): number[] => {
    const [before = '', after = ''] = text.split('...');
    const dims = (part: string): number[] => Array.from(part, (letter) => sizes.get(letter) ?? 1);
    return text.includes('...') ? [...dims(before), ...batch, ...dims(after)] : dims(text);
  };
  const [left, right] = [place(a), place(b)];
  return {
    inputs: [d.floats(shapeOf(left, batches[0] ?? [])), d.floats(shapeOf(right, batches[1] ?? []))],
    attrs: { equation: `${left},${right}->${place(result)}` },
    gradient: true,
    tolerance: { rtol: 1e-5, atol: 1e-5 },
  };
};

const diagPart: Generator = (d) => {
  const [rows, columns] = [d.integer(1, 5), d.integer(1, 5)];
  return { inputs: [d.of(d.anyDType(), [...d.shape(0, 2, 3), rows, columns])], gradient: true };
};

/** A band of diagonals that lies in the matrix. */
function band(d: Draw, rows: number, columns: number): [number, number] {
  const low = d.integer(-(rows - 1), columns - 1);
  return [low, d.integer(low, columns - 1)];
}

const ALIGN = ['LEFT_RIGHT', 'RIGHT_LEFT', 'LEFT_LEFT', 'RIGHT_RIGHT'] as const;
const lengths = (rows: number, columns: number, [low, high]: readonly [number, number]): number[] =>
  Array.from({ length: high - low + 1 }, (_, i) => {
    const k = high - i;
    return Math.min(rows + Math.min(k, 0), columns - Math.max(k, 0));
  });

function diagonals(d: Draw, version: 2 | 3) {
  const [rows, columns] = [d.integer(1, 5), d.integer(1, 5)];
  const k = band(d, rows, columns);
  const own = lengths(rows, columns, k);
  const single = k[0] === k[1];
  const diagonal = single ? [own[0] ?? 1] : [own.length, Math.max(...own)];
  const attrs = version === 3 ? { align: d.pick(ALIGN) } : {};
  const bounds: HostValue =
    single && d.chance(0.5) ? scalar(k[0]) : { dtype: 'int32', shape: [2], data: Float64Array.from(k) };
  return { rows, columns, batch: d.shape(0, 2, 3), diagonal, attrs, k: bounds };
}

function part(version: 2 | 3): Generator {
  return (d) => {
    const { rows, columns, batch, attrs, k } = diagonals(d, version);
    const dtype = d.pick<DType>(['float32', 'float32', 'int32']);
    const padding = dtype === 'float32' ? scalar(0.5, dtype) : scalar(7, dtype);
    return {
      inputs: [d.of(dtype, [...batch, rows, columns]), k, padding],
      attrs,
      gradient: true,
      gradientInputs: [0],
    };
  };
}

function diag(version: 2 | 3): Generator {
  return (d) => {
    const { rows, columns, batch, diagonal, attrs, k } = diagonals(d, version);
    return {
      inputs: [d.floats([...batch, ...diagonal]), k, scalar(rows), scalar(columns), scalar(0.25, 'float32')],
      attrs,
      gradient: true,
      gradientInputs: [0],
    };
  };
}

function setDiag(version: 2 | 3): Generator {
  return (d) => {
    const { rows, columns, batch, diagonal, attrs, k } = diagonals(d, version);
    return {
      inputs: [d.floats([...batch, rows, columns]), d.floats([...batch, ...diagonal]), k],
      attrs,
      gradient: true,
    };
  };
}

const solve =
  (attr: Readonly<Record<string, boolean>>, triangular: boolean): Generator =>
  (d) => {
    const [batch, n] = [d.shape(0, 2, 3), size(d)];
    const attrs = Object.fromEntries(Object.keys(attr).map((name) => [name, d.chance(0.5)]));
    return {
      inputs: [regular(d, batch, n), d.floats([...batch, n, d.integer(1, 4)])],
      attrs,
      gradient: batch.every((dim) => dim > 0),
      tolerance: triangular ? { rtol: 1e-4, atol: 1e-5 } : LOOSE,
    };
  };

export const LINE_VARIATIONS: Partial<Record<OpName, Generator>> = {
  Einsum: einsum,
  MatrixDiag: (d) => ({ inputs: [d.of(d.anyDType(), d.shape(1, 4, 4))], gradient: true }),
  MatrixDiagPart: diagPart,
  MatrixDiagV2: diag(2),
  MatrixDiagV3: diag(3),
  MatrixDiagPartV2: part(2),
  MatrixDiagPartV3: part(3),
  MatrixSetDiagV2: setDiag(2),
  MatrixSetDiagV3: setDiag(3),
  MatrixSetDiag: (d) => {
    const [batch, rows, columns] = [d.shape(0, 2, 3), d.integer(1, 5), d.integer(1, 5)];
    return {
      inputs: [d.floats([...batch, rows, columns]), d.floats([...batch, Math.min(rows, columns)])],
      gradient: true,
    };
  },
  MatrixBandPart: (d) => {
    const shape = [...d.shape(0, 2, 3), d.integer(1, 5), d.integer(1, 5)];
    const index = d.index();
    const below = d.integer(-1, shape.at(-2) ?? 1);
    const above = d.integer(-1, shape.at(-1) ?? 1);
    return {
      inputs: [d.of(d.anyDType(), shape), scalar(below, index), scalar(above, index)],
      gradient: true,
    };
  },
  Cholesky: square(true, false),
  MatrixInverse: square(false),
  MatrixDeterminant: square(false, false),
  LogMatrixDeterminant: square(false, false),
  MatrixSolve: solve({ adjoint: true }, false),
  MatrixTriangularSolve: solve({ lower: true, adjoint: true }, true),
};
