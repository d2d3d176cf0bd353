/** `fr.random`: random tensors and seeds. */
export {
  getSeed,
  randomNormal as normal,
  randomUniform as uniform,
  setRandomSeed,
  truncatedNormal,
} from '@forerun/graph';
