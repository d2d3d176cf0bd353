// Small files under node_modules/.cache/forerun that remember what was already done, so that a set-up with
// nothing to do is quick. They vanish with node_modules, as they should.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's root folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** The hex SHA-256 of the given strings or buffers, in order. */
export function digest(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

/** A file's text, or undefined where there is no such file. */
export function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** "size:time of change" of a file or folder, or "absent". */
export function fileState(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? 'absent' : `${stat.size}:${stat.mtimeMs}`;
}

/**
 * The stamp of that name. `matches(value)` tells whether the last write was this value,
 * `write(value)` records it, `clear()` forgets it.
 */
export function stamp(name, directory = join(root, 'node_modules', '.cache', 'forerun')) {
  const path = join(directory, name);
  return {
    matches: (value) => readIfThere(path) === value,
    write(value) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, value);
    },
    clear: () => rmSync(path, { force: true }),
  };
}
