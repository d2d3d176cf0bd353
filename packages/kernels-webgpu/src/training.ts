/**
 * Kernels of optimizer updates: one pass over the parameters, or over the rows that a sparse gradient
 * names, that changes variable and slots in place. Hyper-parameters known when the plan is compiled are
 * constants in the text, the others are read from their buffers.
 */
import { OPS, UPDATES, sizeOf, type OpName, type UpdateName } from '@forerun/graph';
import { duplicateLinks, type Links } from './duplicateLinks.js';
import {
  device,
  hostOp,
  type DeviceKernel,
  type Dispatch,
  type ElementUpdate,
  type Kernel,
  type KernelContext,
  type Lowered,
} from './kernel.js';
import { RULES, type KnownScalars, type UpdateRule } from './trainingRules.js';
import { literal, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride, unflatten } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { inputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

const BY_REFERENCE = hostOp('executed by the session as resource variables');

/** Positions of an op's inputs: variable and slots come first, all that is not listed is scalar. */
interface Places {
  readonly state: readonly string[];
  readonly grad: number;
  readonly indices: number;
  readonly scalars: ReadonlyMap<string, number>;
}

function placesOf(rule: UpdateName, type: OpName): Places {
  const names = OPS[type].inputs.map(({ name }) => name);
  const { state } = UPDATES[rule];
  const grad = names.findIndex((name) => name === 'grad' || name === 'delta');
  const indices = names.indexOf('indices');
  const scalars = names.flatMap((name, i) =>
    i < state.length || i === grad || i === indices ? [] : [[name, i] as const],
  );
  // `var` is a word of WGSL.
  return { state: ['variable', ...state.slice(1)], grad, indices, scalars: new Map(scalars) };
}

function dense(rule: UpdateName): DeviceKernel {
  const places = placesOf(rule, `ResourceApply${rule}`);
  return device((c) => lowerDense(c, RULES[rule], places), {
    update: (c) => denseUpdate(c, RULES[rule], places),
  });
}

/** The dense update where a gradient is computed; `null` where its scalars would have to be packed first. */
function denseUpdate(c: KernelContext, rule: UpdateRule, places: Places): ElementUpdate | null {
  const known = new Map([...places.scalars].flatMap(([name, i]) => knownScalar(c, name, i)));
  const scalars = scalarParameters(c, places.scalars, known);
  const room = c.adapter.maxBindings - places.state.length - 1;
  if (variableSize(c) === 0 || scalars.bindings.length > room) return null;
  return {
    input: places.grad,
    bindings: (width) => [...stateBindings(c, places, width), ...scalars.bindings],
    statements: (width) =>
      [
        ...scalars.declarations,
        rule.prepare ?? '',
        'let grad = value;',
        elementStep(c, rule, places, known, width),
      ].join('\n'),
  };
}

function lowerDense(c: KernelContext, rule: UpdateRule, places: Places): Lowered {
  const size = variableSize(c);
  if (size === 0) return { dispatches: [] };
  const width: Width = size % 4 === 0 ? 4 : 1;
  const arrays = [...stateBindings(c, places, width), inputBinding(c, places.grad, 'grad_data', width)];
  const parameters = bindParameters(c, places.scalars, c.adapter.maxBindings - arrays.length, 0);
  const grid = gridFor(size, width, c.adapter);
  const body = [
    ...parameters.declarations,
    rule.prepare ?? '',
    gridStride(grid, `let grad = grad_data[i];\n${elementStep(c, rule, places, parameters.known, width)}`),
  ];
  const main = shader(
    {
      label: c.op,
      bindings: [...arrays, ...parameters.bindings],
      workgroups: grid.workgroups,
      body: body.join('\n'),
    },
    c.adapter,
  );
  return { dispatches: [...parameters.dispatches, main], scratch: parameters.scratch };
}

function sparse(rule: SparseName): DeviceKernel {
  return device((c) => lowerSparse(c, RULES[rule], placesOf(rule, `ResourceSparseApply${rule}`)));
}

/**
 * The rows of the variable that the indices name. Indices that name one row belong to the first of them,
 * whose invocations apply all of their gradients in order.
 */
function lowerSparse(c: KernelContext, rule: UpdateRule, places: Places): Lowered {
  const [rows = 1, ...row] = c.input(0).shape;
  const [count, inner] = [sizeOf(c.input(places.indices).shape), sizeOf(row)];
  if (variableSize(c) === 0 || count === 0) return { dispatches: [] };
  const width: Width = inner % 4 === 0 ? 4 : 1;
  const links = duplicateLinks(c, { input: places.indices, rows, scratch: 0 });
  const arrays = [
    ...stateBindings(c, places, width),
    inputBinding(c, places.grad, 'grad_data', width),
    inputBinding(c, places.indices, 'indices'),
    links.binding,
  ];
  const parameters = bindParameters(c, places.scalars, c.adapter.maxBindings - arrays.length, 1);
  const grid = gridFor(count * inner, width, c.adapter);
  const step = elementStep(c, rule, places, parameters.known, width);
  const main = shader(
    {
      label: c.op,
      bindings: [...arrays, ...parameters.bindings],
      workgroups: grid.workgroups,
      body: [
        ...parameters.declarations,
        rule.prepare ?? '',
        gridStride(grid, rowStep(links, [count, inner / width], step), 'item'),
      ].join('\n'),
    },
    c.adapter,
  );
  return {
    dispatches: [links.dispatch, ...parameters.dispatches, main],
    scratch: [links.bytes, ...parameters.scratch],
  };
}

function rowStep(links: Links, [count, inner]: readonly [number, number], step: string): string {
  const { code, names } = unflatten('item', [count, inner]);
  const [k = '0u', n = '0u'] = names;
  return [
    code,
    `if (${links.isFirst(k)}) {`,
    `let i = u32(indices[${k}]) * ${inner}u + ${n};`,
    links.forEach(k, 'j', `let grad = grad_data[j * ${inner}u + ${n}];\n${step}`),
    '}',
  ].join('\n');
}

function variableSize(c: KernelContext): number {
  const { dtype, shape } = c.input(0);
  if (dtype !== 'float32') c.unsupported(`variables of dtype ${dtype} are not updated on the device`);
  return sizeOf(shape);
}

function stateBindings(c: KernelContext, { state }: Places, width: Width): ShaderBinding[] {
  return state.map((name, i) => ({
    ...inputBinding(c, i, `${name}_data`, width),
    access: 'read_write' as const,
  }));
}

/** Updates the elements `i` of variable and slots by `grad`. */
function elementStep(
  c: KernelContext,
  { step }: UpdateRule,
  { state }: Places,
  known: KnownScalars,
  width: Width,
): string {
  return [
    ...state.map((name) => `var ${name} = ${name}_data[i];`),
    widen(typeof step === 'string' ? step : step(c, known), width),
    ...state.map((name) => `${name}_data[i] = ${name};`),
  ].join('\n');
}

/** How the scalars reach the shader: its declarations, the bindings they need, and a dispatch before it. */
interface Parameters {
  readonly known: KnownScalars;
  readonly declarations: readonly string[];
  readonly bindings: readonly ShaderBinding[];
  readonly dispatches: readonly Dispatch[];
  readonly scratch: readonly number[];
}

/** Binds what is not known on the host one by one, or, beyond `room` bindings, packed into scratch buffer `at`. */
function bindParameters(c: KernelContext, scalars: Places['scalars'], room: number, at: number): Parameters {
  const known = new Map([...scalars].flatMap(([name, i]) => knownScalar(c, name, i)));
  const unknown = [...scalars].filter(([name]) => !known.has(name));
  const { declarations, bindings: inputs } = scalarParameters(c, scalars, known);
  if (unknown.length <= room) return { known, declarations, bindings: inputs, dispatches: [], scratch: [] };
  const packing = shader(
    {
      label: `${c.op}.pack`,
      bindings: [...inputs, scratchBinding(at, 'packed', 'float32')],
      workgroups: [1, 1, 1],
      workgroupSize: 1,
      body: unknown.map(([name], k) => `packed[${k}] = f32(${name}_data[0]);`).join('\n'),
    },
    c.adapter,
  );
  return {
    known,
    declarations: [...constantsOf(known), ...unknown.map(([name], k) => `let ${name} = packed[${k}];`)],
    bindings: [{ ...scratchBinding(at, 'packed', 'float32'), access: 'read' }],
    dispatches: [packing],
    scratch: [unknown.length * 4],
  };
}

/** Every scalar as a constant or as a binding of its own. */
function scalarParameters(
  c: KernelContext,
  scalars: Places['scalars'],
  known: KnownScalars,
): Pick<Parameters, 'declarations' | 'bindings'> {
  const unknown = [...scalars].filter(([name]) => !known.has(name));
  return {
    declarations: [...constantsOf(known), ...unknown.map(([name]) => `let ${name} = f32(${name}_data[0]);`)],
    bindings: unknown.map(([name, i]) => inputBinding(c, i, `${name}_data`)),
  };
}

function constantsOf(known: KnownScalars): string[] {
  return [...known].map(([name, value]) => `let ${name} = ${literal(value, 'float32')};`);
}

function knownScalar(c: KernelContext, name: string, i: number): [string, number][] {
  const value = c.host(i)?.data[0];
  return value === undefined ? [] : [[name, value]];
}

/** The rules that have an op with the prefix. */
type Named<Prefix extends string> = {
  [K in UpdateName]: `${Prefix}${K}` extends OpName ? K : never;
}[UpdateName];
type SparseName = Named<'ResourceSparseApply'>;

const RULE_NAMES = Object.keys(UPDATES) as UpdateName[];

/** Kernels of all rules that have an op with `prefix`. */
function kernels<P extends string>(
  prefix: P,
  make: (rule: Named<P>) => Kernel,
): Record<`${P}${Named<P>}`, Kernel> {
  const has = (rule: UpdateName): rule is Named<P> => Object.hasOwn(OPS, prefix + rule);
  const entries = RULE_NAMES.filter(has).map((rule) => [prefix + rule, make(rule)]);
  return Object.fromEntries(entries) as Record<`${P}${Named<P>}`, Kernel>;
}

export const TRAINING_KERNELS = {
  ...kernels('ResourceApply', dense),
  ...kernels('ResourceSparseApply', sparse),
  ...kernels('Apply', () => BY_REFERENCE),
  ...kernels('SparseApply', () => BY_REFERENCE),
} satisfies Partial<Record<OpName, Kernel>>;
