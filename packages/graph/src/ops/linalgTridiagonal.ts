/** Tridiagonal matrices: systems of equations and products, in time proportional to their side. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { throughParts } from '../composedOp.js';
import { InvalidArgumentError, UnimplementedError } from '../errors.js';
import { withRankAtLeast } from '../inferHelpers.js';
import { op, type ComposeContext, type GradContext, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { concat, stack } from './arrayJoin.js';
import { pad } from './arrayPad.js';
import { slice } from './arraySlice.js';
import { expandDims, squeeze } from './arrayView.js';
import { composedOf, matrixTranspose } from './matrixComposed.js';

const TYPES = 'T: {float64, float32, complex64, complex128}';

/** Batches and sides must agree: `diagonals` [..., rows, m], `rhs` [..., m, k]. */
function inferWith(
  c: InferContext,
  rhs: number,
  diagonals: readonly (readonly [number, string, number])[],
): TensorShape[] {
  let b = withRankAtLeast(c, rhs, 2, 'rhs');
  for (const [i, name, rows] of diagonals) {
    const d = withRankAtLeast(c, i, 2, name);
    if (d.rank === null) continue;
    const [given, side] = [d.dim(-2), d.dim(-1)];
    if (given !== null && given !== rows)
      c.fail(`${name} must be [..., ${rows}, m], got shape ${d.toString()}`);
    const like = d.slice(0, -2).concat([side, b.rank === null ? null : b.dim(-1)]);
    const merged = b.mergeWith(like);
    if (merged === null) c.fail(`${name} ${d.toString()} and rhs ${b.toString()} differ in side or batch`);
    b = merged;
  }
  return [b];
}

type Axis = -1 | -2;
type WithOps = Pick<ComposeContext, 'ops'>;

/** A number at an axis counted from the end, zeros elsewhere. */
function only(x: Tensor, axis: Axis, n: number): number[] {
  const { rank } = x.shape;
  if (rank === null) throw new UnimplementedError('tridiagonal matrices need a known rank here');
  return Array.from({ length: rank }, (_, i) => (i === rank + axis ? n : 0));
}

/** All but the first element along an axis, or all but the last. */
function without({ ops }: WithOps, which: 'first' | 'last', x: Tensor, axis: Axis): Tensor {
  const sizes = ops.sub(ops.shape(x), only(x, axis, 1));
  return ops.slice(x, only(x, axis, which === 'first' ? 1 : 0), sizes);
}

/** One more element along an axis, which is zero. */
function withZero({ ops }: WithOps, which: 'first' | 'last', x: Tensor, axis: Axis): Tensor {
  return ops.pad(
    x,
    only(x, axis, 1).map((n) => (which === 'first' ? [n, 0] : [0, n])),
  );
}

/** Elements moved up by one (1) or down, a zero coming in. */
function shifted(c: WithOps, x: Tensor, axis: Axis, by: 1 | -1): Tensor {
  const [gone, come] = by === 1 ? (['first', 'last'] as const) : (['last', 'first'] as const);
  return withZero(c, come, without(c, gone, x, axis), axis);
}

/** For a x = b: db solves the transposed system, and of a only the three diagonals take part of -db xᵀ. */
function solveGrad(c: GradContext): Tensor[] {
  const { ops, attrs, input, output, dy } = c;
  const [above, main, below] = ops.split(input(0), 3, { axis: -2 }) as [Tensor, Tensor, Tensor];
  const turned = ops.concat([shifted(c, below, -1, 1), main, shifted(c, above, -1, -1)], -2);
  const db = apply('TridiagonalSolve', [turned, dy], {
    attrs: { partial_pivoting: attrs.bool('partial_pivoting') },
  });
  const x = output(0);
  const share = (other: Tensor): Tensor => ops.reduceSum(ops.mul(db, other), { axis: -1 });
  const parts = [share(shifted(c, x, -2, 1)), share(x), share(shifted(c, x, -2, -1))];
  return [ops.neg(ops.stack(parts, { axis: -2 })), db];
}

/** Row i of the product: super_i x_(i+1) + main_i x_i + sub_i x_(i-1). */
function composeProduct(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const rhs = input(3);
  const column = (i: number): Tensor => ops.matrixTranspose(input(i));
  const above = ops.mul(without(c, 'last', column(0), -2), without(c, 'first', rhs, -2));
  const below = ops.mul(without(c, 'first', column(2), -2), without(c, 'last', rhs, -2));
  const beside = ops.add(withZero(c, 'last', above, -2), withZero(c, 'first', below, -2));
  return [ops.add(beside, ops.mul(column(1), rhs))];
}

export const LINALG_TRIDIAGONAL = {
  TridiagonalSolve: op({
    summary: 'Solutions of systems of equations with tridiagonal matrices.',
    inputs: ['diagonals: T', 'rhs: T'],
    outputs: ['output: T'],
    attrs: ['partial_pivoting: bool = true', TYPES],
    infer: (c) => inferWith(c, 1, [[0, 'diagonals', 3]]),
    grad: solveGrad,
  }),
  TridiagonalMatMul: op({
    summary: 'Products of tridiagonal matrices with matrices.',
    inputs: ['superdiag: T', 'maindiag: T', 'subdiag: T', 'rhs: T'],
    outputs: ['output: T'],
    attrs: [TYPES],
    infer: (c) =>
      inferWith(
        c,
        3,
        ['superdiag', 'maindiag', 'subdiag'].map((name, i) => [i, name, 1] as const),
      ),
    grad: throughParts(composeProduct),
    compose: composeProduct,
  }),
} satisfies Record<string, OpDef>;

/**
 * `compact`: one tensor [..., 3, m], the superdiagonal first; the superdiagonal's last element and the subdiagonal's first are not
 * read. `sequence`: a list of the three, [..., m] or, of those beside the main one, [..., m - 1]. `matrix`: [..., m, m].
 */
export type DiagonalsFormat = 'compact' | 'sequence' | 'matrix';

export interface TridiagonalOptions extends NameOptions {
  /** Default `compact`. */
  readonly diagonalsFormat?: DiagonalsFormat | undefined;
}

/** The diagonals in compact form. */
function compact(diagonals: TensorLike | readonly TensorLike[], format: DiagonalsFormat): Tensor {
  if (format === 'compact') return convertToTensor(diagonals as TensorLike);
  if (format === 'matrix') {
    const k = convertToTensor([-1, 1], { dtype: 'int32' });
    return apply('MatrixDiagPartV3', [diagonals, k, 0], { attrs: { align: 'LEFT_RIGHT' } });
  }
  const list = Array.isArray(diagonals) ? (diagonals as readonly TensorLike[]) : [];
  const known: readonly string[] = ['sequence'];
  if (!known.includes(format) || list.length !== 3) {
    throw new InvalidArgumentError(
      `diagonalsFormat must be "compact", "matrix" or "sequence", with three diagonals in a list, got "${format}"`,
    );
  }
  const [above, main, below] = list.map((part) => convertToTensor(part)) as [Tensor, Tensor, Tensor];
  const side = main.shape.dim(-1);
  const filled = (part: Tensor, before: number): Tensor => {
    if (side === null || part.shape.dim(-1) !== side - 1) return part;
    const paddings = Array.from({ length: part.shape.rank ?? 1 }, () => [0, 0]);
    paddings[paddings.length - 1] = [before, 1 - before];
    return pad(part, paddings);
  };
  return stack([filled(above, 0), main, filled(below, 1)], { axis: -2 });
}

export interface TridiagonalSolveOptions extends TridiagonalOptions {
  /** Whether `rhs` is given, and the solution wanted, as [..., k, m]. Default `false`. */
  readonly transposeRhs?: boolean | undefined;
  /** Whether rows are exchanged where a pivot is small. Default `true`. */
  readonly partialPivoting?: boolean | undefined;
}

/**
 * Solutions of tridiagonal systems (`tf.linalg.tridiagonal_solve`): `rhs` [..., m, k], or [..., m] for one right-hand side.
 * The form of `diagonals` is `diagonalsFormat`. A singular matrix, an error in TensorFlow, gives NaN or infinities.
 */
export function tridiagonalSolve(
  diagonals: TensorLike | readonly TensorLike[],
  rhs: TensorLike,
  options: TridiagonalSolveOptions = {},
): Tensor {
  const { diagonalsFormat = 'compact', transposeRhs = false, partialPivoting = true } = options;
  return composedOf(options.name ?? 'tridiagonal_solve', rhs, (b) => {
    const d = compact(diagonals, diagonalsFormat);
    const attrs = { partial_pivoting: partialPivoting };
    const solve = (right: Tensor): Tensor => apply('TridiagonalSolve', [d, right], { attrs });
    if (b.shape.rank !== null && d.shape.rank !== null && b.shape.rank === d.shape.rank - 1) {
      return squeeze(solve(expandDims(b, -1)), { axis: -1 });
    }
    return transposeRhs ? matrixTranspose(solve(matrixTranspose(b))) : solve(b);
  });
}

/** Products of tridiagonal matrices with `rhs` [..., m, k] (`tf.linalg.tridiagonal_matmul`). */
export function tridiagonalMatmul(
  diagonals: TensorLike | readonly TensorLike[],
  rhs: TensorLike,
  { diagonalsFormat = 'compact', name = 'tridiagonal_matmul' }: TridiagonalOptions = {},
): Tensor {
  return composedOf(name, rhs, (b) => {
    const d = compact(diagonals, diagonalsFormat);
    const axis = (d.shape.rank ?? 2) - 2;
    const rows = apply('Shape', [d]);
    const row = (i: number): Tensor => {
      const begin = Array.from({ length: axis + 2 }, (_, k) => (k === axis ? i : 0));
      const before = slice(rows, [0], [axis]);
      return slice(d, begin, concat([before, [1, -1]], 0));
    };
    return apply('TridiagonalMatMul', [row(0), row(1), row(2), b]);
  });
}
