/** Tells by content what kind of weights a file holds, and opens it. */
import { InvalidArgumentError } from '@forerun/graph';
import { NPY_MAGIC, readNpyData, readNpyHeader } from './npy.js';
import { npzOf } from './npz.js';
import { openSafetensors } from './safetensors.js';
import { isLegacyTorch, isTorchArchive, openLegacyTorch, torchOf } from './torch.js';
import {
  asSource,
  entryOf,
  readRange,
  type WeightFile,
  type WeightFormat,
  type WeightSource,
} from './weightFile.js';
import { isZip, openZip } from './zip.js';

const HEAD_BYTES = 16;

/** The format that the first bytes of a file promise, `zip` for both `.npz` and PyTorch; `undefined` for anything else. */
export function detectWeights(
  head: Uint8Array,
): Exclude<WeightFormat, 'npz' | 'PyTorch'> | 'zip' | undefined {
  if (NPY_MAGIC.every((byte, i) => head[i] === byte)) return 'npy';
  if (isZip(head)) return 'zip';
  if (isLegacyTorch(head)) return 'PyTorch (legacy)';
  // A length below 100 MB, and the header's brace.
  const isSafetensors = head.length > 8 && head[8] === 0x7b && [4, 5, 6, 7].every((i) => head[i] === 0);
  return isSafetensors ? 'safetensors' : undefined;
}

/**
 * Opens a file of weights of any format. A `.npy` file has one tensor, called `array`. Throws `InvalidArgumentError` for
 * a file of no known format and for what is refused, `DataLossError` for a damaged one.
 */
export async function openWeightFile(source: WeightSource): Promise<WeightFile> {
  const file = asSource(source);
  const head = await readRange(file, 0, Math.min(HEAD_BYTES, file.size), 'weights');
  switch (detectWeights(head)) {
    case 'npy':
      return openNpy(file);
    case 'zip': {
      const archive = await openZip(file);
      return isTorchArchive(archive) ? torchOf(archive) : npzOf(archive);
    }
    case 'PyTorch (legacy)':
      return openLegacyTorch(file);
    case 'safetensors':
      return openSafetensors(file);
    default:
      throw new InvalidArgumentError(
        'the file holds no weights of a known format: safetensors, npy, npz or PyTorch',
      );
  }
}

async function openNpy(source: WeightSource): Promise<WeightFile> {
  const header = await readNpyHeader(source);
  const { dtype, shape } = header;
  const entries = new Map([['array', { name: 'array', dtype, shape }]]);
  return {
    format: 'npy',
    entries,
    metadata: new Map(),
    read: (name) => {
      entryOf(entries, name, 'the npy file');
      return readNpyData(source, header);
    },
  };
}
