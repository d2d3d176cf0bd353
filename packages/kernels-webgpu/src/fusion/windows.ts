/**
 * Stores into parts of a larger array: what a kernel computes goes where a copy would put it, and other parts are
 * copied by the same dispatch.
 */
import { sizeOf, type DType } from '@forerun/graph';
import type { BindingSource, ShaderBinding, ShaderSpec } from '../kernel.js';
import { copyPlaces, movesVectors, simplifyCopy, type Copy } from '../stridedCopy.js';
import type { Width } from '../wgsl/dtype.js';
import { gridStride } from '../wgsl/indexing.js';
import { hasConflict, nextPrefix, renamed, sharedBindings } from './names.js';
import { workgroupWidth } from './packs.js';
import type { StoreEffect } from './stores.js';

/** The whole that parts are put into. */
export interface Whole {
  readonly source: BindingSource;
  readonly dtype: DType;
  /** 4 where every part moves in vectors. */
  readonly width: Width;
}

/** The width in which parts can be put into a whole of `size` elements. */
export function wholeWidth(copies: readonly Copy[], size: number): Width {
  return size % 4 === 0 && copies.every((copy) => movesVectors(simplifyCopy(copy))) ? 4 : 1;
}

/** Stores element `i` of a part, in order, to its place in the whole. */
export function windowEffect(copy: Copy, whole: Whole): StoreEffect {
  const simple = simplifyCopy(copy);
  return (width, prefix) => {
    const name = `${prefix}whole`;
    const bindings: ShaderBinding[] = [
      { name, source: whole.source, dtype: whole.dtype, width: whole.width, access: 'read_write' },
    ];
    if (whole.width === width) {
      const { code, write } = copyPlaces(simple, width);
      return { bindings, statements: `${code}\n${name}[${write}] = value;` };
    }
    const { code, write } = copyPlaces(simple, 1);
    const each = `${code}\n${name}[${write}] = value[lane_number];`;
    const loop = `for (var lane_number = 0u; lane_number < 4u; lane_number++) {\nlet i = first_i + lane_number;\n${each}\n}`;
    return { bindings, statements: `let first_i = i * 4u;\n${loop}` };
  };
}

/** A part that the dispatch copies: where it comes from. */
export interface CopiedPart {
  readonly copy: Copy;
  readonly source: BindingSource;
}

/** The shader with copies of other parts of the whole behind its own work; `null` where its grid does not suit them. */
export function appendCopies(
  spec: ShaderSpec,
  parts: readonly CopiedPart[],
  whole: Whole,
): ShaderSpec | null {
  if (parts.length === 0) return spec;
  const [groups, y, z] = spec.workgroups;
  const size = workgroupWidth(spec);
  // A second loop over the grid would keep the first from running over adjacent items.
  if (size === null || y * z !== 1 || /\breturn\b|= global_id\.x; \w+ </.test(spec.body)) return null;
  const stride = groups * size;
  let result = spec;
  for (const { copy, source } of parts) {
    const simple = simplifyCopy(copy);
    const items = sizeOf(simple.shape) / whole.width;
    if (items > stride) return null;
    const prefix = nextPrefix(result);
    const { code, read, write } = copyPlaces(simple, whole.width);
    const { dtype, width } = whole;
    const { bindings, names } = sharedBindings(result.bindings, [
      { name: `${prefix}part`, source, dtype, width, access: 'read' },
      { name: `${prefix}whole`, source: whole.source, dtype, width, access: 'read_write' },
    ]);
    const text = `${code}\n${prefix}whole[${write}] = ${prefix}part[${read}];`;
    const grid = { workgroups: spec.workgroups, stride, items };
    const loop = renamed(gridStride(grid, text), names);
    result = {
      ...result,
      bindings: [...result.bindings, ...bindings],
      elementwise: [],
      body: `${result.body}\n{\n${loop}\n}`,
    };
  }
  return hasConflict(result.bindings) ? null : result;
}
