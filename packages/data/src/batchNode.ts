/**
 * Batches. Elements are gathered into a ring of slots allocated once per iteration: a training loop makes no
 * new arrays. Rows of tensors are copied straight from the tensors, other elements as they arrive.
 */
import { DataError } from './errors.js';
import {
  randomNode,
  streamNode,
  type Node,
  type OpenOptions,
  type RandomAccess,
  type Reader,
  type ReadOptions,
  type Rows,
} from './node.js';
import { rowCopiers, type RowCopier } from './rowCopier.js';
import { allocate, checkValue, leavesOf, rebuild, sizeOf, type DataValue, type Leaf } from './value.js';

/** Settings of one `batch` stage. */
export interface BatchSpec {
  readonly size: number;
  readonly dropRemainder: boolean;
  readonly copy: boolean;
}

/** Memory for one batch, and the batch objects over it by their number of elements. */
class Slot<T> {
  readonly values: readonly DataValue[];
  readonly #template: T;
  readonly #batches = new Map<number, T>();

  constructor(template: T, elements: readonly DataValue[], size: number) {
    this.#template = template;
    this.values = elements.map(({ dtype, shape }) => ({
      dtype,
      shape: [size, ...shape],
      data: allocate(dtype, size * sizeOf(shape)),
    }));
  }

  /** The batch of the first `size` elements. */
  batch(size: number): T {
    let batch = this.#batches.get(size);
    if (batch === undefined) {
      batch = rebuild(
        this.#template,
        this.values.map((value) => firstRows(value, size)),
      );
      this.#batches.set(size, batch);
    }
    return batch;
  }
}

function firstRows(value: DataValue, count: number): DataValue {
  if (value.shape[0] === count) return value;
  const inner = value.shape.slice(1);
  return {
    dtype: value.dtype,
    shape: [count, ...inner],
    data: value.data.subarray(0, count * sizeOf(inner)),
  };
}

/** Slots taken in turn, made when first needed; always a new one under an endless lease. */
class Ring<S> {
  readonly #slots: S[] = [];
  readonly #make: () => S;
  readonly #length: number;
  #next = 0;

  constructor(options: ReadOptions, make: () => S) {
    this.#make = make;
    this.#length = options.own ? Infinity : options.lease;
  }

  take(): S {
    if (this.#length === Infinity) return this.#make();
    const index = this.#next;
    this.#next = (index + 1) % this.#length;
    return (this.#slots[index] ??= this.#make());
  }
}

/** Stacks elements as they arrive. All of one batch must have the same dtypes and shapes. */
class Stacker<T> {
  readonly #size: number;
  readonly #options: ReadOptions;
  #pattern: readonly Leaf[] = [];
  #widths: readonly number[] = [];
  #ring: Ring<Slot<T>> | undefined;
  #slot: Slot<T> | undefined;
  #filled = 0;

  constructor(size: number, options: ReadOptions) {
    this.#size = size;
    this.#options = options;
  }

  get filled(): number {
    return this.#filled;
  }

  put(element: T): void {
    const leaves = leavesOf('batch', element);
    if (this.#filled === 0) this.#begin(element, leaves);
    this.#check(leaves);
    const row = this.#filled++;
    leaves.forEach(({ value }, index) => {
      // Class and length are checked against the slot's; Float32Array stands for all the classes.
      const target = this.#slot?.values[index]?.data as Float32Array;
      target.set(value.data as Float32Array, row * (this.#widths[index] ?? 0));
    });
  }

  /** Ends the batch. */
  take(): T | undefined {
    const batch = this.#slot?.batch(this.#filled);
    this.#filled = 0;
    return batch;
  }

  #begin(element: T, leaves: readonly Leaf[]): void {
    if (this.#ring === undefined || mismatch(leaves, this.#pattern) !== undefined) {
      if (leaves.length === 0) throw new DataError('INVALID_ARGUMENT', 'batch: the element holds no values');
      for (const { path, value } of leaves) checkValue(`batch: "${path}"`, value);
      this.#pattern = leaves.map(({ path, value }) => ({ path, value: withoutData(value) }));
      this.#widths = leaves.map(({ value }) => sizeOf(value.shape));
      const values = this.#pattern.map((leaf) => leaf.value);
      const template = rebuild(element, values);
      this.#ring = new Ring(this.#options, () => new Slot(template, values, this.#size));
    }
    this.#slot = this.#ring.take();
  }

  #check(leaves: readonly Leaf[]): void {
    const problem = mismatch(leaves, this.#pattern);
    if (problem !== undefined) {
      throw new DataError('INVALID_ARGUMENT', `batch: element ${this.#filled} of a batch ${problem}`);
    }
    leaves.forEach(({ path, value }, index) => {
      if (value.data.length !== this.#widths[index]) checkValue(`batch: "${path}"`, value);
    });
  }
}

/** Dtype and shape alone, so that a ring does not keep the first element's memory. */
function withoutData(value: DataValue): DataValue {
  return { dtype: value.dtype, shape: value.shape, data: allocate(value.dtype, 0) };
}

function mismatch(leaves: readonly Leaf[], pattern: readonly Leaf[]): string | undefined {
  if (leaves.length !== pattern.length) return `has ${leaves.length} values, the first has ${pattern.length}`;
  for (const [index, { path, value }] of leaves.entries()) {
    const first = pattern[index];
    if (first === undefined) continue;
    if (path !== first.path) return `has "${path}" where the first has "${first.path}"`;
    if (value.dtype !== first.value.dtype || !sameShape(value.shape, first.value.shape)) {
      return `has ${label(path, value)}, the first has ${label('', first.value)}`;
    }
  }
  return undefined;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function label(path: string, value: DataValue): string {
  return `${path === '' ? '' : `"${path}" as `}${value.dtype} [${value.shape.join(',')}]`;
}

/** Batches gathered from the rows of tensors; `copiers` are the tensors', in the order of `leavesOf`. */
function gatherReader<T>(
  rows: Rows<T>,
  copiers: readonly RowCopier[],
  batches: { readonly elements: number; readonly size: number },
  options: ReadOptions,
): Reader<T> {
  const { elements, size } = batches;
  const patterns = leavesOf('batch', rows.tensors).map(({ value }) => ({
    ...value,
    shape: value.shape.slice(1),
  }));
  const ring = new Ring(options, () => {
    const slot = new Slot(rows.tensors, patterns, size);
    const targets = copiers.map((copier, leaf) => copier.target(slot.values[leaf]));
    return { slot, targets };
  });
  const rowAt = rows.open();
  return (position, epoch) => {
    const { slot, targets } = ring.take();
    const first = position * size;
    const filled = Math.min(size, elements - first);
    for (let i = 0; i < filled; i++) {
      const row = rowAt(first + i, epoch);
      for (let leaf = 0; leaf < copiers.length; leaf++) copiers[leaf]?.copy(targets[leaf], i, row);
    }
    return slot.batch(filled);
  };
}

/** Batches of elements that can be read by position but are no rows. */
function stackReader<T>(up: RandomAccess<T>, count: number, size: number, options: ReadOptions): Reader<T> {
  const read = up.reader({ lease: 1, own: false });
  const stacker = new Stacker<T>(size, options);
  return async (position, epoch) => {
    const first = position * size;
    const end = Math.min(first + size, count);
    // A read that failed half way must not leave its elements to the next batch.
    stacker.take();
    for (let at = first; at < end; at++) stacker.put(await read(at, epoch));
    return stacker.take() as T;
  };
}

async function* batchStream<T>(
  up: Node<T>,
  spec: BatchSpec,
  options: OpenOptions,
): AsyncGenerator<T, void, undefined> {
  const stacker = new Stacker<T>(spec.size, options);
  const upstream = { start: options.start * spec.size, epoch: options.epoch, lease: 1, own: false };
  for await (const element of up.open(upstream)) {
    stacker.put(element);
    if (stacker.filled === spec.size) yield stacker.take() as T;
  }
  if (stacker.filled > 0 && !spec.dropRemainder) yield stacker.take() as T;
}

/** `up` in batches of `spec.size`. */
export function batchNode<T>(up: Node<T>, spec: BatchSpec): Node<T> {
  const count =
    up.count === undefined
      ? undefined
      : spec.dropRemainder
        ? Math.floor(up.count / spec.size)
        : Math.ceil(up.count / spec.size);
  const lease = (options: ReadOptions): ReadOptions =>
    spec.copy ? { lease: Infinity, own: true } : { lease: options.lease, own: options.own };
  const { random } = up;
  if (random === undefined || up.count === undefined || count === undefined) {
    return streamNode(count, (options) => batchStream(up, spec, { ...options, ...lease(options) }));
  }
  const elements = up.count;
  const copiers = random.rows === undefined ? [] : rowCopiers(random.rows.tensors);
  return randomNode(count, {
    reader: (options) =>
      random.rows === undefined
        ? stackReader(random, elements, spec.size, lease(options))
        : gatherReader(random.rows, copiers, { elements, size: spec.size }, lease(options)),
    rows: undefined,
    shuffled: random.shuffled,
    sequential: random.sequential,
  });
}
