/** Samples of grey-scale dilation and its gradients: every case in all three ops. */
import type { AttrInputs, DType } from '@forerun/graph';
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

interface DilationCase {
  readonly name: string;
  readonly input: readonly number[];
  readonly filter: readonly number[];
  readonly output: readonly number[];
  readonly attrs: AttrInputs;
  readonly dtype?: DType;
  readonly skipGradient?: string;
}

type Pair = readonly [number, number];

const attrs = (padding: string, [sy, sx]: Pair = [1, 1], [ry, rx]: Pair = [1, 1]): AttrInputs => ({
  padding,
  strides: [1, sy, sx, 1],
  rates: [1, ry, rx, 1],
});

const CASES: readonly DilationCase[] = [
  { name: 'same', input: [1, 4, 5, 2], filter: [3, 2, 2], output: [1, 4, 5, 2], attrs: attrs('SAME') },
  { name: 'valid', input: [2, 5, 4, 3], filter: [2, 3, 3], output: [2, 4, 2, 3], attrs: attrs('VALID') },
  {
    name: 'four channels at once, strided',
    input: [1, 6, 5, 4],
    filter: [3, 3, 4],
    output: [1, 3, 3, 4],
    attrs: attrs('SAME', [2, 2]),
  },
  {
    name: 'strides above the filter',
    input: [1, 7, 5, 1],
    filter: [2, 1, 1],
    output: [1, 2, 3, 1],
    attrs: attrs('VALID', [3, 2]),
  },
  {
    name: 'rates',
    input: [1, 6, 7, 2],
    filter: [2, 3, 2],
    output: [1, 4, 3, 2],
    attrs: attrs('VALID', [1, 1], [2, 2]),
  },
  {
    name: 'rates with strides',
    input: [2, 6, 7, 1],
    filter: [2, 3, 1],
    output: [2, 3, 7, 1],
    attrs: attrs('SAME', [2, 1], [3, 2]),
  },
  {
    name: 'a window that sees nothing',
    input: [1, 1, 1, 2],
    filter: [2, 2, 2],
    output: [1, 1, 1, 2],
    attrs: attrs('SAME', [1, 1], [2, 2]),
    skipGradient: 'the smallest number of float32 leaves nothing of differences',
  },
  {
    name: 'integers with ties',
    dtype: 'int32',
    input: [1, 5, 6, 1],
    filter: [2, 2, 1],
    output: [1, 5, 6, 1],
    attrs: attrs('SAME'),
  },
  {
    name: 'bytes',
    dtype: 'uint8',
    input: [1, 3, 3, 4],
    filter: [2, 2, 4],
    output: [1, 2, 2, 4],
    attrs: attrs('VALID'),
  },
  { name: 'no images', input: [0, 3, 3, 1], filter: [2, 2, 1], output: [0, 3, 3, 1], attrs: attrs('SAME') },
  {
    name: 'no output pixels',
    input: [1, 1, 3, 2],
    filter: [2, 2, 2],
    output: [1, 0, 2, 2],
    attrs: attrs('VALID'),
  },
  {
    name: 'many windows',
    input: [2, 19, 17, 8],
    filter: [3, 3, 8],
    output: [2, 19, 17, 8],
    attrs: attrs('SAME'),
    skipGradient: 'smaller samples cover the formula',
  },
];

function tensor(shape: readonly number[], seed: number, dtype: DType = 'float32'): SampleInput {
  const random = new Random(seed);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const value = Array.from({ length: size }, () =>
    dtype === 'float32' ? random.uniform(-2, 2) : random.integer(dtype === 'uint8' ? 1 : -4, 5),
  );
  return { shape, dtype, value };
}

function samples(inputs: (test: DilationCase) => SampleInput[]): Sample[] {
  return CASES.map((test) => ({
    name: test.name,
    inputs: inputs(test),
    attrs: test.attrs,
    // Sums of the filter's gradient run over hundreds of numbers up to 2 that cancel.
    tolerance: { atol: 2e-5 },
    ...(test.skipGradient === undefined ? {} : { skipGradient: test.skipGradient }),
  }));
}

const backprop = samples(({ input, filter, output, dtype }) => [
  tensor(input, 1, dtype),
  tensor(filter, 2, dtype),
  tensor(output, 3, dtype),
]);
const SAME = attrs('SAME');
const VALID = attrs('VALID');

export const DILATION_SAMPLES = {
  Dilation2D: {
    samples: samples(({ input, filter, dtype }) => [tensor(input, 1, dtype), tensor(filter, 2, dtype)]),
    shapes: [
      { inputs: '[?,28,28,3];[5,5,3]', outputs: '[?,28,28,3]', attrs: SAME },
      { inputs: '[2,?,28,?];[5,5,3]', outputs: '[2,?,24,3]', attrs: VALID },
      { inputs: '[2,28,28,3];?', outputs: '[2,14,14,3]', attrs: attrs('SAME', [2, 2]) },
      { inputs: '?;?', outputs: '[?,?,?,?]', attrs: VALID },
    ],
    errors: [
      { inputs: '[4,4,2];[3,3,2]', attrs: SAME, message: /input must have rank 4, got shape \[4,4,2\]/ },
      { inputs: '[1,4,4,2];[3,3,2,1]', attrs: SAME, message: /filter must have rank 3/ },
      { inputs: '[1,4,4,2];[3,3,3]', attrs: SAME, message: /2 channels, the filter is for 3/ },
      {
        inputs: '[1,4,4,2];[3,3,2]',
        attrs: attrs('VALID', [1, 1], [1, 3]),
        message: /a filter of width 3 with rate 3 does not fit an image of 4 with VALID padding/,
      },
      {
        inputs: '[1,4,4,2];[3,3,2]',
        attrs: { ...SAME, rates: [1, 0, 1, 1] },
        message: /rates must be 4 positive numbers.*\[1,0,1,1\]/,
      },
      {
        inputs: '[1,4,4,2];[3,3,2]',
        attrs: { ...SAME, strides: [2, 1, 1, 1] },
        message: /strides must be 4 positive numbers/,
      },
    ],
  },

  Dilation2DBackpropInput: {
    samples: backprop,
    shapes: [
      { inputs: '[?,28,28,3];[5,5,3];?', outputs: '[?,28,28,3]', attrs: SAME },
      { inputs: '?;?;?', outputs: '[?,?,?,?]', attrs: SAME },
    ],
    errors: [
      {
        inputs: '[1,6,6,2];[3,3,2];[1,6,5,2]',
        attrs: SAME,
        message: /out_backprop has shape \[1,6,5,2\], dilation gives \[1,6,6,2\]/,
      },
    ],
  },

  Dilation2DBackpropFilter: {
    samples: backprop,
    shapes: [
      { inputs: '[?,28,28,3];[5,5,3];?', outputs: '[5,5,3]', attrs: SAME },
      { inputs: '?;?;?', outputs: '[?,?,?]', attrs: SAME },
    ],
    errors: [
      {
        inputs: '[1,6,6,2];[3,3,2];[1,6,6,3]',
        attrs: VALID,
        message: /out_backprop has shape \[1,6,6,3\], dilation gives \[1,4,4,2\]/,
      },
    ],
  },
} satisfies FamilySamples;
