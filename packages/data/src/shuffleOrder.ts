/**
 * The order in which a shuffle gives its elements. It is TensorFlow's buffer algorithm on row numbers: draw a
 * slot of the buffer, give what lies there, refill the slot with the next row, or with the buffer's last once
 * the rows have run out. With a buffer as large as the dataset that is a Fisher-Yates permutation.
 */
import { PhiloxStream } from './philox.js';

/** What fixes a shuffle's order. */
export interface ShuffleSpec {
  /** Rows that the buffer holds; Infinity for all. */
  readonly bufferSize: number;
  /** Key of the generator. */
  readonly seed: number;
  /** Whether epochs differ in order. */
  readonly reshuffleEachIteration: boolean;
}

/** The generator for one epoch of a shuffle. */
export function shuffleStream(spec: ShuffleSpec, epoch: number): PhiloxStream {
  return new PhiloxStream(spec.seed, spec.reshuffleEachIteration ? epoch : 0);
}

/** Writes the order of `out.length` rows into `out`, with `slots` (min(buffer, rows) long) as working space. */
export function shuffleOrder(random: PhiloxStream, out: Uint32Array, slots: Uint32Array): void {
  let size = slots.length;
  let next = size;
  for (let i = 0; i < size; i++) slots[i] = i;
  for (let i = 0; i < out.length; i++) {
    const drawn = random.below(size);
    out[i] = slots[drawn] ?? 0;
    slots[drawn] = next < out.length ? next++ : (slots[--size] ?? 0);
  }
}

/**
 * Orders by epoch for one iteration, computed when first asked for. Keeps two, because a batch may straddle
 * the end of an epoch, and reuses their arrays.
 */
export class EpochOrders {
  readonly #spec: ShuffleSpec;
  readonly #count: number;
  readonly #slots: Uint32Array;
  #current: { epoch: number; order: Uint32Array } | undefined;
  #previous: { epoch: number; order: Uint32Array } | undefined;

  constructor(spec: ShuffleSpec, count: number) {
    this.#spec = spec;
    this.#count = count;
    this.#slots = new Uint32Array(Math.min(spec.bufferSize, count));
  }

  /** Row at `position` in the order of `epoch`. */
  rowAt(position: number, epoch: number): number {
    const key = this.#spec.reshuffleEachIteration ? epoch : 0;
    if (this.#current?.epoch !== key) this.#select(key);
    return this.#current?.order[position] ?? 0;
  }

  #select(epoch: number): void {
    const recycled = this.#previous;
    this.#previous = this.#current;
    if (recycled?.epoch === epoch) {
      this.#current = recycled;
      return;
    }
    const order = recycled?.order ?? new Uint32Array(this.#count);
    shuffleOrder(shuffleStream(this.#spec, epoch), order, this.#slots);
    this.#current = { epoch, order };
  }
}
