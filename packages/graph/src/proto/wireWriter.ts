/**
 * The two passes of writing a message. The first measures (and notes the size of every
 * sub-message), the second fills an array of exactly the right size.
 */
import { utf8Length } from './utf8.js';

/** What the encoder writes to, in either pass. */
export interface WireSink {
  varint(value: number): void;
  varint64(value: bigint): void;
  fixed32(value: number): void;
  fixed64(value: bigint): void;
  float(value: number): void;
  double(value: number): void;
  raw(bytes: Uint8Array): void;
  /** Length-prefixed UTF-8. */
  string(text: string): void;
  /** Length-prefixed content that `write` produces. */
  delimited(write: () => void): void;
}

function varintSize(value: number): number {
  let size = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++;
  return size;
}

function varint64Size(value: bigint): number {
  let size = 1;
  for (let rest = BigInt.asUintN(64, value); rest >= 0x80n; rest >>= 7n) size++;
  return size;
}

/** First pass: counts bytes. */
export class SizeSink implements WireSink {
  size = 0;
  /** Sizes of length-prefixed contents, in the order in which they begin. */
  readonly sizes: number[] = [];

  varint(value: number): void {
    this.size += varintSize(value);
  }

  varint64(value: bigint): void {
    this.size += varint64Size(value);
  }

  fixed32(): void {
    this.size += 4;
  }

  fixed64(): void {
    this.size += 8;
  }

  float(): void {
    this.size += 4;
  }

  double(): void {
    this.size += 8;
  }

  raw(bytes: Uint8Array): void {
    this.size += bytes.length;
  }

  string(text: string): void {
    const length = utf8Length(text);
    this.size += varintSize(length) + length;
  }

  delimited(write: () => void): void {
    const slot = this.sizes.push(0) - 1;
    const start = this.size;
    write();
    const size = this.size - start;
    this.sizes[slot] = size;
    this.size += varintSize(size);
  }
}

const encoder = new TextEncoder();

/** Second pass: fills the array. */
export class ByteSink implements WireSink {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #sizes: readonly number[];
  #pos = 0;
  #next = 0;

  constructor({ size, sizes }: SizeSink) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#sizes = sizes;
  }

  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.bytes[this.#pos++] = (rest % 128) | 0x80;
    this.bytes[this.#pos++] = rest;
  }

  varint64(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    for (; rest >= 0x80n; rest >>= 7n) this.bytes[this.#pos++] = Number(rest & 0x7fn) | 0x80;
    this.bytes[this.#pos++] = Number(rest);
  }

  fixed32(value: number): void {
    this.#view.setUint32(this.#pos, value, true);
    this.#pos += 4;
  }

  fixed64(value: bigint): void {
    this.#view.setBigUint64(this.#pos, BigInt.asUintN(64, value), true);
    this.#pos += 8;
  }

  float(value: number): void {
    this.#view.setFloat32(this.#pos, value, true);
    this.#pos += 4;
  }

  double(value: number): void {
    this.#view.setFloat64(this.#pos, value, true);
    this.#pos += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#pos);
    this.#pos += bytes.length;
  }

  string(text: string): void {
    const length = utf8Length(text);
    this.varint(length);
    encoder.encodeInto(text, this.bytes.subarray(this.#pos, this.#pos + length));
    this.#pos += length;
  }

  delimited(write: () => void): void {
    this.varint(this.#sizes[this.#next++] ?? 0);
    write();
  }
}
