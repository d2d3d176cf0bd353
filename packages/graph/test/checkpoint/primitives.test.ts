/** Checksums, ordered code, snappy and the table: known vectors and damaged input. */
import { crc32c, maskCrc, unmaskCrc } from '../../src/checkpoint/crc32c.js';
import { ByteBuffer } from '../../src/checkpoint/bytes.js';
import { sliceKey, writeNumIncreasing, writeSignedNumIncreasing } from '../../src/checkpoint/orderedCode.js';
import { snappyDecompress } from '../../src/checkpoint/snappy.js';
import { readTable } from '../../src/checkpoint/tableReader.js';
import { writeTable, type TableEntry } from '../../src/checkpoint/tableWriter.js';
import { DataLossError, InvalidArgumentError, UnimplementedError } from '../../src/errors.js';
import { toBytes } from '../../src/proto/utf8.js';
import { hex, unhex } from '../proto/rawWire.js';

describe('CRC-32C', () => {
  test.each([
    ['123456789', 0xe3069283, 0xc78ab0e5],
    ['', 0x00000000, 0xa282ead8],
    ['\0'.repeat(32), 0x8a9136aa, 0x0fd7fffa],
  ])('%j', (text, crc, masked) => {
    expect(crc32c(toBytes(text))).toBe(crc);
    expect(maskCrc(crc)).toBe(masked);
    expect(unmaskCrc(masked)).toBe(crc);
  });

  test('every length agrees with the bit-by-bit definition, also in pieces and at odd offsets', () => {
    const bytes = Uint8Array.from({ length: 100 }, (_, i) => (i * 89 + 7) & 255);
    for (let start = 0; start < 9; start++) {
      for (let end = start; end <= bytes.length; end += 7) {
        const part = bytes.subarray(start, end);
        expect(crc32c(part)).toBe(bitwise(part));
        const middle = part.length >> 1;
        expect(crc32c(part.subarray(middle), crc32c(part.subarray(0, middle)))).toBe(bitwise(part));
      }
    }
  });
});

function bitwise(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('ordered code', () => {
  test.each([
    [0x424242, 'f0424242'],
    [-0x800, '3800'],
    [64, 'c040'],
    [-1, '7f'],
    [1000, 'c3e8'],
    [0, '80'],
  ])('signed %d', (value, expected) => {
    const out = new ByteBuffer();
    writeSignedNumIncreasing(out, value);
    expect(hex(out.copy())).toBe(expected);
  });

  test('signed numbers sort as their bytes', () => {
    const values = [-(2 ** 50), -(2 ** 20), -65, -64, -2, 0, 63, 64, 8191, 8192, 2 ** 30, 2 ** 52];
    const codes = values.map((value) => {
      const out = new ByteBuffer();
      writeSignedNumIncreasing(out, value);
      return hex(out.copy());
    });
    expect([...codes].sort()).toEqual(codes);
  });

  test('unsigned', () => {
    const out = new ByteBuffer();
    [0, 1, 256].forEach((value) => writeNumIncreasing(out, value));
    expect(hex(out.copy())).toBe('000101020100');
  });

  test('the key of a slice', () => {
    const extents = [
      { start: 0, length: 2 },
      { start: 0, length: -1 },
    ];
    expect(hex(sliceKey('w', extents))).toBe('0077000101028082807f');
    expect(hex(sliceKey('\0ÿ', []))).toBe('0000ffc3bf000100');
  });
});

describe('snappy', () => {
  test.each([
    ['literal', '03 08616263', 'abc'],
    ['copy with one offset byte', '0a 08616263 0d03', 'abcabcabca'],
    ['overlapping copy', '05 0061 0101', 'aaaaa'],
    ['copy with two offset bytes', '06 08616263 0a0300', 'abcabc'],
    ['copy with four offset bytes', '06 08616263 0b03000000', 'abcabc'],
    ['long literal', `3d f03c${'61'.repeat(61)}`, 'a'.repeat(61)],
  ])('%s', (_, input, expected) => {
    expect(Buffer.from(snappyDecompress(unhex(input))).toString()).toBe(expected);
  });

  test.each([
    ['offset zero', '05 0061 0100', 'snappy block: copy from 0 bytes back with 1 written at byte 5'],
    ['offset before the start', '05 0061 0109', 'copy from 9 bytes back with 1 written'],
    ['too short', '09 0061', '1 bytes instead of 9'],
    ['too long', '01 08616263', 'more data than announced'],
    ['cut literal', '03 0861', '3 bytes wanted, 1 left'],
    ['huge length', 'ffffffff7f 00', 'length 34359738367 is impossible'],
  ])('%s is refused', (_, input, message) => {
    expect(() => snappyDecompress(unhex(input))).toThrow(DataLossError);
    expect(() => snappyDecompress(unhex(input))).toThrow(message);
  });
});

describe('table', () => {
  const entry = (key: string, value: string | Uint8Array): TableEntry => ({
    key: toBytes(key),
    value: toBytes(value),
  });
  const show = (entries: readonly TableEntry[]): string[] =>
    entries.map(({ key, value }) => `${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);

  test('entries come back sorted, over many restarts', () => {
    const keys = Array.from({ length: 100 }, (_, i) => `layer_${(i * 37) % 100}/kernel`);
    const table = writeTable(keys.map((key) => entry(key, `v${key}`)));
    expect(show(readTable(table))).toEqual([...keys].sort().map((key) => `${key}=v${key}`));
  });

  test('many and large entries are cut into blocks', () => {
    const large = new Uint8Array(600_000).fill(1);
    const entries = [entry('a', 'first'), entry('b', large), entry('c', large), entry('cc', 'x')];
    const more = Array.from({ length: 400 }, (_, i) =>
      entry(`d${1000 + i}`, new Uint8Array(2000).fill(i & 255)),
    );
    const read = readTable(writeTable([...entries, ...more]));
    expect(read.map(({ key }) => Buffer.from(key).toString())).toEqual(
      [...entries, ...more].map(({ key }) => Buffer.from(key).toString()),
    );
    expect(read[1]?.value).toEqual(large);
    expect(read[300]?.value).toEqual(more[296]?.value);
  });

  test('an empty table', () => {
    expect(readTable(writeTable([]))).toEqual([]);
  });

  test('keys without a short successor', () => {
    const key = Uint8Array.of(255, 255);
    expect(readTable(writeTable([{ key, value: key }]))).toEqual([{ key, value: key }]);
  });

  test('the same key twice is refused', () => {
    expect(() => writeTable([entry('a', ''), entry('a', '')])).toThrow(InvalidArgumentError);
  });

  test('every flipped byte that matters is found', () => {
    const table = writeTable([entry('alpha', '1'), entry('beta', '2')]);
    const original = show(readTable(table));
    for (let i = 0; i < table.length - 8; i++) {
      const damaged = table.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 0x41;
      try {
        expect(show(readTable(damaged))).toEqual(original);
      } catch (error) {
        expect(error instanceof DataLossError || error instanceof UnimplementedError).toBe(true);
      }
    }
  });

  test('a wrong checksum says which block', () => {
    const table = writeTable([entry('alpha', '1')]);
    table[4] = 0;
    expect(() => readTable(table)).toThrow(
      'checkpoint index: wrong checksum of the block at byte 0; the file is damaged',
    );
  });

  test('compressed blocks of other writers are read', () => {
    expect(show(readTable(compressedTable()))).toEqual(['a=b']);
  });
});

/** A table with one snappy block holding a=b, put together by hand. */
function compressedTable(): Uint8Array {
  const trailer = (block: Uint8Array, type: number): Uint8Array => {
    const typed = Uint8Array.of(...block, type);
    return new ByteBuffer()
      .append(typed)
      .fixed32(maskCrc(crc32c(typed)))
      .copy();
  };
  const plain = unhex('00010161620000000001000000');
  const data = trailer(Uint8Array.of(plain.length, (plain.length - 1) << 2, ...plain), 1);
  const meta = trailer(unhex('0000000001000000'), 0);
  const index = trailer(Uint8Array.of(0, 1, 2, 0x62, 0, data.length - 5, 0, 0, 0, 0, 1, 0, 0, 0), 0);
  const handles = [data.length, meta.length - 5, data.length + meta.length, index.length - 5];
  const footer = new Uint8Array(48);
  footer.set(handles);
  footer.set(unhex('57fb808b247547db'), 40);
  return Uint8Array.of(...data, ...meta, ...index, ...footer);
}
