/** Reference of edit distances: by the definition, recursively. */
import type { FamilyReferences, ReferenceContext } from '../sample.js';

/** Sequences by the text of their group. */
function sequences({ input }: ReferenceContext, first: number): Map<string, number[]> {
  const rank = input(first + 2).data.length;
  const found = new Map<string, number[]>();
  input(first + 1).data.forEach((value, k) => {
    const group = input(first)
      .data.subarray(k * rank, (k + 1) * rank - 1)
      .join();
    found.set(group, [...(found.get(group) ?? []), value]);
  });
  return found;
}

function edits([a, ...as]: readonly number[], [b, ...bs]: readonly number[]): number {
  if (a === undefined) return b === undefined ? 0 : bs.length + 1;
  if (b === undefined) return as.length + 1;
  if (a === b) return edits(as, bs);
  return 1 + Math.min(edits(as, [b, ...bs]), edits([a, ...as], bs), edits(as, bs));
}

export const EDIT_REFERENCES = {
  EditDistance: (c) => {
    const [guesses, truths] = [sequences(c, 0), sequences(c, 3)];
    const [own, wanted] = [c.input(2).data, c.input(5).data];
    const shape = Array.from(own.slice(0, -1), (dim, d) => Math.max(dim, wanted[d] ?? 0));
    let groups: number[][] = [[]];
    for (const dim of shape)
      groups = groups.flatMap((at) => Array.from({ length: dim }, (_, i) => [...at, i]));
    const data = Float64Array.from(groups, (at) => {
      const [guess, truth] = [guesses.get(at.join()) ?? [], truths.get(at.join()) ?? []];
      const count = edits(guess, truth);
      return count === 0 ? 0 : c.attrs.bool('normalize') ? count / truth.length : count;
    });
    return [{ dtype: 'float32', shape, data }];
  },
} satisfies FamilyReferences;
