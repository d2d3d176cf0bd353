/** Samples of the fused recurrent ops: with and without peepholes, clipped, shorter than the tensor, empty. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, OpSamples, Sample, SampleInput, ShapeCase } from '../sample.js';

const LARGE = 'smaller samples cover the formula';
const TOLERANCE = { rtol: 3e-5, atol: 3e-6 };

function numbers(seed: number, shape: readonly number[], low = -1, high = 1): SampleInput {
  const size = shape.reduce((a, b) => a * b, 1);
  return { value: [...new Random(seed).array(size, low, high)], shape };
}

/** Inputs of a cell or a sequence from x on: x, cs_prev, h_prev, w, wci, wcf, wco, b. */
function lstm(steps: readonly number[], batch: number, inputs: number, units: number): SampleInput[] {
  const state = [batch, units];
  const weights = [[inputs + units, 4 * units], [units], [units], [units], [4 * units]];
  const shapes = [[...steps, batch, inputs], state, state, ...weights];
  return shapes.map((shape, i) => numbers(31 + i, shape));
}

/** i, cs, f, o, ci, co and, of a sequence, h; then what flows into cs and h. */
function kept(steps: readonly number[], batch: number, units: number): SampleInput[] {
  const shape = [...steps, batch, units];
  const outputs = steps.length === 0 ? 6 : 7;
  const state = Array.from({ length: outputs }, (_, i) => numbers(51 + i, shape, 0.1, 0.9));
  return [...state, numbers(61, shape), numbers(62, shape)];
}

const long = (value: number): SampleInput => ({ value, dtype: 'int64', shape: [] });

function sample(
  name: string,
  inputs: readonly SampleInput[],
  attrs: AttrInputs,
  more: Partial<Sample> = {},
): Sample {
  return { name, inputs, attrs, tolerance: TOLERANCE, ...more };
}

const PEEPHOLE = { use_peephole: true };
const PLAIN = { use_peephole: false };
const PASSES = 'clipping lets gradients pass, as in TensorFlow';

function cells(): OpSamples {
  const small = lstm([], 2, 3, 2);
  const more = { gradientOutputs: [1, 6] };
  const names = '[2,3];[2,2];[2,2];[5,8];[2];[2];[2];[8]';
  const state = '[?,2]';
  return {
    samples: [
      sample('small', small, {}, more),
      sample('peepholes', small, { ...PEEPHOLE, forget_bias: 0.25 }),
      sample('not clipped', small, { cell_clip: -1, forget_bias: 0 }, more),
      sample('clipped', small, { cell_clip: 0.2 }, { ...more, skipGradient: PASSES }),
      sample('larger', lstm([], 5, 7, 9), PEEPHOLE, { ...more, skipGradient: LARGE }),
      sample('no rows', lstm([], 0, 3, 2), PEEPHOLE, more),
    ],
    shapes: [
      {
        inputs: '[?,3];[?,2];[?,2];[5,8];[2];[2];[2];[8]',
        outputs: new Array<string>(7).fill(state).join(';'),
      },
      { inputs: '?;?;[4,?];?;?;?;?;[8]', outputs: new Array<string>(7).fill('[4,2]').join(';') },
    ],
    errors: [
      { inputs: names.replace('[2,3]', '[3]'), message: /x must have rank 2, got shape \[3\]/ },
      {
        inputs: names.replace('[5,8]', '[6,8]'),
        message: /w must have 5 rows, for 3 inputs and 2 units, got 6/,
      },
      {
        inputs: names.replace(';[8]', ';[12]'),
        message: /the number of units of b is 3, that of cs_prev is 2/,
      },
      { inputs: names.replace(';[8]', ';[7]'), message: /b must hold 4 numbers for every unit, got 7/ },
      { inputs: names.replace('[2,3]', '[4,3]'), message: /the batch size of cs_prev is 2, that of x is 4/ },
    ],
  };
}

function cellGrads(): OpSamples {
  const inputs = [...lstm([], 2, 3, 2), ...kept([], 2, 2)];
  const step = new Array<string>(8).fill('[2,2]').join(';');
  const names = `[2,3];[2,2];[2,2];[5,8];[2];[2];[2];[8];${step}`;
  return {
    samples: [
      sample('small', inputs, PLAIN),
      sample('peepholes', inputs, PEEPHOLE),
      sample('larger', [...lstm([], 5, 7, 9), ...kept([], 5, 9)], PEEPHOLE, { skipGradient: LARGE }),
    ],
    shapes: [
      {
        inputs: names.replaceAll('[2,', '[?,'),
        outputs: '[?,2];[?,8];[2];[2];[2]',
        attrs: PEEPHOLE,
      },
    ],
    errors: [
      {
        inputs: `${names.slice(0, -5)}[3,2]`,
        attrs: PLAIN,
        message: /the batch size of h_grad is 3, that of x is 2/,
      },
    ],
  };
}

const SEQUENCE = '[];[3,2,4];[2,2];[2,2];[6,8];[2];[2];[2];[8]';
const LONG_SIZES: readonly ErrorCase[] = [
  {
    inputs: SEQUENCE,
    constants: { 0: 4 },
    message: /seq_len_max must be from 0 to the 3 steps of x, got 4/,
  },
  { inputs: SEQUENCE.replace('[]', '[1]'), message: /seq_len_max must be a scalar, got shape \[1\]/ },
  { inputs: SEQUENCE.replace('[3,2,4]', '[2,4]'), message: /x must have rank 3, got shape \[2,4\]/ },
  {
    inputs: SEQUENCE.replace(';[2];', ';[3];'),
    message: /the number of units of wci is 3, that of cs_prev is 2/,
  },
];
const OPEN: ShapeCase = {
  inputs: '[];[?,?,4];[?,2];[?,2];[6,8];[2];[2];[2];[8]',
  outputs: new Array<string>(7).fill('[?,?,2]').join(';'),
};

/** `more` are attributes that the op has in one of its two versions. */
function sequences(more: AttrInputs): OpSamples {
  const small = [long(3), ...lstm([3], 2, 3, 2)];
  const flows = { gradientOutputs: [1, 6] };
  return {
    samples: [
      sample('three steps', small, { cell_clip: 3, ...more }, flows),
      sample('peepholes', small, { ...PEEPHOLE, cell_clip: -1, ...more }),
      sample('two of three steps', [long(2), ...small.slice(1)], { cell_clip: 3 }, flows),
      sample('none of three steps', [long(0), ...small.slice(1)], { cell_clip: 3 }, flows),
      sample('clipped', small, { ...PEEPHOLE, cell_clip: 0.2 }, { ...flows, skipGradient: PASSES }),
      sample(
        'larger',
        [long(6), ...lstm([7], 3, 5, 6)],
        { ...PEEPHOLE, ...more },
        { ...flows, skipGradient: LARGE },
      ),
      sample('no steps', [long(0), ...lstm([0], 2, 3, 2)], {}, flows),
    ],
    shapes: [OPEN],
    errors: LONG_SIZES,
  };
}

function sequenceGrads(): OpSamples {
  const small = [...lstm([2], 2, 3, 2), ...kept([2], 2, 2)];
  const step = new Array<string>(9).fill('[3,2,2]').join(';');
  return {
    samples: [
      sample('two steps', [long(2), ...small], PLAIN),
      sample('peepholes', [long(2), ...small], PEEPHOLE),
      sample('one of two steps', [long(1), ...small], PEEPHOLE),
      sample('larger', [long(6), ...lstm([7], 3, 5, 6), ...kept([7], 3, 6)], PEEPHOLE, {
        skipGradient: LARGE,
      }),
      sample('no steps', [long(0), ...lstm([0], 2, 3, 2), ...kept([0], 2, 2)], PEEPHOLE),
    ],
    shapes: [
      {
        inputs: `${OPEN.inputs};${new Array<string>(9).fill('?').join(';')}`,
        outputs: '[?,?,4];[?,2];[?,2];[6,8];[2];[2];[2];[8]',
        attrs: PLAIN,
      },
    ],
    errors: LONG_SIZES.map((error) => ({ ...error, inputs: `${error.inputs};${step}`, attrs: PLAIN })),
  };
}

/** x, h_prev, w_ru, w_c, b_ru, b_c. */
function gru(batch: number, inputs: number, units: number): SampleInput[] {
  const rows = inputs + units;
  const shapes = [[batch, inputs], [batch, units], [rows, 2 * units], [rows, units], [2 * units], [units]];
  return shapes.map((shape, i) => numbers(71 + i, shape));
}

const GRU = '[2,3];[2,2];[5,4];[5,2];[4];[2]';
const gruState = (batch: number, units: number): SampleInput[] => [
  ...[81, 82, 83].map((seed) => numbers(seed, [batch, units], 0.1, 0.9)),
  numbers(84, [batch, units]),
];

export const BLOCK_RNN_SAMPLES = {
  LSTMBlockCell: cells(),
  LSTMBlockCellGrad: cellGrads(),
  BlockLSTM: sequences({ forget_bias: 0.25 }),
  BlockLSTMV2: sequences({}),
  BlockLSTMGrad: sequenceGrads(),
  BlockLSTMGradV2: sequenceGrads(),
  GRUBlockCell: {
    samples: [
      sample('small', gru(2, 3, 2), {}, { gradientOutputs: [3] }),
      sample('into every output', gru(2, 2, 2), {}),
      sample('larger', gru(5, 7, 9), {}, { skipGradient: LARGE }),
      sample('no rows', gru(0, 3, 2), {}, { gradientOutputs: [3] }),
    ],
    shapes: [{ inputs: '[?,3];[?,2];[5,4];[5,2];[4];[2]', outputs: '[?,2];[?,2];[?,2];[?,2]' }],
    errors: [
      {
        inputs: GRU.replace('[5,4]', '[4,4]'),
        message: /w_ru must have 5 rows, for 3 inputs and 2 units, got 4/,
      },
      {
        inputs: GRU.replace('[5,2]', '[5,3]'),
        message: /the number of units of w_c is 3, that of h_prev is 2/,
      },
    ],
  },
  GRUBlockCellGrad: {
    samples: [
      sample('small', [...gru(2, 3, 2), ...gruState(2, 2)], {}),
      sample('larger', [...gru(5, 7, 9), ...gruState(5, 9)], {}, { skipGradient: LARGE }),
    ],
    shapes: [
      {
        inputs: '[?,3];[?,2];[5,4];[5,2];[4];[2];?;?;?;?',
        outputs: '[?,3];[?,2];[?,2];[?,4]',
      },
    ],
    errors: [
      {
        inputs: `${GRU};[2,2];[2,2];[2,2];[3,2]`,
        message: /the batch size of d_h is 3, that of x is 2/,
      },
    ],
  },
} satisfies FamilySamples;
