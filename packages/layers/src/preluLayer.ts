/** A rectifier that learns its slope below 0. */
import {
  InvalidArgumentError,
  prelu as apply,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { zerosInitializer } from './initializers.js';
import { Layer, type LayerOptions } from './layer.js';
import type { Regularizer } from './regularizers.js';

export interface PReLUOptions extends LayerOptions {
  /** Default: zeros. */
  readonly alphaInitializer?: Initializer | undefined;
  readonly alphaRegularizer?: Regularizer | undefined;
  /** Axes (the batch is axis 0) along which one slope is shared: `[1, 2]` is one per channel of images. */
  readonly sharedAxes?: readonly number[] | undefined;
}

/** See `prelu`. */
export class PReLU extends Layer {
  #alpha: Variable | null = null;

  constructor(private readonly settings: PReLUOptions = {}) {
    super('p_re_lu', settings);
  }

  protected override build(inputs: TensorShape): void {
    const { rank } = inputs;
    if (rank === null || rank < 1) {
      throw new InvalidArgumentError(`prelu: inputs need a batch and a known rank, got ${inputs.toString()}`);
    }
    const shared = new Set((this.settings.sharedAxes ?? []).map((axis) => this.sharedAxis(axis, rank)));
    const shape = Array.from({ length: rank - 1 }, (_, i) =>
      shared.has(i + 1)
        ? 1
        : this.requireDim(inputs, i + 1, `dimension ${i + 1}, whose slopes are not shared,`),
    );
    this.#alpha = this.addWeight('alpha', shape, {
      initializer: this.settings.alphaInitializer ?? zerosInitializer(),
      regularizer: this.settings.alphaRegularizer,
    });
  }

  private sharedAxis(axis: number, rank: number): number {
    const positive = axis < 0 ? axis + rank : axis;
    if (Number.isInteger(positive) && positive >= 1 && positive < rank) return positive;
    throw new InvalidArgumentError(`prelu: sharedAxes must lie in [1, ${rank}), got ${axis}`);
  }

  protected override call(x: Tensor): Tensor {
    if (this.#alpha === null) throw new InvalidArgumentError('prelu: the layer is not built');
    return apply(x, this.#alpha);
  }
}

/**
 * x above 0 and alpha x below, with a learnt `alpha` of the inputs' shape without the batch, or 1 along `sharedAxes`
 * (Keras' `PReLU`; He et al., "Delving Deep into Rectifiers", 2015). Throws `InvalidArgumentError` for unknown
 * dimensions that are not shared.
 */
export function prelu(inputs: TensorLike, options: PReLUOptions = {}): Tensor {
  return new PReLU(options).apply(inputs);
}
