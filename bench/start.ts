/**
 * How long a program takes to begin: the import of Forerun and that of tfjs with its WebGPU backend, each in a process of its own, in
 * turn. The least of several counts; processor time, because other load on the machine lengthens the wall time.
 *
 *   node bench/dist/start.js [PROCESSES]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const IMPORTS = {
  forerun: ['forerun'],
  tfjs: ['@tensorflow/tfjs', '@tensorflow/tfjs-backend-webgpu'],
} as const;

interface Start {
  /** Milliseconds. */
  readonly wall: number;
  readonly processor: number;
}

/** Imports the packages in a new process; what Node itself takes to begin is not counted. */
function start(packages: readonly string[]): Start {
  const program = `
    const [at, used] = [performance.now(), process.cpuUsage()];
    ${packages.map((name) => `await import('${name}');`).join('\n')}
    const { user, system } = process.cpuUsage(used);
    console.log(JSON.stringify({ wall: performance.now() - at, processor: (user + system) / 1000 }));
  `;
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const args = ['--input-type=module', '-e', program];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${packages.join(', ')} cannot be imported:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Start;
}

function least(starts: readonly Start[]): Start {
  return {
    wall: Math.min(...starts.map(({ wall }) => wall)),
    processor: Math.min(...starts.map(({ processor }) => processor)),
  };
}

const processes = Number(process.argv[2] ?? 5);
if (!Number.isInteger(processes) || processes < 1)
  throw new Error(`the number of processes must be a whole number from 1, got "${process.argv[2] ?? ''}"`);
const ours: Start[] = [];
const theirs: Start[] = [];
for (let i = 0; i < processes; i++) {
  ours.push(start(IMPORTS.forerun));
  theirs.push(start(IMPORTS.tfjs));
}
const [forerun, tfjs] = [least(ours), least(theirs)];
console.log('import, milliseconds   forerun    tfjs   tfjs / Forerun');
for (const [title, key] of [
  ['processor time', 'processor'],
  ['wall time', 'wall'],
] as const) {
  const ratio = (tfjs[key] / forerun[key]).toFixed(2);
  console.log(
    `${title.padEnd(20)}${forerun[key].toFixed(0).padStart(10)}${tfjs[key].toFixed(0).padStart(8)}${ratio.padStart(17)}`,
  );
}
