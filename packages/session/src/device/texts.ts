/**
 * Texts on the device: a number each, which stands for one text as long as any run or constant uses it. Equal texts have equal numbers, so
 * ops that move elements or compare them need not know. The empty text is 0, as zeros stand for it.
 */
import { InternalError } from '@forerun/graph';

type Text = string | Uint8Array;

interface Entry {
  readonly text: Text;
  readonly key: string;
  /** The last run that may use it; constants may for ever. */
  run: number;
}

/** Below this many, texts of runs that have ended are not searched for. */
const LEAST_KEPT = 1024;

export class TextPool {
  readonly #byKey = new Map<string, number>();
  readonly #entries = new Map<number, Entry>();
  readonly #active = new Set<number>();
  #runs = 0;
  #next = 1;
  /** How many are not for ever. */
  #passing = 0;
  #sweepAt = LEAST_KEPT;

  constructor() {
    this.#byKey.set('', 0);
    this.#entries.set(0, { text: '', key: '', run: Infinity });
  }

  /** How many texts have a number. */
  get size(): number {
    return this.#entries.size;
  }

  /** Begins a run, whose texts keep their numbers until `end` is called with what this returns. */
  begin(): number {
    this.#active.add(++this.#runs);
    return this.#runs;
  }

  end(run: number): void {
    this.#active.delete(run);
    if (this.#passing >= (this.#active.size === 0 ? LEAST_KEPT : this.#sweepAt)) this.sweep();
  }

  /** Forgets the texts of runs that have ended. */
  private sweep(): void {
    const oldest = Math.min(Infinity, ...this.#active);
    for (const [id, { key, run }] of this.#entries) {
      if (run >= oldest || run === Infinity) continue;
      this.#entries.delete(id);
      this.#byKey.delete(key);
      this.#passing--;
    }
    this.#sweepAt = Math.max(LEAST_KEPT, 2 * this.#passing);
  }

  /** The numbers of texts: for the runs that are active, or for ever. */
  numbers(texts: readonly Text[], use: 'run' | 'constant'): Int32Array {
    const run = use === 'constant' ? Infinity : this.#runs;
    return Int32Array.from(texts, (text) => this.number(text, run));
  }

  private number(text: Text, run: number): number {
    const key = keyOf(text);
    const known = this.#byKey.get(key);
    const entry = known === undefined ? undefined : this.#entries.get(known);
    if (known !== undefined && entry !== undefined) {
      if (run === Infinity && entry.run < run) this.#passing--;
      entry.run = Math.max(entry.run, run);
      return known;
    }
    const id = this.freeNumber();
    this.#byKey.set(key, id);
    this.#entries.set(id, { text, key, run });
    if (run !== Infinity) this.#passing++;
    return id;
  }

  /** Numbers fit an int32; after the last one, those that were given back are taken again. */
  private freeNumber(): number {
    while (this.#entries.has(this.#next)) this.#next = this.#next >= 2 ** 31 - 1 ? 1 : this.#next + 1;
    const id = this.#next;
    this.#next = id >= 2 ** 31 - 1 ? 1 : id + 1;
    return id;
  }

  /** The texts with the given numbers. */
  texts(numbers: ArrayLike<number>): Text[] {
    return Array.from(numbers, (id) => {
      const entry = this.#entries.get(id);
      if (entry === undefined) throw new InternalError(`no text has the number ${id}`);
      return entry.text;
    });
  }
}

/** The same for a text and for its bytes in UTF-8; bytes that are no UTF-8 begin with what no text of UTF-8 can hold. */
function keyOf(text: Text): string {
  if (typeof text === 'string') return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  } catch {
    return `\ud800${Array.from(text, (byte) => String.fromCharCode(byte)).join('')}`;
  }
}
