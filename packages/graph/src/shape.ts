/** Static shapes: a list of dimensions of which any may be unknown, or an unknown rank. */
import { InvalidArgumentError } from './errors.js';

/** A dimension: a size, or `null` when it is not known while the graph is built. */
export type Dim = number | null;

/** What callers may write where a shape is wanted; `null` alone means unknown rank. */
export type ShapeLike = readonly Dim[] | TensorShape | null;

/**
 * The static shape of a tensor (`tf.TensorShape`). Immutable.
 * `dims` is `null` for unknown rank; a dimension is `null` when unknown.
 */
export class TensorShape {
  static readonly UNKNOWN = new TensorShape(null);
  static readonly SCALAR = new TensorShape([]);

  readonly dims: readonly Dim[] | null;

  /** Throws `InvalidArgumentError` for a dimension that is negative, fractional or not a number. */
  constructor(dims: readonly Dim[] | null) {
    for (const dim of dims ?? []) {
      if (dim !== null && (!Number.isSafeInteger(dim) || dim < 0)) {
        throw new InvalidArgumentError(
          `a dimension must be a non-negative integer or null (unknown), got ${String(dim)}`,
        );
      }
    }
    this.dims = dims === null ? null : Object.freeze([...dims]);
  }

  /** Converts `[null, 784]`, `null` or a shape; `-1` counts as unknown, as in files. */
  static of(shape: ShapeLike): TensorShape {
    if (shape instanceof TensorShape) return shape;
    if (shape === null) return TensorShape.UNKNOWN;
    return new TensorShape(shape.map((dim) => (dim === -1 ? null : dim)));
  }

  /** A shape of `rank` unknown dimensions. */
  static ofRank(rank: number): TensorShape {
    return new TensorShape(new Array<null>(rank).fill(null));
  }

  /** Number of dimensions, or `null` when unknown. */
  get rank(): number | null {
    return this.dims === null ? null : this.dims.length;
  }

  /** True when rank and every dimension are known. */
  get isFullyDefined(): boolean {
    return this.dims?.every((dim) => dim !== null) ?? false;
  }

  /** Number of elements, or `null` when it is not known. */
  get size(): number | null {
    if (this.dims === null) return null;
    let size = 1;
    for (const dim of this.dims) {
      if (dim === null) return null;
      size *= dim;
    }
    return size;
  }

  /** Dimension `index` (negative counts from the end); `null` when unknown. Out of range throws. */
  dim(index: number): Dim {
    if (this.dims === null) return null;
    const dim = this.dims[index < 0 ? index + this.dims.length : index];
    if (dim === undefined) {
      throw new InvalidArgumentError(`dimension ${index} is out of range for shape ${this.toString()}`);
    }
    return dim;
  }

  /** The dimensions as numbers. Throws when any is unknown. */
  toStatic(): number[] {
    const dims = this.dims?.filter((dim) => dim !== null);
    if (dims?.length !== this.rank) {
      throw new InvalidArgumentError(`shape ${this.toString()} is not fully known`);
    }
    return dims;
  }

  /** True when a tensor could have both shapes. */
  isCompatibleWith(other: TensorShape): boolean {
    if (this.dims === null || other.dims === null) return true;
    if (this.dims.length !== other.dims.length) return false;
    const dims = other.dims;
    return this.dims.every((dim, i) => dim === null || dims[i] === null || dim === dims[i]);
  }

  /** Combines what both know, or gives `null` when they contradict each other. */
  mergeWith(other: TensorShape): TensorShape | null {
    if (this.dims === null) return other;
    if (other.dims === null) return this;
    if (!this.isCompatibleWith(other)) return null;
    const dims = other.dims;
    return new TensorShape(this.dims.map((dim, i) => dim ?? dims[i] ?? null));
  }

  /** The dimensions from `begin` to `end` (as `Array.slice`); unknown rank stays unknown. */
  slice(begin: number, end?: number): TensorShape {
    return this.dims === null ? this : new TensorShape(this.dims.slice(begin, end));
  }

  /** The dimensions of both shapes in a row; unknown rank when either is unknown. */
  concat(other: TensorShape | readonly Dim[]): TensorShape {
    const tail = other instanceof TensorShape ? other.dims : other;
    return this.dims === null || tail === null
      ? TensorShape.UNKNOWN
      : new TensorShape([...this.dims, ...tail]);
  }

  /** True when both are known and equal, or both equally unknown. */
  equals(other: TensorShape): boolean {
    if (this.dims === null || other.dims === null) return this.dims === other.dims;
    const dims = other.dims;
    return this.dims.length === dims.length && this.dims.every((dim, i) => dim === dims[i]);
  }

  /** `[32,?,3]`, or `<unknown>` for unknown rank. */
  toString(): string {
    return this.dims === null ? '<unknown>' : `[${this.dims.map((dim) => dim ?? '?').join(',')}]`;
  }

  toJSON(): readonly Dim[] | null {
    return this.dims;
  }
}

/** Number of elements of a fully known shape. */
export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** Row-major strides in elements. */
export function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let i = dims.length - 1; i >= 0; i--) {
    strides[i] = stride;
    stride *= dims[i] ?? 1;
  }
  return strides;
}

/**
 * The shape of NumPy broadcasting `a` with `b`, or `null` when they do not broadcast.
 * An unknown dimension against a size above 1 is taken to be that size, as in TensorFlow.
 */
export function broadcastShapes(a: TensorShape, b: TensorShape): TensorShape | null {
  if (a.dims === null || b.dims === null) return TensorShape.UNKNOWN;
  const rank = Math.max(a.dims.length, b.dims.length);
  const dims: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const da = dimOrOne(a.dims, i - rank + a.dims.length);
    const db = dimOrOne(b.dims, i - rank + b.dims.length);
    if (da === 1) dims.push(db);
    else if (db === 1 || da === db) dims.push(da);
    else if (da === null) dims.push(db);
    else if (db === null) dims.push(da);
    else return null;
  }
  return new TensorShape(dims);
}

function dimOrOne(dims: readonly Dim[], index: number): Dim {
  return index < 0 ? 1 : (dims[index] ?? null);
}
