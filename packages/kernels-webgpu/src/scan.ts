/** Kernels along one axis that one invocation walks: positions of extremes, running sums and products. */
import { sizeOf } from '@forerun/graph';
import type { KernelContext, Lowered } from './kernel.js';
import { literal, wrapped } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

/** The input around `axis`: `[outer, n, inner]`. */
function aroundAxis(c: KernelContext, axis: number): { outer: number; n: number; inner: number } {
  const { shape } = c.input(0);
  return { outer: sizeOf(shape.slice(0, axis)), n: shape[axis] ?? 1, inner: sizeOf(shape.slice(axis + 1)) };
}

/** Few long lines are spread over more workgroups. */
function workgroupSize(c: KernelContext, lines: number): number {
  return c.adapter.software && lines < 4096 ? 8 : 64;
}

/** Position of the first element along `axis` that `better` prefers to all others. NaN is preferred to nothing. */
export function lowerArg(c: KernelContext, axis: number, better: '>' | '<'): Lowered {
  const { outer, n, inner } = aroundAxis(c, axis);
  const lines = outer * inner;
  if (lines === 0) return { dispatches: [] };
  const size = workgroupSize(c, lines);
  const grid = gridFor(lines, 1, c.adapter, size);
  const result = c.output(0).dtype;
  const isFloat = c.input(0).dtype === 'float32';
  const preferred = isFloat
    ? `!is_nan(element) && (element ${better} best || is_nan(best))`
    : `element ${better} best`;
  const body = `let base = (line / ${inner}u) * ${n * inner}u + line % ${inner}u;
var best = x[base];
var position = 0u;
for (var k = 1u; k < ${n}u; k += 1u) {
let element = x[base + k * ${inner}u];
if (${preferred}) {
best = element;
position = k;
}
}
out[line] = ${result.startsWith('u') ? 'position' : 'i32(position)'};`;
  const dispatch = shader(
    {
      label: better === '>' ? 'argMax' : 'argMin',
      bindings: [inputBinding(c, 0, 'x'), outputBinding(c)],
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, body, 'line'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

export interface Scan {
  readonly name: string;
  readonly identity: number;
  readonly operator: '+' | '*';
}

/** Running combinations along `axis`, honouring the attributes `exclusive` and `reverse`. */
export function lowerScan(c: KernelContext, axis: number, { name, identity, operator }: Scan): Lowered {
  const { outer, n, inner } = aroundAxis(c, axis);
  const lines = outer * inner;
  if (lines * n === 0) return { dispatches: [] };
  const size = workgroupSize(c, lines);
  const grid = gridFor(lines, 1, c.adapter, size);
  const { dtype } = c.output(0);
  const step = [
    `let sum = ${wrapped(`(total ${operator} x[at])`, dtype)};`,
    'out[at] = sum;',
    'total = sum;',
  ];
  const exclusive = [
    `let element = x[at];`,
    'out[at] = total;',
    `total = ${wrapped(`(total ${operator} element)`, dtype)};`,
  ];
  const body = `let base = (line / ${inner}u) * ${n * inner}u + line % ${inner}u;
var total = ${literal(identity, dtype)};
for (var k = 0u; k < ${n}u; k += 1u) {
let at = base + ${c.attrs.bool('reverse') ? `(${n - 1}u - k)` : 'k'} * ${inner}u;
${(c.attrs.bool('exclusive') ? exclusive : step).join('\n')}
}`;
  const dispatch = shader(
    {
      label: name,
      bindings: [inputBinding(c, 0, 'x'), outputBinding(c)],
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, body, 'line'),
    },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}
