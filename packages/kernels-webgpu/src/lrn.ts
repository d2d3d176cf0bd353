/** Kernels of local response normalization: sums of squares over neighbouring channels, which are the last dimension. */
import { sizeOf } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

function constant(c: KernelContext, name: string, factor = 1): string {
  return literal(c.attrs.float(name) * factor, 'float32');
}

/** One invocation per element `i`, which may loop `at` over its neighbours. */
function perElement(c: KernelContext, label: string, bindings: ShaderBinding[], body: string): Dispatch {
  const grid = gridFor(sizeOf(c.output(0).shape), 1, c.adapter);
  return shader({ label, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) }, c.adapter);
}

/** Loops `at` over the elements at most `depth_radius` channels away from `i`. */
function forNeighbours(c: KernelContext, body: string): string {
  const depth = c.input(0).shape[3] ?? 1;
  const radius = Math.min(c.attrs.int('depth_radius'), depth);
  return `let channel = i % ${depth}u;
let begin = i - min(channel, ${radius}u);
let end = i + min(${depth - 1}u - channel, ${radius}u);
for (var at = begin; at <= end; at += 1u) {
${body}
}`;
}

/** bias + alpha * sum of the squares of `x` around `i`, as `norm`. */
function declareNorm(c: KernelContext): string {
  return `var squares = 0.0;
${forNeighbours(c, 'squares += x[at] * x[at];')}
let norm = ${constant(c, 'bias')} + ${constant(c, 'alpha')} * squares;`;
}

export function lowerLrn(c: KernelContext): Lowered {
  if (sizeOf(c.output(0).shape) === 0) return { dispatches: [] };
  const body = `${declareNorm(c)}\nout[i] = x[i] * safe_pow(norm, ${constant(c, 'beta', -1)});`;
  return { dispatches: [perElement(c, 'lrn', [inputBinding(c, 0, 'x'), outputBinding(c)], body)] };
}

/**
 * dx = dy norm^-beta - 2 alpha beta x sum(dy y / norm). The norms and the quotients are computed first, so
 * that an element need not sum over the neighbours of its neighbours.
 */
export function lowerLrnGrad(c: KernelContext): Lowered {
  const size = sizeOf(c.output(0).shape);
  if (size === 0) return { dispatches: [] };
  const [dy, x, y] = [inputBinding(c, 0, 'dy'), inputBinding(c, 1, 'x'), inputBinding(c, 2, 'y')];
  const [direct, share] = [scratchBinding(0, 'direct', 'float32'), scratchBinding(1, 'share', 'float32')];
  const first = `${declareNorm(c)}
direct[i] = dy[i] * safe_pow(norm, ${constant(c, 'beta', -1)});
share[i] = dy[i] * y[i] / norm;`;
  const factor = literal(2 * c.attrs.float('alpha') * c.attrs.float('beta'), 'float32');
  const second = `var shares = 0.0;
${forNeighbours(c, 'shares += share[at];')}
out[i] = direct[i] - ${factor} * x[i] * shares;`;
  const read = (binding: ShaderBinding): ShaderBinding => ({ ...binding, access: 'read' });
  return {
    dispatches: [
      perElement(c, 'lrnGrad.norms', [dy, x, y, direct, share], first),
      perElement(c, 'lrnGrad', [read(direct), read(share), x, outputBinding(c)], second),
    ],
    scratch: [size * 4, size * 4],
  };
}
