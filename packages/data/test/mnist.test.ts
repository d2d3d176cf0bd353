// The real MNIST files: counts, checksums, first labels, and folders that hold something else.
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { loadMnist, type DataValue } from '@forerun/data';

function sha256(value: DataValue): string {
  const { buffer, byteOffset, byteLength } = value.data;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');
}

describe('loadMnist on the real files', () => {
  test('gives 60,000 and 10,000 normalized images and their labels', async () => {
    const { train, test: held } = await loadMnist();
    expect(train.images).toMatchObject({ dtype: 'float32', shape: [60000, 28, 28, 1] });
    expect(held.images).toMatchObject({ dtype: 'float32', shape: [10000, 28, 28, 1] });
    expect(train.labels).toMatchObject({ dtype: 'int32', shape: [60000] });
    expect(Array.from(train.labels.data.subarray(0, 5))).toEqual([5, 0, 4, 1, 9]);
    expect(Array.from(held.labels.data.subarray(0, 5))).toEqual([7, 2, 1, 0, 4]);
    let [low, high, sum] = [Infinity, -Infinity, 0];
    for (const x of train.images.data) {
      if (x < low) low = x;
      if (x > high) high = x;
      sum += x;
    }
    expect([low, high]).toEqual([0, 1]);
    // The mean of MNIST's training images is known to be 0.1307.
    expect(sum / train.images.data.length).toBeCloseTo(0.1307, 4);
  });

  test('holds the bytes of the original files', async () => {
    const { train, test: held } = await loadMnist({ normalize: false });
    expect(train.images.dtype).toBe('uint8');
    expect([train.images, held.images].map(sha256)).toEqual(IMAGE_SUMS);
    const counts = new Array<number>(10).fill(0);
    for (const label of train.labels.data) counts[label] = (counts[label] ?? 0) + 1;
    expect(counts).toEqual([5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  });

  test('gives one-hot labels', async () => {
    const { test: held } = await loadMnist({ normalize: false, oneHot: true });
    expect(held.labels).toMatchObject({ dtype: 'float32', shape: [10000, 10] });
    expect(Array.from(held.labels.data.subarray(0, 10))).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    expect(held.labels.data.reduce((sum, x) => sum + x, 0)).toBe(10000);
  });
});

/** SHA-256 of the pixels of the training and test images. */
const IMAGE_SUMS = [
  '741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757',
  '6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161',
];

describe('loadMnist on another folder', () => {
  let dir = '';
  const images = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 51, 102, 255]);
  const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 3, 9]);
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'forerun-mnist-'));
    for (const part of ['train', 't10k']) {
      await writeFile(join(dir, `${part}-images-idx3-ubyte.gz`), gzipSync(images));
      await writeFile(join(dir, `${part}-labels-idx1-ubyte`), labels);
    }
  });
  afterEach(() => rm(dir, { recursive: true }));

  test('reads plain and gzipped files of any image size', async () => {
    const { train } = await loadMnist({ dir });
    expect(train.images.shape).toEqual([2, 1, 2, 1]);
    expect(Array.from(train.images.data)).toEqual(Array.from(Float32Array.of(0, 0.2, 0.4, 1)));
    expect(train.labels).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.of(3, 9) });
  });

  test('reads through a function, as pages do', async () => {
    const names: string[] = [];
    const readFile = (name: string): Promise<Uint8Array<ArrayBuffer>> => {
      names.push(name);
      return Promise.resolve(new Uint8Array(name.includes('images') ? gzipSync(images) : labels));
    };
    expect(await loadMnist({ readFile })).toEqual(await loadMnist({ dir }));
    expect(names.sort()).toEqual(
      ['t10k', 'train'].flatMap((part) => [`${part}-images-idx3-ubyte`, `${part}-labels-idx1-ubyte`]),
    );
  });

  test('names what a function could not read or read damaged', async () => {
    const missing = loadMnist({ readFile: () => Promise.reject(new Error('404')) });
    await expect(missing).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringMatching(/^MNIST "[a-z0-9-]+": cannot be read: 404$/) as string,
    });
    const torn = new Uint8Array(gzipSync(images)).slice(0, 20);
    await expect(loadMnist({ readFile: () => Promise.resolve(torn) })).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringMatching(/^IDX "[a-z0-9-]+" at offset 0: bad gzip: /) as string,
    });
    const both = loadMnist({ dir, readFile: () => Promise.resolve(torn) });
    await expect(both).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  test('says which file is missing', async () => {
    await rm(join(dir, 't10k-labels-idx1-ubyte'));
    const path = join(dir, 't10k-labels-idx1-ubyte');
    await expect(loadMnist({ dir })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: `MNIST: none of these files can be read: ${path}, ${path}.gz`,
    });
  });

  test.each([
    ['unequal counts', [0, 0, 8, 1, 0, 0, 0, 1, 3], false, 'train has 2 images and 1 labels'],
    [
      'another rank',
      [0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 3, 9],
      false,
      'holds uint8 [2,1], not uint8 of rank 1',
    ],
    ['a label above 9', [0, 0, 8, 1, 0, 0, 0, 2, 3, 10], true, 'label 10 of image 1 is not one of 0 to 9'],
  ])('rejects %s', async (_, bytes, oneHot, message) => {
    await writeFile(join(dir, 'train-labels-idx1-ubyte'), Buffer.from(bytes));
    await expect(loadMnist({ dir, oneHot })).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining(message) as string,
    });
  });
});
