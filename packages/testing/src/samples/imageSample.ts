/** Samples of SampleDistortedBoundingBoxV2: with seeds these are as definite as any others. */
import type { AttrInputs } from '@forerun/graph';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';
import { ints } from './imageInputs.js';

const BOXES: SampleInput = { value: [0.1, 0.2, 0.6, 0.9, 0.5, 0.5, 0.8, 0.7], shape: [1, 2, 4] };
const SEED: AttrInputs = { seed: 42, seed2: 7 };

function sample(name: string, size: SampleInput, covered: number, attrs: AttrInputs, boxes = BOXES): Sample {
  return { name, inputs: [size, boxes, covered], attrs };
}

/** The first version has the minimum as an attribute; else it is the same op. */
const FIRST: AttrInputs = { ...SEED, min_object_covered: 0.5 };

export const IMAGE_SAMPLE_SAMPLES = {
  SampleDistortedBoundingBox: {
    samples: [
      { name: 'plain', inputs: [ints(37, 53, 3), BOXES], attrs: FIRST },
      { name: 'never covered', inputs: [ints(37, 53, 3), BOXES], attrs: { ...FIRST, min_object_covered: 2 } },
    ],
    shapes: [{ inputs: '[3];[1,?,4]', outputs: '[3];[3];[1,1,4]', dtypes: ['int32'], attrs: FIRST }],
    errors: [
      {
        inputs: '[4];[1,2,4]',
        dtypes: ['int32'],
        attrs: FIRST,
        message: /image_size must be \[height, width, channels\], got shape \[4\]/,
      },
    ],
  },
  SampleDistortedBoundingBoxV2: {
    samples: [
      sample('plain', ints(37, 53, 3), 0.1, SEED),
      ...[1, 2, 3, 4].map((seed) => sample(`seed ${seed}`, ints(101, 97, 1), 0.5, { ...SEED, seed })),
      sample('hard to cover', ints(40, 40, 3), 0.9, { ...SEED, area_range: [0.2, 0.5], max_attempts: 300 }),
      sample('never covered', ints(40, 30, 3), 2, { ...SEED, max_attempts: 7 }),
      sample('narrow', ints(12, 60, 3), 0.2, { ...SEED, aspect_ratio_range: [3, 5], area_range: [0.3, 1] }),
      sample(
        'no boxes',
        ints(20, 20, 3),
        0.3,
        { ...SEED, use_image_if_no_bounding_boxes: true },
        { value: [], shape: [1, 0, 4] },
      ),
      sample('int64 sizes', { value: [33, 44, 3], dtype: 'int64' }, 0.1, SEED),
    ],
    shapes: [
      { inputs: '[3];[1,?,4];[]', outputs: '[3];[3];[1,1,4]', dtypes: ['int32'], attrs: SEED },
      { inputs: '?;?;?', outputs: '[3];[3];[1,1,4]', dtypes: ['int32'], attrs: SEED },
    ],
    errors: [
      {
        inputs: '[2];[1,2,4];[]',
        dtypes: ['int32'],
        attrs: SEED,
        message: /image_size must be \[height, width, channels\]/,
      },
      { inputs: '[3];[2,4];[]', dtypes: ['int32'], attrs: SEED, message: /bounding_boxes must have rank 3/ },
      { inputs: '[3];[1,0,4];[]', dtypes: ['int32'], attrs: SEED, message: /there are no bounding boxes/ },
      {
        inputs: '[3];[1,2,4];[1]',
        dtypes: ['int32'],
        attrs: SEED,
        message: /min_object_covered must be a scalar/,
      },
      {
        inputs: '[3];[1,2,4];[]',
        dtypes: ['int32'],
        attrs: { ...SEED, area_range: [0.5, 0.25] },
        message: /area_range must be two ascending numbers in \[0, 1\], got \[0.5,0.25\]/,
      },
      {
        inputs: '[3];[1,2,4];[]',
        dtypes: ['int32'],
        attrs: { ...SEED, aspect_ratio_range: [0, 2] },
        message: /aspect_ratio_range must be two ascending positive numbers, got \[0,2\]/,
      },
      {
        inputs: '[3];[1,2,4];[]',
        dtypes: ['int32'],
        attrs: { ...SEED, max_attempts: 0 },
        message: /max_attempts must be positive, got 0/,
      },
    ],
  },
} satisfies FamilySamples;
