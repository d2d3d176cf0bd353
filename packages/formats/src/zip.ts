/**
 * Zip archives as `.npz` and `.pth` files are. The directory is read here, every number checked against the file before
 * anything is allocated; fflate inflates and writes. Names that would leave a directory, encrypted and overlapping
 * entries and impossible ratios of compression are refused.
 */
import { DataLossError, InvalidArgumentError, type RandomAccessSource } from '@forerun/graph';
import { inflateSync, zipSync } from 'fflate';
import { asSource, readRange, type WeightSource } from './weightFile.js';

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  readonly method: 0 | 8;
  /** Bytes as stored, and as read. */
  readonly stored: number;
  readonly size: number;
  readonly crc: number;
  /** Position of the local header. */
  readonly header: number;
}

/** An opened archive. */
export interface ZipArchive {
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /** The bytes of an entry; its checksum is verified. */
  read(entry: ZipEntry): Promise<Uint8Array>;
}

const END_BYTES = 22;
const END64_LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 0xffff;
const SIGNATURE = {
  end: 0x06054b50,
  end64Locator: 0x07064b50,
  end64: 0x06064b50,
  central: 0x02014b50,
  local: 0x04034b50,
};
/** Deflate's best: 258 bytes from two bits, about. */
const MAX_RATIO = 1032;
/** Compressed entries are inflated whole. */
const MAX_INFLATED = 2 ** 31;

/** True when bytes begin as an archive does. */
export function isZip(head: Uint8Array): boolean {
  return head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5);
}

/** Opens an archive. Throws `DataLossError` for damage, `InvalidArgumentError` for what is refused. */
export async function openZip(source: WeightSource): Promise<ZipArchive> {
  const file = asSource(source);
  const end = await findEnd(file);
  const directory = await readRange(file, end.offset, end.size, 'zip directory');
  const entries = parseDirectory(directory, end);
  return { entries, read: (entry) => readEntry(file, entry) };
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

async function findEnd(file: RandomAccessSource): Promise<Directory> {
  const length = Math.min(file.size, END_BYTES + MAX_COMMENT);
  const tail = await readRange(file, file.size - length, length, 'zip archive');
  const view = viewOf(tail);
  let at = length - END_BYTES;
  while (at >= 0 && view.getUint32(at, true) !== SIGNATURE.end) at--;
  if (at < 0) throw new DataLossError('zip archive: its directory is missing; the file is cut off');
  const count = view.getUint16(at + 10, true);
  const size = view.getUint32(at + 12, true);
  const offset = view.getUint32(at + 16, true);
  const limits = count === 0xffff || size === 0xffffffff || offset === 0xffffffff;
  const end = file.size - length + at;
  const directory = limits ? await readEnd64(file, end) : { count, size, offset };
  // Each entry of the directory takes a number of bytes, which bounds how many there can be.
  const fits = directory.offset + directory.size <= end && directory.count * CENTRAL_BYTES <= directory.size;
  if (fits) return directory;
  throw new DataLossError(
    `zip archive: a directory of ${directory.count} entries in ${directory.size} bytes at byte ${directory.offset} does not fit the file`,
  );
}

async function readEnd64(file: RandomAccessSource, end: number): Promise<Directory> {
  const locator = viewOf(
    await readRange(file, end - END64_LOCATOR_BYTES, END64_LOCATOR_BYTES, 'zip64 locator'),
  );
  if (locator.getUint32(0, true) !== SIGNATURE.end64Locator)
    throw new DataLossError('zip archive: no zip64 locator');
  const at = safe(locator.getBigUint64(8, true), 'zip64 record');
  const record = viewOf(await readRange(file, at, END64_BYTES, 'zip64 record'));
  if (record.getUint32(0, true) !== SIGNATURE.end64) throw new DataLossError('zip archive: no zip64 record');
  return {
    count: safe(record.getBigUint64(32, true), 'zip64 record'),
    size: safe(record.getBigUint64(40, true), 'zip64 record'),
    offset: safe(record.getBigUint64(48, true), 'zip64 record'),
  };
}

function safe(value: bigint, what: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new DataLossError(`${what}: the number ${value} is impossible`);
}

function parseDirectory(bytes: Uint8Array, { count, offset }: Directory): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  const ranges: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const { entry, length } = parseCentral(bytes, at, `zip entry ${i}`);
    at += length;
    ranges.push(entry);
    if (entry.name.endsWith('/')) continue;
    checkName(entry.name);
    if (entries.has(entry.name))
      throw new InvalidArgumentError(`zip archive: two entries called "${entry.name}"`);
    entries.set(entry.name, entry);
  }
  checkRanges(ranges, offset);
  return entries;
}

function parseCentral(bytes: Uint8Array, at: number, what: string): { entry: ZipEntry; length: number } {
  const fail = (rule: string): never => {
    throw new DataLossError(`${what}: ${rule} in the directory at its byte ${at}`);
  };
  const view = viewOf(bytes);
  if (at + CENTRAL_BYTES > bytes.length || view.getUint32(at, true) !== SIGNATURE.central) fail('no entry');
  const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
    view.getUint16(at + field, true),
  );
  const length = CENTRAL_BYTES + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0);
  if (at + length > bytes.length) fail('an entry that is cut off');
  const nameEnd = at + CENTRAL_BYTES + (nameLength ?? 0);
  const name = new TextDecoder().decode(bytes.subarray(at + CENTRAL_BYTES, nameEnd));
  const extra = bytes.subarray(nameEnd, nameEnd + (extraLength ?? 0));
  const sizes = {
    size: view.getUint32(at + 24, true),
    stored: view.getUint32(at + 20, true),
    header: view.getUint32(at + 42, true),
  };
  const { size, stored, header } = widen(sizes, extra, `zip entry "${name}"`);
  if ((view.getUint16(at + 8, true) & 1) !== 0)
    throw new InvalidArgumentError(`zip entry "${name}" is encrypted`);
  const method = view.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) {
    throw new InvalidArgumentError(`zip entry "${name}" has the unknown compression method ${method}`);
  }
  if (method === 0 ? size !== stored : size > Math.min(stored * MAX_RATIO + 64, MAX_INFLATED)) {
    throw new DataLossError(`zip entry "${name}": ${size} bytes cannot come from ${stored} stored bytes`);
  }
  return { entry: { name, method, stored, size, crc: view.getUint32(at + 16, true), header }, length };
}

interface Sizes {
  readonly size: number;
  readonly stored: number;
  readonly header: number;
}

/** Numbers that do not fit 32 bits are in the extra field 1, in this order. */
function widen(sizes: Sizes, extra: Uint8Array, what: string): Sizes {
  const { size, stored, header } = sizes;
  if (size !== 0xffffffff && stored !== 0xffffffff && header !== 0xffffffff) return sizes;
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let next = at + 4;
    const take = (value: number): number => {
      if (value !== 0xffffffff) return value;
      if (next + 8 > extra.length) throw new DataLossError(`${what}: its zip64 field is cut off`);
      next += 8;
      return safe(view.getBigUint64(next - 8, true), what);
    };
    return { size: take(size), stored: take(stored), header: take(header) };
  }
  throw new DataLossError(`${what}: its zip64 field is missing`);
}

function checkName(name: string): void {
  const parts = name.split('/');
  const leaves = parts.some((part) => part === '..' || part === '.' || part === '');
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (leaves || /[\\:\x00-\x1f]/.test(name)) {
    throw new InvalidArgumentError(`zip archive: the entry name ${JSON.stringify(name)} is refused`);
  }
}

/** Entries that share bytes are how small archives become huge. */
function checkRanges(entries: readonly ZipEntry[], end: number): void {
  let next = 0;
  for (const { name, header, stored } of [...entries].sort((a, b) => a.header - b.header)) {
    if (header < next) throw new DataLossError(`zip entry "${name}" overlaps the one before`);
    next = header + LOCAL_BYTES + stored;
    if (next > end) throw new DataLossError(`zip entry "${name}" lies beyond the archive's directory`);
  }
}

async function readEntry(file: RandomAccessSource, entry: ZipEntry): Promise<Uint8Array> {
  const what = `zip entry "${entry.name}"`;
  const local = viewOf(await readRange(file, entry.header, LOCAL_BYTES, what));
  if (local.getUint32(0, true) !== SIGNATURE.local) {
    throw new DataLossError(`${what}: no local header at byte ${entry.header}`);
  }
  const start = entry.header + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  const stored = await readRange(file, start, entry.stored, what);
  const bytes = entry.method === 0 ? stored : inflate(stored, entry.size, what);
  if (bytes.length === entry.size && crc32(bytes) === entry.crc) return bytes;
  throw new DataLossError(`${what}: wrong checksum; its ${entry.stored} bytes at byte ${start} are damaged`);
}

function inflate(stored: Uint8Array, size: number, what: string): Uint8Array {
  try {
    return inflateSync(stored, { out: new Uint8Array(size) });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataLossError(`${what}: its compressed bytes are damaged (${reason})`, { cause });
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc >>> 0;
});

/** CRC-32 as zip has it (IEEE 802.3). */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (CRC_TABLE[(crc ^ (bytes[i] ?? 0)) & 255] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** The bytes of an archive, the same for the same files. `level`: 0 stores, 9 compresses most. */
export function writeZip(files: ReadonlyMap<string, Uint8Array>, level: 0 | 6 | 9 = 0): Uint8Array {
  for (const name of files.keys()) checkName(name);
  return zipSync(Object.fromEntries(files), { level, mtime: new Date(1980, 0, 1) });
}
