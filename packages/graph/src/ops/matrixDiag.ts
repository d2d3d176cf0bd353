/** Diagonals of matrices in the last two dimensions: taking, making and replacing them, and bands. */
import { apply, type NameOptions } from '../apply.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import { Tensor, type TensorLike } from '../tensor.js';
import { dimOf, knownElements, knownScalar } from './arrayHost.js';

const ALIGN = 'align: {"LEFT_RIGHT", "RIGHT_LEFT", "LEFT_LEFT", "RIGHT_RIGHT"} = "RIGHT_LEFT"';

/** Which diagonals: numbers from `low` to `high`; 0 is the main one, above are positive numbers. */
interface Band {
  readonly low: number;
  readonly high: number;
}

/** The band that input `i` holds, `null` where it is not known; rejects what is no band. */
function bandInput(c: InferContext, i: number): Band | null {
  const { rank, size } = c.shape(i);
  if ((rank ?? 0) > 1 || (size !== null && size !== 1 && size !== 2)) {
    c.fail(`k must be a scalar or have one or two elements, got shape ${c.shape(i).toString()}`);
  }
  const known = knownElements(c.constant(i));
  if (known === null) return null;
  const [low = 0, high = low] = known;
  if (low > high) c.fail(`the lower diagonal ${low} must not be above the upper one, ${high}`);
  return { low, high };
}

/** Rejects diagonals beyond the corners of matrices of `shape`. */
function checkBand(c: InferContext, { low, high }: Band, shape: TensorShape): void {
  if (shape.rank === null) return;
  const [rows, columns] = [shape.dim(-2), shape.dim(-1)];
  for (const k of [low, high]) {
    const below = rows !== null && k !== 0 && k <= -rows;
    const above = columns !== null && k !== 0 && k >= columns;
    if (below || above) c.fail(`there is no diagonal ${k} in matrices of shape ${shape.toString()}`);
  }
}

/** Length of the longest diagonal of the band. */
function longest({ low, high }: Band, rows: Dim, columns: Dim): Dim {
  if (rows === null || columns === null) return null;
  return Math.max(0, Math.min(rows + Math.min(high, 0), columns - Math.max(low, 0)));
}

/** Shape of the diagonals of matrices of shape `x`. */
function partShape(c: InferContext, band: Band | null, x: TensorShape): TensorShape {
  if (band === null || x.rank === null) return TensorShape.UNKNOWN;
  checkBand(c, band, x);
  const length = longest(band, x.dim(-2), x.dim(-1));
  const count = band.high - band.low + 1;
  return x.slice(0, -2).concat(count === 1 ? [length] : [count, length]);
}

function inferDiag(c: InferContext): TensorShape[] {
  const diagonal = withRankAtLeast(c, 0, 1, 'diagonal');
  if (diagonal.rank === null) return [TensorShape.UNKNOWN];
  return [diagonal.concat([diagonal.dim(-1)])];
}

/** Rows and columns of the matrices around diagonals: given, or the fewest that hold them. */
function inferBandDiag(c: InferContext): TensorShape[] {
  const diagonal = withRankAtLeast(c, 0, 1, 'diagonal');
  const band = bandInput(c, 1);
  if (band === null || diagonal.rank === null) return [TensorShape.UNKNOWN];
  const count = band.high - band.low + 1;
  if (count > 1) {
    if (diagonal.rank < 2)
      c.fail(`diagonal must have rank 2 or more for ${count} diagonals, got ${diagonal.toString()}`);
    const given = diagonal.dim(-2);
    if (given !== null && given !== count) c.fail(`k asks for ${count} diagonals, diagonal has ${given}`);
  }
  const batch = diagonal.slice(0, count > 1 ? -2 : -1);
  const length = diagonal.dim(-1);
  const fewest = [addDim(length, -Math.min(band.high, 0)), addDim(length, Math.max(band.low, 0))] as const;
  const [rows, columns] = [sizeInput(c, 2), sizeInput(c, 3)];
  if (rows === undefined || columns === undefined) return [batch.concat([rows ?? null, columns ?? null])];
  if (rows === null && columns === null) {
    const side = fewest[0] === null || fewest[1] === null ? null : Math.max(fewest[0], fewest[1]);
    return [batch.concat([side, side])];
  }
  const dims = [rows ?? fewest[0], columns ?? fewest[1]] as const;
  checkMatrixSize(c, dims, fewest);
  return [batch.concat(dims)];
}

function addDim(dim: Dim, more: number): Dim {
  return dim === null ? null : dim + more;
}

/** A number of rows or columns: `null` where it is to be chosen (-1), `undefined` where it is not known. */
function sizeInput(c: InferContext, i: number): number | null | undefined {
  const value = dimOf(knownScalar(c.constant(i)) ?? undefined);
  return value === null ? undefined : value === -1 ? null : value;
}

function checkMatrixSize(c: InferContext, dims: readonly [Dim, Dim], fewest: readonly [Dim, Dim]): void {
  const [[rows, columns], [leastRows, leastColumns]] = [dims, fewest];
  if (rows === null || columns === null || leastRows === null || leastColumns === null) return;
  if (rows < leastRows || columns < leastColumns || (rows !== leastRows && columns !== leastColumns)) {
    c.fail(
      `diagonals that need ${leastRows} rows and ${leastColumns} columns do not fit [${rows},${columns}]`,
    );
  }
}

/** The result has the shape of input 0; input 1 are its diagonals. */
function inferSetDiag(c: InferContext, band: Band | null): TensorShape[] {
  const x = withRankAtLeast(c, 0, 2, 'input');
  if (band === null || x.rank === null) return [x];
  const want = partShape(c, band, x);
  if (!want.isCompatibleWith(c.shape(1))) {
    c.fail(
      `diagonal must have shape ${want.toString()} for input ${x.toString()}, got ${c.shape(1).toString()}`,
    );
  }
  return [x];
}

const MAIN: Band = { low: 0, high: 0 };

/** dy without its diagonals, and the diagonals of dy. */
function setDiagGrad(c: GradContext, k: Tensor | null, align: string): (Tensor | null)[] {
  const attrs = { align };
  const part =
    k === null ? apply('MatrixDiagPart', [c.dy]) : apply('MatrixDiagPartV3', [c.dy, k, 0], { attrs });
  const none = c.ops.zerosLike(part);
  const dx =
    k === null ? apply('MatrixSetDiag', [c.dy, none]) : apply('MatrixSetDiagV3', [c.dy, none, k], { attrs });
  return k === null ? [dx, part] : [dx, part, null];
}

/** dy on the diagonals of a matrix of zeros. */
function partGrad(c: GradContext, align: string): (Tensor | null)[] {
  const zeros = c.ops.zerosLike(c.input(0));
  return [apply('MatrixSetDiagV3', [zeros, c.dy, c.input(1)], { attrs: { align } }), null, null];
}

function bandDiagGrad(c: GradContext, align: string): (Tensor | null)[] {
  const part = apply('MatrixDiagPartV3', [c.dy, c.input(1), 0], { attrs: { align } });
  return [part, null, null, null, null];
}

const DIAG_INPUTS = ['diagonal: T', 'k: int32', 'num_rows: int32', 'num_cols: int32', 'padding_value: T'];
const PART_INPUTS = ['input: T', 'k: int32', 'padding_value: T'];
const SET_INPUTS = ['input: T', 'diagonal: T', 'k: int32'];

export const MATRIX_DIAG = {
  MatrixDiag: op({
    summary: 'Square matrices with the given diagonals and zeros elsewhere.',
    inputs: ['diagonal: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: inferDiag,
    grad: ({ dy }) => [apply('MatrixDiagPart', [dy])],
  }),
  MatrixDiagV2: op({
    summary: 'Matrices with the given band of diagonals, short ones at the left, and padding elsewhere.',
    inputs: DIAG_INPUTS,
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: inferBandDiag,
    grad: (c) => bandDiagGrad(c, 'LEFT_LEFT'),
  }),
  MatrixDiagV3: op({
    summary: 'Matrices with the given band of diagonals and padding elsewhere.',
    inputs: DIAG_INPUTS,
    outputs: ['output: T'],
    attrs: ['T: type', ALIGN],
    infer: inferBandDiag,
    grad: (c) => bandDiagGrad(c, c.attrs.string('align')),
  }),
  MatrixDiagPart: op({
    summary: 'The main diagonals of matrices.',
    inputs: ['input: T'],
    outputs: ['diagonal: T'],
    attrs: ['T: type'],
    infer: (c) => [partShape(c, MAIN, withRankAtLeast(c, 0, 2, 'input'))],
    grad: ({ ops, input, dy }) => [apply('MatrixSetDiag', [ops.zerosLike(input(0)), dy])],
  }),
  MatrixDiagPartV2: op({
    summary: 'A band of diagonals of matrices, short ones at the left of their rows.',
    inputs: PART_INPUTS,
    outputs: ['diagonal: T'],
    attrs: ['T: type'],
    infer: (c) => [partShape(c, bandInput(c, 1), withRankAtLeast(c, 0, 2, 'input'))],
    grad: (c) => partGrad(c, 'LEFT_LEFT'),
  }),
  MatrixDiagPartV3: op({
    summary: 'A band of diagonals of matrices.',
    inputs: PART_INPUTS,
    outputs: ['diagonal: T'],
    attrs: ['T: type', ALIGN],
    infer: (c) => [partShape(c, bandInput(c, 1), withRankAtLeast(c, 0, 2, 'input'))],
    grad: (c) => partGrad(c, c.attrs.string('align')),
  }),
  MatrixSetDiag: op({
    summary: 'Matrices with their main diagonals replaced.',
    inputs: ['input: T', 'diagonal: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: (c) => inferSetDiag(c, MAIN),
    grad: (c) => setDiagGrad(c, null, ''),
  }),
  MatrixSetDiagV2: op({
    summary: 'Matrices with a band of diagonals replaced, short ones at the left of their rows.',
    inputs: SET_INPUTS,
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: (c) => inferSetDiag(c, bandInput(c, 2)),
    grad: (c) => setDiagGrad(c, c.input(2), 'LEFT_LEFT'),
  }),
  MatrixSetDiagV3: op({
    summary: 'Matrices with a band of diagonals replaced.',
    inputs: SET_INPUTS,
    outputs: ['output: T'],
    attrs: ['T: type', ALIGN],
    infer: (c) => inferSetDiag(c, bandInput(c, 2)),
    grad: (c) => setDiagGrad(c, c.input(2), c.attrs.string('align')),
  }),
  MatrixBandPart: op({
    summary: 'Matrices with everything outside of a central band set to zero.',
    inputs: ['input: T', 'num_lower: Tindex', 'num_upper: Tindex'],
    outputs: ['band: T'],
    attrs: ['T: type', 'Tindex: index = int64'],
    infer: (c) => {
      for (const [i, name] of [
        [1, 'num_lower'],
        [2, 'num_upper'],
      ] as const) {
        if ((c.shape(i).rank ?? 0) !== 0)
          c.fail(`${name} must be a scalar, got shape ${c.shape(i).toString()}`);
      }
      return [withRankAtLeast(c, 0, 2, 'input')];
    },
    grad: ({ input, dy }) => [apply('MatrixBandPart', [dy, input(1), input(2)]), null, null],
  }),
};

/** How the rows of several diagonals are padded: above and below the main one, in this order. */
export type DiagAlign = 'LEFT_RIGHT' | 'RIGHT_LEFT' | 'LEFT_LEFT' | 'RIGHT_RIGHT';

/** A diagonal, or the lowest and the highest of a band. */
export type DiagBand = number | readonly [low: number, high: number] | Tensor;

export interface DiagPartOptions extends NameOptions {
  /** Default 0, the main diagonal. */
  readonly k?: DiagBand | undefined;
  /** Default 0. */
  readonly paddingValue?: number | boolean | Tensor | undefined;
  /** Default `RIGHT_LEFT`: shorter rows end with their diagonal above the main one, and begin with it below. */
  readonly align?: DiagAlign | undefined;
}

export interface DiagOptions extends DiagPartOptions {
  /** Default -1: as few as hold the diagonals. */
  readonly numRows?: number | undefined;
  readonly numCols?: number | undefined;
}

/**
 * Matrices [..., m, n] with `diagonal` [..., length], or several diagonals [..., count, length], and
 * `paddingValue` elsewhere (`tf.linalg.diag`, `tf.matrix_diag`). Without options an op `MatrixDiag`.
 */
export function matrixDiag(diagonal: TensorLike, options: DiagOptions = {}): Tensor {
  const { k, numRows = -1, numCols = -1, paddingValue = 0, align = 'RIGHT_LEFT', name } = options;
  const plain = k === undefined && numRows === -1 && numCols === -1 && paddingValue === 0;
  if (plain) return apply('MatrixDiag', [diagonal], { name });
  return apply('MatrixDiagV3', [diagonal, k ?? 0, numRows, numCols, paddingValue], {
    name,
    attrs: { align },
  });
}

/**
 * The diagonal [..., length] of matrices [..., m, n], or a band of them [..., count, length] from the highest to
 * the lowest (`tf.linalg.diag_part`, `tf.matrix_diag_part`). Without options an op `MatrixDiagPart`.
 */
export function matrixDiagPart(input: TensorLike, options: DiagPartOptions = {}): Tensor {
  const { k, paddingValue = 0, align = 'RIGHT_LEFT', name } = options;
  if (k === undefined) return apply('MatrixDiagPart', [input], { name });
  return apply('MatrixDiagPartV3', [input, k, paddingValue], { name, attrs: { align } });
}

/** `input` [..., m, n] with the diagonal or band `k` replaced (`tf.linalg.set_diag`, `tf.matrix_set_diag`). */
export function matrixSetDiag(
  input: TensorLike,
  diagonal: TensorLike,
  { k, align = 'RIGHT_LEFT', name }: Omit<DiagPartOptions, 'paddingValue'> = {},
): Tensor {
  if (k === undefined) return apply('MatrixSetDiag', [input, diagonal], { name });
  return apply('MatrixSetDiagV3', [input, diagonal, k], { name, attrs: { align } });
}

/**
 * Matrices [..., m, n] with zeros outside of the `numLower` diagonals below and the `numUpper` above the main
 * one; a negative number keeps all on its side (`tf.linalg.band_part`, `tf.matrix_band_part`).
 */
export function matrixBandPart(
  input: TensorLike,
  numLower: TensorLike,
  numUpper: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  const given = [numLower, numUpper].find((value) => value instanceof Tensor);
  const attrs = given instanceof Tensor ? {} : { Tindex: 'int32' };
  return apply('MatrixBandPart', [input, numLower, numUpper], { name, attrs });
}
