/** Host steps that take texts apart and put them together. */
import {
  InternalError,
  InvalidArgumentError,
  sizeOf,
  stridesOf,
  TensorValue,
  type Attrs,
} from '@forerun/graph';
import type { HostStepFn } from './hostOps.js';
import { namedStep } from './namedStep.js';
import { binaryOf, elementsOf, ofBinary, stringTensor } from './texts.js';

/** The parts of the texts of a vector as indices, values and shape of a sparse matrix. */
function sparseRows(rows: readonly (readonly string[])[]): TensorValue[] {
  const indices = rows.flatMap((row, i) => row.flatMap((_, k) => [BigInt(i), BigInt(k)]));
  const values = rows.flat().map(ofBinary);
  const widest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return [
    new TensorValue('int64', [values.length, 2], BigInt64Array.from(indices)),
    stringTensor([values.length], values),
    new TensorValue('int64', [2], BigInt64Array.of(BigInt(rows.length), BigInt(widest))),
  ];
}

/** Between any of the characters of `delimiters`; without any, each byte is a part. */
function betweenAny(text: string, delimiters: string, skipEmpty: boolean): string[] {
  if (text === '') return [];
  if (delimiters === '') return Array.from(text);
  const parts: string[] = [];
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    if (i < text.length && !delimiters.includes(text.charAt(i))) continue;
    if (!skipEmpty || i > start) parts.push(text.slice(start, i));
    start = i + 1;
  }
  return parts;
}

/** At a separator as Python's `str.split`, or at white space. There, what is left after the last cut is a part even where nothing is. */
function asPython(text: string, separator: string, most: number): string[] {
  if (most === 0) return [text];
  const parts: string[] = [];
  if (separator !== '') {
    let rest = text;
    for (let at = rest.indexOf(separator); at >= 0 && parts.length !== most; at = rest.indexOf(separator)) {
      parts.push(rest.slice(0, at));
      rest = rest.slice(at + separator.length);
    }
    return [...parts, rest];
  }
  let rest = text.replace(/^[\t-\r ]+/, '');
  while (rest !== '') {
    const end = rest.search(/[\t-\r ]/);
    parts.push(end < 0 ? rest : rest.slice(0, end));
    rest = end < 0 ? '' : rest.slice(end).replace(/^[\t-\r ]+/, '');
    if (parts.length === most) return [...parts, rest];
  }
  return parts;
}

function splitting(cut: (text: string, separator: string, attrs: Attrs) => string[]): HostStepFn {
  return ({ attrs }, [input, separator]) => {
    const by = binaryOf(elementsOf(separator)[0] ?? '');
    return sparseRows(elementsOf(input).map((element) => cut(binaryOf(element), by, attrs)));
  };
}

const join: HostStepFn = ({ attrs }, inputs) => {
  const shape = inputs.find((input) => input.shape.length > 0)?.shape ?? [];
  const separator = binaryOf(attrs.string('separator'));
  const elements = Array.from({ length: sizeOf(shape) }, (_, i) =>
    ofBinary(
      inputs
        .map((input) => binaryOf(elementsOf(input)[input.shape.length === 0 ? 0 : i] ?? ''))
        .join(separator),
    ),
  );
  return [stringTensor(shape, elements)];
};

/** Of several axes the first that is named varies fastest. */
const reduceJoin: HostStepFn = ({ attrs }, [input, axesValue]) => {
  if (input === undefined || axesValue === undefined) throw new InternalError('ReduceJoin has two inputs');
  const { shape } = input;
  const axes = Array.from(axesValue.data as Int32Array, (axis) => (axis < 0 ? axis + shape.length : axis));
  const kept = [...shape.keys()].filter((axis) => !axes.includes(axis));
  const [outer, inner] = [placesOf(shape, kept), placesOf(shape, [...axes].reverse())];
  const texts = elementsOf(input);
  const separator = binaryOf(attrs.string('separator'));
  const joined = outer.map((start) =>
    ofBinary(inner.map((offset) => binaryOf(texts[start + offset] ?? '')).join(separator)),
  );
  const size = (axis: number): number => shape[axis] ?? 1;
  const result = attrs.bool('keep_dims')
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : kept.map(size);
  return [stringTensor(result, joined)];
};

/** Where the elements along some axes lie, the first axis slowest. */
function placesOf(shape: readonly number[], axes: readonly number[]): number[] {
  const strides = stridesOf(shape);
  return axes.reduce<number[]>(
    (places, axis) =>
      places.flatMap((place) =>
        Array.from({ length: shape[axis] ?? 1 }, (_, i) => place + i * (strides[axis] ?? 0)),
      ),
    [0],
  );
}

/** What `StringNGrams` says of itself. */
class NgramMaker {
  readonly #separator: string;
  readonly #left: string;
  readonly #right: string;
  readonly #padWidth: number;

  constructor(private readonly attrs: Attrs) {
    this.#separator = binaryOf(attrs.string('separator'));
    this.#left = binaryOf(attrs.string('left_pad'));
    this.#right = binaryOf(attrs.string('right_pad'));
    this.#padWidth = attrs.int('pad_width');
  }

  /** All runs of a row: by width, each from left to right. */
  of(row: readonly string[]): string[] {
    const found = this.attrs.ints('ngram_widths').flatMap((width) => {
      const pads = this.pads(width);
      return this.ofWidth(row, width, pads, Math.max(0, row.length + 2 * pads - width + 1));
    });
    const whole = row.length + 2 * Math.max(0, this.#padWidth);
    const short = found.length === 0 && row.length > 0 && this.attrs.bool('preserve_short_sequences');
    return short ? this.ofWidth(row, whole, this.pads(whole), 1) : found;
  }

  /** How many pads may stand on either side of runs of a width. */
  private pads(width: number): number {
    return this.#padWidth < 0 ? width - 1 : Math.min(this.#padWidth, width - 1);
  }

  private ofWidth(row: readonly string[], width: number, pads: number, count: number): string[] {
    return Array.from({ length: count }, (_, i) => {
      const [left, right] = [Math.max(0, pads - i), Math.max(0, pads - (count - (i + 1)))];
      const start = left > 0 ? 0 : i - pads;
      const tokens = row.slice(start, start + width - left - right);
      const padding = (text: string, times: number): string[] => new Array<string>(times).fill(text);
      return [...padding(this.#left, left), ...tokens, ...padding(this.#right, right)].join(this.#separator);
    });
  }
}

const ngrams = namedStep(({ attrs }, [data, splits]) => {
  if (splits === undefined) throw new InternalError('StringNGrams has two inputs');
  const texts = elementsOf(data).map(binaryOf);
  const bounds = Array.from(splits.data as Int32Array | BigInt64Array, Number);
  checkSplits(bounds, texts.length);
  const maker = new NgramMaker(attrs);
  const rows = bounds.slice(1).map((end, i) => maker.of(texts.slice(bounds[i], end)));
  let total = 0;
  const ends = [0, ...rows.map((row) => (total += row.length))].slice(0, Math.max(bounds.length, 0));
  const found = rows.flat().map(ofBinary);
  const ofSplits = splits.dtype === 'int64' ? BigInt64Array.from(ends, BigInt) : Int32Array.from(ends);
  return [stringTensor([found.length], found), new TensorValue(splits.dtype, [ends.length], ofSplits)];
});

function checkSplits(bounds: readonly number[], length: number): void {
  const rises = bounds.every((bound, i) => bound >= (bounds[i - 1] ?? 0));
  if (bounds.length === 0 || (bounds[0] === 0 && rises && bounds.at(-1) === length)) return;
  throw new InvalidArgumentError(
    `splits must rise from 0 to the number of texts, ${length}; they are [${bounds.slice(0, 8).join(', ')}${bounds.length > 8 ? ', …' : ''}]`,
  );
}

export const TEXT_PARTS: Readonly<Record<string, HostStepFn>> = {
  StringSplit: splitting((text, by, attrs) => betweenAny(text, by, attrs.bool('skip_empty'))),
  StringSplitV2: splitting((text, by, attrs) => asPython(text, by, attrs.int('maxsplit'))),
  StringJoin: join,
  ReduceJoin: reduceJoin,
  StringNGrams: ngrams,
};
