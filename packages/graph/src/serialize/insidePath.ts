/** Paths that files hold (weight shards, assets): they may only lead to places below the file's own directory. */
import { InvalidArgumentError } from '../errors.js';

/**
 * The parts of `path` joined by slashes, when it stays below the directory it is relative to. Throws
 * `InvalidArgumentError` for absolute paths, drive letters, URLs, `..` that leads out, and control characters.
 */
export function insidePath(path: string, what: string): string {
  const parts: string[] = [];
  for (const part of path.split(/[/\\]/)) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return leaves(path, what);
  }
  const absolute = /^[/\\]/.test(path) || /^[A-Za-z][A-Za-z0-9+.-]*:/.test(path);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (absolute || parts.length === 0 || /[\u0000-\u001f]/.test(path)) return leaves(path, what);
  return parts.join('/');
}

function leaves(path: string, what: string): never {
  throw new InvalidArgumentError(
    `${what} has the path ${JSON.stringify(path)}: it must be a relative path that stays inside the directory of the file`,
  );
}
