/** Layers on vectors: `dense`, `flatten`, `dropout`. */
import {
  InvalidArgumentError,
  biasAdd,
  concat,
  convertToTensor,
  identity,
  matMul,
  nameScope,
  reshape,
  shape,
  slice,
  where,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import { zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions, type WeightOptions } from './layer.js';
import { dropout as nnDropout } from './nnDropout.js';

export type DenseOptions = LayerOptions & WeightOptions;

/** See `dense`. */
export class Dense extends Layer {
  #kernel: Variable | null = null;
  #bias: Variable | null = null;

  constructor(
    readonly units: number,
    private readonly settings: DenseOptions = {},
  ) {
    super('dense', settings);
    if (!Number.isInteger(units) || units < 1) {
      throw new InvalidArgumentError(`dense: units must be a positive integer, got ${units}`);
    }
  }

  protected override build(inputs: TensorShape): void {
    const { useBias = true, biasInitializer = zerosInitializer(), ...settings } = this.settings;
    const size = this.requireDim(inputs, -1, 'the last dimension');
    this.#kernel = this.addWeight('kernel', [size, this.units], {
      initializer: settings.kernelInitializer,
      regularizer: settings.kernelRegularizer,
    });
    if (!useBias) return;
    this.#bias = this.addWeight('bias', [this.units], {
      initializer: biasInitializer,
      regularizer: settings.biasRegularizer,
    });
  }

  protected override call(x: Tensor): Tensor {
    if (this.#kernel === null) throw new InvalidArgumentError('dense: the layer is not built');
    const product = x.shape.rank === 2 ? matMul(x, this.#kernel) : this.matMulLast(x, this.#kernel);
    const y = this.#bias === null ? product : biasAdd(product, this.#bias);
    return this.finish(y, this.settings);
  }

  /** The product along the last dimension of a tensor of any rank. */
  private matMulLast(x: Tensor, kernel: Variable): Tensor {
    return nameScope('Tensordot', () => {
      const product = matMul(reshape(x, [-1, kernel.shape.dim(0) ?? -1]), kernel);
      const rank = x.shape.rank;
      if (rank === null) throw new InvalidArgumentError('dense: the rank of the inputs must be known');
      const outer = slice(shape(x), [0], [rank - 1]);
      return reshape(product, concat([outer, convertToTensor([this.units], { dtype: 'int32' })], 0));
    });
  }
}

/**
 * activation(x * kernel + bias) (`tf.layers.dense`): inputs [..., n], output [..., units]. Variables `kernel`
 * [n, units] and `bias` [units]. Throws `InvalidArgumentError` when the last dimension is not known.
 */
export function dense(inputs: TensorLike, units: number, options: DenseOptions = {}): Tensor {
  return new Dense(units, options).apply(inputs);
}

/** See `flatten`. */
export class Flatten extends Layer {
  constructor(options: LayerOptions = {}) {
    super('flatten', options);
  }

  protected override call(x: Tensor): Tensor {
    const inner = x.shape.slice(1).size;
    if (inner !== null) return reshape(x, [-1, inner]);
    const batch = slice(shape(x), [0], [1]);
    return reshape(x, concat([batch, convertToTensor([-1], { dtype: 'int32' })], 0));
  }
}

/** All dimensions but the first in one (`tf.layers.flatten`): [batch, ...] becomes [batch, n]. */
export function flatten(inputs: TensorLike, options: LayerOptions = {}): Tensor {
  return new Flatten(options).apply(inputs);
}

export interface DropoutLayerOptions extends LayerOptions {
  /** Share of elements that are dropped; default 0.5. */
  readonly rate?: TensorLike | undefined;
  readonly noiseShape?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  /** Whether to drop at all: a boolean, or a bool scalar that may be fed. Default `false`. */
  readonly training?: boolean | Tensor | undefined;
}

/** See `dropout`. */
export class Dropout extends Layer {
  constructor(private readonly settings: DropoutLayerOptions = {}) {
    super('dropout', settings);
  }

  protected override call(x: Tensor): Tensor {
    const { rate = 0.5, noiseShape, seed, training = false } = this.settings;
    if (training === false) return identity(x);
    const dropped = nnDropout(x, { rate, noiseShape, seed });
    return training === true ? dropped : where(training, dropped, x);
  }
}

/** Sets random elements to zero while training (`tf.layers.dropout`); see `nn.dropout`. */
export function dropout(inputs: TensorLike, options: DropoutLayerOptions = {}): Tensor {
  return new Dropout(options).apply(inputs);
}
