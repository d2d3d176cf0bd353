/**
 * Which form and which sizes a contraction gets, from its shape and the adapter alone: register
 * tiles shared within a subgroup on software adapters, workgroup-memory tiles on GPUs. The sizes are
 * the ones that measured best over the shapes that training meets.
 */
import type { AdapterFacts } from '../kernel.js';
import type { FragmentVariant, TileVariant, Variant } from './contraction.js';

export interface ContractionShape {
  /** What is multiplied: `product`, or the op type of a convolution. */
  readonly kind: string;
  readonly rows: number;
  readonly columns: number;
  /** Length of the inner run. */
  readonly depth: number;
  /** Turns of the loops around it, in all; default 1. */
  readonly turns?: number;
  readonly batch: number;
  /** The number of parts, at most `wanted`, into which the sum can be cut; default: it cannot. */
  readonly splits?: (wanted: number) => number;
  /** What else kernels depend on: transposed factors, the geometry of a convolution. */
  readonly detail?: string;
}

/** Groups that keep a software adapter's threads evenly busy, and those that fill a GPU. */
const SOFTWARE_GROUPS = 16;
const GPU_GROUPS = 128;
/** A part of a split sum should not be shorter than this. */
const SHORTEST_PART = 64;
/** Subgroups wider than this would make tiles wider than most matrices. */
const WIDEST_SUBGROUP = 32;
/** Up to here a rest costs more than it saves, even when it is reached only once. */
const SHORT_DEPTH = 16;
/** Up to so many rows a tile reads more than it computes: more parts then read more lines of the right factor at a time. */
const FEW_ROWS = 8;
const PARTS_OF_FEW_ROWS = 4;
/** Fewer rows do not fill tall tiles. */
const TALL_ROWS = 64;

/** The default variant for `shape` on `adapter`. */
export function chooseVariant(shape: ContractionShape, adapter: AdapterFacts): Variant {
  return adapter.software ? fragmentVariant(shape, adapter.subgroupSize) : tileVariant(shape, adapter);
}

/** The register-tile variant for subgroups of `subgroupSize` lanes; 0 or a wide one: without sharing. */
export function fragmentVariant(shape: ContractionShape, subgroupSize: number): FragmentVariant {
  const lanes = subgroupSize > WIDEST_SUBGROUP || subgroupSize < 2 ? 1 : subgroupSize;
  const columns = columnsPerLane(shape, lanes);
  const unroll = chooseUnroll(shape);
  const rows = Math.min(mostRows(shape, lanes, unroll), powerOfTwoAtLeast(shape.rows));
  const groups = Math.ceil(shape.rows / rows) * Math.ceil(shape.columns / (columns * lanes)) * shape.batch;
  return {
    form: 'fragment',
    lanes,
    rows,
    columns,
    unroll,
    splits: chooseSplits(
      shape,
      groups,
      shape.rows <= FEW_ROWS ? Math.max(SOFTWARE_GROUPS, groups * PARTS_OF_FEW_ROWS) : SOFTWARE_GROUPS,
    ),
  };
}

/** With next to no rows it is the lines of the right factor that are read: the longer pieces of them, the better. */
function columnsPerLane({ rows, columns }: ContractionShape, lanes: number): FragmentVariant['columns'] {
  if (columns <= lanes) return 1;
  if (lanes > 1 && rows <= FEW_ROWS / 2 && columns >= 16 * lanes) return 8;
  return columns <= 2 * lanes ? 2 : 4;
}

/** Tall tiles pay where turns are short; they take seconds to compile where turns are long. */
function mostRows(shape: ContractionShape, lanes: number, unroll: number): number {
  if (lanes === 1) return 4;
  if (lanes < 8) return 8;
  return unroll <= 2 && shape.rows >= TALL_ROWS ? 32 : 16;
}

/**
 * Steps per turn: four where vectors may run along the depth. Otherwise a number that leaves no
 * rest, for a rest within outer loops costs more than short turns do.
 */
function chooseUnroll({ depth, turns = 1 }: ContractionShape): number {
  if (depth % 4 === 0) return 4;
  const exact = [5, 3, 2].find((steps) => depth % steps === 0);
  if (exact !== undefined && (turns > 1 || depth <= SHORT_DEPTH)) return exact;
  return turns > 1 ? 1 : Math.min(4, depth);
}

/** The workgroup-memory variant. */
export function tileVariant(shape: ContractionShape, adapter: AdapterFacts): TileVariant {
  const groupsOf = (size: number): number =>
    Math.ceil(shape.rows / size) * Math.ceil(shape.columns / size) * shape.batch;
  const small = Math.min(shape.rows, shape.columns) <= 32 || groupsOf(64) < GPU_GROUPS / 2;
  const threads = small || adapter.maxInvocations < 256 ? 8 : 16;
  return {
    form: 'tile',
    threads,
    rows: 4,
    columns: 4,
    depth: 16,
    splits: chooseSplits(shape, groupsOf(threads * 4), GPU_GROUPS),
  };
}

function chooseSplits(shape: ContractionShape, groups: number, wanted: number): number {
  const length = shape.depth * (shape.turns ?? 1);
  const most = Math.floor(length / SHORTEST_PART);
  const parts = Math.min(Math.ceil(wanted / Math.max(groups, 1)), most);
  return parts <= 1 || shape.splits === undefined ? 1 : Math.max(1, shape.splits(parts));
}

function powerOfTwoAtLeast(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(n, 1)));
}
