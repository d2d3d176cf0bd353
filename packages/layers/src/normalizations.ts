/** Layers that normalize within each example: layer, instance and group normalization. */
import {
  InvalidArgumentError,
  gather,
  moments,
  reshape,
  shape as shapeOf,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { onesInitializer, zerosInitializer } from './initializers.js';
import { Layer, type Activation, type LayerOptions } from './layer.js';
import { batchNormalization as normalize } from './nnNorms.js';
import type { Regularizer } from './regularizers.js';

/** What the three layers have in common. */
export interface NormalizationOptions extends LayerOptions {
  /** Whether there is a `beta` to add; default `true`. */
  readonly center?: boolean | undefined;
  /** Whether there is a `gamma` to multiply by; default `true`. */
  readonly scale?: boolean | undefined;
  /** Added to the variance. */
  readonly epsilon?: number | undefined;
  readonly betaInitializer?: Initializer | undefined;
  readonly gammaInitializer?: Initializer | undefined;
  readonly betaRegularizer?: Regularizer | undefined;
  readonly gammaRegularizer?: Regularizer | undefined;
  readonly activation?: Activation | null | undefined;
}

/** A layer with `beta` and `gamma`, made in this order as in TensorFlow. */
abstract class Normalization extends Layer {
  #beta: Variable | null = null;
  #gamma: Variable | null = null;

  protected constructor(
    kind: string,
    protected readonly settings: NormalizationOptions,
  ) {
    super(kind, settings);
  }

  protected makeWeights(shape: readonly number[]): void {
    const { center = true, scale = true, betaInitializer, gammaInitializer } = this.settings;
    if (center) {
      this.#beta = this.addWeight('beta', shape, {
        initializer: betaInitializer ?? zerosInitializer(),
        regularizer: this.settings.betaRegularizer,
      });
    }
    if (scale) {
      this.#gamma = this.addWeight('gamma', shape, {
        initializer: gammaInitializer ?? onesInitializer(),
        regularizer: this.settings.gammaRegularizer,
      });
    }
  }

  /** Normalizes `x` over `axes`; `arrange` brings `beta` and `gamma` into a shape that broadcasts with it. */
  protected normalize(
    x: Tensor,
    axes: readonly number[],
    epsilon: number,
    arrange: (value: Variable) => TensorLike,
  ): Tensor {
    const [mean, variance] = moments(x, axes, { keepDims: true });
    const [beta, gamma] = [this.#beta, this.#gamma].map((v) => (v === null ? null : arrange(v)));
    return normalize(x, mean, variance, beta ?? null, gamma ?? null, epsilon);
  }

  protected rankOf({ rank }: TensorShape): number {
    if (rank !== null) return rank;
    throw new InvalidArgumentError(`${this.kind}: the rank of the inputs must be known`);
  }

  /** A position from an axis that may count from the end. */
  protected position(axis: number, shape: TensorShape, what: string): number {
    const rank = this.rankOf(shape);
    if (Number.isInteger(axis) && axis >= -rank && axis < rank) return axis < 0 ? axis + rank : axis;
    throw new InvalidArgumentError(
      `${this.kind}: ${what} ${axis} is out of range for inputs of shape ${shape.toString()}`,
    );
  }
}

export interface LayerNormalizationOptions extends NormalizationOptions {
  /** The first dimension that is normalized over, and all after it; default 1. */
  readonly beginNormAxis?: number | undefined;
  /** The first dimension that `beta` and `gamma` have; default -1, the last. */
  readonly beginParamsAxis?: number | undefined;
}

/** See `layerNormalization`. */
export class LayerNormalization extends Normalization {
  constructor(private readonly axes: LayerNormalizationOptions = {}) {
    super('LayerNorm', axes);
  }

  protected override build(inputs: TensorShape): void {
    const { beginNormAxis = 1, beginParamsAxis = -1 } = this.axes;
    this.position(beginNormAxis, inputs, 'beginNormAxis');
    const first = this.position(beginParamsAxis, inputs, 'beginParamsAxis');
    const sizes = Array.from({ length: this.rankOf(inputs) - first }, (_, i) =>
      this.requireDim(inputs, first + i, 'the dimensions from beginParamsAxis on'),
    );
    this.makeWeights(sizes);
  }

  protected override call(x: Tensor): Tensor {
    const first = this.position(this.axes.beginNormAxis ?? 1, x.shape, 'beginNormAxis');
    const axes = Array.from({ length: this.rankOf(x.shape) - first }, (_, i) => first + i);
    return this.finish(
      this.normalize(x, axes, this.settings.epsilon ?? 1e-12, (v) => v),
      this.settings,
    );
  }
}

/**
 * Normalizes every example over its dimensions from `beginNormAxis` on, then scales by `gamma` and shifts by
 * `beta`, which have the dimensions from `beginParamsAxis` on (`tf.contrib.layers.layer_norm`; Ba, Kiros and
 * Hinton, 2016). `epsilon` is 1e-12 by default. Throws `InvalidArgumentError` for axes out of range.
 */
export function layerNormalization(inputs: TensorLike, options: LayerNormalizationOptions = {}): Tensor {
  return new LayerNormalization(options).apply(inputs);
}

export interface InstanceNormalizationOptions extends NormalizationOptions {
  /** Channels last (default) or second. */
  readonly dataFormat?: 'channels_last' | 'channels_first' | undefined;
}

/** See `instanceNormalization`. */
export class InstanceNormalization extends Normalization {
  readonly #channelsFirst: boolean;

  constructor(options: InstanceNormalizationOptions = {}) {
    super('InstanceNorm', options);
    this.#channelsFirst = options.dataFormat === 'channels_first';
  }

  protected override build(inputs: TensorShape): void {
    if (this.rankOf(inputs) < 3) {
      throw new InvalidArgumentError(
        `${this.kind}: the inputs must have rank 3 or more, they have shape ${inputs.toString()}`,
      );
    }
    this.makeWeights([this.requireDim(inputs, this.#channelsFirst ? 1 : -1, 'the number of channels')]);
  }

  protected override call(x: Tensor): Tensor {
    const rank = this.rankOf(x.shape);
    const axes = Array.from({ length: rank - 2 }, (_, i) => i + (this.#channelsFirst ? 2 : 1));
    const ones = axes.map(() => 1);
    const arrange = (v: Variable): TensorLike => (this.#channelsFirst ? reshape(v, [-1, ...ones]) : v);
    return this.finish(this.normalize(x, axes, this.settings.epsilon ?? 1e-6, arrange), this.settings);
  }
}

/**
 * Normalizes every channel of every example, then scales and shifts each channel
 * (`tf.contrib.layers.instance_norm`; Ulyanov, Vedaldi and Lempitsky, 2016). `epsilon` is 1e-6 by default.
 */
export function instanceNormalization(
  inputs: TensorLike,
  options: InstanceNormalizationOptions = {},
): Tensor {
  return new InstanceNormalization(options).apply(inputs);
}

export interface GroupNormalizationOptions extends NormalizationOptions {
  /** Number of groups of channels; default 32. */
  readonly groups?: number | undefined;
  /** The dimension of the channels; default the last. */
  readonly channelsAxis?: number | undefined;
  /** Dimensions that are normalized over, besides the channels of a group; default `[-3, -2]`. */
  readonly reductionAxes?: readonly number[] | undefined;
}

/** See `groupNormalization`. */
export class GroupNormalization extends Normalization {
  constructor(private readonly groupings: GroupNormalizationOptions = {}) {
    super('GroupNorm', groupings);
  }

  protected override build(inputs: TensorShape): void {
    const { groups = 32 } = this.groupings;
    const channels = this.requireDim(inputs, this.channelAxis(inputs), 'the number of channels');
    if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
      throw new InvalidArgumentError(
        `${this.kind}: ${channels} channels cannot be divided into ${groups} groups`,
      );
    }
    if (this.reductionAxes(inputs).includes(this.channelAxis(inputs))) {
      throw new InvalidArgumentError(`${this.kind}: reductionAxes must not include the channels`);
    }
    this.makeWeights([channels]);
  }

  protected override call(x: Tensor): Tensor {
    const { groups = 32 } = this.groupings;
    const channel = this.channelAxis(x.shape);
    const channels = this.requireDim(x.shape, channel, 'the number of channels');
    const split = (list: readonly TensorLike[]): TensorLike[] =>
      list.flatMap((dim, i) => (i === channel ? [groups, channels / groups] : [dim]));
    const sizes = shapeOf(x);
    const dims = Array.from({ length: this.rankOf(x.shape) }, (_, i) => x.shape.dim(i) ?? gather(sizes, i));
    const apart = reshape(x, split(dims) as readonly number[]);
    const axes = this.reductionAxes(x.shape).map((axis) => (axis > channel ? axis + 1 : axis));
    const ones = dims.map(() => 1);
    const arrange = (v: Variable): TensorLike => reshape(v, split(ones) as readonly number[]);
    const y = this.normalize(apart, [...axes, channel + 1], this.settings.epsilon ?? 1e-6, arrange);
    return this.finish(reshape(y, sizes), this.settings);
  }

  private channelAxis(shape: TensorShape): number {
    return this.position(this.groupings.channelsAxis ?? -1, shape, 'channelsAxis');
  }

  private reductionAxes(shape: TensorShape): number[] {
    const { reductionAxes = [-3, -2] } = this.groupings;
    return reductionAxes.map((axis) => this.position(axis, shape, 'reductionAxes'));
  }
}

/**
 * Normalizes groups of channels of every example over the reduction axes, then scales and shifts each channel
 * (`tf.contrib.layers.group_norm`; Wu and He, 2018). `epsilon` is 1e-6 by default. Throws
 * `InvalidArgumentError` when the channels do not divide into the groups.
 */
export function groupNormalization(inputs: TensorLike, options: GroupNormalizationOptions = {}): Tensor {
  return new GroupNormalization(options).apply(inputs);
}
