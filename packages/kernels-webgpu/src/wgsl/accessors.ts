/**
 * Rewrites the accesses `name[index]` of a shader's text into calls of functions, so that what was one
 * array can be several bindings. This works on text, so that kernels need not know: whatever they do
 * with a storage array is one of the few forms recognized here, and all else is refused.
 */
import { InternalError } from '@forerun/graph';

/** An array whose accesses become calls: reads, stores, and the atomic functions that the text applies to it. */
export interface ArrayAccessors {
  readonly name: string;
  /** Elements of the array, for `arrayLength`. */
  readonly length: number;
}

/** The text with its accesses replaced, and which functions it now calls. */
export interface RewrittenText {
  readonly text: string;
  /** `name_get`, `name_set`, `name_atomicAdd` … */
  readonly calls: ReadonlySet<string>;
}

/** A kernel does something with an array for which there is no function. */
export class UnrewritableError extends InternalError {}

const OPEN = '([{';
const CLOSE = ')]}';

/** Position just after the bracket that closes the one at `start`. */
export function closing(text: string, start: number): number {
  let depth = 0;
  for (let p = start; p < text.length; p++) {
    const letter = text.charAt(p);
    if (OPEN.includes(letter)) depth++;
    if (CLOSE.includes(letter) && --depth === 0) return p + 1;
  }
  throw new InternalError(`a bracket is not closed in the shader text ${text.slice(start, start + 80)}`);
}

/** Position of the semicolon that ends the statement around `start`. */
function statementEnd(text: string, start: number): number {
  for (let p = start; p < text.length; p++) {
    if (text.charAt(p) === ';') return p;
    if (OPEN.includes(text.charAt(p))) p = closing(text, p) - 1;
  }
  throw new InternalError(`a statement does not end in the shader text ${text.slice(start, start + 80)}`);
}

/** Replaces all accesses to `arrays` in `text`, which must not contain their declarations. */
export function rewriteAccesses(text: string, arrays: readonly ArrayAccessors[]): RewrittenText {
  const calls = new Set<string>();
  const lengths = new Map(arrays.map(({ name, length }) => [name, length]));
  return { text: new Rewriter(lengths, calls).rewrite(text), calls };
}

class Rewriter {
  readonly #word: RegExp;

  constructor(
    private readonly lengths: ReadonlyMap<string, number>,
    private readonly calls: Set<string>,
  ) {
    this.#word = new RegExp(`(?<![\\w.])(?:${[...lengths.keys()].join('|')})\\b`, 'g');
  }

  rewrite(text: string): string {
    const hidden = hiddenRanges(text, [...this.lengths.keys()]);
    const word = new RegExp(this.#word);
    let [result, done] = ['', 0];
    for (let match = word.exec(text); match !== null; match = word.exec(text)) {
      const [name] = match;
      if (hidden.some((range) => range.name === name && range.from <= match.index && match.index < range.to))
        continue;
      const before = text.slice(done, match.index);
      const { prefix, replacement, end } = this.access(text, match.index, name, before);
      result += prefix + replacement;
      done = word.lastIndex = end;
    }
    return result + text.slice(done);
  }

  private access(text: string, at: number, name: string, before: string): Access {
    const end = at + name.length;
    const pointer = /\b(atomic\w+|arrayLength)\(\s*&\s*$/.exec(before);
    if (pointer?.[1] === 'arrayLength') {
      const prefix = before.slice(0, pointer.index);
      return {
        prefix,
        replacement: `${this.lengths.get(name) ?? 0}u`,
        end: closing(text, text.lastIndexOf('(', at)),
      };
    }
    if (text.charAt(end) !== '[')
      throw new UnrewritableError(
        `the array ${name} is used as a whole in a shader: ${text.slice(at - 20, at + 40)}`,
      );
    const after = closing(text, end);
    const index = `u32(${this.rewrite(text.slice(end + 1, after - 1))})`;
    if (pointer !== null) {
      const prefix = before.slice(0, pointer.index);
      return { prefix, ...this.atomic(text, { name, index, after }, pointer[1] ?? '') };
    }
    if (/[;{}]\s*$/.test(text.slice(Math.max(0, at - 200), at)))
      return { prefix: before, ...this.store(text, { name, index, after }) };
    return { prefix: before, replacement: this.call(name, 'get', index), end: after };
  }

  private atomic(text: string, { name, index, after }: Place, operation: string): Replacement {
    const end = closing(`(${text.slice(after)}`, 0) - 1 + after;
    const rest = this.rewrite(text.slice(after, end - 1));
    return { replacement: this.call(name, operation, `${index}${rest}`), end };
  }

  private store(text: string, { name, index, after }: Place): Replacement {
    const operator = /^\s*(\+\+|--|(?:[-+*/%&|^]|<<|>>)?=(?!=))/.exec(text.slice(after));
    if (operator === null)
      throw new UnrewritableError(
        `a part of an element of ${name} is stored: ${text.slice(after - 40, after + 40)}`,
      );
    const from = after + operator[0].length;
    const end = statementEnd(text, from);
    const sign = (operator[1] ?? '').replace(/=$/, '');
    const value = this.rewrite(text.slice(from, end)).trim();
    if (sign === '') return { replacement: this.call(name, 'set', `${index}, ${value}`), end };
    const old = this.call(name, 'get', index);
    const changed = value === '' ? `${old} ${sign.charAt(0)} 1` : `${old} ${sign} (${value})`;
    return { replacement: this.call(name, 'set', `${index}, ${changed}`), end };
  }

  private call(name: string, operation: string, args: string): string {
    const called = `${name}_${operation}`;
    this.calls.add(called);
    return `${called}(${args})`;
  }
}

/** An element that is accessed; `after` is the position behind its index. */
interface Place {
  readonly name: string;
  readonly index: string;
  readonly after: number;
}

interface Replacement {
  readonly replacement: string;
  readonly end: number;
}

interface Access extends Replacement {
  readonly prefix: string;
}

/** Where a name means something else: functions with a parameter of that name. */
function hiddenRanges(
  text: string,
  names: readonly string[],
): { readonly name: string; readonly from: number; readonly to: number }[] {
  return [...text.matchAll(/\bfn \w+\s*\(/g)].flatMap(({ 0: head, index }) => {
    const open = index + head.length - 1;
    const parameters = text.slice(open, closing(text, open));
    const to = closing(text, text.indexOf('{', open + parameters.length));
    const hides = (name: string): boolean => new RegExp(`\\b${name}\\s*:`).test(parameters);
    return names.filter(hides).map((name) => ({ name, from: open, to }));
  });
}
