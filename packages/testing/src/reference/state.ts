/**
 * Float64 references of assignments to resource variables: the variable's value comes as input 0, its new
 * value is the result. Reading and initialization are the interpreter's own.
 */
import type { HostValue } from '@forerun/graph';
import { select } from './array.js';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';

function assignment(rule: (old: number, value: number) => number): Reference {
  return ({ input }) => [
    { ...input(0), data: input(0).data.map((old, i) => rule(old, input(1).data[i] ?? NaN)) },
  ];
}

/** Puts the elements of the value, one after the other, to the positions that are chosen. */
function sliceAssign({ input, attrs }: ReferenceContext): HostValue[] {
  const [target, value] = [input(0), input(4)];
  const { taken } = select(target.shape, attrs, input(1), input(2), input(3));
  const data = Float64Array.from(target.data);
  const walk = (d: number, flat: number, from: { next: number }): void => {
    if (d === target.shape.length) data[flat] = value.data[from.next++] ?? NaN;
    else for (const i of taken[d] ?? []) walk(d + 1, flat * (target.shape[d] ?? 1) + i, from);
  };
  walk(0, 0, { next: 0 });
  return [{ ...target, data }];
}

export const STATE_REFERENCES = {
  ResourceStridedSliceAssign: sliceAssign,
  VariableShape: ({ input, outputs: [dtype = 'int32'] }) => {
    const { shape } = input(0);
    return [{ dtype, shape: [shape.length], data: Float64Array.from(shape) }, input(0)];
  },
  ResourceCountUpTo: ({ input, attrs }) => {
    const [count = NaN] = input(0).data;
    if (!(count < attrs.int('limit'))) throw new Error('the limit is reached');
    return [input(0), { ...input(0), data: Float64Array.of(count + 1) }];
  },
  AssignVariableOp: assignment((_, value) => value),
  AssignAddVariableOp: assignment((old, value) => old + value),
  AssignSubVariableOp: assignment((old, value) => old - value),
} satisfies FamilyReferences;
