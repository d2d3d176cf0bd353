// `npm run clean`: removes what builds, tests and documentation write; dependencies and their stamps of install stay.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './setup/stamps.mjs';

const projects = [
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name)),
  'examples',
  'bench',
];
const outputs = [
  ...projects.map((project) => join(project, 'dist')),
  ...projects.map((project) => join(project, 'tsconfig.tsbuildinfo')),
  ...projects.map((project) => join(project, 'LICENSE')),
  'coverage',
  join('docs', 'api'),
  join('node_modules', '.cache', 'forerun', 'built'),
  join('node_modules', '.cache', 'forerun', 'tsconfig.test.tsbuildinfo'),
];
for (const output of outputs) rmSync(join(root, output), { recursive: true, force: true });
