/** What the kernels of pooling have in common besides geometry: dispatching over items, and constants. */
import { sizeOf } from '@forerun/graph';
import type { KernelContext, Lowered } from './kernel.js';
import { splitItem, type PoolGeometry } from './poolGeometry.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, outputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

export interface PoolDispatch {
  readonly label: string;
  /** WGSL names of inputs by position. */
  readonly inputs: readonly (readonly [position: number, name: string])[];
  /** Items along each pooled dimension. */
  readonly counts: readonly number[];
  /** Statements that use `image`, `c0`, `c1` …, `channel` and `item`. */
  readonly body: string;
  /** Bindings besides the inputs; default: output 0 as `out`. */
  readonly outputs?: readonly ShaderBinding[];
}

/** One dispatch over all items of all images. */
export function poolDispatch(
  c: KernelContext,
  g: PoolGeometry,
  { label, inputs, counts, body, outputs = [outputBinding(c, 0, 'out', g.width)] }: PoolDispatch,
): Lowered {
  const items = g.images * sizeOf(counts) * g.channels;
  if (items === 0 || sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const grid = gridFor(items, 1, c.adapter);
  const dispatch = shader(
    {
      label,
      bindings: [...inputs.map(([i, name]) => inputBinding(c, i, name, g.width)), ...outputs],
      workgroups: grid.workgroups,
      body: gridStride(grid, `${splitItem(g, counts)}\n${body}`, 'item'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

/** What every element beats. */
export function lowest(c: KernelContext, { width }: PoolGeometry): string {
  const { dtype } = c.input(0);
  if (dtype === 'float32') return widen(literal(-Infinity, dtype), width);
  return widen(literal(dtype.startsWith('u') ? 0 : -(2 ** 31), dtype), width);
}

export function zero(c: KernelContext, { width }: PoolGeometry): string {
  return widen(literal(0, c.output(0).dtype), width);
}

export function windowCounts({ axes }: PoolGeometry): number[] {
  return axes.map(({ windows }) => windows);
}

export function pixelCounts({ axes }: PoolGeometry): number[] {
  return axes.map(({ size }) => size);
}
