/** Shape rules of fused batch normalization and its gradient. */
import type { InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';

/** Input `i` with the rank and the number of channels that `data_format` and the other inputs say. */
function imagesShape(c: InferContext, i: number, name: string): TensorShape {
  const format = c.attrs.string('data_format');
  const shape = c.shape(i);
  if (shape.rank === null) return TensorShape.ofRank(format.length);
  if (shape.rank !== format.length) {
    c.fail(`${name} must have rank ${format.length} for ${format}, got shape ${shape.toString()}`);
  }
  return shape;
}

function channelAxis(c: InferContext): number {
  const format = c.attrs.string('data_format');
  return format.startsWith('NC') ? 1 : format.length - 1;
}

/** The number of channels that `x` and the vectors at `positions` agree on. */
function channelsOf(c: InferContext, x: TensorShape, positions: readonly (readonly [number, string])[]): Dim {
  let channels = x.dim(channelAxis(c));
  for (const [i, name] of positions) {
    const shape = c.shape(i);
    if (shape.rank === null) continue;
    if (shape.rank !== 1) c.fail(`${name} must be a vector, got shape ${shape.toString()}`);
    const size = shape.dim(0);
    if (size !== null && channels !== null && size !== channels) {
      c.fail(`${name} has ${size} elements for ${channels} channels`);
    }
    channels ??= size;
  }
  return channels;
}

function withChannels(x: TensorShape, axis: number, channels: Dim): TensorShape {
  return new TensorShape((x.dims ?? []).map((dim, i) => (i === axis ? channels : dim)));
}

/** y, four vectors, and with `third` the reserved scalar. */
export function inferBatchNorm(c: InferContext, third: boolean): TensorShape[] {
  const x = imagesShape(c, 0, 'x');
  // the statistics of the batch replace mean and variance, which may then have any length
  const replaced = c.attrs.bool('is_training') && c.attrs.float('exponential_avg_factor') === 1;
  const channels = channelsOf(c, x, [
    [1, 'scale'],
    [2, 'offset'],
    ...(replaced
      ? []
      : ([
          [3, 'mean'],
          [4, 'variance'],
        ] as const)),
  ]);
  if (replaced) requireVectors(c);
  const vector = new TensorShape([channels]);
  const shapes = [withChannels(x, channelAxis(c), channels), vector, vector, vector, vector];
  return third ? [...shapes, TensorShape.SCALAR] : shapes;
}

function requireVectors(c: InferContext): void {
  for (const [i, name] of [
    [3, 'mean'],
    [4, 'variance'],
  ] as const) {
    const { rank } = c.shape(i);
    if (rank !== null && rank !== 1) c.fail(`${name} must be a vector, got shape ${c.shape(i).toString()}`);
  }
}

/** x_backprop, scale_backprop, offset_backprop and two empty outputs. */
export function inferBatchNormGrad(c: InferContext): TensorShape[] {
  const [dy, x] = [imagesShape(c, 0, 'y_backprop'), imagesShape(c, 1, 'x')];
  const merged = dy.mergeWith(x);
  if (merged === null) {
    c.fail(`y_backprop has shape ${dy.toString()}, expected that of x, ${x.toString()}`);
  }
  const channels = channelsOf(c, merged, [
    [2, 'scale'],
    [3, 'reserve_space_1'],
    [4, 'reserve_space_2'],
  ]);
  const vector = new TensorShape([channels]);
  const empty = new TensorShape([0]);
  return [withChannels(merged, channelAxis(c), channels), vector, vector, empty, empty];
}
