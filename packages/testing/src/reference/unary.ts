/** Float64 references of the elementwise ops of one operand. */
import type { FamilyReferences, Reference } from '../sample.js';

/** A reference that maps every element. */
function map(f: (x: number) => number): Reference {
  return ({ input, outputs: [dtype = 'float32'] }) => [
    { dtype, shape: input(0).shape, data: input(0).data.map(f) },
  ];
}

export const UNARY_REFERENCES = {
  Sqrt: map(Math.sqrt),
} satisfies FamilyReferences;
