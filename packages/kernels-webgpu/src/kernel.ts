/**
 * What a kernel is: a pure function from an op with static shapes to WGSL text, bindings and a
 * dispatch size. No GPU object appears here; the session turns this into pipelines and buffers.
 */
import type { Attrs, DType, HostValue } from '@forerun/graph';
import type { RowProgram } from './rowProgram.js';
import type { BoundCopy } from './stridedCopy.js';
import type { Width } from './wgsl/dtype.js';

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

/** One storage buffer of a shader, in the order of binding numbers. */
export interface ShaderBinding {
  /** WGSL name: the op's name for the input, `out` for an output. */
  readonly name: string;
  readonly source: BindingSource;
  readonly dtype: DType;
  /** 4 makes it an array of `vec4`: only when the number of elements is divisible by 4. Default 1. */
  readonly width?: Width;
  /** Default `read` for inputs, data and the random step; `read_write` for outputs and scratch. */
  readonly access?: 'read' | 'read_write';
  /** Elements are `atomic<u32>` or `atomic<i32>`. */
  readonly atomic?: boolean;
}

export interface ShaderSpec {
  /** For profiles, for example `matMul.sg16x4`. */
  readonly label: string;
  readonly bindings: readonly ShaderBinding[];
  readonly workgroups: readonly [number, number, number];
  /** Default 64 in x. */
  readonly workgroupSize?: number | readonly [number, number, number];
  /** Module scope: constants, `var<workgroup>`, functions of the kernel's own. */
  readonly declarations?: string;
  /**
   * Statements of `main`. These parameters exist where the body names them: `global_id`, `local_id`,
   * `group_id`, `num_groups` (all `vec3<u32>`), `local_index`, `lane` and `lanes` (`u32`: position in
   * the subgroup and its size).
   */
  readonly body: string;
  /** What the text does element by element, as far as it is known. */
  readonly elementwise?: readonly ElementAccesses[];
  /** Where there may be work on what was stored, once all is stored; else it is done at the stores. */
  readonly revisit?: Revisit;
}

/**
 * Arrays of which one part of a shader accesses a single element at a time: it reads element `i` of some, and then stores element
 * `i` of others. Nothing else in the shader accesses them.
 */
export interface ElementAccesses {
  /** Names of bindings. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

/**
 * On software adapters what follows a long loop of arithmetic in the same registers slows the loop
 * down by up to 40%. Such kernels store their results as they are and, for epilogues, load them again.
 */
export interface Revisit {
  /** The binding that is stored to. */
  readonly name: string;
  /** Statements that may stand after `body`: `visit` for every index to which the invocation has stored. */
  readonly loop: (visit: (index: string) => string) => string;
  /** The loop of arithmetic is a single one, which an addition to its results at the stores does not slow down. */
  readonly addsAtStores: boolean;
  /** The loop is part of the body already. */
  readonly active?: boolean;
}

export interface Dispatch {
  /** For profiles: kernel family and what distinguishes this dispatch, for example `matMul.sg16x4`. */
  readonly label: string;
  /** The complete shader; its text is the key under which pipelines are shared. Entry point `main`. */
  readonly wgsl: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: readonly [number, number, number];
  /** Names of two arrays of one type: the second may lie in the place of the first, if each element of it is stored once. */
  readonly inPlace: readonly (readonly [read: string, written: string])[];
  /** What the shader was written from, so that fusion can write another. */
  readonly spec: ShaderSpec;
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
  /** As for device kernels. */
  readonly relabels?: boolean;
}

export interface DeviceKernel extends KernelFacts {
  readonly kind: 'device';
  readonly lower: (c: KernelContext) => Lowered;
}

/** What kind of work a kernel's time goes into. */
export type Work =
  /** Sums of products: arithmetic outweighs reading. */
  | 'contraction'
  /** Rows of input 0 are combined to one element each, in little more time than reading them takes. */
  | 'reduction'
  /** Anything else that takes little more time than reading its operands: moves, pools, normalizations. */
  | 'pass';

/** What the compiler may know of a kernel besides what its text shows. */
export interface KernelFacts {
  /** Absent where the kernel is of neither kind, or nobody has looked. */
  readonly work?: Work;
  /** A reduction of a sum is the sum of the reductions. */
  readonly linear?: boolean;
  /** An output of as many elements as input 0 has these elements, in the same order. */
  readonly relabels?: boolean;
  /** Every element of every output is stored exactly once, so that a store may have effects. */
  readonly storesOnce?: boolean;
  /** How often an element of input `i` is loaded in all dispatches, about; absent where nobody has looked. */
  readonly loads?: (c: KernelContext, i: number) => number;
  /** The kernel as a program over the rows of input 0; `null` where it is none. */
  readonly rows?: (c: KernelContext) => RowProgram | null;
  /** The kernel as copies of whole inputs into parts of output 0, which together are all of it. */
  readonly copies?: (c: KernelContext) => readonly BoundCopy[];
  /** The kernel as a copy of all of one input into all of output 0, in another order. */
  readonly moves?: (c: KernelContext) => BoundCopy;
  /** The kernel as copies of parts of one input into whole outputs, in order: output `k` is part `k`. */
  readonly cuts?: (c: KernelContext) => readonly BoundCopy[];
  /** The kernel as something that happens when its value is stored; `null` where it has no such form. */
  readonly update?: (c: KernelContext) => ElementUpdate | null;
}

/** An update of variables, element by element, by a value that another kernel computes. */
export interface ElementUpdate {
  /** Position of the input that is consumed so: the gradient, or the value that is assigned. */
  readonly input: number;
  /** Variable and slots as arrays of `width`, with the access `read_write`, then scalars. */
  readonly bindings: (width: Width) => readonly ShaderBinding[];
  /** Statements over the names of the bindings, the element's number `i`, and `value`; all names are the update's own. */
  readonly statements: (width: Width) => string;
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

/** The compiler puts other ops in place of the op: those that its record's `compose` makes. */
export interface Composed {
  readonly kind: 'composed';
}

export type Kernel = ElementwiseKernel | DeviceKernel | ViewKernel | Composed | HostOp | Unsupported;

export function elementwise(
  expression: ElementwiseKernel['expression'],
  options: Omit<ElementwiseKernel, 'kind' | 'expression'> = {},
): ElementwiseKernel {
  return { kind: 'elementwise', expression, ...options };
}

/** Every element of an input is loaded about once. */
export const LOADS_ONCE: KernelFacts = { loads: () => 1 };
/** A move of elements, each of which is loaded about once. */
export const MOVES_ONCE: KernelFacts = { ...LOADS_ONCE, work: 'pass' };
/** The results are stored one by one, and no more than once. */
export const STORES_ONCE: KernelFacts = { storesOnce: true };

export function device(lower: DeviceKernel['lower'], facts: KernelFacts = {}): DeviceKernel {
  return { kind: 'device', lower, ...facts };
}

export const view: ViewKernel = { kind: 'view' };

export const composed: Composed = { kind: 'composed' };

export function hostOp(reason: string): HostOp {
  return { kind: 'host', reason };
}

export function unsupported(reason: string): Unsupported {
  return { kind: 'unsupported', reason };
}
