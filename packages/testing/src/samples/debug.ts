/** Samples of the family `debug`: there are none, because the ops act through a session. */
import type { FamilySamples } from '../sample.js';

const elsewhere = { testedElsewhere: 'session/test/debug.gpu.test.ts runs them in sessions' };

export const DEBUG_SAMPLES = {
  Assert: elsewhere,
  Print: elsewhere,
  PrintV2: elsewhere,
  StringFormat: elsewhere,
  CheckNumerics: elsewhere,
  PyFunc: elsewhere,
  PyFuncStateless: elsewhere,
} satisfies FamilySamples;
