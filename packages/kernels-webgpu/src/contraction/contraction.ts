/**
 * A contraction before it is WGSL: `out[row, column] = Σ a[row, k] · b[k, column]`. Matrix products
 * and the three convolutions all take this form and share the generators (fragment.ts, tile.ts);
 * what differs is where an element of a factor lies in memory, which a `Factor` says in WGSL.
 *
 * `k` runs through `loops` (outermost first: filter taps, image lines) around an inner run of
 * `depth` elements. The variables of the loops and `batch` may be used by the factors' statements.
 */
import type { DType } from '@forerun/graph';
import type { ShaderBinding } from '../wgsl/shader.js';
import type { Width } from '../wgsl/dtype.js';

/** A loop around the inner run; `count` is a number or a WGSL `u32` expression. */
export interface Loop {
  readonly variable: string;
  readonly count: number | string;
  /** Statements at the head of each turn. */
  readonly head?: string;
}

/** The axes of a factor: `free` is rows for `a` and columns for `b`. */
export type FactorAxis = 'free' | 'depth';

/** One operand. Generators ask for scalars or, where `vector` allows, for four neighbours at once. */
export interface Factor {
  readonly binding: ShaderBinding;
  /** The axis along which elements lie side by side. */
  readonly contiguous: FactorAxis;
  /** Runs of four along `contiguous` are aligned and valid or invalid together. */
  readonly vector: boolean;
  /** The access code for elements of `width`; the binding is then an array of that width. */
  readonly code: (width: Width) => FactorCode;
}

/** WGSL for one position on the free axis, whose variables all begin with `id`. */
export interface FactorCode {
  /** Once, before the loops. `index` is a `u32` expression within the free axis. */
  start(id: string, index: string): string;
  /** In every turn of the innermost loop. */
  step(id: string): string;
  /** The element (or four) at depth `k + offset`; `k` names a `u32` variable, a multiple of the width if along depth. */
  load(id: string, k: string, offset: number): string;
}

/** Where results go. */
export interface OutputCode {
  readonly binding: ShaderBinding;
  /** Distance of neighbouring columns in elements. */
  readonly columnStride: number;
  /** Four neighbouring columns are aligned and side by side. */
  readonly vector: boolean;
  /** Statements declaring `<id>_at`, the address of column 0 in units of `width`. */
  row(id: string, row: string, width: Width): string;
  /** Condition on the variables of `row` under which the row exists; absent when it always does. */
  valid?(id: string): string;
}

export interface Contraction {
  /** Op type, for labels. */
  readonly label: string;
  readonly dtype: DType;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Independent contractions; their number is the variable `batch`. */
  readonly batch: number;
  readonly loops: readonly Loop[];
  /** Statements over `batch`, once. */
  readonly prologue?: string;
  readonly a: Factor;
  readonly b: Factor;
  readonly output: OutputCode;
  /** Rows and columns have been exchanged (`turned`); those of `output` have not. */
  readonly turned?: boolean;
}

/** The same contraction with the roles of the factors exchanged: `b`'s columns become rows. */
export function turned(x: Contraction): Contraction {
  return { ...x, rows: x.columns, columns: x.rows, a: x.b, b: x.a, turned: true };
}

/** How a contraction is carried out; see variant.ts for the choice. */
export type Variant = FragmentVariant | TileVariant;

/**
 * Register tiles. A group of `lanes` invocations computes `rows` x `lanes * columns` results: each
 * lane holds `columns` columns of all rows and the lanes share the fragment of `a` by broadcast.
 * With one lane nothing is shared.
 */
export interface FragmentVariant {
  readonly form: 'fragment';
  readonly lanes: number;
  readonly rows: number;
  readonly columns: 1 | 2 | 4 | 8;
  /** Steps of the depth per turn of the inner loop. */
  readonly unroll: number;
  /** Parts into which the outermost loop is cut; partial sums are added by a second dispatch. */
  readonly splits: number;
  /** The tile is laid over the transposed result: lanes hold its rows and share the fragment of `b`. */
  readonly turned?: boolean;
}

/** Tiles in workgroup memory: `threads` squared invocations, `rows` x `columns` results each. */
export interface TileVariant {
  readonly form: 'tile';
  readonly threads: 8 | 16;
  readonly rows: 4 | 8;
  readonly columns: 4 | 8;
  /** Depth of a tile. */
  readonly depth: number;
  readonly splits: number;
}

/** Names a variant, for labels of dispatches and for what tuning remembers: `subgroup16x4k4`, `tile64x64k16s2`. */
export function variantName(v: Variant): string {
  const splits = v.splits === 1 ? '' : `s${v.splits}`;
  if (v.form === 'tile')
    return `tile${v.threads * v.rows}x${v.threads * v.columns}t${v.threads}k${v.depth}${splits}`;
  const form = v.turned === true ? 'turned' : v.lanes > 1 ? 'subgroup' : 'register';
  return `${form}${v.rows}x${v.columns}k${v.unroll}${splits}`;
}

/** `type` for one element, `vec2<type>` or `vec4<type>` for more. */
export function vectorOf(type: string, width: number): string {
  return width === 1 ? type : `vec${width}<${type}>`;
}

/** Sum of `u32` terms; zero terms drop out. */
export function sum(...terms: readonly (string | number)[]): string {
  const kept = terms.filter((term) => term !== 0 && term !== '0u' && term !== '');
  if (kept.length === 0) return '0u';
  return kept.map((term) => (typeof term === 'number' ? `${term}u` : term)).join(' + ');
}

/** `expression * factor` for a constant factor. */
export function times(expression: string, factor: number): string {
  if (factor === 0 || expression === '0u') return '0u';
  return factor === 1 ? expression : `${expression} * ${factor}u`;
}
