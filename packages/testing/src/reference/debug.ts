/** References of the family `debug`: the ops that pass their input on. */
import { InvalidArgumentError } from '@forerun/graph';
import type { FamilyReferences } from '../sample.js';

export const DEBUG_REFERENCES: FamilyReferences = {
  Print: ({ input }) => [input(0)],
  CheckNumerics: ({ input, attrs }) => {
    if (input(0).data.every(Number.isFinite)) return [input(0)];
    throw new InvalidArgumentError(attrs.string('message'));
  },
};
