/** Samples of the CTC decoders. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { ErrorCase, FamilySamples, Sample, SampleInput } from '../sample.js';

const DECODES = 'which labels are likeliest has no derivative';

/** Logits `[time, batch, classes]`. */
function logits(time: number, batch: number, classes: number, range = 2): SampleInput {
  const shape = [time, batch, classes];
  return { value: [...new Random(29).array(time * batch * classes, -range, range)], shape };
}

const lengths = (...value: number[]): SampleInput => ({ value, dtype: 'int32', shape: [value.length] });

function sample(name: string, inputs: readonly SampleInput[], attrs: AttrInputs = {}): Sample {
  return { name, inputs, attrs, skipGradient: DECODES };
}

/** Logits in which class `best[t]` stands out of three. */
const chosen = (...best: number[]): SampleInput => ({
  value: best.flatMap((k) => [0, 1, 2].map((c) => (c === k ? 3 : 0.25 * c))),
  shape: [best.length, 1, 3],
});
const REPEATS = chosen(0, 0, 2, 0, 1, 1, 2, 2, 1);

const fit = (attrs: AttrInputs): ErrorCase[] => [
  { inputs: '[4,3];[3]', attrs, message: /inputs must have rank 3/ },
  {
    inputs: '[4,3,5];[2]',
    attrs,
    message: /inputs of shape \[4,3,5\] and sequence_length of shape \[2\] differ/,
  },
  { inputs: '[4,3,0];[3]', attrs, message: /inputs must have a class at least/ },
  {
    inputs: '[4,2,3];[2]',
    attrs,
    constants: { 1: [4, 5] },
    message: /sequence_length must be in \[0, 4\], got 5/,
  },
];

const WIDE = { beam_width: 500, top_paths: 1 };

export const CTC_DECODE_SAMPLES = {
  CTCGreedyDecoder: {
    samples: [
      sample('three items', [logits(6, 3, 4), lengths(6, 4, 0)]),
      sample('repeats', [REPEATS, lengths(9)]),
      sample('repeats merged', [REPEATS, lengths(9)], { merge_repeated: true }),
      sample('equal logits: the first', [{ value: [1, 1, 0, 2, 3, 3], shape: [2, 1, 3] }, lengths(2)]),
      sample('blanks only', [chosen(2, 2), lengths(2)]),
      sample('the blank is all', [logits(3, 2, 1), lengths(3, 2)]),
      sample('no items', [logits(3, 0, 4), lengths()]),
      sample('no time', [logits(0, 2, 4), lengths(0, 0)]),
    ],
    shapes: [
      { inputs: '[?,3,5];[?]', outputs: '[?,2];[?];[2];[3,1]' },
      { inputs: '[4,?,5];[2]', outputs: '[?,2];[?];[2];[2,1]' },
      { inputs: '?;?', outputs: '[?,2];[?];[2];[?,1]' },
    ],
    errors: fit({}),
  },

  CTCBeamSearchDecoder: {
    samples: [
      sample('all sequences', [logits(5, 2, 4), lengths(5, 3)], {
        ...WIDE,
        top_paths: 5,
        merge_repeated: false,
      }),
      sample('repeats merged', [REPEATS, lengths(9)], { beam_width: 50, top_paths: 3 }),
      sample('repeats apart', [REPEATS, lengths(9)], { beam_width: 50, top_paths: 3, merge_repeated: false }),
      sample('a narrow beam', [logits(9, 3, 5, 1), lengths(9, 7, 4)], {
        beam_width: 3,
        top_paths: 2,
        merge_repeated: false,
      }),
      sample('a beam of one', [logits(7, 2, 4), lengths(7, 5)], { beam_width: 1, top_paths: 1 }),
      sample('a longer beam', [logits(24, 2, 6, 3), lengths(24, 20)], { beam_width: 10, top_paths: 4 }),
      sample('no time', [logits(3, 2, 4), lengths(0, 3)], WIDE),
      sample('the blank is all', [logits(3, 2, 1), lengths(3, 2)], WIDE),
      sample('no items', [logits(3, 0, 4), lengths()], { ...WIDE, top_paths: 2 }),
    ],
    shapes: [
      { inputs: '[?,3,5];[?]', attrs: WIDE, outputs: '[?,2];[?];[2];[3,1]' },
      {
        inputs: '?;?',
        attrs: { beam_width: 3, top_paths: 2 },
        outputs: '[?,2];[?,2];[?];[?];[2];[2];[?,2]',
      },
    ],
    errors: [
      ...fit(WIDE),
      {
        inputs: '[4,2,3];[2]',
        attrs: { beam_width: 2, top_paths: 3 },
        message: /top_paths is 3, more than the beam_width 2/,
      },
      { inputs: '[4,2,3];[2]', attrs: { beam_width: 0, top_paths: 1 }, message: /must be at least 1, got 0/ },
    ],
  },
} satisfies FamilySamples;
