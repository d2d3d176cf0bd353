/**
 * float16 on the device: two bytes per element in memory, float32 in every computation. Kernels do not know of it. They
 * see float16 operands as float32, and here what they load from the buffers of float16 tensors is widened, what they store is rounded
 * to nearest even. Where shaders have `f16`, such a buffer is an `array<f16>`; elsewhere it is an array of words with two elements each,
 * which single elements enter by two atomic operations, because neighbours may be stored at the same time.
 */
import { baseDType, sizeOf, type DType } from '@forerun/graph';
import type { BoundOperands } from './bindingWindows.js';
import type { AdapterFacts, Binding, Dispatch, Operand } from './kernel.js';
import { rewriteAccesses } from './wgsl/accessors.js';
import { elementBytes } from './wgsl/dtype.js';

/** The dtype that kernels compute a dtype in. */
export function computedDType(dtype: DType): DType {
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
  /** 1, 2 or 4: what `type` holds. */
  readonly width: number;
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
  const enable = adapter.shaderF16 && !directives.includes('enable f16;') ? 'enable f16;\n' : '';
  const rest = text.slice(directives.length);
  const packing = functions.includes('half_bits(') ? `${HALF_BITS}\n` : '';
  return {
    ...dispatch,
    wgsl: `${enable}${directives}${declarations.join('\n')}\n${packing}${functions}\n${rest}`,
  };
}

function halfBinding(binding: Binding, type: string | undefined, operands: BoundOperands): HalfBinding[] {
  const { source, window } = binding;
  if (type === undefined || (source.kind !== 'input' && source.kind !== 'output')) return [];
  const { dtype, shape } = operands[source.kind](source.index);
  if (baseDType(dtype) !== 'float16') return [];
  const width = Number(/^vec([24])</.exec(type)?.[1] ?? 1);
  const elements = window === undefined ? sizeOf(shape) : window.bytes / elementBytes(dtype);
  return [{ binding, type, width, length: Math.floor(elements / width) }];
}

function storedType({ binding, width }: HalfBinding, { shaderF16 }: AdapterFacts): string {
  if (shaderF16) return width === 1 ? 'f16' : `vec${width}<f16>`;
  return binding.access === 'read' ? 'u32' : 'atomic<u32>';
}

/** The functions `name_get` and `name_set`, as far as they are called. */
function accessors(half: HalfBinding, calls: ReadonlySet<string>, { shaderF16 }: AdapterFacts): string[] {
  const { binding, type, width } = half;
  const { name } = binding;
  const float = width === 1 ? 'f32' : `vec${width}<f32>`;
  // A kernel that moves words has declared the float32 bits.
  const [given, taken] =
    type === float
      ? [(value: string) => value, 'half_v']
      : [(value: string) => `bitcast<${type}>(${value})`, `bitcast<${float}>(half_v)`];
  const stored = width === 1 ? 'f16' : `vec${width}<f16>`;
  const load = shaderF16 ? `${float}(${name}[half_i])` : unpacked(half);
  const store = shaderF16 ? `${name}[half_i] = ${stored}(half_x);` : packed(half);
  return [
    ...(calls.has(`${name}_get`)
      ? [`fn ${name}_get(half_i: u32) -> ${type} { return ${given(load)}; }`]
      : []),
    ...(calls.has(`${name}_set`)
      ? [`fn ${name}_set(half_i: u32, half_v: ${type}) { let half_x = ${taken}; ${store} }`]
      : []),
  ];
}

/** Element `half_i` of an array of words. The names must not be those of bindings. */
function unpacked({ binding: { name, access }, width }: HalfBinding): string {
  const word = (index: string): string =>
    access === 'read' ? `${name}[${index}]` : `atomicLoad(&${name}[${index}])`;
  if (width === 1) return `unpack2x16float(${word('half_i / 2u')} >> (half_i % 2u * 16u)).x`;
  const pairs = width === 2 ? [word('half_i')] : [word('2u * half_i'), word('2u * half_i + 1u')];
  return `vec${width}<f32>(${pairs.map((pair) => `unpack2x16float(${pair})`).join(', ')})`;
}

/** Statements that store `half_x` as element `half_i` of an array of words. */
function packed({ binding: { name }, width }: HalfBinding): string {
  const pair = (low: string, high: string): string =>
    `half_bits(half_x.${low}) | (half_bits(half_x.${high}) << 16u)`;
  if (width === 1)
    return (
      `let half_at = half_i % 2u * 16u; atomicAnd(&${name}[half_i / 2u], 0xffff0000u >> half_at); ` +
      `atomicOr(&${name}[half_i / 2u], half_bits(half_x) << half_at);`
    );
  if (width === 2) return `atomicStore(&${name}[half_i], ${pair('x', 'y')});`;
  return `atomicStore(&${name}[2u * half_i], ${pair('x', 'y')}); atomicStore(&${name}[2u * half_i + 1u], ${pair('z', 'w')});`;
}

/** IEEE half-precision bits, rounded to nearest even: WGSL leaves the rounding of `pack2x16float` open. */
const HALF_BITS = `fn half_bits(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  let sign = (bits >> 16u) & 0x8000u;
  if (size > 0x7f800000u) { return sign | 0x7e00u; }
  if (size >= 0x477ff000u) { return sign | 0x7c00u; }
  if (size < 0x38800000u) { return sign | u32(round(bitcast<f32>(size) * 16777216.0)); }
  return sign | (((size + 0xfffu + ((size >> 13u) & 1u)) >> 13u) - 0x1c000u);
}`;
