/** `SparseTensor`: a tensor as the list of its elements that are not zero. */
import { convertToTensor, type NameOptions } from './apply.js';
import type { DType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import type { Graph } from './graph.js';
import { constantValue } from './constantValue.js';
import { placeholder } from './ops/source.js';
import { TensorShape, type ShapeLike } from './shape.js';
import type { Tensor, TensorLike } from './tensor.js';

/**
 * Indices `[n, rank]` (int64), values `[n]` and shape `[rank]` (int64) of a sparse tensor (`tf.SparseTensor`), in
 * row-major order. A run feeds and fetches the three tensors.
 */
export class SparseTensor {
  readonly indices: Tensor;
  readonly values: Tensor;
  readonly denseShape: Tensor;

  /** Throws `InvalidArgumentError` when the three do not fit together. */
  constructor(indices: TensorLike, values: TensorLike, denseShape: TensorLike) {
    this.indices = convertToTensor(indices, { dtype: 'int64', name: 'indices' });
    this.values = convertToTensor(values, { name: 'values' });
    this.denseShape = convertToTensor(denseShape, { dtype: 'int64', name: 'dense_shape' });
    this.#check();
  }

  get dtype(): DType {
    return this.values.dtype;
  }

  get graph(): Graph {
    return this.values.graph;
  }

  /** The dense shape as far as it is known. */
  get shape(): TensorShape {
    const value = constantValue(this.denseShape);
    if (value !== null) {
      return new TensorShape(Array.from(value.data, (dim) => (Number.isNaN(dim) || dim < 0 ? null : dim)));
    }
    const rank = this.denseShape.shape.rank === 1 ? this.denseShape.shape.dim(0) : null;
    return rank === null ? TensorShape.UNKNOWN : TensorShape.ofRank(rank);
  }

  #check(): void {
    const [indices, values, shape] = [this.indices.shape, this.values.shape, this.denseShape.shape];
    const fits =
      indices.isCompatibleWith(TensorShape.ofRank(2)) &&
      values.isCompatibleWith(TensorShape.ofRank(1)) &&
      shape.isCompatibleWith(TensorShape.ofRank(1)) &&
      (indices.rank === null ||
        (indices.slice(0, 1).isCompatibleWith(values) && indices.slice(1, 2).isCompatibleWith(shape)));
    if (fits) return;
    throw new InvalidArgumentError(
      `SparseTensor: indices [n, rank], values [n] and denseShape [rank] are wanted, got shapes ` +
        `${indices.toString()}, ${values.toString()} and ${shape.toString()}`,
    );
  }
}

/** A sparse tensor that runs feed, by its three tensors (`tf.sparse.placeholder`). */
export function sparsePlaceholder(
  dtype: DType,
  { shape = null, name = 'Placeholder' }: NameOptions & { readonly shape?: ShapeLike } = {},
): SparseTensor {
  const { rank } = TensorShape.of(shape);
  const indices = placeholder('int64', [null, rank], { name: `${name}/indices` });
  const values = placeholder(dtype, [null], { name: `${name}/values` });
  return new SparseTensor(indices, values, placeholder('int64', [rank], { name: `${name}/shape` }));
}
