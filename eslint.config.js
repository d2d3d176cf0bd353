// Lint rules: type-aware, strict, without warnings (`npm run lint` fails on one). The limits of size are those
// at which a file or function has to be divided; the aims are a third of them.
import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Packages that must not be imported from published sources; the whole table is in .dependency-cruiser.js. */
const NO_TESTING = {
  group: ['@forerun/testing', '@forerun/*/*'],
  message: 'Only tests import @forerun/testing, and packages are imported by name alone.',
};

export default defineConfig(
  { ignores: ['**/dist/', '**/node_modules/', '**/golden/', '**/fixtures/', 'docs/', 'coverage/', 'out/'] },
  eslint.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 800 }],
      'max-lines-per-function': ['error', { max: 80 }],
      'no-console': ['error', { allow: ['warn', 'error', 'info'] }],
      'no-param-reassign': 'off',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: { project: './tsconfig.test.json', tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // Does not terminate on recursive types (the nests of tensors that loops take).
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/prefer-for-of': 'off',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowArray: true, allowNullish: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // The page has the types of browsers.
    files: ['examples/web/**/*.ts'],
    languageOptions: {
      parserOptions: { project: './examples/web/tsconfig.json', tsconfigRootDir: import.meta.dirname },
    },
  },
  {
    files: ['packages/*/src/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: [NO_TESTING] }] },
  },
  // A kernel template is one text; it may be longer than other functions.
  {
    files: ['packages/kernels-webgpu/src/**/*.ts'],
    rules: { 'max-lines-per-function': ['error', { max: 120 }] },
  },
  // A describe block is no function to be read as one.
  {
    files: ['**/test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'max-lines': ['error', { max: 600 }],
      '@typescript-eslint/require-await': 'off',
    },
  },
  // Programs speak to the terminal.
  {
    files: ['packages/cli/**', 'examples/**', 'bench/**', 'scripts/**', '**/test/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        Buffer: 'readonly',
        URL: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
