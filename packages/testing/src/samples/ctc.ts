/** Samples of CTC. */
import type { AttrInputs } from '@forerun/graph';
import { Random } from '../random.js';
import type { FamilySamples, Sample, SampleInput } from '../sample.js';

/** Logits `[time, batch, classes]`. */
function logits(time: number, batch: number, classes: number, range = 2): SampleInput {
  const shape = [time, batch, classes];
  return { value: [...new Random(17).array(time * batch * classes, -range, range)], shape };
}

/** The labels of each item as indices and values. */
function labels(...items: readonly number[][]): [SampleInput, SampleInput] {
  const indices = items.flatMap((item, b) => item.flatMap((_, i) => [b, i]));
  const values = items.flat();
  return [
    { value: indices, dtype: 'int64', shape: [values.length, 2] },
    { value: values, dtype: 'int32', shape: [values.length] },
  ];
}

const lengths = (...value: number[]): SampleInput => ({ value, dtype: 'int32', shape: [value.length] });

function sample(name: string, inputs: readonly SampleInput[], attrs: AttrInputs = {}): Sample {
  return {
    name,
    inputs,
    attrs,
    skipGradient:
      'its gradient has no gradient; the first order is output 1, which the reference takes by differences',
    // sums of logarithms over all time steps, whose rounding the exponentials of the gradient repeat
    tolerance: { rtol: 1e-4, atol: 2e-5 },
  };
}

const REPEATS = labels([1, 1, 2], [0], [2, 2, 0, 0]);

export const CTC_SAMPLES = {
  CTCLoss: {
    samples: [
      sample('two items', [logits(5, 2, 4), ...labels([0, 2], [1, 2, 0]), lengths(5, 4)]),
      sample('repeated labels', [logits(8, 3, 4), ...REPEATS, lengths(8, 3, 7)]),
      sample('repeats apart', [logits(8, 3, 4), ...REPEATS, lengths(8, 3, 7)], { ctc_merge_repeated: false }),
      sample('repeats collapsed', [logits(8, 3, 4), ...REPEATS, lengths(8, 3, 7)], {
        preprocess_collapse_repeated: true,
      }),
      sample('both', [logits(6, 3, 4), ...REPEATS, lengths(6, 3, 5)], {
        preprocess_collapse_repeated: true,
        ctc_merge_repeated: false,
      }),
      sample('no labels', [logits(4, 3, 3), ...labels([], [1], []), lengths(4, 2, 0)]),
      sample('no labels at all', [logits(4, 2, 3), ...labels([], []), lengths(4, 3)]),
      sample('labels that do not fit', [logits(3, 2, 4), ...labels([1, 1, 2], [0, 1]), lengths(3, 3)]),
      sample(
        'labels that do not fit, ignored',
        [logits(3, 2, 4), ...labels([1, 1, 2], [0, 1]), lengths(3, 3)],
        {
          ignore_longer_outputs_than_inputs: true,
        },
      ),
      sample('only the blank', [logits(3, 1, 1), ...labels([]), lengths(3)]),
      sample('no items', [logits(3, 0, 4), ...labels(), lengths()]),
      sample('no time', [logits(0, 2, 4), ...labels([1], []), lengths(0, 0)]),
      sample('large logits', [logits(6, 2, 5, 60), ...labels([3, 1], [2, 2]), lengths(6, 6)]),
      sample('more states than invocations', [
        logits(45, 1, 6),
        ...labels(Array.from({ length: 40 }, (_, i) => (i * 3 + (i % 7 > 3 ? 1 : 0)) % 5)),
        lengths(45),
      ]),
    ],
    shapes: [
      { inputs: '[?,2,5];[?,2];[?];[2]', outputs: '[2];[?,2,5]' },
      { inputs: '[7,?,5];?;?;[2]', outputs: '[2];[7,2,5]' },
      { inputs: '?;?;?;?', outputs: '[?];[?,?,?]' },
    ],
    errors: [
      { inputs: '[5,4];[3,2];[3];[2]', message: /inputs must have rank 3, got shape \[5,4\]/ },
      { inputs: '[5,2,4];[3,3];[3];[2]', message: /labels_indices must have two columns, got shape \[3,3\]/ },
      { inputs: '[5,2,4];[3,2];[4];[2]', message: /labels_values of shape \[4\] differ in number/ },
      { inputs: '[5,2,4];[3,2];[3];[3]', message: /sequence_length of shape \[3\] differ in batch/ },
      { inputs: '[5,2,0];[3,2];[3];[2]', message: /inputs must have a class at least, the blank/ },
    ],
  },
} satisfies FamilySamples;
