// The stages of a dataset one by one: elements, counts, types and errors.
import { DataError, Dataset, dataValue, feedsOf, type DataValue } from '@forerun/data';
import { flatOf, iota, numbersOf, upTo } from './helpers.js';

/** A stream that cannot be read by position. */
function streamOf(n: number): Dataset<DataValue<'int32'>> {
  return Dataset.fromGenerator(function* () {
    for (const i of upTo(n)) yield dataValue(i, 'int32');
  });
}

describe('dataValue', () => {
  test('takes typed arrays as they are, and nested numbers', () => {
    const data = Float32Array.of(1, 2, 3, 4);
    expect(dataValue(data, 'float32', { shape: [2, 2] }).data).toBe(data);
    expect(
      dataValue(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        'int32',
      ),
    ).toEqual({
      dtype: 'int32',
      shape: [3, 2],
      data: Int32Array.of(1, 2, 3, 4, 5, 6),
    });
    expect(dataValue([true, false], 'bool').data).toEqual(Uint8Array.of(1, 0));
    expect(dataValue([1, 2n], 'int64').data).toEqual(BigInt64Array.of(1n, 2n));
    expect(dataValue(7, 'uint16')).toEqual({ dtype: 'uint16', shape: [], data: Uint16Array.of(7) });
  });

  test.each([
    [
      () => dataValue([[1, 2], [3]], 'int32'),
      'dataValue: ragged nesting: an item of shape [2] beside one of [1]',
    ],
    [
      () => dataValue([1, 2, 3], 'int32', { shape: [2, 2] }),
      'dataValue: shape [2,2] has 4 elements, the data has 3',
    ],
    [() => dataValue([1], 'int32', { shape: [-1] }), 'dataValue: shape [-1] has the bad size -1'],
    [() => dataValue([1], 'string' as 'int32'), 'dataValue: dtype string has no array storage'],
    [
      () => Dataset.fromTensorSlices({ dtype: 'int32', shape: [1], data: Float32Array.of(1) }),
      'fromTensorSlices: dtype int32 needs a Int32Array, got Float32Array',
    ],
  ])('rejects what does not fit (%#)', (make, message) => {
    expect(make).toThrow(new DataError('INVALID_ARGUMENT', message));
  });
});

describe('sources', () => {
  test('fromTensorSlices gives views of records, arrays and lone values', async () => {
    const images = dataValue(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      'float32',
    );
    const labels = dataValue([7, 8, 9], 'int32');
    const seen = [];
    for await (const element of Dataset.fromTensorSlices({ images, labels })) seen.push(element);
    expect(seen[1]).toEqual({
      images: { dtype: 'float32', shape: [2], data: Float32Array.of(3, 4) },
      labels: { dtype: 'int32', shape: [], data: Int32Array.of(8) },
    });
    expect(seen).toHaveLength(3);
    expect(seen[2]?.images.data.buffer).toBe(images.data.buffer);
    const [pair] = await Dataset.fromTensorSlices([images, [labels]] as const).toArray();
    expect(pair?.[1][0].data).toEqual(Int32Array.of(7));
    expect(await flatOf(Dataset.fromTensorSlices(iota(4)))).toEqual([0, 1, 2, 3]);
  });

  test.each([
    [
      { a: iota(3), b: iota(4) },
      'fromTensorSlices: "b" has 4 slices, "a" has 3: first dimensions must agree',
    ],
    [{ a: dataValue(1, 'int32') }, 'fromTensorSlices: "a" is a scalar: it has no slices'],
    [{}, 'fromTensorSlices: no tensors given'],
    [
      { a: { dtype: 'int32', shape: [2], data: Int32Array.of(1) } },
      'fromTensorSlices: "a": shape [2] has 2 elements, the data has 1',
    ],
  ] as const)('fromTensorSlices rejects tensors that do not fit (%#)', (tensors, message) => {
    expect(() => Dataset.fromTensorSlices(tensors)).toThrow(new DataError('INVALID_ARGUMENT', message));
  });

  test('fromTensorSlices names what is no value', () => {
    const tensors = { a: { b: 3 } } as unknown;
    expect(() => Dataset.fromTensorSlices(tensors as { a: DataValue })).toThrow(
      'fromTensorSlices: "a.b" is of type number, not a value { dtype, shape, data } (dataValue() makes one)',
    );
  });

  test('range', async () => {
    expect(await flatOf(Dataset.range(4))).toEqual([0, 1, 2, 3]);
    expect(await flatOf(Dataset.range(2, 9, 3))).toEqual([2, 5, 8]);
    expect(await flatOf(Dataset.range(3, 0, -1))).toEqual([3, 2, 1]);
    expect(Dataset.range(3, 3).cardinality).toBe(0);
    expect(() => Dataset.range(0, 5, 0)).toThrow('range: step must not be 0');
    expect(() => Dataset.range(2 ** 31)).toThrow('range: stop must be an int32, got 2147483648');
  });

  test('fromGenerator calls its function for each iteration, and closes what stops early', async () => {
    const log: string[] = [];
    const dataset = Dataset.fromGenerator(async function* () {
      log.push('open');
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        log.push('close');
      }
    });
    for (let round = 0; round < 2; round++) {
      for await (const i of dataset.map((x) => x * 2)) if (i === 4) break;
    }
    expect(log).toEqual(['open', 'close', 'open', 'close']);
    expect(dataset.cardinality).toBeUndefined();
    expect(await dataset.take(3).toArray()).toEqual([0, 1, 2]);
  });

  test('zip takes arrays and records, is as long as the shortest, and keeps types', async () => {
    const pair = Dataset.zip([Dataset.range(3), Dataset.fromTensorSlices({ x: iota(5) })]);
    const elements = await pair.toArray();
    const last: [DataValue<'int32'>, { x: DataValue<'int32'> }] | undefined = elements[2];
    expect([elements.length, last?.[0].data[0], last?.[1].x.data[0]]).toEqual([3, 2, 2]);
    const mixed = Dataset.zip({ a: Dataset.range(3), b: streamOf(2) });
    expect((await mixed.toArray()).map(({ a, b }) => [a.data[0], b.data[0]])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(() => Dataset.zip([])).toThrow('zip: no datasets given');
  });
});

describe.each([
  ['read by position', Dataset.range],
  ['a stream', streamOf],
])('stages of a dataset %s', (_, source) => {
  test('take, skip, shard, concatenate, filter, map, repeat', async () => {
    expect(await flatOf(source(5).take(3))).toEqual([0, 1, 2]);
    expect(await flatOf(source(5).take(-1))).toEqual(upTo(5));
    expect(await flatOf(source(5).take(0))).toEqual([]);
    expect(await flatOf(source(5).skip(3))).toEqual([3, 4]);
    expect(await flatOf(source(5).skip(9))).toEqual([]);
    expect(await flatOf(source(10).shard(3, 1))).toEqual([1, 4, 7]);
    expect(await flatOf(source(2).concatenate(source(3)))).toEqual([0, 1, 0, 1, 2]);
    const even = source(6).filter((x) => Number(x.data[0]) % 2 === 0);
    expect(await flatOf(even)).toEqual([0, 2, 4]);
    expect(
      await source(3)
        .map(async (x) => -Number(x.data[0]))
        .toArray(),
    ).toEqual([-0, -1, -2]);
    expect(await flatOf(source(2).repeat(3))).toEqual([0, 1, 0, 1, 0, 1]);
    expect(await flatOf(source(2).repeat().take(5))).toEqual([0, 1, 0, 1, 0]);
    expect(await flatOf(source(2).repeat(0))).toEqual([]);
    expect(await flatOf(source(0).repeat())).toEqual([]);
  });

  test('batch stacks, keeps or drops the rest', async () => {
    expect(await numbersOf(source(5).batch(2))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await numbersOf(source(5).batch(2, { dropRemainder: true }))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const [nested, rest] = await source(5).batch(2).batch(2, { dropRemainder: true }).toArray();
    expect(nested).toEqual({ dtype: 'int32', shape: [2, 2], data: Int32Array.of(0, 1, 2, 3) });
    expect(rest).toBeUndefined();
    expect(await numbersOf(source(3).repeat(2).batch(4))).toEqual([
      [0, 1, 2, 0],
      [1, 2],
    ]);
  });
});

describe('cardinality', () => {
  test('is known where it can be', () => {
    const ten = Dataset.range(10);
    const counts = [
      ten.batch(3),
      ten.batch(3, { dropRemainder: true }),
      ten.repeat(),
      ten.repeat(2),
      ten.take(4),
      ten.skip(4),
      ten.shard(4, 3),
      ten.concatenate(ten),
      ten.shuffle(3).prefetch(1),
      ten.filter(() => true),
      ten.repeat().batch(2),
      Dataset.zip([ten, ten.repeat()]),
    ].map((dataset) => dataset.cardinality);
    expect(counts).toEqual([4, 3, Infinity, 20, 4, 6, 2, 20, 10, undefined, Infinity, 10]);
  });

  test('toArray refuses an endless dataset', async () => {
    await expect(Dataset.range(3).repeat().toArray()).rejects.toThrow(
      'toArray: the dataset is endless; use take() first',
    );
  });
});

describe('bad arguments', () => {
  const dataset = Dataset.range(3);
  test.each([
    [() => dataset.batch(0), 'batch: size must be an integer >= 1, got 0'],
    [() => dataset.batch(1.5), 'batch: size must be an integer >= 1, got 1.5'],
    [() => dataset.shuffle(0), 'shuffle: bufferSize must be an integer >= 1 or Infinity, got 0'],
    [() => dataset.shuffle(3, { seed: 0.5 }), 'shuffle: seed must be a safe integer, got 0.5'],
    [() => dataset.repeat(-2), 'repeat: count must be an integer >= 0 or Infinity, got -2'],
    [() => dataset.take(NaN), 'take: count must be an integer >= 0 or Infinity, got NaN'],
    [() => dataset.skip(-1), 'skip: count must be an integer >= 0, got -1'],
    [() => dataset.prefetch(Infinity), 'prefetch: bufferSize must be an integer >= 1, got Infinity'],
    [() => dataset.shard(2, 2), 'shard: index must be < numShards 2, got 2'],
    [() => dataset.iterate({ epoch: -1 }), 'iterate: epoch must be an integer >= 0, got -1'],
  ])('%#', (call, message) => {
    expect(call).toThrow(new DataError('INVALID_ARGUMENT', message));
  });

  test.each([
    [
      [dataValue([1], 'int32'), dataValue([1, 2], 'int32')],
      'batch: element 1 of a batch has int32 [2], the first has int32 [1]',
    ],
    [
      [{ x: iota(2) }, { x: dataValue([1, 2], 'float32') }],
      'batch: element 1 of a batch has "x" as float32 [2], the first has int32 [2]',
    ],
    [[{ x: iota(2) }, { y: iota(2) }], 'batch: element 1 of a batch has "y" where the first has "x"'],
    [[{ x: iota(2) }, {}], 'batch: element 1 of a batch has 0 values, the first has 1'],
    [[{}], 'batch: the element holds no values'],
    [[3], 'batch: the element is of type number, not a value { dtype, shape, data } (dataValue() makes one)'],
    [
      [iota(2), { ...iota(2), data: Int32Array.of(1) }],
      'batch: "": shape [2] has 2 elements, the data has 1',
    ],
  ])('batch rejects elements that cannot be stacked (%#)', async (elements, message) => {
    const bad = Dataset.fromGenerator<unknown>(() => elements).batch(2);
    await expect(bad.toArray()).rejects.toThrow(new DataError('INVALID_ARGUMENT', message));
  });
});

describe('feedsOf', () => {
  test('pairs values with whatever keys stand for them, in a new map or a given one', async () => {
    const [x, y] = [{ name: 'x' }, { name: 'y' }];
    const dataset = Dataset.fromTensorSlices({ images: iota(4), labels: iota(4) }).batch(2);
    const into = new Map<{ name: string }, DataValue>();
    for await (const batch of dataset.take(1)) {
      const feeds = feedsOf(batch, { images: x, labels: y });
      expect([...feeds]).toEqual([
        [x, batch.images],
        [y, batch.labels],
      ]);
      expect(feedsOf(batch, { labels: y }, { into })).toBe(into);
      expect(into.get(y)).toBe(batch.labels);
    }
    expect(() => feedsOf({ a: iota(1) }, { b: x } as { a?: typeof x })).toThrow(
      'feedsOf: the batch has no value "b"; it has a',
    );
  });
});
