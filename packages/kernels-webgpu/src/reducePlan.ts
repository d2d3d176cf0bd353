/**
 * How a reduction over any axes becomes passes over `[outer, n, inner]` blocks of which the middle is
 * reduced: neighbouring axes are merged first, and long reductions with little else to do in parallel
 * are cut into chunks whose results a second pass combines.
 */
import type { AdapterFacts } from './kernel.js';

/** One pass: reduces the middle of `[outer, n, inner]` in chunks of `length`, giving `[outer, chunks, inner]`. */
export interface Pass {
  readonly outer: number;
  readonly n: number;
  readonly inner: number;
  readonly chunks: number;
  /** Elements per chunk; the last one may have fewer. */
  readonly length: number;
}

interface Group {
  readonly size: number;
  readonly reduced: boolean;
}

/** The passes that reduce `axes` of `shape`, which has no empty dimension, the innermost axes first. */
export function planReduction(
  shape: readonly number[],
  axes: readonly number[],
  adapter: AdapterFacts,
): Pass[] {
  let groups = mergeGroups(shape.map((size, i) => ({ size, reduced: axes.includes(i) })));
  if (groups.every((group) => !group.reduced)) {
    const size = groups[0]?.size ?? 1;
    return [{ outer: 1, n: 1, inner: size, chunks: 1, length: 1 }];
  }
  const passes: Pass[] = [];
  for (let last = lastReduced(groups); last >= 0; last = lastReduced(groups)) {
    const outer = product(groups.slice(0, last));
    const inner = product(groups.slice(last + 1));
    passes.push(...cutIntoChunks(outer, groups[last]?.size ?? 1, inner, adapter));
    groups = mergeGroups(groups.filter((_, i) => i !== last));
  }
  return passes;
}

function lastReduced(groups: readonly Group[]): number {
  return groups.findLastIndex((group) => group.reduced);
}

function product(groups: readonly Group[]): number {
  return groups.reduce((size, group) => size * group.size, 1);
}

function mergeGroups(groups: readonly Group[]): Group[] {
  const merged: Group[] = [];
  for (const group of groups) {
    if (group.size === 1) continue;
    const last = merged.at(-1);
    if (last?.reduced === group.reduced)
      merged[merged.length - 1] = { ...last, size: last.size * group.size };
    else merged.push(group);
  }
  return merged;
}

/**
 * What cutting goes by: rows of `inner === 1`, or columns. Below `shortest` elements per chunk another dispatch costs more than
 * the chunks save; `wanted` chunks of all rows, or of all blocks of four columns, keep the adapter busy.
 */
interface Cutting {
  readonly shortest: number;
  readonly wanted: number;
}

const CUTTING = {
  software: { rows: { shortest: 16_384, wanted: 64 }, columns: { shortest: 512, wanted: 256 } },
  hardware: { rows: { shortest: 1024, wanted: 512 }, columns: { shortest: 32, wanted: 16_384 } },
} as const satisfies Record<string, { readonly rows: Cutting; readonly columns: Cutting }>;

function cutIntoChunks(outer: number, n: number, inner: number, adapter: AdapterFacts): Pass[] {
  const whole: Pass = { outer, n, inner, chunks: 1, length: n };
  const { shortest, wanted } =
    CUTTING[adapter.software ? 'software' : 'hardware'][inner === 1 ? 'rows' : 'columns'];
  const chunks = Math.min(Math.ceil(wanted / (outer * Math.ceil(inner / 4))), Math.floor(n / shortest));
  if (chunks < 2) return [whole];
  const length = Math.ceil(n / chunks / 4) * 4;
  const first = { outer, n, inner, length, chunks: Math.ceil(n / length) };
  return [first, { outer, n: first.chunks, inner, chunks: 1, length: first.chunks }];
}
