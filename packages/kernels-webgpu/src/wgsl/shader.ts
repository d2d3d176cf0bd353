/**
 * Writes a complete WGSL module from what a kernel says: its bindings, the body of `main`, the
 * dispatch size. Library functions (library.ts) that the text names are included by themselves, as are
 * built-in parameters of `main` and `enable` directives.
 */
import { UnimplementedError, type DType } from '@forerun/graph';
import type {
  AdapterFacts,
  Binding,
  BindingSource,
  Dispatch,
  ElementAccesses,
  KernelContext,
  ShaderBinding,
  ShaderSpec,
} from '../kernel.js';
import { storageType, vectorType, type Width } from './dtype.js';
import { WORKGROUP_SIZE } from './indexing.js';
import { foldGrid } from './foldedGrid.js';
import { libraryFor } from './library.js';

export type { ShaderBinding, ShaderSpec };

const PARAMETERS: readonly (readonly [name: string, builtin: string, type: string])[] = [
  ['global_id', 'global_invocation_id', 'vec3<u32>'],
  ['local_id', 'local_invocation_id', 'vec3<u32>'],
  ['group_id', 'workgroup_id', 'vec3<u32>'],
  ['folded_id', 'workgroup_id', 'vec3<u32>'],
  ['num_groups', 'num_workgroups', 'vec3<u32>'],
  ['local_index', 'local_invocation_index', 'u32'],
  ['lane', 'subgroup_invocation_id', 'u32'],
  ['lanes', 'subgroup_size', 'u32'],
];

/**
 * Builds the dispatch of `spec`. Throws `UnimplementedError` when it exceeds the adapter's number of
 * bindings. More workgroups than one dimension takes are folded over the others.
 */
export function shader(spec: ShaderSpec, adapter: AdapterFacts): Dispatch {
  checkBindings(spec, adapter);
  const bindings = spec.bindings.map((binding) => ({
    ...binding,
    access: binding.access ?? defaultAccess(binding),
  }));
  const folded = foldGrid(spec.label, spec.workgroups, sizesOf(spec), adapter);
  const body = folded === null ? spec.body : `${folded.code}\n${spec.body}`;
  const main = `fn main(${parameters(body, folded === null ? [] : UNFOLDED)}) {\n${body}\n}`;
  const declared = bindings.map(declareBinding);
  let text: string | null = null;
  return {
    label: spec.label,
    // Most shaders of a graph are fused into others and never asked for their own text.
    get wgsl() {
      return (text ??= moduleText(spec, declared, main));
    },
    bindings: bindings.map(({ name, source, access }) => ({ name, source, access })),
    workgroups: folded?.workgroups ?? spec.workgroups,
    inPlace: inPlacePairs(spec.elementwise ?? [], bindings),
    spec,
  };
}

/** What may be stored in the place of what: arrays of one type that are accessed element by element, together. */
function inPlacePairs(
  accesses: readonly ElementAccesses[],
  bindings: readonly ShaderBinding[],
): Dispatch['inPlace'] {
  const typeOf = (name: string, access: Binding['access']): string | null => {
    const binding = bindings.find((one) => one.name === name && one.access === access);
    return binding === undefined ? null : elementType(binding);
  };
  return accesses.flatMap(({ reads, writes }) =>
    writes.flatMap((written) => {
      const type = typeOf(written, 'read_write');
      const alike = reads.filter((read) => type !== null && typeOf(read, 'read') === type);
      return alike.map((read) => [read, written] as const);
    }),
  );
}

/** The dispatch with other things bound, for kernels that are made of others: `sourceOf` gives what stands for a source. */
export function rebound(dispatch: Dispatch, sourceOf: (source: BindingSource) => BindingSource): Dispatch {
  const moved = <T extends { readonly source: BindingSource }>(list: readonly T[]): T[] =>
    list.map((binding) => ({ ...binding, source: sourceOf(binding.source) }));
  const { label, bindings, workgroups, inPlace, spec } = dispatch;
  // Who binds something new no longer says by the kind of it whether it is written.
  const accessed = spec.bindings.map((binding) => ({
    ...binding,
    access: binding.access ?? defaultAccess(binding),
  }));
  return {
    label,
    get wgsl() {
      return dispatch.wgsl;
    },
    bindings: moved(bindings),
    workgroups,
    inPlace,
    spec: { ...spec, bindings: moved(accessed) },
  };
}

function moduleText(spec: ShaderSpec, declared: readonly string[], main: string): string {
  const { body, declarations = '' } = spec;
  const own = `${declarations}\n${body}`;
  const parts = [
    ...enables(own),
    ...declared,
    libraryFor(own),
    declarations,
    `@compute @workgroup_size(${workgroupSize(spec)})`,
    main,
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

/** The binding of input `i` of an op under the WGSL name `name`. */
export function inputBinding(c: KernelContext, i: number, name: string, width: Width = 1): ShaderBinding {
  const { dtype } = c.input(i);
  return { name, source: { kind: 'input', index: i }, dtype, width };
}

/** The binding of output `i` of an op, called `out` by default. */
export function outputBinding(c: KernelContext, i = 0, name = 'out', width: Width = 1): ShaderBinding {
  const { dtype } = c.output(i);
  return { name, source: { kind: 'output', index: i }, dtype, width };
}

/** The binding of scratch buffer `index` of the kernel. */
export function scratchBinding(index: number, name: string, dtype: DType, width: Width = 1): ShaderBinding {
  return { name, source: { kind: 'scratch', index }, dtype, width };
}

/** The binding of a constant table. */
export function dataBinding(words: Uint32Array, name: string, dtype: DType = 'uint32'): ShaderBinding {
  return { name, source: { kind: 'data', words }, dtype };
}

function checkBindings({ label, bindings }: ShaderSpec, adapter: AdapterFacts): void {
  if (bindings.length > adapter.maxBindings) {
    throw new UnimplementedError(
      `kernel ${label} needs ${bindings.length} storage bindings, the adapter has ${adapter.maxBindings}`,
    );
  }
}

function defaultAccess({ source }: ShaderBinding): 'read' | 'read_write' {
  return source.kind === 'output' || source.kind === 'scratch' ? 'read_write' : 'read';
}

function declareBinding(binding: ShaderBinding & { access: 'read' | 'read_write' }, index: number): string {
  const element = elementType(binding);
  return `@group(0) @binding(${index}) var<storage, ${binding.access}> ${binding.name}: array<${element}>;`;
}

function elementType({ dtype, atomic, width = 1 }: ShaderBinding): string {
  const type = storageType(dtype);
  return atomic === true ? `atomic<${type}>` : vectorType(type, width);
}

function enables(text: string): string[] {
  const subgroups = /\bsubgroup[A-Z]\w*|\blanes?\b/.test(text) ? ['enable subgroups;'] : [];
  return /\bf16\b/.test(text) ? ['enable f16;', ...subgroups] : subgroups;
}

function workgroupSize({ workgroupSize: size = WORKGROUP_SIZE }: ShaderSpec): string {
  return typeof size === 'number' ? String(size) : size.join(', ');
}

/** Parameters that a folded grid defines itself. */
const UNFOLDED = ['group_id', 'global_id', 'num_groups'];

function sizesOf({ workgroupSize: size = WORKGROUP_SIZE }: ShaderSpec): readonly [number, number, number] {
  return typeof size === 'number' ? [size, 1, 1] : size;
}

function parameters(body: string, except: readonly string[]): string {
  const used = PARAMETERS.filter(
    ([name]) => !except.includes(name) && new RegExp(`\\b${name}\\b`).test(body),
  );
  return used.map(([name, builtin, type]) => `@builtin(${builtin}) ${name}: ${type}`).join(', ');
}
