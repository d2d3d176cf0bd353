/** Hyper-parameters of optimizers as tensors in the scope of the training operation. */
import {
  convertToTensor,
  InternalError,
  type NameOptions,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';

/** Options of all optimizers. `useLocking` is kept for files: runs are ordered anyway. */
export interface OptimizerOptions extends NameOptions {
  readonly useLocking?: boolean;
}

/** A number, a scalar tensor such as a decayed learning rate, or a function that makes one for each training operation. */
export type HyperParameter = TensorLike | (() => TensorLike);

export class HyperParameters {
  readonly #tensors = new Map<string, Tensor>();

  constructor(private readonly values: Readonly<Record<string, HyperParameter>>) {}

  /** Makes the tensors; called where they should lie. */
  prepare(): void {
    for (const [name, given] of Object.entries(this.values)) {
      const value = typeof given === 'function' ? given() : given;
      this.#tensors.set(name, convertToTensor(value, { name, dtype: 'float32' }));
    }
  }

  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new InternalError(`hyper-parameter "${name}" is not prepared`);
    return tensor;
  }
}
