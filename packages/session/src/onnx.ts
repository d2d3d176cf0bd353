/** ONNX models on disk: the model and the files beside it that hold large values. */
import {
  exportOnnx,
  exportOnnxParts,
  importOnnx,
  readExternalData,
  readOnnxModel,
  type ExportOnnxOptions,
  type ExternalRange,
  type ImportedOnnx,
  type ImportOnnxOptions,
} from '@forerun/formats';
import { globalVariables, NotFoundError, type TensorValue } from '@forerun/graph';
import {
  baseName,
  directoryOf,
  openFile,
  readFileIfPresent,
  writeFileAtomically,
} from './checkpoint/files.js';
import type { Session } from './session.js';

export interface LoadOnnxOptions extends ImportOnnxOptions {
  /**
   * Reads a file in place of the file system: the model by the path given, files beside it by their path relative to
   * its directory. For archives.
   */
  readonly readFile?: ((path: string) => Promise<Uint8Array>) | undefined;
}

/**
 * Adds the model at `path` to a graph, with values from files beside it, whose paths cannot lead out of its directory; see `importOnnx`. Throws
 * `NotFoundError` for a missing file.
 */
export async function loadOnnx(path: string, options: LoadOnnxOptions = {}): Promise<ImportedOnnx> {
  const { readFile, ...rest } = options;
  const model = readOnnxModel(await (readFile ?? readPresent)(path));
  await readExternalData(model, (range) =>
    readFile === undefined ? readPart(directoryOf(path), range) : cut(readFile, range),
  );
  return importOnnx(model, rest);
}

async function cut(
  readFile: (path: string) => Promise<Uint8Array>,
  { location, offset, length }: ExternalRange,
): Promise<Uint8Array> {
  return (await readFile(location)).slice(offset, offset + length);
}

/** Bytes of a file; no more are asked for than there are. */
async function readPart(directory: string, { location, offset, length }: ExternalRange): Promise<Uint8Array> {
  const { source, close } = await openFile(`${directory}/${location}`);
  try {
    const there = Math.min(length, Math.max(0, source.size - offset));
    return await source.read(Math.min(offset, source.size), there);
  } finally {
    await close();
  }
}

async function readPresent(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  return bytes;
}

export interface SaveOnnxOptions extends Pick<ExportOnnxOptions, 'outputs' | 'inputs'> {
  /**
   * Puts values of at least `minBytes` (default 1024) into a file `<name>.data` beside the model, for models that would take more
   * than the 2 GiB of protobuf. Default false.
   */
  readonly externalData?: boolean | { readonly minBytes?: number | undefined } | undefined;
}

/**
 * Writes what `outputs` need as an ONNX model, with the values that the variables have in the session; see `exportOnnx`. Returns the path.
 * Throws `FailedPreconditionError` for variables that are not initialized.
 */
export async function saveOnnx(sess: Session, path: string, options: SaveOnnxOptions): Promise<string> {
  const { externalData = false, ...rest } = options;
  const given = { ...rest, variables: await variableValues(sess) };
  if (externalData === false) {
    await writeFileAtomically(path, [exportOnnx(given)]);
    return path;
  }
  const { minBytes } = externalData === true ? {} : externalData;
  const location = `${baseName(path)}.data`;
  const { model, data } = exportOnnxParts(given, { location, minBytes });
  if (data.length > 0) await writeFileAtomically(`${directoryOf(path)}/${location}`, data);
  await writeFileAtomically(path, [model]);
  return path;
}

async function variableValues(sess: Session): Promise<Map<string, TensorValue>> {
  const variables = sess.graph.asDefault(() => globalVariables());
  const values = await sess.run(variables.map(({ snapshot }) => snapshot));
  return new Map(
    variables.flatMap((variable, i) => {
      const value = values[i];
      return value === undefined ? [] : [[variable.op.name, value] as const];
    }),
  );
}
