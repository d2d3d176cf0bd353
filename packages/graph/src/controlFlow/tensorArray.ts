/**
 * `TensorArray` (`tf.TensorArray`): a sequence of tensors that loops read and write, kept as a tensor list. Each write
 * gives a new array; use that one from then on.
 */
import { convertToTensor } from '../apply.js';
import type { DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import {
  elementDims,
  tensorListConcat,
  tensorListFromTensor,
  tensorListGather,
  tensorListGetItem,
  tensorListLength,
  tensorListReserve,
  tensorListScatterIntoExistingList,
  tensorListSetItem,
  tensorListSplit,
  tensorListStack,
} from '../ops/list.js';
import { cast } from '../ops/unary.js';
import { constantValue } from '../constantValue.js';
import { nameScope } from '../scopes.js';
import { TensorShape, type ShapeLike } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';

export interface TensorArrayOptions {
  /** Number of elements; default 0. */
  readonly size?: TensorLike | undefined;
  /** Whether writing behind the end makes it longer. */
  readonly dynamicSize?: boolean;
  /** Shape of the elements; by default taken from the first one written when all have one shape. */
  readonly elementShape?: ShapeLike | undefined;
  /** Whether all elements have one shape; default `true`. */
  readonly inferShape?: boolean;
  /** Accepted for programs of TensorFlow; elements stay readable. */
  readonly clearAfterRead?: boolean;
  readonly name?: string;
}

interface State {
  readonly flow: Tensor;
  readonly shape: TensorShape;
}

export class TensorArray {
  readonly dtype: DType;
  /** The tensor list. */
  readonly flow: Tensor;
  readonly #shape: TensorShape;
  readonly #options: TensorArrayOptions;

  /** An array of `size` elements to be written; one never written reads as zeros when its shape is known. */
  constructor(dtype: DType, options: TensorArrayOptions = {}, state?: State) {
    this.dtype = dtype;
    this.#options = options;
    this.#shape = state?.shape ?? TensorShape.of(options.elementShape ?? null);
    this.flow =
      state?.flow ??
      tensorListReserve({ dtype, shape: elementDims(this.#shape) }, options.size ?? 0, {
        name: options.name ?? 'TensorArray',
      });
  }

  /** The list, under the name that TensorFlow gives it. */
  get handle(): Tensor {
    return this.flow;
  }

  /** What is known of the elements' shape. */
  get elementShape(): TensorShape {
    return this.#shape;
  }

  get dynamicSize(): boolean {
    return this.#options.dynamicSize ?? false;
  }

  /** The same array with another list: inside a loop, and after it. */
  withFlow(flow: Tensor): TensorArray {
    return new TensorArray(this.dtype, this.#options, { flow, shape: this.#shape });
  }

  private written(flow: Tensor, shape: TensorShape): TensorArray {
    const merged = this.#shape.mergeWith(shape);
    if (merged === null) {
      throw new InvalidArgumentError(
        `TensorArray: an element of shape ${shape.toString()} is written, the others have ${this.#shape.toString()}`,
      );
    }
    return new TensorArray(this.dtype, this.#options, {
      flow,
      shape: this.#options.inferShape === false ? this.#shape : merged,
    });
  }

  private element(): { dtype: DType; shape: TensorLike } {
    return { dtype: this.dtype, shape: elementDims(this.#shape) };
  }

  /** Element `index` (scalar int32). Fails at run time when it does not exist or was never written. */
  read(index: TensorLike, { name = 'TensorArrayRead' }: { name?: string } = {}): Tensor {
    return tensorListGetItem(this.flow, int32(index), this.element(), { name });
  }

  /** The array with `value` as element `index`. */
  write(
    index: TensorLike,
    value: TensorLike,
    { name = 'TensorArrayWrite' }: { name?: string } = {},
  ): TensorArray {
    const item = convertToTensor(value, { dtype: this.dtype });
    return this.written(
      tensorListSetItem(this.flow, int32(index), item, { name, resize: this.dynamicSize }),
      item.shape,
    );
  }

  /** All elements as the rows of one tensor. */
  stack({ name = 'TensorArrayStack' }: { name?: string } = {}): Tensor {
    const size = this.#options.size;
    const known = typeof size === 'number' && !this.dynamicSize ? size : -1;
    return tensorListStack(this.flow, elementDims(this.#shape), this.dtype, { numElements: known, name });
  }

  /** The elements at `indices` as the rows of one tensor. */
  gather(indices: TensorLike, { name = 'TensorArrayGather' }: { name?: string } = {}): Tensor {
    return tensorListGather(this.flow, indices, elementDims(this.#shape), this.dtype, { name });
  }

  /** The elements joined along their first dimension, in which they may differ. */
  concat({ name = 'TensorArrayConcat' }: { name?: string } = {}): Tensor {
    const { dims } = this.#shape;
    if (dims?.length === 0) {
      throw new InvalidArgumentError(
        `TensorArray "${this.flow.op.name}": concat joins along the first dimension, the elements are scalars`,
      );
    }
    const [first, ...rest] = dims ?? [];
    const shape = elementDims(new TensorShape(dims === null ? null : [null, ...rest]));
    const { tensor } = tensorListConcat(this.flow, this.dtype, { shape, name });
    const { size } = this.#options;
    const known = typeof size === 'number' && !this.dynamicSize && typeof first === 'number';
    if (known) tensor.setShape(new TensorShape([size * first, ...rest]));
    return tensor;
  }

  /** An array whose elements are the rows of `value`. */
  unstack(value: TensorLike, { name = 'TensorArrayUnstack' }: { name?: string } = {}): TensorArray {
    const rows = convertToTensor(value, { dtype: this.dtype });
    const shape = new TensorShape(rows.shape.dims === null ? null : rows.shape.dims.slice(1));
    return this.written(tensorListFromTensor(rows, elementDims(shape), { name }), shape);
  }

  /** The array with the rows of `value` at `indices`. */
  scatter(
    indices: TensorLike,
    value: TensorLike,
    { name = 'TensorArrayScatter' }: { name?: string } = {},
  ): TensorArray {
    const rows = convertToTensor(value, { dtype: this.dtype });
    const shape = new TensorShape(rows.shape.dims === null ? null : rows.shape.dims.slice(1));
    return this.written(tensorListScatterIntoExistingList(this.flow, rows, int32(indices), { name }), shape);
  }

  /** An array whose elements are parts of `value` along its first dimension, of the given lengths. */
  split(
    value: TensorLike,
    lengths: TensorLike,
    { name = 'TensorArraySplit' }: { name?: string } = {},
  ): TensorArray {
    return nameScope(name, () => {
      const rows = convertToTensor(value, { dtype: this.dtype });
      const sizes = int32(lengths);
      const known = constantValue(sizes)?.data ?? null;
      const same = known?.length !== 0 && known?.every((length) => length === known[0]) === true;
      const { dims } = rows.shape;
      const shape = new TensorShape(
        dims === null ? null : [same ? (known[0] ?? null) : null, ...dims.slice(1)],
      );
      return this.written(
        tensorListSplit(rows, cast(sizes, 'int64'), { shape: elementDims(shape), name: 'TensorListSplit' }),
        shape,
      ).resized(known?.length);
    });
  }

  /** The same array with as many elements as its list has, where that is known. */
  private resized(size: number | undefined): TensorArray {
    const options = { ...this.#options, size };
    return new TensorArray(this.dtype, options, { flow: this.flow, shape: this.#shape });
  }

  /** The number of elements (scalar int32). */
  size({ name = 'TensorArraySize' }: { name?: string } = {}): Tensor {
    return tensorListLength(this.flow, { name });
  }

  /** The array itself (`tf.TensorArray.identity`). */
  identity(): TensorArray {
    return this.withFlow(this.flow);
  }
}

function int32(value: TensorLike): Tensor {
  return convertToTensor(value, typeof value === 'number' || Array.isArray(value) ? { dtype: 'int32' } : {});
}
