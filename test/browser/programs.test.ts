/**
 * Forerun in a page: the programs of `programs.ts` give in Chromium, in its main thread and in a worker, what they give in
 * Node. Run by `npm run test:browser`.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { root } from '../../scripts/setup/stamps.mjs';
import { launch, open, serve } from './chromium.js';
import { PROGRAMS, writeTrained, type ProgramName } from './programs.js';

const FIXTURES = join(root, 'packages/formats/test');
const MODELS = join(root, 'node_modules/@vladmandic/human/models');
/** The part of the browser's `Worker` that is used in the page. */
declare const Worker: new (
  url: string,
  options: { type: 'module' },
) => {
  onmessage: (event: { data: unknown }) => void;
  onerror: (event: { message: string }) => void;
  postMessage: (message: ProgramName) => void;
};

declare const navigator: { gpu: object };

let directory: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let errors: Error[];

/** The files that the programs read. */
function copyFiles(): void {
  for (const folder of ['models', 'fixtures'])
    mkdirSync(join(directory, 'files', folder), { recursive: true });
  for (const name of ['liveness.json', 'liveness.bin'])
    copyFileSync(join(MODELS, name), join(directory, 'files/models', name));
  for (const name of readdirSync(join(FIXTURES, 'fixtures')))
    copyFileSync(join(FIXTURES, 'fixtures', name), join(directory, 'files/fixtures', name));
  copyFileSync(join(FIXTURES, 'golden/v1/model.onnx'), join(directory, 'files/fixtures/model.onnx'));
}

/** Runs a program in the page, whose script has set `run`. */
const inPage = (name: ProgramName): Promise<unknown> => page.evaluate(`run('${name}')`);

const inNode = (name: ProgramName): Promise<unknown> => PROGRAMS[name](join(directory, 'files'));

/** Numbers within 1e-4 of each other: the adapters differ; everything else equal. */
function expectSame(found: unknown, wanted: unknown): void {
  if (typeof found === 'number' && typeof wanted === 'number') {
    expect(Math.abs(found - wanted)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(wanted)));
  } else if (Array.isArray(found) && Array.isArray(wanted)) {
    expect(found).toHaveLength(wanted.length);
    found.forEach((item, i) => expectSame(item, wanted[i]));
  } else expect(found).toEqual(wanted);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forerun-browser-'));
  copyFiles();
  await writeTrained(join(directory, 'files'));
  const bundle = await build({
    entryPoints: [join(root, 'test/browser/page.ts')],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'silent',
  });
  expect(bundle.warnings).toEqual([]);
  browser = await launch();
  context = await browser.newContext();
  await serve(context, directory, {
    '/index.html':
      '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>',
    '/page.js': bundle.outputFiles[0]?.text ?? '',
  });
  ({ page, errors } = await open(context, '/'));
}, 120_000);

afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

afterEach(() => expect(errors.splice(0)).toEqual([]));

test.each([
  'training',
  'overlapping',
  'loop',
  'graphFile',
  'graphModel',
  'onnxModel',
  'weights',
  'trained',
  'trace',
  'released',
] as const)('%s gives in a page what it gives in Node', async (name) =>
  expectSame(await inPage(name), await inNode(name)),
);

test('random numbers are the same bits', async () => {
  expect(await inPage('randomBits')).toEqual(await inNode('randomBits'));
});

test('a worker trains too', async () => {
  const answer = await page.evaluate(() => {
    const worker = new Worker('/page.js', { type: 'module' });
    return new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => resolve({ error: message });
      worker.postMessage('training');
    });
  });
  expectSame((answer as { value: unknown }).value, await inNode('training'));
});

test('what was measured is kept in IndexedDB, for the page that is opened next', async () => {
  expect(await inPage('tuning')).toEqual(['tuned']);
  const next = await open(context, '/');
  ({ page, errors } = next);
  expect(await inPage('tuning')).toEqual(['cached']);
});

test('what a page cannot do is said', async () => {
  expect(await inPage('refusals')).toEqual([
    'NotFoundError: there is no file "http://localhost/files/fixtures/absent.pb"',
    'NotFoundError: there is no file at "http://localhost/files/fixtures/absent.npz"',
    'NotFoundError: there is no file at "http://localhost:1/absent.npz"',
    'UnavailableError: there is no file system here: Node (20.16 or later) has one, a page has not. The functions that give bytes work in both',
  ]);
});

test.each([
  [
    'no WebGPU',
    () => void Object.defineProperty(navigator, 'gpu', { value: undefined }),
    /^UnavailableError: this page has no WebGPU .*https/,
  ],
  [
    'no adapter',
    () => void Object.assign(navigator.gpu, { requestAdapter: () => Promise.resolve(null) }),
    /^UnavailableError: the browser offers no WebGPU adapter/,
  ],
])('a browser with %s is told apart', async (_, without, message) => {
  const bare = await open(context, '/');
  await bare.page.evaluate(without);
  const told = await bare.page.evaluate(`run('loop').catch(String)`);
  expect(told).toMatch(message);
  await bare.page.close();
});
