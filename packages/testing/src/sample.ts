/** What a family's samples look like: data only, so that every check can loop over all of them. */
import type { AttrInputs, DType, HostValue, NestedArray, OpName } from '@forerun/graph';

/** A sample input: a nested literal of the dtype given beside it, default float32. */
export interface SampleInput {
  readonly value: NestedArray;
  readonly dtype?: DType;
  /** Reshapes a flat `value`. */
  readonly shape?: readonly number[];
}

export interface Sample {
  /** Distinguishes samples of one op. */
  readonly name: string;
  /** Inputs in the op's order; repeated arguments flattened. Bare literals are float32 (booleans bool). */
  readonly inputs: readonly (NestedArray | SampleInput)[];
  readonly attrs?: AttrInputs;
  /** |kernel - reference| <= atol + rtol * |reference|; default rtol 1e-5, atol 1e-6. */
  readonly tolerance?: { readonly rtol?: number; readonly atol?: number };
  /** Do not compare gradients with finite differences here, and why (kinks, NaN inputs). */
  readonly skipGradient?: string;
  /** Positions of the inputs whose gradients are compared; default: all floating-point ones. */
  readonly gradientInputs?: readonly number[];
  /** Positions of the outputs into which gradients flow; default: all floating-point ones. */
  readonly gradientOutputs?: readonly number[];
  /** The kernel refuses this case, and why. The test fails when it does not refuse. */
  readonly unsupportedOnGpu?: string;
}

/** A function of the graph's library, which returns the arguments at these positions. */
export interface FunctionCase {
  /** Shapes of the arguments, as in a `ShapeCase`. */
  readonly inputs: string;
  /** Dtypes of the arguments; default float32. */
  readonly dtypes?: readonly DType[];
  readonly returns: readonly number[];
}

/** The inputs of a node that is built for its shapes alone. */
interface NodeCase {
  /**
   * Shapes as `shapes.ts` reads them. A resource or reference input becomes a variable of that shape; `list[2,?]` is a
   * tensor list of such elements, `2*list[3]` a vector of two, `tensor[2]` a plain tensor where a variable is expected.
   */
  readonly inputs: string;
  readonly attrs?: AttrInputs;
  /** Dtypes by position: of a variable, of the elements of a list, of a tensor. */
  readonly dtypes?: readonly DType[];
  /** Constant values of inputs by position. */
  readonly constants?: Readonly<Record<number, NestedArray>>;
  /** Functions of the graph's library, by name. */
  readonly functions?: Readonly<Record<string, FunctionCase>>;
}

/** Shape inference with unknown dimensions: inputs `"[1,?];[?,2]"`, outputs in the same notation, `?` = unknown rank. */
export interface ShapeCase extends NodeCase {
  readonly outputs: string;
}

/** Input that must be rejected while the graph is built. */
export interface ErrorCase extends NodeCase {
  /** Must match the error's message. */
  readonly message: RegExp;
}

export interface OpSamples {
  readonly samples: readonly Sample[];
  readonly shapes: readonly ShapeCase[];
  readonly errors: readonly ErrorCase[];
}

/** Cases of an op that has no samples, because it needs a session, a file, or the lists and functions of a graph. */
export interface OpCases {
  /** Where its values are tested: names the file, from `packages`. */
  readonly testedElsewhere: string;
  /** How far its results may be from what is right, for `docs/ops.md`. */
  readonly tolerance: string;
  readonly shapes: readonly ShapeCase[];
  readonly errors: readonly ErrorCase[];
}

/** Samples by op type, or cases with the place of the other tests. */
export type FamilySamples = Partial<Record<OpName, OpSamples | OpCases>>;

/** What a float64 reference sees. `outputs` carries the inferred dtypes. */
export interface ReferenceContext {
  readonly attrs: import('@forerun/graph').Attrs;
  readonly inputs: readonly HostValue[];
  readonly outputs: readonly DType[];
  input(i: number): HostValue;
}

/**
 * Computes all outputs in float64. Shares no code with the kernels or with host evaluation.
 * For an op with resource inputs, these inputs hold the variables' values (in samples too), and the
 * reference returns the op's outputs followed by the new value of every resource input, in order.
 */
export type Reference = (c: ReferenceContext) => readonly HostValue[];

export type FamilyReferences = Partial<Record<OpName, Reference>>;
