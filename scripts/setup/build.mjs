// Builds the packages and the examples when a source changed since the last build.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { SetupError, say } from './report.mjs';
import { digest, fileState, root, stamp } from './stamps.mjs';

/** Runs `tsc -b` and bundles the packages, unless sources, settings, compiler and outputs are as they were after its last success. */
export function ensureBuild() {
  const built = stamp('built');
  if (built.matches(fingerprint())) return;
  const isFirst = !existsSync(join(root, 'packages', 'forerun', 'dist'));
  say(isFirst ? 'building the packages' : 'building: the sources changed since the last build');
  const before = sources();
  runStep(join('node_modules', 'typescript', 'bin', 'tsc'), '-b');
  runStep(join('scripts', 'bundle.mjs'));
  // A source that was saved while the compiler ran may not be in the output: leave it to the next build.
  if (before === sources()) built.write(fingerprint());
}

function runStep(program, ...args) {
  const result = spawnSync(process.execPath, [join(root, program), ...args], { cwd: root, stdio: 'inherit' });
  if (result.error !== undefined)
    throw new SetupError(`${program} could not be started: ${result.error.message}`);
  if (result.status !== 0) throw new SetupError('The build failed; the errors are above.');
}

function fingerprint() {
  const compilers = ['typescript', 'rolldown'].map((name) =>
    fileState(join(root, 'node_modules', name, 'package.json')),
  );
  const bundler = fileState(join(root, 'scripts', 'bundle.mjs'));
  const outputs = projects().map((project) => outputState(join(root, project, 'dist')));
  return digest(sources(), ...compilers, bundler, ...outputs);
}

/** The folders that the root tsconfig.json refers to. */
function projects() {
  const packages = readdirSync(join(root, 'packages')).map((name) => join('packages', name));
  return [...packages, 'examples', 'bench'];
}

function sources() {
  const settings = ['tsconfig.json', 'tsconfig.base.json'].map(
    (name) => `${name} ${fileState(join(root, name))}`,
  );
  return digest(...settings, ...projects().flatMap((project) => walk(join(root, project))));
}

/** Every file that the compiler may read below a project, with its state: not outputs, not tests. */
function walk(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'dist' && name !== 'test' && name !== 'node_modules')
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return walk(path);
      return /\.(ts|json)$/.test(entry.name) ? [`${relative(root, path)} ${fileState(path)}`] : [];
    });
}

/** Number and newest time of the files below an output folder: enough to see one that was removed or replaced. */
function outputState(folder) {
  if (!existsSync(folder)) return 'absent';
  let newest = 0;
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const file of files)
    newest = Math.max(newest, statSync(join(file.parentPath ?? file.path, file.name)).mtimeMs);
  return `${files.length}:${newest}`;
}
