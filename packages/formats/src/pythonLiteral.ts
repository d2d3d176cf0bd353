/** Literals of Python as `.npy` headers have them: dictionaries, tuples, lists, texts, integers, truth values. */
import { DataLossError } from '@forerun/graph';

export type Literal = string | number | boolean | null | Literal[] | Map<string, Literal>;

const MAX_DEPTH = 16;

/** The value of a literal. Nothing is evaluated. Throws `DataLossError` saying at which character the text is wrong. */
export function parseLiteral(text: string, what: string): Literal {
  const parser = new LiteralParser(text, what);
  return parser.whole();
}

class LiteralParser {
  #pos = 0;

  constructor(
    private readonly text: string,
    private readonly what: string,
  ) {}

  whole(): Literal {
    const value = this.value(0);
    this.blanks();
    return this.#pos === this.text.length ? value : this.fail('more text than one value');
  }

  private fail(rule: string): never {
    throw new DataLossError(`${this.what}: ${rule} at character ${this.#pos}`);
  }

  private blanks(): void {
    while (/\s/.test(this.text[this.#pos] ?? '')) this.#pos++;
  }

  private accept(char: string): boolean {
    this.blanks();
    if (this.text[this.#pos] !== char) return false;
    this.#pos++;
    return true;
  }

  private value(depth: number): Literal {
    if (depth > MAX_DEPTH) this.fail('values nested too deeply');
    if (this.accept('{')) return this.dictionary(depth);
    if (this.accept('(')) return this.sequence(')', depth);
    if (this.accept('[')) return this.sequence(']', depth);
    return this.word();
  }

  private dictionary(depth: number): Map<string, Literal> {
    const entries = new Map<string, Literal>();
    while (!this.accept('}')) {
      const key = this.value(depth + 1);
      if (typeof key !== 'string') this.fail('a key that is no text');
      if (!this.accept(':')) this.fail('expected ":"');
      entries.set(key, this.value(depth + 1));
      if (this.accept(',')) continue;
      if (!this.accept('}')) this.fail('expected "," or "}"');
      break;
    }
    return entries;
  }

  private sequence(end: string, depth: number): Literal[] {
    const items: Literal[] = [];
    while (!this.accept(end)) {
      items.push(this.value(depth + 1));
      if (this.accept(',')) continue;
      if (!this.accept(end)) this.fail(`expected "," or "${end}"`);
      break;
    }
    return items;
  }

  private word(): Literal {
    this.blanks();
    const rest = this.text.slice(this.#pos, this.#pos + 4096);
    const [token] = /^(?:'[^'\\]*'|"[^"\\]*"|-?\d+L?|True|False|None)/.exec(rest) ?? this.fail('no value');
    this.#pos += token.length;
    if (/^['"]/.test(token)) return token.slice(1, -1);
    if (token === 'None') return null;
    return token === 'True' || token === 'False' ? token === 'True' : parseInt(token, 10);
  }
}
