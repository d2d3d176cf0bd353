/** `fr.random`: random tensors and seeds. */
export {
  categorical,
  getSeed,
  multinomial,
  randomGamma as gamma,
  randomNormal as normal,
  randomPoisson as poisson,
  randomShuffle as shuffle,
  randomUniform as uniform,
  setRandomSeed,
  setRandomSeed as setSeed,
  statelessCategorical,
  statelessRandomNormal as statelessNormal,
  statelessTruncatedNormal,
  statelessRandomUniform as statelessUniform,
  truncatedNormal,
} from '@forerun/graph';
