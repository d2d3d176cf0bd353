/** `initFromCheckpoint`: variables whose initializers read a checkpoint (`tf.train.init_from_checkpoint`). */
import {
  applyOp,
  constant,
  getDefaultGraph,
  GraphKeys,
  identity,
  InvalidArgumentError,
  NotFoundError,
  ObjectGraph,
  TensorShape,
  Variable,
  withGraphOf,
  controlDependencies,
  nameScope,
  type CheckpointFile,
  type Graph,
} from '@forerun/graph';
import { openCheckpointAt } from './checkpointReader.js';
import { sliceText, type TensorSlice } from './tensorSlices.js';

/** What a name in the checkpoint is for: a variable, its name or scope, or the parts of a variable along one axis, in order. */
export type AssignmentTarget = string | Variable | readonly Variable[];

/**
 * Changes initializers: what is initialized afterwards gets its value from the checkpoint. The keys of the map are names in the checkpoint,
 * the values variables of the graph or their names, or lists of the parts of one variable; where both end with a slash, all variables of a
 * scope are meant, `/` being the outermost. In a checkpoint by object names are paths of attributes, or the variables' names where it came from. Throws `NotFoundError` for a name that one side lacks, `InvalidArgumentError` for other shapes or dtypes; nothing is
 * changed then. Returns the names of the variables that were changed.
 */
export async function initFromCheckpoint(
  path: string,
  assignmentMap: Readonly<Record<string, AssignmentTarget>> | ReadonlyMap<string, AssignmentTarget>,
  { graph = getDefaultGraph() }: { readonly graph?: Graph } = {},
): Promise<string[]> {
  const { reader, prefix, close } = await openCheckpointAt(path);
  const objects = await ObjectGraph.of(reader).finally(close);
  const names: Names = {
    reader,
    keyOf: (name) => (reader.has(name) ? name : objects?.keyOf(name)),
  };
  const pairs = isMap(assignmentMap) ? [...assignmentMap] : Object.entries(assignmentMap);
  const assignments = pairs.flatMap(([stored, target]) => expand(names, graph, stored, target));
  for (const assignment of assignments) check(reader, assignment);
  for (const assignment of assignments) replaceInitialValue(prefix, assignment);
  return assignments.map(({ variable }) => variable.op.name);
}

function isMap(
  map: Readonly<Record<string, AssignmentTarget>> | ReadonlyMap<string, AssignmentTarget>,
): map is ReadonlyMap<string, AssignmentTarget> {
  return map instanceof Map;
}

/** The checkpoint's names. */
interface Names {
  readonly reader: CheckpointFile;
  /** The key of the value that a name means. */
  readonly keyOf: (name: string) => string | undefined;
}

interface Assignment {
  readonly stored: string;
  readonly variable: Variable;
  /** The part of the stored tensor that the variable is. */
  readonly slice?: TensorSlice;
}

function expand(names: Names, graph: Graph, stored: string, target: AssignmentTarget): Assignment[] {
  if (isList(target)) return parts(names, keyFor(names, stored), target);
  const variables = graph
    .getCollection(GraphKeys.GLOBAL_VARIABLES)
    .filter((item): item is Variable => item instanceof Variable);
  if (target instanceof Variable) return [{ stored: keyFor(names, stored), variable: target }];
  if (stored.endsWith('/') !== target.endsWith('/')) {
    throw new InvalidArgumentError(
      `initFromCheckpoint: "${stored}" to "${target}": both must be scopes, which end with "/", or neither`,
    );
  }
  if (!target.endsWith('/')) {
    const variable = variables.find(({ op }) => op.name === target.replace(/:0$/, ''));
    if (variable !== undefined) return [{ stored: keyFor(names, stored), variable }];
    throw new NotFoundError(`initFromCheckpoint: the graph has no variable "${target}"`);
  }
  const scope = target === '/' ? '' : target;
  const inScope = variables.filter(({ op }) => op.name.startsWith(scope));
  if (inScope.length === 0)
    throw new NotFoundError(`initFromCheckpoint: no variable is in the scope "${target}"`);
  const root = stored === '/' ? '' : stored;
  return inScope.map((variable) => {
    const name = root + variable.op.name.slice(scope.length);
    const key = names.keyOf(name);
    if (key !== undefined) return { stored: key, variable };
    throw new NotFoundError(
      `initFromCheckpoint: the checkpoint has no "${name}" for the variable "${variable.op.name}"`,
    );
  });
}

function isList(target: AssignmentTarget): target is readonly Variable[] {
  return Array.isArray(target);
}

function keyFor({ reader, keyOf }: Names, name: string): string {
  // Where there is none, the reader says so, with the nearest name.
  return keyOf(name) ?? reader.entry(name).name;
}

/** Variables side by side along the axis in which they are smaller than the stored tensor. */
function parts({ reader }: Names, stored: string, variables: readonly Variable[]): Assignment[] {
  const { shape: whole } = reader.entry(stored);
  const shapes = variables.map(({ shape }) => shape.toStatic());
  const axis = whole.findIndex((size, i) => shapes.some((shape) => shape[i] !== size));
  if (axis < 0) return variables.map((variable) => ({ stored, variable }));
  let offset = 0;
  const assignments = variables.map((variable, i) => {
    const size = shapes[i] ?? [];
    const start = whole.map((_, at) => (at === axis ? offset : 0));
    offset += size[axis] ?? 0;
    return { stored, variable, slice: { whole, start, size } };
  });
  const fit = shapes.every(
    (shape) => shape.length === whole.length && shape.every((size, i) => i === axis || size === whole[i]),
  );
  if (fit && offset === whole[axis]) return assignments;
  throw new InvalidArgumentError(
    `initFromCheckpoint: the parts ${shapes.map((shape) => `[${shape.join(',')}]`).join(', ')} do not make up "${stored}" of shape [${whole.join(',')}]`,
  );
}

function check(reader: CheckpointFile, { stored, variable, slice }: Assignment): void {
  const entry = reader.entry(stored);
  const { dtype } = entry;
  const shape = slice?.size ?? entry.shape;
  if (dtype === variable.dtype && variable.shape.isCompatibleWith(new TensorShape(shape))) return;
  throw new InvalidArgumentError(
    `initFromCheckpoint: "${stored}" is ${dtype} [${shape.join(',')}] in the checkpoint, the variable "${variable.op.name}" ${variable.dtype} ${variable.shape.toString()}`,
  );
}

/** The initializer goes on to assign, but what a `RestoreV2` reads. */
function replaceInitialValue(prefix: string, { stored, variable, slice }: Assignment): void {
  const restored = withGraphOf(variable.handle, () =>
    controlDependencies(null, () =>
      nameScope(`checkpoint_initializer/${variable.op.name.replaceAll('/', '_')}`, () => {
        const names = constant([stored], { name: 'tensor_names' });
        const text = slice === undefined ? '' : sliceText(slice);
        const slices = constant([text], { name: 'shape_and_slices' });
        const inputs = [constant(prefix, { name: 'prefix' }), names, slices];
        const value = identity(
          applyOp('RestoreV2', inputs, { attrs: { dtypes: [variable.dtype] } }).output(0),
        );
        value.setShape(variable.shape);
        return value;
      }),
    ),
  );
  const position = variable.initializer.inputs.findIndex((input) => input !== variable.handle);
  if (position < 0) {
    throw new InvalidArgumentError(`initFromCheckpoint: "${variable.op.name}" has no initializer to change`);
  }
  variable.initializer.replaceInput(position, restored);
}
