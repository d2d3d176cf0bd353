/** Samples of `Einsum`: every part that a label can play. */
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

function floats(shape: readonly number[], seed: number): SampleInput {
  const size = shape.reduce((product, dim) => product * dim, 1);
  return { shape, value: Array.from(new Random(seed).array(size)) };
}

function sample(equation: string, ...shapes: readonly (readonly number[])[]): Sample {
  return {
    name: `${equation} ${shapes.map((shape) => `[${shape.join()}]`).join(' ')}`,
    inputs: shapes.map((shape, i) => floats(shape, i + 1)),
    attrs: { equation },
    tolerance: { rtol: 1e-5, atol: 2e-5 },
  };
}

function large(equation: string, ...shapes: readonly (readonly number[])[]): Sample {
  return { ...sample(equation, ...shapes), skipGradient: 'smaller samples cover the formula' };
}

const equation = (text: string) => ({ equation: text });

export const EINSUM_SAMPLES = {
  Einsum: {
    samples: [
      sample('ij,jk->ik', [2, 3], [3, 4]),
      sample('ij,kj->ki', [2, 3], [4, 3]),
      sample('bij,bjk->bik', [2, 3, 4], [2, 4, 2]),
      sample('bhqd,bkhd->bhqk', [2, 2, 3, 4], [2, 5, 2, 4]),
      sample('abc,cd->abd', [2, 3, 4], [4, 5]),
      sample('i,j->ij', [3], [4]),
      sample('i,i->', [3], [3]),
      sample('ij,ij->ji', [2, 3], [2, 3]),
      sample('ij->ji', [2, 3]),
      sample('ij->i', [2, 3]),
      sample('ijk->', [2, 3, 2]),
      sample('ii->i', [3, 3]),
      sample('ii->', [3, 3]),
      sample('iji->j', [2, 3, 2]),
      sample('i->ii', [3]),
      sample('ij->iji', [2, 3]),
      sample('ij,jk->k', [2, 3], [3, 4]),
      sample('iij,jk->ik', [2, 2, 3], [3, 4]),
      sample('ij,j->iij', [2, 3], [3]),
      sample('...ij,...jk->...ik', [2, 1, 3, 4], [5, 4, 2]),
      sample('i...j,j->...i', [2, 3, 1, 4], [4]),
      sample('...,...->...', [2, 1, 3], [4, 1]),
      sample('...i->...', [2, 3, 4]),
      sample('i...->...', [2, 3]),
      sample('...i->i', [2, 3]),
      sample('b...,b...->...b', [2, 3, 1], [2, 1, 4]),
      sample('ij,jk,kl->il', [2, 3], [3, 2], [2, 4]),
      sample(',i->i', [], [3]),
      sample('aB,Bc->ac', [2, 3], [3, 2]),
      large('ij,jk->ik', [2, 0], [0, 3]),
      large('ij,jk->ik', [0, 2], [2, 3]),
      large('bij,kj->bki', [3, 20, 33], [17, 33]),
      large('aibj,jbk->kia', [3, 10, 4, 8], [8, 4, 9]),
      large('...ij,...jk->...ik', [2, 1, 9, 12], [5, 12, 7]),
      large('ij->', [40, 50]),
      large('bi,bi->b', [3, 700], [3, 700]),
      large('ij,jk->k', [30, 40], [40, 5]),
      {
        name: 'ints',
        inputs: [
          {
            value: [
              [1, -2],
              [3, 4],
            ],
            dtype: 'int32',
          },
          {
            value: [
              [5, 6],
              [7, -8],
            ],
            dtype: 'int32',
          },
        ],
        attrs: { equation: 'ij,jk->ki' },
      },
    ],
    shapes: [
      { inputs: '[?,3];[3,?]', outputs: '[?,?]', attrs: equation('ij,jk->ik') },
      { inputs: '[?,3];[2,?]', outputs: '[2,3]', attrs: equation('ij,ij->ij') },
      { inputs: '?;[3,4]', outputs: '[?,4]', attrs: equation('ij,jk->ik') },
      { inputs: '?;[3,4]', outputs: '?', attrs: equation('...j,jk->...k') },
      { inputs: '?;[3,4]', outputs: '[4]', attrs: equation('...j,jk->k') },
      { inputs: '[?,2,3];[5,1,3]', outputs: '[5,2]', attrs: equation('...j,...j->...') },
      { inputs: '[?,3];[1,3]', outputs: '[?]', attrs: equation('...j,...j->...') },
    ],
    errors: [
      { inputs: '[2,3];[4,5]', attrs: equation('ij,jk->ik'), message: /label "j" has two sizes: 3 and 4/ },
      {
        inputs: '[2,3]',
        attrs: equation('ijk->i'),
        message: /"ijk" in the equation .* does not fit input 0 of rank 2/,
      },
      { inputs: '[2,3]', attrs: equation('ij,jk->ik'), message: /is for 2 inputs, got 1/ },
      { inputs: '[2,3]', attrs: equation('ij'), message: /the equation "ij" has no "->"/ },
      {
        inputs: '[2,3]',
        attrs: equation('ij->k'),
        message: /label "k" of the output of "ij->k" is in no input/,
      },
      { inputs: '[2,3]', attrs: equation('i.j->i'), message: /must be of letters with at most one "..."/ },
      {
        inputs: '[2,3];[4,3]',
        attrs: equation('...i,...i->...'),
        message: /dimensions of the ellipsis do not broadcast: 2 and 4/,
      },
    ],
  },
} satisfies FamilySamples;
