/** Kernels of resource variables and assignments, saving and restoring. */
import { resolveStridedSlice, sizeOf, sliceMasks, stridesOf, type OpName } from '@forerun/graph';
import {
  device,
  hostOp,
  type DeviceKernel,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { wrapped, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, linearIndex, unflatten } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, shader, type ShaderBinding } from './wgsl/shader.js';

const BY_REFERENCE = hostOp('executed by the session as resource variables');
const FILES = hostOp('the session reads and writes files');

/** Writes `expression`, over the variable's element `old` and the input's `value`, to the variable. */
function assignment(expression: string): DeviceKernel {
  return device((c) => lowerAssignment(c, expression), {
    update: (c) => ({
      input: 1,
      bindings: (width) => [stateBinding(c, width)],
      statements: (width) => assignElement(c, expression, width),
    }),
  });
}

function stateBinding(c: KernelContext, width: Width): ShaderBinding {
  return { ...inputBinding(c, 0, 'state', width), access: 'read_write' };
}

/** Assigns to element `i`; `value` is the element of the input. */
function assignElement(c: KernelContext, expression: string, width: Width): string {
  const element = expression.replace('old', 'state[i]');
  return `state[i] = ${widen(wrapped(element, c.input(0).dtype), width)};`;
}

function lowerAssignment(c: KernelContext, expression: string): Lowered {
  const size = sizeOf(c.input(0).shape);
  if (size === 0) return { dispatches: [] };
  const width: Width = size % 4 === 0 ? 4 : 1;
  const grid = gridFor(size, width, c.adapter);
  const body = assignElement(c, expression.replace('value', 'value[i]'), width);
  const bindings = [stateBinding(c, width), inputBinding(c, 1, 'value', width)];
  const dispatch = shader(
    { label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

/** Writes the value, element by element, to where the slice lies in the variable. */
function lowerSliceAssign(c: KernelContext): Lowered {
  const list = (i: number, name: string): number[] => [...c.requireHost(i, name).data];
  const bounds = { begin: list(1, 'begin'), end: list(2, 'end'), strides: list(3, 'strides') };
  const { shape } = c.input(0);
  const { ranges, shape: part } = resolveStridedSlice(shape, bounds, sliceMasks(c.attrs), (rule) =>
    c.unsupported(rule),
  );
  const value = c.input(4).shape;
  if (value.join() !== part.join()) {
    c.unsupported(`the value has shape [${value.join()}], the part of the variable [${part.join()}]`);
  }
  const counts = ranges.map(({ count }) => count ?? 0);
  const size = sizeOf(counts);
  if (size === 0) return { dispatches: [] };
  const own = stridesOf(shape);
  const { code, names } = unflatten('i', counts);
  const places = ranges.map(({ begin, stride }, d) => `u32(${begin} + i32(${names[d] ?? '0u'}) * ${stride})`);
  const grid = gridFor(size, 1, c.adapter);
  const body = `${code}\nstate[${linearIndex(places, own)}] = value[i];`;
  const bindings = [
    { ...inputBinding(c, 0, 'state'), access: 'read_write' as const },
    inputBinding(c, 4, 'value'),
  ];
  const dispatch = shader(
    { label: c.op, bindings, workgroups: grid.workgroups, body: gridStride(grid, body) },
    c.adapter,
  );
  return { dispatches: [dispatch] };
}

export const STATE_KERNELS = {
  VarHandleOp: hostOp('the session keeps variables'),
  ReadVariableOp: hostOp("its value is the variable's buffer, or a copy that the session makes"),
  VariableShape: hostOp('known when the plan is compiled'),
  AssignVariableOp: assignment('value'),
  AssignAddVariableOp: assignment('old + value'),
  AssignSubVariableOp: assignment('old - value'),
  VarIsInitializedOp: hostOp('the session knows which variables have a value'),
  DestroyResourceOp: hostOp('the session keeps variables'),
  ResourceStridedSliceAssign: device(lowerSliceAssign),
  StridedSliceAssign: BY_REFERENCE,
  ResourceCountUpTo: hostOp('the session compares the count with the limit'),
  CountUpTo: BY_REFERENCE,
  Variable: BY_REFERENCE,
  VariableV2: BY_REFERENCE,
  TemporaryVariable: BY_REFERENCE,
  DestroyTemporaryVariable: BY_REFERENCE,
  Assign: BY_REFERENCE,
  AssignAdd: BY_REFERENCE,
  AssignSub: BY_REFERENCE,
  IsVariableInitialized: BY_REFERENCE,
  RefIdentity: BY_REFERENCE,
  RefSelect: BY_REFERENCE,
  SaveV2: FILES,
  RestoreV2: FILES,
  ShardedFilename: FILES,
  MergeV2Checkpoints: FILES,
} satisfies Partial<Record<OpName, Kernel>>;
