/**
 * Reads protobuf wire primitives from bytes. Every length is checked against what is left, so
 * damaged input costs no memory, and errors say at which byte and in which field they are.
 */
import { DataLossError } from '../errors.js';
import type { FieldSpec } from './spec.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How many texts are remembered; a power of two. */
const RECENT_TEXTS = 256;

export class WireReader {
  /** Position of the next byte. */
  pos = 0;
  /** End of the message being read. */
  end: number;
  /** A field whose values are passed over. */
  skipped: FieldSpec | undefined;
  /** Fields that lead to the place being read and the index or key inside each, for errors. */
  readonly #fields: string[] = [];
  readonly #elements: (number | string | undefined)[] = [];
  readonly #recent = new Array<string | undefined>(RECENT_TEXTS).fill(undefined);
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(
    bytes: Uint8Array,
    private readonly what: string,
  ) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
  }

  /** Throws `DataLossError` naming message, field path and byte. */
  fail(rule: string): never {
    const path = this.#fields.map((field, i) => field + elementLabel(this.#elements[i]));
    const where = path.length === 0 ? '' : ` in ${path.join('.')}`;
    throw new DataLossError(`${this.what}: ${rule}${where} at byte ${this.pos}`);
  }

  /** Notes that a sub-message begins: of `field`, at an index of its list or a key of its map. */
  enter(field: string, element: number | string | undefined): void {
    this.#fields.push(field);
    this.#elements.push(element);
  }

  /** Notes that the sub-message has ended. */
  leave(): void {
    this.#fields.pop();
    this.#elements.pop();
  }

  /** An unsigned varint of at most 32 bits, for tags and lengths. */
  uint32(): number {
    let result = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      result += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        return result < 2 ** 32 ? result : this.fail('varint above 32 bits');
      }
    }
    return this.fail('varint above 32 bits');
  }

  /** The low 32 bits of a varint, as a signed number. */
  int32(): number {
    let result = 0;
    for (let i = 0; i < 10; i++) {
      const byte = this.byte();
      if (i < 5) result |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return result;
    }
    return this.fail('varint longer than 10 bytes');
  }

  /** A varint with all 64 bits, unsigned. */
  uint64(): bigint {
    return BigInt(this.varint());
  }

  /** As `uint64`, but a number where it is below 2^28. */
  varint(): number | bigint {
    let low = 0;
    let shift = 0;
    // Small values, by far the most, need no arithmetic on bigints.
    for (; shift < 28; shift += 7) {
      const byte = this.byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return low;
    }
    let result = BigInt(low);
    for (; shift < 70; shift += 7) {
      const byte = this.byte();
      result |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return BigInt.asUintN(64, result);
    }
    return this.fail('varint longer than 10 bytes');
  }

  fixed32(): number {
    return this.#view.getUint32(this.advance(4), true);
  }

  fixed64(): bigint {
    return this.#view.getBigUint64(this.advance(8), true);
  }

  float(): number {
    return this.#view.getFloat32(this.advance(4), true);
  }

  double(): number {
    return this.#view.getFloat64(this.advance(8), true);
  }

  /** Length-delimited bytes, as a view on the input. */
  bytes(): Uint8Array {
    const length = this.length();
    return this.#bytes.subarray(this.pos, (this.pos += length));
  }

  /** Length-delimited UTF-8. */
  string(): string {
    const length = this.length();
    const start = this.pos;
    if (length < 64) {
      const text = this.ascii(start, start + length);
      if (text !== undefined) return text;
    }
    const bytes = this.#bytes.subarray(start, start + length);
    try {
      const text = utf8.decode(bytes);
      this.pos += length;
      return text;
    } catch {
      return this.fail('text that is not UTF-8');
    }
  }

  /** Text of a few bytes: the same string where the same was read lately, as names of attributes and op types are. */
  private ascii(start: number, end: number): string | undefined {
    const bytes = this.#bytes;
    let hash = 0;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] ?? 0x80;
      if (byte >= 0x80) return undefined;
      hash = (Math.imul(hash, 31) + byte) | 0;
    }
    this.pos = end;
    const slot = hash & (RECENT_TEXTS - 1);
    const known = this.#recent[slot];
    if (known !== undefined && this.holds(known, start, end)) return known;
    const text = String.fromCharCode(...bytes.subarray(start, end));
    this.#recent[slot] = text;
    return text;
  }

  private holds(text: string, start: number, end: number): boolean {
    if (text.length !== end - start) return false;
    for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== this.#bytes[i]) return false;
    return true;
  }

  /** A length that fits into what is left. */
  length(): number {
    const length = this.uint32();
    if (length > this.end - this.pos) {
      this.fail(`length ${length} is more than the ${this.end - this.pos} bytes left`);
    }
    return length;
  }

  /** Skips the value of a field whose tag was just read. */
  skip(wire: number): void {
    if (wire === 0) this.uint64();
    else if (wire === 1) this.advance(8);
    else if (wire === 2) this.advance(this.length());
    else if (wire === 5) this.advance(4);
    else this.fail(`unsupported wire type ${wire}`);
  }

  /** A copy of the bytes from `start` to here. */
  copyFrom(start: number): Uint8Array {
    return this.#bytes.slice(start, this.pos);
  }

  private byte(): number {
    const byte = this.pos < this.end ? this.#bytes[this.pos] : undefined;
    if (byte === undefined) return this.fail('unexpected end');
    this.pos++;
    return byte;
  }

  private advance(count: number): number {
    const start = this.pos;
    if (count > this.end - start) this.fail('unexpected end');
    this.pos += count;
    return start;
  }
}

function elementLabel(element: number | string | undefined): string {
  return element === undefined ? '' : `[${JSON.stringify(element)}]`;
}
