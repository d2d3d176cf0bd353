// Tests run straight from the TypeScript sources; every package name resolves to its src/index.ts.
export default {
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  // Those have a configuration of their own, jest.browser.config.js.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/browser/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^@forerun/([^/]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^forerun$': '<rootDir>/packages/forerun/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  setupFilesAfterEnv: ['<rootDir>/packages/testing/src/releaseDevices.ts'],
  reporters: ['default', '<rootDir>/scripts/gpuTestReporter.mjs'],
  watchman: false,
  // A software adapter takes every core for itself: more workers only wait for each other.
  maxWorkers: 2,
  // Modules of suites that have run are not all freed: a worker that has grown is replaced before it runs out of memory.
  workerIdleMemoryLimit: '1500MB',
  testTimeout: 60_000,
};
