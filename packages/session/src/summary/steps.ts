/** Host steps of the summary ops: each packs values into the bytes of a `Summary` message. */
import {
  InternalError,
  InvalidArgumentError,
  proto,
  sizeOf,
  TensorValue,
  tensorToProto,
  toHostValue,
} from '@forerun/graph';
import { describe } from '../compiler/ir.js';
import type { HostStepFn, HostStepNode } from '../run/hostOps.js';
import { bytesOfText, strings } from '../run/texts.js';
import { histogramOf } from './histogram.js';
import { audioOf, imageWriter, toBytes } from './media.js';

type SummaryValue = proto.Init<proto.SummaryValue>;

/** What a step makes of its inputs. */
type Summarize = (
  node: HostStepNode,
  inputs: readonly TensorValue[],
) => readonly SummaryValue[] | Promise<readonly SummaryValue[]>;

const packed =
  (summarize: Summarize): HostStepFn =>
  async (node, inputs) => {
    const value = await summarize(node, inputs);
    return [new TensorValue('string', [], [proto.encode('Summary', { value })])];
  };

function inputOf(node: HostStepNode, inputs: readonly TensorValue[], index: number): TensorValue {
  const input = inputs[index];
  if (input === undefined) throw new InternalError(`${describe(node)}: input ${index} is missing`);
  return input;
}

function fail(node: HostStepNode, rule: string): never {
  throw new InvalidArgumentError(`${describe(node)}: ${rule}${node.site()}`, { node: node.name });
}

const tagOf = (node: HostStepNode, inputs: readonly TensorValue[]): string =>
  strings(inputs[0], node.name)[0] ?? '';

/** The numbers of an input. */
function numbersOf(node: HostStepNode, inputs: readonly TensorValue[], index: number): Float64Array {
  const host = toHostValue(inputOf(node, inputs, index));
  if (host === null) throw new InternalError(`${describe(node)}: input ${index} has no numbers`);
  return host.data;
}

const scalars: Summarize = (node, inputs) => {
  const tags = inputOf(node, inputs, 0);
  const values = inputOf(node, inputs, 1);
  if (tags.shape.join() !== values.shape.join())
    fail(
      node,
      `tags and values must have one shape, got [${tags.shape.join()}] and [${values.shape.join()}]`,
    );
  const numbers = numbersOf(node, inputs, 1);
  return strings(tags, node.name).map((tag, i) => ({ tag, simpleValue: numbers[i] ?? 0 }));
};

const histogram: Summarize = (node, inputs) => {
  const values = numbersOf(node, inputs, 1);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined)
    fail(node, `${Number.isNaN(bad) ? 'NaN' : 'infinity'} among the values of "${tagOf(node, inputs)}"`);
  return [{ tag: tagOf(node, inputs), histo: histogramOf(values) }];
};

/** `tag/kind` where one is kept at most, else `tag/kind/0`, `tag/kind/1`, …, for the first of a batch. */
function each(
  { tag, kind, most, batch }: { tag: string; kind: string; most: number; batch: number },
  valueOf: (index: number) => SummaryValue,
): SummaryValue[] {
  return Array.from({ length: Math.min(most, batch) }, (_, i) => ({
    tag: most > 1 ? `${tag}/${kind}/${i}` : `${tag}/${kind}`,
    ...valueOf(i),
  }));
}

const images: Summarize = async (node, inputs) => {
  const { shape, dtype } = inputOf(node, inputs, 1);
  const [batch = 0, height = 0, width = 0, channels = 0] = shape;
  if (sizeOf(shape) === 0) fail(node, `images of shape [${shape.join()}] have no pixels`);
  const values = numbersOf(node, inputs, 1);
  const badColor = node.attrs.tensor('bad_color').data as ArrayLike<number>;
  const size = height * width * channels;
  const round = dtype === 'float64' ? (value: number) => value : Math.fround;
  const most = node.attrs.int('max_images');
  const toImage = await imageWriter();
  return each({ tag: tagOf(node, inputs), kind: 'image', most, batch }, (i) => {
    const own = values.subarray(i * size, (i + 1) * size);
    const pixels = dtype === 'uint8' ? Uint8Array.from(own) : toBytes(own, channels, badColor, round);
    return { image: toImage(pixels, { height, width, channels }) };
  });
};

const sounds: Summarize = (node, inputs) => {
  const [batch = 0, frames = 0, channels = 1] = inputOf(node, inputs, 1).shape;
  const rate = inputs.length > 2 ? (numbersOf(node, inputs, 2)[0] ?? 0) : node.attrs.float('sample_rate');
  if (!(rate > 0)) fail(node, `the sample rate must be positive, got ${rate}`);
  const values = numbersOf(node, inputs, 1);
  const size = frames * channels;
  const most = node.attrs.int('max_outputs');
  return each({ tag: tagOf(node, inputs), kind: 'audio', most, batch }, (i) => ({
    audio: audioOf(values.subarray(i * size, (i + 1) * size), channels, rate),
  }));
};

const tensorV2: Summarize = (node, inputs) => {
  const metadata = proto.decode('SummaryMetadata', bytesOfText(inputOf(node, inputs, 2).data[0]));
  return [{ tag: tagOf(node, inputs), tensor: tensorToProto(inputOf(node, inputs, 1)), metadata }];
};

/** Has no tag: TensorBoard takes the node's name. */
const tensorV1: Summarize = (node, inputs) => [
  { nodeName: node.name, tensor: tensorToProto(inputOf(node, inputs, 0)) },
];

const merged: Summarize = (node, inputs) => {
  const elements = inputs.flatMap(({ data }) => Array.from<unknown>(data));
  const values = elements.flatMap((element) => proto.decode('Summary', bytesOfText(element)).value);
  const tags = new Set<string>();
  for (const { tag } of values) {
    if (tag !== '' && tags.has(tag)) fail(node, `there are two values of the tag "${tag}" in its inputs`);
    tags.add(tag);
  }
  return values;
};

export const SUMMARY_STEPS: Readonly<Record<string, HostStepFn>> = {
  ScalarSummary: packed(scalars),
  HistogramSummary: packed(histogram),
  ImageSummary: packed(images),
  AudioSummary: packed(sounds),
  AudioSummaryV2: packed(sounds),
  TensorSummary: packed(tensorV1),
  TensorSummaryV2: packed(tensorV2),
  MergeSummary: packed(merged),
};
