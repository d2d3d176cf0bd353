/** `forerun convert`: one kind of file into another. */
import { writeNpy, writeNpz, writeSafetensors } from '@forerun/formats';
import { BundleWriter, checkpointPrefix, dataPath, indexPath, type TensorValue } from '@forerun/graph';
import { FileError, UsageError } from '../errors.js';
import { FORMS, formOf, isGraphForm, type Form, type GraphForm, type ValueForm } from '../forms.js';
import { formatBytes } from '../format.js';
import { graphFiles, modelDirectory } from '../graphFiles.js';
import { viewGraph } from '../graphView.js';
import { load, type Loaded } from '../load.js';
import { openValues, reading } from '../openValues.js';
import type { CommonOptions } from '../program.js';
import { parseTags } from '../tags.js';
import { progressOf, type Terminal } from '../terminal.js';
import { withWeightsBeside } from '../weightsBeside.js';
import { writeFiles, type OutFiles, type Written } from '../writeFiles.js';

export interface ConvertOptions extends CommonOptions {
  readonly to?: Form;
  /** Of a file of values, the one to write as `.npy`. */
  readonly name?: string;
  /** Outputs of the model, in place of those that the file tells of. */
  readonly fetch?: readonly string[];
  /** Values of the variables, for forms that hold them. */
  readonly weights?: string;
  /** Large constants go into a file beside the graph's. */
  readonly externalWeights?: boolean;
}

/**
 * Writes `target` with what `file` holds. Graphs become graphs, values become values; of a graph, values are its constants or, in a SavedModel, its
 * variables. Throws `UsageError` for an ending that says nothing, `FileError` for what cannot become that.
 */
export async function convert(
  file: string,
  target: string,
  options: ConvertOptions,
  terminal: Terminal,
): Promise<void> {
  const form = options.to ?? formOf(target, FORMS);
  const loaded = await load(file, { tags: parseTags(options.tags) });
  const files = isGraphForm(form)
    ? await graphForm(loaded, form, target, options)
    : await valueFiles(file, form, target, options, terminal);
  const written = await writeFiles(files, modelDirectory(form, target));
  terminal.print(
    options.json === true
      ? JSON.stringify({ file: loaded.path, to: form, written }, null, 2)
      : describeWritten(form, written),
  );
}

/** A line for each file. */
export function describeWritten(form: Form, written: readonly Written[]): string {
  return written.map(({ path, bytes }) => `wrote ${path}: ${form}, ${formatBytes(bytes)}`).join('\n');
}

async function graphForm(
  loaded: Loaded,
  form: GraphForm,
  target: string,
  { fetch, weights, name, externalWeights }: ConvertOptions,
): Promise<OutFiles> {
  if (name !== undefined) throw new UsageError('--name chooses a value, and a graph is written');
  if (loaded.kind === 'graph') {
    const view = viewGraph(await withWeightsBeside(loaded));
    return graphFiles(view, form, target, { fetch, weights, externalWeights });
  }
  throw new FileError(
    `${loaded.path}: values (${loaded.format}) cannot become a graph; to put them into one: forerun freeze GRAPH ${target} --weights ${loaded.path}`,
  );
}

async function valueFiles(
  file: string,
  form: ValueForm,
  target: string,
  { name, tags, externalWeights }: ConvertOptions,
  terminal: Terminal,
): Promise<OutFiles> {
  if (externalWeights === true)
    throw new UsageError('--external-weights is for graphs, and values are written');
  const { reader, close } = await openValues(file, { tags: parseTags(tags) });
  try {
    return await reading(file, async () => {
      const names = name === undefined ? [...reader.entries.keys()] : [name];
      const values: (readonly [string, TensorValue])[] = [];
      const progress = progressOf(terminal, 'reading', names.length);
      for (const one of names) {
        values.push([one, await reader.read(one)]);
        progress.step(one);
      }
      progress.end();
      return encodeValues(values, form, target);
    });
  } finally {
    await close();
  }
}

function encodeValues(
  values: readonly (readonly [string, TensorValue])[],
  form: ValueForm,
  target: string,
): OutFiles {
  switch (form) {
    case 'safetensors':
      return new Map([[target, [writeSafetensors(values)]]]);
    case 'npz':
      return new Map([[target, [writeNpz(values)]]]);
    case 'npy': {
      const [first] = values;
      if (first === undefined || values.length !== 1) {
        throw new UsageError(`a .npy file holds one value, here are ${values.length}: choose with --name`);
      }
      return new Map([[target, [writeNpy(first[1])]]]);
    }
    case 'checkpoint': {
      const writer = new BundleWriter();
      // NAME.ckpt is the prefix itself.
      const prefix = checkpointPrefix(target);
      const parts = values.map(([key, value]) => writer.add(key, value));
      return new Map([
        [dataPath(prefix), parts],
        [indexPath(prefix), [writer.finish()]],
      ]);
    }
  }
}
