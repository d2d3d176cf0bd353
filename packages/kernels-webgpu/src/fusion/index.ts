/** Fusion on the text of kernels: what the session's compiler uses of it. */
export { fuseLoads, type LoadFusion } from './loads.js';
export { isFused, sameSource } from './names.js';
export { interleaveShaders, isWidenable, packShaders, workgroupWidth, type PackPart } from './packs.js';
export { fuseStores, programEffect, updateEffect, type StoreEffect, type StoreFusion } from './stores.js';
export { appendCopies, wholeWidth, windowEffect, type CopiedPart, type Whole } from './windows.js';
