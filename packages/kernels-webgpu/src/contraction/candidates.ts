/**
 * The variants of a contraction that are worth trying on an adapter: at most twelve, the first of which
 * is the default. All of them are right for the shape; which one is fast, tuning finds out.
 */
import { InternalError } from '@forerun/graph';
import type { AdapterFacts, KernelContext, Lowered } from '../kernel.js';
import { variantName, type FragmentVariant, type TileVariant, type Variant } from './contraction.js';
import { chooseVariant, fragmentVariant, tileVariant, type ContractionShape } from './variant.js';

export const MOST_CANDIDATES = 12;
/** Up to so many rows, lanes take columns only and the sum is cut instead. */
const FEW_ROWS = 8;
/** Products per turn of the inner loop, beyond which drivers compile for seconds; less with narrow subgroups. */
const LARGEST_BODY = 512;
const LARGEST_NARROW_BODY = 256;
const NARROW_SUBGROUP = 8;
/** Results per lane, beyond which registers spill. */
const MOST_RESULTS = 128;
/** A part of a split sum should not be shorter than this. */
const SHORTEST_PART = 32;

/** Products per turn of the inner loop: what a driver's time to compile grows with. */
export function bodySize(v: Variant): number {
  return v.form === 'tile' ? v.rows * v.columns : v.rows * v.columns * v.unroll;
}

/** The variants for `shape` on `adapter`, the default first, none twice. */
export function candidates(shape: ContractionShape, adapter: AdapterFacts): Variant[] {
  const first = chooseVariant(shape, adapter);
  const forms = adapter.software ? softwareForms(shape, adapter) : gpuForms(shape, adapter);
  const seen = new Set<string>();
  const distinct: Variant[] = [];
  for (const v of [first, ...forms]) {
    const name = variantName(v);
    if (seen.has(name) || distinct.length === MOST_CANDIDATES) continue;
    seen.add(name);
    distinct.push(v);
  }
  return distinct;
}

/**
 * Names what a choice between variants depends on besides the adapter. Shapes that only differ
 * where no kernel differs have the same signature.
 */
export function signatureOf(shape: ContractionShape, dtype: string): string {
  const { kind, rows, columns, depth, turns = 1, batch, detail = '' } = shape;
  const length = turns === 1 ? `${depth}` : `${depth}*${turns}`;
  const size = `${rows}x${columns}x${length}`;
  return [kind, dtype, size, batch === 1 ? '' : `b${batch}`, detail].filter((part) => part !== '').join(' ');
}

/**
 * Lowers a contraction with the variant that the adapter's `choose` picks among the candidates, or
 * with the default one.
 */
export function lowerChosen(
  c: KernelContext,
  shape: ContractionShape,
  lower: (v: Variant) => Lowered,
): Lowered {
  const { choose } = c.adapter;
  if (choose === undefined) return lower(chooseVariant(shape, c.adapter));
  const variants = candidates(shape, c.adapter);
  const at = (index: number): Variant => {
    const v = variants[index];
    if (v === undefined) throw new InternalError(`${c.op} "${c.name}": there is no candidate ${index}`);
    return v;
  };
  const index = choose({
    signature: signatureOf(shape, c.output(0).dtype),
    node: c.name,
    products: shape.batch * shape.rows * shape.columns * shape.depth * (shape.turns ?? 1),
    candidates: variants.map((v) => ({ name: variantName(v), body: bodySize(v) })),
    inputs: c.inputs,
    outputs: c.outputs,
    lower: (i) => lower(at(i)),
  });
  return lower(at(index));
}

/** Register tiles of all proportions, broadcast within a subgroup where there is one; then one form that shares nothing. */
function softwareForms(shape: ContractionShape, adapter: AdapterFacts): Variant[] {
  const base = fragmentVariant(shape, adapter.subgroupSize);
  const make = fragmentMaker(shape, base);
  if (base.lanes === 1) return [...unsharedForms(make), ...tileForms(shape, adapter, [[8, 4, 4, 16]])];
  const form =
    shape.rows <= FEW_ROWS
      ? fewRows(shape, base, make)
      : shape.columns <= 2 * base.lanes
        ? fewColumns(make)
        : manyOfBoth(base, make);
  return [
    ...form,
    ...moreSplits(shape, base),
    ...unsharedForms(fragmentMaker(shape, { ...base, lanes: 1 })).slice(0, 1),
  ];
}

function gpuForms(shape: ContractionShape, adapter: AdapterFacts): Variant[] {
  const base = tileVariant(shape, adapter);
  const shared = fragmentVariant(shape, adapter.subgroupSize);
  const make = fragmentMaker(shape, shared);
  const tiles = tileForms(shape, adapter, [
    [16, 8, 8, 8],
    [16, 4, 4, 16],
    [8, 8, 8, 8],
    [16, 8, 4, 8],
    [8, 4, 4, 16],
    [16, 4, 4, 32],
  ]);
  const splits = [2, 4].flatMap((factor) => resplit(shape, base, base.splits * factor));
  if (shared.lanes === 1) return [...tiles, ...splits, ...unsharedForms(make)];
  const fragments =
    shape.rows <= FEW_ROWS
      ? fewRows(shape, shared, make).slice(0, 4)
      : [...make(8, 2, 4), ...make(16, 1, 4), ...make(8, 4, 4), ...make(8, 2, 4, true)];
  return shape.rows <= FEW_ROWS
    ? [...fragments, ...tiles, ...splits]
    : [...tiles.slice(0, 5), ...splits, ...fragments];
}

type MakeFragment = (
  rows: number,
  columns: FragmentVariant['columns'],
  unroll?: number,
  turned?: boolean,
) => FragmentVariant[];

/** Makes variants of given proportions: none where they are larger than the shape or the body allows. */
function fragmentMaker(shape: ContractionShape, base: FragmentVariant): MakeFragment {
  const { lanes } = base;
  const largest = lanes > 1 && lanes < NARROW_SUBGROUP ? LARGEST_NARROW_BODY : LARGEST_BODY;
  return (rows, columns, unroll = base.unroll, turned = false) => {
    const [down, across] = turned ? [shape.columns, shape.rows] : [shape.rows, shape.columns];
    const fits = rows <= atLeast(down) && columns <= atLeast(across / lanes);
    const small = rows * columns <= MOST_RESULTS && rows * columns * unroll <= largest;
    const wholeUnroll = unroll === base.unroll || unroll <= shape.depth;
    if (!fits || !small || !wholeUnroll) return [];
    const v = { ...base, rows, columns, unroll, splits: base.splits };
    return [turned ? { ...v, turned } : v];
  };
}

function manyOfBoth(base: FragmentVariant, make: MakeFragment): Variant[] {
  const short = Math.max(1, Math.floor(base.unroll / 2));
  return [
    ...make(32, 4),
    ...make(16, 4),
    ...make(32, 4, short),
    ...make(8, 8),
    ...make(16, 4, base.unroll, true),
    ...make(16, 8, short),
    ...make(32, 4, base.unroll, true),
    ...make(8, 4),
    ...make(16, 4, short),
    ...make(32, 2),
    ...make(16, 2),
  ];
}

/** Few columns: turned tiles lay the lanes along the rows, of which there are more. */
function fewColumns(make: MakeFragment): Variant[] {
  const along = [16, 8, 4, 2, 1] as const;
  return [
    ...along.flatMap((rows) => make(rows, 4, undefined, true)).slice(0, 2),
    ...along.flatMap((rows) => make(rows, 2, undefined, true)).slice(0, 1),
    ...along.flatMap((rows) => make(rows, 8, undefined, true)).slice(0, 1),
    ...make(32, 1),
    ...make(16, 2),
    ...make(16, 1),
    ...make(32, 2),
    ...make(8, 2),
  ];
}

/** Few rows: a lane holds some columns of all rows, and the sum is cut into parts. */
function fewRows(shape: ContractionShape, base: FragmentVariant, make: MakeFragment): Variant[] {
  const rows = base.rows;
  const wide = make(rows, 8).flatMap((v) => [v, ...resplit(shape, v, 4)]);
  const usual = make(rows, 4).flatMap((v) => [2, 4, 8, 16].flatMap((parts) => resplit(shape, v, parts)));
  return [
    ...usual,
    ...wide,
    ...make(rows, 4, 8),
    ...make(rows, 2).flatMap((v) => [v, ...resplit(shape, v, 4)]),
    ...make(rows, 1).flatMap((v) => resplit(shape, v, 8)),
  ];
}

function moreSplits(shape: ContractionShape, base: FragmentVariant): Variant[] {
  return [base.splits * 2, 1].flatMap((parts) => resplit(shape, base, parts));
}

function unsharedForms(make: MakeFragment): Variant[] {
  return [
    ...make(4, 4),
    ...make(8, 4),
    ...make(4, 8),
    ...make(4, 4, 2),
    ...make(2, 4),
    ...make(8, 8, 2),
    ...make(8, 2),
    ...make(4, 4, undefined, true),
    ...make(4, 2),
    ...make(1, 4),
  ];
}

type TileSizes = readonly [
  threads: TileVariant['threads'],
  rows: TileVariant['rows'],
  columns: TileVariant['columns'],
  depth: number,
];

function tileForms(shape: ContractionShape, adapter: AdapterFacts, sizes: readonly TileSizes[]): Variant[] {
  const base = tileVariant(shape, adapter);
  return sizes.flatMap(([threads, rows, columns, depth]): TileVariant[] => {
    const fits = threads * threads <= adapter.maxInvocations;
    const whole = threads * rows < 2 * shape.rows + 32 && threads * columns < 2 * shape.columns + 32;
    return fits && whole ? [{ ...base, threads, rows, columns, depth }] : [];
  });
}

/** `v` with the sum cut into about `wanted` parts; nothing where that is not possible or changes nothing. */
function resplit<V extends Variant>(shape: ContractionShape, v: V, wanted: number): V[] {
  const length = shape.depth * (shape.turns ?? 1);
  const most = Math.min(wanted, Math.floor(length / SHORTEST_PART));
  const splits = most <= 1 ? 1 : (shape.splits?.(most) ?? 1);
  return splits === v.splits ? [] : [{ ...v, splits }];
}

/** The power of two at or above `n`. */
function atLeast(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(n, 1)));
}
