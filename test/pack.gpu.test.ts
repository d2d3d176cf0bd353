// The published form: every package is packed as for the registry and unpacked outside the repository, where a plain
// JavaScript and a TypeScript program use it. What only works inside the workspace fails here.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ensureBuild } from '../scripts/setup/build.mjs';
import { npmCommand } from '../scripts/setup/dependencies.mjs';
import { root } from '../scripts/setup/stamps.mjs';

interface Manifest {
  name: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  bin?: Record<string, string>;
}

const PUBLISHED = readdirSync(join(root, 'packages'))
  .map((folder) => ({
    folder: join(root, 'packages', folder),
    manifest: readManifest(join(root, 'packages', folder)),
  }))
  .filter(({ manifest }) => manifest.private !== true);

let outside = '';

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Runs a program in the folder outside; throws with its output where it fails. */
function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; shell?: boolean } = {},
): string {
  const env = { ...process.env, NODE_OPTIONS: '' };
  const child = spawnSync(command, args, { cwd: outside, encoding: 'utf8', env, ...options });
  if (child.error !== undefined) throw child.error;
  const output = child.stdout + child.stderr;
  if (child.status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${child.status}:\n${output}`);
  return output;
}

/** `npm pack`, then what an install does with the tarball. */
function packAndUnpack(folder: string, name: string): void {
  const npm = npmCommand(['pack', '--silent', '--pack-destination', outside]);
  run(npm.command, npm.args, { cwd: folder, shell: npm.shell });
  const tarball = readdirSync(outside).find((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error(`npm pack wrote no tarball for ${name}`);
  const target = join(outside, 'node_modules', ...name.split('/'));
  mkdirSync(target, { recursive: true });
  run('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  rmSync(join(outside, tarball));
}

/** Third-party packages come from the workspace, so that the test needs no network; only those a manifest names. */
function linkThirdParty({ dependencies = {} }: Manifest): void {
  for (const name of Object.keys(dependencies)) {
    const target = join(outside, 'node_modules', ...name.split('/'));
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    symlinkSync(realpathSync(join(root, 'node_modules', ...name.split('/'))), target, 'junction');
  }
}

beforeAll(() => {
  ensureBuild();
  outside = mkdtempSync(join(realpathSync(tmpdir()), 'forerun-pack-'));
  writeFileSync(
    join(outside, 'package.json'),
    JSON.stringify({ name: 'outside', private: true, type: 'module' }),
  );
  for (const { folder, manifest } of PUBLISHED) packAndUnpack(folder, manifest.name);
  for (const { manifest } of PUBLISHED) linkThirdParty(manifest);
});

afterAll(() => rmSync(outside, { recursive: true, force: true }));

test('every published package holds its licence, read-me, types, sources and nothing of the build or the tests', () => {
  expect(PUBLISHED.map(({ manifest }) => manifest.name)).toContain('forerun');
  for (const { folder, manifest } of PUBLISHED) {
    const files = readdirSync(join(outside, 'node_modules', ...manifest.name.split('/')), {
      recursive: true,
    }).map(String);
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        join('dist', 'index.js'),
        join('dist', 'index.d.ts'),
      ]),
    );
    expect(files.filter((file) => /tsbuildinfo|(^|[\\/])test([\\/]|$)|\.test\./.test(file))).toEqual([]);
    for (const program of Object.values(manifest.bin ?? {})) expect(files).toContain(join(program));
    // Packing leaves nothing behind in the repository.
    expect(existsSync(join(folder, 'LICENSE'))).toBe(false);
  }
});

test('a plain JavaScript program builds a graph and runs it', () => {
  const program = `
import * as fr from 'forerun';

const x = fr.placeholder('float32', [null, 2], { name: 'x' });
const w = fr.constant([[1, 2], [3, 4]]);
const y = fr.add(fr.matMul(x, w), 0.5, { name: 'y' });
const sess = await fr.Session.create();
const value = await sess.run(y, { x: [[1, 1], [2, 0]] });
console.log(JSON.stringify({ dtype: value.dtype, shape: value.shape, data: Array.from(value.data) }));
sess.close();
`;
  writeFileSync(join(outside, 'plain.mjs'), program);
  const lines = run(process.execPath, ['plain.mjs']).trim().split('\n');
  expect(lines).toContain('{"dtype":"float32","shape":[2,2],"data":[4.5,6.5,2.5,4.5]}');
});

test('a TypeScript program type-checks against the published types and runs', () => {
  const program = `
import * as fr from 'forerun';

const x: fr.Tensor = fr.placeholder('float32', [null, 3], { name: 'x' });
const total: fr.Tensor = fr.reduceSum(fr.square(x));
const gradients = fr.gradients(total, [x]);
const [dx] = gradients;
if (dx === undefined || dx === null) throw new Error('x has no gradient');
const sess = await fr.Session.create();
const { loss, slope } = await sess.run({ loss: total, slope: dx }, new Map([[x, [[1, 2, 3]]]]));
const first: number = Number(loss.item());
const shape: readonly number[] = slope.shape;
console.log(\`loss \${first}, slope [\${slope.data.join(' ')}] of shape \${shape.join('x')}\`);
sess.close();
`;
  writeFileSync(join(outside, 'typed.ts'), program);
  const settings = {
    compilerOptions: {
      target: 'ES2022',
      lib: ['ES2023', 'ESNext.Disposable', 'DOM'],
      module: 'NodeNext',
      strict: true,
      exactOptionalPropertyTypes: true,
      types: [],
      skipLibCheck: false,
      outDir: 'built',
    },
    files: ['typed.ts'],
  };
  writeFileSync(join(outside, 'tsconfig.json'), JSON.stringify(settings));
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  expect(run(process.execPath, [join('built', 'typed.js')])).toContain('loss 14, slope [2 4 6] of shape 1x3');
});

test('a wrong program does not type-check', () => {
  writeFileSync(
    join(outside, 'wrong.ts'),
    "import * as fr from 'forerun';\nfr.placeholder('float99', [2]);\n",
  );
  const settings = { extends: './tsconfig.json', compilerOptions: { noEmit: true }, files: ['wrong.ts'] };
  writeFileSync(join(outside, 'tsconfig.wrong.json'), JSON.stringify(settings));
  const check = () =>
    run(process.execPath, [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      'tsconfig.wrong.json',
    ]);
  expect(check).toThrow(/wrong\.ts\(2,16\): error TS\d+: .*float99/);
});
