/** `.npz`: a zip archive of NumPy arrays. */
import { InvalidArgumentError, type TensorValue } from '@forerun/graph';
import { NPY_MAGIC, readNpyData, readNpyHeader, writeNpy, type NpyHeader } from './npy.js';
import { entryOf, type WeightEntry, type WeightFile, type WeightSource } from './weightFile.js';
import { openZip, writeZip, type ZipArchive, type ZipEntry } from './zip.js';

interface NpzEntry extends WeightEntry {
  readonly zip: ZipEntry;
}

/** Opens a `.npz` file. Arrays are named by their files without `.npy`. Throws as `readNpyHeader` and `openZip` do. */
export async function openNpz(source: WeightSource): Promise<WeightFile> {
  return npzOf(await openZip(source));
}

/** The arrays of an archive that is open already. */
export async function npzOf(archive: ZipArchive): Promise<WeightFile> {
  const entries = new Map<string, NpzEntry>();
  for (const zip of archive.entries.values()) {
    const name = zip.name.replace(/\.npy$/, '');
    const { dtype, shape } = await headerOf(await archive.read(zip), zip);
    entries.set(name, { name, dtype, shape, zip });
  }
  return {
    format: 'npz',
    entries,
    metadata: new Map(),
    read: async (name) => {
      const { zip } = entryOf(entries, name, 'the npz file');
      const bytes = await archive.read(zip);
      return readNpyData(bytes, await headerOf(bytes, zip), `npz array "${name}"`);
    },
  };
}

async function headerOf(bytes: Uint8Array, { name }: ZipEntry): Promise<NpyHeader> {
  if (NPY_MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new InvalidArgumentError(`npz file: the entry "${name}" is no NumPy array`);
  }
  return readNpyHeader(bytes, `npz array "${name}"`);
}

/** The bytes of a `.npz` file; `compressed` as `numpy.savez_compressed`. */
export function writeNpz(
  arrays: Iterable<readonly [name: string, value: TensorValue]>,
  { compressed = false }: { readonly compressed?: boolean } = {},
): Uint8Array {
  const files = new Map<string, Uint8Array>();
  for (const [name, value] of arrays) {
    if (files.has(`${name}.npy`)) throw new InvalidArgumentError(`npz file: two arrays called "${name}"`);
    files.set(`${name}.npy`, writeNpy(value));
  }
  return writeZip(files, compressed ? 6 : 0);
}
