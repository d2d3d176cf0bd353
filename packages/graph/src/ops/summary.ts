/** Summary ops: values packed into `Summary` messages, which event files hold and TensorBoard shows. They give texts, so they run on the host. */
import { scalarShape, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type InferContext, type OpDef } from '../opDef.js';
import type { TensorShape } from '../shape.js';

const NO_GRADIENT = notDifferentiable('summaries have no derivatives');

/** One message, under a tag that is input 0. */
function tagged(c: InferContext): TensorShape[] {
  withRank(c, 0, 0, 'the tag');
  return scalarShape();
}

function scalars(c: InferContext): TensorShape[] {
  const [tags, values] = [c.shape(0), c.shape(1)];
  if (!tags.isCompatibleWith(values))
    c.fail(`tags and values must have one shape, got ${tags.toString()} and ${values.toString()}`);
  return scalarShape();
}

function images(c: InferContext): TensorShape[] {
  const channels = withRank(c, 1, 4, 'the images').dim(3);
  if (channels !== null && ![1, 3, 4].includes(channels))
    c.fail(`images must have 1, 3 or 4 channels, got ${channels}`);
  return tagged(c);
}

function sounds(c: InferContext): TensorShape[] {
  const { rank } = c.shape(1);
  if (rank !== null && rank !== 2 && rank !== 3)
    c.fail(
      `sounds must have shape [batch, frames] or [batch, frames, channels], got ${c.shape(1).toString()}`,
    );
  return tagged(c);
}

export const SUMMARY = {
  ScalarSummary: op({
    summary: 'A message with a number under each tag.',
    inputs: ['tags: string', 'values: T'],
    outputs: ['summary: string'],
    attrs: ['T: real'],
    infer: scalars,
    grad: NO_GRADIENT,
  }),
  HistogramSummary: op({
    summary: 'A message with the distribution of values.',
    inputs: ['tag: string', 'values: T'],
    outputs: ['summary: string'],
    attrs: ['T: real = float32'],
    infer: tagged,
    grad: NO_GRADIENT,
  }),
  ImageSummary: op({
    summary: 'A message with the first images of a batch, as PNG.',
    inputs: ['tag: string', 'tensor: T'],
    outputs: ['summary: string'],
    attrs: [
      'max_images: int >= 1 = 3',
      'T: {uint8, float32, float16, float64} = float32',
      'bad_color: tensor = uint8 [255, 0, 0, 255]',
    ],
    infer: images,
    grad: NO_GRADIENT,
  }),
  AudioSummaryV2: op({
    summary: 'A message with the first sounds of a batch, as WAV.',
    inputs: ['tag: string', 'tensor: float32', 'sample_rate: float32'],
    outputs: ['summary: string'],
    attrs: ['max_outputs: int >= 1 = 3'],
    infer: sounds,
    grad: NO_GRADIENT,
  }),
  AudioSummary: op({
    summary: 'As AudioSummaryV2, in the form of older files.',
    inputs: ['tag: string', 'tensor: float32'],
    outputs: ['summary: string'],
    attrs: ['sample_rate: float', 'max_outputs: int >= 1 = 3'],
    infer: sounds,
    grad: NO_GRADIENT,
  }),
  TensorSummaryV2: op({
    summary: 'A message with a whole tensor and what a plugin of TensorBoard wants to know of it.',
    inputs: ['tag: string', 'tensor: T', 'serialized_summary_metadata: string'],
    outputs: ['summary: string'],
    attrs: ['T: type'],
    infer: tagged,
    grad: NO_GRADIENT,
  }),
  TensorSummary: op({
    summary: 'As TensorSummaryV2, in the form of older files, under the name of the node.',
    inputs: ['tensor: T'],
    outputs: ['summary: string'],
    attrs: ['T: type', 'description: string = ""', 'labels: list(string) = []', 'display_name: string = ""'],
    infer: scalarShape,
    grad: NO_GRADIENT,
  }),
  MergeSummary: op({
    summary: 'The values of several messages in one.',
    inputs: ['inputs: N * string'],
    outputs: ['summary: string'],
    attrs: ['N: int >= 1'],
    infer: scalarShape,
    grad: NO_GRADIENT,
  }),
} satisfies Record<string, OpDef>;
