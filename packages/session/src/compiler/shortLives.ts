/** What a unit would do to the memory in use if it came next, kept up while the scheduler chooses. */
import type { IrValue, Program } from './ir.js';
import type { LoweredUnit } from './lower.js';
import { boundValues } from './memory.js';
import { bytesOf, storageOf } from './storage.js';

const NO_COPIES: ReadonlySet<IrValue> = new Set();

export class ShortLives {
  /** Temporaries that each unit makes and reads. */
  readonly #makes: IrValue[][];
  readonly #reads: IrValue[][];
  /** Units that still have to read each temporary. Fetches keep one more. */
  readonly #readers = new Map<IrValue, Set<number>>();

  constructor(lowered: readonly LoweredUnit[], program: Program) {
    const touched = lowered.map((unit) => [...new Set(boundValues(unit).flatMap(temporary))]);
    const isOwn = (value: IrValue, i: number): boolean =>
      lowered[i]?.unit.nodes.includes(value.node) === true;
    this.#makes = touched.map((values, i) => values.filter((value) => isOwn(value, i)));
    this.#reads = touched.map((values, i) => values.filter((value) => !isOwn(value, i)));
    this.#reads.forEach((values, i) => values.forEach((value) => this.readersOf(value).add(i)));
    for (const value of program.fetches.flatMap(temporary)) this.readersOf(value).add(-1);
  }

  private readersOf(value: IrValue): Set<number> {
    const readers = this.#readers.get(value) ?? new Set<number>();
    this.#readers.set(value, readers);
    return readers;
  }

  /** Whether a unit reads no temporary. */
  startsFromNothing(unit: number): boolean {
    return this.#reads[unit]?.length === 0 && this.#makes[unit]?.length !== 0;
  }

  /** Bytes in use after the unit minus those before it, 0 or less where it frees what it takes. */
  growth(unit: number): number {
    let bytes = 0;
    for (const value of this.#makes[unit] ?? []) bytes += bytesOf(value);
    for (const value of this.#reads[unit] ?? []) {
      if (this.#readers.get(value)?.size === 1) bytes -= bytesOf(value);
    }
    return bytes;
  }

  /** Notes that a unit has run. Returns those that have become the last to read something. */
  finish(unit: number): number[] {
    return (this.#reads[unit] ?? []).flatMap((value) => {
      const readers = this.#readers.get(value);
      readers?.delete(unit);
      return readers?.size === 1 ? [...readers].filter((reader) => reader >= 0) : [];
    });
  }
}

/** The temporary that a value lies in, if it is one. */
function temporary(value: IrValue): IrValue[] {
  const storage = storageOf(value, NO_COPIES);
  return storage.kind === 'temp' ? [storage.value] : [];
}
