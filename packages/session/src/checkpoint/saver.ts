/**
 * `Saver`: writes the variables of a session to checkpoints and restores them
 * (`tf.train.Saver`). Files are TensorFlow's: `.index`, `.data-00000-of-00001`, `.meta` and the
 * list `checkpoint`. Optimizer slots and the global step are variables and so included.
 */
import type { Tensor } from '@forerun/graph';
import {
  buildSaverNodes,
  CHECKPOINT_STATE_FILE,
  checkpointPrefix,
  dataPath,
  exportMetaGraph,
  indexPath,
  InvalidArgumentError,
  OBJECT_GRAPH_KEY,
  saveableTables,
  globalVariables,
  writeCheckpointState,
  writeMetaGraph,
  type Saveables,
  type SaverNodes,
  type TensorConvertible,
  type TensorValue,
} from '@forerun/graph';
import type { Session } from '../session.js';
import {
  matchReport,
  matchVariables,
  requireMatch,
  type RestoreOptions,
  type RestoreReport,
} from '../weights/match.js';
import { baseName, directoryOf, openCheckpoint, removeFiles, writeFileAtomically } from './files.js';
import { objectNameMap } from './objectNames.js';
import { RANDOM_STEP_KEY, randomStepEntry, writeBundle } from './hostOps.js';
import { matchTables, tableEntries, withTables } from './savedTables.js';

export interface SaverOptions {
  /** What to save: variables and tables under their own names, or a map from keys. Default: all global variables, and all tables that change. */
  readonly varList?: Saveables;
  /** Older checkpoints beyond this many are deleted; 0 keeps all. Default 5. */
  readonly maxToKeep?: number;
  /** Besides, one checkpoint is kept for good every so many hours. Default 10000. */
  readonly keepCheckpointEveryNHours?: number;
  /** Name scope of the saver's nodes. Default `save`. */
  readonly name?: string;
  /** Nodes that exist already, as in an imported graph; `varList` and `name` do not apply then. */
  readonly nodes?: SaverNodes;
}

export interface SaveOptions {
  /** Appended to the prefix as `-<step>`: a number, or a tensor or variable to evaluate. */
  readonly globalStep?: number | Tensor | TensorConvertible;
  /** Name of the file that lists the checkpoints. Default `checkpoint`. */
  readonly latestFilename?: string;
  /** Also write the graph as `<prefix>.meta`. Default true. */
  readonly writeMetaGraph?: boolean;
  /** Also list the checkpoint as the latest, and delete those beyond the number to keep. Default true. */
  readonly writeState?: boolean;
}

interface Kept {
  readonly prefix: string;
  readonly time: number;
}

export class Saver {
  readonly #nodes: SaverNodes;
  readonly #maxToKeep: number;
  readonly #keepEveryMilliseconds: number;
  #kept: Kept[] = [];
  #nextForever: number;

  /** Adds the saver's nodes to the graph. Throws when there is nothing to save. */
  constructor(options: SaverOptions = {}) {
    const { varList, maxToKeep = 5, keepCheckpointEveryNHours = 10_000, name, nodes } = options;
    this.#nodes =
      nodes ??
      buildSaverNodes(varList ?? [...globalVariables(), ...saveableTables()], {
        maxToKeep,
        keepCheckpointEveryNHours,
        name,
      });
    this.#maxToKeep = maxToKeep;
    this.#keepEveryMilliseconds = keepCheckpointEveryNHours * 3.6e6;
    this.#nextForever = Date.now() + this.#keepEveryMilliseconds;
  }

  /** The message that describes the saver's nodes in a MetaGraphDef. */
  get saverDef(): SaverNodes['saverDef'] {
    return this.#nodes.saverDef;
  }

  /** Prefixes of the checkpoints that are kept, oldest first. */
  get lastCheckpoints(): string[] {
    return this.#kept.map(({ prefix }) => prefix);
  }

  /**
   * Writes a checkpoint and returns its prefix. Files appear under their names only when complete;
   * the list `checkpoint` is updated last. Throws when a variable is not initialized.
   */
  async save(sess: Session, savePath: string, options: SaveOptions = {}): Promise<string> {
    const { latestFilename = CHECKPOINT_STATE_FILE, writeMetaGraph = true, writeState = true } = options;
    if (savePath === '' || savePath.endsWith('/')) {
      throw new InvalidArgumentError(
        `save: "${savePath}" is not a checkpoint prefix; it needs a file name, such as "out/model.ckpt"`,
      );
    }
    const prefix = `${savePath}${await stepSuffix(sess, options.globalStep)}`;
    await this.write(sess, prefix);
    if (writeMetaGraph) {
      await writeFileAtomically(`${prefix}.meta`, [metaGraphBytes(sess, this.saverDef)]);
    }
    if (writeState) await this.keep(prefix, latestFilename);
    return prefix;
  }

  private async write(sess: Session, prefix: string): Promise<void> {
    const { inParts, save, filename } = this.#nodes;
    if (inParts !== undefined) {
      await sess.run(save, new Map([[filename, prefix]]));
      return;
    }
    const tables = this.#nodes.tables ?? [];
    const keys = [...this.#nodes.variables.keys(), ...tables.flatMap(({ stored }) => stored)];
    const values = await sess.run([
      ...[...this.#nodes.variables.values()].map((variable) => variable.snapshot),
      ...tables.flatMap(({ exported }) => exported),
    ]);
    const entries = keys.flatMap((key, i) => {
      const value = values[i];
      return value === undefined ? [] : [[key, value] as const];
    });
    await writeBundle(prefix, [...entries, randomStepEntry(sess.randomStep)]);
  }

  private async keep(prefix: string, latestFilename: string): Promise<void> {
    this.#kept = [...this.#kept.filter((kept) => kept.prefix !== prefix), { prefix, time: Date.now() }];
    const surplus = this.#maxToKeep > 0 ? this.#kept.splice(0, this.#kept.length - this.#maxToKeep) : [];
    await this.writeState(prefix, latestFilename);
    for (const old of surplus) {
      if (old.time >= this.#nextForever) this.#nextForever += this.#keepEveryMilliseconds;
      else await removeFiles([indexPath(old.prefix), dataPath(old.prefix), `${old.prefix}.meta`]);
    }
  }

  private async writeState(prefix: string, latestFilename: string): Promise<void> {
    const directory = directoryOf(prefix);
    const relative = (path: string): string => (directoryOf(path) === directory ? baseName(path) : path);
    const text = writeCheckpointState({
      modelCheckpointPath: relative(prefix),
      allModelCheckpointPaths: this.#kept.map((kept) => relative(kept.prefix)),
    });
    await writeFileAtomically(`${directory}/${latestFilename}`, [new TextEncoder().encode(text)]);
  }

  /**
   * Sets the variables from a checkpoint, given by prefix or by any of its files. One of TensorFlow 2, which is stored by object, is
   * searched for the variables' names in their graph and for paths of attributes. Nothing is
   * assigned unless everything fits: throws `NotFoundError` listing missing keys with the nearest names, or
   * `InvalidArgumentError` listing the shapes and dtypes that differ.
   */
  async restore(sess: Session, savePath: string, options: RestoreOptions = {}): Promise<RestoreReport> {
    requirePath(savePath);
    const { inParts } = this.#nodes;
    if (inParts !== undefined) return this.restoreParts(sess, savePath, inParts, options);
    const checkpoint = await openCheckpoint(savePath);
    try {
      const map = await objectNameMap(checkpoint.reader, options.map);
      const variables = matchVariables(this.#nodes.variables, checkpoint.reader, { ...options, map });
      const tables = matchTables(this.#nodes.tables ?? [], checkpoint.reader, map);
      const match = withTables(variables, tables);
      const words = { what: `the checkpoint "${checkpointPrefix(savePath)}"`, call: 'restore(…' };
      requireMatch(match, checkpoint.reader, words, options);
      const values = new Map<Tensor, TensorValue>();
      for (const { variable, stored } of match.found)
        values.set(variable.handle, await checkpoint.reader.read(stored));
      const entries = await tableEntries(tables, checkpoint.reader);
      await sess.assignVariables(values);
      for (const [restore, feeds] of entries) await sess.run(restore, feeds);
      if (checkpoint.reader.has(RANDOM_STEP_KEY)) {
        sess.randomStep = (await checkpoint.reader.read(RANDOM_STEP_KEY)).data[0] as bigint;
      }
      const own = [RANDOM_STEP_KEY, OBJECT_GRAPH_KEY, ...tables.found.flatMap(({ stored }) => stored)];
      const report = matchReport(match, checkpoint.reader, own);
      const restored = tables.found.flatMap(({ table }) => table.stored);
      return { ...report, restored: [...report.restored, ...restored] };
    } finally {
      await checkpoint.close();
    }
  }

  /** Variables of which several hold one tensor of the file: the nodes of the file cut it as they were told. */
  private async restoreParts(
    sess: Session,
    savePath: string,
    inParts: ReadonlySet<string>,
    options: RestoreOptions,
  ): Promise<RestoreReport> {
    const [part] = inParts;
    if (Object.values(options).some((value) => value !== undefined && value !== false))
      throw new InvalidArgumentError(
        `restore: options are not possible for variables in parts, such as "${part ?? ''}"`,
      );
    const { restore, filename, variables } = this.#nodes;
    await sess.run(restore, new Map([[filename, checkpointPrefix(savePath)]]));
    return { restored: [...variables.keys()], missing: [], shapeMismatch: [], skipped: [], unused: [] };
  }
}

/** `latestCheckpoint` gives `null` where there is none, and plain JavaScript hands it on. */
function requirePath(savePath: unknown): void {
  if (typeof savePath === 'string' && savePath !== '') return;
  throw new InvalidArgumentError(
    `restore: the path of the checkpoint is ${savePath === '' ? 'empty' : String(savePath)}. ` +
      'latestCheckpoint() gives null where a directory holds no checkpoint',
  );
}

/** The graph with its collections; those that have no form in files are left out with a warning, as TensorFlow does. */
function metaGraphBytes(sess: Session, saverDef: SaverNodes['saverDef']): Uint8Array {
  const onUnsupported = (key: string): void => {
    sess.warn(`collection "${key}" is left out of the .meta file: its values have no form in files`);
  };
  return writeMetaGraph(exportMetaGraph({ graph: sess.graph, saverDef, onUnsupported }));
}

async function stepSuffix(sess: Session, step: SaveOptions['globalStep']): Promise<string> {
  if (step === undefined) return '';
  return `-${typeof step === 'number' ? step : (await sess.run(step as Tensor)).item()}`;
}
