/** Samples of the family `segment`. */
import type { FamilySamples, OpSamples, Sample, SampleInput } from '../sample.js';
import { counting, indices, int, ints, scattered } from './literals.js';

const KINK = 'equal elements: a kink';
const FEW = 'that of few is the same';

/** Samples of an unsorted segment op; `ids` of -1 belong nowhere. */
function unsorted(data: (...shape: number[]) => SampleInput, ...more: Sample[]): OpSamples {
  return {
    samples: [
      { name: 'rows', inputs: [data(5, 2), ints(0, 2, 0, 1, 2), int(4)] },
      { name: 'elements', inputs: [data(6), ints(1, 1, 0, 3, 0, 1), int(4)] },
      { name: 'matrix of ids', inputs: [data(2, 3, 4), ints([0, 1, 0], [2, 2, 1]), int(3)] },
      { name: 'negative ids', inputs: [data(3, 4), ints(-1, 1, -1), int(2)] },
      {
        name: 'ids that are too large',
        inputs: [data(3), ints(1, 7, 0), int(2)],
        skipGradient: 'TensorFlow refuses them',
      },
      { name: 'an id of its own', inputs: [data(3), int(1), int(3)] },
      { name: 'no segments', inputs: [data(2, 3), ints(-1, -1), int(0)] },
      { name: 'no rows', inputs: [{ value: [], shape: [0, 3] }, { value: [], dtype: 'int32' }, int(2)] },
      { name: 'many', inputs: [scattered(400, 2), indices(170, 400), int(170)], skipGradient: FEW },
      {
        name: 'many of few in vectors',
        inputs: [scattered(1200, 8), indices(30, 1200), int(30)],
        skipGradient: FEW,
      },
      { name: 'integers', inputs: [ints(4, -5, 6, 2), ints(0, 2, 0, 2), int(4)] },
      ...more,
    ],
    shapes: [
      { inputs: '[?,3];[?];[]', constants: { 2: 5 }, outputs: '[5,3]' },
      { inputs: '[2,3];[2];[]', outputs: '[?,3]' },
      { inputs: '?;[2];[]', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[2,3];[3];[]',
        message: /data \[2,3\] does not begin with the shape of segment_ids \[3\]/,
      },
      { inputs: '[2];[2];[]', constants: { 2: -1 }, message: /num_segments must not be negative, got -1/ },
    ],
  };
}

export const SEGMENT_SAMPLES = {
  UnsortedSegmentSum: unsorted(counting),
  UnsortedSegmentProd: unsorted(
    scattered,
    { name: 'a zero', inputs: [[2, 0, 3, 5], ints(0, 0, 0, 1), int(2)] },
    {
      name: 'two zeros',
      inputs: [[2, 0, 0, 5], ints(0, 0, 0, 1), int(2)],
      skipGradient: 'the second order is missing',
    },
  ),
  UnsortedSegmentMax: unsorted(
    scattered,
    { name: 'equal', inputs: [[2, 2, 1, 5], ints(0, 0, 0, 1), int(3)], skipGradient: KINK },
    { name: 'not finite', inputs: [[NaN, 2, -Infinity, 5], ints(0, 0, 1, 2), int(3)], skipGradient: 'NaN' },
  ),
  UnsortedSegmentMin: unsorted(
    scattered,
    { name: 'equal', inputs: [[2, 2, 3, 5], ints(0, 0, 0, 1), int(3)], skipGradient: KINK },
    { name: 'not finite', inputs: [[NaN, 2, Infinity, 5], ints(0, 0, 1, 2), int(3)], skipGradient: 'NaN' },
  ),
} satisfies FamilySamples;
