/**
 * Training steps of networks beyond the workloads of `npm run bench`: what is fed and how large they are, the same for every
 * framework. Nothing here loads one.
 */
import { sizeOf, type BatchArray } from '../workloads/specs.js';

/** Sizes that both sides build from. */
export const SIZES = {
  vae: { hidden: 400, latent: 20 },
  dcgan: { noise: 64, widths: [128, 64, 32] },
  unet: { widths: [16, 32, 64], image: 64 },
  /** Expansion, filters, stride of each block. */
  mobileNet: {
    blocks: [
      [1, 16, 1],
      [6, 24, 1],
      [6, 24, 1],
      [6, 32, 2],
      [6, 32, 1],
      [6, 64, 2],
      [6, 64, 1],
    ],
  },
  text: { vocabulary: 10_000, width: 64, units: 64, time: 32 },
  seq2seq: { vocabulary: 1000, width: 64, units: 64, time: 12 },
  vit: { patch: 4, width: 128, heads: 4, layers: 4 },
  words: { vocabulary: 50_000, width: 128, sampled: 64 },
  sparse: { features: 100_000, present: 32 },
} as const;

/** One training step. */
export interface NetworkSpec {
  readonly title: string;
  readonly optimizer: 'adam' | 'sgd';
  readonly feeds: Readonly<Record<string, BatchArray>>;
}

let state = 12345;
function next(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

/** Numbers in [0, 1). */
function reals(...shape: number[]): BatchArray {
  return { dtype: 'float32', shape, data: Float32Array.from({ length: sizeOf(shape) }, next) };
}

/** Whole numbers below `limit`. */
function ids(limit: number, ...shape: number[]): BatchArray {
  const data = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * limit));
  return { dtype: 'int32', shape, data };
}

const { text, seq2seq, words, sparse } = SIZES;
const image = (batch: number): Record<string, BatchArray> => ({
  x: reals(batch, 32, 32, 3),
  labels: ids(10, batch),
});
const digits = (batch: number): Record<string, BatchArray> => ({
  x: reals(batch, 784),
  labels: ids(10, batch),
});

export const NETWORKS = {
  vae: {
    title: 'variational autoencoder 784-400-20, batch 128',
    optimizer: 'adam',
    feeds: { x: reals(128, 784) },
  },
  dcgan: {
    title: 'DCGAN on 32x32 images, both networks, batch 32',
    optimizer: 'adam',
    feeds: { x: reals(32, 32, 32, 3) },
  },
  unet: {
    title: 'U-Net of three levels on 64x64 images, batch 4',
    optimizer: 'adam',
    feeds: { x: reals(4, 64, 64, 3), labels: ids(2, 4, 64, 64) },
  },
  mobileNet: { title: 'MobileNet v2 blocks on 32x32 images, batch 16', optimizer: 'adam', feeds: image(16) },
  biGru: {
    title: 'bidirectional GRU over 32 embedded words, batch 32',
    optimizer: 'adam',
    feeds: { words: ids(text.vocabulary, 32, text.time), labels: ids(2, 32) },
  },
  mlpNorm: { title: '784-256-256-10, batch norm, dropout, batch 128', optimizer: 'adam', feeds: digits(128) },
  seq2seq: {
    title: 'LSTM encoder, attending LSTM decoder, batch 32',
    optimizer: 'adam',
    feeds: { from: ids(seq2seq.vocabulary, 32, seq2seq.time), to: ids(seq2seq.vocabulary, 32, seq2seq.time) },
  },
  vit: { title: 'vision transformer, 64 patches, batch 16', optimizer: 'adam', feeds: image(16) },
  word2vec: {
    title: 'word2vec, 50,000 words, 64 negatives, batch 128',
    optimizer: 'sgd',
    feeds: { words: ids(words.vocabulary, 128), labels: ids(words.vocabulary, 128, 1) },
  },
  sparseLogistic: {
    title: 'logistic regression, 32 of 100,000 features, batch 256',
    optimizer: 'adam',
    feeds: { features: ids(sparse.features, 256, sparse.present), labels: reals(256) },
  },
  mlpOne: { title: '784-128-10, one example', optimizer: 'adam', feeds: digits(1) },
  mobileNetOne: { title: 'MobileNet v2 blocks, one image', optimizer: 'adam', feeds: image(1) },
  vitOne: { title: 'vision transformer, one image', optimizer: 'adam', feeds: image(1) },
} as const satisfies Record<string, NetworkSpec>;

export type NetworkName = keyof typeof NETWORKS;

export const NETWORK_NAMES = Object.keys(NETWORKS) as NetworkName[];
