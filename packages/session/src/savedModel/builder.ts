/**
 * `Builder`: writes SavedModels (`tf.saved_model.Builder`): one or more graphs, told apart by their tags, over one set of
 * variables, with signatures and assets. TensorFlow's loaders, its serving system and its command line read them.
 */
import {
  exportMetaGraph,
  globalVariables,
  InvalidArgumentError,
  proto,
  writeSavedModel,
  type Graph,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { baseName, directoryEntries, readFileIfPresent, writeFileAtomically } from '../checkpoint/files.js';
import { Saver } from '../checkpoint/saver.js';
import { textOf } from '../run/texts.js';
import type { Session } from '../session.js';
import {
  ASSETS_DIRECTORY,
  ASSETS_KEY,
  LEGACY_INIT_OP_KEY,
  MAIN_OP_KEY,
  SAVED_MODEL_FILENAME_PB,
  SAVED_MODEL_FILENAME_PBTXT,
  SAVED_MODEL_SCHEMA_VERSION,
  TRAIN_OP_KEY,
  variablesPrefix,
} from './layout.js';

type SignatureDef = proto.SignatureDef;

export interface AddMetaGraphOptions {
  /** Signatures by key; see `buildSignatureDef`. */
  readonly signatureDefMap?:
    | ReadonlyMap<string, proto.Init<SignatureDef>>
    | Readonly<Record<string, proto.Init<SignatureDef>>>
    | undefined;
  /**
   * String constants that hold paths of files. The files are copied, and a loader feeds the constants with the paths of
   * the copies while it initializes.
   */
  readonly assetsCollection?: readonly Tensor[] | undefined;
  /** Run when the model is loaded, after the variables are restored. */
  readonly mainOp?: Operation | undefined;
  /** As `mainOp`, under the name that older loaders look for. At most one of both. */
  readonly legacyInitOp?: Operation | undefined;
  /** A training step, for graphs that go on being trained. */
  readonly trainOp?: Operation | Tensor | undefined;
  /** Leaves out the nodes' device labels. Default false. */
  readonly clearDevices?: boolean | undefined;
  /** Leaves out attributes that hold their defaults. Default false. */
  readonly stripDefaultAttrs?: boolean | undefined;
  /** Default: a new saver of all global variables. */
  readonly saver?: Saver | undefined;
}

/** How a SavedModel is written. */
export interface SaveModelOptions {
  /** `saved_model.pbtxt` in place of `saved_model.pb`. Default false. */
  readonly asText?: boolean;
}

interface Asset {
  readonly tensor: Tensor;
  /** Name of the copy. */
  readonly filename: string;
}

export class Builder {
  readonly #metaGraphs: proto.Init<proto.MetaGraphDef>[] = [];
  /** Names of copied assets by the path of the original. */
  readonly #assets = new Map<string, string>();
  #hasVariables = false;
  #checked = false;

  /** `exportDir` must not exist yet, or be empty. */
  constructor(private readonly exportDir: string) {
    if (typeof exportDir !== 'string' || exportDir === '') {
      throw new InvalidArgumentError('Builder: give the directory to write the SavedModel to');
    }
  }

  /**
   * Adds the graph of `sess` with the values of its variables; the first graph of a SavedModel is added by this. Throws
   * `InvalidArgumentError` when the directory has content, an asset is no string constant or a signature names a tensor that is not there,
   * `FailedPreconditionError` for variables that are not initialized.
   */
  async addMetaGraphAndVariables(
    sess: Session,
    tags: readonly string[],
    options: AddMetaGraphOptions = {},
  ): Promise<void> {
    if (this.#hasVariables) {
      throw new InvalidArgumentError(
        'the SavedModel has its variables already: add further graphs with addMetaGraph',
      );
    }
    const saver = saverFor(sess.graph, options);
    const assets = await this.prepare(sess.graph, tags, options);
    if (saver !== undefined) {
      await saver.save(sess, variablesPrefix(this.exportDir), { writeMetaGraph: false, writeState: false });
    }
    this.#hasVariables = true;
    this.add(sess.graph, tags, assets, options, saver);
  }

  /** Adds another graph over the same variables. Throws `InvalidArgumentError` when there is none with variables yet. */
  async addMetaGraph(
    graph: Graph,
    tags: readonly string[],
    options: AddMetaGraphOptions = {},
  ): Promise<void> {
    if (!this.#hasVariables) {
      throw new InvalidArgumentError(
        'the first graph of a SavedModel is added with addMetaGraphAndVariables',
      );
    }
    const saver = saverFor(graph, options);
    this.add(graph, tags, await this.prepare(graph, tags, options), options, saver);
  }

  /** Writes `saved_model.pb`, last of all files, and returns its path. */
  async save({ asText = false }: SaveModelOptions = {}): Promise<string> {
    if (this.#metaGraphs.length === 0)
      throw new InvalidArgumentError('the SavedModel has no graph: add one first');
    const message = { savedModelSchemaVersion: SAVED_MODEL_SCHEMA_VERSION, metaGraphs: this.#metaGraphs };
    const path = `${this.exportDir}/${asText ? SAVED_MODEL_FILENAME_PBTXT : SAVED_MODEL_FILENAME_PB}`;
    await writeFileAtomically(path, [writeSavedModel(message, asText ? 'pbtxt' : 'pb')]);
    return path;
  }

  private async prepare(
    graph: Graph,
    tags: readonly string[],
    options: AddMetaGraphOptions,
  ): Promise<Asset[]> {
    await this.requireEmpty();
    this.requireNew(tags);
    checkSignatures(graph, signaturesOf(options));
    if (options.mainOp !== undefined && options.legacyInitOp !== undefined) {
      throw new InvalidArgumentError('give mainOp or legacyInitOp, not both');
    }
    const assets: Asset[] = [];
    for (const tensor of options.assetsCollection ?? []) {
      assets.push({ tensor, filename: await this.copyAsset(assetPath(tensor)) });
    }
    return assets;
  }

  private async requireEmpty(): Promise<void> {
    if (this.#checked) return;
    const entries = await directoryEntries(this.exportDir);
    if (entries.length > 0) {
      throw new InvalidArgumentError(
        `the directory "${this.exportDir}" has content (${entries.slice(0, 3).join(', ')}): a SavedModel needs one of its own`,
      );
    }
    this.#checked = true;
  }

  private requireNew(tags: readonly string[]): void {
    const wanted = [...new Set(tags)].sort().join('\n');
    const taken = this.#metaGraphs.some(
      ({ metaInfoDef }) => [...(metaInfoDef?.tags ?? [])].sort().join('\n') === wanted,
    );
    if (taken)
      throw new InvalidArgumentError(`the SavedModel has a graph with the tags [${tags.join(', ')}] already`);
  }

  /** Copies a file to the assets. Another file of the same name gets a number. */
  private async copyAsset(path: string): Promise<string> {
    const known = this.#assets.get(path);
    if (known !== undefined) return known;
    const bytes = await readFileIfPresent(path);
    if (bytes === undefined) throw new InvalidArgumentError(`there is no file "${path}" for the asset`);
    const taken = new Set(this.#assets.values());
    const name = baseName(path);
    let filename = name;
    for (let i = 1; taken.has(filename); i++) filename = `${name}_${i}`;
    await writeFileAtomically(`${this.exportDir}/${ASSETS_DIRECTORY}/${filename}`, [bytes]);
    this.#assets.set(path, filename);
    return filename;
  }

  private add(
    graph: Graph,
    tags: readonly string[],
    assets: readonly Asset[],
    options: AddMetaGraphOptions,
    saver: Saver | undefined,
  ): void {
    const { clearDevices, stripDefaultAttrs } = options;
    const assetFileDefs = assets.map(({ tensor, filename }) => ({
      tensorInfo: { name: tensor.name },
      filename,
    }));
    const meta = exportMetaGraph({
      graph,
      saverDef: saver?.saverDef,
      signatureDefs: signaturesOf(options),
      metaInfo: { tags: [...new Set(tags)] },
      clearDevices,
      stripDefaultAttrs,
      assetFileDefs,
    });
    const collectionDef = new Map(meta.collectionDef);
    for (const [key, op] of operationsOf(options)) collectionDef.set(key, { nodeList: { value: [op.name] } });
    if (assets.length > 0) collectionDef.set(ASSETS_KEY, { anyList: { value: assetFileDefs.map(packed) } });
    this.#metaGraphs.push({ ...meta, collectionDef });
  }
}

function saverFor(graph: Graph, { saver }: AddMetaGraphOptions): Saver | undefined {
  if (saver !== undefined) return saver;
  const variables = graph.asDefault(() => globalVariables());
  return variables.length === 0 ? undefined : new Saver({ varList: variables });
}

function signaturesOf({
  signatureDefMap = {},
}: AddMetaGraphOptions): ReadonlyMap<string, proto.Init<SignatureDef>> {
  if (signatureDefMap instanceof Map) return signatureDefMap as ReadonlyMap<string, proto.Init<SignatureDef>>;
  return new Map(Object.entries(signatureDefMap as Readonly<Record<string, proto.Init<SignatureDef>>>));
}

/** A signature that names a tensor of another graph would only be found out by who loads the model. */
function checkSignatures(graph: Graph, signatures: ReadonlyMap<string, proto.Init<SignatureDef>>): void {
  for (const [key, { inputs, outputs }] of signatures) {
    for (const [name, info] of [...(inputs ?? []), ...(outputs ?? [])]) {
      const sparse = info.cooSparse;
      const tensors =
        sparse === undefined
          ? [info.name]
          : [sparse.valuesTensorName, sparse.indicesTensorName, sparse.denseShapeTensorName];
      for (const tensor of tensors) checkTensor(graph, tensor, `signature "${key}", "${name}"`);
    }
  }
}

function checkTensor(graph: Graph, name: string | undefined, what: string): void {
  if (name === undefined || name === '') throw new InvalidArgumentError(`${what} names no tensor`);
  try {
    graph.getTensorByName(name);
  } catch (cause) {
    throw new InvalidArgumentError(`${what}: the graph has no tensor "${name}"`, { cause });
  }
}

function operationsOf({
  mainOp,
  legacyInitOp,
  trainOp,
}: AddMetaGraphOptions): [string, Operation | Tensor][] {
  const given: [string, Operation | Tensor | undefined][] = [
    [MAIN_OP_KEY, mainOp],
    [LEGACY_INIT_OP_KEY, legacyInitOp],
    [TRAIN_OP_KEY, trainOp],
  ];
  return given.flatMap(([key, op]) => (op === undefined ? [] : [[key, op] as [string, Operation | Tensor]]));
}

function packed(asset: proto.Init<proto.AssetFileDef>): proto.Init<proto.Any> {
  return {
    typeUrl: 'type.googleapis.com/tensorflow.AssetFileDef',
    value: proto.encode('AssetFileDef', asset),
  };
}

function assetPath(tensor: Tensor): string {
  const { op } = tensor;
  const value = op.type === 'Const' && tensor.dtype === 'string' ? op.attrs.tensor('value').data : [];
  const [path] = value;
  if (value.length !== 1 || path === undefined) {
    throw new InvalidArgumentError(
      `the asset ${op.describe()} must be a string constant that holds one path`,
      {
        node: op.name,
      },
    );
  }
  return textOf(path);
}
