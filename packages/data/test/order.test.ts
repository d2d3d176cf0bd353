// Order: shuffles are uniform and reproducible, and skipping gives what dropping would have given.
import { Dataset, dataValue, type DataValue } from '@forerun/data';
import { flatOf, iota, numbersOf, upTo } from './helpers.js';

const sorted = (numbers: number[]): number[] => [...numbers].sort((a, b) => a - b);

describe('shuffle', () => {
  test('with a full buffer gives every element once, in the order that seed and epoch fix', async () => {
    const make = (seed: number): Dataset<DataValue> =>
      Dataset.fromTensorSlices(iota(100)).shuffle(100, { seed });
    const order = await flatOf(make(1), 0);
    expect(sorted(order)).toEqual(upTo(100));
    expect(order).not.toEqual(upTo(100));
    expect(await flatOf(make(1), 0)).toEqual(order);
    expect(await flatOf(make(2), 0)).not.toEqual(order);
    expect(await flatOf(make(1), 1)).not.toEqual(order);
    // A larger buffer changes nothing.
    expect(await flatOf(Dataset.range(100).shuffle(Infinity, { seed: 1 }), 0)).toEqual(order);
  });

  test('differs from epoch to epoch, whether repeated or read again, unless told not to', async () => {
    const base = Dataset.range(20);
    const repeated = await flatOf(base.shuffle(20, { seed: 3 }).repeat(3));
    const again = base.shuffle(20, { seed: 3 });
    const read = [...(await flatOf(again)), ...(await flatOf(again)), ...(await flatOf(again))];
    expect(read).toEqual(repeated);
    expect(repeated.slice(20, 40)).not.toEqual(repeated.slice(0, 20));
    const fixed = await flatOf(base.shuffle(20, { seed: 3, reshuffleEachIteration: false }).repeat(2));
    expect(fixed).toEqual([...repeated.slice(0, 20), ...repeated.slice(0, 20)]);
  });

  test('without a seed takes one at random, and keeps it', async () => {
    const dataset = Dataset.range(50).shuffle(50);
    expect(await flatOf(dataset, 0)).toEqual(await flatOf(dataset, 0));
    expect(await flatOf(Dataset.range(50).shuffle(50), 0)).not.toEqual(await flatOf(dataset, 0));
  });

  test('is uniform: over 4,000 epochs of 5 elements each order of 120 comes up about 33 times', async () => {
    const counts = new Map<string, number>();
    const dataset = Dataset.fromTensorSlices(iota(5)).shuffle(5, { seed: 11 }).batch(5).repeat(4000);
    for await (const batch of dataset) {
      const order = batch.data.join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    const expected = 4000 / 120;
    let chiSquared = 0;
    for (const count of counts.values()) chiSquared += (count - expected) ** 2 / expected;
    expect(counts.size).toBe(120);
    // 119 degrees of freedom: 174 is the 99.9% point.
    expect(chiSquared).toBeLessThan(174);
  });

  test.each([1, 7, 64])(
    'with a buffer of %d moves no element forward by more than the buffer',
    async (bufferSize) => {
      const order = await flatOf(Dataset.range(200).shuffle(bufferSize, { seed: 5 }), 0);
      expect(sorted(order)).toEqual(upTo(200));
      order.forEach((element, position) => expect(element).toBeLessThan(position + bufferSize));
      if (bufferSize === 1) expect(order).toEqual(upTo(200));
      else expect(order).not.toEqual(upTo(200));
    },
  );

  test.each([3, 10, 50])(
    'of a stream gives the order that reading by position gives (buffer %d)',
    async (bufferSize) => {
      const stream = Dataset.fromGenerator(() => upTo(50).map((i) => dataValue(i, 'int32')));
      const options = { seed: 9 };
      const byPosition = Dataset.range(50).shuffle(bufferSize, options);
      expect(await flatOf(stream.shuffle(bufferSize, options), 4)).toEqual(await flatOf(byPosition, 4));
    },
  );

  test('of batches keeps each batch whole', async () => {
    const batches = await numbersOf(
      Dataset.range(30)
        .filter(() => true)
        .batch(3)
        .shuffle(4, { seed: 2 }),
    );
    expect(batches.every(([a = 0, b, c]) => b === a + 1 && c === a + 2)).toBe(true);
    expect(sorted(batches.flat())).toEqual(upTo(30));
  });
});

describe('skip gives what dropping gives', () => {
  const rows = Dataset.fromTensorSlices(iota(23));
  const stream = Dataset.fromGenerator(() => upTo(23).map((i) => dataValue(i, 'int32')));
  const seed = 6;
  const pipelines: Record<string, Dataset<DataValue>> = {
    'shuffle.batch.repeat': rows.shuffle(23, { seed }).batch(4).repeat(5),
    'shuffle.repeat.batch': rows.shuffle(23, { seed }).repeat(5).batch(4),
    'endless, with prefetch': rows.shuffle(23, { seed }).repeat().batch(4).prefetch(3).take(40),
    'small buffer': rows.shuffle(5, { seed }).batch(4, { dropRemainder: true }).repeat(5),
    'repeat.shuffle': rows.repeat(4).shuffle(92, { seed }).batch(4).repeat(2),
    'shuffle.repeat.shuffle': rows.shuffle(23, { seed }).repeat(3).shuffle(10, { seed }).batch(4).repeat(2),
    'endless repeat.shuffle': rows.repeat().shuffle(7, { seed }).take(100).batch(4),
    'nested repeats': rows.shuffle(23, { seed }).repeat(2).skip(3).repeat(3).batch(4),
    map: rows
      .shuffle(23, { seed })
      .map((x) => x)
      .batch(4)
      .repeat(4),
    'async map': rows
      .map(async (x) => x)
      .shuffle(6, { seed })
      .batch(4)
      .map(async (x) => x)
      .repeat(4),
    shard: rows.shuffle(23, { seed }).repeat(4).shard(3, 1).batch(2),
    zip: Dataset.zip([rows.shuffle(23, { seed }), rows])
      .shuffle(23, { seed })
      .repeat(3)
      .map(([a]) => a)
      .batch(4),
    concatenate: rows.concatenate(Dataset.range(9)).shuffle(32, { seed }).repeat(3).batch(4),
    filter: rows
      .shuffle(23, { seed })
      .filter((x) => Number(x.data[0]) % 3 > 0)
      .batch(4)
      .repeat(5),
    generator: stream.shuffle(23, { seed }).batch(4).repeat(3),
    'generator, small buffer': stream.shuffle(4, { seed }).repeat(3).shard(2, 1).batch(2),
    'generator, zip and concatenate': Dataset.zip([stream, rows])
      .map(([a]) => a)
      .concatenate(stream.take(9))
      .batch(2),
    'concatenate after a stream of known length': rows.prefetch(2).concatenate(stream).batch(2).repeat(2),
  };

  test.each(Object.entries(pipelines))('%s', async (_, dataset) => {
    for (const epoch of [0, 2]) {
      const all = await numbersOf(dataset, epoch);
      expect(all.length).toBeGreaterThan(10);
      for (const count of [0, 1, 5, 6, 7, 13, all.length - 1, all.length, all.length + 3]) {
        expect(await numbersOf(dataset.skip(count), epoch)).toEqual(all.slice(count));
        expect(await numbersOf(dataset.skip(count).take(2), epoch)).toEqual(all.slice(count, count + 2));
      }
      expect(await numbersOf(dataset.shard(3, 2), epoch)).toEqual(all.filter((_element, i) => i % 3 === 2));
    }
  });

  test('does not read what it skips, however far', async () => {
    let mapped = 0;
    const dataset = rows
      .map((x) => {
        mapped++;
        return x;
      })
      .shuffle(23, { seed })
      .batch(4)
      .repeat()
      .prefetch(1);
    const far = dataset.skip(6 * 1_000_000_000_000 + 2).take(1);
    const [batch] = await numbersOf(far, 0);
    expect(batch).toHaveLength(4);
    // The batch itself, and at most the ones being made ahead.
    expect(mapped).toBeLessThanOrEqual(12);
  });

  test('epochs of an endless repeat differ when it is read again', async () => {
    const dataset = rows.shuffle(23, { seed }).repeat();
    const [first, second] = [await flatOf(dataset.take(23), 0), await flatOf(dataset.take(23), 1)];
    expect(first).not.toEqual(second);
  });
});
