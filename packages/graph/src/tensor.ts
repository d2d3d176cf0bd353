/**
 * `Tensor`: one output of an operation, the edge along which values flow. The arithmetic methods
 * (`x.add(y)`) are attached in tensorMethods.ts, beside the builders they call.
 */
import type { DType } from './dtype.js';
import type { Graph } from './graph.js';
import type { HandleData } from './opDef.js';
import type { Operation } from './operation.js';
import { InvalidArgumentError } from './errors.js';
import { TensorShape, type ShapeLike } from './shape.js';
import type { Scalar, ValueLike } from './value.js';

/** A symbolic value: output `index` of `op`. Holds no data; run it in a session to get some. */
export class Tensor {
  #shape: TensorShape | null;

  constructor(
    readonly op: Operation,
    readonly index: number,
    readonly dtype: DType,
    /** `null`: the operation infers it when it is first asked for. */
    shape: TensorShape | null,
    /** Dtype and shape of the variable when this is a resource handle, of the elements when it is a list. */
    readonly handle: HandleData | null = null,
  ) {
    this.#shape = shape;
  }

  /**
   * The static shape as far as it is known. In graphs that were imported with `deferShapes` it may be inferred now, which throws
   * `InvalidArgumentError` naming a node whose inputs do not fit.
   */
  get shape(): TensorShape {
    if (this.#shape === null) this.op.inferDeferred();
    return this.#shape ?? TensorShape.UNKNOWN;
  }

  /** The shape where it has been inferred already, else `null`. */
  get inferredShape(): TensorShape | null {
    return this.#shape;
  }

  /** Gives a shape that was deferred. For the graph. */
  resolveShape(shape: TensorShape): void {
    this.#shape ??= shape;
  }

  /** Gives another shape. For `withAssumedShapes`. */
  replaceShape(shape: TensorShape): void {
    this.#shape = shape;
  }

  /** TensorFlow's tensor name, `op:index`. */
  get name(): string {
    return `${this.op.name}:${this.index}`;
  }

  get graph(): Graph {
    return this.op.graph;
  }

  /**
   * Adds what the caller knows to the static shape (`tf.Tensor.set_shape`).
   * Throws `InvalidArgumentError` when it contradicts the inferred shape.
   */
  setShape(shape: ShapeLike): void {
    const inferred = this.shape;
    const merged = inferred.mergeWith(TensorShape.of(shape));
    if (merged === null) {
      throw new InvalidArgumentError(
        `${this.name}: shape ${TensorShape.of(shape).toString()} contradicts the inferred ${inferred.toString()}`,
      );
    }
    this.#shape = merged;
  }

  toString(): string {
    return `Tensor("${this.name}", shape=${this.shape.toString()}, dtype=${this.dtype})`;
  }
}

/** Objects that stand for a tensor, such as variables. */
export interface TensorConvertible {
  asTensor(): Tensor;
}

/** A list in which tensors stand among literals, in rows too; it is stacked. */
export type MixedArray = readonly (Tensor | TensorConvertible | Scalar | MixedRow)[];
type MixedRow = readonly (Tensor | TensorConvertible | Scalar)[];

/** Whatever a builder takes where it wants a tensor. */
export type TensorLike = Tensor | TensorConvertible | ValueLike | MixedArray;

/** True for objects that convert themselves, such as variables. */
export function isTensorConvertible(value: unknown): value is TensorConvertible {
  return typeof value === 'object' && value !== null && 'asTensor' in value;
}
