/**
 * What a kernel is: a pure function from an op with static shapes to WGSL text, bindings and a
 * dispatch size. No GPU object appears here; the session turns this into pipelines and buffers.
 */
import type { Attrs, DType, HostValue } from '@forerun/graph';

/** A tensor as a kernel sees it. For resource inputs this is the variable behind the handle. */
export interface Operand {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What lowering may depend on besides the op. */
export interface AdapterFacts {
  /** Lanes per subgroup when `subgroups` is enabled and the size is fixed; 0 = do not use subgroups. */
  readonly subgroupSize: number;
  /** A CPU implementation (lavapipe, SwiftShader): workgroup memory and barriers are dear. */
  readonly software: boolean;
  readonly shaderF16: boolean;
  /** Storage buffers per dispatch. */
  readonly maxBindings: number;
  /** Bytes of one storage binding. */
  readonly maxBindingBytes: number;
  /** Workgroups per dispatch dimension. */
  readonly maxWorkgroups: number;
  /** Invocations per workgroup. */
  readonly maxInvocations: number;
  /** Says which candidate a kernel takes where it has several; absent: the first, which is the default. */
  readonly choose?: (choice: Choice) => number;
}

/** Several ways to compute the same, of which the fastest depends on the adapter. */
export interface Choice {
  /** Everything that the candidates' shaders depend on, besides the adapter. */
  readonly signature: string;
  /** Name of the node that is lowered. */
  readonly node: string;
  /** Multiplications and additions of one run, in pairs. */
  readonly products: number;
  /** The default first. */
  readonly candidates: readonly Candidate[];
  /** What the bindings of `lower` refer to. */
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  /** The dispatches of candidate `index`. */
  lower(index: number): Lowered;
}

export interface Candidate {
  readonly name: string;
  /** Multiplications in the body of the innermost loop: what a driver's time to compile grows with. */
  readonly body: number;
}

export interface KernelContext {
  readonly op: string;
  /** Node name, for labels and errors. */
  readonly name: string;
  readonly attrs: Attrs;
  readonly inputs: readonly Operand[];
  readonly outputs: readonly Operand[];
  readonly adapter: AdapterFacts;
  input(i: number): Operand;
  output(i: number): Operand;
  /** The value of input `i` when it is known on the host, else `null`. */
  host(i: number): HostValue | null;
  /** As `host`, but an error naming the node and `what` when the value is not known. */
  requireHost(i: number, what: string): HostValue;
  /** Refuses the case with an `UnimplementedError` that names op and node. */
  unsupported(why: string): never;
}

/** What a binding is bound to. */
export type BindingSource =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'output'; readonly index: number }
  /** A buffer that lives only within this kernel's dispatches; `index` into `Lowered.scratch`. */
  | { readonly kind: 'scratch'; readonly index: number }
  /** A constant table, uploaded once. */
  | { readonly kind: 'data'; readonly words: Uint32Array }
  /** `array<u32, 4>`: the session's random step (low, high word) and the salt of the body that is run, two words. */
  | { readonly kind: 'random' };

/** One `var<storage>` of a shader; the position in the list is the binding number. */
export interface Binding {
  /** WGSL name. */
  readonly name: string;
  readonly source: BindingSource;
  readonly access: 'read' | 'read_write';
  /** The part that is bound of a buffer that takes more than one binding; default: all. */
  readonly window?: BindingWindow;
}

/** A range of a buffer, in bytes. */
export interface BindingWindow {
  readonly offset: number;
  readonly bytes: number;
}

export interface Dispatch {
  /** For profiles: kernel family and what distinguishes this dispatch, for example `matMul.sg16x4`. */
  readonly label: string;
  /** The complete shader; its text is the key under which pipelines are shared. Entry point `main`. */
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [number, number, number];
}

export interface Lowered {
  readonly dispatches: readonly Dispatch[];
  /** Byte sizes of scratch buffers. */
  readonly scratch?: readonly number[];
}

/** Computes every output element from the elements of its inputs at the same (broadcast) position. */
export interface ElementwiseKernel {
  readonly kind: 'elementwise';
  /**
   * A WGSL expression over the op's input names (`inputs_0`, `inputs_1` … of a repeated argument), or a
   * function giving one; bool operands and results are `bool`. Library functions (wgsl/library.ts) may
   * be called. It must also be right for `vec4` operands: it is widened by text, so comparisons, shifts
   * and bit operations need typed constants (`x < f32(0)`, `x & u32(1u)`).
   */
  readonly expression: string | ((c: KernelContext) => string);
  /** The expression combines `x` and `y`, and is applied from the first to the last repeated input. */
  readonly fold?: boolean;
  /** Inputs of lower rank extend along the leading dimensions, not the trailing ones (`Select`). */
  readonly alignLeading?: boolean;
  /** The shape under which input `i` broadcasts, where neither its own nor `alignLeading` is right (`BiasAdd`). */
  readonly operandShape?: (c: KernelContext, i: number) => readonly number[];
}

export interface DeviceKernel {
  readonly kind: 'device';
  readonly lower: (c: KernelContext) => Lowered;
}

/** The output is the input's buffer under another shape: costs nothing. */
export interface ViewKernel {
  readonly kind: 'view';
}

/** The session itself carries the op out. */
export interface HostOp {
  readonly kind: 'host';
  readonly reason: string;
}

export interface Unsupported {
  readonly kind: 'unsupported';
  readonly reason: string;
}

export type Kernel = ElementwiseKernel | DeviceKernel | ViewKernel | HostOp | Unsupported;

export function elementwise(
  expression: ElementwiseKernel['expression'],
  options: Omit<ElementwiseKernel, 'kind' | 'expression'> = {},
): ElementwiseKernel {
  return { kind: 'elementwise', expression, ...options };
}

export function device(lower: DeviceKernel['lower']): DeviceKernel {
  return { kind: 'device', lower };
}

export const view: ViewKernel = { kind: 'view' };

export function hostOp(reason: string): HostOp {
  return { kind: 'host', reason };
}

export function unsupported(reason: string): Unsupported {
  return { kind: 'unsupported', reason };
}
