/**
 * Ops that move blocks of pixels between dimensions: spaceToDepth and depthToSpace (into the channels),
 * spaceToBatch and batchToSpace (into the batch, which is how older programs dilated convolutions).
 */
import { apply, convertToTensor, type NameOptions } from '../apply.js';
import { constantValue } from '../constantValue.js';
import { InvalidArgumentError } from '../errors.js';
import { withRank } from '../inferHelpers.js';
import { op, type InferContext, type OpDef } from '../opDef.js';
import { sizeOf, TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import { toTensorValue } from '../value.js';
import { dimOf, vectorLength, withShapeOf } from './arrayHost.js';

/** Positions of batch, height, width and channels. */
function imageAxes(c: InferContext): { h: number; w: number; channel: number } {
  const format = c.attrs.string('data_format');
  if (format === 'NCHW_VECT_C')
    c.fail('data_format NCHW_VECT_C holds quantized images, which are not supported');
  return format === 'NCHW' ? { h: 2, w: 3, channel: 1 } : { h: 1, w: 2, channel: 3 };
}

/** `dim / by` where it is known. Rejects dimensions that do not divide. */
function divided(c: InferContext, dim: Dim, by: number, what: string): Dim {
  if (dim === null) return null;
  if (dim % by !== 0) c.fail(`${what} ${dim} is not divisible by ${by}`);
  return dim / by;
}

function scaled(dim: Dim, by: number): Dim {
  return dim === null ? null : dim * by;
}

function inferSpaceToDepth(c: InferContext): TensorShape[] {
  const { h, w, channel } = imageAxes(c);
  const x = withRank(c, 0, 4, 'input');
  const block = c.attrs.int('block_size');
  const dims: Dim[] = [...(x.dims ?? [])];
  dims[h] = divided(c, x.dim(h), block, 'the height');
  dims[w] = divided(c, x.dim(w), block, 'the width');
  dims[channel] = scaled(x.dim(channel), block * block);
  return [new TensorShape(dims)];
}

function inferDepthToSpace(c: InferContext): TensorShape[] {
  const { h, w, channel } = imageAxes(c);
  const x = withRank(c, 0, 4, 'input');
  const block = c.attrs.int('block_size');
  const dims: Dim[] = [...(x.dims ?? [])];
  dims[h] = scaled(x.dim(h), block);
  dims[w] = scaled(x.dim(w), block);
  dims[channel] = divided(c, x.dim(channel), block * block, 'the number of channels');
  return [new TensorShape(dims)];
}

/** What the ops between space and batch are told: block sizes and [before, after] per spatial dimension; NaN where unknown. */
interface Blocks {
  readonly sizes: readonly number[];
  readonly borders: readonly (readonly [before: number, after: number])[];
}

/** The inputs `block_shape` and `paddings` (or `crops`); `null` when not even their length is known. */
function blocksOf(c: InferContext, borderName: string): Blocks | null {
  const borders = withRank(c, 2, 2, borderName);
  const length = vectorLength(c, 1, 'block_shape') ?? borders.dim(0);
  if (length === null) return null;
  if (!borders.isCompatibleWith(new TensorShape([length, 2]))) {
    c.fail(`${borderName} must have shape [${length},2], got ${borders.toString()}`);
  }
  const sizes = c.constant(1)?.data ?? new Float64Array(length).fill(NaN);
  return { sizes: [...sizes], borders: borderPairs(c, 2, length) };
}

/** Pairs from an input of shape [length, 2]. */
function borderPairs(c: InferContext, i: number, length: number): [number, number][] {
  const data = c.constant(i)?.data;
  return Array.from({ length }, (_, d) => [data?.[2 * d] ?? NaN, data?.[2 * d + 1] ?? NaN]);
}

/** The blocks of the older ops: one size for both dimensions of an image. */
function squareBlocks(c: InferContext, borderName: string): Blocks {
  const borders = withRank(c, 1, 2, borderName);
  withRank(c, 0, 4, 'input');
  if (!borders.isCompatibleWith(new TensorShape([2, 2]))) {
    c.fail(`${borderName} must have shape [2,2], got ${borders.toString()}`);
  }
  const block = c.attrs.int('block_size');
  return { sizes: [block, block], borders: borderPairs(c, 1, 2) };
}

function checkBlocks(c: InferContext, { sizes, borders }: Blocks, borderName: string): void {
  const small = sizes.find((size) => size < 1);
  if (small !== undefined) c.fail(`block sizes must be 1 or more, got ${small}`);
  const negative = borders.flat().find((border) => border < 0);
  if (negative !== undefined) c.fail(`${borderName} must not be negative, got ${negative}`);
}

/** The product of all block sizes; `null` when any is unknown. */
function blockVolume(sizes: readonly number[]): Dim {
  return dimOf(sizeOf(sizes));
}

function spatialInput(c: InferContext, blocks: Blocks): TensorShape | null {
  const x = c.shape(0);
  if (x.rank !== null && x.rank < 1 + blocks.sizes.length) {
    c.fail(`input ${x.toString()} has fewer than 1 + ${blocks.sizes.length} dimensions`);
  }
  return x.rank === null ? null : x;
}

function inferToBatch(c: InferContext, blocks: Blocks | null): TensorShape[] {
  if (blocks === null) return [TensorShape.UNKNOWN];
  checkBlocks(c, blocks, 'paddings');
  const x = spatialInput(c, blocks);
  if (x === null) return [TensorShape.UNKNOWN];
  const volume = blockVolume(blocks.sizes);
  const batch = x.dim(0);
  const spatial = blocks.sizes.map((size, d): Dim => {
    const [before, after] = blocks.borders[d] ?? [0, 0];
    const padded = dimOf((x.dim(d + 1) ?? NaN) + before + after);
    return Number.isNaN(size) ? null : divided(c, padded, size, `the padded size of dimension ${d + 1},`);
  });
  const first = volume === null ? null : scaled(batch, volume);
  return [new TensorShape([first, ...spatial]).concat(x.slice(1 + spatial.length))];
}

function inferFromBatch(c: InferContext, blocks: Blocks | null): TensorShape[] {
  if (blocks === null) return [TensorShape.UNKNOWN];
  checkBlocks(c, blocks, 'crops');
  const x = spatialInput(c, blocks);
  if (x === null) return [TensorShape.UNKNOWN];
  const volume = blockVolume(blocks.sizes);
  const spatial = blocks.sizes.map((size, d): Dim => {
    const [before, after] = blocks.borders[d] ?? [0, 0];
    const whole = (x.dim(d + 1) ?? NaN) * size;
    if (before + after > whole)
      c.fail(`crops [${before},${after}] exceed the size ${whole} of dimension ${d + 1}`);
    return dimOf(whole - before - after);
  });
  const first = volume === null ? null : divided(c, x.dim(0), volume, 'the batch');
  return [new TensorShape([first, ...spatial]).concat(x.slice(1 + spatial.length))];
}

const FORMAT = 'data_format: {"NHWC", "NCHW", "NCHW_VECT_C"} = "NHWC"';

function depthOp(summary: string, infer: OpDef['infer'], inverse: 'depthToSpace' | 'spaceToDepth'): OpDef {
  return op({
    summary,
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'block_size: int >= 2', FORMAT],
    infer,
    // dx = dy moved back
    grad: ({ ops, attrs, input, dy }) => {
      const dataFormat = attrs.string('data_format');
      return [withShapeOf(ops[inverse](dy, attrs.int('block_size'), { dataFormat }), input(0))];
    },
  });
}

export const ARRAY_BLOCK = {
  SpaceToDepth: depthOp('Blocks of pixels moved into the channels.', inferSpaceToDepth, 'depthToSpace'),
  DepthToSpace: depthOp('Channels spread out into blocks of pixels.', inferDepthToSpace, 'spaceToDepth'),

  SpaceToBatchND: op({
    summary: 'Zero-padded blocks moved into the batch.',
    inputs: ['input: T', 'block_shape: Tblock_shape', 'paddings: Tpaddings'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tblock_shape: index = int32', 'Tpaddings: index = int32'],
    infer: (c) => inferToBatch(c, blocksOf(c, 'paddings')),
    grad: ({ ops, input, dy }) => [
      withShapeOf(ops.batchToSpaceNd(dy, input(1), input(2)), input(0)), // dx = dy moved back, without the padding
      null,
      null,
    ],
  }),
  BatchToSpaceND: op({
    summary: 'A batch spread out into blocks, then cropped.',
    inputs: ['input: T', 'block_shape: Tblock_shape', 'crops: Tcrops'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tblock_shape: index = int32', 'Tcrops: index = int32'],
    infer: (c) => inferFromBatch(c, blocksOf(c, 'crops')),
    grad: ({ ops, input, dy }) => [
      withShapeOf(ops.spaceToBatchNd(dy, input(1), input(2)), input(0)), // dx = dy moved back, zeros where it was cropped
      null,
      null,
    ],
  }),

  SpaceToBatch: op({
    summary: 'Zero-padded square blocks of images moved into the batch.',
    inputs: ['input: T', 'paddings: Tpaddings'],
    outputs: ['output: T'],
    attrs: ['T: type', 'Tpaddings: index = int32', 'block_size: int >= 2'],
    infer: (c) => inferToBatch(c, squareBlocks(c, 'paddings')),
    grad: ({ ops, attrs, input, dy }) => {
      const dx = ops.batchToSpace(dy, input(1), attrs.int('block_size'));
      return [withShapeOf(dx, input(0)), null];
    },
  }),
  BatchToSpace: op({
    summary: 'A batch of images spread out into square blocks, then cropped.',
    inputs: ['input: T', 'crops: Tidx'],
    outputs: ['output: T'],
    attrs: ['T: type', 'block_size: int >= 2', 'Tidx: index = int32'],
    infer: (c) => inferFromBatch(c, squareBlocks(c, 'crops')),
    grad: ({ ops, attrs, input, dy }) => {
      const dx = ops.spaceToBatch(dy, input(1), attrs.int('block_size'));
      return [withShapeOf(dx, input(0)), null];
    },
  }),
};

export interface BlockOptions extends NameOptions {
  /** `NHWC` (default) or `NCHW`. */
  readonly dataFormat?: string;
}

/**
 * Moves blocks of `blockSize` x `blockSize` pixels into the channels (`tf.space_to_depth`): of
 * `[n, h, w, c]` becomes `[n, h/b, w/b, c·b·b]`, the place in the block being the slow part of the
 * new channel. Throws when a size is not divisible.
 */
export function spaceToDepth(
  input: TensorLike,
  blockSize: number,
  { dataFormat = 'NHWC', name }: BlockOptions = {},
): Tensor {
  const attrs = { block_size: blockSize, data_format: dataFormat };
  return apply('SpaceToDepth', [convertToTensor(input)], { name, attrs });
}

/**
 * Spreads channels out into blocks of `blockSize` x `blockSize` pixels, the inverse of `spaceToDepth`
 * (`tf.depth_to_space`). Throws when the number of channels is not divisible by the square.
 */
export function depthToSpace(
  input: TensorLike,
  blockSize: number,
  { dataFormat = 'NHWC', name }: BlockOptions = {},
): Tensor {
  const attrs = { block_size: blockSize, data_format: dataFormat };
  return apply('DepthToSpace', [convertToTensor(input)], { name, attrs });
}

/**
 * Pads dimensions 1 … M of `input` with zeros, cuts them into blocks of `blockShape` and moves the place
 * in the block into the batch (`tf.space_to_batch_nd`): output batch `place · n + b`.
 */
export function spaceToBatchNd(
  input: TensorLike,
  blockShape: TensorLike,
  paddings: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('SpaceToBatchND', [input, blockShape, paddings], { name });
}

/** The inverse of `spaceToBatchNd`, with `crops` taken off at the end (`tf.batch_to_space_nd`). */
export function batchToSpaceNd(
  input: TensorLike,
  blockShape: TensorLike,
  crops: TensorLike,
  { name }: NameOptions = {},
): Tensor {
  return apply('BatchToSpaceND', [input, blockShape, crops], { name });
}

/** `spaceToBatchNd` of images, with one block size for height and width (`tf.space_to_batch`). */
export function spaceToBatch(
  input: TensorLike,
  paddings: TensorLike,
  blockSize: number,
  { name }: NameOptions = {},
): Tensor {
  return apply('SpaceToBatch', [input, paddings], { name, attrs: { block_size: blockSize } });
}

/** `batchToSpaceNd` of images, with one block size for height and width (`tf.batch_to_space`). */
export function batchToSpace(
  input: TensorLike,
  crops: TensorLike,
  blockSize: number,
  { name }: NameOptions = {},
): Tensor {
  return apply('BatchToSpace', [input, crops], { name, attrs: { block_size: blockSize } });
}

/**
 * The least paddings that make `inputShape` divisible by `blockShape`, and the crops that undo what was
 * added beyond `basePaddings` (`tf.required_space_to_batch_paddings`): both of shape `[M, 2]`. Values must
 * be known while the graph is built; throws `InvalidArgumentError` when they are not.
 */
export function requiredSpaceToBatchPaddings(
  inputShape: TensorLike,
  blockShape: TensorLike,
  { basePaddings }: NameOptions & { readonly basePaddings?: TensorLike } = {},
): [paddings: Tensor, crops: Tensor] {
  const [shape, blocks] = [knownList(inputShape, 'inputShape'), knownList(blockShape, 'blockShape')];
  const base =
    basePaddings === undefined ? blocks.flatMap(() => [0, 0]) : knownList(basePaddings, 'basePaddings');
  const [paddings, crops]: [number[][], number[][]] = [[], []];
  blocks.forEach((block, d) => {
    const [before, after] = [base[2 * d] ?? 0, base[2 * d + 1] ?? 0];
    const full = (shape[d] ?? 0) + before + after;
    const extra = (block - (full % block)) % block;
    paddings.push([before, after + extra]);
    crops.push([0, extra]);
  });
  const pairs = (list: number[][]): Tensor =>
    convertToTensor(toTensorValue(list.flat(), 'int32', [list.length, 2]));
  return [pairs(paddings), pairs(crops)];
}

function knownList(value: TensorLike, name: string): number[] {
  const known = constantValue(convertToTensor(value, isLiteral(value) ? { dtype: 'int32' } : {}));
  if (known === null || known.data.some(Number.isNaN)) {
    throw new InvalidArgumentError(
      `requiredSpaceToBatchPaddings: ${name} is not known while the graph is built`,
    );
  }
  return [...known.data];
}

function isLiteral(value: TensorLike): boolean {
  return Array.isArray(value) && value.flat().every((item) => typeof item === 'number');
}
