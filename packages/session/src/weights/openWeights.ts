/** Opens files of weights of any framework: Node only, as checkpoints are. */
import { detectWeights, openWeightFile, type WeightReader } from '@forerun/formats';
import { checkpointPrefix, detectFormat, ForerunError, indexPath, NotFoundError } from '@forerun/graph';
import { openCheckpoint, openFile, fileKind, readFileIfPresent } from '../checkpoint/files.js';
import { isRemote } from '../checkpoint/remote.js';

/** Opened weights and what closes their files. */
export interface OpenWeights {
  readonly reader: WeightReader;
  /** `safetensors`, `npy`, `npz`, `PyTorch` or `checkpoint`. */
  readonly format: string;
  close(): Promise<void>;
}

const HEAD_BYTES = 16;

/**
 * Opens a file of weights, told by its content: `.safetensors`, `.npy`, `.npz`, a PyTorch state dictionary or a checkpoint,
 * the last by prefix or by any of its files. Throws `NotFoundError` when there is none, `InvalidArgumentError` or
 * `DataLossError` naming the path for files that are refused or damaged.
 */
export async function openWeights(path: string): Promise<OpenWeights> {
  const kind = await fileKind(path);
  if (kind !== 'file' || checkpointPrefix(path) !== path) return openAsCheckpoint(path, kind);
  if (await isRemoteCheckpoint(path)) return openAsCheckpoint(path, kind);
  const { source, close } = await openFile(path);
  try {
    const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
    if (detectWeights(head) === undefined) {
      const tail = await source.read(Math.max(0, source.size - 64), Math.min(64, source.size));
      if (detectFormat(tail) === 'checkpoint index') {
        await close();
        return await openAsCheckpoint(path, kind);
      }
    }
    const reader = await openWeightFile(source);
    return { reader, format: reader.format, close };
  } catch (error) {
    await close();
    throw named(error, path);
  }
}

/** Whether a URL is the prefix of a checkpoint, which only its index tells. */
async function isRemoteCheckpoint(path: string): Promise<boolean> {
  if (!isRemote(path) || /\.(safetensors|npy|npz|pth|pt)$/.test(path)) return false;
  return (await readFileIfPresent(indexPath(path))) !== undefined;
}

async function openAsCheckpoint(path: string, kind: 'file' | 'directory' | undefined): Promise<OpenWeights> {
  if (kind === undefined && (await fileKind(indexPath(checkpointPrefix(path)))) === undefined) {
    throw new NotFoundError(`there is no file or checkpoint "${path}"`);
  }
  const { reader, close } = await openCheckpoint(path);
  return { reader, format: 'checkpoint', close };
}

/** The same error with the path before its message. */
function named(error: unknown, path: string): unknown {
  if (!(error instanceof ForerunError)) return error;
  const Kind = error.constructor as new (message: string, options: ErrorOptions) => ForerunError;
  return new Kind(`"${path}": ${error.message}`, { cause: error });
}
