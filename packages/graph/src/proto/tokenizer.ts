/** Splits protobuf text format into tokens that know their line and column. */
import { InvalidArgumentError } from '../errors.js';

export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'symbol' | 'end';
  /** The source text; for strings without the quotes, escapes not yet resolved. */
  readonly text: string;
  readonly offset: number;
}

const SPACE = /(?:\s|#[^\n]*)+/y;
const NAME = /[A-Za-z_][\w.]*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fF]?/y;
const STRING = /"((?:[^"\\\n]|\\[^\n])*)"|'((?:[^'\\\n]|\\[^\n])*)'/y;

export class Tokenizer {
  #pos = 0;
  #next: Token | undefined;

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
    this.match(SPACE);
    const offset = this.#pos;
    if (offset >= this.source.length) return { kind: 'end', text: '', offset };
    const name = this.match(NAME);
    if (name !== undefined) return { kind: 'name', text: name[0], offset };
    const number = this.match(NUMBER);
    if (number !== undefined) return { kind: 'number', text: number[0], offset };
    const string = this.match(STRING);
    if (string !== undefined) return { kind: 'string', text: string[1] ?? string[2] ?? '', offset };
    const text = this.source.charAt(offset);
    if (text === '"' || text === "'") this.fail('string without end', { kind: 'symbol', text, offset });
    this.#pos++;
    return { kind: 'symbol', text, offset };
  }

  private match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#pos;
    const match = pattern.exec(this.source);
    if (match === null) return undefined;
    this.#pos = pattern.lastIndex;
    return match;
  }
}

/** How an error names what it found. */
export function describeToken(token: Token): string {
  return token.kind === 'end' ? 'the end' : `"${token.text}"`;
}

const SIMPLE: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g;

/** Bytes of a literal's source text; `fail` is called for an escape that does not exist. */
export function unescapeLiteral(source: string, fail: (rule: string) => never): Uint8Array {
  const encoder = new TextEncoder();
  if (!source.includes('\\')) return encoder.encode(source);
  const bytes: number[] = [];
  let last = 0;
  for (const match of source.matchAll(ESCAPE)) {
    const [whole, octal, hex, short, long, simple] = match;
    bytes.push(...encoder.encode(source.slice(last, match.index)));
    last = match.index + whole.length;
    const point = short ?? long;
    if (octal !== undefined) bytes.push(parseInt(octal, 8) & 0xff);
    else if (hex !== undefined) bytes.push(parseInt(hex, 16));
    else if (point !== undefined) {
      const code = parseInt(point, 16);
      bytes.push(
        ...encoder.encode(code > 0x10ffff ? fail(`no code point ${point}`) : String.fromCodePoint(code)),
      );
    } else bytes.push(SIMPLE[simple ?? ''] ?? fail(`unknown escape "${whole}"`));
  }
  for (const byte of encoder.encode(source.slice(last))) bytes.push(byte);
  return Uint8Array.from(bytes);
}
