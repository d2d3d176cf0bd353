/** `Loader`: SavedModels into a session (`tf.saved_model.loader`): the graph with wanted tags, its variables, its initialization. */
import {
  getDefaultGraph,
  importMetaGraph,
  InvalidArgumentError,
  insidePath,
  NotFoundError,
  Operation,
  proto,
  readGraphFile,
  selectMetaGraph,
  TensorValue,
  type Graph,
  savedModelSignatures,
  type ImportedMetaGraph,
  type Tensor,
} from '@forerun/graph';
import { openCheckpoint, readFileIfPresent } from '../checkpoint/files.js';
import { restoredVariable, saverOf } from '../checkpoint/metaGraph.js';
import type { Saver } from '../checkpoint/saver.js';
import type { Session } from '../session.js';
import {
  ASSETS_DIRECTORY,
  ASSETS_KEY,
  LEGACY_INIT_OP_KEY,
  MAIN_OP_KEY,
  SAVED_MODEL_FILENAME_PB,
  SAVED_MODEL_FILENAME_PBTXT,
  variablesPrefix,
} from './layout.js';
import { keysOfObjects, keysOfSaver } from './variableKeys.js';

export interface LoadSavedModelOptions {
  /** Scope to put the nodes under. Default: none. */
  readonly importScope?: string | undefined;
  /** Leaves out the nodes' device labels. */
  readonly clearDevices?: boolean | undefined;
}

/** A loaded graph. */
export interface LoadedSavedModel {
  readonly metaGraph: proto.MetaGraphDef;
  readonly signatureDefs: ReadonlyMap<string, proto.SignatureDef>;
  /** What the names in the file have been put under: empty, or with a trailing slash. */
  readonly scope: string;
  /** The tensors of a signature by the signature's names. Throws `NotFoundError` listing the signatures there are. */
  signature(key?: string): {
    readonly inputs: Readonly<Record<string, Tensor>>;
    readonly outputs: Readonly<Record<string, Tensor>>;
  };
}

/** Reads `saved_model.pb` or `saved_model.pbtxt` of a directory. Throws `NotFoundError` when there is neither. */
export async function readSavedModel(exportDir: string): Promise<proto.SavedModel> {
  const names = [SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT];
  for (const name of names) {
    const bytes = await readFileIfPresent(`${exportDir}/${name}`);
    if (bytes === undefined) continue;
    const file = readGraphFile(bytes);
    if (file.kind === 'SavedModel') return file.savedModel;
    throw new InvalidArgumentError(`"${exportDir}/${name}" holds a ${file.kind}, not a SavedModel`);
  }
  throw new NotFoundError(`there is no SavedModel in "${exportDir}": neither ${names.join(' nor ')}`);
}

/** Whether a directory holds a SavedModel (`tf.saved_model.contains_saved_model`). */
export async function maybeSavedModelDirectory(exportDir: string): Promise<boolean> {
  const files = [SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT];
  const found = await Promise.all(files.map((name) => readFileIfPresent(`${exportDir}/${name}`)));
  return found.some((bytes) => bytes !== undefined);
}

export class Loader {
  readonly #exportDir: string;

  constructor(exportDir: string) {
    this.#exportDir = exportDir.replace(/(.)\/+$/, '$1');
  }

  /** The graph with exactly these tags. Throws listing the tags that there are. */
  async getMetaGraphDefFromTags(tags: readonly string[]): Promise<proto.MetaGraphDef> {
    return selectMetaGraph(await readSavedModel(this.#exportDir), tags);
  }

  /** Adds the graph with these tags to `graph` (default: the default graph), without values for its variables. */
  async loadGraph(
    graph: Graph = getDefaultGraph(),
    tags: readonly string[] = [],
    { importScope, clearDevices }: LoadSavedModelOptions = {},
  ): Promise<LoadedSavedModel> {
    return loaded(
      graph,
      importMetaGraph(await this.getMetaGraphDefFromTags(tags), { graph, importScope, clearDevices }),
    );
  }

  /**
   * Adds the graph with these tags to the session's graph, restores its variables and runs its initialization. Paths of
   * assets cannot lead out of the SavedModel's directory.
   */
  async load(
    sess: Session,
    tags: readonly string[],
    options: LoadSavedModelOptions = {},
  ): Promise<LoadedSavedModel> {
    const { importScope, clearDevices } = options;
    const metaGraph = await this.getMetaGraphDefFromTags(tags);
    const assets = assetPaths(metaGraph, this.#exportDir);
    const imported = importMetaGraph(metaGraph, { graph: sess.graph, importScope, clearDevices });
    const saver = saverOf(sess.graph, imported, variablesPrefix(this.#exportDir));
    await this.restoreVariables(sess, saver);
    await this.restoreByObjects(sess, imported);
    await runInitOp(sess, imported, assets);
    return loaded(sess.graph, imported);
  }

  /** Sets variables that the saver does not know, from what the SavedModel's objects tell of them. */
  private async restoreByObjects(
    sess: Session,
    { metaGraph, scope }: Pick<ImportedMetaGraph, 'metaGraph' | 'scope'>,
  ): Promise<void> {
    if (keysOfSaver(sess.graph, metaGraph, scope).size === 0) return;
    const prefix = variablesPrefix(this.#exportDir);
    const { reader, close } = await openCheckpoint(prefix);
    const keys = await keysOfObjects(sess.graph, metaGraph, reader, scope).finally(close);
    const variables = [...keys].flatMap(([handle, key]) => restoredVariable(handle, prefix, key) ?? []);
    if (variables.length > 0) await sess.run(variables.map(({ initializer }) => initializer));
  }

  /** Sets the variables that `saver` knows from the SavedModel's checkpoint. Nothing happens when there is no saver. */
  async restoreVariables(sess: Session, saver: Saver | null): Promise<void> {
    if (saver !== null) await saver.restore(sess, variablesPrefix(this.#exportDir));
  }
}

/**
 * Loads a SavedModel into the session's graph (`tf.saved_model.load`): the graph with exactly `tags`, the values of its variables, its
 * initialization. Throws `NotFoundError` where there is no SavedModel, `InvalidArgumentError` for tags that it does not have.
 */
export function load(
  sess: Session,
  tags: readonly string[],
  exportDir: string,
  options: LoadSavedModelOptions = {},
): Promise<LoadedSavedModel> {
  return new Loader(exportDir).load(sess, tags, options);
}

function loaded(graph: Graph, { metaGraph, signatureDefs, scope }: ImportedMetaGraph): LoadedSavedModel {
  const tensors = (infos: ReadonlyMap<string, proto.TensorInfo>): Record<string, Tensor> =>
    Object.fromEntries(
      [...infos].flatMap(([name, info]) =>
        info.name === undefined ? [] : [[name, graph.getTensorByName(scope + info.name)] as const],
      ),
    );
  return {
    metaGraph,
    signatureDefs,
    scope,
    signature: (key = 'serving_default') => {
      const found = signatureDefs.get(key);
      if (found !== undefined) return { inputs: tensors(found.inputs), outputs: tensors(found.outputs) };
      const there = [...signatureDefs.keys()].map((name) => `"${name}"`).join(', ');
      throw new NotFoundError(
        `the SavedModel has no signature "${key}"; it has ${there === '' ? 'none' : there}`,
      );
    },
  };
}

/** Where the copies of the assets are, by the name of the constant that takes the path. */
function assetPaths(metaGraph: proto.MetaGraphDef, exportDir: string): Map<string, string> {
  const listed = metaGraph.assetFileDef.length > 0 ? metaGraph.assetFileDef : packedAssets(metaGraph);
  return new Map(
    listed.map(({ tensorInfo, filename }) => {
      const inside = insidePath(filename, `asset ${JSON.stringify(tensorInfo?.name ?? '')}`);
      return [tensorInfo?.name ?? '', `${exportDir}/${ASSETS_DIRECTORY}/${inside}`];
    }),
  );
}

function packedAssets({ collectionDef }: proto.MetaGraphDef): proto.AssetFileDef[] {
  const packed = collectionDef.get(ASSETS_KEY)?.anyList?.value ?? [];
  return packed.map(({ value }) => proto.decode('AssetFileDef', value));
}

/**
 * Runs the initialization of a SavedModel whose graph is in the session's, as loading it does once the variables have their values: it fills
 * tables. Paths of assets cannot lead out of `exportDir`.
 */
export function initializeModel(
  sess: Session,
  metaGraph: proto.MetaGraphDef,
  exportDir: string,
): Promise<void> {
  return runInitOp(sess, { metaGraph, scope: '' }, assetPaths(metaGraph, exportDir));
}

async function runInitOp(
  sess: Session,
  imported: Pick<ImportedMetaGraph, 'metaGraph' | 'scope'>,
  assets: ReadonlyMap<string, string>,
): Promise<void> {
  const op = initOp(sess.graph, imported);
  if (op === null) return;
  const feeds = new Map<Tensor, TensorValue>();
  for (const [name, path] of assets) {
    feeds.set(sess.graph.getTensorByName(imported.scope + name), new TensorValue('string', [], [path]));
  }
  const needed = new Map([...feeds].filter(([tensor]) => reaches(op, tensor)));
  await sess.run([op], needed);
}

/** The operation that completes loading, wherever the file's version names it. */
function initOp(
  graph: Graph,
  { metaGraph, scope }: Pick<ImportedMetaGraph, 'metaGraph' | 'scope'>,
): Operation | null {
  const signed = metaGraph.signatureDef
    .get(savedModelSignatures.INIT_OP_SIGNATURE_KEY)
    ?.outputs.values()
    .next().value?.name;
  const listed = [MAIN_OP_KEY, LEGACY_INIT_OP_KEY].map(
    (key) => metaGraph.collectionDef.get(key)?.nodeList?.value[0],
  );
  const name = [signed, ...listed].find((found) => found !== undefined && found !== '');
  if (name === undefined) return null;
  const element = graph.asGraphElement(scope + name);
  return element instanceof Operation ? element : element.op;
}

/** Whether an operation needs a tensor: a feed that nothing needs would be refused. */
function reaches(op: Operation, tensor: Tensor): boolean {
  const stack = [op];
  const seen = new Set<Operation>();
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    if (next.inputs.includes(tensor)) return true;
    stack.push(...next.inputs.map((input) => input.op), ...next.controlInputs);
  }
  return false;
}
