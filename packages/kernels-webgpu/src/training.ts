/**
 * Kernels of optimizer updates: one pass over the parameters that changes variable and slots in
 * place. Hyper-parameters known when the plan is compiled are constants in the text, the others
 * are read from their buffers.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import {
  device,
  hostOp,
  type DeviceKernel,
  type Dispatch,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { literal, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

const BY_REFERENCE = hostOp('executed by the session as resource variables');

/** An update rule over WGSL names: those of `state` are elements to change, `grad` and the scalars are given. */
interface UpdateRule {
  /** Variable and slots: inputs 0, 1 … */
  readonly state: readonly string[];
  /** Scalar inputs by position. */
  readonly scalars: Readonly<Record<string, number>>;
  /** Position of the gradient. */
  readonly grad: number;
  /** Scalar statements before the loop. */
  readonly prepare?: string;
  /** Statements per element (or `vec4` of elements), which assign to the names of `state`. */
  readonly step: (c: KernelContext) => string;
}

function update(rule: UpdateRule): DeviceKernel {
  return device((c) => lowerUpdate(c, rule));
}

function lowerUpdate(c: KernelContext, rule: UpdateRule): Lowered {
  const { dtype, shape } = c.input(0);
  if (dtype !== 'float32') c.unsupported(`variables of dtype ${dtype} are not updated on the device`);
  const size = sizeOf(shape);
  if (size === 0) return { dispatches: [] };
  const width: Width = size % 4 === 0 ? 4 : 1;
  const arrays = [
    ...rule.state.map((name, i) => ({
      ...inputBinding(c, i, `${name}_data`, width),
      access: 'read_write' as const,
    })),
    inputBinding(c, rule.grad, 'grad_data', width),
  ];
  const parameters = bindParameters(c, rule.scalars, c.adapter.maxBindings - arrays.length);
  const grid = gridFor(size, width, c.adapter);
  const main = shader(
    {
      label: c.op,
      bindings: [...arrays, ...parameters.bindings],
      workgroups: grid.workgroups,
      body: [
        ...parameters.declarations,
        rule.prepare ?? '',
        gridStride(grid, elementStep(rule, widen(rule.step(c), width))),
      ].join('\n'),
    },
    c.adapter,
  );
  return { dispatches: [...parameters.dispatches, main], scratch: parameters.scratch };
}

function elementStep({ state }: UpdateRule, step: string): string {
  return [
    ...state.map((name) => `var ${name} = ${name}_data[i];`),
    'let grad = grad_data[i];',
    step,
    ...state.map((name) => `${name}_data[i] = ${name};`),
  ].join('\n');
}

/** How the scalars reach the shader: its declarations, the bindings they need, and a dispatch before it. */
interface Parameters {
  readonly declarations: readonly string[];
  readonly bindings: readonly ShaderBinding[];
  readonly dispatches: readonly Dispatch[];
  readonly scratch: readonly number[];
}

/** Binds what is not known on the host one by one, or, beyond `room` bindings, packed into one buffer. */
function bindParameters(c: KernelContext, scalars: UpdateRule['scalars'], room: number): Parameters {
  const known = new Map(Object.entries(scalars).map(([name, i]) => [name, c.host(i)?.data[0]]));
  const unknown = Object.entries(scalars).filter(([name]) => known.get(name) === undefined);
  const constants = [...known].flatMap(([name, value]) =>
    value === undefined ? [] : [`let ${name} = ${literal(value, 'float32')};`],
  );
  if (unknown.length <= room) {
    return {
      declarations: [...constants, ...unknown.map(([name]) => `let ${name} = ${name}_data[0];`)],
      bindings: unknown.map(([name, i]) => inputBinding(c, i, `${name}_data`)),
      dispatches: [],
      scratch: [],
    };
  }
  const packing = shader(
    {
      label: `${c.op}.pack`,
      bindings: [
        ...unknown.map(([name, i]) => inputBinding(c, i, `${name}_data`)),
        scratchBinding(0, 'packed', 'float32'),
      ],
      workgroups: [1, 1, 1],
      workgroupSize: 1,
      body: unknown.map(([name], k) => `packed[${k}] = ${name}_data[0];`).join('\n'),
    },
    c.adapter,
  );
  return {
    declarations: [...constants, ...unknown.map(([name], k) => `let ${name} = packed[${k}];`)],
    bindings: [{ ...scratchBinding(0, 'packed', 'float32'), access: 'read' }],
    dispatches: [packing],
    scratch: [unknown.length * 4],
  };
}

const nesterov = (c: KernelContext): boolean => c.attrs.bool('use_nesterov');

export const TRAINING_KERNELS = {
  ResourceApplyGradientDescent: update({
    state: ['variable'],
    scalars: { alpha: 1 },
    grad: 2,
    step: () => 'variable -= f32(alpha) * grad;',
  }),

  ResourceApplyMomentum: update({
    state: ['variable', 'accum'],
    scalars: { lr: 2, momentum: 4 },
    grad: 3,
    step: (c) => `accum = f32(momentum) * accum + grad;
variable -= ${nesterov(c) ? 'f32(lr) * grad + f32(lr * momentum) * accum' : 'f32(lr) * accum'};`,
  }),

  ResourceApplyAdam: update({
    state: ['variable', 'm', 'v'],
    scalars: { beta1_power: 3, beta2_power: 4, lr: 5, beta1: 6, beta2: 7, epsilon: 8 },
    grad: 9,
    prepare: `let rate = lr * sqrt(1.0 - beta2_power) / (1.0 - beta1_power);
let keep1 = 1.0 - beta1;
let keep2 = 1.0 - beta2;`,
    step: (c) => `m += (grad - m) * f32(keep1);
v += (grad * grad - v) * f32(keep2);
variable -= f32(rate) * ${nesterov(c) ? '(f32(beta1) * m + f32(keep1) * grad)' : 'm'} / (sqrt(v) + f32(epsilon));`,
  }),

  ApplyGradientDescent: BY_REFERENCE,
  ApplyMomentum: BY_REFERENCE,
  ApplyAdam: BY_REFERENCE,
} satisfies Partial<Record<OpName, Kernel>>;
