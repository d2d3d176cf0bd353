/**
 * Regular expressions of RE2, which TensorFlow's ops take, as those of JavaScript. What both write alike stays; what they understand differently is
 * written anew, and what only RE2 has is refused. https://github.com/google/re2/wiki/Syntax
 */
import { InvalidArgumentError } from '@forerun/graph';

/** The characters of `[:name:]`, in a class. */
const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t-\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const NOT_POSIX: Readonly<Record<string, string>> = {
  space: '\\x00-\\x08\\x0e-\\x1f!-\\u{10ffff}',
  digit: '\\x00-\\/:-\\u{10ffff}',
  word: '\\x00-\\/:-@\\[-\\^`{-\\u{10ffff}',
};

/** RE2's white space has no vertical tab, and none beyond ASCII. */
const SPACE = '\\t\\n\\f\\r ';
const NOT_SPACE = '\\x00-\\x08\\x0b\\x0e-\\x1f!-\\u{10ffff}';

const CONTROL: Readonly<Record<string, string>> = {
  a: '\\x07',
  f: '\\f',
  n: '\\n',
  r: '\\r',
  t: '\\t',
  v: '\\v',
};

/** General categories of Unicode, of one letter or two; other names are scripts. */
const CATEGORY = /^(?:[CLMNPSZ]|C[cfos]|L[CMlmotu]|M[cen]|N[dlo]|P[cdefios]|S[ckmo]|Z[lps])$/;

class Translation {
  #at = 0;
  #multiline = false;
  #dotAll = false;
  flags = 'u';

  constructor(private readonly pattern: string) {}

  fail(why: string): never {
    throw new InvalidArgumentError(`the pattern ${JSON.stringify(this.pattern)} ${why}`);
  }

  translate(): string {
    this.readFlags();
    let text = '';
    while (this.#at < this.pattern.length) text += this.next();
    return text;
  }

  private take(count = 1): string {
    const taken = this.pattern.slice(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** One character, of two units where it needs them. */
  private character(): string {
    return this.take(String.fromCodePoint(this.pattern.codePointAt(this.#at) ?? 0).length);
  }

  /** Flags for the whole pattern, at its beginning. */
  private readFlags(): void {
    for (
      let match = /^\(\?([ims]+)\)/.exec(this.pattern.slice(this.#at));
      match !== null;
      match = /^\(\?([ims]+)\)/.exec(this.pattern.slice(this.#at))
    ) {
      this.#at += match[0].length;
      const flags = match[1] ?? '';
      if (flags.includes('i') && !this.flags.includes('i')) this.flags += 'i';
      this.#multiline ||= flags.includes('m');
      this.#dotAll ||= flags.includes('s');
    }
  }

  private next(): string {
    const rest = this.pattern.slice(this.#at);
    if (rest.startsWith('(?')) return this.group(rest);
    const quantifier = /^\{\d+(?:,\d*)?\}/.exec(rest)?.[0];
    if (quantifier !== undefined) return this.take(quantifier.length);
    const character = this.character();
    switch (character) {
      case '.':
        return this.#dotAll ? '[\\s\\S]' : '[^\\n]';
      case '^':
        return this.#multiline ? '(?<![^\\n])' : '^';
      case '$':
        return this.#multiline ? '(?![^\\n])' : '$';
      case '[':
        return this.characterClass();
      case '\\':
        return this.escape(false);
      case '{':
      case '}':
      case ']':
        return `\\${character}`;
      default:
        return character;
    }
  }

  private group(rest: string): string {
    const named = /^\(\?P?<(\w+)>/.exec(rest);
    if (named !== null) {
      this.take(named[0].length);
      return `(?<${named[1]}>`;
    }
    if (rest.startsWith('(?:')) return this.take(3);
    return this.fail(`has the group ${JSON.stringify(rest.slice(0, 6))}, which is not supported`);
  }

  private escape(inClass: boolean): string {
    const character = this.character();
    switch (character) {
      case '':
        return this.fail('ends with a backslash');
      case 'd':
      case 'D':
      case 'w':
      case 'W':
        return this.plainClass(character, inClass);
      case 's':
        return inClass ? SPACE : `[${SPACE}]`;
      case 'S':
        return inClass ? NOT_SPACE : `[${NOT_SPACE}]`;
      case 'p':
      case 'P':
        return this.unicode(character);
      case 'x':
        return this.hexadecimal();
      case 'b':
      case 'B':
        return inClass ? this.fail(`has \\${character} in a class`) : `\\${character}`;
      case 'A':
        return '(?<![\\s\\S])';
      case 'z':
        return '(?![\\s\\S])';
      case 'Q':
        return this.quoted();
      default:
        return this.plainEscape(character);
    }
  }

  /** Digits and letters of ASCII, also where case does not count. */
  private plainClass(character: string, inClass: boolean): string {
    const name = character.toLowerCase() === 'd' ? 'digit' : 'word';
    const text = (character === character.toLowerCase() ? POSIX : NOT_POSIX)[name] ?? '';
    return inClass ? text : `[${text}]`;
  }

  private plainEscape(character: string): string {
    const control = CONTROL[character];
    if (control !== undefined) return control;
    if (/[0-7]/.test(character)) return this.octal(character);
    if (/[0-9A-Za-z]/.test(character)) this.fail(`has \\${character}, which RE2 or JavaScript does not know`);
    return literal(character);
  }

  private octal(first: string): string {
    const digits = first + (/^[0-7]{0,2}/.exec(this.pattern.slice(this.#at))?.[0] ?? '');
    if (first !== '0' && digits.length < 2)
      this.fail(`refers back to a group by \\${first}, which RE2 cannot`);
    this.take(digits.length - 1);
    return `\\u{${parseInt(digits, 8).toString(16)}}`;
  }

  private hexadecimal(): string {
    const found = /^(?:\{([0-9A-Fa-f]+)\}|([0-9A-Fa-f]{2}))/.exec(this.pattern.slice(this.#at));
    if (found === null) return this.fail('has \\x without a number');
    this.take(found[0].length);
    return `\\u{${found[1] ?? found[2] ?? ''}}`;
  }

  private unicode(letter: string): string {
    const found = /^(?:\{(\^?)(\w+)\}|(\w))/.exec(this.pattern.slice(this.#at));
    if (found === null) return this.fail(`has \\${letter} without a class`);
    this.take(found[0].length);
    const name = found[2] ?? found[3] ?? '';
    const negated = (letter === 'P') !== (found[1] === '^');
    return `\\${negated ? 'P' : 'p'}{${CATEGORY.test(name) ? name : `Script=${name}`}}`;
  }

  private quoted(): string {
    const end = this.pattern.indexOf('\\E', this.#at);
    const text = this.take((end < 0 ? this.pattern.length : end) - this.#at);
    if (end >= 0) this.take(2);
    return Array.from(text, literal).join('');
  }

  private characterClass(): string {
    let text = '[';
    if (this.pattern[this.#at] === '^') text += this.take();
    // A bracket that comes first is one of the class.
    if (this.pattern[this.#at] === ']') text += `\\${this.take()}`;
    while (this.pattern[this.#at] !== ']') {
      if (this.#at >= this.pattern.length) this.fail('has a class without an end');
      text += this.member();
    }
    return text + this.take();
  }

  private member(): string {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.pattern.slice(this.#at));
    if (posix !== null) {
      this.take(posix[0].length);
      const text = (posix[1] === '^' ? NOT_POSIX : POSIX)[posix[2] ?? ''];
      return text ?? this.fail(`has the class ${posix[0]}, which is not supported`);
    }
    const character = this.character();
    if (character === '\\') return this.escape(true);
    return character === '-' ? this.hyphen() : literal(character);
  }

  /** One between two characters makes a range of them. */
  private hyphen(): string {
    const [before, after] = [this.pattern[this.#at - 2], this.pattern[this.#at]];
    const first = before === '[' || (before === '^' && this.pattern[this.#at - 3] === '[');
    return first || after === ']' ? '\\-' : '-';
  }
}

function literal(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

/** The expression of JavaScript that matches what `pattern` matches in RE2. Throws `InvalidArgumentError` where there is none. */
export function fromRe2(pattern: string, { full = false, global = false } = {}): RegExp {
  const translation = new Translation(pattern);
  const text = translation.translate();
  try {
    return new RegExp(full ? `^(?:${text})$` : text, translation.flags + (global ? 'g' : ''));
  } catch (error) {
    return translation.fail(`is no regular expression: ${error instanceof Error ? error.message : ''}`);
  }
}

/** What RE2's rewriting makes of a match: `\0` is all of it, `\1` to `\9` are its groups. */
export function rewritten(rewrite: string, groups: readonly (string | undefined)[]): string {
  return rewrite.replaceAll(/\\([\s\S]?)/g, (_, what: string) => {
    if (what === '\\') return what;
    const group = /\d/.test(what) ? Number(what) : Infinity;
    if (group < groups.length) return groups[group] ?? '';
    throw new InvalidArgumentError(
      `the rewrite ${JSON.stringify(rewrite)} has \\${what}; the pattern has ${groups.length - 1} groups`,
    );
  });
}
