/** Saved graphs, edited: parts, freezing, the passes of the graph transform tool. */
export { canonical, EditableGraph, nodeNameOf, type EditableNode } from './editableGraph.js';
export { constantFrontier, type ConstantTensor } from './constantNodes.js';
export { foldBatchNorms } from './foldBatchNorms.js';
export { freezeVariables, variableNodes } from './freeze.js';
export { fuseConvolutions } from './fuseConvolutions.js';
export {
  mergeDuplicateNodes,
  removeDebuggingNodes,
  removeDevice,
  sortByExecutionOrder,
  stripUnusedNodes,
  type PassContext,
  type PassResult,
} from './passes.js';
export { neededFunctions } from './neededFunctions.js';
export { quantizeWeights, type QuantizeOptions } from './quantizeWeights.js';
export {
  extractSubGraph,
  removeTrainingNodes,
  tensorShapeFromNodeDefName,
  type RemoveTrainingNodesOptions,
} from './subgraph.js';
