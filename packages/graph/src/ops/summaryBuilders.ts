/** `fr.summary`: what a step should tell TensorBoard, as ops of the graph (`tf.summary`). */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { encode } from '../proto/encode.js';
import { getDefaultGraph, nameScope } from '../scopes.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { TensorValue } from '../value.js';
import { GraphKeys } from '../variableKeys.js';

export interface SummaryOptions {
  /** Collections of the graph that the summary is added to. Default: `GraphKeys.SUMMARIES`, which `mergeAll` merges. */
  readonly collections?: readonly string[];
  /** A prefix of the tag, by which TensorBoard groups. */
  readonly family?: string;
}

export interface ImageSummaryOptions extends SummaryOptions {
  /** Images of the batch that are kept; default 3. */
  readonly maxOutputs?: number;
}

/** The name with what no name of a node may have replaced, as TensorFlow does. */
function cleanTag(name: string): string {
  const cleaned = name.replace(/[^-/\w.]/g, '_').replace(/^\/+/, '');
  if (cleaned === '') throw new InvalidArgumentError('a summary needs a name: it is its tag');
  return cleaned;
}

/** Makes a summary within a scope of its own, of which its tag has the name. */
function summarize(
  name: string,
  { collections = [GraphKeys.SUMMARIES], family }: SummaryOptions,
  build: (tag: string, scope: string) => Tensor,
): Tensor {
  const prefix = family === undefined ? '' : `${cleanTag(family)}/`;
  const summary = nameScope(`${prefix}${cleanTag(name)}`, (scope) => {
    const tag = scope.replace(/\/$/, '');
    return build(`${prefix}${tag}`, scope);
  });
  getDefaultGraph().addToCollections(collections, summary);
  return summary;
}

/** A number: a real scalar. Gives a serialized `Summary`, a string scalar, as all of these do (`tf.summary.scalar`). */
export function scalarSummary(name: string, tensor: TensorLike, options: SummaryOptions = {}): Tensor {
  return summarize(name, options, (tag, scope) => apply('ScalarSummary', [tag, tensor], { name: scope }));
}

/** The distribution of the values of a real tensor of any shape (`tf.summary.histogram`). A run refuses NaN and infinite ones. */
export function histogramSummary(name: string, values: TensorLike, options: SummaryOptions = {}): Tensor {
  return summarize(name, options, (tag, scope) => apply('HistogramSummary', [tag, values], { name: scope }));
}

/**
 * Images [batch, height, width, channels] of 1, 3 or 4 channels (`tf.summary.image`). uint8 ones stay as they are; each of the
 * others is scaled to 0 … 255, with 0 at 128 where it has negative values. Pixels that are not finite become red.
 */
export function imageSummary(
  name: string,
  tensor: TensorLike,
  { maxOutputs = 3, ...options }: ImageSummaryOptions = {},
): Tensor {
  return summarize(name, options, (tag, scope) =>
    apply('ImageSummary', [tag, tensor], { name: scope, attrs: { max_images: maxOutputs } }),
  );
}

/** Sounds from -1 to 1, [batch, frames] or [batch, frames, channels] float32, with `sampleRate` in hertz (`tf.summary.audio`). */
export function audioSummary(
  name: string,
  tensor: TensorLike,
  sampleRate: TensorLike,
  { maxOutputs = 3, ...options }: ImageSummaryOptions = {},
): Tensor {
  return summarize(name, options, (tag, scope) =>
    apply('AudioSummaryV2', [tag, tensor, convertToTensor(sampleRate, { dtype: 'float32' })], {
      name: scope,
      attrs: { max_outputs: maxOutputs },
    }),
  );
}

/** Texts in Markdown, of any shape (`tf.summary.text`). */
export function textSummary(name: string, tensor: TensorLike, options: SummaryOptions = {}): Tensor {
  return tensorSummary(name, convertToTensor(tensor, { dtype: 'string' }), { ...options, plugin: 'text' });
}

/** Any tensor for a plugin of TensorBoard, by the plugin's name (`tf.summary.tensor_summary`). */
export function tensorSummary(
  name: string,
  tensor: TensorLike,
  { plugin = '', ...options }: SummaryOptions & { readonly plugin?: string } = {},
): Tensor {
  const metadata = encode('SummaryMetadata', plugin === '' ? {} : { pluginData: { pluginName: plugin } });
  const serialized = new TensorValue('string', [], [metadata]);
  return summarize(name, options, (tag, scope) =>
    apply('TensorSummaryV2', [tag, tensor, serialized], { name: scope }),
  );
}

export interface MergeSummaryOptions extends NameOptions {
  /** Collections that the merged summary is added to; default none. */
  readonly collections?: readonly string[];
}

/** One summary with the values of several (`tf.summary.merge`). A run refuses two values of one tag. */
export function mergeSummaries(
  inputs: readonly TensorLike[],
  { collections = [], name = 'Merge' }: MergeSummaryOptions = {},
): Tensor {
  if (inputs.length === 0) throw new InvalidArgumentError('mergeSummaries: there are no summaries to merge');
  const merged = nameScope(name, (scope) => apply('MergeSummary', [inputs], { name: scope }));
  getDefaultGraph().addToCollections(collections, merged);
  return merged;
}

/** All summaries of the default graph's collection `key` in one; `null` where there are none (`tf.summary.merge_all`). */
export function mergeAllSummaries({
  key = GraphKeys.SUMMARIES,
  scope,
  name,
}: NameOptions & { readonly key?: string; readonly scope?: string } = {}): Tensor | null {
  const summaries = getDefaultGraph().getCollection(key, scope) as Tensor[];
  return summaries.length === 0 ? null : mergeSummaries(summaries, name === undefined ? {} : { name });
}
