// Memory and time: batches come from a ring that is allocated once, prefetching is bounded and closes cleanly.
import { setTimeout as delay } from 'node:timers/promises';
import { Dataset, dataValue, type DataArray, type DataType, type DataValue } from '@forerun/data';
import { flatOf, iota, numbersOf, upTo } from './helpers.js';

function rowsOf(n: number, width: number): DataValue<'float32'> {
  return dataValue(
    Float32Array.from({ length: n * width }, (_, i) => i),
    'float32',
    { shape: [n, width] },
  );
}

describe('buffers of batches', () => {
  test('1,000 steps over several epochs use two buffers per value, and two batch objects', async () => {
    const dataset = Dataset.fromTensorSlices({ x: rowsOf(64, 300), y: iota(64) }).shuffle(64, { seed: 1 });
    const [buffers, batches] = [new Set<ArrayBufferLike>(), new Set<object>()];
    for await (const batch of dataset.batch(16).repeat().take(1000)) {
      buffers.add(batch.x.data.buffer).add(batch.y.data.buffer);
      batches.add(batch);
    }
    expect([buffers.size, batches.size]).toEqual([4, 2]);
  });

  test('a stream and a smaller last batch use the ring too', async () => {
    const dataset = Dataset.range(10)
      .filter(() => true)
      .batch(3);
    const buffers = new Set<ArrayBufferLike>();
    const sizes = [];
    for await (const batch of dataset) {
      buffers.add(batch.data.buffer);
      sizes.push(batch.shape[0]);
    }
    expect(sizes).toEqual([3, 3, 3, 1]);
    expect(buffers.size).toBe(2);
  });

  test('a batch stays whole until the one after the next is asked for', async () => {
    const batches = Dataset.fromTensorSlices(iota(12)).batch(2).iterate();
    const take = async (): Promise<DataValue> => {
      const result = await batches.next();
      if (result.done === true) throw new Error('no more batches');
      return result.value;
    };
    const [first, second] = [await take(), await take()];
    expect([...first.data, ...second.data]).toEqual([0, 1, 2, 3]);
    await take();
    expect([...first.data, ...second.data]).toEqual([4, 5, 2, 3]);
  });

  test('prefetched batches are as long valid, whatever waits in the queue', async () => {
    let previous: DataValue<'int32'> | undefined;
    let step = 0;
    for await (const batch of Dataset.fromTensorSlices(iota(40)).batch(2).prefetch(3)) {
      await delay(2);
      expect(Array.from(batch.data)).toEqual([2 * step, 2 * step + 1]);
      if (previous !== undefined) expect(Array.from(previous.data)).toEqual([2 * step - 2, 2 * step - 1]);
      previous = batch;
      step++;
    }
    expect(step).toBe(20);
  });

  test('zipping a dataset with itself gives each side its own memory', async () => {
    const batches = Dataset.fromTensorSlices(iota(6)).batch(2);
    for await (const [a, b] of Dataset.zip([batches, batches.skip(1)])) {
      expect(Number(b.data[0])).toBe(Number(a.data[0]) + 2);
    }
  });

  test('copy gives every element memory of its own', async () => {
    const rows = iota(6);
    const kept = [];
    for await (const batch of Dataset.fromTensorSlices(rows).batch(2, { copy: true })) kept.push(batch);
    expect(kept.map((batch) => Array.from(batch.data))).toEqual([
      [0, 1],
      [2, 3],
      [4, 5],
    ]);
    for await (const element of Dataset.fromTensorSlices(rows).iterate({ copy: true })) element.data[0] = 9;
    expect(Array.from(rows.data)).toEqual(upTo(6));
  });

  const kinds: [DataType, DataArray][] = [
    ['uint8', Uint8Array.of(1, 255, 3, 4, 5, 6)],
    ['int8', Int8Array.of(-1, 2, -3, 4, 5, 6)],
    ['int16', Int16Array.of(-1, 2, 300, 4, 5, 6)],
    ['float16', Uint16Array.of(1, 65535, 3, 4, 5, 6)],
    ['float64', Float64Array.of(1.1, -2, 1e300, 4, 5, 6)],
    ['int64', BigInt64Array.of(-1n, 2n, 3n, 4n, 5n, 2n ** 62n)],
    ['float32', new Float32Array(new ArrayBuffer(28), 4).map((_, i) => i / 3)],
  ];
  test.each(kinds)('rows of %s are gathered bit for bit, narrow and wide', async (dtype, data) => {
    for (const shape of [[6], [3, 2], [2, 3], [1, 6]]) {
      const [batch] = await Dataset.fromTensorSlices(dataValue(data, dtype, { shape }))
        .batch(6)
        .toArray();
      expect(batch).toEqual({ dtype, shape, data });
    }
    // Rows of 1,023 elements lie on both sides of the limit between loops and views.
    const wide = dataValue(
      upTo(2046).map((i) => i % 100),
      dtype,
      { shape: [2, 1023] },
    );
    expect((await Dataset.fromTensorSlices(wide).batch(2).toArray())[0]).toEqual(wide);
  });

  test('NaN payloads survive', async () => {
    const bits = Uint32Array.of(0x7fc00001, 0xffabcdef);
    const rows = dataValue(new Float32Array(bits.buffer), 'float32');
    const [batch] = await Dataset.fromTensorSlices(rows).batch(2).toArray();
    expect(Array.from(new Uint32Array(batch?.data.buffer ?? new ArrayBuffer(0)))).toEqual(Array.from(bits));
  });
});

describe('prefetch', () => {
  /** A source that tells how many elements it has made, and whether it is closed. */
  function counted(failAt = Infinity): {
    made: number;
    closed: number;
    dataset: Dataset<DataValue<'int32'>>;
  } {
    const state = {
      made: 0,
      closed: 0,
      dataset: Dataset.fromGenerator(async function* () {
        try {
          for (let i = 0; ; i++) {
            await delay(0);
            if (i === failAt) throw new Error(`no element ${i}`);
            state.made++;
            yield dataValue(i, 'int32');
          }
        } finally {
          state.closed++;
        }
      }),
    };
    return state;
  }

  test('makes elements while the consumer waits, never more than it may', async () => {
    const source = counted();
    let given = 0;
    let most = 0;
    for await (const element of source.dataset.prefetch(3)) {
      expect(element.data[0]).toBe(given++);
      await delay(30);
      most = Math.max(most, source.made - given);
      if (given === 5) break;
    }
    expect(most).toBe(3);
    expect(source.closed).toBe(1);
    const { made } = source;
    await delay(30);
    expect(source.made).toBe(made);
  });

  test('gives an error to the consumer in its place', async () => {
    const source = counted(4);
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      for await (const element of source.dataset.prefetch(10)) {
        await delay(10);
        seen.push(element.data[0]);
      }
    };
    await expect(read()).rejects.toThrow('no element 4');
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(source.closed).toBe(1);
  });

  test('an error made ahead of a consumer that stops is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown): number => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    const source = counted(2);
    for await (const element of source.dataset.prefetch(5)) {
      await delay(30);
      if (element.data[0] === 0) break;
    }
    await delay(10);
    process.off('unhandledRejection', listen);
    expect(unhandled).toEqual([]);
    expect([source.made, source.closed]).toEqual([2, 1]);
  });

  test('changes no order, alone, twice or before a batch', async () => {
    const plain = Dataset.range(20).shuffle(20, { seed: 4 });
    const expected = await numbersOf(plain.batch(3), 0);
    expect(await numbersOf(plain.prefetch(2).batch(3).prefetch(4).prefetch(1), 0)).toEqual(expected);
    expect(await flatOf(Dataset.range(0).prefetch(2))).toEqual([]);
  });

  test('errors of map and of the consumer close the source once', async () => {
    const source = counted();
    const failing = source.dataset.map((x) => {
      if (x.data[0] === 3) throw new Error('map fails');
      return x;
    });
    await expect(failing.batch(2).prefetch(2).toArray()).rejects.toThrow('map fails');
    expect(source.closed).toBe(1);
    const read = async (): Promise<void> => {
      for await (const element of source.dataset.prefetch(2)) {
        throw new Error(`consumer fails at ${element.data[0]}`);
      }
    };
    await expect(read()).rejects.toThrow('consumer fails at 0');
    expect(source.closed).toBe(2);
  });
});
