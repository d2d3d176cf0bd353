/** `ExtractGlimpse`: a small window of each image, which may reach beyond it (Mnih et al., 2014). */
import { apply, type NameOptions } from '../apply.js';
import { shapeFromInput, withRank } from '../inferHelpers.js';
import { notDifferentiable, op, type ComposeContext, type InferContext, type OpDef } from '../opDef.js';
import { TensorShape } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

function infer(c: InferContext): TensorShape[] {
  const [images, offsets] = [withRank(c, 0, 4, 'input'), withRank(c, 2, 2, 'offsets')];
  const size = shapeFromInput(c, 1).mergeWith(TensorShape.ofRank(2));
  if (size === null) c.fail(`size must hold a height and a width, got ${shapeFromInput(c, 1).toString()}`);
  const pairs = offsets.mergeWith(new TensorShape([images.dim(0), 2]));
  if (pairs === null) {
    c.fail(`offsets must be a pair for each image of ${images.toString()}, got shape ${offsets.toString()}`);
  }
  const noise = c.attrs.string('noise');
  if (!['uniform', 'gaussian', 'zero'].includes(noise)) {
    c.fail(`noise must be uniform, gaussian or zero, got "${noise}"`);
  }
  if (noise !== 'uniform' && c.attrs.bool('uniform_noise'))
    c.fail(`uniform_noise is not for noise "${noise}"`);
  return [new TensorShape([pairs.dim(0), size.dim(0), size.dim(1), images.dim(3)])];
}

/** The first row or column of each window, [batch], by TensorFlow's rules; parts of pixels are cut off toward 0. */
function start({ ops, attrs, input }: ComposeContext, axis: 0 | 1): Tensor {
  const along = (t: Tensor, i: number): Tensor => ops.cast(ops.gather(t, i), 'float32');
  const [image, window] = [along(ops.shape(input(0)), axis + 1), along(input(1), axis)];
  const given = ops.gather(input(2), axis, { axis: 1 });
  const pixels = attrs.bool('normalized') ? ops.mul(given, image) : given;
  const placed = attrs.bool('centered') ? ops.div(ops.add(pixels, image), 2) : pixels;
  return ops.cast(ops.sub(placed, ops.div(window, 2)), 'int32');
}

/** What stands where a window is beyond its image: noise in the range, or with mean and deviation, of each channel. */
function outside({ ops, attrs, input }: ComposeContext, like: Tensor): Tensor {
  const noise = attrs.string('noise');
  if (noise === 'zero') return ops.zerosLike(like);
  const over = { axis: [1, 2], keepDims: true };
  const shape = ops.shape(like);
  if (noise === 'uniform' && attrs.bool('uniform_noise')) {
    const least = ops.reduceMin(input(0), over);
    const range = ops.sub(ops.reduceMax(input(0), over), least);
    return ops.add(ops.mul(apply('RandomUniform', [shape], { attrs: { dtype: 'float32' } }), range), least);
  }
  const mean = ops.reduceMean(input(0), over);
  const deviation = ops.sqrt(ops.reduceMean(ops.squaredDifference(input(0), mean), over));
  return ops.add(
    ops.mul(apply('RandomStandardNormal', [shape], { attrs: { dtype: 'float32' } }), deviation),
    mean,
  );
}

function compose(c: ComposeContext): Tensor[] {
  const { ops, input } = c;
  const x = input(0);
  const sizes = ops.shape(x);
  const line = (axis: 0 | 1): { at: Tensor; inside: Tensor } => {
    const steps = ops.range(ops.gather(input(1), axis));
    const places = ops.add(ops.expandDims(start(c, axis), 1), steps);
    const last = ops.sub(ops.gather(sizes, axis + 1), 1);
    const inside = ops.logicalAnd(ops.greaterEqual(places, 0), ops.lessEqual(places, last));
    return { at: ops.clipByValue(places, 0, ops.maximum(last, 0)), inside };
  };
  const [rows, columns] = [line(0), line(1)];
  const lines = ops.gather(x, rows.at, { axis: 1, batchDims: 1 });
  const window = ops.gather(ops.transpose(lines, { perm: [0, 2, 1, 3] }), columns.at, {
    axis: 1,
    batchDims: 1,
  });
  const seen = ops.transpose(window, { perm: [0, 2, 1, 3] });
  const both = ops.logicalAnd(ops.expandDims(rows.inside, 2), ops.expandDims(columns.inside, 1));
  return [ops.whereV2(ops.expandDims(both, -1), seen, outside(c, seen))];
}

export const IMAGE_GLIMPSE = {
  ExtractGlimpse: op({
    summary: 'A window of each image at a given place, with noise where it reaches beyond.',
    inputs: ['input: float32', 'size: int32', 'offsets: float32'],
    outputs: ['glimpse: float32'],
    attrs: [
      'centered: bool = true',
      'normalized: bool = true',
      'uniform_noise: bool = true',
      'noise: string = "uniform"',
    ],
    infer,
    grad: notDifferentiable('TensorFlow defines none: its place is a step function of the offsets'),
    compose,
  }),
} satisfies Record<string, OpDef>;

export interface GlimpseOptions extends NameOptions {
  /** Offsets are from the middle of the image, rather than from its first pixel; default `true`. */
  readonly centered?: boolean | undefined;
  /** Offsets are in parts of the image, 1 being its end, rather than in pixels; default `true`. */
  readonly normalized?: boolean | undefined;
  /** Uniform noise in the range of each channel, rather than normal with its mean and deviation; default `true`. */
  readonly uniformNoise?: boolean | undefined;
}

/**
 * Windows of `size` `[height, width]` of images `[batch, height, width, channels]`, in the middle of which are the `offsets` [batch, 2],
 * y before x (`tf.image.extract_glimpse`; Mnih et al., "Recurrent Models of Visual Attention", 2014). Beyond an image is noise.
 * Centered offsets in pixels count half, as in TensorFlow. Has no gradient. Throws for other shapes.
 */
export function extractGlimpse(
  input: TensorLike,
  size: TensorLike,
  offsets: TensorLike,
  { centered = true, normalized = true, uniformNoise = true, name }: GlimpseOptions = {},
): Tensor {
  return apply('ExtractGlimpse', [input, size, offsets], {
    name,
    attrs: { centered, normalized, uniform_noise: uniformNoise },
  });
}
