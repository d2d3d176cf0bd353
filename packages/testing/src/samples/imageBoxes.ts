/** Samples of the ops on boxes: overlapping in chains, flipped, without area, equal scores. */
import type { AttrInputs, NestedArray } from '@forerun/graph';
import type { ErrorCase, FamilySamples, Sample, SampleInput } from '../sample.js';
import { numbers } from './imageInputs.js';

const int = (value: number): SampleInput => ({ value, dtype: 'int32' });

/** A chain of overlapping boxes, one apart, one flipped, one without area, one like the first. */
const BOXES = [
  [0, 0, 1, 1],
  [0, 0.1, 1, 1.1],
  [0, 0.4, 1, 1.4],
  [3, 3, 4, 5],
  [1, 1.05, 0, 0.05],
  [2, 2, 2, 4],
  [0, 0, 1, 1],
];
const SCORES = [0.9, 0.75, 0.6, 0.95, 0.5, 0.3, 0.9];
const RANDOM: Sample['inputs'] = [numbers([23, 4], 3, 0, 2), numbers([23], 8, 0, 1)];

interface Rule {
  readonly name: string;
  readonly limit: number;
  readonly iou: number;
  readonly score: number;
}

const RULES: readonly Rule[] = [
  { name: 'half', limit: 5, iou: 0.5, score: -1 },
  { name: 'strict', limit: 7, iou: 0, score: 0.4 },
  { name: 'few', limit: 2, iou: 0.7, score: 0.2 },
  { name: 'everything, and more room', limit: 20, iou: 1, score: -1 },
  { name: 'nothing', limit: 0, iou: 0.5, score: -1 },
  { name: 'no score is enough', limit: 3, iou: 0.5, score: 2 },
];

const NO_BOXES: Sample['inputs'] = [
  { value: [], shape: [0, 4] },
  { value: [], shape: [0] },
];

/** Every rule on the boxes above, and one on random boxes; `rest` gives the inputs after the scores. */
function selections(rest: (rule: Rule) => Sample['inputs'], attrs: (rule: Rule) => AttrInputs): Sample[] {
  const [half] = RULES;
  const of = (name: string, inputs: Sample['inputs'], rule: Rule): Sample => ({
    name,
    inputs: [...inputs, ...rest(rule)],
    attrs: attrs(rule),
  });
  const own = RULES.map((rule) => of(rule.name, [BOXES, SCORES], rule));
  return half === undefined
    ? own
    : [...own, of('random', RANDOM, { ...half, limit: 9 }), of('no boxes', NO_BOXES, half)];
}

const SCALARS = ';[];[];[];[]';
const scalars = (count: number): string => SCALARS.slice(0, 3 * count);

/** What every form rejects, with `count` scalar inputs after the scores. */
function selectionErrors(count: number): ErrorCase[] {
  const rest = scalars(count);
  return [
    { inputs: `[5,3];[5]${rest}`, message: /boxes must be rows \[y1, x1, y2, x2\], got shape \[5,3\]/ },
    { inputs: `[5,4];[4]${rest}`, message: /boxes \[5,4\] need one score each, scores have shape \[4\]/ },
    { inputs: `[5,4,1];[5]${rest}`, message: /boxes must have rank 2, got shape \[5,4,1\]/ },
    {
      inputs: `[5,4];[5];[1]${scalars(count - 1)}`,
      message: /max_output_size must be a scalar, got shape \[1\]/,
    },
    {
      inputs: `[5,4];[5]${rest}`,
      constants: { 2: -1 },
      message: /max_output_size must not be negative, got -1/,
    },
  ];
}

const PADDED: AttrInputs = { pad_to_max_output_size: true };
const thresholds = ({ limit, iou, score }: Rule): Sample['inputs'] => [int(limit), iou, score];

const CLASS_BOXES: SampleInput = numbers([2, 5, 3, 4], 12, -0.2, 1.2);
const SHARED_BOXES: SampleInput = numbers([2, 5, 1, 4], 13, -0.2, 1.2);
const CLASS_SCORES: SampleInput = numbers([2, 5, 3], 14, 0, 1);

function combined(name: string, boxes: SampleInput, list: readonly number[], attrs: AttrInputs = {}): Sample {
  const [perClass = 1, total = 1, iou = 0.5, score = 0] = list;
  return { name, inputs: [boxes, CLASS_SCORES, int(perClass), int(total), iou, score], attrs };
}

const COMBINED_SHAPE = '[?,5,3,4];[2,5,3];[];[];[];[]';
const LIMITS: Readonly<Record<number, NestedArray>> = { 2: 2, 3: 10 };

export const IMAGE_BOXES_SAMPLES = {
  NonMaxSuppression: {
    samples: selections(
      ({ limit }) => [int(limit)],
      ({ iou }) => ({ iou_threshold: iou }),
    ),
    shapes: [
      { inputs: '[?,4];[?];[]', outputs: '[?]' },
      { inputs: '?;?;?', outputs: '[?]' },
    ],
    errors: [
      ...selectionErrors(1),
      {
        inputs: '[5,4];[5];[]',
        attrs: { iou_threshold: -0.5 },
        message: /iou_threshold must be in \[0, 1\]/,
      },
    ],
  },
  NonMaxSuppressionV2: {
    samples: selections(
      ({ limit, iou }) => [int(limit), iou],
      () => ({}),
    ),
    shapes: [{ inputs: '[?,4];[?];[];[]', outputs: '[?]' }],
    errors: selectionErrors(2),
  },
  NonMaxSuppressionV3: {
    samples: selections(thresholds, () => ({})),
    shapes: [{ inputs: '[?,4];[?];[];[];[]', outputs: '[?]' }],
    errors: selectionErrors(3),
  },
  NonMaxSuppressionV4: {
    samples: [
      ...selections(thresholds, () => ({})),
      ...selections(thresholds, () => PADDED).map((each) => ({ ...each, name: `${each.name}, padded` })),
    ],
    shapes: [
      { inputs: '[?,4];[?];[];[];[]', outputs: '[?];[]' },
      { inputs: '[?,4];[?];[];[];[]', outputs: '[7];[]', attrs: PADDED, constants: { 2: 7 } },
    ],
    errors: selectionErrors(3),
  },
  NonMaxSuppressionV5: {
    samples: [
      ...selections(
        (rule) => [...thresholds(rule), 0],
        () => ({}),
      ),
      ...selections(
        (rule) => [...thresholds(rule), 0.4],
        () => PADDED,
      ).map((each) => ({ ...each, name: `${each.name}, soft` })),
    ],
    shapes: [
      { inputs: '[?,4];[?];[];[];[];[]', outputs: '[?];[?];[]' },
      { inputs: '[?,4];[?];[];[];[];[]', outputs: '[7];[7];[]', attrs: PADDED, constants: { 2: 7 } },
    ],
    errors: selectionErrors(4),
  },
  CombinedNonMaxSuppression: {
    samples: [
      combined('boxes of each class', CLASS_BOXES, [2, 10, 0.3, 0.1]),
      combined('shared boxes', SHARED_BOXES, [3, 4, 0.2, 0.2]),
      combined('padded by class', SHARED_BOXES, [1, 10, 0.4, 0], { pad_per_class: true }),
      combined('not clipped', CLASS_BOXES, [2, 5, 0.5, 0.5], { clip_boxes: false }),
      combined('no score is enough', CLASS_BOXES, [2, 3, 0.5, 2]),
    ],
    shapes: [
      { inputs: COMBINED_SHAPE, outputs: '[2,10,4];[2,10];[2,10];[2]', constants: LIMITS },
      {
        inputs: COMBINED_SHAPE,
        outputs: '[2,6,4];[2,6];[2,6];[2]',
        constants: LIMITS,
        attrs: { pad_per_class: true },
      },
      { inputs: '?;?;?;?;?;?', outputs: '[?,?,4];[?,?];[?,?];[?]' },
    ],
    errors: [
      {
        inputs: '[2,5,2,4];[2,5,3];[];[];[];[]',
        message: /boxes of shape \[2,5,2,4\] do not fit scores of shape \[2,5,3\]/,
      },
      { inputs: '[2,5,1,3];[2,5,3];[];[];[];[]', message: /boxes must be rows/ },
      { inputs: COMBINED_SHAPE, constants: { 3: 0 }, message: /max_total_size must be positive, got 0/ },
    ],
  },
  NonMaxSuppressionWithOverlaps: {
    samples: [
      {
        name: 'not symmetric',
        inputs: [
          { value: [1, 0.9, 0, 0.2, 1, 0.4, 0, 0.8, 1], shape: [3, 3] },
          [0.5, 0.9, 0.7],
          int(3),
          0.5,
          -1,
        ],
      },
      { name: 'random', inputs: [numbers([17, 17], 3, 0, 1), numbers([17], 4, 0, 1), int(6), 0.7, 0.2] },
      { name: 'four', inputs: [numbers([4, 4], 5, 0, 1), numbers([4], 6, 0, 1), int(4), 0.5, 0] },
    ],
    shapes: [
      { inputs: '[?,5];[?];[];[];[]', outputs: '[?]' },
      { inputs: '?;?;?;?;?', outputs: '[?]' },
    ],
    errors: [
      { inputs: '[5,4];[5];[];[];[]', message: /overlaps must be a square matrix, got shape \[5,4\]/ },
      { inputs: '[5,5];[4];[];[];[]', message: /need one score each, scores have shape \[4\]/ },
    ],
  },
  DrawBoundingBoxesV2: {
    samples: [
      {
        name: 'two colours',
        inputs: [numbers([1, 6, 7, 3], 4), numbers([1, 5, 4], 5, -0.2, 1.2), numbers([2, 3], 6)],
        gradientInputs: [0],
      },
      {
        name: 'colours of more channels',
        inputs: [numbers([2, 4, 4, 1], 4), numbers([2, 1, 4], 7, 0, 1), numbers([1, 4], 6)],
        gradientInputs: [0],
      },
      {
        name: 'no colours: the ten',
        inputs: [numbers([1, 5, 5, 4], 4), [[[0, 0, 1, 1]]], { value: [], shape: [0, 4] }],
        gradientInputs: [0],
      },
    ],
    shapes: [
      { inputs: '[?,8,8,3];[2,?,4];[?,3]', outputs: '[?,8,8,3]' },
      { inputs: '?;?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      { inputs: '[1,8,8,3];[1,3,4];[5]', message: /colors must have rank 2, got shape \[5\]/ },
      {
        inputs: '[1,8,8,3];[1,3,4];[5,2]',
        message: /colors need 3 channels or more, got shape \[5,2\]/,
      },
    ],
  },
  DrawBoundingBoxes: {
    samples: [
      {
        name: 'colours over each other',
        inputs: [numbers([2, 8, 9, 3], 4), numbers([2, 12, 4], 5, -0.2, 1.2)],
      },
      {
        name: 'grey, with edges outside and a flipped box',
        inputs: [
          numbers([1, 6, 7, 1], 4),
          [[[0.2, 0.3, 0.9, 0.7], [-0.5, -0.4, 0.5, 0.4], [0.8, 0.1, 0.3, 0.9], [0.5, 0.5, 1.5, 2]]], // prettier-ignore
        ],
      },
      { name: 'four channels', inputs: [numbers([1, 5, 5, 4], 4), [[[0, 0, 1, 1], [0.5, 0.5, 0.5, 0.5]]]] }, // prettier-ignore
      { name: 'no boxes', inputs: [numbers([1, 3, 3, 3], 4), { value: [], shape: [1, 0, 4] }] },
    ].map((each) => ({ ...each, gradientInputs: [0] })),
    shapes: [
      { inputs: '[?,8,8,3];[2,?,4]', outputs: '[?,8,8,3]' },
      { inputs: '?;?', outputs: '[?,?,?,?]' },
    ],
    errors: [
      { inputs: '[1,8,8,2];[1,3,4]', message: /images must have 1, 3 or 4 channels, got shape \[1,8,8,2\]/ },
      { inputs: '[1,8,8,3];[1,3,5]', message: /boxes must be rows \[y1, x1, y2, x2\], got shape \[1,3,5\]/ },
      { inputs: '[1,8,8,3];[2,3,4]', message: /need a list of boxes each, boxes have shape \[2,3,4\]/ },
      { inputs: '[8,8,3];[2,3,4]', message: /images must have rank 4/ },
    ],
  },
} satisfies FamilySamples;
