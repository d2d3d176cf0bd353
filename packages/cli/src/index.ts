/** Public surface of `@forerun/cli`: the `forerun` command as a function. */
export { main } from './main.js';
