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

function runNpm(args) {
  // Under `npm run` the running npm names itself; on Windows npm is a batch file that only a shell can start.
  const cli = process.env.npm_execpath;
  const viaNode = cli !== undefined && /npm-cli\.[cm]?js$/.test(cli);
  const [command, all] = viaNode ? [process.execPath, [cli, ...args]] : ['npm', args];
  const result = spawnSync(command, all, {
    cwd: root,
    stdio: 'inherit',
    shell: !viaNode && process.platform === 'win32',
  });
  if (result.error !== undefined) throw new SetupError(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) {
    throw new SetupError(
      `\`npm ${args.join(' ')}\` failed (exit code ${result.status}); its output is above.`,
    );
  }
}
