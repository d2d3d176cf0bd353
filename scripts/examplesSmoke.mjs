// `npm run examples:smoke`: runs every example once, small, so that none of them rots. examples/smoke.json holds,
// for each, the arguments that keep it short and a text that its output has to contain.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { root } from './setup/stamps.mjs';

const folder = join(root, 'examples');
const table = JSON.parse(readFileSync(join(folder, 'smoke.json'), 'utf8'));
const scratch = mkdtempSync(join(tmpdir(), 'forerun-smoke-'));
const failures = [];

/** Runs one example in an empty folder; "{out}" in its arguments stands for that folder. */
function runExample(name, { args = [], expect, timeoutSeconds = 120 }) {
  const program = join(folder, 'dist', `${name}.js`);
  if (!existsSync(program)) return `examples/${name}.ts was not built`;
  const started = performance.now();
  const child = spawnSync(process.execPath, [program, ...args.map((arg) => arg.replace('{out}', scratch))], {
    cwd: scratch,
    encoding: 'utf8',
    timeout: timeoutSeconds * 1000,
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const output = child.stdout + child.stderr;
  if (child.status !== 0)
    return `exit code ${child.status ?? child.signal} after ${seconds} s\n${output.slice(-3000)}`;
  if (expect !== undefined && !new RegExp(expect).test(output))
    return `output lacks /${expect}/\n${output.slice(-3000)}`;
  console.log(`ok ${name} (${seconds} s)`);
  return undefined;
}

try {
  const examples = readdirSync(folder).filter((name) => name.endsWith('.ts'));
  for (const name of examples.map((file) => basename(file, '.ts'))) {
    // Files that several examples share start with an underscore.
    if (name.startsWith('_')) continue;
    const entry = table[name];
    const failure = entry === undefined ? 'has no entry in examples/smoke.json' : runExample(name, entry);
    if (failure !== undefined) failures.push(`${name}: ${failure}`);
  }
  for (const name of Object.keys(table)) {
    if (!examples.includes(`${name}.ts`))
      failures.push(`examples/smoke.json names ${name}, which is no example`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
for (const failure of failures) console.error(`FAILED ${failure}`);
process.exitCode = failures.length === 0 ? 0 : 1;
