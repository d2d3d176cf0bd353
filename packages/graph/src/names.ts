/** Node names: TensorFlow's grammar, uniqueness with `_1` suffixes, and suggestions for misspelt ones. */
import { InvalidArgumentError } from './errors.js';

const NAME = /^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$/;

/** The name of a node that a copy may ask for: nodes that graph optimizers put into files have names that begin with `_`. */
export function nameForCopy(name: string): string {
  const plain = name.replace(/^_+/, '');
  return plain === '' ? 'node' : plain;
}

/** Which names are taken. Uniqueness ignores case, as in TensorFlow, because some file systems do. */
export class NameTable {
  readonly #taken = new Set<string>();
  /** Taken names that are not in the set yet: a graph that is only imported never asks for another. */
  readonly #added: string[] = [];
  readonly #counters = new Map<string, number>();

  /** The name that `name` would get below `scope`. A trailing `/` asks for exactly that full name. */
  peek(scope: string, name: string): string {
    if (name.endsWith('/')) return name.slice(0, -1);
    const full = scope + name;
    if (!NAME.test(full)) {
      throw new InvalidArgumentError(
        `"${full}" is not a valid node name: letters, digits and _ . - / are allowed, the first must be a letter, digit or .`,
      );
    }
    for (let added = this.#added.pop(); added !== undefined; added = this.#added.pop())
      this.#taken.add(added.toLowerCase());
    const key = full.toLowerCase();
    if (!this.#taken.has(key)) return full;
    let count = this.#counters.get(key) ?? 1;
    while (this.#taken.has(`${key}_${count}`)) count++;
    this.#counters.set(key, count);
    return `${full}_${count}`;
  }

  /** Marks a name as taken. */
  take(name: string): void {
    this.#added.push(name);
  }
}

/** Up to three candidates that differ little from `name`, nearest first. */
export function nearestNames(name: string, candidates: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  const scored: { candidate: string; distance: number }[] = [];
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit && !candidate.endsWith(`/${name}`)) continue;
    const distance = candidate.endsWith(`/${name}`) ? 1 : editDistance(name, candidate, limit);
    if (distance <= limit) scored.push({ candidate, distance });
  }
  return scored
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string, limit: number): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > limit) return limit + 1;
    row = next;
  }
  return row[b.length] ?? limit + 1;
}
