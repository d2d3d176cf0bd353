/** Models of TensorFlow.js on disk: `model.json` and the weight files beside it. */
import {
  getDefaultGraph,
  importTfjsLayersModel,
  modelJsonOfOldForm,
  NotFoundError,
  OLD_FORM,
  openTfjsGraphModel,
  readTfjsLayersModel,
  type Graph,
  type ImportOptions,
  type ReadShard,
  type Tensor,
  type TfjsGraphModel,
  type WriteGraphModelOptions,
  writeTfjsGraphModel,
} from '@forerun/graph';
import { directoryOf, readFileIfPresent, writeFileAtomically } from './checkpoint/files.js';

export interface LoadModelOptions extends Pick<ImportOptions, 'graph' | 'clearDevices'> {
  /** Scope to put the nodes under. Default: none. */
  readonly name?: string | undefined;
  /**
   * Reads a file in place of the file system: `model.json` by the path given, weights by their path relative to its
   * directory. For archives.
   */
  readonly readFile?: ((path: string) => Promise<Uint8Array>) | undefined;
}

/** A model in a graph. */
export interface LoadedModel extends Omit<TfjsGraphModel, 'graphDef'> {
  readonly graph: Graph;
  /** By the names in the signature. */
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/**
 * Adds a graph model of TensorFlow.js to a graph (default: the default graph), with its weights as constants. `path` is
 * that of `model.json`, or of `tensorflowjs_model.pb` from before TensorFlow.js 1; paths of weights cannot lead out of its directory. Shapes are inferred when they are first asked for.
 *
 * Throws `NotFoundError` for a missing file, `InvalidArgumentError` for a malformed one, `DataLossError` for weights that are
 * too short or too long. A node whose inputs have shapes that do not fit is named by the first run that needs it.
 */
export async function loadGraphModel(path: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { readFile = readPresent, name = '' } = options;
  const graph = options.graph ?? getDefaultGraph();
  const readShard = shardReader(path, options);
  const file = await readFile(path);
  const text = isJson(file)
    ? new TextDecoder().decode(file)
    : modelJsonOfOldForm(file, await readShard(OLD_FORM.manifest));
  const { importInto, ...model } = await openTfjsGraphModel(text, readShard);
  return graph.nameScope(name, (scope) => {
    importInto({ graph, name: scope, clearDevices: options.clearDevices, deferShapes: true });
    const tensors = (infos: TfjsGraphModel['signature']['inputs']): Record<string, Tensor> =>
      Object.fromEntries(
        [...infos].map(([key, info]) => [key, graph.getTensorByName(scope + (info.name ?? key))]),
      );
    return {
      ...model,
      graph,
      inputs: tensors(model.signature.inputs),
      outputs: tensors(model.signature.outputs),
    };
  });
}

/**
 * Adds a layers model of TensorFlow.js to a graph (default: the default graph): Sequential or functional, with the usual layers as they
 * compute in inference, and its weights as constants. Inputs and outputs are named by their layers. Throws as `loadGraphModel` does, and
 * `InvalidArgumentError` naming a layer that is not known.
 */
export async function loadLayersModel(
  path: string,
  options: Omit<LoadModelOptions, 'clearDevices'> = {},
): Promise<Pick<LoadedModel, 'graph' | 'inputs' | 'outputs' | 'userDefinedMetadata'>> {
  const { readFile = readPresent, name } = options;
  const graph = options.graph ?? getDefaultGraph();
  const text = new TextDecoder().decode(await readFile(path));
  const model = await readTfjsLayersModel(text, shardReader(path, options));
  const { inputs, outputs } = importTfjsLayersModel(model, { graph, name });
  return { graph, inputs, outputs, userDefinedMetadata: model.userDefinedMetadata };
}

function isJson(file: Uint8Array): boolean {
  return String.fromCharCode(...file.subarray(0, 64))
    .trimStart()
    .startsWith('{');
}

function shardReader(path: string, { readFile }: LoadModelOptions): ReadShard {
  if (readFile !== undefined) return readFile;
  const directory = directoryOf(path);
  return (shard) => readPresent(`${directory}/${shard}`);
}

async function readPresent(path: string): Promise<Uint8Array> {
  const bytes = await readFileIfPresent(path);
  if (bytes === undefined) throw new NotFoundError(`there is no file "${path}"`);
  return bytes;
}

/**
 * Writes a frozen graph as a graph model of TensorFlow.js: weight files and, last, `model.json`, into `directory`. Returns the
 * path of `model.json`. Throws `InvalidArgumentError` for graphs with variables and for values that its dtypes cannot hold.
 */
export async function saveGraphModel(
  graph: Graph,
  directory: string,
  options: WriteGraphModelOptions = {},
): Promise<string> {
  const { modelJson, shards } = writeTfjsGraphModel(graph, options);
  for (const { path, bytes } of shards) await writeFileAtomically(`${directory}/${path}`, [bytes]);
  const path = `${directory}/model.json`;
  await writeFileAtomically(path, [new TextEncoder().encode(modelJson)]);
  return path;
}
