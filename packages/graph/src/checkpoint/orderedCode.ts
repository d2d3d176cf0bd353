/**
 * Order-preserving encodings of integers and strings (TensorFlow's OrderedCode), of which the keys
 * of slices of partitioned variables are made.
 */
import { toBytes } from '../proto/utf8.js';
import { ByteBuffer } from './bytes.js';

/** One dimension of a slice: from `start`, `length` elements; length -1 is the whole dimension. */
export interface Extent {
  readonly start: number;
  readonly length: number;
}

/** An unsigned integer: number of bytes, then the bytes, most significant first. */
export function writeNumIncreasing(out: ByteBuffer, value: number): void {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  out.byte(bytes.length);
  for (const byte of bytes) out.byte(byte);
}

/** A string: 00 and ff escaped, 00 01 at the end. */
export function writeString(out: ByteBuffer, text: string): void {
  for (const byte of toBytes(text)) {
    out.byte(byte);
    if (byte === 0) out.byte(0xff);
    else if (byte === 0xff) out.byte(0);
  }
  out.byte(0).byte(1);
}

/** Header bits by encoded length; they keep longer numbers sorted after shorter ones. */
const HEADERS: readonly (readonly [number, number])[] = [
  [0, 0],
  [0x80, 0],
  [0xc0, 0],
  [0xe0, 0],
  [0xf0, 0],
  [0xf8, 0],
  [0xfc, 0],
  [0xfe, 0],
  [0xff, 0],
  [0xff, 0x80],
  [0xff, 0xc0],
];

/** A signed integer in 1 to 10 bytes. */
export function writeSignedNumIncreasing(out: ByteBuffer, value: number): void {
  const big = BigInt(value);
  const magnitude = big < 0n ? ~big : big;
  const bits = magnitude === 0n ? 0 : magnitude.toString(2).length;
  const length = magnitude < 64n ? 1 : Math.floor(bits / 7) + 1;
  const [first, second] = HEADERS[length] ?? [0, 0];
  for (let i = 0; i < length; i++) {
    const byte = Number((big >> BigInt(8 * (length - 1 - i))) & 0xffn);
    out.byte(byte ^ (i === 0 ? first : i === 1 ? second : 0));
  }
}

/** The key under which a slice of tensor `name` is stored. */
export function sliceKey(name: string, extents: readonly Extent[]): Uint8Array {
  const out = new ByteBuffer();
  writeNumIncreasing(out, 0);
  writeString(out, name);
  writeNumIncreasing(out, extents.length);
  for (const { start, length } of extents) {
    writeSignedNumIncreasing(out, start);
    writeSignedNumIncreasing(out, length);
  }
  return out.copy();
}
