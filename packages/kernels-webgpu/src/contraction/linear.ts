/** Factors and outputs whose addresses are linear in row, column, depth and loop variables. */
import type { ShaderBinding } from '../wgsl/shader.js';
import type { Width } from '../wgsl/dtype.js';
import { sum, times, type Factor, type OutputCode } from './contraction.js';

/** A `u32` variable and the number of elements by which the address grows with it. */
export type Term = readonly [variable: string, stride: number];

export interface LinearFactor {
  readonly binding: ShaderBinding;
  /** Length of the free axis and of the inner run. */
  readonly free: number;
  readonly depth: number;
  readonly freeStride: number;
  readonly depthStride: number;
  readonly terms?: readonly Term[];
}

/** The factor at `free * freeStride + depth * depthStride + Σ terms`. */
export function linearFactor(spec: LinearFactor): Factor {
  const { binding, free, depth, freeStride, depthStride, terms = [] } = spec;
  const contiguous = depthStride === 1 && (freeStride !== 1 || depth > 1) ? 'depth' : 'free';
  const [run, other, along] =
    contiguous === 'depth' ? [depth, freeStride, depthStride] : [free, depthStride, freeStride];
  const aligned =
    run % 4 === 0 && along === 1 && other % 4 === 0 && terms.every(([, stride]) => stride % 4 === 0);
  return {
    binding,
    contiguous,
    vector: aligned,
    code: (width) => ({
      start: (id, index) => `let ${id}_at = ${scaled(index, freeStride, width)};`,
      step: (id) =>
        `let ${id}_base = ${sum(`${id}_at`, ...terms.map(([name, stride]) => times(name, stride / width)))};`,
      load: (id, k, offset) => {
        const depthOffset = (offset * depthStride) / width;
        return `${binding.name}[${sum(`${id}_base`, scaled(k, depthStride, width), depthOffset)}]`;
      },
    }),
  };
}

/** `index * stride / width`, where the product is a multiple of the width. */
function scaled(index: string, stride: number, width: Width): string {
  if (width === 1) return times(wrap(index), stride);
  return stride === 1 ? `(${wrap(index)} >> 2u)` : times(wrap(index), stride / 4);
}

function wrap(index: string): string {
  return /^[\w.]+$/.test(index) ? index : `(${index})`;
}

export interface LinearOutput {
  readonly binding: ShaderBinding;
  readonly columns: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly terms?: readonly Term[];
}

/** The output at `row * rowStride + column * columnStride + Σ terms`. */
export function linearOutput(spec: LinearOutput): OutputCode {
  const { binding, columns, rowStride, columnStride, terms = [] } = spec;
  const strides = [columns, rowStride, ...terms.map(([, stride]) => stride)];
  return {
    binding,
    columnStride,
    vector: columnStride === 1 && strides.every((stride) => stride % 4 === 0),
    row: (id, row, width) => {
      const parts = terms.map(([name, stride]) => times(name, stride / width));
      return `let ${id}_at = ${sum(times(wrap(row), rowStride / width), ...parts)};`;
    },
  };
}
