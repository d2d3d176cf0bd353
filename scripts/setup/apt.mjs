// The few apt commands that the set-up runs, as root and without questions.
import { spawnSync } from 'node:child_process';
import { SetupError, say } from './report.mjs';

const QUIET = ['-y', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Use-Pty=0'];

/**
 * Refreshes the package lists: all of them, or only those of one file of sources.
 * A list that cannot be had is no reason to stop (it may be some third party's), so apt's complaints are passed on.
 */
export function updateLists(file) {
  const only = [
    '-o',
    `Dir::Etc::sourcelist=${file}`,
    '-o',
    'Dir::Etc::sourceparts=-',
    '-o',
    'APT::Get::List-Cleanup=0',
  ];
  const { output } = run('apt-get', ['update', ...QUIET, ...(file === undefined ? [] : only)]);
  for (const line of output.split('\n')) if (/^[WE]: /.test(line)) say(`apt-get update says ${line}`);
}

/** Installs packages, from the given suite where one is given. Throws with apt's last lines. */
export function installPackages(packages, suite) {
  const from = suite === undefined ? [] : ['-t', suite];
  const { status, output } = run('apt-get', [
    'install',
    ...QUIET,
    '--no-install-recommends',
    ...from,
    ...packages,
  ]);
  if (status === 0) return;
  const last = output.trim().split('\n').slice(-8).join('\n  ');
  throw new SetupError(`apt-get could not install ${packages.join(' ')}:\n  ${last}`);
}

/** The version that apt would install, from any suite or from the given one; undefined where it knows none. */
export function candidateVersion(name, suite) {
  const from = suite === undefined ? [] : ['-t', suite];
  const { output } = run('apt-cache', [...from, 'policy', name]);
  const version = /^\s*Candidate: (\S+)/m.exec(output)?.[1];
  return version === '(none)' ? undefined : version;
}

function run(command, args) {
  const child = spawnSync(command, args, {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' },
    maxBuffer: 1 << 26,
  });
  if (child.error !== undefined) throw new SetupError(`${command} could not be run: ${child.error.message}`);
  return { status: child.status, output: child.stdout + child.stderr };
}
