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

/** Shape inference with unknown dimensions: inputs `"[1,?];[?,2]"`, outputs in the same notation, `?` = unknown rank. */
export interface ShapeCase {
  readonly inputs: string;
  readonly outputs: string;
  readonly attrs?: AttrInputs;
  readonly dtypes?: readonly DType[];
  /** Constant values of inputs by position. */
  readonly constants?: Readonly<Record<number, NestedArray>>;
}

/** Input that must be rejected while the graph is built. */
export interface ErrorCase {
  readonly inputs: string;
  readonly attrs?: AttrInputs;
  readonly dtypes?: readonly DType[];
  readonly constants?: Readonly<Record<number, NestedArray>>;
  /** Must match the error's message. */
  readonly message: RegExp;
}

export interface OpSamples {
  readonly samples: readonly Sample[];
  readonly shapes: readonly ShapeCase[];
  readonly errors: readonly ErrorCase[];
}

/** Samples by op type; stateful ops, which need a session, say why they have none. */
export type FamilySamples = Partial<Record<OpName, OpSamples | { readonly testedElsewhere: string }>>;

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
