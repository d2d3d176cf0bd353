// Sees to it that WebGPU finds an adapter. A GPU that is there is used as it is; only where nothing at all is
// found, Mesa's software driver is installed (lavapipe.mjs), or the user is told what to install.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { release as kernelRelease } from 'node:os';
import { join } from 'node:path';
import { installLavapipe } from './lavapipe.mjs';
import { SetupError, say } from './report.mjs';
import { digest, fileState, readIfThere, root, stamp } from './stamps.mjs';
import { advice, hasApt, osRelease } from './system.mjs';

/** Ends quietly where there is an adapter; installs one where there is none and we may; else says what to do. */
export function ensureAdapter() {
  const found = stamp('adapter');
  if (found.matches(driverState())) return;
  let answer = probeAdapter();
  if (!answer.found) {
    say(`WebGPU found no adapter on this machine (${answer.reason}).`);
    installDriver();
    answer = probeAdapter();
    if (!answer.found)
      throw new SetupError(`There is still no WebGPU adapter (${answer.reason}).\n${advice()}`);
  }
  say(`WebGPU adapter: ${answer.description || answer.device || answer.vendor}`);
  found.write(driverState());
}

/**
 * Asks for an adapter in a child process: first plainly, then for Vulkan alone, since without a display another
 * backend may hide it.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {{ found: true, vendor: string, architecture: string, device: string, description: string }
 *   | { found: false, reason: string }}
 */
export function probeAdapter(env = process.env) {
  const first = runProbe([], env);
  if (first.found) return first;
  const second = runProbe(['backend=vulkan'], env);
  return second.found ? second : first;
}

function runProbe(args, env) {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, 'probe.mjs'), ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 120_000,
  });
  const line = child.stdout?.trim().split('\n').at(-1) ?? '';
  // The answer counts even if the driver fails afterwards, while the process ends.
  if (line.startsWith('{')) return JSON.parse(line);
  const end = child.signal === null ? `exit code ${child.status}` : `signal ${child.signal}`;
  const said = child.stderr?.trim().split('\n').at(-1) ?? child.error?.message ?? '';
  return { found: false, reason: `the probe ended with ${end}: ${said}` };
}

function installDriver() {
  const release = osRelease();
  if (process.platform !== 'linux' || !hasApt(release)) throw new SetupError(advice());
  if (process.env.FORERUN_NO_INSTALL) {
    throw new SetupError(`FORERUN_NO_INSTALL is set, so nothing was installed.\n${advice()}`);
  }
  if (process.getuid?.() !== 0) throw new SetupError(advice());
  installLavapipe(release);
}

/**
 * Everything by which an adapter could come or go: while it is the same, the last positive answer stands.
 * A restart of the machine asks again.
 */
function driverState() {
  const names = ['VK_ICD_FILENAMES', 'VK_DRIVER_FILES', 'VK_ADD_DRIVER_FILES', 'VK_LOADER_DRIVERS_DISABLE'];
  const manifests = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
  const devices = ['/dev/dri', '/dev'].map((folder) =>
    list(folder).filter((name) => /^(card|render|nvidia|dxg)/.test(name)),
  );
  return digest(
    ...names.map((name) => process.env[name] ?? ''),
    ...manifests.flatMap((folder) => list(folder).map((name) => `${name} ${fileState(join(folder, name))}`)),
    ...devices.flat(),
    fileState('/var/lib/dpkg/status'),
    fileState('/etc/ld.so.cache'),
    fileState(join(root, 'node_modules', 'webgpu', 'package.json')),
    readIfThere('/proc/sys/kernel/random/boot_id') ?? kernelRelease(),
  );
}

function list(folder) {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'EACCES') return [];
    throw error;
  }
}
