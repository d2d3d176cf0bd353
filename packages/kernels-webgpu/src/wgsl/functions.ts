/** The WGSL function library as a table; `libraryFor` in library.ts includes what a kernel names. */
import { ARITHMETIC_FUNCTIONS } from './arithmeticFunctions.js';
import { EXPONENTIAL_FUNCTIONS } from './exponentialFunctions.js';
import { GAMMA_FUNCTIONS } from './gammaFunctions.js';
import { GAMMA_SAMPLE_FUNCTIONS } from './gammaSampleFunctions.js';
import type { LibraryFunction } from './libraryFunction.js';
import { BESSEL_FUNCTIONS } from './besselFunctions.js';
import { QUANTIZE_FUNCTIONS } from './quantizeFunctions.js';
import { TRIGONOMETRIC_FUNCTIONS } from './trigonometricFunctions.js';

export const FUNCTIONS: Readonly<Record<string, LibraryFunction>> = {
  ...ARITHMETIC_FUNCTIONS,
  ...EXPONENTIAL_FUNCTIONS,
  ...TRIGONOMETRIC_FUNCTIONS,
  ...GAMMA_FUNCTIONS,
  ...GAMMA_SAMPLE_FUNCTIONS,
  ...BESSEL_FUNCTIONS,
  ...QUANTIZE_FUNCTIONS,
};
