/**
 * The orthogonal initializer. Its matrix is computed on the host while the graph is built, in float64,
 * and stands in the graph as a constant: orthonormalization is sequential and happens once.
 */
import { InvalidArgumentError, constant, getSeed, sizeOf } from '@forerun/graph';
import type { Initializer } from './initializer.js';
import type { RandomInitializerOptions } from './initializers.js';

/**
 * A random orthogonal matrix times `gain` (`tf.orthogonal_initializer`; Saxe et al., 2014). Higher ranks
 * are flattened to a matrix of all but the last dimension by the last; the shorter side is orthonormal. The numbers
 * follow from the graph's seed and `seed`, see `getSeed`.
 * Throws `InvalidArgumentError` for a rank below 2.
 */
export function orthogonalInitializer({
  gain = 1,
  seed,
  dtype: own = 'float32',
}: RandomInitializerOptions & { readonly gain?: number } = {}): Initializer {
  return (shape, { dtype = own } = {}) => {
    const columns = shape.at(-1);
    if (columns === undefined || shape.length < 2) {
      throw new InvalidArgumentError(
        `orthogonal initializer: the variable must have rank 2 or more, its shape is [${shape.join(',')}]`,
      );
    }
    const normal = normalSource(...getSeed(seed ?? null));
    const rows = sizeOf(shape.slice(0, -1));
    const vectors = orthonormal(Math.min(rows, columns), Math.max(rows, columns), normal);
    const data = new Float32Array(rows * columns);
    for (let i = 0; i < data.length; i++) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const [vector, element] = rows >= columns ? [column, row] : [row, column];
      data[i] = gain * (vectors[vector]?.[element] ?? 0);
    }
    return constant(data, { dtype, shape });
  };
}

/** `count` orthonormal vectors of `length` elements: normal ones, orthogonalized twice (Gram and Schmidt). */
function orthonormal(count: number, length: number, normal: () => number): Float64Array[] {
  const vectors: Float64Array[] = [];
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, normal);
    const before = norm(vector);
    for (let pass = 0; pass < 2; pass++) for (const other of vectors) removeComponent(vector, other);
    const size = norm(vector);
    // A vector that almost lies in the span of the others has lost its digits: draw another.
    if (size > 1e-8 * before) vectors.push(vector.map((x) => x / size));
  }
  return vectors;
}

function removeComponent(vector: Float64Array, unit: Float64Array): void {
  let dot = 0;
  for (let i = 0; i < vector.length; i++) dot += (vector[i] ?? 0) * (unit[i] ?? 0);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) - dot * (unit[i] ?? 0);
}

function norm(vector: Float64Array): number {
  return Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
}

/** Standard normal numbers that depend on the two seeds only (Box and Muller over a 32-bit counter hash). */
function normalSource(first: number, second: number): () => number {
  let counter = 0;
  const key = hash(Math.imul(first, 0x9e3779b1) ^ hash(second));
  const uniform = (): number => (hash(key + Math.imul(counter++, 0x85ebca6b)) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The finalizer of MurmurHash3 applied twice: every input bit changes about half of the output bits. */
function hash(value: number): number {
  let h = value | 0;
  for (let pass = 0; pass < 2; pass++) {
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) + 0x9e3779b9;
  }
  return h >>> 0;
}
