/** `forerun convert`: one kind of file into another. */
import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeNpy, writeNpz, writeSafetensors } from '@forerun/formats';
import { BundleWriter, checkpointPrefix, dataPath, indexPath, proto, type TensorValue } from '@forerun/graph';
import { FileError, UsageError } from '../errors.js';
import { FORMS, type Form } from '../forms.js';
import { formatBytes } from '../format.js';
import { load, type Loaded } from '../load.js';
import { openValues, reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import type { Terminal } from '../terminal.js';

export interface ConvertOptions extends CommonOptions {
  readonly to?: Form;
  /** Of a file of values, the one to write as `.npy`. */
  readonly name?: string;
}

/**
 * Writes `target` with what `file` holds. Graphs become graphs, values become values. Throws `UsageError` for an ending that says nothing, `FileError` for what
 * cannot become that.
 */
export async function convert(
  file: string,
  target: string,
  options: ConvertOptions,
  terminal: Terminal,
): Promise<void> {
  const form = options.to ?? formOf(target);
  const loaded = await load(file, { tags: parseTags(options.tags) });
  const isGraphForm = form === 'pb' || form === 'pbtxt' || form === 'json' || form === 'meta';
  if (isGraphForm && loaded.kind !== 'graph') {
    throw new FileError(`${file}: values (${loaded.format}) cannot become a graph`);
  }
  const files =
    loaded.kind === 'graph' && isGraphForm
      ? graphFiles(loaded, form, target)
      : await valueFiles(file, form, target, options);
  for (const [path, bytes] of files) await writeOut(path, bytes);
  const written = [...files].map(([path, bytes]) => ({ path, bytes: bytes.length }));
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: loaded.path, to: form, written }, null, 2)
      : written.map(({ path, bytes }) => `wrote ${path}: ${form}, ${formatBytes(bytes)}`).join('\n'),
  );
}

function formOf(target: string): Form {
  const ending = /\.(\w+)$/.exec(target)?.[1];
  const form = FORMS.find((name) => name === ending);
  if (form !== undefined) return form;
  if (ending === 'ckpt' || ending === 'index') return 'checkpoint';
  throw new UsageError(
    `${target}: its ending does not say what to write; use --to with one of ${FORMS.join(', ')}`,
  );
}

function graphFiles(
  { graphDef, metaGraph }: Extract<Loaded, { kind: 'graph' }>,
  form: 'pb' | 'pbtxt' | 'json' | 'meta',
  target: string,
): Map<string, Uint8Array> {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  if (form === 'meta') return new Map([[target, proto.encode('MetaGraphDef', metaGraph ?? { graphDef })]]);
  if (form === 'pb') return new Map([[target, proto.encode('GraphDef', graphDef)]]);
  if (form === 'pbtxt') return new Map([[target, text(proto.toText('GraphDef', graphDef))]]);
  return new Map([[target, text(JSON.stringify(proto.toJson('GraphDef', graphDef)))]]);
}

async function valueFiles(
  file: string,
  form: Form,
  target: string,
  { name, tags }: ConvertOptions,
): Promise<Map<string, Uint8Array>> {
  const { reader, close } = await openValues(file, { tags: parseTags(tags) });
  try {
    return await reading(file, async () => {
      const names = name === undefined ? [...reader.entries.keys()] : [name];
      const values: (readonly [string, TensorValue])[] = [];
      for (const one of names) values.push([one, await reader.read(one)]);
      return encodeValues(values, form, target);
    });
  } finally {
    await close();
  }
}

function encodeValues(
  values: readonly (readonly [string, TensorValue])[],
  form: Form,
  target: string,
): Map<string, Uint8Array> {
  switch (form) {
    case 'safetensors':
      return new Map([[target, writeSafetensors(values)]]);
    case 'npz':
      return new Map([[target, writeNpz(values)]]);
    case 'npy': {
      const [first] = values;
      if (first === undefined || values.length !== 1) {
        throw new UsageError(`a .npy file holds one value, here are ${values.length}: choose with --name`);
      }
      return new Map([[target, writeNpy(first[1])]]);
    }
    default: {
      const writer = new BundleWriter();
      const prefix = checkpointPrefix(target);
      const parts = values.map(([key, value]) => writer.add(key, value));
      return new Map([
        [dataPath(prefix), Buffer.concat(parts)],
        [indexPath(prefix), writer.finish()],
      ]);
    }
  }
}

async function writeOut(path: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(path, bytes);
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? `there is no directory "${dirname(path)}"`
        : String(error);
    throw new FileError(`${path}: ${reason}`, { cause: error });
  }
}
