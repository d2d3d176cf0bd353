/**
 * A fused elementwise kernel before it is WGSL: a straight-line program over elements. The
 * session's fusion builds these from chains of elementwise ops; `lowerElementwise` writes the shader.
 */
import { lookupOp, InternalError, type DType } from '@forerun/graph';
import type { ElementwiseKernel, KernelContext, Operand } from './kernel.js';
import type { Walk } from './stridedCopy.js';
import { broadcastStrides } from './wgsl/indexing.js';

/** What a step reads: an input of the program or the result of an earlier step. */
export type ElementRef =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'step'; readonly index: number }
  /** A value known when the plan is compiled. */
  | { readonly kind: 'literal'; readonly value: number; readonly dtype: DType };

/** What a program reads: a tensor, or a part of one, of which all is bound. */
export interface ElementInput extends Operand {
  readonly part?: Part;
}

/** Where the elements of a part lie in the whole, along the dimensions of the part. */
export interface Part extends Walk {
  /** Elements of the whole. */
  readonly elements: number;
}

/** Strides, in elements of what is bound, with which an input is read at the coordinates of `shape`. */
export function inputStrides({ shape: own, part }: ElementInput, shape: readonly number[]): number[] {
  return broadcastStrides(own, shape, part?.strides);
}

/** Whether an input with these strides over a collapsed space can be read four elements at a time, or one for all four. */
export function readsVectors({ part }: ElementInput, strides: readonly number[]): boolean {
  const last = strides.at(-1) ?? 0;
  if (part === undefined || last === 0) return true;
  const { elements, offset } = part;
  return last === 1 && [elements, offset, ...strides.slice(0, -1)].every((number) => number % 4 === 0);
}

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
  readonly inputs: readonly ElementInput[];
  readonly steps: readonly ElementwiseStep[];
  /** The steps whose results are stored, in output order. */
  readonly outputs: readonly number[];
}

/**
 * The program of one elementwise op. The operands carry the op's input names; element `i` of a
 * repeated argument `inputs` is called `inputs_i`. A kernel that folds becomes one step per operand.
 */
export function elementwiseOfOp(kernel: ElementwiseKernel, c: KernelContext): ElementwiseProgram {
  const { dtype, shape } = c.output(0);
  const expression = typeof kernel.expression === 'string' ? kernel.expression : kernel.expression(c);
  const names = inputNames(c);
  const reads = (i: number): boolean => kernel.fold === true || namesWord(expression, names[i] ?? '');
  const program = {
    label: c.op,
    shape,
    inputs: c.inputs.map((input, i) => (reads(i) ? operandOf(kernel, c, i, input) : unread(input))),
  };
  if (kernel.fold === true) return { ...program, ...foldSteps(expression, c.inputs.length, dtype) };
  const operands = Object.fromEntries(
    names.flatMap((name, index): [string, ElementRef][] =>
      reads(index) ? [[name, { kind: 'input', index }]] : [],
    ),
  );
  return { ...program, steps: [{ expression, operands, dtype }], outputs: [0] };
}

function namesWord(text: string, name: string): boolean {
  return new RegExp(`(?<![.\\w])${name}\\b`).test(text);
}

/** An input that the expression does not name, such as the shape of `Fill`, need not broadcast. */
function unread({ dtype }: Operand): Operand {
  return { dtype, shape: [] };
}

/** WGSL names of an op's inputs, repeated arguments expanded. */
export function inputNames(c: KernelContext): string[] {
  const args = lookupOp(c.op)?.inputs ?? [];
  const repeated = c.inputs.length - args.filter((arg) => arg.numberAttr === undefined).length;
  return args.flatMap((arg) => {
    if (arg.numberAttr === undefined) return [arg.name];
    return Array.from({ length: repeated }, (_, i) => `${arg.name}_${i}`);
  });
}

function operandOf(kernel: ElementwiseKernel, c: KernelContext, i: number, input: Operand): Operand {
  if (kernel.operandShape === undefined) return alignedOperand(kernel, input, c.output(0).shape);
  return { dtype: input.dtype, shape: kernel.operandShape(c, i) };
}

/** A shorter operand that a kernel aligns with the leading dimensions gets trailing ones. */
function alignedOperand(kernel: ElementwiseKernel, operand: Operand, shape: readonly number[]): Operand {
  const missing = shape.length - operand.shape.length;
  if (kernel.alignLeading !== true || missing <= 0 || operand.shape.length === 0) return operand;
  return { dtype: operand.dtype, shape: [...operand.shape, ...new Array<number>(missing).fill(1)] };
}

function foldSteps(
  expression: string,
  count: number,
  dtype: DType,
): Pick<ElementwiseProgram, 'steps' | 'outputs'> {
  if (count < 1) throw new InternalError('a fold needs at least one operand');
  if (count === 1) {
    return {
      steps: [{ expression: 'x', operands: { x: { kind: 'input', index: 0 } }, dtype }],
      outputs: [0],
    };
  }
  const steps = Array.from({ length: count - 1 }, (_, i): ElementwiseStep => {
    const x: ElementRef = i === 0 ? { kind: 'input', index: 0 } : { kind: 'step', index: i - 1 };
    return { expression, operands: { x, y: { kind: 'input', index: i + 1 } }, dtype };
  });
  return { steps, outputs: [count - 2] };
}
