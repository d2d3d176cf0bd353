/** `layers.batchNormalization`, with statistics of the batch while training and moving ones otherwise. */
import {
  GraphKeys,
  InvalidArgumentError,
  cast,
  div,
  fill,
  fusedBatchNorm,
  getDefaultGraph,
  maximum,
  moments,
  mul,
  nameScope,
  reshape,
  size,
  stopGradient,
  sub,
  where,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { onesInitializer, zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions } from './layer.js';
import { batchNormalization as normalize } from './nnNorms.js';
import type { Regularizer } from './regularizers.js';

export interface BatchNormalizationOptions extends LayerOptions {
  /** The dimension of the features; default the last. */
  readonly axis?: number | undefined;
  /** Share of the old value in the moving averages; default 0.99. */
  readonly momentum?: number | undefined;
  /** Added to the variance; default 0.001. */
  readonly epsilon?: number | undefined;
  /** Whether there is a `beta` to add; default `true`. */
  readonly center?: boolean | undefined;
  /** Whether there is a `gamma` to multiply by; default `true`. */
  readonly scale?: boolean | undefined;
  readonly betaInitializer?: Initializer | undefined;
  readonly gammaInitializer?: Initializer | undefined;
  readonly movingMeanInitializer?: Initializer | undefined;
  readonly movingVarianceInitializer?: Initializer | undefined;
  readonly betaRegularizer?: Regularizer | undefined;
  readonly gammaRegularizer?: Regularizer | undefined;
  /**
   * Uses the fused op, for inputs of rank 4 with the features second or last; default `true` for these. A
   * `training` that is fed takes the other way.
   */
  readonly fused?: boolean | undefined;
  /** Statistics of the batch or moving ones: a boolean, or a bool scalar that may be fed. Default `false`. */
  readonly training?: boolean | Tensor | undefined;
}

interface Statistics {
  readonly mean: TensorLike;
  readonly variance: TensorLike;
}

interface Moving {
  readonly mean: Variable;
  readonly variance: Variable;
}

/** See `batchNormalization`. */
export class BatchNormalization extends Layer {
  #gamma: Variable | null = null;
  #beta: Variable | null = null;
  #moving: Moving | null = null;

  constructor(private readonly settings: BatchNormalizationOptions = {}) {
    super('batch_normalization', settings);
  }

  protected override build(inputs: TensorShape): void {
    const { center = true, scale = true } = this.settings;
    this.checkFused(inputs);
    const shape = [this.requireDim(inputs, this.axisOf(inputs), 'the dimension of the features')];
    const ones = onesInitializer();
    const zeros = zerosInitializer();
    const { gammaInitializer = ones, betaInitializer = zeros } = this.settings;
    // Statistics of float16 inputs are float32, as those of the fused op.
    const dtype = this.isHalf() ? 'float32' : this.dtype;
    const { movingMeanInitializer = zeros, movingVarianceInitializer = ones } = this.settings;
    if (scale) {
      const regularizer = this.settings.gammaRegularizer;
      this.#gamma = this.addWeight('gamma', shape, { initializer: gammaInitializer, regularizer, dtype });
    }
    if (center) {
      const regularizer = this.settings.betaRegularizer;
      this.#beta = this.addWeight('beta', shape, { initializer: betaInitializer, regularizer, dtype });
    }
    this.#moving = {
      mean: this.addWeight('moving_mean', shape, {
        initializer: movingMeanInitializer,
        trainable: false,
        dtype,
      }),
      variance: this.addWeight('moving_variance', shape, {
        initializer: movingVarianceInitializer,
        trainable: false,
        dtype,
      }),
    };
  }

  protected override call(x: Tensor): Tensor {
    const { training = false } = this.settings;
    const moving = this.#moving;
    if (moving === null) throw new InvalidArgumentError('batch_normalization: the layer is not built');
    if (this.isFused(x.shape) && typeof training === 'boolean') return this.callFused(x, training, moving);
    if (this.isHalf()) return cast(this.callParts(cast(x, 'float32'), moving), x.dtype);
    return this.callParts(x, moving);
  }

  private isHalf(): boolean {
    return this.dtype === 'float16' || this.dtype === 'bfloat16';
  }

  private callParts(x: Tensor, moving: Moving): Tensor {
    const { training = false, epsilon = 0.001 } = this.settings;
    const { mean, variance } = training === false ? moving : this.trainingStatistics(x, training, moving);
    const shaped = (value: TensorLike): TensorLike => this.alongAxis(x.shape, value);
    const offset = this.#beta === null ? null : shaped(this.#beta);
    const factor = this.#gamma === null ? null : shaped(this.#gamma);
    return normalize(x, shaped(mean), shaped(variance), offset, factor, epsilon);
  }

  /** The fused op gives the sample's variance, which is what the moving average sees. */
  private callFused(x: Tensor, training: boolean, moving: Moving): Tensor {
    const { epsilon = 0.001 } = this.settings;
    const { mean, variance } = moving;
    const size = mean.shape.toStatic();
    const [y, batchMean, batchVariance] = fusedBatchNorm(
      x,
      this.#gamma ?? fill(size, 1),
      this.#beta ?? fill(size, 0),
      {
        epsilon,
        isTraining: training,
        dataFormat: this.axisOf(x.shape) === 1 ? 'NCHW' : 'NHWC',
        ...(training ? {} : { mean, variance }),
      },
    );
    if (training) {
      this.addUpdate(mean, batchMean, true);
      this.addUpdate(variance, batchVariance, true);
    }
    return y;
  }

  private isFused(inputs: TensorShape): boolean {
    const images = inputs.rank === 4 && [1, 3].includes(this.axisOf(inputs));
    return this.settings.fused !== false && images;
  }

  private checkFused(inputs: TensorShape): void {
    if (this.settings.fused !== true || this.isFused(inputs)) return;
    throw new InvalidArgumentError(
      `batch_normalization: fused needs inputs of rank 4 and axis 1 or 3, got shape ${inputs.toString()} and axis ${this.axisOf(inputs)}`,
    );
  }

  /** Statistics of the batch, or where `training` is fed as false the moving ones; adds the update operations. */
  private trainingStatistics(x: Tensor, training: true | Tensor, moving: Moving): Statistics {
    const axis = this.axisOf(x.shape);
    const axes = Array.from({ length: x.shape.rank ?? 0 }, (_, i) => i).filter((i) => i !== axis);
    const [batchMean, batchVariance] = moments(x, axes);
    const choose = (batch: Tensor, variable: Variable): Tensor =>
      training === true ? batch : where(training, batch, variable);
    const mean = choose(batchMean, moving.mean);
    const variance = choose(batchVariance, moving.variance);
    const seen = choose(
      x.shape.rank === 4 ? sampleVariance(x, batchVariance) : batchVariance,
      moving.variance,
    );
    this.addUpdate(moving.mean, mean, training);
    this.addUpdate(moving.variance, seen, training);
    return { mean, variance };
  }

  /** moving -= (moving - value) * (1 - momentum); changes nothing where `training` is fed as false. */
  private addUpdate(moving: Variable, value: Tensor, training: true | Tensor): void {
    const { momentum = 0.99 } = this.settings;
    const update = nameScope('AssignMovingAvg', () => {
      const decay = training === true ? 1 - momentum : where(training, 1 - momentum, 0);
      return moving.assignSub(mul(sub(moving, stopGradient(value)), decay), { readValue: false });
    });
    getDefaultGraph().addToCollection(GraphKeys.UPDATE_OPS, update);
  }

  private axisOf(shape: TensorShape): number {
    const { axis = -1 } = this.settings;
    const { rank } = shape;
    if (rank === null)
      throw new InvalidArgumentError('batch_normalization: the rank of the inputs must be known');
    if (axis < -rank || axis >= rank) {
      throw new InvalidArgumentError(
        `batch_normalization: axis ${axis} is out of range for inputs of shape ${shape.toString()}`,
      );
    }
    return axis < 0 ? axis + rank : axis;
  }

  /** A vector per feature in a shape that broadcasts along the axis. */
  private alongAxis(shape: TensorShape, value: TensorLike): TensorLike {
    const axis = this.axisOf(shape);
    const after = (shape.rank ?? 0) - 1 - axis;
    return after === 0 ? value : reshape(value, [-1, ...new Array<number>(after).fill(1)]);
  }
}

/** TensorFlow's fused kernel, which it uses for images, keeps the variance of the sample: n / (n - 1) times the other. */
function sampleVariance(x: Tensor, variance: Tensor): Tensor {
  const count = div(cast(size(x), 'float32'), cast(size(variance), 'float32'));
  return mul(variance, div(count, maximum(sub(count, 1), 1)));
}

/**
 * Normalizes each feature to zero mean and unit variance over the batch, then scales by `gamma` and shifts by
 * `beta` (`tf.layers.batch_normalization`; Ioffe and Szegedy, 2015). While training the moving averages are
 * updated by operations in `UPDATE_OPS`, which `minimize` runs.
 */
export function batchNormalization(inputs: TensorLike, options: BatchNormalizationOptions = {}): Tensor {
  return new BatchNormalization(options).apply(inputs);
}
