/**
 * float16 on the device: two bytes per element in memory, float32 in every computation. Kernels do not know of it. They
 * see float16 operands as float32, and here what they load from the buffers of float16 tensors is widened, what they store is rounded
 * to nearest even. On GPUs whose shaders have `f16`, such a buffer is an `array<f16>`; elsewhere it is an array of words with two
 * elements each. Without `f16`, single elements enter their words by two atomic operations, because neighbours may be stored at the same time.
 */
import { baseDType, sizeOf, type DType } from '@forerun/graph';
import type { BoundOperands } from './bindingWindows.js';
import type { AdapterFacts, Binding, Dispatch, Operand } from './kernel.js';
import { rewriteAccesses } from './wgsl/accessors.js';
import { elementBytes, vectorType, type Width } from './wgsl/dtype.js';
import { libraryFor } from './wgsl/library.js';

/** The dtype that kernels compute a dtype in. Texts are numbers, which kernels move and compare. */
export function computedDType(dtype: DType): DType {
  if (baseDType(dtype) === 'string') return 'int32';
  return baseDType(dtype) === 'float16' ? 'float32' : dtype;
}

/** A tensor as kernels see it. */
export function computedOperand({ dtype, shape }: Operand): Operand {
  return { dtype: computedDType(dtype), shape };
}

/** A binding of a float16 tensor. */
interface HalfBinding {
  readonly binding: Binding;
  /** The type of an element as the kernel declares it: `f32`, `vec4<f32>`, or the words of float32 bits. */
  readonly type: string;
  /** How many elements `type` holds. */
  readonly width: Width;
  /** Elements of that width. */
  readonly length: number;
}

const DECLARATION = /^@group\(0\) @binding\((\d+)\) var<storage, \w+> (\w+): array<(.*)>;\n/gm;

/** The dispatch with the bindings of float16 tensors as these lie in memory. */
export function inHalfStorage(dispatch: Dispatch, operands: BoundOperands, adapter: AdapterFacts): Dispatch {
  const types = new Map(
    [...dispatch.wgsl.matchAll(DECLARATION)].map(([, , name = '', type = '']) => [name, type]),
  );
  const halves = dispatch.bindings.flatMap((binding) =>
    halfBinding(binding, types.get(binding.name), operands),
  );
  if (halves.length === 0) return dispatch;
  const declarations = dispatch.bindings.map((binding, i) => {
    const half = halves.find((one) => one.binding === binding);
    const element = half === undefined ? types.get(binding.name) : storedType(half, adapter);
    return `@group(0) @binding(${i}) var<storage, ${binding.access}> ${binding.name}: array<${element}>;`;
  });
  const { text, calls } = rewriteAccesses(
    dispatch.wgsl.replaceAll(DECLARATION, '').replaceAll(/\/\/.*/g, ''),
    halves.map(({ binding: { name }, length }) => ({ name, length })),
  );
  const functions = halves.flatMap((half) => accessors(half, calls, adapter)).join('\n');
  const directives = /^(?:enable \w+;\n)*/.exec(text)?.[0] ?? '';
  const all = [...declarations, libraryFor(functions), functions].join('\n');
  const enable = /\bf16\b/.test(all) && !directives.includes('enable f16;') ? 'enable f16;\n' : '';
  const rest = text.slice(directives.length);
  const elementOf = (name: string): string | null => {
    const half = halves.find((one) => one.binding.name === name);
    return half === undefined ? null : storedType(half, adapter);
  };
  return {
    ...dispatch,
    wgsl: `${enable}${directives}${all}\n${rest}`,
    inPlace: dispatch.inPlace.filter(([read, written]) => elementOf(read) === elementOf(written)),
  };
}

function halfBinding(binding: Binding, type: string | undefined, operands: BoundOperands): HalfBinding[] {
  const { source, window } = binding;
  if (type === undefined || (source.kind !== 'input' && source.kind !== 'output')) return [];
  const { dtype, shape } = operands[source.kind](source.index);
  if (baseDType(dtype) !== 'float16') return [];
  const width = type.startsWith('vec4') ? 4 : 1;
  const elements = window === undefined ? sizeOf(shape) : window.bytes / elementBytes(dtype);
  return [{ binding, type, width, length: Math.floor(elements / width) }];
}

/**
 * Whether shaders work on words of two elements rather than on `f16`. On software adapters words are widened and
 * rounded by integer arithmetic faster than by their conversions.
 */
function inWords({ shaderF16, software }: AdapterFacts): boolean {
  return !shaderF16 || software;
}

function storedType({ binding: { access }, width }: HalfBinding, adapter: AdapterFacts): string {
  if (width === 4) return inWords(adapter) ? 'vec2<u32>' : 'vec4<f16>';
  if (access === 'read') return inWords(adapter) ? 'u32' : 'f16';
  return adapter.shaderF16 ? 'f16' : 'atomic<u32>';
}

/** The functions `name_get` and `name_set`, as far as they are called. Their names must not be those of bindings. */
function accessors(half: HalfBinding, calls: ReadonlySet<string>, adapter: AdapterFacts): string[] {
  const { binding, type, width } = half;
  const { name } = binding;
  const float = vectorType('f32', width);
  // A kernel that moves words has declared the float32 bits.
  const [before, after] = type === float ? ['', ''] : [`bitcast<${type}>(`, ')'];
  const value = type === float ? 'half_v' : `bitcast<${float}>(half_v)`;
  const stored = storedType(half, adapter);
  const get = `fn ${name}_get(half_i: u32) -> ${type} { return ${before}${load(name, stored)}${after}; }`;
  const set = `fn ${name}_set(half_i: u32, half_v: ${type}) { let half_x = ${value}; ${store(name, stored)} }`;
  return [...(calls.has(`${name}_get`) ? [get] : []), ...(calls.has(`${name}_set`) ? [set] : [])];
}

/** Element `half_i` of an array of elements of type `stored`. */
function load(name: string, stored: string): string {
  const single = (word: string): string => `half_value((${word} >> (half_i % 2u * 16u)) & 0xffffu)`;
  switch (stored) {
    case 'vec2<u32>':
      return `half_value_v4((${name}[half_i].xxyy >> vec4<u32>(0u, 16u, 0u, 16u)) & vec4<u32>(0xffffu))`;
    case 'u32':
      return single(`${name}[half_i / 2u]`);
    case 'atomic<u32>':
      return single(`atomicLoad(&${name}[half_i / 2u])`);
    default:
      return `${stored.replace('f16', 'f32')}(${name}[half_i])`;
  }
}

/** Statements that store `half_x` as element `half_i`. */
function store(name: string, stored: string): string {
  if (stored === 'atomic<u32>')
    return (
      `let half_at = half_i % 2u * 16u; atomicAnd(&${name}[half_i / 2u], 0xffff0000u >> half_at); ` +
      `atomicOr(&${name}[half_i / 2u], half_bits(half_x) << half_at);`
    );
  if (stored !== 'vec2<u32>') return `${name}[half_i] = ${stored}(half_x);`;
  return `let half_b = half_bits_v4(half_x); ${name}[half_i] = half_b.xz | (half_b.yw << vec2<u32>(16u));`;
}
