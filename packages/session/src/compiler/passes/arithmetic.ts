/**
 * Cheaper ops in the place of dearer ones: products for quotients by powers of two, shifts for integer quotients, squares for
 * powers, and nothing for what the next op undoes. The bits stay the same, NaN, infinities and signed zeros among them;
 * squares and reciprocals are nearer to the true value than powers are.
 */
import { fromHostValue, isFloating, type DType } from '@forerun/graph';
import type { HostValues } from '../hostValues.js';
import { elements, inputOf, outputOf, type IrNode, type IrValue, type Program } from '../ir.js';
import { rebuild } from '../rebuild.js';
import { literalFor, opFor } from './newNodes.js';

type Rule = (node: IrNode, host: HostValues) => IrValue | null;

/** Larger constants are not looked at. */
const MAX_LOOKED_AT = 64;

/** Applies to nodes without control inputs only. */
export function reduceStrength(program: Program, host: HostValues): Program {
  return rebuild(program, (node) => {
    if (node.controls.length > 0 || node.feed !== null || node.literal !== null) return null;
    const found = RULES[node.type]?.(node, host) ?? null;
    return found === null ? null : [found];
  });
}

/** The value of all elements of input `i`, where it is known and they are equal. */
function uniform(node: IrNode, i: number, host: HostValues): number | null {
  const input = inputOf(node, i);
  if (elements(input) > MAX_LOOKED_AT) return null;
  const data = host.get(input)?.data;
  const first = data?.[0];
  return first !== undefined && data?.every((x) => Object.is(x, first)) === true ? first : null;
}

/** Input 1 with all elements replaced by `x`. */
function constantLike(node: IrNode, x: number): IrValue {
  const { dtype, shape } = inputOf(node, 1);
  const data = new Float64Array(elements(inputOf(node, 1))).fill(x);
  return literalFor(node, fromHostValue({ dtype, shape, data }));
}

/** Input `i` when nothing has to be broadcast to the output's shape. */
function whole(node: IrNode, i: number): IrValue | null {
  const input = inputOf(node, i);
  return input.shape.join() === outputOf(node).shape.join() ? input : null;
}

/** The input of a node that nothing waits for, when input `i` comes from one of that type. */
function under(node: IrNode, i: number, type: string): IrValue | null {
  const { node: inner } = inputOf(node, i);
  return inner.type === type && inner.controls.length === 0 && inner.feed === null ? inputOf(inner, 0) : null;
}

/** The exponent of a power of two, else `null`. */
function exponentOf(x: number): number | null {
  const exponent = Math.log2(Math.abs(x));
  return Number.isInteger(exponent) ? exponent : null;
}

/** Exponents whose powers of two and their reciprocals are normal numbers of the dtype. */
const NORMAL_EXPONENT: Readonly<Partial<Record<DType, number>>> = { float32: 126, float16: 14 };

/** `x / 2^k` is `x * 2^-k`: both are rounded from the same number. */
const quotient: Rule = (node, host) => {
  const divisor = uniform(node, 1, host);
  const most = NORMAL_EXPONENT[outputOf(node).dtype];
  if (divisor === null || most === undefined) return null;
  const exponent = exponentOf(divisor);
  if (exponent === null || Math.abs(exponent) > most) return null;
  return opFor(node, 'Mul', [inputOf(node, 0), constantLike(node, 1 / divisor)]);
};

/** `floor(x / 2^k)` shifts. */
const floorQuotient: Rule = (node, host) => {
  const divisor = uniform(node, 1, host);
  if (divisor === null || outputOf(node).dtype !== 'int32' || divisor < 1) return null;
  const exponent = exponentOf(divisor);
  if (exponent === null) return null;
  return opFor(node, 'RightShift', [inputOf(node, 0), constantLike(node, exponent)]);
};

/** `x mod 2^k`, with the sign of the divisor, keeps the low bits. */
const floorRemainder: Rule = (node, host) => {
  const divisor = uniform(node, 1, host);
  if (divisor === null || outputOf(node).dtype !== 'int32' || divisor < 1) return null;
  if (exponentOf(divisor) === null) return null;
  return opFor(node, 'BitwiseAnd', [inputOf(node, 0), constantLike(node, divisor - 1)]);
};

const power: Rule = (node, host) => {
  const x = whole(node, 0);
  if (x === null || !isFloating(x.dtype)) return null;
  const exponent = uniform(node, 1, host);
  if (exponent === 1) return x;
  if (exponent === 2) return opFor(node, 'Square', [x]);
  return exponent === -1 ? opFor(node, 'Reciprocal', [x]) : null;
};

/** `x - 0` is `x`, also where `x` is -0; `x - (-y)` is `x + y`. */
const difference: Rule = (node, host) => {
  const subtracted = uniform(node, 1, host);
  if (Object.is(subtracted, 0)) return whole(node, 0);
  const negated = under(node, 1, 'Neg');
  return negated === null ? null : opFor(node, 'AddV2', [inputOf(node, 0), negated]);
};

/** `x + (-y)` is `x - y`. */
const sum: Rule = (node) => {
  const negated = under(node, 1, 'Neg');
  if (negated !== null) return opFor(node, 'Sub', [inputOf(node, 0), negated]);
  const first = under(node, 0, 'Neg');
  return first === null ? null : opFor(node, 'Sub', [inputOf(node, 1), first]);
};

/** The signs of both factors cancel. */
const product: Rule = (node) => {
  const [x, y] = [under(node, 0, 'Neg'), under(node, 1, 'Neg')];
  return x === null || y === null ? null : opFor(node, 'Mul', [x, y]);
};

/** An op that undoes itself. */
const involution: Rule = (node) => under(node, 0, node.type);

/** An op that changes nothing the second time. */
const idempotent: Rule = (node) => (under(node, 0, node.type) === null ? null : inputOf(node, 0));

/** Ops for which `f(-x)` is `f(x)`. */
const even: Rule = (node) => {
  const x = under(node, 0, 'Neg') ?? under(node, 0, 'Abs');
  return x === null ? null : opFor(node, node.type as 'Abs' | 'Square', [x]);
};

const RULES: Readonly<Record<string, Rule>> = {
  Div: quotient,
  RealDiv: quotient,
  FloorDiv: floorQuotient,
  FloorMod: floorRemainder,
  Pow: power,
  Sub: difference,
  Add: sum,
  AddV2: sum,
  Mul: product,
  Neg: involution,
  LogicalNot: involution,
  Invert: involution,
  Relu: idempotent,
  Relu6: idempotent,
  Floor: idempotent,
  Ceil: idempotent,
  Rint: idempotent,
  Sign: idempotent,
  Abs: even,
  Square: even,
};
