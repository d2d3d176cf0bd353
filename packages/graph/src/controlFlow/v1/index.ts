/** Control flow of version 1, as files have it. */
export { functionalize, type FunctionalRequest } from './functionalize.js';
export { isControlFlow as isVersion1ControlFlow } from './regions.js';
export { inFunctionalForm, replaceVersion1 } from './inPlace.js';
