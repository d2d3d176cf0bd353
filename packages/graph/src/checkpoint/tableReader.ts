/** Reads the sorted key-value table of `.index` files, checking every checksum. */
import { DataLossError, UnimplementedError } from '../errors.js';
import { compareBytes } from '../proto/utf8.js';
import { ByteCursor } from './bytes.js';
import { crc32c, maskCrc } from './crc32c.js';
import { snappyDecompress } from './snappy.js';
import { FOOTER_BYTES, TABLE_MAGIC, type TableEntry } from './tableWriter.js';

const WHAT = 'checkpoint index';
const TRAILER_BYTES = 5;

/** True when `bytes` end as a table does. */
export function isTable(bytes: Uint8Array): boolean {
  const end = bytes.subarray(-TABLE_MAGIC.length);
  return bytes.length >= FOOTER_BYTES && compareBytes(end, TABLE_MAGIC) === 0;
}

/** All entries in order. Throws `DataLossError` for a table that is damaged. */
export function readTable(bytes: Uint8Array): TableEntry[] {
  const footer = new ByteCursor(bytes.subarray(-FOOTER_BYTES), `${WHAT} footer`);
  readHandle(footer);
  const index = readBlock(bytes, readHandle(footer));
  const entries: TableEntry[] = [];
  for (const { value } of blockEntries(index)) {
    const handle = readHandle(new ByteCursor(value, `${WHAT} block handle`));
    for (const entry of blockEntries(readBlock(bytes, handle))) {
      const last = entries.at(-1);
      if (last !== undefined && compareBytes(last.key, entry.key) >= 0) {
        throw new DataLossError(`${WHAT}: keys are not sorted at entry ${entries.length}`);
      }
      entries.push(entry);
    }
  }
  return entries;
}

interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

function readHandle(cursor: ByteCursor): BlockHandle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

function readBlock(file: Uint8Array, { offset, size }: BlockHandle): Uint8Array {
  const end = offset + size + TRAILER_BYTES;
  if (end > file.length - FOOTER_BYTES) {
    throw new DataLossError(
      `${WHAT}: a block of ${size} bytes at ${offset} lies beyond the end of the file (${file.length} bytes)`,
    );
  }
  const block = file.subarray(offset, offset + size);
  const trailer = new ByteCursor(file.subarray(offset + size, end), WHAT);
  const type = trailer.byte();
  const stored = trailer.fixed32();
  const computed = maskCrc(crc32c(file.subarray(offset, offset + size + 1)));
  if (stored !== computed) {
    throw new DataLossError(`${WHAT}: wrong checksum of the block at byte ${offset}; the file is damaged`);
  }
  if (type === 0) return block;
  if (type === 1) return snappyDecompress(block);
  throw new UnimplementedError(`${WHAT}: unknown compression type ${type} of the block at byte ${offset}`);
}

function blockEntries(block: Uint8Array): TableEntry[] {
  const cursor = new ByteCursor(block, `${WHAT} block`);
  if (block.length < 4) cursor.fail('block without restart count');
  const restarts = new ByteCursor(block.subarray(-4), WHAT).fixed32();
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) cursor.fail(`${restarts} restarts do not fit`);
  const entries: TableEntry[] = [];
  let last: Uint8Array = new Uint8Array(0);
  while (cursor.pos < end) {
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const valueLength = cursor.varint();
    if (shared > last.length) cursor.fail(`${shared} shared key bytes of ${last.length}`);
    if (unshared + valueLength > end - cursor.pos) cursor.fail('entry longer than its block');
    const key = new Uint8Array(shared + unshared);
    key.set(last.subarray(0, shared));
    key.set(cursor.slice(unshared), shared);
    entries.push({ key, value: cursor.slice(valueLength) });
    last = key;
  }
  return entries;
}
