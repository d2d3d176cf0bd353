/** Choices of compiler passes that tests compare. */
import { COMPILER_PASSES, type PassSwitches } from '../../src/index.js';

export const NO_PASSES = Object.fromEntries(COMPILER_PASSES.map((pass) => [pass, false])) as PassSwitches;

/** One pass switched off, for each of them. */
export const WITHOUT_ONE: readonly PassSwitches[] = COMPILER_PASSES.map((pass) => ({ [pass]: false }));

/** One pass alone, for each of them. */
export const ONE_ALONE: readonly PassSwitches[] = COMPILER_PASSES.map((pass) => ({
  ...NO_PASSES,
  [pass]: true,
}));
