// The directions in which packages may import each other, as docs/architecture.md draws them. `npm run boundaries`
// checks them over all sources, type imports included.

/** What each package's sources may import, besides themselves. */
const MAY_IMPORT = {
  graph: [],
  'kernels-webgpu': ['graph'],
  formats: ['graph'],
  session: ['graph', 'kernels-webgpu', 'formats'],
  layers: ['graph'],
  data: [],
  cli: ['graph', 'kernels-webgpu', 'formats', 'session'],
  forerun: ['graph', 'kernels-webgpu', 'formats', 'session', 'layers', 'data'],
  testing: ['graph', 'kernels-webgpu', 'session'],
};

const directions = Object.entries(MAY_IMPORT).map(([name, allowed]) => ({
  name: `directions-of-${name}`,
  comment: `packages/${name} may import ${allowed.length === 0 ? 'no other package' : `only ${allowed.join(', ')}`}.`,
  severity: 'error',
  from: { path: `^packages/${name}/src/` },
  to: { path: '^packages/', pathNot: `^packages/(${[name, ...allowed].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...directions,
    {
      name: 'by-name-only',
      comment: 'A package is imported by its name, so through its index: no reaching into another package.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/' },
      to: { path: '^packages/[^/]+/src/', pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'no-cycles',
      comment: 'Modules must not need each other at run time; type imports may go round.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only', 'type-import'] } },
    },
    {
      name: 'pure-packages',
      comment:
        'Graph, kernels and file formats do no I/O and know no device, so that they work in any JavaScript engine.',
      severity: 'error',
      from: { path: '^packages/(graph|kernels-webgpu|formats)/src/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'webgpu-in-session-only',
      comment: 'The binding to the GPU has one door.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/', pathNot: '^packages/(session|testing)/' },
      to: { path: '^node_modules/webgpu/' },
    },
    {
      name: 'sources-never-import-tests',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { path: '/test/' },
    },
    {
      name: 'resolvable',
      comment: 'Every import has to lead somewhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures|golden)/' },
    tsConfig: { fileName: 'tsconfig.test.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
