/** Draws the shapes, attributes and values of the variations; the same seed gives the same cases. */
import type { AttrInputs, DType, HostValue } from '@forerun/graph';
import type { Tolerance } from '@forerun/testing';
import { Random } from '@forerun/testing';

/** One case of an op. `gradient` is set where its values are away from kinks. */
export interface Variation {
  readonly inputs: readonly HostValue[];
  readonly attrs?: AttrInputs;
  readonly gradient?: boolean;
  /** Positions of the inputs that have a gradient; default all of floats. */
  readonly gradientInputs?: readonly number[];
  readonly tolerance?: Tolerance;
  /** Compares what the device gives with the reference's results, where these are not the only right ones. */
  readonly check?: (got: readonly HostValue[], want: readonly HostValue[]) => void;
}

/** Draws one case of an op. */
export type Generator = (d: Draw) => Variation;

const RANGES: Partial<Record<DType, readonly [number, number]>> = {
  bool: [0, 1],
  uint8: [0, 255],
  int8: [-128, 127],
};

/** Random choices, mostly small, with a liking for sizes 0 and 1. */
export class Draw {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return this.#random.integer(low, high + 1);
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability;
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] ?? items[0];
  }

  dim(largest = 6): number {
    const kind = this.#random.next();
    return kind < 0.04 ? 0 : kind < 0.2 ? 1 : this.integer(2, largest);
  }

  shape(minRank: number, maxRank: number, largest = maxRank > 4 ? 4 : 6): number[] {
    return Array.from({ length: this.integer(minRank, maxRank) }, () => this.dim(largest));
  }

  /** Shapes that broadcast against each other; one of them may be the joint shape. */
  broadcastShapes(count: number, maxRank = 5): number[][] {
    const joint = this.shape(0, maxRank, 5);
    return Array.from({ length: count }, (_, i) => {
      if (this.chance(i === 0 ? 0.5 : 0.3)) return joint;
      const own = joint.slice(this.integer(0, joint.length));
      return own.map((dim) => (this.chance(0.3) ? 1 : dim));
    });
  }

  axis(rank: number): number {
    return this.integer(-rank, rank - 1);
  }

  /** Different axes, as TF counts them, some from the end. */
  axes(rank: number): number[] {
    const order = this.permutation(rank).slice(0, this.integer(0, rank));
    return order.map((axis) => (this.chance(0.4) ? axis - rank : axis));
  }

  permutation(length: number): number[] {
    const list = Array.from({ length }, (_, i) => i);
    return list
      .map((item) => ({ item, key: this.#random.next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ item }) => item);
  }

  floats(shape: readonly number[], low = -2, high = 2): HostValue {
    const data = Float64Array.from(Float32Array.from(this.#random.array(size(shape), low, high)));
    return { dtype: 'float32', shape, data };
  }

  /** Floats whose magnitudes keep away from zero. */
  nonzero(shape: readonly number[], low = 0.4, high = 2): HostValue {
    const { data, ...rest } = this.floats(shape, low, high);
    return { ...rest, data: data.map((x) => (this.chance(0.5) ? x : -x)) };
  }

  /** Floats of which no two are close. */
  distinct(shape: readonly number[]): HostValue {
    const order = this.permutation(size(shape));
    return {
      dtype: 'float32',
      shape,
      data: Float64Array.from(order, (k) => (k - Math.floor(order.length / 2)) / 8),
    };
  }

  integers(shape: readonly number[], low: number, high: number, dtype: DType = 'int32'): HostValue {
    return { dtype, shape, data: Float64Array.from({ length: size(shape) }, () => this.integer(low, high)) };
  }

  /** Elements of any dtype, integers as large as the dtype has them at times. */
  of(dtype: DType, shape: readonly number[]): HostValue {
    if (dtype === 'float32') return this.floats(shape);
    const [low, high] = RANGES[dtype] ?? (this.chance(0.5) ? [-9, 9] : [-(2 ** 31), 2 ** 31 - 1]);
    return this.integers(shape, low, high, dtype);
  }

  anyDType(): DType {
    return this.pick<DType>(['float32', 'float32', 'int32', 'bool', 'uint8', 'int64']);
  }

  index(): DType {
    return this.pick<DType>(['int32', 'int32', 'int64']);
  }
}

export function size(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function vector(elements: readonly number[], dtype: DType = 'int32'): HostValue {
  return { dtype, shape: [elements.length], data: Float64Array.from(elements) };
}

export function scalar(element: number, dtype: DType = 'int32'): HostValue {
  return { dtype, shape: [], data: Float64Array.of(element) };
}
