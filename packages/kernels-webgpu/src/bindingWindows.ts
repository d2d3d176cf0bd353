/**
 * Tensors that take more bytes than one storage binding. Kernels do not know of the limit: here their
 * dispatches are rewritten. A kernel that touches element `i` of its large arrays in step `i` of its
 * loop runs once per window. Any other sees a large array through functions that choose the window.
 */
import { InternalError, sizeOf, UnimplementedError } from '@forerun/graph';
import type {
  AdapterFacts,
  Binding,
  BindingWindow,
  Dispatch,
  KernelContext,
  Lowered,
  Operand,
} from './kernel.js';
import { rewriteAccesses } from './wgsl/accessors.js';
import { elementBytes } from './wgsl/dtype.js';

/** Offsets of bindings are multiples of this on every adapter. */
const ALIGNMENT = 256;

/** The tensors that a kernel's bindings stand for. */
export type BoundOperands = Pick<KernelContext, 'input' | 'output'>;

/**
 * Cuts the bindings of `lowered` to what the adapter binds. Throws `UnimplementedError` when the windows
 * of a dispatch are more than the bindings that it may have.
 */
export function withinBindingLimit(
  lowered: Lowered,
  operands: BoundOperands,
  adapter: AdapterFacts,
): Lowered {
  const sizes = new BindingSizes(lowered, operands);
  if (!lowered.dispatches.some(({ bindings }) => bindings.some((b) => sizes.of(b) > adapter.maxBindingBytes)))
    return lowered;
  return { ...lowered, dispatches: lowered.dispatches.flatMap((dispatch) => cut(dispatch, sizes, adapter)) };
}

class BindingSizes {
  constructor(
    private readonly lowered: Lowered,
    private readonly operands: BoundOperands,
  ) {}

  /** Bytes of what is bound. */
  of({ source }: Binding): number {
    switch (source.kind) {
      case 'input':
      case 'output':
        return this.bytesOf(this.operands[source.kind](source.index));
      case 'scratch':
        return this.lowered.scratch?.[source.index] ?? 0;
      case 'data':
        return source.words.byteLength;
      case 'random':
        return 16;
    }
  }

  private bytesOf({ dtype, shape }: Operand): number {
    return sizeOf(shape) * elementBytes(dtype);
  }

  /** Bytes of one element of what is bound. */
  element({ source }: Binding): number {
    if (source.kind !== 'input' && source.kind !== 'output') return 4;
    return elementBytes(this.operands[source.kind](source.index).dtype);
  }
}

/** A binding that takes several windows. */
interface LargeBinding {
  readonly binding: Binding;
  readonly bytes: number;
  /** The type of an element as declared, and without `atomic`. */
  readonly declared: string;
  readonly type: string;
  /** Elements in all, and in every window but the last. */
  readonly length: number;
  readonly perWindow: number;
  readonly windows: readonly BindingWindow[];
}

function cut(dispatch: Dispatch, sizes: BindingSizes, adapter: AdapterFacts): Dispatch[] {
  const large = dispatch.bindings.flatMap((binding) => {
    const bytes = sizes.of(binding);
    return bytes > adapter.maxBindingBytes
      ? [largeBinding(dispatch, { binding, bytes, element: sizes.element(binding) }, adapter)]
      : [];
  });
  if (large.length === 0) return [dispatch];
  return perWindow(dispatch, large) ?? [throughAccessors(dispatch, large, adapter)];
}

function largeBinding(
  { wgsl, label }: Dispatch,
  {
    binding,
    bytes,
    element,
  }: { readonly binding: Binding; readonly bytes: number; readonly element: number },
  adapter: AdapterFacts,
): LargeBinding {
  const declared = declaredType(wgsl, binding.name);
  const type = /^atomic<(.*)>$/.exec(declared)?.[1] ?? declared;
  const step = element * Number(/^vec([24])</.exec(type)?.[1] ?? 1);
  const window = Math.floor(adapter.maxBindingBytes / ALIGNMENT) * ALIGNMENT;
  if (window === 0) {
    throw new UnimplementedError(
      `kernel ${label} needs a binding of ${bytes} bytes, the adapter binds ${adapter.maxBindingBytes} at most`,
    );
  }
  return {
    binding,
    bytes,
    declared,
    type,
    length: Math.floor(bytes / step),
    perWindow: window / step,
    windows: Array.from({ length: Math.ceil(bytes / window) }, (_, k) => ({
      offset: k * window,
      bytes: Math.min(window, bytes - k * window),
    })),
  };
}

/** The loop of `gridStride` over a dispatch's items. */
const GRID_LOOP =
  /for \(var i = global_id\.x; i < (\d+)u; i \+= (\d+)u\) \{|let i = global_id\.x;\nif \(i < (\d+)u\) \{/g;

/**
 * One dispatch per window, when the kernel's loop runs over the elements of all its large arrays and
 * touches in every step the element of that number only. `null` when it does anything else.
 */
function perWindow(dispatch: Dispatch, large: readonly LargeBinding[]): Dispatch[] | null {
  const { wgsl } = dispatch;
  const loops = [...wgsl.matchAll(GRID_LOOP)];
  const [loop] = loops;
  const [first] = large;
  const items = Number(loop?.[1] ?? loop?.[3]);
  if (first === undefined || loop === undefined || loops.length > 1) return null;
  if (/\b(?:let|var) i\b/.test(wgsl.slice(loop.index + loop[0].length))) return null;
  // What is written besides would be written once per window.
  const written = dispatch.bindings.filter(({ access }) => access === 'read_write');
  if (!written.every((binding) => large.some((one) => one.binding === binding))) return null;
  if (!large.every((one) => one.length === items && one.perWindow === first.perWindow)) return null;
  if (!large.every(({ binding: { name } }) => accessedAt(wgsl, name, 'i'))) return null;
  return first.windows.map((_, k) => {
    const begin = k * first.perWindow;
    const count = Math.min(first.perWindow, items - begin);
    return {
      ...dispatch,
      wgsl: windowText(wgsl, loop[0], large, begin, count),
      bindings: dispatch.bindings.map((binding) => {
        const window = large.find((one) => one.binding === binding)?.windows[k];
        return window === undefined ? binding : { ...binding, window };
      }),
    };
  });
}

function accessedAt(wgsl: string, name: string, index: string): boolean {
  const all = wgsl.match(new RegExp(`(?<![\\w.])${name}\\b`, 'g'))?.length;
  const plain = wgsl.match(new RegExp(`(?<![\\w.])${name}\\[${index}\\]`, 'g'))?.length;
  return all !== undefined && plain !== undefined && all === plain + 1;
}

function windowText(
  wgsl: string,
  loop: string,
  large: readonly LargeBinding[],
  begin: number,
  count: number,
): string {
  const own = loop.replaceAll(/\bi\b/g, 'own_i').replace(/own_i < \d+u/, `own_i < ${count}u`);
  const text = large.reduce(
    (result, { binding: { name } }) =>
      result.replaceAll(new RegExp(`(?<![\\w.])${name}\\[i\\]`, 'g'), `${name}[own_i]`),
    wgsl.replace(loop, ''),
  );
  const place = wgsl.indexOf(loop);
  const [head, body] = [text.slice(0, place), text.slice(place)];
  const named = /\bi\b/.test(body) ? `\nlet i = own_i + ${begin}u;` : '';
  return `${head}${own}${named}${body}`;
}

/** Every large array becomes several bindings behind functions. */
function throughAccessors(
  dispatch: Dispatch,
  large: readonly LargeBinding[],
  adapter: AdapterFacts,
): Dispatch {
  const declared = dispatch.bindings.flatMap((binding) => windowsOf(dispatch, binding, large));
  if (declared.length > adapter.maxBindings) {
    const sizes = large.map(({ bytes }) => bytes).join(', ');
    throw new UnimplementedError(
      `kernel ${dispatch.label} needs ${declared.length} storage bindings for tensors of ${sizes} bytes, of which the adapter binds ${adapter.maxBindingBytes} at once; it has ${adapter.maxBindings} bindings`,
    );
  }
  const { text, calls } = rewriteAccesses(
    dispatch.wgsl.replaceAll(/^@group\(0\) @binding.*\n|\/\/.*/gm, ''),
    large.map(({ binding: { name }, length }) => ({ name, length })),
  );
  const directives = /^(?:enable \w+;\n)*/.exec(text)?.[0] ?? '';
  const declarations = declared.map(
    ({ binding: { name, access }, type }, k) =>
      `@group(0) @binding(${k}) var<storage, ${access}> ${name}: array<${type}>;`,
  );
  const functions = large.flatMap((one) => accessors(one, calls));
  const wgsl = [...declarations, ...functions, text.slice(directives.length)].join('\n');
  return { ...dispatch, wgsl: directives + wgsl, bindings: declared.map(({ binding }) => binding) };
}

interface DeclaredBinding {
  readonly binding: Binding;
  readonly type: string;
}

function windowsOf(
  { wgsl }: Dispatch,
  binding: Binding,
  large: readonly LargeBinding[],
): readonly DeclaredBinding[] {
  const one = large.find((other) => other.binding === binding);
  if (one === undefined) return [{ binding, type: declaredType(wgsl, binding.name) }];
  return one.windows.map((window, k) => ({
    binding: { ...binding, name: `${binding.name}_w${k}`, window },
    type: one.declared,
  }));
}

function declaredType(wgsl: string, name: string): string {
  return new RegExp(`> ${name}: array<(.*)>;`).exec(wgsl)?.[1] ?? 'u32';
}

/** The functions of `calls` that belong to a binding. */
function accessors(one: LargeBinding, calls: ReadonlySet<string>): string[] {
  const operation = new RegExp(`^${one.binding.name}_(get|set|atomic\\w+)$`);
  return [...calls].flatMap((call) => {
    const [, name] = operation.exec(call) ?? [];
    return name === undefined ? [] : [accessor(one, call, name)];
  });
}

function accessor(one: LargeBinding, call: string, operation: string): string {
  const { type } = one;
  const reads = `fn ${call}(i: u32) -> ${type}`;
  const writes = `fn ${call}(i: u32, v: ${type})`;
  switch (operation) {
    case 'get':
      return choice(one, reads, (element) => `return ${element};`);
    case 'set':
      return choice(one, writes, (element) => `${element} = v;`);
    case 'atomicLoad':
      return choice(one, reads, (element) => `return atomicLoad(&${element});`);
    case 'atomicStore':
      return choice(one, writes, (element) => `atomicStore(&${element}, v);`);
    case 'atomicCompareExchangeWeak':
      throw new InternalError(`${call}: its result has no name in WGSL`);
    default:
      return choice(one, `${writes} -> ${type}`, (element) => `return ${operation}(&${element}, v);`);
  }
}

/** Every window but the last takes the indices below its end; the last one takes the rest. */
function choice(
  { binding: { name }, windows, perWindow: step }: LargeBinding,
  head: string,
  statement: (element: string) => string,
): string {
  const cases = windows.map((_, k) => {
    const inner = statement(`${name}_w${k}[${k === 0 ? 'i' : `i - ${k * step}u`}]`);
    return k === windows.length - 1 ? `{ ${inner} }` : `if (i < ${(k + 1) * step}u) { ${inner} }`;
  });
  return `${head} {\n${cases.join(' else ')}\n}`;
}
