// The documentation must not rot: its program is an example that runs, and what it links to is there.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from '../scripts/setup/stamps.mjs';

const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test("the README's program is examples/quickStart.ts", () => {
  const program = /```ts\n(import [^]*?)```/.exec(read('README.md'))?.[1];
  const example = read('examples/quickStart.ts');
  expect(program).toBeDefined();
  expect(example.slice(example.indexOf('import '))).toBe(program);
});

test.each(PAGES)('%s: what it links to is there', (page) => {
  const links = [...read(page).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].flatMap(([, target]) => target ?? []);
  const missing = links
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => !existsSync(join(root, dirname(page), target)));
  expect(missing).toEqual([]);
});

test.each(PAGES)('%s: the npm scripts that it names are there', (page) => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/npm run ([\w:-]*\w)/g)].flatMap(([, name]) => name ?? []);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
