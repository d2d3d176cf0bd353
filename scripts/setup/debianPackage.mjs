// Programs that only some checks need, from Debian's packages: installed when a check asks for them, as root and on Debian alone.
import { existsSync } from 'node:fs';
import { installPackages, updateLists } from './apt.mjs';
import { SetupError, say } from './report.mjs';
import { osRelease } from './system.mjs';

/**
 * The first of the paths that exists, after installing `name` where none does and that may be done; undefined where it may not.
 * @param {(string | undefined)[]} paths
 * @param {string} name Debian's package
 * @param {string} reason what it is for
 */
export function findOrInstall(paths, name, reason) {
  const find = () => paths.find((path) => path !== undefined && existsSync(path));
  const found = find();
  const mayInstall = process.getuid?.() === 0 && !process.env.FORERUN_NO_INSTALL;
  if (found !== undefined || osRelease().ID !== 'debian' || !mayInstall) return found;
  say(`installing ${name} with apt: ${reason}`);
  updateLists();
  installPackages([name]);
  return find();
}

/**
 * Runs a check and ends the process with its exit code, or with 1 after saying what the user has to see to.
 * @param {(args: string[]) => number} check
 */
export function runCheck(check) {
  try {
    process.exitCode = check(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
