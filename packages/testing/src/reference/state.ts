/**
 * Float64 references of assignments to resource variables: the variable's value comes as input 0, its new
 * value is the result. Reading and initialization are the interpreter's own.
 */
import type { FamilyReferences, Reference } from '../sample.js';

function assignment(rule: (old: number, value: number) => number): Reference {
  return ({ input }) => [
    { ...input(0), data: input(0).data.map((old, i) => rule(old, input(1).data[i] ?? NaN)) },
  ];
}

export const STATE_REFERENCES = {
  AssignVariableOp: assignment((_, value) => value),
  AssignAddVariableOp: assignment((old, value) => old + value),
  AssignSubVariableOp: assignment((old, value) => old - value),
} satisfies FamilyReferences;
