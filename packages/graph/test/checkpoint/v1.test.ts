/** Checkpoints of version 1: tables with the elements in them, made here from messages as TensorFlow's writer does. */
import { sliceKey } from '../../src/checkpoint/orderedCode.js';
import { isV1Checkpoint, V1CheckpointReader } from '../../src/checkpoint/v1Reader.js';
import { writeTable } from '../../src/checkpoint/tableWriter.js';
import { encodeBundle } from '../../src/checkpoint/index.js';
import { dtypeToNumber, type DType } from '../../src/dtype.js';
import { encode, type Init } from '../../src/proto/index.js';
import type { TensorProto } from '../../src/proto/messages.js';
import { toTensorValue } from '../../src/value.js';

interface Part {
  readonly extents: readonly { start: number; length: number }[];
  readonly data: Init<TensorProto>;
}

interface Stored {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
}

const whole = (rank: number): { start: number; length: number }[] =>
  Array.from({ length: rank }, () => ({ start: 0, length: -1 }));
const sliceProto = (extents: Part['extents']): object => ({
  extent: extents.map(({ start, length }) => (length < 0 ? { start } : { start, length })),
});

/** The bytes of a checkpoint. */
function v1(tensors: readonly Stored[], minConsumer = 0): Uint8Array {
  const tensor = tensors.map(({ name, dtype, shape, parts }) => ({
    name,
    type: dtypeToNumber(dtype),
    shape: { dim: shape.map((size) => ({ size })) },
    slice: parts.map(({ extents }) => sliceProto(extents)),
  }));
  const meta = encode('SavedTensorSlices', { meta: { tensor, versions: { producer: 1, minConsumer } } });
  const records = tensors.flatMap(({ name, parts }) =>
    parts.map(({ extents, data }) => ({
      key: sliceKey(name, extents),
      value: encode('SavedTensorSlices', { data: { name, slice: sliceProto(extents), data } }),
    })),
  );
  return writeTable([{ key: new Uint8Array(0), value: meta }, ...records]);
}

const W: Stored = { name: 'w', dtype: 'float32', shape: [2, 2], parts: [{ extents: whole(2), data: { floatVal: [1, 2, 3, 4] } }] }; // prettier-ignore

test('tensors of many dtypes', async () => {
  const tensors: Stored[] = [
    W,
    { name: 'step', dtype: 'int64', shape: [], parts: [{ extents: [], data: { int64Val: [2n ** 53n + 1n] } }] },
    { name: 'h', dtype: 'float16', shape: [2], parts: [{ extents: whole(1), data: { halfVal: [0x3c00, 0xc000] } }] },
    { name: 'b', dtype: 'bool', shape: [2], parts: [{ extents: whole(1), data: { boolVal: [true, false] } }] },
    { name: 's', dtype: 'string', shape: [1], parts: [{ extents: whole(1), data: { stringVal: [new TextEncoder().encode('hi')] } }] },
    { name: 'u', dtype: 'uint8', shape: [3], parts: [{ extents: whole(1), data: { intVal: [1, 2, 255] } }] },
    { name: 'none', dtype: 'float32', shape: [0, 3], parts: [{ extents: whole(2), data: {} }] },
  ]; // prettier-ignore
  const bytes = v1(tensors);
  expect(isV1Checkpoint(bytes)).toBe(true);
  const reader = new V1CheckpointReader([bytes]);
  expect([...reader.entries.keys()]).toEqual(['b', 'h', 'none', 's', 'step', 'u', 'w']);
  expect(reader.entry('w')).toMatchObject({ dtype: 'float32', shape: [2, 2], size: 16 });
  const read = async (name: string): Promise<unknown> => (await reader.read(name)).toArray();
  expect(await read('w')).toEqual([[1, 2], [3, 4]]); // prettier-ignore
  expect(await read('step')).toBe(2n ** 53n + 1n);
  expect((await reader.read('h')).data).toEqual(Uint16Array.of(0x3c00, 0xc000));
  expect(await read('b')).toEqual([true, false]);
  expect(await read('s')).toEqual(['hi']);
  expect(await read('u')).toEqual([1, 2, 255]);
  expect((await reader.read('none')).shape).toEqual([0, 3]);
  expect(() => reader.entry('v')).toThrow('the checkpoint has no tensor "v". Did you mean');
});

test('a partitioned variable in two shards', async () => {
  const part = (start: number, values: number[]): Part => ({
    extents: [{ start, length: 1 }, { start: 0, length: -1 }], // prettier-ignore
    data: { floatVal: values },
  });
  const shards = [part(0, [1, 2]), part(1, [3, 4])].map((one) => v1([{ ...W, parts: [one] }]));
  const reader = new V1CheckpointReader(shards);
  expect((await reader.read('w')).toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
  const half = new V1CheckpointReader(shards.slice(0, 1));
  await expect(half.read('w')).rejects.toThrow('checkpoint tensor "w": its slices hold 2 of 4 elements');
});

test('what is damaged', async () => {
  const bytes = v1([W]);
  const changed = bytes.slice();
  changed[40] = (changed[40] ?? 0) ^ 1;
  expect(() => new V1CheckpointReader([changed])).toThrow(/wrong checksum of the block at byte 0/);
  expect(() => new V1CheckpointReader([bytes.slice(0, -5)])).toThrow('wrong magic number');
  const short = v1([{ ...W, parts: [{ extents: whole(2), data: { floatVal: [1] } }] }]);
  await expect(new V1CheckpointReader([short]).read('w')).rejects.toThrow(
    '1 of the 4 elements of [2,2] are there',
  );
  expect(() => new V1CheckpointReader([v1([W], 9)])).toThrow(
    'needs a reader of version 9, this one is version 1',
  );
  expect(() => new V1CheckpointReader([v1([{ ...W, shape: [2 ** 40, 2 ** 40] }])])).toThrow('has the shape');
  expect(isV1Checkpoint(encodeBundle([{ name: 'x', value: toTensorValue(1) }]).index)).toBe(false);
});
