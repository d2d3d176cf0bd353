/** `fr.graphUtil`: parts of graphs, freezing, optimizing saved graphs (`tf.graph_util`). */
import { graphPasses } from '@forerun/graph';

export { convertVariablesToConstants, type FreezeOptions } from './freeze.js';
export {
  DEFAULT_TRANSFORMS,
  isTransform,
  transform,
  TRANSFORMS,
  type Transform,
  type Transformed,
  type TransformName,
  type TransformOptions,
  type TransformReport,
} from './transform.js';
export type { VerifyOptions } from './verify.js';

export const { extractSubGraph, removeTrainingNodes, tensorShapeFromNodeDefName } = graphPasses;
