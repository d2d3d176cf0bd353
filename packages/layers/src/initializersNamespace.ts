/** `fr.initializers`: the initializers under their short names. */
export {
  constantInitializer as constant,
  glorotNormalInitializer as glorotNormal,
  glorotUniformInitializer as glorotUniform,
  heNormalInitializer as heNormal,
  heUniformInitializer as heUniform,
  identityInitializer as identity,
  lecunNormalInitializer as lecunNormal,
  lecunUniformInitializer as lecunUniform,
  onesInitializer as ones,
  randomNormalInitializer as randomNormal,
  randomUniformInitializer as randomUniform,
  truncatedNormalInitializer as truncatedNormal,
  uniformUnitScalingInitializer as uniformUnitScaling,
  varianceScalingInitializer as varianceScaling,
  zerosInitializer as zeros,
} from './initializers.js';
export { orthogonalInitializer as orthogonal } from './orthogonal.js';
export {
  globalVariablesInitializer as globalVariables,
  localVariablesInitializer as localVariables,
  tablesInitializer as tables,
  variablesInitializer as variables,
} from '@forerun/graph';
