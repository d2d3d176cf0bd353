/** Records of TFRecord files: length, its checksum, the bytes, their checksum (tensorflow/core/lib/io/record_writer). */
import { crc32c, DataLossError, maskCrc, unmaskCrc } from '@forerun/graph';

const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/** The bytes of one record. */
export function recordOf(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + data.length + FOOTER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskCrc(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, HEADER_BYTES);
  view.setUint32(HEADER_BYTES + data.length, maskCrc(crc32c(data)), true);
  return bytes;
}

/** The records of a file. Throws `DataLossError` saying where at a wrong checksum, and at the end of a torn file. */
export function* recordsIn(bytes: Uint8Array, what: string): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const verify = (from: number, to: number, part: string): void => {
    if (unmaskCrc(view.getUint32(to, true)) !== crc32c(bytes.subarray(from, to)))
      throw new DataLossError(`${what}: the checksum of the ${part} at byte ${from} is wrong`);
  };
  for (let offset = 0; offset < bytes.length;) {
    if (offset + HEADER_BYTES > bytes.length)
      throw new DataLossError(`${what}: ends within the header of the record at byte ${offset}`);
    verify(offset, offset + 8, 'length');
    const length = Number(view.getBigUint64(offset, true));
    const start = offset + HEADER_BYTES;
    if (start + length + FOOTER_BYTES > bytes.length)
      throw new DataLossError(`${what}: ends within the record of ${length} bytes at byte ${offset}`);
    verify(start, start + length, 'record');
    yield bytes.subarray(start, start + length);
    offset = start + length + FOOTER_BYTES;
  }
}
