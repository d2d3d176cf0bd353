/** `Layer`: what all layers do — scopes, variables made on first use, reuse. */
import {
  GraphKeys,
  InvalidArgumentError,
  checkOptions,
  convertToTensor,
  isFloating,
  nameScope,
  type DType,
  type Tensor,
  type TensorLike,
  type TensorShape,
  type Variable,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import type { Regularizer } from './regularizers.js';
import { getVariable, variableScope, type Reuse, type VariableScope } from './variableScope.js';

/** A function that is applied to a layer's output, such as `relu`. */
export type Activation = (x: Tensor) => Tensor;

export interface LayerOptions {
  /** Variable scope of the layer. Default: the layer's kind, made unique. */
  readonly name?: string | undefined;
  /** Whether optimizers change its variables. Default `true`. */
  readonly trainable?: boolean | undefined;
  /** `true`: use the variables that a layer of this name made before; needs `name`. */
  readonly reuse?: Reuse | undefined;
}

/** Options of layers with weights. */
export interface WeightOptions {
  readonly activation?: Activation | null | undefined;
  /** Default `true`. */
  readonly useBias?: boolean | undefined;
  /** Default: that of the variable scope, else Glorot uniform. */
  readonly kernelInitializer?: Initializer | undefined;
  /** Default: zeros. */
  readonly biasInitializer?: Initializer | undefined;
  readonly kernelRegularizer?: Regularizer | undefined;
  readonly biasRegularizer?: Regularizer | undefined;
  /** A penalty of the output. */
  readonly activityRegularizer?: Regularizer | undefined;
}

interface WeightSpec {
  readonly initializer?: Initializer | undefined;
  readonly regularizer?: Regularizer | undefined;
  readonly trainable?: boolean | undefined;
  /** Default: that of the layer's inputs, where they are floats. */
  readonly dtype?: DType | undefined;
}

/** The argument that follows the required ones in Python, by the layer's kind. */
const LIKELY_OPTIONS: Readonly<Record<string, string>> = {
  dense: '{ activation: fr.nn.relu }',
  conv1d: "{ padding: 'same' }",
  conv2d: "{ padding: 'same' }",
  conv3d: "{ padding: 'same' }",
  conv2d_transpose: '{ strides: 2 }',
  conv3d_transpose: '{ strides: 2 }',
  separable_conv1d: "{ padding: 'same' }",
  separable_conv2d: "{ padding: 'same' }",
  max_pooling2d: "{ padding: 'same' }",
  average_pooling2d: "{ padding: 'same' }",
  dropout: '{ rate: 0.4 }',
  batch_normalization: '{ training: true }',
};

/** A layer: makes its variables when it is first applied and uses the same ones from then on. */
export abstract class Layer {
  readonly #weights: Variable[] = [];
  #scope: VariableScope | null = null;
  #dtype: DType | undefined;
  #built = false;

  protected constructor(
    /** The layer's kind, and its name where none is given. */
    protected readonly kind: string,
    protected readonly options: LayerOptions,
  ) {
    checkOptions(kind, options, LIKELY_OPTIONS[kind] ?? "{ name: 'first' }");
  }

  /** All variables, in the order in which they were made. */
  get weights(): readonly Variable[] {
    return this.#weights;
  }

  /** Those variables that optimizers change. */
  get trainableWeights(): readonly Variable[] {
    return this.#weights.filter((variable) => variable.trainable);
  }

  /** The dtype of the inputs, where they are floats, and by default of the variables. */
  protected get dtype(): DType | undefined {
    return this.#dtype;
  }

  /** The full name of the layer's variable scope. Empty before the first use. */
  get name(): string {
    return this.#scope?.name ?? '';
  }

  /** The layer's output for `inputs`. */
  apply(inputs: TensorLike): Tensor {
    const x = convertToTensor(inputs);
    const scope = (this.#scope ??= this.openScope());
    const reuse = this.#built ? true : this.options.reuse;
    return variableScope(scope, { reuse, auxiliaryNameScope: false }, () =>
      nameScope(scope.originalNameScope, () => {
        if (isFloating(x.dtype)) this.#dtype = x.dtype;
        if (!this.#built) this.build?.(x.shape);
        this.#built = true;
        return this.call(x);
      }),
    );
  }

  private openScope(): VariableScope {
    const { name, reuse } = this.options;
    if (name !== undefined) return variableScope(name, { reuse }, (scope) => scope);
    if (reuse === true)
      throw new InvalidArgumentError(`${this.kind}: reuse needs the name of the layer that is used again`);
    return variableScope(null, { defaultName: this.kind }, (scope) => scope);
  }

  /** Makes the variables for inputs of `shape`, in layers that have some. */
  protected build?(shape: TensorShape): void;

  protected abstract call(x: Tensor): Tensor;

  /** Gets or makes a variable of the layer. */
  protected addWeight(
    name: string,
    shape: readonly number[],
    { initializer, regularizer, trainable = true, dtype = this.dtype }: WeightSpec,
  ): Variable {
    const variable = getVariable(name, {
      shape,
      dtype,
      initializer,
      regularizer,
      trainable: trainable && (this.options.trainable ?? true),
    });
    this.#weights.push(variable);
    return variable;
  }

  /** A dimension of the input that the layer must know. */
  protected requireDim(shape: TensorShape, axis: number, what: string): number {
    const dim = shape.dims === null ? null : shape.dim(axis);
    if (dim !== null) return dim;
    throw new InvalidArgumentError(
      `${this.kind}: ${what} of the inputs must be known to make the variables, the inputs have shape ${shape.toString()}`,
    );
  }

  /** Rejects inputs of another rank. */
  protected requireRank(shape: TensorShape, rank: number): void {
    if (shape.rank === null || shape.rank === rank) return;
    throw new InvalidArgumentError(
      `${this.kind}: the inputs must have rank ${rank}, they have shape ${shape.toString()}`,
    );
  }

  /** Applies the activation and adds the penalty of the output. */
  protected finish(y: Tensor, { activation, activityRegularizer }: WeightOptions): Tensor {
    const output = activation === undefined || activation === null ? y : activation(y);
    if (activityRegularizer !== undefined) {
      const loss = nameScope('ActivityRegularizer', () => activityRegularizer(output));
      if (loss !== null) output.graph.addToCollection(GraphKeys.REGULARIZATION_LOSSES, loss);
    }
    return output;
  }
}
