/** Ops that make another text, a number or an answer of each text. They are carried out on the host, on bytes unless they say otherwise. */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import type { DType } from '../dtype.js';
import { broadcastShape, sameShape } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

const grad = notDifferentiable('texts have no derivatives');
const UNIT = 'unit: {"BYTE", "UTF8_CHAR"} = "BYTE"';

function form(summary: string, attrs: readonly string[] = [], output = 'output: string'): OpDef {
  return op({ summary, inputs: ['input: string'], outputs: [output], attrs, infer: sameShape, grad });
}

/** As `sameShape`; what comes after the texts are single texts. */
function withPatterns(c: InferContext): TensorShape[] {
  for (let i = 1; i < c.shapes.length; i++) {
    const shape = c.shape(i);
    if (shape.rank !== null && shape.rank !== 0)
      c.fail(`pattern and rewrite must be scalars, got shape ${shape.toString()}`);
  }
  return sameShape(c);
}

function inferSubstr(c: InferContext): TensorShape[] {
  const [pos, len] = [c.shape(1), c.shape(2)];
  if (!pos.isCompatibleWith(len))
    c.fail(`pos and len must have the same shape, got ${pos.toString()} and ${len.toString()}`);
  return broadcastShape(c);
}

export const STRING_FORMS = {
  StringLower: form('Each text in lower case.', ['encoding: string = ""']),
  StringUpper: form('Each text in upper case.', ['encoding: string = ""']),
  StringStrip: form('Each text without spaces around it.'),
  StringLength: form('The length of each text.', [UNIT], 'output: int32'),
  StringToNumber: op({
    summary: 'The number that each text says.',
    inputs: ['string_tensor: string'],
    outputs: ['output: out_type'],
    attrs: ['out_type: {float32, float64, int32, int64} = float32'],
    infer: sameShape,
    grad,
  }),
  Substr: op({
    summary: 'A part of each text, by position and length.',
    inputs: ['input: string', 'pos: T', 'len: T'],
    outputs: ['output: string'],
    attrs: ['T: index', UNIT],
    infer: inferSubstr,
    grad,
  }),
  RegexReplace: op({
    summary: 'Each text with what matches a pattern rewritten.',
    inputs: ['input: string', 'pattern: string', 'rewrite: string'],
    outputs: ['output: string'],
    attrs: ['replace_global: bool = true'],
    infer: withPatterns,
    grad,
  }),
  StaticRegexReplace: form('Each text with what matches a pattern that is known rewritten.', [
    'pattern: string',
    'rewrite: string',
    'replace_global: bool = true',
  ]),
  RegexFullMatch: op({
    summary: 'Whether a pattern matches each text as a whole.',
    inputs: ['input: string', 'pattern: string'],
    outputs: ['output: bool'],
    infer: withPatterns,
    grad,
  }),
  StaticRegexFullMatch: form(
    'Whether a pattern that is known matches each text as a whole.',
    ['pattern: string'],
    'output: bool',
  ),
} satisfies Record<string, OpDef>;

/** What counts in a text: bytes of UTF-8, or its characters (code points). */
export type TextUnit = 'BYTE' | 'UTF8_CHAR';

export interface TextCaseOptions extends NameOptions {
  /** `'utf-8'` for all letters; by default only those of ASCII change. */
  readonly encoding?: '' | 'utf-8';
}

/** Each text in lower case (`tf.strings.lower`). */
export function stringLower(input: TensorLike, { encoding = '', name }: TextCaseOptions = {}): Tensor {
  return apply('StringLower', [input], { name, attrs: { encoding } });
}

/** Each text in upper case (`tf.strings.upper`). */
export function stringUpper(input: TensorLike, { encoding = '', name }: TextCaseOptions = {}): Tensor {
  return apply('StringUpper', [input], { name, attrs: { encoding } });
}

/** Each text without the white space of ASCII around it (`tf.strings.strip`). */
export function stringStrip(input: TensorLike, { name }: NameOptions = {}): Tensor {
  return apply('StringStrip', [input], { name });
}

export interface UnitOptions extends NameOptions {
  /** What is counted; default bytes. */
  readonly unit?: TextUnit;
}

/** The length of each text, as int32 (`tf.strings.length`). */
export function stringLength(input: TensorLike, { unit = 'BYTE', name }: UnitOptions = {}): Tensor {
  return apply('StringLength', [input], { name, attrs: { unit } });
}

/** The number that each text says in decimal (`tf.strings.to_number`). A run refuses a text that says none, or one that `outType` cannot hold. */
export function stringToNumber(
  input: TensorLike,
  { outType = 'float32', name }: NameOptions & { readonly outType?: DType } = {},
): Tensor {
  return apply('StringToNumber', [input], { name, attrs: { out_type: outType } });
}

/**
 * The part of each text that begins at `pos`, from the end where it is negative, and has `len` bytes or characters at most (`tf.strings.substr`).
 * `pos` and `len` have one shape, which is broadcast with that of `input`. A run refuses positions outside of a text.
 */
export function substr(
  input: TensorLike,
  pos: TensorLike,
  len: TensorLike,
  { unit = 'BYTE', name }: UnitOptions = {},
): Tensor {
  return apply('Substr', [input, pos, len], { name, attrs: { unit } });
}

export interface RegexReplaceOptions extends NameOptions {
  /** All matches, not only the first; default true. */
  readonly replaceGlobal?: boolean;
}

/**
 * Each text with what matches `pattern`, a regular expression of RE2, replaced by `rewrite`, in which `\1` … `\9` stand for groups and `\0` for
 * all that matched (`tf.strings.regex_replace`). A run refuses patterns that cannot be told in expressions of JavaScript.
 */
export function regexReplace(
  input: TensorLike,
  pattern: TensorLike,
  rewrite: TensorLike,
  { replaceGlobal = true, name }: RegexReplaceOptions = {},
): Tensor {
  if (typeof pattern === 'string' && typeof rewrite === 'string') {
    const attrs = { pattern, rewrite, replace_global: replaceGlobal };
    return apply('StaticRegexReplace', [input], { name, attrs });
  }
  const attrs = { replace_global: replaceGlobal };
  return apply('RegexReplace', [input, pattern, rewrite], { name, attrs });
}

/** Whether `pattern`, a regular expression of RE2, matches each text as a whole (`tf.strings.regex_full_match`). */
export function regexFullMatch(input: TensorLike, pattern: TensorLike, { name }: NameOptions = {}): Tensor {
  if (typeof pattern === 'string')
    return apply('StaticRegexFullMatch', [input], { name, attrs: { pattern } });
  return apply('RegexFullMatch', [convertToTensor(input), pattern], { name });
}
