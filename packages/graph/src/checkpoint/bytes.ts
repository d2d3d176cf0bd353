/** Growing byte buffers and bounds-checked cursors: what the checkpoint formats are made of. */
import { DataLossError } from '../errors.js';

/** Bytes being appended to. */
export class ByteBuffer {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  byte(value: number): this {
    this.reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** Little-endian 32 bits. */
  fixed32(value: number): this {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
    return this;
  }

  /** Base-128 varint of a non-negative safe integer. */
  varint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.byte((rest % 128) | 0x80);
    return this.byte(rest);
  }

  /** The bytes so far, as a view that the next append may outdate. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy of the bytes so far. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  private reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

/** Reads forward through bytes; reading past the end throws `DataLossError`. */
export class ByteCursor {
  pos = 0;

  constructor(
    readonly bytes: Uint8Array,
    private readonly what: string,
  ) {}

  get left(): number {
    return this.bytes.length - this.pos;
  }

  fail(rule: string): never {
    throw new DataLossError(`${this.what}: ${rule} at byte ${this.pos}`);
  }

  byte(): number {
    return this.bytes[this.take(1)] ?? 0;
  }

  fixed32(): number {
    const at = this.take(4);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + at, 4).getUint32(0, true);
  }

  /** A varint that must be a safe integer. */
  varint(): number {
    let result = 0;
    let factor = 1;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte();
      result += (byte & 0x7f) * factor;
      factor *= 128;
      if (byte < 0x80) return Number.isSafeInteger(result) ? result : this.fail('number out of range');
    }
    return this.fail('varint longer than 10 bytes');
  }

  /** The next `count` bytes, as a view. */
  slice(count: number): Uint8Array {
    const at = this.take(count);
    return this.bytes.subarray(at, at + count);
  }

  private take(count: number): number {
    if (count > this.left) this.fail(`${count} bytes wanted, ${this.left} left`);
    const at = this.pos;
    this.pos += count;
    return at;
  }
}
