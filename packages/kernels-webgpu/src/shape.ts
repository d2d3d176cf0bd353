/** Kernels of ops that speak of shapes, or make tensors from them. */
import { sizeOf, type OpName } from '@forerun/graph';
import {
  device,
  elementwise,
  hostOp,
  view,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { literal, storageType } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, shader } from './wgsl/shader.js';

const fromShapes = hostOp('known when the plan is compiled');

/** One value everywhere, written into the shader. */
function uniform(value: 0 | 1): Kernel {
  return elementwise((c) => literal(value, c.output(0).dtype));
}

/** One loop over the output; `element` is the WGSL of element `i` from the scalars `x` and `y`. */
function lowerSequence(c: KernelContext, names: readonly [string, string, string], element: string): Lowered {
  const elements = sizeOf(c.output(0).shape);
  if (elements === 0) return { dispatches: [] };
  const grid = gridFor(elements, 1, c.adapter);
  const bindings = [...names.map((name, i) => inputBinding(c, i, name)), outputBinding(c)];
  const body = gridStride(grid, `out[i] = ${element};`);
  return { dispatches: [shader({ label: c.op, bindings, workgroups: grid.workgroups, body }, c.adapter)] };
}

function lowerRange(c: KernelContext): Lowered {
  const type = storageType(c.output(0).dtype);
  return lowerSequence(c, ['start', 'stop', 'delta'], `start[0] + ${type}(i) * delta[0]`);
}

/** The last element is exactly `stop`; a single one is `start`. */
function lowerLinSpace(c: KernelContext): Lowered {
  const last = sizeOf(c.output(0).shape) - 1;
  if (last === 0) return lowerSequence(c, ['start', 'stop', 'num'], 'start[0]');
  const step = `(stop[0] - start[0]) / f32(${last})`;
  return lowerSequence(
    c,
    ['start', 'stop', 'num'],
    `select(start[0] + ${step} * f32(i), stop[0], i == ${last}u)`,
  );
}

export const SHAPE_KERNELS = {
  Shape: fromShapes,
  ShapeN: fromShapes,
  Size: fromShapes,
  Rank: fromShapes,
  BroadcastArgs: fromShapes,
  BroadcastGradientArgs: fromShapes,
  Fill: elementwise('value'),
  ZerosLike: uniform(0),
  OnesLike: uniform(1),
  Range: device(lowerRange),
  LinSpace: device(lowerLinSpace),
  BroadcastTo: elementwise('input', { relabels: true }),
  EnsureShape: view,
} satisfies Partial<Record<OpName, Kernel>>;
