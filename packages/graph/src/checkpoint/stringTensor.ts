/**
 * String tensors in data files: lengths, a checksum of the lengths, then the bytes of all strings.
 * The checksums run over each length as a fixed-width number, not over the varints that are stored.
 */
import { DataLossError } from '../errors.js';
import { toBytes } from '../proto/utf8.js';
import { ByteBuffer, ByteCursor } from './bytes.js';
import { crc32c, maskCrc } from './crc32c.js';

/** Stored bytes of a string tensor and the checksum (not masked) that its entry carries. */
export interface StoredStrings {
  readonly bytes: Uint8Array;
  readonly crc: number;
}

function lengthCrc(length: number, crc: number): number {
  const bytes = new ByteBuffer().fixed32(length % 2 ** 32);
  if (length >= 2 ** 32) bytes.fixed32(Math.floor(length / 2 ** 32));
  return crc32c(bytes.view(), crc);
}

export function encodeStrings(strings: readonly (string | Uint8Array)[]): StoredStrings {
  const elements = strings.map(toBytes);
  const out = new ByteBuffer();
  let crc = 0;
  for (const { length } of elements) {
    out.varint(length);
    crc = lengthCrc(length, crc);
  }
  const checksum = new ByteBuffer().fixed32(maskCrc(crc)).copy();
  out.append(checksum);
  crc = crc32c(checksum, crc);
  for (const element of elements) {
    out.append(element);
    crc = crc32c(element, crc);
  }
  return { bytes: out.copy(), crc };
}

/** The strings as bytes, and the checksum over them. `what` names the tensor in errors. */
export function decodeStrings(
  bytes: Uint8Array,
  count: number,
  what: string,
): { readonly strings: Uint8Array[]; readonly crc: number } {
  const cursor = new ByteCursor(bytes, what);
  const lengths: number[] = [];
  let crc = 0;
  for (let i = 0; i < count; i++) {
    const length = cursor.varint();
    lengths.push(length);
    crc = lengthCrc(length, crc);
  }
  const checksum = cursor.slice(4);
  if (new ByteCursor(checksum, what).fixed32() !== maskCrc(crc)) {
    throw new DataLossError(`${what}: wrong checksum of the string lengths; the file is damaged`);
  }
  crc = crc32c(checksum, crc);
  const strings = lengths.map((length) => {
    const element = cursor.slice(length);
    crc = crc32c(element, crc);
    return element.slice();
  });
  if (cursor.left > 0) cursor.fail(`${cursor.left} bytes too many`);
  return { strings, crc };
}
