// Starts jest with the Node options that ES modules need, on every platform alike.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './setup/stamps.mjs';

/**
 * Runs jest with these arguments and gives its exit code.
 * @param {string[]} args
 * @param {Record<string, string>} [env] additions to the environment
 */
export function runJest(args, env = {}) {
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  // Workers are processes of their own: they read the options from NODE_OPTIONS.
  const options = [process.env.NODE_OPTIONS, ...flags].filter(Boolean).join(' ');
  const child = spawnSync(process.execPath, [jest, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS: options, ...env },
  });
  if (child.error !== undefined) throw child.error;
  return child.status ?? 1;
}
