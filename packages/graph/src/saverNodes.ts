/**
 * The graph half of `train.Saver`: the nodes that save and restore variables, named and wired as
 * TensorFlow's saver does, so that files with them work there. What runs them lives in the session.
 */
import { applyOp, constant } from './apply.js';
import { baseDType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
import { MutableHashTable } from './lookup.js';
import type { Operation } from './operation.js';
import { group, identity, placeholderWithDefault } from './ops/source.js';
import { controlDependencies, nameScope, withGraphOf } from './scopes.js';
import type { Tensor } from './tensor.js';
import type { Variable } from './variable.js';

/** The fields of a `SaverDef` message. */
export interface SaverDefFields {
  /** The tensor to feed with the checkpoint's prefix, `save/Const:0`. */
  readonly filenameTensorName: string;
  /** The tensor whose evaluation saves, `save/control_dependency:0`. */
  readonly saveTensorName: string;
  /** The operation that restores, `save/restore_all`. */
  readonly restoreOpName: string;
  /** Checkpoints kept; 0 keeps all. */
  readonly maxToKeep: number;
  readonly sharded: boolean;
  readonly keepCheckpointEveryNHours: number;
  /** Checkpoint format, 2 for V2. */
  readonly version: 0 | 1 | 2;
}

export interface SaverNodeOptions {
  /** Name scope of the nodes; default `save`. */
  readonly name?: string | undefined;
  /** Default 5; 0 keeps all checkpoints. */
  readonly maxToKeep?: number | undefined;
  /** Default 10000. */
  readonly keepCheckpointEveryNHours?: number | undefined;
}

/** What a saver saves: the value of a variable, or the entries of a table. */
export type Saveable = Variable | MutableHashTable;

/** What to save: under their own names, or a map from keys. */
export type Saveables =
  readonly Saveable[] | ReadonlyMap<string, Saveable> | Readonly<Record<string, Saveable>>;

/** A table in a checkpoint: its keys and their values are two tensors. */
export interface SavedTable {
  /** Keys `[n]` and values `[n, ...]`, as the table exports them. */
  readonly exported: readonly [keys: Tensor, values: Tensor];
  /** What they are called in the checkpoint. */
  readonly stored: readonly [keys: string, values: string];
  /** The operation that replaces the entries by its inputs 1 and 2. */
  readonly restore: Operation;
}

/** The nodes of a saver and what it saves, by the key in the checkpoint. */
export interface SaverNodes {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly tables?: readonly SavedTable[] | undefined;
  readonly filename: Tensor;
  readonly save: Tensor;
  readonly restore: Operation;
  readonly saverDef: SaverDefFields;
  /** Keys of variables of which each holds a part: only the nodes themselves know which. From files. */
  readonly inParts?: ReadonlySet<string> | undefined;
}

/**
 * Adds the nodes that save and restore variables and tables to their graph. A list is saved under the names of
 * their operations, a record or map under its keys; of a table `key-keys` and `key-values` are saved. Throws
 * `InvalidArgumentError` when there is none, or two have one key.
 */
export function buildSaverNodes(
  saveables: Saveables,
  { name = 'save', maxToKeep = 5, keepCheckpointEveryNHours = 10_000 }: SaverNodeOptions = {},
): SaverNodes {
  const saved = byKey(saveables);
  const [first] = saved.values();
  if (first === undefined) throw new InvalidArgumentError('Saver: there are no variables to save');
  const nodes = withGraphOf(handleOf(first), () =>
    controlDependencies(null, () => nameScope(name, () => addNodes(saved))),
  );
  return {
    ...nodes,
    variables: new Map([...saved].filter((entry): entry is [string, Variable] => !isTable(entry[1]))),
    saverDef: {
      filenameTensorName: nodes.filename.name,
      saveTensorName: nodes.save.name,
      restoreOpName: nodes.restore.name,
      maxToKeep,
      sharded: false,
      keepCheckpointEveryNHours,
      version: 2,
    },
  };
}

function isTable(saveable: Saveable): saveable is MutableHashTable {
  return saveable instanceof MutableHashTable;
}

function handleOf(saveable: Saveable): Tensor {
  return isTable(saveable) ? saveable.resourceHandle : saveable.handle;
}

function byKey(saveables: Saveables): Map<string, Saveable> {
  const entries = isList(saveables)
    ? saveables.map((saveable) => [handleOf(saveable).op.name, saveable] as const)
    : saveables instanceof Map
      ? [...(saveables as ReadonlyMap<string, Saveable>)]
      : Object.entries(saveables as Readonly<Record<string, Saveable>>);
  const saved = new Map<string, Saveable>();
  for (const [key, variable] of [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const other = saved.get(key);
    if (other !== undefined && other !== variable) {
      throw new InvalidArgumentError(`Saver: two variables would be saved as "${key}"`);
    }
    saved.set(key, variable);
  }
  return saved;
}

function isList(saveables: object): saveables is readonly Saveable[] {
  return Array.isArray(saveables);
}

/** A tensor of the checkpoint. */
interface Stored {
  readonly name: string;
  readonly tensor: Tensor;
}

/** What is stored of each saveable: of a table its keys and their values. */
function storedOf(saved: ReadonlyMap<string, Saveable>): Stored[][] {
  return [...saved].map(([key, saveable]) => {
    if (!isTable(saveable)) return [{ name: key, tensor: saveable.snapshot }];
    const [keys, values] = saveable.export();
    return [
      { name: `${key}-keys`, tensor: keys },
      { name: `${key}-values`, tensor: values },
    ];
  });
}

function addNodes(
  saved: ReadonlyMap<string, Saveable>,
): Pick<SaverNodes, 'filename' | 'save' | 'restore' | 'tables'> {
  const model = nameScope('filename', (own) =>
    placeholderWithDefault(constant('model', { name: 'input' }), [], { name: own }),
  );
  const filename = placeholderWithDefault(model, [], { name: 'Const' });
  const parts = storedOf(saved);
  const stored = parts.flat();
  const names = stored.map(({ name }) => name);
  const saveOp = nameScope('SaveV2', (own) => {
    const tensors = stored.map(({ tensor }) => tensor);
    return applyOp('SaveV2', [filename, ...namesAndSlices(names), tensors], { name: own });
  });
  const save = controlDependencies([saveOp], () => identity(filename, { name: 'control_dependency' }));
  const dtypes = stored.map(({ tensor }) => baseDType(tensor.dtype));
  const restored = nameScope('RestoreV2', (own) =>
    applyOp('RestoreV2', [filename, ...namesAndSlices(names)], { name: own, attrs: { dtypes } }),
  );
  const tables: SavedTable[] = [];
  const assigned = [...saved].map(([key, saveable], i) => {
    const first = parts.slice(0, i).reduce((count, part) => count + part.length, 0);
    if (!isTable(saveable)) return restoreInto(saveable, restored.output(first));
    const restore = restoreEntries(key, saveable, [restored.output(first), restored.output(first + 1)]);
    const [keys, values] = parts[i] ?? [];
    if (keys !== undefined && values !== undefined)
      tables.push({ exported: [keys.tensor, values.tensor], stored: [keys.name, values.name], restore });
    return restore;
  });
  return { filename, save, restore: group(assigned, { name: 'restore_all' }), tables };
}

/** Replaces the entries of a table. */
function restoreEntries(
  key: string,
  table: MutableHashTable,
  restored: readonly [Tensor, Tensor],
): Operation {
  return nameScope(`${key}_table_restore`, () =>
    applyOp('LookupTableImportV2', [table.resourceHandle, ...restored]),
  );
}

function namesAndSlices(keys: readonly string[]): [Tensor, Tensor] {
  const slices = keys.map(() => '');
  return [constant(keys, { name: 'tensor_names' }), constant(slices, { name: 'shape_and_slices' })];
}

/** Assigns a restored tensor, whose shape becomes known by the variable's. */
function restoreInto(variable: Variable, restored: Tensor): Operation {
  const { handle } = variable;
  if (!variable.isResource) return applyOp('Assign', [handle, restored]);
  const value = identity(restored);
  value.setShape(variable.shape);
  return applyOp('AssignVariableOp', [handle, value], { attrs: { dtype: baseDType(value.dtype) } });
}
