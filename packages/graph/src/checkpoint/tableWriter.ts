/** Writes the sorted key-value table of `.index` files (the LevelDB table format in TensorFlow's dialect). */
import { InvalidArgumentError } from '../errors.js';
import { compareBytes } from '../proto/utf8.js';
import { ByteBuffer } from './bytes.js';
import { crc32c, maskCrc } from './crc32c.js';

/** A key of the table and what it holds. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Last eight bytes of every table. */
export const TABLE_MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
export const FOOTER_BYTES = 48;

const BLOCK_BYTES = 262144;
const RESTART_INTERVAL = 16;

/** One block: entries with shared key prefixes, and the offsets at which prefixes start anew. */
class BlockBuilder {
  readonly #buffer = new ByteBuffer();
  #restarts = [0];
  #sinceRestart = 0;
  #lastKey: Uint8Array = new Uint8Array(0);

  constructor(private readonly restartInterval: number) {}

  get size(): number {
    return this.#buffer.length + 4 * this.#restarts.length + 4;
  }

  get isEmpty(): boolean {
    return this.#buffer.length === 0;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    let shared = 0;
    if (this.#sinceRestart < this.restartInterval) shared = commonPrefix(this.#lastKey, key);
    else {
      this.#restarts.push(this.#buffer.length);
      this.#sinceRestart = 0;
    }
    this.#buffer
      .varint(shared)
      .varint(key.length - shared)
      .varint(value.length)
      .append(key.subarray(shared))
      .append(value);
    this.#lastKey = key;
    this.#sinceRestart++;
  }

  finish(): Uint8Array {
    for (const restart of this.#restarts) this.#buffer.fixed32(restart);
    const bytes = this.#buffer.fixed32(this.#restarts.length).copy();
    this.#buffer.clear();
    this.#restarts = [0];
    this.#sinceRestart = 0;
    this.#lastKey = new Uint8Array(0);
    return bytes;
  }
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  const limit = Math.min(a.length, b.length);
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}

/** A short key that is at least `last` and below `next`. */
function separator(last: Uint8Array, next: Uint8Array): Uint8Array {
  const at = commonPrefix(last, next);
  const byte = last[at];
  const limit = next[at];
  if (byte === undefined || limit === undefined || byte === 0xff || byte + 1 >= limit) return last;
  return Uint8Array.of(...last.subarray(0, at), byte + 1);
}

/** A short key that is at least `last`. */
function successor(last: Uint8Array): Uint8Array {
  const at = last.findIndex((byte) => byte !== 0xff);
  return at < 0 ? last : Uint8Array.of(...last.subarray(0, at), (last[at] ?? 0) + 1);
}

class TableWriter {
  readonly #file = new ByteBuffer();
  readonly #block = new BlockBuilder(RESTART_INTERVAL);
  readonly #index = new BlockBuilder(1);
  #lastKey: Uint8Array | undefined;
  #pending: Uint8Array | undefined;

  add({ key, value }: TableEntry): void {
    const last = this.#lastKey;
    if (last !== undefined && compareBytes(last, key) >= 0) {
      throw new InvalidArgumentError(`two table entries with the key "${new TextDecoder().decode(key)}"`);
    }
    // An entry that would fill a block on its own gets one.
    if (!this.#block.isEmpty && key.length + value.length >= 2 * BLOCK_BYTES) this.flush();
    if (this.#pending !== undefined && last !== undefined)
      this.#index.add(separator(last, key), this.#pending);
    this.#pending = undefined;
    this.#block.add(key, value);
    this.#lastKey = key;
    if (this.#block.size >= BLOCK_BYTES) this.flush();
  }

  private flush(): void {
    this.#pending = this.writeBlock(this.#block);
  }

  /** Appends a block with its trailer; returns its handle. */
  private writeBlock(block: BlockBuilder): Uint8Array {
    const bytes = block.finish();
    const offset = this.#file.length;
    const type = Uint8Array.of(0);
    this.#file.append(bytes).append(type);
    this.#file.fixed32(maskCrc(crc32c(type, crc32c(bytes))));
    return new ByteBuffer().varint(offset).varint(bytes.length).copy();
  }

  finish(): Uint8Array {
    if (!this.#block.isEmpty) this.flush();
    const metaindex = this.writeBlock(new BlockBuilder(RESTART_INTERVAL));
    if (this.#pending !== undefined && this.#lastKey !== undefined) {
      this.#index.add(successor(this.#lastKey), this.#pending);
    }
    const index = this.writeBlock(this.#index);
    const footer = new ByteBuffer().append(metaindex).append(index);
    const padding = new Uint8Array(FOOTER_BYTES - TABLE_MAGIC.length - footer.length);
    return this.#file.append(footer.view()).append(padding).append(TABLE_MAGIC).copy();
  }
}

/** The table of `entries`, in any order. Throws `InvalidArgumentError` when a key occurs twice. */
export function writeTable(entries: readonly TableEntry[]): Uint8Array {
  const writer = new TableWriter();
  for (const entry of [...entries].sort((a, b) => compareBytes(a.key, b.key))) writer.add(entry);
  return writer.finish();
}
