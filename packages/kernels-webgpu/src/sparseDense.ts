/**
 * The kernel of SparseToDense. Indices may repeat: the last one counts, as on TensorFlow's CPU, so that each element
 * first finds the number of its last index and then takes the value.
 */
import { sizeOf, stridesOf } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader } from './wgsl/shader.js';

function clear(c: KernelContext, size: number): Dispatch {
  const grid = gridFor(size, 1, c.adapter);
  return shader(
    {
      label: 'sparseToDense.clear',
      bindings: [scratchBinding(0, 'last', 'uint32')],
      workgroups: grid.workgroups,
      body: gridStride(grid, 'last[i] = 0u;'),
    },
    c.adapter,
  );
}

/** The number, from 1, of the last index of each element. */
function number(c: KernelContext, shape: readonly number[], count: number): Dispatch {
  const strides = stridesOf(shape);
  const grid = gridFor(count, 1, c.adapter);
  const steps = shape.map(
    (dim, d) => `let c${d} = sparse_indices[n * ${shape.length}u + ${d}u];
inside = inside && c${d} >= 0 && c${d} < ${dim};
flat += u32(c${d}) * ${strides[d] ?? 1}u;`,
  );
  const body = `var inside = true;
var flat = 0u;
${steps.join('\n')}
if (inside) { atomicMax(&last[flat], n + 1u); }`;
  return shader(
    {
      label: 'sparseToDense.number',
      bindings: [
        inputBinding(c, 0, 'sparse_indices'),
        { ...scratchBinding(0, 'last', 'uint32'), atomic: true },
      ],
      workgroups: grid.workgroups,
      body: gridStride(grid, body, 'n'),
    },
    c.adapter,
  );
}

function fill(c: KernelContext, size: number, count: number): Dispatch {
  const grid = gridFor(size, 1, c.adapter);
  const place = c.input(2).shape.length === 0 ? '0u' : 'last[i] - 1u';
  const given = `if (last[i] == 0u) {\nout[i] = default_value[0];\n} else {\nout[i] = sparse_values[${place}];\n}`;
  const values = [scratchBinding(0, 'last', 'uint32'), inputBinding(c, 2, 'sparse_values')];
  return shader(
    {
      label: 'sparseToDense.fill',
      bindings: [...(count === 0 ? [] : values), inputBinding(c, 3, 'default_value'), outputBinding(c)],
      workgroups: grid.workgroups,
      body: gridStride(grid, count === 0 ? 'out[i] = default_value[0];' : given),
    },
    c.adapter,
  );
}

export function lowerSparseToDense(c: KernelContext): Lowered {
  const { shape } = c.output(0);
  const size = sizeOf(shape);
  const indices = c.input(0).shape;
  const count = indices.length === 0 ? 1 : (indices[0] ?? 0);
  if (size === 0) return { dispatches: [] };
  if (count === 0) return { dispatches: [fill(c, size, 0)] };
  return { dispatches: [clear(c, size), number(c, shape, count), fill(c, size, count)], scratch: [4 * size] };
}
