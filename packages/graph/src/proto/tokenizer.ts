/** Splits protobuf text format into tokens that know their line and column. */
import { InvalidArgumentError } from '../errors.js';
import type { FieldSpec } from './spec.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'symbol' | 'end';
  /** The source text; for strings without the quotes, escapes not yet resolved. */
  readonly text: string;
  readonly offset: number;
}

const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fF]?/y;

const [NEWLINE, QUOTE, HASH, APOSTROPHE, DOT, BACKSLASH, UNDERSCORE] = [
  0x0a, 0x22, 0x23, 0x27, 0x2e, 0x5c, 0x5f,
];

/** How many texts are remembered; a power of two. */
const RECENT_TEXTS = 1024;
/** Longer texts are hardly ever the same; up to here they are no parts of the source's, which those would keep in memory. */
export const SHORT_TEXT = 64;

export class Tokenizer {
  /** A field whose values are passed over. */
  skipped: FieldSpec | undefined;
  #pos = 0;
  #next: Token | undefined;
  readonly #recent = new Array<string | undefined>(RECENT_TEXTS).fill(undefined);

  constructor(
    private readonly source: string,
    private readonly what: string,
  ) {}

  /** Throws `InvalidArgumentError` naming line and column of `at`. */
  fail(rule: string, at: Token = this.peek()): never {
    const before = this.source.slice(0, at.offset);
    const line = before.split('\n').length;
    const column = at.offset - (before.lastIndexOf('\n') + 1) + 1;
    throw new InvalidArgumentError(`${this.what} text, line ${line}, column ${column}: ${rule}`);
  }

  peek(): Token {
    this.#next ??= this.read();
    return this.#next;
  }

  take(): Token {
    const token = this.peek();
    this.#next = undefined;
    return token;
  }

  /** Takes the symbol when it comes next. */
  accept(symbol: string): boolean {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#next = undefined;
    return true;
  }

  expect(symbol: string): void {
    if (!this.accept(symbol)) this.fail(`expected "${symbol}", found ${describeToken(this.peek())}`);
  }

  private read(): Token {
    const offset = this.skipSpace();
    if (offset >= this.source.length) return { kind: 'end', text: '', offset };
    const first = this.source.charCodeAt(offset);
    if (isLetter(first)) return { kind: 'name', text: this.name(offset), offset };
    if (first === QUOTE || first === APOSTROPHE) return this.literal(first, offset);
    const number = isDigit(first) || first === DOT ? this.number() : undefined;
    if (number !== undefined) return { kind: 'number', text: number, offset };
    this.#pos++;
    return { kind: 'symbol', text: this.source.charAt(offset), offset };
  }

  /** Passes over white space and comments. Files have as many tokens as bytes, nearly: no regular expression is run where none is needed. */
  private skipSpace(): number {
    const { source } = this;
    let at = this.#pos;
    while (at < source.length) {
      const code = source.charCodeAt(at);
      if (code === HASH) {
        at = this.endOfLine(at);
      } else if (!isSpace(code)) break;
      else at++;
    }
    return (this.#pos = at);
  }

  private name(offset: number): string {
    const { source } = this;
    let at = offset + 1;
    for (let code = source.charCodeAt(at); isLetter(code) || isDigit(code) || code === DOT;)
      code = source.charCodeAt(++at);
    this.#pos = at;
    return this.text(offset, at);
  }

  /** A part of the source: the same string where the same was read lately, as names of fields and op types are. */
  private text(start: number, end: number): string {
    const { source } = this;
    if (end - start > SHORT_TEXT) return source.slice(start, end);
    let hash = 0;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + source.charCodeAt(i)) | 0;
    const slot = hash & (RECENT_TEXTS - 1);
    const known = this.#recent[slot];
    if (known?.length === end - start && source.startsWith(known, start)) return known;
    return (this.#recent[slot] = apart(source.slice(start, end)));
  }

  /** Passes over a value in braces, or a list of such, whatever it holds. Throws `InvalidArgumentError` where none begins, or it does not end. */
  skipBlock(): void {
    const { source } = this;
    const first = this.take();
    if (first.kind !== 'symbol' || !OPENING.includes(first.text))
      this.fail(`expected "{", found ${describeToken(first)}`, first);
    let depth = 1;
    for (let at = this.#pos; at < source.length; at++) {
      const code = source.charCodeAt(at);
      if (code === QUOTE || code === APOSTROPHE) at = this.endOfLiteral(code, at);
      else if (code === HASH) at = this.endOfLine(at);
      else if (code === OPEN_BRACE || code === LESS || code === OPEN_BRACKET) depth++;
      else if (code === CLOSE_BRACE || code === GREATER || code === CLOSE_BRACKET) depth--;
      if (depth > 0) continue;
      this.#pos = at + 1;
      return;
    }
    this.fail(`expected the end of "${first.text}", found the end`, first);
  }

  private number(): string | undefined {
    NUMBER.lastIndex = this.#pos;
    const text = NUMBER.exec(this.source)?.[0];
    if (text !== undefined) this.#pos = NUMBER.lastIndex;
    return text;
  }

  /** A string literal. Weights are literals of many megabytes, for which a regular expression would need as much memory again. */
  private literal(quote: number, offset: number): Token {
    const end = this.endOfLiteral(quote, offset);
    this.#pos = end + 1;
    return { kind: 'string', text: this.text(offset + 1, end), offset };
  }

  /** Where the closing quote is. */
  private endOfLiteral(quote: number, offset: number): number {
    const { source } = this;
    for (let i = offset + 1; i < source.length; i++) {
      const code = source.charCodeAt(i);
      if (code === quote) return i;
      if (code === BACKSLASH && source.charCodeAt(i + 1) !== NEWLINE) i++;
      else if (code === BACKSLASH || code === NEWLINE) break;
    }
    return this.fail('string without end', { kind: 'symbol', text: source.charAt(offset), offset });
  }

  private endOfLine(from: number): number {
    const line = this.source.indexOf('\n', from);
    return line < 0 ? this.source.length : line;
  }
}

const OPENING = '{<[';
const [OPEN_BRACE, LESS, OPEN_BRACKET] = [0x7b, 0x3c, 0x5b];
const [CLOSE_BRACE, GREATER, CLOSE_BRACKET] = [0x7d, 0x3e, 0x5d];

/** The same text, but not as a part of another, which it would keep in memory. */
export function apart(text: string): string {
  return ` ${text}`.slice(1);
}

function isSpace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return /\s/.test(String.fromCharCode(code));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === UNDERSCORE;
}

/** How an error names what it found. */
export function describeToken(token: Token): string {
  return token.kind === 'end' ? 'the end' : `"${token.text}"`;
}

const SIMPLE: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['b', 8],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
  ['\\', 92],
  ["'", 39],
  ['"', 34],
  ['?', 63],
]);

/** After a backslash: octal, hexadecimal, or the number of a character. */
const NUMBERED = /([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})/y;

/** Bytes of a literal's source text; `fail` is called for an escape that does not exist. */
export function unescapeLiteral(source: string, fail: (rule: string) => never): Uint8Array {
  if (!source.includes('\\')) return new TextEncoder().encode(source);
  const bytes = new GrowingBytes(source.length);
  let i = 0;
  while (i < source.length) {
    const code = source.charCodeAt(i);
    if (code >= 0x80) {
      let end = i + 1;
      while (source.charCodeAt(end) >= 0x80) end++;
      bytes.addText(source.slice(i, end), source.length - end);
      i = end;
    } else if (code === BACKSLASH) i = addEscape(source, i + 1, bytes, fail);
    else {
      bytes.add(code);
      i++;
    }
  }
  return bytes.take();
}

/** Adds what the escape at `at`, behind its backslash, means; returns where it ends. */
function addEscape(source: string, at: number, bytes: GrowingBytes, fail: (rule: string) => never): number {
  const octal = octalAt(source, at);
  if (octal !== undefined) {
    bytes.add(octal);
    return at + 3;
  }
  const { byte, text, length } = escapeAt(source, at, fail);
  const end = at + length;
  if (text === undefined) bytes.add(byte);
  else bytes.addText(text, source.length - end);
  return end;
}

/** Bytes with room for one per character of the source: only characters beyond ASCII take more than they are long. */
class GrowingBytes {
  readonly #encoder = new TextEncoder();
  #bytes: Uint8Array;
  #filled = 0;

  constructor(length: number) {
    this.#bytes = new Uint8Array(length);
  }

  add(byte: number): void {
    this.#bytes[this.#filled++] = byte;
  }

  /** Adds a text, behind which `rest` characters of the source follow. */
  addText(text: string, rest: number): void {
    const encoded = this.#encoder.encode(text);
    const needed = this.#filled + encoded.length + rest;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(2 * needed);
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    this.#bytes.set(encoded, this.#filled);
    this.#filled += encoded.length;
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.#filled);
  }
}

/** The byte that three octal digits mean, as almost all bytes of weights are written. */
function octalAt(source: string, at: number): number | undefined {
  const [a, b, c] = [
    source.charCodeAt(at) - 48,
    source.charCodeAt(at + 1) - 48,
    source.charCodeAt(at + 2) - 48,
  ];
  if (!(a >= 0 && a < 8 && b >= 0 && b < 8 && c >= 0 && c < 8)) return undefined;
  return ((a << 6) | (b << 3) | c) & 0xff;
}

interface Escape {
  readonly byte: number;
  /** In place of the byte. */
  readonly text?: string;
  /** Characters after the backslash. */
  readonly length: number;
}

function escapeAt(source: string, at: number, fail: (rule: string) => never): Escape {
  NUMBERED.lastIndex = at;
  const [whole = '', octal, hex, short, long] = NUMBERED.exec(source) ?? [];
  if (octal !== undefined) return { byte: parseInt(octal, 8) & 0xff, length: whole.length };
  if (hex !== undefined) return { byte: parseInt(hex, 16), length: whole.length };
  const point = short ?? long;
  if (point !== undefined) {
    const code = parseInt(point, 16);
    if (code > 0x10ffff) fail(`no code point ${point}`);
    return { byte: 0, text: String.fromCodePoint(code), length: whole.length };
  }
  const simple = source.charAt(at);
  return { byte: SIMPLE.get(simple) ?? fail(`unknown escape "\\${simple}"`), length: 1 };
}
