/** Record and builder of `Einsum`: sums of products over labelled dimensions. */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { op, type GradContext, type InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { impliedOutput, labelEquation, lettersOf, splitEquation } from './einsumEquation.js';

function inferEinsum(c: InferContext): TensorShape[] {
  const equation = c.attrs.string('equation');
  const parts = splitEquation(equation);
  if (typeof parts === 'string') c.fail(parts);
  // Ranks that are not known could be what the equation says.
  const ranks = c.shapes.map((shape, i) => shape.rank ?? lettersOf(parts.inputs[i] ?? '').length);
  const labels = labelEquation(equation, ranks);
  if (typeof labels === 'string') c.fail(labels);
  const open = c.shapes.some((shape, i) => shape.rank === null && parts.inputs[i]?.includes('...') === true);
  const sizes = new Map<string, Dim>();
  labels.inputs.forEach((own, i) => {
    own.forEach((label, d) => mergeSize(c, sizes, label, c.shape(i).dims?.[d] ?? null));
  });
  if (open && parts.output?.includes('...') === true) return [TensorShape.UNKNOWN];
  return [new TensorShape(labels.output.map((label) => sizes.get(label) ?? null))];
}

/** Equal labels have equal sizes; dimensions of an ellipsis broadcast. */
function mergeSize(c: InferContext, sizes: Map<string, Dim>, label: string, dim: Dim): void {
  const before = sizes.get(label);
  if (before === undefined || before === null) {
    // A 1 may still broadcast to a size that is not known.
    if (!(before === null && dim === 1 && label.startsWith('.'))) sizes.set(label, dim);
    return;
  }
  if (dim === before) return;
  if (label.startsWith('.') && (before === 1 || dim === 1)) {
    if (before === 1) sizes.set(label, dim);
    return;
  }
  if (dim === null) return;
  const what = label.startsWith('.')
    ? 'dimensions of the ellipsis do not broadcast'
    : `label "${label}" has two sizes`;
  c.fail(`${what}: ${before} and ${dim} in ${c.shapes.map((shape) => shape.toString()).join(', ')}`);
}

/**
 * The gradient of input i: the product of dy with all other inputs, with the labels of input i. Where one
 * of its labels occurs nowhere else (it was summed over), a tensor of ones brings its size.
 */
function inputGrad(c: GradContext, i: number): Tensor {
  const { ops, dy } = c;
  const parts = splitEquation(c.attrs.string('equation'));
  if (typeof parts === 'string') throw new InvalidArgumentError(parts);
  const term = parts.inputs[i] ?? '';
  const output = parts.output ?? '';
  const x = c.input(i);
  // Input i with every label once and the ellipsis in front, as a sum over repeated dimensions needs it.
  const plain = (term.includes('...') ? '...' : '') + [...new Set(lettersOf(term))].join('');
  const source = plain === term ? x : ops.einsum(`${term}->${plain}`, x);
  const others = c.inputs.flatMap((input, k) => (k === i ? [] : [{ input, term: parts.inputs[k] ?? '' }]));
  const given = [{ input: dy, term: output }, ...others];
  const covers = (label: string): boolean => given.some((operand) => operand.term.includes(label));
  const covered = lettersOf(plain).every(covers) && (!plain.startsWith('...') || covers('...'));
  const operands = covered ? given : [...given, { input: ops.onesLike(source), term: plain }];
  const equation = `${operands.map((operand) => operand.term).join()}->${plain}`;
  const product = ops.einsum(equation, ...operands.map(({ input }) => input));
  const dx = plain.startsWith('...') && c.inputs.length > 1 ? ops.sumToShapeOf(product, source) : product;
  return plain === term ? dx : ops.einsum(`${plain}->${term}`, dx);
}

export const EINSUM = {
  Einsum: op({
    summary: 'Sums of products over labelled dimensions.',
    inputs: ['inputs: N * T'],
    outputs: ['output: T'],
    attrs: ['equation: string', 'N: int >= 1', 'T: type'],
    infer: inferEinsum,
    grad: (c) => c.inputs.map((_, i) => inputGrad(c, i)),
  }),
};

/** Operands, and options after the last of them. */
export type EinsumOperands = readonly TensorLike[] | readonly [...TensorLike[], NameOptions];

function isOptions(value: unknown): value is NameOptions {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * Sums of products over labelled dimensions (`tf.einsum`): `einsum('ij,jk->ik', a, b)`. A letter stands for a
 * dimension and has one size everywhere; labels that the output lacks are summed over, a label twice in one
 * operand takes the diagonal, and twice in the output makes one. `...` stands for any leading or inner
 * dimensions, which broadcast. Without `->` the output has the ellipsis and then, sorted, the labels that
 * occur once. Three and more operands are multiplied from left to right, summing as soon as possible.
 * Throws `InvalidArgumentError` for malformed equations and for sizes that contradict each other.
 */
export function einsum(equation: string, ...operands: EinsumOperands): Tensor {
  const last = operands.at(-1);
  const { name } = isOptions(last) ? last : {};
  const list = (isOptions(last) ? operands.slice(0, -1) : operands) as readonly TensorLike[];
  const parts = splitEquation(equation);
  if (typeof parts === 'string') throw new InvalidArgumentError(`einsum: ${parts}`);
  const output = parts.output ?? impliedOutput(parts.inputs);
  if (parts.inputs.length !== list.length) {
    throw new InvalidArgumentError(
      `einsum: the equation "${equation}" is for ${parts.inputs.length} operands, got ${list.length}`,
    );
  }
  return contractFromLeft(parts.inputs, list, output, name);
}

/** Pairs from the left; a pair's result keeps the labels that are still needed. */
function contractFromLeft(
  terms: readonly string[],
  operands: readonly TensorLike[],
  output: string,
  name: string | undefined,
): Tensor {
  if (operands.length <= 2) {
    return applyOp('Einsum', [operands], { name, attrs: { equation: `${terms.join()}->${output}` } }).output(
      0,
    );
  }
  const [first = '', second = '', ...rest] = terms;
  const [x, y, ...others] = operands;
  const needed = rest.join('') + output;
  const labels = [...new Set([...lettersOf(first), ...lettersOf(second)])].filter((l) => needed.includes(l));
  const dots = (first + second).includes('...') && needed.includes('...') ? '...' : '';
  const pair = dots + labels.join('');
  const [a, b] = [convertToTensor(x ?? []), convertToTensor(y ?? [])];
  const product = apply('Einsum', [[a, b]], { attrs: { equation: `${first},${second}->${pair}` } });
  return contractFromLeft([pair, ...rest], [product, ...others], output, name);
}
