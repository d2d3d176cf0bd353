// Tests run straight from the TypeScript sources; every package name resolves to its src/index.ts.
export default {
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, module: { type: 'es6' }, sourceMaps: 'inline' }],
  },
  moduleNameMapper: {
    '^@forerun/([^/]+)$': '<rootDir>/packages/$1/src/index.ts',
    '^forerun$': '<rootDir>/packages/forerun/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};
