// Installs the npm dependencies when there are none, or when the lockfile changed since the last install.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError, say } from './report.mjs';
import { digest, root, stamp } from './stamps.mjs';

/** Installs what package-lock.json names. No package's install script is run: none needs one. */
export function ensureDependencies() {
  const installed = stamp('installed');
  const wanted = digest(
    readFileSync(join(root, 'package-lock.json')),
    `${process.platform}-${process.arch}`,
    process.versions.modules,
  );
  if (installed.matches(wanted)) return;
  // Over an existing node_modules an in-place install is quicker; neither form writes to the lockfile.
  const fresh = !existsSync(join(root, 'node_modules'));
  say(
    `${fresh ? 'installing the npm dependencies' : 'package-lock.json changed: updating the npm dependencies'}`,
  );
  runNpm([...(fresh ? ['ci'] : ['install', '--no-save']), '--ignore-scripts', '--no-audit', '--no-fund']);
  installed.write(wanted);
}

/**
 * How to start npm with these arguments, for spawnSync. Under `npm run` the running npm names itself; on Windows npm
 * is a batch file that only a shell can start.
 * @param {string[]} args
 * @returns {{ command: string, args: string[], shell: boolean }}
 */
export function npmCommand(args) {
  const cli = process.env.npm_execpath;
  if (cli !== undefined && /npm-cli\.[cm]?js$/.test(cli)) {
    return { command: process.execPath, args: [cli, ...args], shell: false };
  }
  return { command: 'npm', args, shell: process.platform === 'win32' };
}

function runNpm(npmArgs) {
  const { command, args, shell } = npmCommand(npmArgs);
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', shell });
  if (result.error !== undefined) throw new SetupError(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    throw new SetupError(
      `\`npm ${npmArgs.join(' ')}\` failed (exit code ${result.status}); its output is above.`,
    );
  }
}
