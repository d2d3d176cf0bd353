// The IDX reader on small files made here: every dtype, gzip, and each way a file can be damaged.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DataError, loadIdx, readIdx } from '@forerun/data';

function idx(code: number, shape: number[], payload: Uint8Array): Uint8Array {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt8(code, 2);
  header.writeUInt8(shape.length, 3);
  shape.forEach((dim, axis) => header.writeUInt32BE(dim, 4 + 4 * axis));
  return new Uint8Array(Buffer.concat([header, payload]));
}

function bigEndian(width: number, write: (buffer: Buffer, offset: number, value: number) => unknown) {
  return (values: number[]): Uint8Array => {
    const buffer = Buffer.alloc(width * values.length);
    values.forEach((value, index) => write(buffer, index * width, value));
    return new Uint8Array(buffer);
  };
}

const KINDS = [
  {
    code: 0x08,
    dtype: 'uint8',
    array: Uint8Array,
    values: [0, 1, 200, 255, 7, 9],
    encode: bigEndian(1, (b, o, v) => b.writeUInt8(v, o)),
  },
  {
    code: 0x09,
    dtype: 'int8',
    array: Int8Array,
    values: [0, -1, 127, -128, 7, 9],
    encode: bigEndian(1, (b, o, v) => b.writeInt8(v, o)),
  },
  {
    code: 0x0b,
    dtype: 'int16',
    array: Int16Array,
    values: [0, -1, 32767, -32768, 258, 9],
    encode: bigEndian(2, (b, o, v) => b.writeInt16BE(v, o)),
  },
  {
    code: 0x0c,
    dtype: 'int32',
    array: Int32Array,
    values: [0, -1, 2147483647, -2147483648, 66051, 9],
    encode: bigEndian(4, (b, o, v) => b.writeInt32BE(v, o)),
  },
  {
    code: 0x0d,
    dtype: 'float32',
    array: Float32Array,
    values: [0, -1.5, 0.25, 1e30, Infinity, 9],
    encode: bigEndian(4, (b, o, v) => b.writeFloatBE(v, o)),
  },
  {
    code: 0x0e,
    dtype: 'float64',
    array: Float64Array,
    values: [0, -1.5, 0.1, 1e300, -Infinity, 9],
    encode: bigEndian(8, (b, o, v) => b.writeDoubleBE(v, o)),
  },
] as const;

describe('readIdx', () => {
  test.each(KINDS)('reads $dtype, gzipped or not', ({ code, dtype, array, values, encode }) => {
    const bytes = idx(code, [2, 3], encode([...values]));
    for (const content of [bytes, new Uint8Array(gzipSync(bytes))]) {
      const value = readIdx(content);
      expect(value.dtype).toBe(dtype);
      expect(value.shape).toEqual([2, 3]);
      expect(value.data.constructor.name).toBe(array.name);
      expect(Array.from(value.data)).toEqual(Array.from(array.from(values)));
    }
  });

  test('reads any rank: a scalar, an empty tensor, rank 5, and data at an odd offset of their buffer', () => {
    expect(readIdx(idx(0x08, [], Uint8Array.of(42)))).toMatchObject({ shape: [], data: Uint8Array.of(42) });
    expect(readIdx(idx(0x0d, [0, 7], new Uint8Array()))).toMatchObject({ shape: [0, 7], dtype: 'float32' });
    expect(readIdx(idx(0x08, [1, 2, 1, 2, 1], Uint8Array.of(1, 2, 3, 4))).shape).toEqual([1, 2, 1, 2, 1]);
    const file = idx(0x0c, [1], Uint8Array.of(0, 0, 1, 2));
    const shifted = new Uint8Array(file.length + 3);
    shifted.set(file, 3);
    expect(Array.from(readIdx(shifted.subarray(3)).data)).toEqual([258]);
  });

  const good = idx(0x08, [2, 3], Uint8Array.of(1, 2, 3, 4, 5, 6));
  test.each([
    [
      'a bad first byte',
      Uint8Array.of(1, 0, 8, 0, 5),
      /^IDX "f" at offset 0: bad magic 01 00 08 00: .*TYPE RANK/,
    ],
    ['an unknown type', Uint8Array.of(0, 0, 10, 1), /^IDX "f" at offset 0: bad magic 00 00 0a 01/],
    ['no header', Uint8Array.of(0, 0), /^IDX "f" at offset 2: truncated: the header has at least 4 bytes/],
    [
      'half a header',
      good.subarray(0, 9),
      /^IDX "f" at offset 9: truncated: the header of rank 2 has 12 bytes/,
    ],
    [
      'missing data',
      good.subarray(0, 15),
      /^IDX "f" at offset 15: truncated: uint8 \[2,3\] needs 6 bytes of data, the file has 3/,
    ],
    [
      'too much data',
      Uint8Array.of(...good, 0, 0),
      /^IDX "f" at offset 18: 2 trailing bytes after uint8 \[2,3\]/,
    ],
    [
      'sizes beyond all memory',
      idx(0x0e, [4294967295, 4294967295, 9], new Uint8Array(8)),
      /truncated: float64 \[4294967295,4294967295,9\]/,
    ],
    [
      'a truncated gzip',
      new Uint8Array(gzipSync(good)).subarray(0, 20),
      /^IDX "f" at offset 0: bad gzip: .+/,
    ],
  ])('rejects %s', (_, bytes, message) => {
    let thrown: unknown;
    try {
      readIdx(bytes, { name: 'f' });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(DataError);
    expect(thrown).toMatchObject({ code: 'DATA_LOSS', message: expect.stringMatching(message) as string });
  });
});

describe('loadIdx', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'forerun-idx-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  test('reads a file, and names it when damaged or missing', async () => {
    const path = join(dir, 'a.gz');
    await writeFile(path, gzipSync(idx(0x0b, [2], Uint8Array.of(1, 0, 255, 255))));
    expect(await loadIdx(path)).toEqual({ dtype: 'int16', shape: [2], data: Int16Array.of(256, -1) });
    await writeFile(path, 'hello');
    await expect(loadIdx(path)).rejects.toThrow(`IDX "${path}" at offset 0: bad magic 68 65 6c 6c`);
    const missing = join(dir, 'none');
    await expect(loadIdx(missing)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining(`IDX "${missing}": cannot be read: ENOENT`) as string,
    });
  });
});
