/** Samples of the gradients of pools over windows of two sizes. */
import { Random } from '../random.js';
import type { FamilySamples, OpCases, Sample, SampleInput } from '../sample.js';

const RATIO = { pooling_ratio: [1, 1.5, 2, 1] };
const RANDOM: OpCases = {
  testedElsewhere:
    'its windows are drawn: session/test/fractionalPool.gpu.test.ts checks them and what they hold',
  tolerance: '1e-5 rel, 1e-6 abs',
  shapes: [
    { inputs: '[?,6,?,3]', attrs: RATIO, outputs: '[?,4,?,3];[5];[?]' },
    { inputs: '?', attrs: RATIO, outputs: '[?,?,?,?];[?];[?]' },
  ],
  errors: [
    { inputs: '[6,6,3]', attrs: RATIO, message: /value must have rank 4, got shape \[6,6,3\]/ },
    {
      inputs: '[1,6,6,3]',
      attrs: { pooling_ratio: [1, 0.5, 2, 1] },
      message: /pooling_ratio must be \[1, rows, columns, 1\], each 1 or more, got \[1,0.5,2,1\]/,
    },
    {
      inputs: '[1,6,6,3]',
      attrs: { pooling_ratio: [1, 2, 8, 1] },
      message: /pooling_ratio 8 leaves nothing of 6 elements/,
    },
    {
      inputs: '[1,6,6,3]',
      attrs: { pooling_ratio: [1, 2] },
      message: /"pooling_ratio" must be at least 4, got 2/,
    },
    { inputs: '[1,6,6,3]', dtypes: ['bool'], attrs: RATIO, message: /"T" must be one of .*, got bool/ },
  ],
};

function numbers(seed: number, shape: readonly number[]): SampleInput {
  return {
    value: [
      ...new Random(seed).array(
        shape.reduce((a, b) => a * b, 1),
        -2,
        2,
      ),
    ],
    shape,
  };
}

const long = (...value: number[]): SampleInput => ({ value, dtype: 'int64' });

interface Geometry {
  readonly name: string;
  readonly images: readonly number[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

const GEOMETRIES: readonly Geometry[] = [
  { name: 'windows of one and two', images: [1, 5, 4, 2], rows: [0, 2, 3, 5], columns: [0, 1, 2, 4] },
  { name: 'windows of two and three', images: [2, 5, 7, 1], rows: [0, 3, 5], columns: [0, 2, 5, 7] },
];

/** `inputs` makes the inputs before the sequences, from the images and the pooled shape. */
function gradients(
  inputs: (images: readonly number[], pooled: readonly number[]) => readonly SampleInput[],
  gradientInputs: readonly number[],
): Sample[] {
  return GEOMETRIES.flatMap(({ name, images, rows, columns }) =>
    [false, true].map((overlapping) => {
      const [batch = 1, , , channels = 1] = images;
      const pooled = [batch, rows.length - 1, columns.length - 1, channels];
      return {
        name: `${name}${overlapping ? ', overlapping' : ''}`,
        inputs: [...inputs(images, pooled), long(...rows), long(...columns)],
        attrs: { overlapping },
        gradientInputs,
      };
    }),
  );
}

export const FRACTIONAL_POOL_SAMPLES = {
  FractionalAvgPool: RANDOM,
  FractionalMaxPool: RANDOM,
  FractionalAvgPoolGrad: {
    samples: gradients((images, pooled) => [long(...images), numbers(5, pooled)], [1]),
    shapes: [
      { inputs: '[4];[1,3,3,2];[4];[4]', constants: { 0: [1, 5, 4, 2] }, outputs: '[1,5,4,2]' },
      { inputs: '?;[1,3,?,2];[4];?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      {
        inputs: '[4];[1,3,3,2];[3];[4]',
        message: /row_pooling_sequence must have 4 elements for 3 windows, got 3/,
      },
      { inputs: '[3];[1,3,3,2];[4];[4]', message: /orig_input_tensor_shape must hold 4 sizes/ },
      { inputs: '[4];[3,3,2];[4];[4]', message: /out_backprop must have rank 4, got shape \[3,3,2\]/ },
    ],
  },
  FractionalMaxPoolGrad: {
    samples: gradients((images, pooled) => [numbers(3, images), numbers(4, pooled), numbers(5, pooled)], [2]),
    shapes: [{ inputs: '[1,?,4,2];[1,3,3,2];[1,?,3,2];[4];?', outputs: '[1,?,4,2]' }],
    errors: [
      {
        inputs: '[1,5,4,2];[1,3,3,2];[1,3,2,2];[4];[4]',
        message: /orig_output \[1,3,3,2\] and out_backprop \[1,3,2,2\] differ/,
      },
      {
        inputs: '[1,5,4,2];[1,3,3,2];[1,3,3,2];[4];[5]',
        message: /col_pooling_sequence must have 4 elements for 3 windows, got 5/,
      },
    ],
  },
} satisfies FamilySamples;
