/**
 * `Dataset`, in the manner of TensorFlow's `tf.data.Dataset`: a description of a sequence of elements, built
 * by chaining stages and read with `for await`. What a stage does is in the node files; this is the door.
 */
import { batchNode } from './batchNode.js';
import { checkCount, DataError } from './errors.js';
import type { Node } from './node.js';
import {
  concatenateNode,
  filterNode,
  mapNode,
  repeatNode,
  shardNode,
  shuffleNode,
  skipNode,
  takeNode,
} from './operators.js';
import { paddedBatchNode, type PaddedShapes, type PaddingValues } from './paddedBatchNode.js';
import { prefetchNode } from './prefetchNode.js';
import { generatorNode, rangeNode, slicesNode, zipNode } from './sources.js';
import type { DataValue, Structure } from './value.js';

/** How many of the newest elements of an iteration stay whole: the current one and the one before. */
const LEASE = 2;

/** Element type of a dataset. */
export type ElementOf<D> = D extends Dataset<infer T> ? T : never;

/** Element type of zipped datasets: their elements in the same array or record. */
export type Zipped<D> = { -readonly [K in keyof D]: ElementOf<D[K]> };

/** Options of `Dataset.iterate`. */
export interface IterateOptions {
  /** Which iteration this is, from 0: shuffles take their order from (seed, epoch). Default: counted per dataset. */
  readonly epoch?: number;
  /** Give elements that share no memory with the dataset or with each other. Default false. */
  readonly copy?: boolean;
}

/** A sequence of elements of type `T`; immutable, and iterable any number of times. */
export class Dataset<T> implements AsyncIterable<T> {
  readonly #node: Node<T>;
  #iterations = 0;

  private constructor(node: Node<T>) {
    this.#node = node;
  }

  /**
   * One element for each index of the first dimension (`tf.data.Dataset.from_tensor_slices`).
   *
   * @param tensors A value of shape [n, ...] or a record or array of such values with the same n. They are not
   *   copied; elements are views into them, of shape [...] and the same dtype.
   * @throws DataError `INVALID_ARGUMENT` for scalars, unequal n, and data that do not fit their shape or dtype.
   */
  static fromTensorSlices<S extends Structure>(tensors: S): Dataset<S> {
    return new Dataset(slicesNode(tensors));
  }

  /**
   * The elements that a generator gives (`tf.data.Dataset.from_generator`).
   *
   * @param generator Called for every iteration; returns an iterable or async iterable. It is closed when the
   *   consumer stops early. To be batched, elements must be made of values (`dataValue` makes one).
   */
  static fromGenerator<T>(generator: () => Iterable<T> | AsyncIterable<T>): Dataset<T> {
    return new Dataset(generatorNode(generator));
  }

  /**
   * int32 scalars, `range(stop)`: 0, 1, ... before stop, or `range(start, stop, step)`: start, start + step, ...
   * before stop, with a step of 1 by default (`tf.data.Dataset.range`, whose int64 a device holds as int32).
   *
   * @throws DataError `INVALID_ARGUMENT` for a number that is no int32, or a step of 0.
   */
  static range(startOrStop: number, stop?: number, step = 1): Dataset<DataValue<'int32'>> {
    const [start, end] = stop === undefined ? [0, startOrStop] : [startOrStop, stop];
    return new Dataset(rangeNode(start, end, step));
  }

  /**
   * Elements of several datasets side by side, as long as the shortest (`tf.data.Dataset.zip`).
   *
   * @param datasets Array or record of datasets; elements are arrays or records of theirs.
   */
  static zip<const D extends readonly Dataset<unknown>[] | Readonly<Record<string, Dataset<unknown>>>>(
    datasets: D,
  ): Dataset<Zipped<D>> {
    const names = Object.keys(datasets);
    const nodes = Object.values<Dataset<unknown>>(datasets).map((dataset) => dataset.#node);
    if (nodes.length === 0) throw new DataError('INVALID_ARGUMENT', 'zip: no datasets given');
    const join = (parts: unknown[]): unknown =>
      Array.isArray(datasets) ? parts : Object.fromEntries(names.map((name, index) => [name, parts[index]]));
    return new Dataset(zipNode(nodes, (parts) => join(parts) as Zipped<D>));
  }

  /** Number of elements: Infinity for an endless dataset, undefined where only iterating can tell. */
  get cardinality(): number | undefined {
    return this.#node.count;
  }

  /**
   * Shuffled order (`tf.data.Dataset.shuffle`). With a buffer of at least the dataset's size the order is a
   * uniform permutation of row numbers; no element is moved. The order of epoch e follows from (seed, e) alone.
   *
   * @param bufferSize Elements to choose from, >= 1; Infinity for all.
   * @param options.seed Safe integer. Default: chosen at random once for this dataset.
   * @param options.reshuffleEachIteration Another order in each epoch. Default true.
   */
  shuffle(
    bufferSize: number,
    options: { readonly seed?: number; readonly reshuffleEachIteration?: boolean } = {},
  ): Dataset<T> {
    checkCount('shuffle: bufferSize', bufferSize, 1, true);
    const seed = options.seed ?? Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
    if (!Number.isSafeInteger(seed)) {
      throw new DataError('INVALID_ARGUMENT', `shuffle: seed must be a safe integer, got ${seed}`);
    }
    const { reshuffleEachIteration = true } = options;
    return new Dataset(shuffleNode(this.#node, { bufferSize, seed, reshuffleEachIteration }));
  }

  /**
   * Groups of `size` elements stacked along a new first dimension (`tf.data.Dataset.batch`): values of shape
   * [...] become [size, ...], with the same dtype.
   *
   * A batch's memory is used again: it stays valid until the batch after the next one is asked for. Use `copy`
   * to keep batches.
   *
   * @param size Elements in a batch, >= 1.
   * @param options.dropRemainder Leave out a last batch with fewer elements. Default false.
   * @param options.copy Give every batch memory of its own. Default false.
   * @throws DataError `INVALID_ARGUMENT`, when read, for elements of one batch with different dtypes or shapes.
   */
  batch(
    size: number,
    options: { readonly dropRemainder?: boolean; readonly copy?: boolean } = {},
  ): Dataset<T> {
    checkCount('batch: size', size, 1);
    const { dropRemainder = false, copy = false } = options;
    return new Dataset(batchNode(this.#node, { size, dropRemainder, copy }));
  }

  /**
   * As `batch`, of elements whose sizes differ (`tf.data.Dataset.padded_batch`): each value is padded at the end of its
   * dimensions to the largest of its batch. Every batch has memory of its own.
   *
   * @param size Elements in a batch, >= 1.
   * @param options.paddedShapes Sizes to pad to, in the structure of an element: for a value a list with a size, or
   *   `null` for the largest, for each dimension. What is left out is padded to the largest.
   * @param options.paddingValues What to pad with, in the structure of an element. Default 0.
   * @param options.dropRemainder Leave out a last batch with fewer elements. Default false.
   * @throws DataError `INVALID_ARGUMENT`, when read, for elements of one batch with different dtypes or ranks, or larger
   *   than `paddedShapes`.
   */
  paddedBatch(
    size: number,
    options: {
      readonly paddedShapes?: PaddedShapes<T>;
      readonly paddingValues?: PaddingValues<T>;
      readonly dropRemainder?: boolean;
    } = {},
  ): Dataset<T> {
    checkCount('paddedBatch: size', size, 1);
    const { paddedShapes, paddingValues, dropRemainder = false } = options;
    return new Dataset(paddedBatchNode(this.#node, { size, dropRemainder, paddedShapes, paddingValues }));
  }

  /** The dataset `count` times, each time as its next epoch; endlessly by default (`tf.data.Dataset.repeat`). */
  repeat(count = Infinity): Dataset<T> {
    const times = count === -1 ? Infinity : count;
    checkCount('repeat: count', times, 0, true);
    return new Dataset(repeatNode(this.#node, times));
  }

  /**
   * `fn` of every element, in order (`tf.data.Dataset.map`). Where elements can be read by position, `fn` is
   * called only for those that are read: not for skipped ones. It must not write to its argument.
   */
  map<U>(fn: (element: T) => U | Promise<U>): Dataset<U> {
    return new Dataset(mapNode(this.#node, fn));
  }

  /** The elements for which `predicate` gives true (`tf.data.Dataset.filter`). */
  filter(predicate: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    return new Dataset(filterNode(this.#node, predicate));
  }

  /**
   * Makes up to `bufferSize` elements ahead while the consumer is busy elsewhere (`tf.data.Dataset.prefetch`).
   * An error reaches the consumer in its place, after the elements before it. A consumer that stops early
   * closes the source; elements or errors made ahead are dropped then.
   *
   * @param bufferSize Elements ahead, >= 1.
   */
  prefetch(bufferSize: number): Dataset<T> {
    checkCount('prefetch: bufferSize', bufferSize, 1);
    return new Dataset(prefetchNode(this.#node, bufferSize));
  }

  /** At most the first `count` elements; -1 for all (`tf.data.Dataset.take`). */
  take(count: number): Dataset<T> {
    const limit = count === -1 ? Infinity : count;
    checkCount('take: count', limit, 0, true);
    return new Dataset(takeNode(this.#node, limit));
  }

  /**
   * All but the first `count` elements (`tf.data.Dataset.skip`). Costs nothing where elements can be read by
   * position: from slices and ranges through shuffle, repeat, map, batch, zip and the like. So a program that
   * resumes at step k reads `dataset.skip(k)` and gets the batches that it would have got without the stop.
   */
  skip(count: number): Dataset<T> {
    checkCount('skip: count', count, 0);
    return new Dataset(skipNode(this.#node, count));
  }

  /** Elements `index`, `index + numShards`, `index + 2 numShards`, ... (`tf.data.Dataset.shard`). */
  shard(numShards: number, index: number): Dataset<T> {
    checkCount('shard: numShards', numShards, 1);
    checkCount('shard: index', index, 0);
    if (index >= numShards) {
      throw new DataError('INVALID_ARGUMENT', `shard: index must be < numShards ${numShards}, got ${index}`);
    }
    return new Dataset(shardNode(this.#node, numShards, index));
  }

  /** The elements of this dataset, then those of `dataset` (`tf.data.Dataset.concatenate`). */
  concatenate<U>(dataset: Dataset<U>): Dataset<T | U> {
    return new Dataset(concatenateNode(this.#node, dataset.#node));
  }

  /** Reads the dataset as its next epoch; see `iterate`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.iterate();
  }

  /**
   * Reads the dataset. Each call without `epoch` is one epoch further than the last on this object, so that
   * shuffles differ. Elements that hold batches stay valid until the element after the next one is asked for.
   */
  iterate(options: IterateOptions = {}): AsyncGenerator<T, void, undefined> {
    const { epoch = this.#iterations++, copy = false } = options;
    checkCount('iterate: epoch', epoch, 0);
    return this.#node.open({ start: 0, epoch, lease: copy ? Infinity : LEASE, own: copy });
  }

  /** All elements, each with memory of its own. Throws `INVALID_ARGUMENT` for an endless dataset. */
  async toArray(options: { readonly epoch?: number } = {}): Promise<T[]> {
    if (this.cardinality === Infinity) {
      throw new DataError('INVALID_ARGUMENT', 'toArray: the dataset is endless; use take() first');
    }
    const elements: T[] = [];
    for await (const element of this.iterate({ ...options, copy: true })) elements.push(element);
    return elements;
  }
}
