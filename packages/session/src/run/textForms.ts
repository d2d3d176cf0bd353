/** Host steps that make another text, a number or an answer of each text. */
import {
  InternalError,
  InvalidArgumentError,
  sizeOf,
  TensorValue,
  toTensorValue,
  type DType,
} from '@forerun/graph';
import type { HostStepFn } from './hostOps.js';
import { namedStep } from './namedStep.js';
import { fromRe2, rewritten } from './re2.js';
import { binaryOf, elementsOf, ofBinary, onlyText, stringTensor, textOf } from './texts.js';

type Element = string | Uint8Array;

function given(inputs: readonly TensorValue[], i = 0): TensorValue {
  const value = inputs[i];
  if (value === undefined) throw new InternalError(`there is no input ${i}`);
  return value;
}

function eachText(change: (element: Element) => Element, input: TensorValue): TensorValue[] {
  return [stringTensor(input.shape, elementsOf(input).map(change))];
}

/** Lower or upper case of all letters of UTF-8, or of those of ASCII. */
function inCase(change: (text: string) => string, ascii: RegExp): HostStepFn {
  return namedStep(({ attrs }, inputs) => {
    const encoding = attrs.string('encoding').toLowerCase();
    if (encoding !== '' && encoding !== 'utf-8')
      throw new InvalidArgumentError(`attribute "encoding" must be "utf-8" or empty, got "${encoding}"`);
    const one = (element: Element): Element =>
      encoding === '' ? ofBinary(binaryOf(element).replaceAll(ascii, change)) : change(textOf(element));
    return eachText(one, given(inputs));
  });
}

const stripped = (element: Element): Element =>
  ofBinary(binaryOf(element).replaceAll(/^[\t-\r ]+|[\t-\r ]+$/g, ''));

const length: HostStepFn = ({ attrs }, inputs) => {
  const input = given(inputs);
  const characters = attrs.string('unit') === 'UTF8_CHAR';
  const of = (element: Element): number =>
    characters ? Array.from(textOf(element)).length : binaryOf(element).length;
  return [new TensorValue('int32', input.shape, Int32Array.from(elementsOf(input), of))];
};

const DECIMAL = /^\s*[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|inf(?:inity)?|nan)\s*$/i;
const WHOLE = /^\s*[-+]?\d+\s*$/;

function numberOf(text: string, dtype: DType): number | bigint {
  const plain = text.trim();
  const whole = dtype === 'int32' || dtype === 'int64';
  if (!(whole ? WHOLE : DECIMAL).test(text))
    throw new InvalidArgumentError(`${JSON.stringify(text)} is no ${dtype}`);
  if (!whole) return Number(plain.replace(/inf(?:inity)?/i, 'Infinity'));
  const value = BigInt(plain.replace(/^\+/, ''));
  const bits = dtype === 'int32' ? 32 : 64;
  if (BigInt.asIntN(bits, value) !== value)
    throw new InvalidArgumentError(`${plain} is too large for ${dtype}`);
  return dtype === 'int32' ? Number(value) : value;
}

const toNumber = namedStep(({ attrs }, inputs) => {
  const input = given(inputs);
  const dtype = attrs.type('out_type');
  const numbers = elementsOf(input).map((element) => numberOf(textOf(element), dtype));
  if (numbers.length === 0) return [toTensorValue([], dtype, input.shape)];
  return [new TensorValue(dtype, input.shape, toTensorValue(numbers, dtype).data)];
});

/** Where an element of a shape lies that is broadcast to another, by its position there. */
function broadcastIndex(from: readonly number[], to: readonly number[]): (flat: number) => number {
  const padded = [...new Array<number>(to.length - from.length).fill(1), ...from];
  return (flat) => {
    let [rest, index, stride] = [flat, 0, 1];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      const [size, own] = [to[axis] ?? 1, padded[axis] ?? 1];
      if (own > 1) index += (rest % size) * stride;
      stride *= own;
      rest = Math.floor(rest / size);
    }
    return index;
  };
}

function cut(units: readonly string[], pos: number, len: number): string {
  const start = pos < 0 ? units.length + pos : pos;
  if (start < 0 || start > units.length)
    throw new InvalidArgumentError(`position ${pos} is outside of a text of length ${units.length}`);
  return units.slice(start, Math.max(start, start + len)).join('');
}

const substr = namedStep(({ attrs }, inputs) => {
  const [input, pos, len] = [given(inputs), given(inputs, 1), given(inputs, 2)];
  const rank = Math.max(input.shape.length, pos.shape.length);
  const dim = (shape: readonly number[], axis: number): number => shape[axis - rank + shape.length] ?? 1;
  const shape = Array.from({ length: rank }, (_, axis) => {
    const [a, b] = [dim(input.shape, axis), dim(pos.shape, axis)];
    return a === 1 ? b : a;
  });
  const texts = elementsOf(input);
  const characters = attrs.string('unit') === 'UTF8_CHAR';
  const [ofText, ofPlace] = [broadcastIndex(input.shape, shape), broadcastIndex(pos.shape, shape)];
  const elements = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [text, place] = [texts[ofText(i)] ?? '', ofPlace(i)];
    const [start, count] = [Number(pos.data[place]), Number(len.data[place])];
    return characters
      ? cut(Array.from(textOf(text)), start, count)
      : ofBinary(cut(Array.from(binaryOf(text)), start, count));
  });
  return [stringTensor(shape, elements)];
});

function replaced(input: TensorValue, pattern: string, rewrite: string, global: boolean): TensorValue[] {
  const expression = fromRe2(pattern, { global });
  return eachText((element) => {
    let end = -1;
    return textOf(element).replace(expression, (...match: unknown[]) => {
      const groups = match.slice(
        0,
        match.findIndex((part) => typeof part === 'number'),
      ) as (string | undefined)[];
      const at = Number(match[groups.length]);
      // RE2 finds nothing empty where a match has just ended.
      if (groups[0] === '' && at === end) return '';
      end = at + (groups[0]?.length ?? 0);
      return rewritten(rewrite, groups);
    });
  }, input);
}

function matched(input: TensorValue, pattern: string): TensorValue[] {
  const expression = fromRe2(pattern, { full: true });
  const matches = elementsOf(input).map((element) => (expression.test(textOf(element)) ? 1 : 0));
  return [new TensorValue('bool', input.shape, Uint8Array.from(matches))];
}

export const TEXT_FORMS: Readonly<Record<string, HostStepFn>> = {
  StringLower: inCase((text) => text.toLowerCase(), /[A-Z]+/g),
  StringUpper: inCase((text) => text.toUpperCase(), /[a-z]+/g),
  StringStrip: (_, inputs) => eachText(stripped, given(inputs)),
  StringLength: length,
  StringToNumber: toNumber,
  Substr: substr,
  RegexReplace: namedStep(({ attrs }, inputs) =>
    replaced(given(inputs), onlyText(inputs[1]), onlyText(inputs[2]), attrs.bool('replace_global')),
  ),
  StaticRegexReplace: namedStep(({ attrs }, inputs) =>
    replaced(given(inputs), attrs.string('pattern'), attrs.string('rewrite'), attrs.bool('replace_global')),
  ),
  RegexFullMatch: namedStep((_, inputs) => matched(given(inputs), onlyText(inputs[1]))),
  StaticRegexFullMatch: namedStep(({ attrs }, inputs) => matched(given(inputs), attrs.string('pattern'))),
};
