// Batches of elements of different sizes.
import { dataValue, Dataset, type DataValue } from '@forerun/data';
import { iota } from './helpers.js';

const lengths = (...sizes: number[]): Dataset<DataValue<'int32'>> =>
  Dataset.fromGenerator(() => sizes.map(iota));

test('elements are padded to the largest of their batch', async () => {
  const batches = await lengths(1, 3, 2).paddedBatch(2).toArray();
  expect(batches).toEqual([
    { dtype: 'int32', shape: [2, 3], data: Int32Array.of(0, 0, 0, 0, 1, 2) },
    { dtype: 'int32', shape: [1, 2], data: Int32Array.of(0, 1) },
  ]);
  expect(await lengths(1, 3, 2).paddedBatch(2, { dropRemainder: true }).toArray()).toHaveLength(1);
  expect(await lengths(1, 3, 2).paddedBatch(2).skip(1).toArray()).toEqual(batches.slice(1));
  expect(Dataset.range(5).paddedBatch(2).cardinality).toBe(3);
});

test('sizes and padding are given in the structure of the elements', async () => {
  const images = [
    dataValue(
      [
        [1, 2],
        [3, 4],
      ],
      'float32',
    ),
    dataValue([[5], [6], [7]], 'float32'),
  ];
  const elements = images.map((image, i) => ({
    image,
    at: [dataValue(BigInt64Array.of(BigInt(i)), 'int64')],
  }));
  const [batch] = await Dataset.fromGenerator(() => elements)
    .paddedBatch(2, { paddedShapes: { image: [null, 3], at: [[2]] }, paddingValues: { image: -1, at: [9n] } })
    .toArray();
  expect(batch).toEqual({
    image: {
      dtype: 'float32',
      shape: [2, 3, 3],
      data: Float32Array.of(1, 2, -1, 3, 4, -1, -1, -1, -1, 5, -1, -1, 6, -1, -1, 7, -1, -1),
    },
    at: [{ dtype: 'int64', shape: [2, 2], data: BigInt64Array.of(0n, 9n, 1n, 9n) }],
  });
});

test('scalars are stacked, elements without numbers are all padding', async () => {
  expect(await Dataset.range(3).paddedBatch(3).toArray()).toEqual([
    { dtype: 'int32', shape: [3], data: Int32Array.of(0, 1, 2) },
  ]);
  const [batch] = await lengths(0, 1).paddedBatch(2, { paddingValues: 7 }).toArray();
  expect(batch?.data).toEqual(Int32Array.of(7, 0));
});

test('what does not fit is refused', async () => {
  const read = (dataset: Dataset<unknown>): Promise<unknown> => dataset.toArray();
  const mixed = Dataset.fromGenerator<DataValue>(() => [iota(1), dataValue([1], 'float32')]);
  await expect(read(mixed.paddedBatch(2))).rejects.toThrow(
    'paddedBatch: "" of element 1 of a batch is float32 [1], of the first int32 [1]: dtype and rank must be equal',
  );
  await expect(read(lengths(4).paddedBatch(1, { paddedShapes: [3] }))).rejects.toThrow(
    'an element has size 4 in dimension 0, paddedShapes says 3',
  );
  await expect(read(lengths(4).paddedBatch(1, { paddedShapes: [3, 3] }))).rejects.toThrow(
    '"" has 1 dimensions, paddedShapes says [3,3]',
  );
  const records = Dataset.fromGenerator(() => [{ x: iota(1) }]);
  await expect(read(records.paddedBatch(1, { paddedShapes: [3] as never }))).rejects.toThrow(
    'paddedShapes must have the structure of the elements',
  );
  const others = Dataset.fromGenerator<unknown>(() => [{ x: iota(1) }, { y: iota(1) }]);
  await expect(read(others.paddedBatch(2))).rejects.toThrow(
    'element 1 of a batch has other values than the first',
  );
  expect(() => lengths(1).paddedBatch(0)).toThrow('paddedBatch: size must be an integer >= 1, got 0');
});
