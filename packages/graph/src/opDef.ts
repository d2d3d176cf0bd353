/**
 * What the registry knows of one op: signature, shape inference, gradient and host evaluation.
 * `op()` turns the readable record in an op family file into an `OpDef`.
 */
import type { Attrs } from './attr.js';
import type { DType } from './dtype.js';
import type { IndexedSlices } from './indexedSlices.js';
import type { Operation } from './operation.js';
import type { Ops } from './ops/index.js';
import type { TensorShape } from './shape.js';
import { parseArg, parseAttr, type ArgSpec, type AttrSpec } from './signature.js';
import type { Tensor } from './tensor.js';
import type { HostValue } from './value.js';

/** Dtype and shape of the variable behind a resource tensor, or of the elements of a tensor list. */
export interface HandleData {
  readonly dtype: DType;
  readonly shape: TensorShape;
}

/** Dtypes of the arguments and results of a function. */
export interface FunctionSignature {
  readonly inputs: readonly DType[];
  readonly outputs: readonly DType[];
}

/** What shape inference sees: while a graph is built, and again with static shapes when it is compiled. */
export interface InferContext {
  readonly attrs: Attrs;
  /** Shapes of the inputs, in order; repeated arguments are flattened. */
  readonly shapes: readonly TensorShape[];
  readonly dtypes: readonly DType[];
  /** True when a plan is compiled: the shapes are those of one run, and nothing will be fed later. */
  readonly compiling?: boolean;
  /** Shape of input `i`. Throws when the op has no such input. */
  shape(i: number): TensorShape;
  /** The value of input `i` where it is known; unknown integer elements are NaN. */
  constant(i: number): HostValue | null;
  /** The variable behind resource input `i`, where it is known. */
  handle(i: number): HandleData | null;
  /** Dtypes of what a function of the graph's library takes and gives; `null` where it is not there, or not yet whole. */
  signature?(name: string): FunctionSignature | null;
  /** Rejects the op; the caller adds type, node name and creation site to `rule`. */
  fail(rule: string): never;
}

/** What host evaluation sees; see `HostValue` for unknown elements. */
export interface EvaluateContext {
  readonly attrs: Attrs;
  readonly shapes: readonly TensorShape[];
  /** Dtypes of the outputs. */
  readonly outputs: readonly DType[];
  shape(i: number): TensorShape;
  value(i: number): HostValue | null;
}

/** What a gradient function sees. All tensors live in the graph that is being differentiated. */
export interface GradContext {
  readonly op: Operation;
  readonly attrs: Attrs;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** Gradient with respect to output 0; zeros when nothing flows into it. */
  readonly dy: Tensor;
  /** Gradients with respect to each output, `null` where nothing flows. */
  readonly dys: readonly (Tensor | null)[];
  /**
   * Gradients of `ys`, given theirs, with respect to `xs`, made in the default graph: for ops whose gradient
   * goes through the body of a function or through the ops that it is made of. The `xs` do not depend on each other.
   */
  readonly backpropagate: (
    ys: readonly Tensor[],
    xs: readonly Tensor[],
    gradYs: readonly Tensor[],
  ) => (Tensor | null)[];
  /** All builders, so that families can use each other without import cycles. */
  readonly ops: Ops;
  /** Input `i`. Throws when there is none. */
  input(i: number): Tensor;
  /** Output `i`. Throws when there is none. */
  output(i: number): Tensor;
}

/** What an op that is made of other ops sees, in the graph in which they are to be made. */
export interface ComposeContext {
  readonly attrs: Attrs;
  readonly inputs: readonly Tensor[];
  readonly ops: Ops;
  /** Input `i`. Throws when there is none. */
  input(i: number): Tensor;
  /** The value of input `i` where it is known. */
  constant(i: number): HostValue | null;
}

/** Returns the outputs, made of other ops from the inputs. */
export type ComposeFn = (c: ComposeContext) => readonly Tensor[];

/** Returns one gradient per input, `null` where the input has none. */
export type GradFn = (c: GradContext) => readonly (Tensor | IndexedSlices | null)[];

/** Marks an op without gradient, saying why; `blocking` ones raise an error instead of giving `null`. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
  readonly blocking: boolean;
}

/** The op has no gradient because it is piecewise constant, integer-valued or an effect: gradients stop here. */
export function notDifferentiable(reason: string): NotDifferentiable {
  return { notDifferentiable: reason, blocking: false };
}

/** The op would have a gradient but none is defined: asking for it is an error. */
export function gradientMissing(reason: string): NotDifferentiable {
  return { notDifferentiable: reason, blocking: true };
}

/** The record of an op as its family file writes it. */
export interface OpSpec {
  /** One line for lists and documentation. */
  readonly summary: string;
  readonly inputs?: readonly string[];
  readonly outputs?: readonly string[];
  readonly attrs?: readonly string[];
  /** Shapes of all outputs. */
  readonly infer: (c: InferContext) => readonly TensorShape[];
  readonly grad: GradFn | NotDifferentiable;
  /** Values of all outputs on the host, for shape arithmetic and folding; `null` when not known. */
  readonly evaluate?: (c: EvaluateContext) => readonly HostValue[] | null;
  /** What is behind each resource or variant output, where the inputs do not tell it. */
  readonly handles?: (op: Operation) => readonly (HandleData | null)[];
  /** What the op is made of, where it has no kernel: the compiler puts these ops, of static shapes, in its place. */
  readonly compose?: ComposeFn;
  /** The gradient of output 0 is that of input 0, and rows may stay rows: an op that only passes its input on. */
  readonly passesGradient?: boolean;
  /** The function that nodes of this type call: their type is its name. */
  readonly functionName?: string;
  /** Stateful ops are never merged, folded or dropped when something depends on their effect. */
  readonly stateful?: boolean;
}

export interface OpDef extends Omit<OpSpec, 'inputs' | 'outputs' | 'attrs'> {
  readonly inputs: readonly ArgSpec[];
  readonly outputs: readonly ArgSpec[];
  readonly attrs: readonly AttrSpec[];
  readonly stateful: boolean;
}

/** Builds the `OpDef` of a record. */
export function op(spec: OpSpec): OpDef {
  const attrs = (spec.attrs ?? []).map(parseAttr);
  return {
    ...spec,
    attrs,
    inputs: (spec.inputs ?? []).map((text) => parseArg(text, attrs)),
    outputs: (spec.outputs ?? []).map((text) => parseArg(text, attrs)),
    stateful: spec.stateful ?? false,
  };
}

export type OpTable = Readonly<Record<string, OpDef>>;
