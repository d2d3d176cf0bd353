/**
 * The graph half of `train.Saver`: the nodes that save and restore variables, named and wired as
 * TensorFlow's saver does, so that files with them work there. What runs them lives in the session.
 */
import { applyOp, constant } from './apply.js';
import { baseDType } from './dtype.js';
import { InvalidArgumentError } from './errors.js';
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

/** The nodes of a saver and what it saves, by the key in the checkpoint. */
export interface SaverNodes {
  readonly variables: ReadonlyMap<string, Variable>;
  readonly filename: Tensor;
  readonly save: Tensor;
  readonly restore: Operation;
  readonly saverDef: SaverDefFields;
  /** Keys of variables of which each holds a part: only the nodes themselves know which. From files. */
  readonly inParts?: ReadonlySet<string> | undefined;
}

/**
 * Adds the nodes that save and restore `variables` to their graph. A list is saved under the names of
 * the variables' operations, a record or map under its keys. Throws `InvalidArgumentError` when
 * there is none, or two variables have one key.
 */
export function buildSaverNodes(
  variables: readonly Variable[] | ReadonlyMap<string, Variable> | Readonly<Record<string, Variable>>,
  { name = 'save', maxToKeep = 5, keepCheckpointEveryNHours = 10_000 }: SaverNodeOptions = {},
): SaverNodes {
  const saved = byKey(variables);
  const [first] = saved.values();
  if (first === undefined) throw new InvalidArgumentError('Saver: there are no variables to save');
  const nodes = withGraphOf(first.handle, () =>
    controlDependencies(null, () => nameScope(name, () => addNodes(saved))),
  );
  return {
    ...nodes,
    variables: saved,
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

function byKey(
  variables: readonly Variable[] | ReadonlyMap<string, Variable> | Readonly<Record<string, Variable>>,
): Map<string, Variable> {
  const entries = isList(variables)
    ? variables.map((variable) => [variable.op.name, variable] as const)
    : variables instanceof Map
      ? [...(variables as ReadonlyMap<string, Variable>)]
      : Object.entries(variables as Readonly<Record<string, Variable>>);
  const saved = new Map<string, Variable>();
  for (const [key, variable] of [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const other = saved.get(key);
    if (other !== undefined && other !== variable) {
      throw new InvalidArgumentError(`Saver: two variables would be saved as "${key}"`);
    }
    saved.set(key, variable);
  }
  return saved;
}

function isList(variables: object): variables is readonly Variable[] {
  return Array.isArray(variables);
}

function addNodes(saved: ReadonlyMap<string, Variable>): Pick<SaverNodes, 'filename' | 'save' | 'restore'> {
  const keys = [...saved.keys()];
  const variables = [...saved.values()];
  const model = nameScope('filename', (own) =>
    placeholderWithDefault(constant('model', { name: 'input' }), [], { name: own }),
  );
  const filename = placeholderWithDefault(model, [], { name: 'Const' });
  const saveOp = nameScope('SaveV2', (own) => {
    const tensors = variables.map((variable) => variable.snapshot);
    return applyOp('SaveV2', [filename, ...namesAndSlices(keys), tensors], { name: own });
  });
  const save = controlDependencies([saveOp], () => identity(filename, { name: 'control_dependency' }));
  const dtypes = variables.map((variable) => variable.dtype);
  const restored = nameScope('RestoreV2', (own) =>
    applyOp('RestoreV2', [filename, ...namesAndSlices(keys)], { name: own, attrs: { dtypes } }),
  );
  const assigned = variables.map((variable, i) => restoreInto(variable, restored.output(i)));
  return { filename, save, restore: group(assigned, { name: 'restore_all' }) };
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
