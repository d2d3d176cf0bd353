/** Samples of the ops that move blocks into channels or batch, turn elements around, or pass them on. */
import type { ErrorCase, FamilySamples, SampleInput } from '../sample.js';
import { counting, int, ints, none, scattered } from './literals.js';

const NHWC = { block_size: 2 };
const NCHW = { block_size: 2, data_format: 'NCHW' };
const noBlock: SampleInput = { value: [], shape: [0, 2], dtype: 'int32' };
const bools = (...value: boolean[]): SampleInput => ({ value, dtype: 'bool' });

const quantized: ErrorCase = {
  inputs: '[1,4,4,4]',
  attrs: { block_size: 2, data_format: 'NCHW_VECT_C' },
  message: /NCHW_VECT_C holds quantized images/,
};

const BLOCKS = {
  SpaceToDepth: {
    samples: [
      { name: 'NHWC', inputs: [counting(2, 4, 6, 3)], attrs: NHWC },
      { name: 'NHWC in vectors', inputs: [counting(1, 4, 2, 8)], attrs: NHWC },
      { name: 'NCHW', inputs: [counting(2, 3, 4, 6)], attrs: NCHW },
      { name: 'blocks of 3', inputs: [counting(1, 3, 9, 1)], attrs: { block_size: 3 } },
      {
        name: 'integers',
        inputs: [
          ints([
            [[1], [2]],
            [[3], [4]],
          ]),
        ],
        attrs: NHWC,
      },
      { name: 'empty', inputs: [counting(0, 4, 4, 2)], attrs: NHWC },
    ],
    shapes: [
      { inputs: '[?,4,6,3]', outputs: '[?,2,3,12]', attrs: NHWC },
      { inputs: '[1,?,6,?]', outputs: '[1,?,3,?]', attrs: NHWC },
      { inputs: '?', outputs: '[?,?,?,?]', attrs: NCHW },
    ],
    errors: [
      { inputs: '[1,3,4,1]', attrs: NHWC, message: /the height 3 is not divisible by 2/ },
      { inputs: '[1,4,5,1]', attrs: NHWC, message: /the width 5 is not divisible by 2/ },
      { inputs: '[4,4,1]', attrs: NHWC, message: /input must have rank 4, got shape \[4,4,1\]/ },
      { inputs: '[1,4,4,1]', attrs: { block_size: 1 }, message: /block_size/ },
      quantized,
    ],
  },
  DepthToSpace: {
    samples: [
      { name: 'NHWC', inputs: [counting(2, 2, 3, 12)], attrs: NHWC },
      { name: 'NHWC in vectors', inputs: [counting(1, 2, 1, 16)], attrs: NHWC },
      { name: 'NCHW', inputs: [counting(2, 12, 2, 3)], attrs: NCHW },
      { name: 'blocks of 3', inputs: [counting(1, 2, 1, 9)], attrs: { block_size: 3 } },
      { name: 'empty', inputs: [counting(1, 0, 4, 4)], attrs: NHWC },
    ],
    shapes: [
      { inputs: '[?,2,3,12]', outputs: '[?,4,6,3]', attrs: NHWC },
      { inputs: '[?,?,3,?]', outputs: '[?,?,6,?]', attrs: NHWC },
      { inputs: '?', outputs: '[?,?,?,?]', attrs: NCHW },
    ],
    errors: [
      { inputs: '[1,2,2,6]', attrs: NHWC, message: /the number of channels 6 is not divisible by 4/ },
      { inputs: '[4,4,1]', attrs: NHWC, message: /input must have rank 4/ },
      quantized,
    ],
  },
  SpaceToBatchND: {
    samples: [
      { name: 'two dimensions', inputs: [counting(2, 4, 6, 3), ints(2, 3), ints([0, 0], [0, 0])] },
      { name: 'padded', inputs: [counting(1, 3, 5, 2), ints(2, 3), ints([1, 0], [0, 1])] },
      { name: 'padded in vectors', inputs: [counting(2, 3, 4), ints(2), ints([1, 2])] },
      { name: 'one dimension without a rest', inputs: [counting(2, 6), ints(3), ints([0, 0])] },
      {
        name: 'three dimensions',
        inputs: [counting(1, 2, 2, 2, 1), ints(2, 1, 2), ints([0, 0], [0, 1], [1, 1])],
      },
      { name: 'no dimensions', inputs: [counting(2, 3), none, noBlock] },
      { name: 'empty', inputs: [counting(0, 4), ints(2), ints([0, 0])] },
    ],
    shapes: [
      {
        inputs: '[?,4,?,3];[2];[2,2]',
        constants: {
          1: [2, 2],
          2: [
            [0, 0],
            [1, 1],
          ],
        },
        outputs: '[?,2,?,3]',
      },
      { inputs: '[2,4,3];[1];[1,2]', constants: { 1: [2] }, outputs: '[4,?,3]' },
      { inputs: '[2,4,3];[1];[1,2]', outputs: '[?,?,3]' },
      { inputs: '?;[2];[2,2]', outputs: '?' },
    ],
    errors: [
      {
        inputs: '[1,4];[1];[1,2]',
        constants: { 1: [2], 2: [[1, 0]] },
        message: /the padded size of dimension 1, 5 is not divisible by 2/,
      },
      { inputs: '[1,4];[1];[1,2]', constants: { 1: [0] }, message: /block sizes must be 1 or more, got 0/ },
      {
        inputs: '[1,4];[1];[1,2]',
        constants: { 1: [2], 2: [[-1, 1]] },
        message: /paddings must not be negative, got -1/,
      },
      { inputs: '[1,4];[2];[2,2]', message: /input \[1,4\] has fewer than 1 \+ 2 dimensions/ },
      { inputs: '[1,4];[1];[2,2]', message: /paddings must have shape \[1,2\], got \[2,2\]/ },
    ],
  },
  BatchToSpaceND: {
    samples: [
      { name: 'two dimensions', inputs: [counting(12, 2, 2, 3), ints(2, 3), ints([0, 0], [0, 0])] },
      { name: 'cropped', inputs: [counting(6, 2, 2, 2), ints(2, 3), ints([1, 0], [0, 1])] },
      { name: 'cropped in vectors', inputs: [counting(4, 3, 4), ints(2), ints([1, 2])] },
      { name: 'without a rest', inputs: [counting(6, 2), ints(3), ints([0, 0])] },
      { name: 'no dimensions', inputs: [counting(2, 3), none, noBlock] },
      { name: 'all cropped', inputs: [counting(2, 2, 3), ints(2), ints([2, 2])] },
    ],
    shapes: [
      {
        inputs: '[?,4,?,3];[2];[2,2]',
        constants: {
          1: [2, 2],
          2: [
            [0, 0],
            [1, 1],
          ],
        },
        outputs: '[?,8,?,3]',
      },
      { inputs: '[4,4,3];[1];[1,2]', constants: { 1: [2] }, outputs: '[2,?,3]' },
      { inputs: '?;?;?', outputs: '?' },
    ],
    errors: [
      { inputs: '[3,4];[1];[1,2]', constants: { 1: [2] }, message: /the batch 3 is not divisible by 2/ },
      {
        inputs: '[2,2];[1];[1,2]',
        constants: { 1: [2], 2: [[3, 2]] },
        message: /crops \[3,2\] exceed the size 4 of dimension 1/,
      },
      { inputs: '[2,2];[1,1];[1,2]', message: /block_shape must be a vector, got shape \[1,1\]/ },
    ],
  },
  SpaceToBatch: {
    samples: [
      { name: 'padded', inputs: [counting(1, 3, 4, 2), ints([1, 0], [2, 0])], attrs: NHWC },
      { name: 'in vectors', inputs: [counting(2, 2, 4, 4), ints([0, 0], [0, 0])], attrs: NHWC },
    ],
    shapes: [
      {
        inputs: '[?,4,6,3];[2,2]',
        constants: {
          1: [
            [0, 0],
            [1, 1],
          ],
        },
        outputs: '[?,2,4,3]',
        attrs: NHWC,
      },
      { inputs: '?;[2,2]', outputs: '?', attrs: NHWC },
    ],
    errors: [
      { inputs: '[1,4,4];[2,2]', attrs: NHWC, message: /input must have rank 4/ },
      { inputs: '[1,4,4,1];[2,3]', attrs: NHWC, message: /paddings must have shape \[2,2\], got \[2,3\]/ },
    ],
  },
  BatchToSpace: {
    samples: [
      { name: 'cropped', inputs: [counting(4, 2, 3, 2), ints([1, 0], [2, 0])], attrs: NHWC },
      { name: 'in vectors', inputs: [counting(8, 1, 2, 4), ints([0, 0], [0, 0])], attrs: NHWC },
    ],
    shapes: [
      {
        inputs: '[8,4,?,3];[2,2]',
        constants: {
          1: [
            [0, 0],
            [1, 1],
          ],
        },
        outputs: '[2,8,?,3]',
        attrs: NHWC,
      },
      { inputs: '?;[2,2]', outputs: '?', attrs: NHWC },
    ],
    errors: [
      { inputs: '[6,4,4,1];[2,2]', attrs: NHWC, message: /the batch 6 is not divisible by 4/ },
      { inputs: '[4,4,4,1];[3,2]', attrs: NHWC, message: /crops must have shape \[2,2\], got \[3,2\]/ },
    ],
  },
} satisfies FamilySamples;

const ORDERS = {
  ReverseSequence: {
    samples: [
      { name: 'rows', inputs: [scattered(4, 5), ints(3, 5, 0, 1)], attrs: { seq_dim: 1, Tlen: 'int32' } },
      {
        name: 'batch last',
        inputs: [scattered(5, 2, 3), ints(3, 0, 5)],
        attrs: { seq_dim: 0, batch_dim: 2, Tlen: 'int32' },
      },
      {
        name: 'one row',
        inputs: [scattered(1, 4, 2), { value: [3], dtype: 'int64' as const }],
        attrs: { seq_dim: 1 },
      },
      { name: 'empty', inputs: [scattered(0, 4), none], attrs: { seq_dim: 1, Tlen: 'int32' } },
    ],
    shapes: [
      { inputs: '[?,5];[4]', outputs: '[4,5]', attrs: { seq_dim: 1 } },
      { inputs: '?;[4]', outputs: '?', attrs: { seq_dim: 1 } },
    ],
    errors: [
      {
        inputs: '[4,5];[3]',
        attrs: { seq_dim: 1 },
        message: /seq_lengths has 3 elements, dimension 0 of \[4,5\] has size 4/,
      },
      { inputs: '[4,5];[4]', attrs: { seq_dim: 2 }, message: /seq_dim 2 is out of range/ },
      { inputs: '[4,5];[4]', attrs: { seq_dim: 1, batch_dim: 3 }, message: /batch_dim 3 is out of range/ },
      {
        inputs: '[4,5];[4]',
        attrs: { seq_dim: 0 },
        message: /seq_dim and batch_dim must differ, both are 0/,
      },
      {
        inputs: '[2,5];[2]',
        constants: { 1: [1, 6] },
        attrs: { seq_dim: 1 },
        message: /seq_lengths must be in \[0, 5\], got 6/,
      },
      { inputs: '[4,5];[4,1]', attrs: { seq_dim: 1 }, message: /seq_lengths must be a vector/ },
    ],
  },
  Roll: {
    samples: [
      { name: 'vector', inputs: [counting(5), int(2), int(0)] },
      { name: 'backwards and far', inputs: [counting(2, 5), int(-12), int(-1)] },
      { name: 'two axes', inputs: [counting(3, 4, 2), ints(1, -2), ints(0, 1)] },
      { name: 'an axis twice', inputs: [counting(3, 4), ints(1, 2, -1), ints(1, 1, 0)] },
      { name: 'no axes', inputs: [counting(3), none, none] },
      { name: 'bool', inputs: [bools(true, false, false), int(1), int(0)] },
      { name: 'empty', inputs: [counting(0, 3), int(1), int(0)] },
    ],
    shapes: [
      { inputs: '[?,3];[2];[2]', outputs: '[?,3]' },
      { inputs: '?;[];[]', outputs: '?' },
    ],
    errors: [
      { inputs: '[3];[2];[1]', message: /shift has 2 elements, axis has 1/ },
      { inputs: '[3];[];[]', constants: { 2: 1 }, message: /axis 1 is out of range \[-1, 1\)/ },
      { inputs: '[];[];[]', message: /input must have rank 1 or more/ },
      { inputs: '[3];[1,1];[]', message: /shift must be a scalar or a vector, got shape \[1,1\]/ },
    ],
  },
  Reverse: {
    samples: [
      { name: 'matrix', inputs: [counting(2, 3), bools(true, false)] },
      { name: 'all', inputs: [counting(2, 3, 2), bools(true, true, true)] },
      { name: 'none', inputs: [counting(2, 4), bools(false, false)] },
    ],
    shapes: [
      { inputs: '[?,3];[2]', outputs: '[?,3]' },
      { inputs: '?;[2]', outputs: '[?,?]' },
      { inputs: '?;[?]', outputs: '?' },
    ],
    errors: [
      { inputs: '[2,3];[3]', message: /dims has 3 elements for an input of shape \[2,3\]/ },
      { inputs: '[2];[1,1]', message: /dims must be a vector/ },
    ],
  },
} satisfies FamilySamples;

const LEGACY = {
  Gather: {
    samples: [
      { name: 'rows', inputs: [counting(4, 3), ints([2, 0], [3, 3])] },
      { name: 'out of range', inputs: [counting(2, 4), ints(-1, 2, 1)] },
      { name: 'scalar index', inputs: [counting(3), int(1)] },
    ],
    shapes: [
      { inputs: '[?,3];[2,?]', outputs: '[2,?,3]' },
      { inputs: '?;[2]', outputs: '?' },
    ],
    errors: [{ inputs: '[];[2]', message: /params must have rank 1 or more, got a scalar/ }],
  },
  Concat: {
    samples: [
      { name: 'columns', inputs: [int(1), counting(2, 3), counting(2, 1)] },
      { name: 'rows from the end', inputs: [int(-2), counting(1, 4), counting(3, 4), counting(0, 4)] },
    ],
    shapes: [
      { inputs: '[];[2,?];[2,3]', constants: { 0: 0 }, outputs: '[4,3]', attrs: { N: 2 } },
      { inputs: '[];[2,3];[2,3]', outputs: '[?,?]', attrs: { N: 2 } },
      { inputs: '[];?;?', outputs: '?', attrs: { N: 2 } },
    ],
    errors: [
      { inputs: '[];[2,3];[3,3]', constants: { 0: 1 }, message: /shapes differ/ },
      { inputs: '[];[2];[2]', constants: { 0: 1 }, message: /axis 1 is out of range/ },
      { inputs: '[];[];[]', message: /scalars cannot be concatenated/ },
    ],
  },
  ConcatOffset: {
    samples: [
      { name: 'columns', inputs: [int(1), ints(2, 3, 4), ints(2, 5, 4), ints(2, 1, 4)] },
      { name: 'from the end', inputs: [int(-2), ints(2, 3), ints(1, 3)] },
    ],
    shapes: [
      { inputs: '[];[?];[3]', outputs: '[3];[3]' },
      { inputs: '[];?;?', outputs: '[?];[?]' },
    ],
    errors: [
      { inputs: '[];[2];[3]', message: /shape 1 has 3 elements, the others have 2/ },
      { inputs: '[];[2];[2]', constants: { 0: 2 }, message: /axis 2 is out of range/ },
      { inputs: '[];[2,1];[2]', message: /shape 0 must be a vector/ },
    ],
  },
  DeepCopy: {
    samples: [
      { name: 'floats', inputs: [counting(2, 3)] },
      { name: 'bool', inputs: [bools(true, false)] },
    ],
    shapes: [{ inputs: '[?,3]', outputs: '[?,3]' }],
    errors: [{ inputs: '[2];[2]', message: /input/ }],
  },
  Snapshot: {
    samples: [{ name: 'floats', inputs: [counting(2, 3)] }],
    shapes: [{ inputs: '[?,3]', outputs: '[?,3]' }],
    errors: [{ inputs: '[2];[2]', message: /input/ }],
  },
  GuaranteeConst: {
    samples: [{ name: 'floats', inputs: [counting(2, 3)] }],
    shapes: [{ inputs: '[?,3]', outputs: '[?,3]' }],
    errors: [{ inputs: '[2];[2]', message: /input/ }],
  },
  PreventGradient: {
    samples: [
      {
        name: 'floats',
        inputs: [counting(2, 3)],
        attrs: { message: 'not here' },
        skipGradient: 'it forbids them',
      },
    ],
    shapes: [{ inputs: '[?,3]', outputs: '[?,3]' }],
    errors: [{ inputs: '[2];[2]', message: /input/ }],
  },
  PlaceholderV2: {
    testedElsewhere: 'it must be fed: session/test/edges.gpu.test.ts feeds placeholders',
    tolerance: 'exact',
    shapes: [
      { inputs: '', attrs: { dtype: 'float32', shape: [null, 3] }, outputs: '[?,3]' },
      { inputs: '', attrs: { dtype: 'float32', shape: null }, outputs: '?' },
    ],
    errors: [
      { inputs: '', attrs: { dtype: 'float32' }, message: /attribute "shape" is missing/ },
      { inputs: '', attrs: { shape: [2] }, message: /attribute "dtype" is missing/ },
    ],
  },
  Bitcast: {
    samples: [
      { name: 'floats as integers', inputs: [[1, -2, 0.5]], attrs: { type: 'int32' } },
      { name: 'integers as floats', inputs: [ints(1065353216, -1073741824)], attrs: { type: 'float32' } },
      { name: 'signs', inputs: [ints(-1, 5)], attrs: { type: 'uint32' } },
      {
        name: 'to bytes',
        inputs: [ints(258, -1)],
        attrs: { type: 'uint8' },
        unsupportedOnGpu: 'narrow integers take a word each',
      },
      {
        name: 'from bytes',
        inputs: [{ value: [[2, 1, 0, 0]], dtype: 'uint8' as const }],
        attrs: { type: 'int32' },
        unsupportedOnGpu: 'narrow integers take a word each',
      },
    ],
    shapes: [
      { inputs: '[?,3]', outputs: '[?,3,2]', attrs: { type: 'float16' } },
      { inputs: '[?,2]', outputs: '[?]', attrs: { type: 'float64' } },
      { inputs: '?', outputs: '?', attrs: { type: 'int32' } },
    ],
    errors: [
      { inputs: '[3]', attrs: { type: 'float64' }, message: /the last dimension must be 2, got shape \[3\]/ },
      { inputs: '[]', attrs: { type: 'float64' }, message: /the last dimension must be 2, got shape \[\]/ },
    ],
  },
} satisfies FamilySamples;

export const ARRAY_BLOCK_SAMPLES = { ...BLOCKS, ...ORDERS, ...LEGACY } satisfies FamilySamples;
