/** Checkpoints: exact bytes, all dtypes, slices, damaged files. */
import {
  BundleReader,
  checkpointPrefix,
  dataPath,
  encodeBundle,
  indexPath,
  memorySource,
  readCheckpointState,
  writeCheckpointState,
} from '../../src/checkpoint/index.js';
import { crc32c, maskCrc } from '../../src/checkpoint/crc32c.js';
import { sliceKey } from '../../src/checkpoint/orderedCode.js';
import { readTable } from '../../src/checkpoint/tableReader.js';
import { writeTable } from '../../src/checkpoint/tableWriter.js';
import {
  AlreadyExistsError,
  DataLossError,
  InvalidArgumentError,
  NotFoundError,
  UnimplementedError,
} from '../../src/errors.js';
import { encode } from '../../src/proto/index.js';
import { toBytes } from '../../src/proto/utf8.js';
import { TensorValue, toTensorValue } from '../../src/value.js';
import { hex, unhex } from '../proto/rawWire.js';
import { GRAPH } from '../proto/samples.js';

const X = { name: 'x', value: toTensorValue([1, 2]) };

function open(index: Uint8Array, data: readonly Uint8Array[]): BundleReader {
  return new BundleReader(index, (shard) => memorySource(data[shard] ?? new Uint8Array(0)));
}

describe('bytes', () => {
  test('the index of one tensor', () => {
    const { index, data } = encodeBundle([X]);
    expect(data.map(hex)).toEqual(['0000803f00000040']);
    expect(hex(index)).toBe(
      '00000608011a02080100010f780801120412020802280835593ce53500000000010000000091364233' +
        '000000000100000000c0f2a1b0000102790024000000000100000000081210172908360e' +
        '00000000000000000000000000000000000000000000000000000000000000000000000057fb808b247547db',
    );
    expect(index).toHaveLength(121);
    expect(crc32c(data[0] ?? new Uint8Array(0))).toBe(0x28c0c9b1);
  });

  test('a string tensor', () => {
    const { index, data } = encodeBundle([{ name: 's', value: toTensorValue(['a', 'bc']) }]);
    expect(data.map(hex)).toEqual(['0102bfdfdb7a616263']);
    expect(open(index, data).entry('s').crc32c).toBe(0x8536e4e9);
  });

  test('the order of entries does not change the index of equal offsets, and writing is deterministic', () => {
    const entries = [X, { name: 'a', value: toTensorValue([3, 4]) }];
    expect(hex(encodeBundle(entries).index)).toBe(hex(encodeBundle(entries).index));
    expect([...open(encodeBundle(entries).index, []).entries.keys()]).toEqual(['a', 'x']);
  });
});

const VALUES: readonly TensorValue[] = [
  toTensorValue(3.5),
  toTensorValue(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    'int32',
  ),
  toTensorValue([-(2n ** 63n), 2n ** 63n - 1n], 'int64'),
  toTensorValue([true, false, true]),
  toTensorValue([1, -2, 65504], 'float16'),
  toTensorValue([1, -2], 'bfloat16'),
  toTensorValue([255, 0], 'uint8'),
  toTensorValue([NaN, -0, 1e300], 'float64'),
  toTensorValue(2n ** 64n - 1n, 'uint64'),
  new TensorValue('float32', [0, 5], new Float32Array(0)),
  new TensorValue('complex64', [1], [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)]),
  new TensorValue('string', [2], [Uint8Array.of(0, 255), new Uint8Array(300).fill(65)]),
  new TensorValue('string', [], [new Uint8Array(0)]),
];

test.each(VALUES.map((value) => [`${value.dtype} [${value.shape.join(',')}]`, value] as const))(
  '%s comes back as it was',
  async (_, value) => {
    const { index, data } = encodeBundle([X, { name: 'v', value }, { name: 'z', value: X.value }]);
    const reader = open(index, data);
    const read = await reader.read('v');
    expect(read).toEqual(value);
    expect(await reader.read('z')).toEqual(X.value);
  },
);

describe('partitioned variables', () => {
  const part = (values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
  const parts = [part([1, 2, 5, 6]), part([3, 7]), part([4, 8])];
  const extents = [
    [
      { start: 0, length: -1 },
      { start: 0, length: 2 },
    ],
    [
      { start: 0, length: -1 },
      { start: 2, length: 1 },
    ],
    [
      { start: 0, length: -1 },
      { start: 3, length: 1 },
    ],
  ];
  const sizes = [
    [2, 2],
    [2, 1],
    [2, 1],
  ];
  const extentProto = (list: (typeof extents)[number]): { extent: { start: number; length?: number }[] } => ({
    extent: list.map(({ start, length }) => (length < 0 ? { start } : { start, length })),
  });
  const table = (count: number): Uint8Array =>
    writeTable([
      {
        key: new Uint8Array(0),
        value: encode('BundleHeaderProto', { numShards: 3, version: { producer: 1 } }),
      },
      {
        key: toBytes('w'),
        value: encode('BundleEntryProto', {
          dtype: 1,
          shape: { dim: [{ size: 2 }, { size: 4 }] },
          slices: extents.map(extentProto),
        }),
      },
      ...extents.slice(0, count).map((list, i) => ({
        key: sliceKey('w', list),
        value: encode('BundleEntryProto', {
          dtype: 1,
          shape: { dim: (sizes[i] ?? []).map((size) => ({ size })) },
          shardId: i,
          size: parts[i]?.length ?? 0,
          crc32c: maskCrc(crc32c(parts[i] ?? new Uint8Array(0))),
        }),
      })),
    ]);

  test('are put together from several shards', async () => {
    const reader = open(table(3), parts);
    expect([...reader.entries.keys()]).toEqual(['w']);
    expect((await reader.read('w')).toArray()).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
  });

  test('a missing slice is named', async () => {
    await expect(open(table(2), parts).read('w')).rejects.toThrow(
      new DataLossError('checkpoint tensor "w": the slice at [0,3] is missing'),
    );
  });
});

test('big-endian checkpoints are read', async () => {
  const bytes = unhex('3f80000040000000');
  const header = encode('BundleHeaderProto', { numShards: 1, endianness: 1, version: { producer: 1 } });
  const entry = encode('BundleEntryProto', {
    dtype: 1,
    shape: { dim: [{ size: 2 }] },
    size: 8,
    crc32c: maskCrc(crc32c(bytes)),
  });
  const index = writeTable([
    { key: new Uint8Array(0), value: header },
    { key: toBytes('x'), value: entry },
  ]);
  expect((await open(index, [bytes]).read('x')).toArray()).toEqual([1, 2]);
});

describe('errors', () => {
  const { index, data } = encodeBundle([X, { name: 'layer/kernel', value: toTensorValue(['abc', 'd']) }]);

  test('an unknown name, with the nearest', async () => {
    await expect(open(index, data).read('layer/kernal')).rejects.toThrow(
      new NotFoundError('the checkpoint has no tensor "layer/kernal". Did you mean "layer/kernel"?'),
    );
  });

  test('damaged bytes name the tensor', async () => {
    const [shard = new Uint8Array(0)] = data;
    const damaged = shard.slice();
    damaged[0] = 1;
    await expect(open(index, [damaged]).read('x')).rejects.toThrow(
      new DataLossError('checkpoint tensor "x": wrong checksum; its 8 bytes in data shard 0 are damaged'),
    );
    for (let i = 8; i < shard.length; i++) {
      const flipped = shard.slice();
      flipped[i] = (flipped[i] ?? 0) ^ 1;
      await expect(open(index, [flipped]).read('layer/kernel')).rejects.toThrow(DataLossError);
    }
  });

  test('a truncated data file names the tensor', async () => {
    const [shard = new Uint8Array(0)] = data;
    await expect(open(index, [shard.subarray(0, 5)]).read('x')).rejects.toThrow(
      new DataLossError(
        'checkpoint tensor "x": bytes 0 to 8 lie beyond the end of data shard 0 (5 bytes); the file is truncated',
      ),
    );
  });

  test.each([
    ['a GraphDef', encode('GraphDef', GRAPH), 'looks like a GraphDef file'],
    ['a .meta file', encode('MetaGraphDef', { graphDef: GRAPH }), 'looks like a MetaGraphDef file'],
    ['the checkpoint file', toBytes('model_checkpoint_path: "m"\n'), 'looks like a checkpoint state file'],
    [
      'a data shard',
      new Uint8Array(64).fill(0x3f),
      'has no known format, perhaps it is a data shard or is cut off',
    ],
    ['nothing', new Uint8Array(0), 'is empty'],
    [
      'a cut index',
      index.subarray(0, index.length - 3),
      'has no known format, perhaps it is a data shard or is cut off',
    ],
  ])('%s instead of an index', (_, bytes, what) => {
    expect(() => open(bytes, data)).toThrow(
      new DataLossError(
        `not a checkpoint index (wrong magic number): the file ${what}; pass the checkpoint's prefix or its .index file`,
      ),
    );
  });

  test('a newer version', () => {
    const header = encode('BundleHeaderProto', { numShards: 1, version: { producer: 9, minConsumer: 2 } });
    expect(() => open(writeTable([{ key: new Uint8Array(0), value: header }]), [])).toThrow(
      new UnimplementedError(
        'the checkpoint needs a reader of version 2, this one is version 1 (written by version 9)',
      ),
    );
  });

  test('a table without header, and one of format V1', () => {
    expect(() => open(writeTable([{ key: toBytes('x'), value: new Uint8Array(0) }]), [])).toThrow(
      'checkpoint index: the header is missing',
    );
    const v1 = encode('SavedTensorSlices', { meta: { versions: { producer: 1 } } });
    expect(() => open(writeTable([{ key: new Uint8Array(0), value: v1 }]), [])).toThrow(
      'this is a checkpoint of format V1, which has no index: give the file itself',
    );
  });

  test.each([
    [{ dtype: 77 }, 'entry "x" has the unknown data type number 77'],
    [{ shape: { dim: [{ size: -1 }] } }, 'entry "x" has the shape [-1]'],
    [{ shape: { dim: [{ size: 2 ** 40 }, { size: 2 ** 40 }] } }, 'entry "x" has the shape'],
    [{ shardId: 3 }, 'entry "x" lies in shard 3 of 1'],
    [{ offset: -8 }, 'entry "x" has offset -8 and size 8'],
    [{ size: 7 }, 'entry "x" of float32 [2] has 7 bytes'],
    [{ dtype: 7, shape: { dim: [{ size: 2 ** 40 }] } }, 'entry "x" of string [1099511627776] has 8 bytes'],
  ])('an impossible entry %j', (changes, message) => {
    const entry = encode('BundleEntryProto', {
      dtype: 1,
      shape: { dim: [{ size: 2 }] },
      size: 8,
      ...changes,
    });
    const [header] = readTable(index);
    const bad = writeTable([...(header === undefined ? [] : [header]), { key: toBytes('x'), value: entry }]);
    expect(() => open(bad, [])).toThrow(DataLossError);
    expect(() => open(bad, [])).toThrow(message);
  });

  test('writing what cannot be stored', () => {
    expect(() => encodeBundle([X, X])).toThrow(
      new AlreadyExistsError('two checkpoint entries with the name "x"'),
    );
    expect(() => encodeBundle([{ name: '', value: X.value }])).toThrow(InvalidArgumentError);
    const handle = new TensorValue('resource', [], [new Uint8Array(1)]);
    expect(() => encodeBundle([{ name: 'h', value: handle }])).toThrow('resource values cannot be stored');
  });
});

test('file names', () => {
  expect(indexPath('m/model.ckpt-5')).toBe('m/model.ckpt-5.index');
  expect(dataPath('model.ckpt')).toBe('model.ckpt.data-00000-of-00001');
  for (const end of ['', '.index', '.meta', '.data-00000-of-00001']) {
    expect(checkpointPrefix(`a.b/model.ckpt-5${end}`)).toBe('a.b/model.ckpt-5');
  }
});

test('the checkpoint state file', () => {
  const text = writeCheckpointState({
    modelCheckpointPath: 'model.ckpt-2',
    allModelCheckpointPaths: ['model.ckpt-1', 'model.ckpt-2'],
  });
  expect(text).toBe(
    'model_checkpoint_path: "model.ckpt-2"\nall_model_checkpoint_paths: "model.ckpt-1"\n' +
      'all_model_checkpoint_paths: "model.ckpt-2"\n',
  );
  expect(readCheckpointState(text).allModelCheckpointPaths).toEqual(['model.ckpt-1', 'model.ckpt-2']);
  expect(() => readCheckpointState('model_checkpoint_path: model')).toThrow(
    'CheckpointState text, line 1, column 24: field model_checkpoint_path needs a string, found "model"',
  );
});
