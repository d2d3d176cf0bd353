/**
 * A fused elementwise kernel before it is WGSL: a straight-line program over elements. The
 * session's fusion builds these from chains of elementwise ops; `lowerElementwise` writes the shader.
 */
import type { Operand } from './kernel.js';
import type { DType } from '@forerun/graph';

/** What a step reads: an input of the program or the result of an earlier step. */
export type ElementRef =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'step'; readonly index: number }
  /** A value known when the plan is compiled. */
  | { readonly kind: 'literal'; readonly value: number; readonly dtype: DType };

export interface ElementwiseStep {
  /** WGSL over the names in `operands`; see `ElementwiseKernel.expression`. */
  readonly expression: string;
  readonly operands: Readonly<Record<string, ElementRef>>;
  readonly dtype: DType;
}

export interface ElementwiseProgram {
  /** For labels: op types in order. */
  readonly label: string;
  /** The shape that is iterated over: every input broadcasts to it, every output has it. */
  readonly shape: readonly number[];
  readonly inputs: readonly Operand[];
  readonly steps: readonly ElementwiseStep[];
  /** The steps whose results are stored, in output order. */
  readonly outputs: readonly number[];
}
