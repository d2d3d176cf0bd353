/** Finds out by content what a path means — a graph file of any kind or a checkpoint — and reads it. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, basename, extname, join, resolve } from 'node:path';
import {
  CHECKPOINT_STATE_FILE,
  checkpointPrefix,
  detectFormat,
  externalLocations,
  indexPath,
  isV1Checkpoint,
  modelJsonOfOldForm,
  nearestNames,
  OLD_FORM,
  readCheckpointState,
  readGraphFile,
  selectMetaGraph,
  type CheckpointEntry,
  type Encoding,
  type GraphFile,
  proto,
} from '@forerun/graph';
import { loadCheckpoint, loadWeightsFile } from './loadCheckpoint.js';
import type { InputShapes } from './inputShapes.js';
import { readWhole } from './readWhole.js';
import { codeOf, FileError, messageOf } from './errors.js';

/** Models of other frameworks that become graphs. */
export type ForeignFormat = 'ONNX' | 'tfjs graph model' | 'tfjs layers model';

/** A type of op or layer of another framework, and whether it is known here. */
export interface OriginType {
  readonly type: string;
  readonly nodes: number;
  readonly supported: boolean;
}

/** What the file of another framework says of itself. */
export interface Origin {
  /** By what each is called: operator set, who made it. */
  readonly facts: Readonly<Record<string, string | number>>;
  /** What `types` are. */
  readonly what?: string;
  readonly types?: readonly OriginType[];
}

/** A graph file that was read. */
export interface LoadedGraph {
  readonly kind: 'graph';
  /** The file itself, which for a directory lies inside. */
  readonly path: string;
  readonly format: GraphFile['kind'] | ForeignFormat;
  readonly encoding: Encoding;
  /** Size of the file. */
  readonly bytes: number;
  readonly graphDef: proto.GraphDef;
  /** What is known besides the graph, unless the file is a plain `GraphDef`. */
  readonly metaGraph: proto.MetaGraphDef | undefined;
  /** Tags of all graphs in a SavedModel. */
  readonly tagSets: readonly (readonly string[])[];
  /** Of models of other frameworks. */
  readonly origin?: Origin;
}

/** What a checkpoint, or a file of weights of another framework, says of its tensors. */
export interface LoadedCheckpoint {
  readonly kind: 'checkpoint';
  /** `checkpoint V2`, or `safetensors`, `npz` and so on. */
  readonly format: string;
  readonly path: string;
  readonly numShards: number;
  readonly entries: readonly CheckpointEntry[];
  /** Size of all its files. */
  readonly bytes: number;
}

export type Loaded = LoadedGraph | LoadedCheckpoint;

export interface LoadOptions {
  /** Which graph of a SavedModel to take. */
  readonly tags?: readonly string[] | undefined;
  /** Shapes of inputs, for ONNX models that cannot be read without. */
  readonly shapes?: InputShapes | undefined;
  /** `false`: nodes come without their attributes where that saves time, for commands that need none. Default true. */
  readonly attributes?: boolean | undefined;
}

/** Reads the file, SavedModel directory or checkpoint at `path`. Throws `FileError` naming the path. */
export async function load(path: string, options: LoadOptions = {}): Promise<Loaded> {
  try {
    return await loadAt(path, options);
  } catch (error) {
    // Errors of Forerun and of the system have a code; anything else is a bug and is shown as one.
    if (error instanceof FileError || typeof codeOf(error) !== 'string') throw error;
    throw new FileError(`${path}: ${explain(error)}`, { cause: error });
  }
}

/** As `load`, but refuses checkpoints: `what` is what the command shows. */
export async function loadGraph(path: string, what: string, options: LoadOptions = {}): Promise<LoadedGraph> {
  const loaded = await load(path, options);
  if (loaded.kind === 'graph') return loaded;
  throw new FileError(
    `${path}: this is a ${loaded.format.replace(/ V[12]/, '')}, which holds values but no ${what}. Give the graph file, for example its .meta file`,
  );
}

async function loadAt(path: string, options: LoadOptions): Promise<Loaded> {
  const found = await stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (found === undefined) {
    if (await exists(indexPath(path))) return loadCheckpoint(path);
    throw await missing(path);
  }
  if (found.isDirectory()) return loadDirectory(path, options);
  if (!found.isFile()) throw new FileError(`${path}: neither a file nor a directory`);
  if (/\.data-\d{5}-of-\d{5}$/.test(path)) return loadCheckpoint(checkpointPrefix(path));
  return loadFile(path, options);
}

async function loadFile(path: string, options: LoadOptions): Promise<Loaded> {
  const weights = await loadWeightsFile(path);
  if (weights !== undefined) return weights;
  const bytes = await readWhole(path);
  if (bytes.length === 0) throw new FileError(`${path}: the file is empty`);
  switch (detectFormat(bytes)) {
    case 'checkpoint index':
      return loadIndex(path);
    case 'checkpoint state':
      return loadLatest(path, new TextDecoder().decode(bytes));
    case 'ONNX':
      refuseTags(options, 'an ONNX model');
      return (await import('./loadModel.js')).loadOnnx(path, bytes, options.shapes);
    case 'JSON':
      return loadJson(path, bytes, options);
    default:
      return basename(path) === OLD_FORM.graph
        ? loadOldForm(path, bytes, options)
        : graphOf(path, bytes, options);
  }
}

/** A model of TensorFlow.js from before version 1. */
async function loadOldForm(path: string, bytes: Uint8Array, options: LoadOptions): Promise<LoadedGraph> {
  refuseTags(options, 'a model of TensorFlow.js');
  const manifest = await readWhole(join(dirname(path), OLD_FORM.manifest));
  return (await import('./loadModel.js')).loadTfjs(path, modelJsonOfOldForm(bytes, manifest));
}

async function loadJson(path: string, bytes: Uint8Array, options: LoadOptions): Promise<LoadedGraph> {
  const { buffer, byteOffset, byteLength } = bytes;
  // Large graphs need not be made text for this.
  if (!Buffer.from(buffer, byteOffset, byteLength).includes('"modelTopology"'))
    return graphOf(path, bytes, options);
  const text = new TextDecoder().decode(bytes);
  if (!/"modelTopology"\s*:/.test(text)) return graphOf(path, bytes, options);
  refuseTags(options, 'a model of TensorFlow.js');
  return (await import('./loadModel.js')).loadTfjs(path, text);
}

function refuseTags({ tags }: LoadOptions, what: string): void {
  if (tags !== undefined) throw new FileError(`--tags is for SavedModels, this is ${what}`);
}

async function graphOf(
  path: string,
  bytes: Uint8Array,
  { tags, attributes = true }: LoadOptions,
): Promise<LoadedGraph> {
  const file = readGraphFile(bytes, { attributes });
  const metaGraph = metaGraphOf(file, tags);
  const own = file.kind === 'GraphDef' ? file.graphDef : metaGraph?.graphDef;
  const graphDef = own === undefined || !attributes ? own : await withWeightsBeside(own, dirname(path));
  if (graphDef === undefined) throw new FileError(`${path}: the ${file.kind} holds no graph`);
  const metaGraphs = file.kind === 'SavedModel' ? file.savedModel.metaGraphs : [];
  return {
    kind: 'graph',
    path,
    format: file.kind,
    encoding: file.encoding,
    bytes: bytes.length,
    graphDef,
    metaGraph,
    tagSets: metaGraphs.map((meta) => meta.metaInfoDef?.tags ?? []),
  };
}

/** The graph with those of its constants that lie in checkpoints beside it. */
async function withWeightsBeside(graphDef: proto.GraphDef, directory: string): Promise<proto.GraphDef> {
  if (externalLocations(graphDef).size === 0) return graphDef;
  const { withExternalWeights } = await import('@forerun/session');
  return proto.complete('GraphDef', await withExternalWeights(graphDef, directory));
}

function metaGraphOf(file: GraphFile, tags: readonly string[] | undefined): proto.MetaGraphDef | undefined {
  if (file.kind === 'SavedModel') return selectMetaGraph(file.savedModel, tags);
  refuseTags({ tags }, `a ${file.kind}`);
  return file.kind === 'MetaGraphDef' ? file.metaGraph : undefined;
}

/** The file that tells of a model of TensorFlow.js. */
const TFJS_MODEL = 'model.json';
const SAVED_MODELS = ['saved_model.pb', 'saved_model.pbtxt', 'saved_model.json'];

async function loadDirectory(path: string, options: LoadOptions): Promise<Loaded> {
  const names = await readdir(path);
  const savedModel = SAVED_MODELS.find((name) => names.includes(name));
  if (savedModel !== undefined) return loadFile(join(path, savedModel), options);
  if (names.includes(TFJS_MODEL)) return loadFile(join(path, TFJS_MODEL), options);
  if (names.includes(OLD_FORM.graph)) return loadFile(join(path, OLD_FORM.graph), options);
  if (names.includes(CHECKPOINT_STATE_FILE)) {
    const state = join(path, CHECKPOINT_STATE_FILE);
    return loadLatest(state, await readFile(state, 'utf8'));
  }
  const [index, ...others] = names.filter((name) => name.endsWith('.index'));
  if (index !== undefined && others.length === 0) return loadCheckpoint(checkpointPrefix(join(path, index)));
  const readable = names.filter((name) =>
    ['.pb', '.pbtxt', '.meta', '.index', '.json', '.onnx'].includes(extname(name)),
  );
  const hint =
    readable.length === 0 ? '' : `. Give one of its files: ${readable.sort().slice(0, 5).join(', ')}`;
  throw new FileError(
    `${path}: this directory holds no SavedModel (saved_model.pb) and no "${CHECKPOINT_STATE_FILE}" file of checkpoints${hint}`,
  );
}

/** The checkpoint that a `checkpoint` file names as the latest. */
async function loadLatest(statePath: string, text: string): Promise<Loaded> {
  const { modelCheckpointPath } = readCheckpointState(text);
  if (modelCheckpointPath === '') throw new FileError(`${statePath}: names no checkpoint`);
  const directory = dirname(statePath);
  const prefix = resolve(directory, modelCheckpointPath);
  // A directory that was moved keeps the absolute paths of its old place.
  const moved = join(directory, basename(modelCheckpointPath));
  const there = modelCheckpointPath.startsWith('/') ? prefix : join(directory, modelCheckpointPath);
  return loadCheckpoint(
    !(await exists(indexPath(prefix))) && (await exists(indexPath(moved))) ? moved : there,
  );
}

async function loadIndex(path: string): Promise<LoadedCheckpoint> {
  if (path.endsWith('.index')) return loadCheckpoint(checkpointPrefix(path));
  if (isV1Checkpoint(await readFile(path))) return loadCheckpoint(path);
  throw new FileError(`${path}: this is a checkpoint index, whose name must end in .index`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function missing(path: string): Promise<FileError> {
  const directory = dirname(path);
  const names = await readdir(directory).catch(() => undefined);
  if (names === undefined) return new FileError(`${path}: there is no directory "${directory}"`);
  const near = nearestNames(basename(path), names).map((name) => join(directory, name));
  const hint = near.length === 0 ? '' : `. Did you mean ${near.join(', ')}?`;
  return new FileError(`${path}: there is no such file, directory or checkpoint${hint}`);
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
}

function explain(error: unknown): string {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return 'it may not be read (permission denied)';
    case 'ERR_FS_FILE_TOO_LARGE':
      return 'the file is larger than 2 GiB, which no graph file may be';
    default:
      return messageOf(error);
  }
}
