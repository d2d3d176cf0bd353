// Bundles every package: one module, and one more for each part that is loaded when it is first needed. Hundreds of files would take
// Node longer to find and open than to run. Declarations come from `tsc -b`; other packages stay imports, so that each is there once.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { build } from 'rolldown';
import { root } from './setup/stamps.mjs';

/** Names of packages, not paths, are left as imports; helpers of the bundler for syntax that Node 20 lacks are not. */
const isPackage = (id) => /^[^./\0]/.test(id) && !id.startsWith('@oxc-project/runtime/');

const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name));
await Promise.all(folders.filter((folder) => existsSync(join(folder, 'src'))).map(bundle));

async function bundle(folder) {
  const { output } = await build({
    cwd: folder,
    input: join('src', 'index.ts'),
    external: isPackage,
    platform: 'neutral',
    // What nobody uses may still register itself.
    treeshake: false,
    transform: { target: 'es2022' },
    output: { dir: 'dist', format: 'esm', sourcemap: true },
  });
  removeOthers(join(folder, 'dist'), new Set(output.map(({ fileName }) => normalize(fileName))));
}

/** Removes programs of earlier builds. */
function removeOthers(dist, written) {
  for (const file of readdirSync(dist, { recursive: true })) {
    if (/\.js(\.map)?$/.test(file) && !written.has(file)) rmSync(join(dist, file));
  }
}
