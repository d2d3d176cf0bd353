/** Feeds of the command line: `.npy` and other files of values, images, JSON, and seeded random numbers. */
import { readFile } from 'node:fs/promises';
import { openWeightFile, readNpy } from '@forerun/formats';
import {
  TensorValue,
  toHostValue,
  fromHostValue,
  toTensorValue,
  type DType,
  type NestedArray,
} from '@forerun/graph';
import { FileError, messageOf, UsageError } from './errors.js';

/** What an input wants. */
export interface Wanted {
  readonly name: string;
  readonly dtype: DType;
  /** Known sizes, `null` for others; `null` for unknown rank. */
  readonly shape: readonly (number | null)[] | null;
}

/** Splits `x=image.png`. Throws `UsageError`. */
export function parseFeed(text: string): { name: string; source: string } {
  const at = text.indexOf('=');
  if (at <= 0 || at === text.length - 1) {
    throw new UsageError(`--feed: "${text}" is not of the form NAME=FILE, NAME=random or NAME=JSON`);
  }
  return { name: text.slice(0, at).replace(/:0$/, ''), source: text.slice(at + 1) };
}

/**
 * The value that `source` means: `random` or `random:SEED`, JSON that begins with a bracket, digit, quote, `true` or `false`, or a file. Throws `FileError` for files that cannot be
 * read and values that do not fit.
 */
export async function feedValue(source: string, wanted: Wanted): Promise<TensorValue> {
  const random = /^random(?::(\d+))?$/.exec(source);
  if (random !== null) return randomValue(wanted, Number(random[1] ?? 1));
  if (/^(\[|-?\d|"|true$|false$)/.test(source)) return jsonValue(source, source, wanted);
  const bytes = await readFile(source).catch((error: unknown) => {
    throw new FileError(`--feed ${wanted.name}: ${messageOf(error)}`, { cause: error });
  });
  try {
    return await fileValue(source, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), wanted);
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`--feed ${wanted.name}: ${source}: ${messageOf(error)}`, { cause: error });
  }
}

async function fileValue(path: string, bytes: Uint8Array, wanted: Wanted): Promise<TensorValue> {
  if (bytes[0] === 0x93) return fitted(await readNpy(bytes), wanted);
  if (bytes[0] === 0x89 && bytes[1] === 0x50) return imageValue(await decodePng(bytes), wanted);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return imageValue(await decodeJpeg(bytes), wanted);
  if (/^\s*[[{"\d-]/.test(new TextDecoder().decode(bytes.subarray(0, 16)))) {
    return jsonValue(new TextDecoder().decode(bytes), path, wanted);
  }
  const { reader, name } = { reader: await openWeightFile(bytes), name: wanted.name };
  const only = reader.entries.size === 1 ? [...reader.entries.keys()][0] : undefined;
  return fitted(await reader.read(reader.entries.has(name) ? name : (only ?? name)), wanted);
}

function jsonValue(text: string, what: string, wanted: Wanted): TensorValue {
  try {
    return fitted(toTensorValue(JSON.parse(text) as NestedArray, wanted.dtype), wanted);
  } catch (error) {
    throw new FileError(`--feed ${wanted.name}: ${what.slice(0, 60)}: ${messageOf(error)}`, { cause: error });
  }
}

/** The value in the wanted dtype, with a batch of one where the input has one dimension more. */
function fitted(value: TensorValue, { dtype, shape }: Wanted): TensorValue {
  const sizes = shape?.length === value.shape.length + 1 ? [1, ...value.shape] : value.shape;
  if (value.dtype === dtype) return new TensorValue(dtype, sizes, value.data);
  const host = toHostValue(value);
  if (host === null) throw new FileError(`a ${value.dtype} value cannot be fed as ${dtype}`);
  return fromHostValue({ dtype, shape: sizes, data: host.data });
}

function randomValue({ name, dtype, shape }: Wanted, seed: number): TensorValue {
  const sizes = shape?.map((dim) => {
    if (dim === null)
      throw new UsageError(`--feed ${name}=random: its shape is not known, give it with --shape`);
    return dim;
  });
  if (sizes === undefined)
    throw new UsageError(`--feed ${name}=random: its shape is not known, give it with --shape`);
  if (dtype === 'string')
    throw new UsageError(
      `--feed ${name}=random: it takes texts; give them as JSON, such as ${name}=["a text"]`,
    );
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  const integer = /int|bool/.test(dtype);
  const data = Float64Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () =>
    integer ? Math.floor(next() * 2) : next(),
  );
  return fromHostValue({ dtype, shape: sizes, data });
}

/** Pixels with four channels of 0 to 255. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

async function decodePng(bytes: Uint8Array): Promise<Pixels> {
  const { PNG } = await import('pngjs');
  return PNG.sync.read(Buffer.from(bytes));
}

async function decodeJpeg(bytes: Uint8Array): Promise<Pixels> {
  const { default: jpeg } = await import('jpeg-js');
  return jpeg.decode(bytes, { useTArray: true, maxMemoryUsageInMB: 512 });
}

/** [1,height,width,channels]: grey for one channel, in 0 to 1 for floating-point inputs, else 0 to 255. Sizes must be the input's. */
function imageValue({ width, height, data }: Pixels, { name, dtype, shape }: Wanted): TensorValue {
  const channels = shape?.at(-1) ?? 3;
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new FileError(`--feed ${name}: an image has 1, 3 or 4 channels, the input ${channels}`);
  }
  const scale = dtype.startsWith('float') ? 1 / 255 : 1;
  const out = new Float64Array(width * height * channels);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [r, g, b] = [0, 1, 2].map((c) => data[4 * pixel + c] ?? 0) as [number, number, number];
    for (let c = 0; c < channels; c++) {
      const value = channels === 1 ? 0.299 * r + 0.587 * g + 0.114 * b : (data[4 * pixel + c] ?? 0);
      out[pixel * channels + c] = (scale === 1 ? Math.round(value) : value) * scale;
    }
  }
  const sizes = shape?.length === 3 ? [height, width, channels] : [1, height, width, channels];
  return fromHostValue({ dtype, shape: sizes, data: out });
}
