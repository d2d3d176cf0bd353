/**
 * Node's built-in modules, looked up when first used: a browser can then load this package for its datasets
 * although only Node can read files.
 */
import { DataError } from './errors.js';

/** The part of Node's built-in modules that this package uses. */
interface Builtins {
  'node:fs/promises': typeof import('node:fs/promises');
  'node:module': typeof import('node:module');
  'node:path': typeof import('node:path');
  'node:zlib': typeof import('node:zlib');
}

/** A built-in module of Node. Throws `UNIMPLEMENTED` elsewhere, with `what` needed it. */
export function builtin<M extends keyof Builtins>(name: M, what: string): Builtins[M] {
  const found =
    typeof process === 'object' && typeof process.getBuiltinModule === 'function'
      ? process.getBuiltinModule(name)
      : undefined;
  if (found === undefined) {
    throw new DataError(
      'UNIMPLEMENTED',
      `${what} needs ${name}, which Node >= 20.16 has and this environment has not`,
    );
  }
  return found;
}
