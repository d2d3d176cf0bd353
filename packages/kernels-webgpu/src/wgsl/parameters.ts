/**
 * Shaders that differ in nothing but sizes can be one: the sizes become parameters, read from a uniform buffer. Kernels
 * write sizes as constants and need not know; this works on their text. A driver then compiles one shader in place of several.
 */
import { InternalError } from '@forerun/graph';

/** Words of one parameter: the value, and what division by it takes. */
export const PARAMETER_WORDS = 4;

/** A shader's text without the `u32` constants that may be parameters, and those constants in order. */
export interface ShaderTemplate {
  readonly skeleton: string;
  readonly constants: readonly number[];
}

/**
 * What must stay constant (declarations, attributes, cases, lanes of a broadcast), or a constant, with the division or remainder
 * of which it is the right side.
 */
const CONSTANT =
  /\bconst [^;]*;|\bvar<workgroup>[^;]*;|@\w+\([^)]*\)|\bcase [^:]*:|\bsubgroupBroadcast\([^()]*\)|(?:([/%]) )?(?<![\w.])(\d+)u\b/g;

/** Takes the constants out of a shader. Two shaders with the same skeleton differ in nothing else. */
export function shaderTemplate(wgsl: string): ShaderTemplate {
  const constants: number[] = [];
  const skeleton = wgsl.replace(CONSTANT, (text: string, operator?: string, digits?: string) => {
    if (digits === undefined) return text;
    constants.push(Number(digits));
    return operator === undefined ? '#' : `${operator} #`;
  });
  return { skeleton, constants };
}

/**
 * The shader with parameter `parameterOf[position]` in place of the constant at a position; `null` leaves it. The parameters are bound at
 * `binding`. Divisions by them become multiplications, as adapters divide by constants.
 */
export function withParameters(
  wgsl: string,
  parameterOf: readonly (number | null)[],
  binding: number,
): string {
  const main = wgsl.indexOf(MAIN);
  const inMain = new Set<number>();
  let [written, read, position] = ['', 0, 0];
  for (const match of wgsl.matchAll(CONSTANT)) {
    const [text, operator, digits] = match;
    const number = digits === undefined ? null : (parameterOf[position++] ?? null);
    if (number === null) continue;
    written += wgsl.slice(read, match.index);
    read = match.index + text.length;
    if (match.index > main) inMain.add(number);
    const parameter = match.index > main ? `parameter_${number}` : `parameters[${number}]`;
    written = operator === undefined ? `${written}${parameter}.x` : divided(written, operator, parameter);
  }
  return declared(loaded(written + wgsl.slice(read), inMain), parameterOf, binding);
}

const MAIN = 'fn main(';

/** The text with those parameters loaded first in `main`: a load in a loop would stay there. */
function loaded(text: string, numbers: ReadonlySet<number>): string {
  const start = text.indexOf('{', text.indexOf(MAIN)) + 1;
  const loads = [...numbers].map((number) => `\nlet parameter_${number} = parameters[${number}];`);
  return text.slice(0, start) + loads.join('') + text.slice(start);
}

/** What the buffer holds for parameters of these values. */
export function parameterWords(values: readonly number[]): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(values.flatMap((value) => [value, ...reciprocal(value)]));
}

/** `text` up to an operator: its last operand goes into a call. */
function divided(text: string, operator: string, parameter: string): string {
  const end = text.trimEnd().length;
  const start = operandStart(text, end);
  const name = operator === '/' ? 'parameter_quotient' : 'parameter_remainder';
  return `${text.slice(0, start)}${name}(${text.slice(start, end)}, ${parameter})`;
}

/** Where the product of terms begins that ends at `end`: multiplication, division and remainder group from the left. */
function operandStart(text: string, end: number): number {
  let start = termStart(text, end);
  for (;;) {
    const operator = skipBack(text, start, ' ') - 1;
    if (!'*/%'.includes(text.charAt(operator) || ' ')) return start;
    start = termStart(text, skipBack(text, operator, ' '));
  }
}

const NAME = /[\w.]/;

/** Where the name, number, call or bracket begins that ends at `end`. */
function termStart(text: string, end: number): number {
  let [start, last] = [end, -1];
  while (start !== last) {
    last = start;
    if (')]'.includes(text.charAt(start - 1) || ' ')) start = opening(text, start);
    start = skipBack(text, start, NAME);
  }
  if (start === end) throw new InternalError(`nothing is divided in the shader text ${text.slice(-80)}`);
  return start;
}

/** Before the run of such letters that ends at `end`. */
function skipBack(text: string, end: number, letters: RegExp | string): number {
  const belongs = (letter: string): boolean =>
    typeof letters === 'string' ? letter === letters : letters.test(letter);
  let start = end;
  while (start > 0 && belongs(text.charAt(start - 1))) start--;
  return start;
}

/** Position of the bracket that the one just before `end` closes. */
function opening(text: string, end: number): number {
  let depth = 0;
  for (let p = end - 1; p >= 0; p--) {
    const letter = text.charAt(p);
    if (')]'.includes(letter)) depth++;
    if ('(['.includes(letter) && --depth === 0) return p;
  }
  throw new InternalError(`a bracket is not opened in the shader text ${text.slice(end - 80, end)}`);
}

/**
 * Division by an invariant integer: q = (t + ((x - t) >> y)) >> z with t the high word of x * m, exact for all x (T. Granlund,
 * P. L. Montgomery: Division by Invariant Integers using Multiplication, PLDI 1994, figure 4.1).
 */
const DIVISION = `fn parameter_quotient(x: u32, divisor: vec4<u32>) -> u32 {
let low = (x & 65535u) * (divisor.y & 65535u);
let middle = (x >> 16u) * (divisor.y & 65535u) + (low >> 16u);
let cross = (x & 65535u) * (divisor.y >> 16u) + (middle & 65535u);
let high = (x >> 16u) * (divisor.y >> 16u) + (middle >> 16u) + (cross >> 16u);
return (high + ((x - high) >> divisor.z)) >> divisor.w;
}
fn parameter_remainder(x: u32, divisor: vec4<u32>) -> u32 {
return x - parameter_quotient(x, divisor) * divisor.x;
}`;

/** Multiplier and shifts with which `DIVISION` divides by `value`; zero divides nothing. */
function reciprocal(value: number): [number, number, number] {
  if (value === 0) return [0, 0, 0];
  const bits = 32 - Math.clz32(value - 1);
  // floor((2^bits - value) * 2^32 / value), in two digits of 16 bits: numbers are exact below 2^53.
  const first = (2 ** bits - value) * 2 ** 16;
  const high = Math.floor(first / value);
  const low = Math.floor(((first - high * value) * 2 ** 16) / value);
  return [high * 2 ** 16 + low + 1, Math.min(bits, 1), Math.max(bits - 1, 0)];
}

/** The text with the buffer of parameters before its bindings, and the division where there is one. */
function declared(text: string, parameterOf: readonly (number | null)[], binding: number): string {
  const first = text.indexOf('@group');
  if (first < 0) throw new InternalError(`a shader without bindings has no parameters: ${text.slice(0, 80)}`);
  const count = Math.max(...parameterOf.map((number) => number ?? -1)) + 1;
  const buffer = `@group(0) @binding(${binding}) var<uniform> parameters: array<vec4<u32>, ${count}>;\n`;
  const division = /\bparameter_(?:quotient|remainder)\(/.test(text) ? `${DIVISION}\n` : '';
  return `${text.slice(0, first)}${buffer}${division}${text.slice(first)}`;
}
