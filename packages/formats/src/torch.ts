/**
 * PyTorch's state dictionaries (`torch.save`): a zip archive with a pickle that refers to storages beside it, and the
 * older form, pickles with the storages behind them. Views with strides and offsets and shared storages are read.
 */
import {
  bytesToData,
  DataLossError,
  dtypeBytes,
  InvalidArgumentError,
  sizeOf,
  stridesOf,
  swapBytes,
  TensorValue,
  type BaseDType,
  type RandomAccessSource,
} from '@forerun/graph';
import { readPickle, type PickleRules } from './pickle.js';
import { Dictionary, Global, PersistentId, Tuple, type PickleValue } from './pickleValue.js';
import { copyStrided } from './permute.js';
import {
  asSource,
  checkedSize,
  entryOf,
  readRange,
  type WeightEntry,
  type WeightFile,
  type WeightSource,
} from './weightFile.js';
import { openZip, type ZipArchive } from './zip.js';

const STORAGE_DTYPES: Readonly<Record<string, BaseDType>> = {
  'torch.FloatStorage': 'float32',
  'torch.DoubleStorage': 'float64',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.ShortStorage': 'int16',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
  'torch.ComplexFloatStorage': 'complex64',
  'torch.ComplexDoubleStorage': 'complex128',
};
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';
const ORDERED_DICT = 'collections.OrderedDict';
const GLOBALS: ReadonlySet<string> = new Set([
  REBUILD_TENSOR,
  REBUILD_PARAMETER,
  ORDERED_DICT,
  'torch.Size',
  ...Object.keys(STORAGE_DTYPES),
]);

/** Memory that several tensors may share. */
interface Storage {
  readonly key: string;
  readonly dtype: BaseDType;
  readonly elements: number;
  /** Where a part of another storage begins, in elements; the older form has such. */
  readonly offset: number;
}

/** A tensor: a view on a storage. */
interface TorchTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** Stands for a tensor among the values of a pickle. */
class TensorCell extends Dictionary {
  constructor(readonly tensor: TorchTensor) {
    super();
  }
}

/** Tensors may repeat elements of their storage, but a few bytes shall not become gigabytes. */
const MAX_REPEATED = 2 ** 26;
const MAX_NESTING = 32;
const MAX_VALUES = 1_000_000;

function rulesFor(what: string): PickleRules {
  return {
    what,
    allows: (name) => GLOBALS.has(name),
    call: (callee, args) => {
      if (callee === ORDERED_DICT && args.length === 0) return new Dictionary();
      if (callee === REBUILD_TENSOR) return new TensorCell(tensorOf(args, what));
      if (callee === REBUILD_PARAMETER && args[0] instanceof TensorCell) return args[0];
      if (callee === 'torch.Size' && args.length === 1) return args[0] ?? null;
      throw new InvalidArgumentError(`${what}: a call of ${callee} with ${args.length} arguments is refused`);
    },
  };
}

function tensorOf(args: readonly PickleValue[], what: string): TorchTensor {
  const [id, offset, size, stride] = args;
  const storage = id instanceof PersistentId ? storageOf(id.id, what) : undefined;
  const shape = numbersOf(size);
  const strides = numbersOf(stride);
  if (storage === undefined || typeof offset !== 'number' || shape?.length !== strides?.length) {
    throw new DataLossError(`${what}: a tensor with unreadable arguments`);
  }
  const tensor = { storage, offset, shape: shape ?? [], strides: strides ?? [] };
  checkTensor(tensor, what);
  return tensor;
}

function numbersOf(value: PickleValue | undefined): number[] | undefined {
  const items = value instanceof Tuple ? value.items : undefined;
  return items?.every((item) => typeof item === 'number') === true ? [...items] : undefined;
}

function storageOf(id: readonly PickleValue[], what: string): Storage {
  const [kind, type, key, , elements, view] = id;
  const dtype = type instanceof Global ? STORAGE_DTYPES[type.name] : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string' || !isCount(elements)) {
    throw new DataLossError(`${what}: an unreadable storage`);
  }
  const [, start = 0, length = elements] = view instanceof Tuple ? view.items : [];
  if (!isCount(start) || !isCount(length) || start + length > elements) {
    throw new DataLossError(`${what}: a view beyond storage "${key}" of ${elements} elements`);
  }
  return { key, dtype, elements, offset: start };
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function checkTensor({ storage, offset, shape, strides }: TorchTensor, what: string): void {
  const name = `${what}: a tensor [${shape.join(',')}] with strides [${strides.join(',')}] at ${offset}`;
  const count = checkedSize(shape, what);
  const last = shape.reduce(
    (at, dim, axis) => at + (dim - 1) * (strides[axis] ?? 0),
    offset + storage.offset,
  );
  const sound = isCount(offset) && strides.every((stride) => isCount(stride)) && Number.isSafeInteger(last);
  if (!sound || (count > 0 && last >= storage.elements)) {
    throw new DataLossError(`${name} lies outside of its storage of ${storage.elements} elements`);
  }
  if (count > Math.max(storage.elements, MAX_REPEATED)) {
    throw new DataLossError(`${name} repeats ${storage.elements} elements ${count} times in all`);
  }
}

/** Tensors by the path of keys that leads to them, joined by dots. */
function tensorsOf(root: PickleValue, what: string): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let visited = 0;
  const visit = (value: PickleValue, path: readonly (string | number)[]): void => {
    if (++visited > MAX_VALUES || path.length > MAX_NESTING) {
      throw new DataLossError(`${what}: values nested without end under "${path.slice(0, 4).join('.')}"`);
    }
    if (value instanceof TensorCell) {
      tensors.set(path.length === 0 ? 'tensor' : path.join('.'), value.tensor);
    } else if (value instanceof Dictionary) {
      for (const [key, item] of value.entries) visit(item, [...path, key]);
    } else if (Array.isArray(value) || value instanceof Tuple) {
      const items = Array.isArray(value) ? value : value.items;
      items.forEach((item, i) => visit(item, [...path, i]));
    }
  };
  visit(root, []);
  return tensors;
}

interface TorchEntry extends WeightEntry {
  readonly tensor: TorchTensor;
}

type StorageReader = (storage: Storage) => Promise<Uint8Array>;

function torchFile(
  format: 'PyTorch' | 'PyTorch (legacy)',
  tensors: ReadonlyMap<string, TorchTensor>,
  readStorage: StorageReader,
): WeightFile {
  const entries = new Map<string, TorchEntry>();
  for (const [name, tensor] of tensors) {
    entries.set(name, { name, dtype: tensor.storage.dtype, shape: tensor.shape, tensor });
  }
  return {
    format,
    entries,
    metadata: new Map(),
    read: async (name) => {
      const { tensor } = entryOf(entries, name, 'the PyTorch file');
      return valueOf(tensor, await readStorage(tensor.storage));
    },
  };
}

function valueOf({ storage, offset, shape, strides }: TorchTensor, bytes: Uint8Array): TensorValue {
  const { dtype } = storage;
  const start = offset + storage.offset;
  const count = sizeOf(shape);
  const natural = stridesOf(shape);
  const isRowMajor = shape.every((dim, axis) => dim === 1 || strides[axis] === natural[axis]);
  const size = dtypeBytes(dtype);
  if (isRowMajor || count === 0) {
    return new TensorValue(
      dtype,
      shape,
      bytesToData(dtype, bytes.subarray(start * size, (start + count) * size)),
    );
  }
  return new TensorValue(dtype, shape, copyStrided(dtype, bytesToData(dtype, bytes), shape, strides, start));
}

/**
 * Opens the zip form. Throws `InvalidArgumentError` for a pickle with anything beyond tensors in dictionaries and lists,
 * such as a whole module, and `DataLossError` for damage.
 */
export async function openTorch(source: WeightSource): Promise<WeightFile> {
  return torchOf(await openZip(source));
}

/** True when an archive is one of PyTorch's. */
export function isTorchArchive(archive: ZipArchive): boolean {
  return pickleName(archive) !== undefined;
}

function pickleName({ entries }: ZipArchive): string | undefined {
  return [...entries.keys()].find((name) => name === 'data.pkl' || /^[^/]+\/data\.pkl$/.test(name));
}

/** The tensors of an archive that is open already. */
export async function torchOf(archive: ZipArchive): Promise<WeightFile> {
  const pickle = pickleName(archive);
  const entry = pickle === undefined ? undefined : archive.entries.get(pickle);
  if (pickle === undefined || entry === undefined) {
    throw new InvalidArgumentError('PyTorch file: the archive has no data.pkl');
  }
  const root = pickle.slice(0, -'data.pkl'.length);
  if ([...archive.entries.keys()].some((name) => name.startsWith(`${root}code/`))) {
    throw new InvalidArgumentError(
      'PyTorch file: this is a TorchScript program, which is not run; save its state_dict() with torch.save',
    );
  }
  const what = `PyTorch file, ${pickle}`;
  const { value } = readPickle(await archive.read(entry), rulesFor(what));
  const tensors = tensorsOf(value, what);
  const bigEndian = await isBigEndian(archive, root);
  for (const { storage } of tensors.values()) checkStored(archive, root, storage);
  return torchFile('PyTorch', tensors, async (storage) => {
    const bytes = await archive.read(checkStored(archive, root, storage));
    return bigEndian ? swapBytes(bytes.slice(), storage.dtype) : bytes;
  });
}

async function isBigEndian(archive: ZipArchive, root: string): Promise<boolean> {
  const entry = archive.entries.get(`${root}byteorder`);
  return entry !== undefined && new TextDecoder().decode(await archive.read(entry)).trim() === 'big';
}

function checkStored(
  archive: ZipArchive,
  root: string,
  { key, dtype, elements }: Storage,
): NonNullable<ReturnType<ZipArchive['entries']['get']>> {
  const entry = archive.entries.get(`${root}data/${key}`);
  if (entry?.size === elements * dtypeBytes(dtype)) return entry;
  throw new DataLossError(
    `PyTorch file: storage "${key}" of ${elements} ${dtype} elements ${entry === undefined ? 'is missing' : `has ${entry.size} bytes`}`,
  );
}

/** The number that the older form begins with, as a pickle. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** True when bytes begin as the older form does. */
export function isLegacyTorch(head: Uint8Array): boolean {
  const text = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  return text.every((byte, i) => i === 1 || head[i] === byte);
}

/** Opens the form that PyTorch wrote before version 1.6. Throws as `openTorch` does. */
export async function openLegacyTorch(source: WeightSource): Promise<WeightFile> {
  const file = asSource(source);
  const what = 'PyTorch file (legacy)';
  // Pickles have no length; storages follow, so that all has to be read.
  const bytes = await readRange(file, 0, file.size, what);
  const rules = rulesFor(what);
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = readPickle(bytes, rules, at);
    at = end;
    return value;
  };
  const [magic, protocol] = [next(), next()];
  if (magic !== LEGACY_MAGIC || protocol !== LEGACY_PROTOCOL)
    throw new DataLossError(`${what}: wrong magic number`);
  const system = next();
  if (system instanceof Dictionary && system.entries.get('little_endian') === false) {
    throw new InvalidArgumentError(`${what}: files of big-endian machines are not read`);
  }
  const tensors = tensorsOf(next(), what);
  const storages = await storagesAt(file, next(), () => at, tensors, what);
  return torchFile('PyTorch (legacy)', tensors, (storage) => {
    const { offset, size } = storages.get(storage.key) ?? { offset: 0, size: 0 };
    return Promise.resolve(bytes.subarray(offset, offset + size));
  });
}

async function storagesAt(
  file: RandomAccessSource,
  keys: PickleValue,
  start: () => number,
  tensors: ReadonlyMap<string, TorchTensor>,
  what: string,
): Promise<Map<string, { offset: number; size: number }>> {
  const used = new Map([...tensors.values()].map(({ storage }) => [storage.key, storage]));
  const places = new Map<string, { offset: number; size: number }>();
  let at = start();
  for (const item of Array.isArray(keys) ? keys : []) {
    const key = typeof item === 'string' ? item : '';
    const head = await readRange(file, at, 8, `${what}, storage "${key}"`);
    const count = Number(new DataView(head.buffer, head.byteOffset, 8).getBigInt64(0, true));
    const storage = used.get(key);
    if (storage?.elements !== count) {
      throw new DataLossError(`${what}: the storage "${key}" at byte ${at} has ${count} elements`);
    }
    const size = count * dtypeBytes(storage.dtype);
    if (size > file.size - at - 8)
      throw new DataLossError(`${what}: storage "${key}" at byte ${at} is cut off`);
    places.set(key, { offset: at + 8, size });
    at += 8 + size;
  }
  const missing = [...used.keys()].find((key) => !places.has(key));
  if (missing !== undefined) throw new DataLossError(`${what}: the storage "${missing}" is missing`);
  return places;
}
