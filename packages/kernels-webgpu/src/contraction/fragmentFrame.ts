/** What the register-tile form of a contraction goes by: how fragments are spread over lanes, and which edges a tile may cross. */
import { storageType } from '../wgsl/dtype.js';
import { vectorOf, type Contraction, type FactorCode, type FragmentVariant } from './contraction.js';

/** Positions on the free axis that a lane loads, and how the fragment is spread over lanes. */
export interface Spread {
  readonly code: FactorCode;
  readonly vector: 'free' | 'depth' | 'none';
  /** Loads that make up one slice of depth (four steps when vectors run along the depth). */
  readonly perSlice: number;
}

/** What the generator needs at hand everywhere. */
export interface Frame {
  readonly x: Contraction;
  readonly v: FragmentVariant;
  readonly type: string;
  readonly a: Spread;
  readonly b: Spread;
  /** Columns per vector of a lane, and number of such vectors. */
  readonly width: 1 | 2 | 4;
  readonly groups: number;
}

/** Widths of the two bindings under `v`. */
export function fragmentWidths(x: Contraction, v: FragmentVariant): { a: 1 | 4; b: 1 | 4; output: 1 | 4 } {
  const slices = v.unroll % 4 === 0 && x.depth % 4 === 0;
  const a = x.a.vector && (x.a.contiguous === 'depth' ? slices : v.rows % 4 === 0);
  const b = x.b.vector && (x.b.contiguous === 'depth' ? slices : v.columns >= 4);
  const output = x.output.vector && (x.turned === true ? v.rows % 4 === 0 : v.columns >= 4);
  return { a: a ? 4 : 1, b: b ? 4 : 1, output: output ? 4 : 1 };
}

export function frameOf(x: Contraction, v: FragmentVariant): Frame {
  const widths = fragmentWidths(x, v);
  const width = v.columns === 8 ? 4 : v.columns;
  const a: Spread = {
    code: x.a.code(widths.a),
    vector: widths.a === 4 ? x.a.contiguous : 'none',
    perSlice: widths.a === 4 && x.a.contiguous === 'free' ? v.rows / 4 : v.rows,
  };
  const b: Spread = {
    code: x.b.code(widths.b),
    vector: widths.b === 4 ? x.b.contiguous : 'none',
    perSlice: v.columns,
  };
  return { x, v, type: storageType(x.dtype), a, b, width, groups: v.columns / width };
}

/** One tile takes all rows, and begins with the first. */
export function oneTileOfRows({ x, v }: Frame): boolean {
  return v.lanes > 1 && x.rows <= v.rows;
}

/** Rows of a tile that exist in some tile. */
export function liveRows(frame: Frame): number {
  return oneTileOfRows(frame) ? frame.x.rows : frame.v.rows;
}

/** Every tile lies within the rows. Without lanes the grid itself is rounded up to whole workgroups. */
export function wholeRows({ x, v }: Frame): boolean {
  return v.lanes > 1 && x.rows % v.rows === 0;
}

export function wholeColumns({ x, v }: Frame): boolean {
  return v.lanes > 1 && x.columns % (v.columns * v.lanes) === 0;
}

/** Elements side by side as one vector, or the one that there is. */
export function join(type: string, parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] ?? '') : `${vectorOf(type, parts.length)}(${parts.join(', ')})`;
}
