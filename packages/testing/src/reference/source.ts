/** Float64 references of the ops where values enter a graph or pass through it. */
import { toHostValue } from '@forerun/graph';
import type { FamilyReferences, Reference } from '../sample.js';

const constant: Reference = ({ attrs }) => {
  const value = toHostValue(attrs.tensor('value'));
  return value === null ? [] : [value];
};

export const SOURCE_REFERENCES = {
  Const: constant,
  HostConst: constant,
  PlaceholderWithDefault: ({ input }) => [input(0)],
  Identity: ({ input }) => [input(0)],
  IdentityN: ({ inputs }) => inputs,
  StopGradient: ({ input }) => [input(0)],
  NoOp: () => [],
} satisfies FamilyReferences;
