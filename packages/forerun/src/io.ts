/** `fr.io`: graph files. */
export {
  exportMetaGraph,
  graphToGraphDef,
  importGraphDef,
  importMetaGraph,
  readGraphDef,
  writeGraphDef,
} from '@forerun/graph';
export { openCheckpoint, readGraph, writeGraph } from '@forerun/session';
