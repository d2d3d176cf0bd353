/** `.safetensors`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { dtypeBytes, TensorValue, toTensorValue, type BaseDType } from '@forerun/graph';
import { openSafetensors, openTorch, openWeightFile, writeSafetensors } from '@forerun/formats';

const FIXTURES = resolve(import.meta.dirname, 'fixtures');
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FIXTURES}/${name}`));

/** A file with a given header and `data` zero bytes. */
function withHeader(header: string | object, data = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

test('every dtype, written and read, the same bytes every time', async () => {
  const dtypes: BaseDType[] = ['bool', 'uint8', 'int8', 'int16', 'uint16', 'float16', 'bfloat16', 'int32', 'uint32', 'float32', 'float64', 'int64', 'uint64']; // prettier-ignore
  const tensors = dtypes.map((dtype) => {
    const literal = dtype === 'bool' ? [true, false, true, true] : [1, 2, 3, 5];
    return [`t/${dtype}`, toTensorValue(literal, dtype, [2, 2])] as const;
  });
  const bytes = writeSafetensors(tensors, { metadata: { format: 'pt' } });
  expect(writeSafetensors([...tensors].reverse(), { metadata: { format: 'pt' } })).toEqual(bytes);
  const opened = await openWeightFile(bytes);
  expect(opened.format).toBe('safetensors');
  expect([...opened.metadata]).toEqual([['format', 'pt']]);
  for (const [name, value] of tensors) {
    expect(opened.entries.get(name)).toMatchObject({ dtype: value.dtype, shape: [2, 2] });
    expect(await opened.read(name)).toEqual(value);
  }
  // Elements are aligned: the header ends at a multiple of 8, wide dtypes come first.
  const widths = [...opened.entries.values()].map(({ dtype }) => dtypeBytes(dtype));
  expect(widths).toEqual([...widths].sort((a, b) => b - a));
});

test('no tensors, empty tensors and scalars', async () => {
  expect((await openSafetensors(writeSafetensors([]))).entries.size).toBe(0);
  const empty = new TensorValue('float32', [0, 3], new Float32Array(0));
  const opened = await openSafetensors(writeSafetensors([['a', empty], ['b', toTensorValue(2)]])); // prettier-ignore
  expect(await opened.read('a')).toEqual(empty);
  expect((await opened.read('b')).item()).toBe(2);
});

test('the same weights as in a .pth file', async () => {
  const [a, b] = [
    await openSafetensors(file('smallResnet.safetensors')),
    await openTorch(file('smallResnet.pth')),
  ];
  expect([...a.entries.keys()]).toEqual([...b.entries.keys()]);
  expect(a.entries.size).toBe(38);
  for (const name of a.entries.keys()) expect(await a.read(name)).toEqual(await b.read(name));
});

test.each([
  ['a length of 2^60', Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x10, 0x7b), /its length 1152921504606846976 at byte 0 is more/],
  ['a cut header', withHeader('{"a":'), /safetensors header: .*JSON/],
  ['a list', withHeader('[]'), /"header" is not an object/],
  ['text that is not UTF-8', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0xff), /it is not UTF-8/],
  ['an unknown dtype', withHeader({ a: { dtype: 'F8_E5M2', shape: [], data_offsets: [0, 1] } }, 1), /"a": the dtype "F8_E5M2" is not known/],
  ['a negative size', withHeader({ a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4), /"a": the shape is no list of sizes/],
  ['a size of 2^60', withHeader({ a: { dtype: 'U8', shape: [2 ** 52, 256], data_offsets: [0, 4] } }, 4), /impossible shape/],
  ['other bytes than the shape', withHeader({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 4] } }, 4), /\[2\] takes 8 bytes, its data_offsets give 4/],
  ['a gap', withHeader({ a: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, 2), /begins at byte \d+, where byte \d+ is next/],
  ['bytes left over', withHeader({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } }, 2), /the tensors end at byte \d+, the file at byte \d+/],
  ['an overlap', withHeader({ a: { dtype: 'U8', shape: [2], data_offsets: [0, 2] }, b: { dtype: 'U8', shape: [1], data_offsets: [1, 2] } }, 2), /"b": it begins/],
] as const)('%s', async (_, bytes, message) => {
  await expect(openSafetensors(bytes)).rejects.toThrow(message);
}); // prettier-ignore

test('what the format has no form for', () => {
  expect(() => writeSafetensors([['s', toTensorValue('x')]])).toThrow(
    '"s" of string cannot be stored: the format has no such dtype',
  );
  expect(() => writeSafetensors([['__metadata__', toTensorValue(1)]])).toThrow('the name is taken');
  expect(() => writeSafetensors([['a', toTensorValue(1)], ['a', toTensorValue(2)]])).toThrow('two tensors called "a"'); // prettier-ignore
});
