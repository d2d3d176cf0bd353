/** Samples of the elementwise ops of one operand. */
import type { FamilySamples, OpSamples, Sample } from '../sample.js';

/** Samples of a unary op: the shape rules are the same for all of them. */
function unary(...samples: Sample[]): OpSamples {
  return {
    samples,
    shapes: [
      { inputs: '[1,?]', outputs: '[1,?]' },
      { inputs: '?', outputs: '?' },
    ],
    errors: [{ inputs: '[2]', dtypes: ['string'], message: /attribute "T" must be one of/ }],
  };
}

export const UNARY_SAMPLES = {
  Sqrt: unary({ name: 'positive', inputs: [[0.25, 1, 2, 9, 1e-6, 1e6]] }),
} satisfies FamilySamples;
