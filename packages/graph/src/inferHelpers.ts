/** Shape rules that many ops share. */
import type { InferContext } from './opDef.js';
import { broadcastShapes, TensorShape } from './shape.js';

/** One output of the shape of input 0. */
export function sameShape(c: InferContext): TensorShape[] {
  return [c.shape(0)];
}

/** One output of the broadcast shape of inputs 0 and 1. */
export function broadcastShape(c: InferContext): TensorShape[] {
  const [a, b] = [c.shape(0), c.shape(1)];
  const shape = broadcastShapes(a, b);
  return [shape ?? c.fail(`shapes do not broadcast: ${a.toString()} and ${b.toString()}`)];
}

/** One scalar output. */
export function scalarShape(): TensorShape[] {
  return [TensorShape.SCALAR];
}

/** No outputs. */
export function noOutputs(): TensorShape[] {
  return [];
}

/** Rejects input `i` unless its rank is `rank` or unknown; returns its shape with that rank. */
export function withRank(c: InferContext, i: number, rank: number, name: string): TensorShape {
  const shape = c.shape(i);
  if (shape.rank === null) return TensorShape.ofRank(rank);
  if (shape.rank !== rank) c.fail(`${name} must have rank ${rank}, got shape ${shape.toString()}`);
  return shape;
}

/** Rejects input `i` when its rank is known and below `rank`. */
export function withRankAtLeast(c: InferContext, i: number, rank: number, name: string): TensorShape {
  const shape = c.shape(i);
  if (shape.rank !== null && shape.rank < rank) {
    c.fail(`${name} must have rank ${rank} or more, got shape ${shape.toString()}`);
  }
  return shape;
}

/** The shape that a 1-D integer input holds: unknown elements (and -1) become unknown dimensions. */
export function shapeFromInput(c: InferContext, i: number): TensorShape {
  const value = c.constant(i);
  if (value === null) {
    const length = c.shape(i).rank === 1 ? c.shape(i).dim(0) : null;
    return length === null ? TensorShape.UNKNOWN : TensorShape.ofRank(length);
  }
  return new TensorShape(Array.from(value.data, (dim) => (Number.isNaN(dim) || dim < 0 ? null : dim)));
}

/** An axis in `[0, rank)` from one that may be negative; `null` when not known. Rejects axes out of range. */
export function normalizeAxis(c: InferContext, axis: number, rank: number | null): number | null {
  if (rank === null || Number.isNaN(axis)) return null;
  if (axis < -rank || axis >= rank) c.fail(`axis ${axis} is out of range [${-rank}, ${rank})`);
  return axis < 0 ? axis + rank : axis;
}
