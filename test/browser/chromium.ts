/** Chromium with WebGPU on its software adapter, and what its pages load: all from memory, nothing from the network. */
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** A secure context, as WebGPU wants; every request is answered by `serve`. */
export const ORIGIN = 'http://localhost';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
};

export async function launch(): Promise<Browser> {
  const executablePath = process.env.FORERUN_CHROMIUM;
  if (executablePath === undefined)
    throw new Error('FORERUN_CHROMIUM names no browser: use npm run test:browser');
  return chromium.launch({
    executablePath,
    args: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--no-sandbox'],
  });
}

/** Answers requests from `contents`, else with the files of `directory`, else with 404. */
export async function serve(
  context: BrowserContext,
  directory: string,
  contents: Readonly<Record<string, string | Buffer>> = {},
): Promise<void> {
  await context.route('**/*', async (route) => {
    const { pathname } = new URL(route.request().url());
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const file = join(directory, normalize(path));
    const body = contents[path] ?? (existsSync(file) ? readFileSync(file) : undefined);
    if (body === undefined) await route.fulfill({ status: 404 });
    else await route.fulfill({ body, contentType: TYPES[extname(path)] ?? 'application/octet-stream' });
  });
}

/** A page at `path`, and the errors that nobody caught in it. */
export async function open(context: BrowserContext, path: string): Promise<{ page: Page; errors: Error[] }> {
  const page = await context.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.goto(`${ORIGIN}${path}`);
  return { page, errors };
}
