/** `.npy` and `.npz`: files that NumPy wrote, files of ours, and what is refused. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { dtypeBytes, TensorValue, toHostValue, toTensorValue, type BaseDType } from '@forerun/graph';
import { openNpz, openWeightFile, readNpy, writeNpy, writeNpz, writeZip } from '@forerun/formats';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));

const CODES: Readonly<Record<string, BaseDType>> = {
  b1: 'bool', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64', u1: 'uint8', u2: 'uint16', u4: 'uint32', u8: 'uint64',
  f2: 'float16', f4: 'float32', f8: 'float64',
}; // prettier-ignore

/** What the script wrote: `arange(6) * 3 % 7`, less 2 for signed types. */
function expected(code: string): number[] {
  const values = [0, 3, 6, 2, 5, 1];
  if (code.startsWith('b')) return values.map((x) => (x === 0 ? 0 : 1));
  return values.map((x) => (code.startsWith('u') ? x : x - 2));
}

describe.each(['arrays.npz', 'arraysCompressed.npz'])('%s', (name) => {
  test.each(Object.keys(CODES))('%s in both byte orders and both orders of axes', async (code) => {
    const archive = await openNpz(file(name));
    for (const form of ['', '_big', '_fortran']) {
      const value = await archive.read(code + form);
      expect([value.dtype, value.shape]).toEqual([CODES[code], [2, 3]]);
      expect([...(toHostValue(value)?.data ?? [])]).toEqual(expected(code));
    }
  });

  test('three axes in Fortran order, scalars, texts, nothing, complex numbers', async () => {
    const archive = await openNpz(file(name));
    expect((await archive.read('cube_fortran')).data).toEqual(Float32Array.from({ length: 24 }, (_, i) => i));
    expect((await archive.read('scalar')).item()).toBe(2.5);
    expect((await archive.read('bytes')).toArray()).toEqual(['ab', '', 'xyz']);
    expect((await archive.read('text')).toArray()).toEqual(['äö', 'x']);
    expect((await archive.read('text_big')).toArray()).toEqual(['äö', 'x']);
    expect((await archive.read('none')).shape).toEqual([0, 4]);
    for (const code of ['c8', 'c8_big', 'c16', 'c16_big', 'c16_fortran']) {
      const { dtype, data } = await archive.read(code);
      const bytes = data[1] as Uint8Array;
      const real =
        dtype === 'complex64' ? Buffer.from(bytes).readFloatLE() : Buffer.from(bytes).readDoubleLE();
      expect([code, bytes.length, real]).toEqual([code, dtypeBytes(dtype), 1]);
    }
  });
});

test.each([1, 2, 3])('version %d.0', async (version) => {
  expect((await readNpy(file(`version${version}.npy`))).data).toEqual(Int32Array.of(0, 1, 2, 3, 4));
});

test('objects and records are refused', async () => {
  await expect(readNpy(file('objects.npy'))).rejects.toThrow(
    /array of Python objects is refused: reading one can run code/,
  );
  await expect(readNpy(file('records.npy'))).rejects.toThrow(/arrays of records are not supported/);
});

test("what is written is read again, in NumPy's own bytes", async () => {
  expect(writeNpy(new TensorValue('int32', [5], Int32Array.of(0, 1, 2, 3, 4)))).toEqual(file('version1.npy'));
  for (const [code, dtype] of Object.entries(CODES)) {
    const value = toTensorValue(
      expected(code).map((x) => (dtype === 'bool' ? x !== 0 : x)),
      dtype,
      [2, 3],
    );
    for (const fortranOrder of [false, true]) {
      expect(await readNpy(writeNpy(value, { fortranOrder }))).toEqual(value);
    }
  }
  const archive = await openNpz(file('arrays.npz'));
  for (const name of archive.entries.keys()) {
    const value = await archive.read(name);
    const again = await readNpy(writeNpy(value));
    expect([again.dtype, again.shape, again.toArray()]).toEqual([value.dtype, value.shape, value.toArray()]);
  }
  const long = new TensorValue('float32', new Array<number>(30_000).fill(1), Float32Array.of(3));
  expect((await readNpy(writeNpy(long))).shape).toHaveLength(30_000);
});

test.each([false, true])('an archive of ours, compressed %p', async (compressed) => {
  const values = new Map([
    ['layer/w', toTensorValue([[1, 2.5], [3, 4]])],
    ['n', toTensorValue(7n, 'int64')],
  ]); // prettier-ignore
  const bytes = writeNpz(values, { compressed });
  expect(writeNpz(values, { compressed })).toEqual(bytes);
  const archive = await openWeightFile(bytes);
  expect(archive.format).toBe('npz');
  for (const [name, value] of values) expect(await archive.read(name)).toEqual(value);
  await expect(archive.read('layer/v')).rejects.toThrow(
    'the npz file has no tensor "layer/v". Did you mean "layer/w"?',
  );
});

/** A header with given text. */
function header(text: string, data = 8): Uint8Array {
  const bytes = new Uint8Array(10 + text.length + data);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 255, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  return bytes;
}

test.each([
  ["{'descr': '<f4', 'fortran_order': False, 'shape': (1152921504606846976,)}", /impossible shape/],
  [
    "{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,)}",
    /1073741824 bytes at byte \d+ lie beyond the end/,
  ],
  ["{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", /impossible shape \[-1\]/],
  ["{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}", /the header needs descr, fortran_order and shape/],
  ["{'descr': '<f3', 'fortran_order': False, 'shape': (2,)}", /the dtype "<f3" is not known/],
  ["{'fortran_order': False, 'shape': (2,)}", /the header has no descr/],
  ["{'descr': '<f4', 'shape': __import__('os')}", /no value at character 26/],
  ['((((((((((((((((((((', /nested too deeply/],
])('a bad header: %s', async (text, message) => {
  await expect(readNpy(header(text))).rejects.toThrow(message);
});

test('an archive of other things is refused', async () => {
  const bytes = writeZip(new Map([['readme.txt', new TextEncoder().encode('hello')]]));
  await expect(openWeightFile(bytes)).rejects.toThrow('npz file: the entry "readme.txt" is no NumPy array');
});
