/** Public surface of the private package `@forerun/testing`. */
export * from './sample.js';
export { REFERENCES } from './reference/index.js';
export { SAMPLES } from './samples/index.js';
