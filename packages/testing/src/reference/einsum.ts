/** Float64 reference of `Einsum`: walks all labels for every output element. */
import type { HostValue } from '@forerun/graph';
import type { Reference } from '../sample.js';
import { coordinates, tabulate } from './tabulate.js';

/** A term with its ellipsis as digits, the last dimension being 0. */
function digits(term: string, rank: number): string {
  const width = rank - term.replace('...', '').length;
  const dots = Array.from({ length: width }, (_, i) => String(width - 1 - i)).join('');
  return term.replace('...', dots);
}

function sizes(terms: readonly string[], inputs: readonly HostValue[]): Map<string, number> {
  const found = new Map<string, number>();
  terms.forEach((term, i) => {
    term.split('').forEach((label, d) => {
      const dim = inputs[i]?.shape[d] ?? 1;
      if ((found.get(label) ?? 1) === 1) found.set(label, dim);
    });
  });
  return found;
}

export const einsum: Reference = ({ attrs, inputs, outputs: [dtype = 'float32'] }) => {
  const [left = '', right = ''] = attrs.string('equation').replaceAll(' ', '').split('->');
  const terms = left.split(',').map((term, i) => digits(term, inputs[i]?.shape.length ?? 0));
  const size = sizes(terms, inputs);
  const widest = Math.max(-1, ...[...size.keys()].filter((label) => /\d/.test(label)).map(Number)) + 1;
  const output = digits(right, right.replace('...', '').length + widest);
  const target = right.includes('...') ? output : right;
  const reads = inputs.map(coordinates);
  const summed = [...size.keys()].filter((label) => !target.includes(label));
  const sumOver = (rest: readonly string[], at: Map<string, number>): number => {
    const [label, ...more] = rest;
    if (label === undefined) {
      return terms.reduce((product, term, i) => {
        const position = term
          .split('')
          .map((l, d) => ((inputs[i]?.shape[d] ?? 1) === 1 ? 0 : (at.get(l) ?? 0)));
        return product * (reads[i]?.(position) ?? NaN);
      }, 1);
    }
    let sum = 0;
    for (let k = 0; k < (size.get(label) ?? 1); k++) sum += sumOver(more, new Map(at).set(label, k));
    return sum;
  };
  const shape = target.split('').map((label) => size.get(label) ?? 1);
  return [
    tabulate(dtype, shape, (position) => {
      const at = new Map<string, number>();
      for (const [d, label] of target.split('').entries()) {
        const here = position[d] ?? 0;
        if ((at.get(label) ?? here) !== here) return 0;
        at.set(label, here);
      }
      return sumOver(summed, at);
    }),
  ];
};
