/** `initFromCheckpoint`: variables whose initializers read a checkpoint (`tf.train.init_from_checkpoint`). */
import {
  applyOp,
  constant,
  getDefaultGraph,
  GraphKeys,
  identity,
  InvalidArgumentError,
  NotFoundError,
  TensorShape,
  Variable,
  withGraphOf,
  controlDependencies,
  nameScope,
  type CheckpointFile,
  type Graph,
} from '@forerun/graph';
import { openCheckpointAt } from './checkpointReader.js';

/**
 * Changes initializers: what is initialized afterwards gets its value from the checkpoint. The keys of the map are names in the checkpoint,
 * the values variables of the graph or their names; where both end with a slash, all variables of a scope are meant, `/` being the
 * outermost. Throws `NotFoundError` for a name that one side lacks, `InvalidArgumentError` for other shapes or dtypes; nothing is
 * changed then. Returns the names of the variables that were changed.
 */
export async function initFromCheckpoint(
  path: string,
  assignmentMap: Readonly<Record<string, string | Variable>> | ReadonlyMap<string, string | Variable>,
  { graph = getDefaultGraph() }: { readonly graph?: Graph } = {},
): Promise<string[]> {
  const { reader, prefix, close } = await openCheckpointAt(path);
  await close();
  const pairs = isMap(assignmentMap) ? [...assignmentMap] : Object.entries(assignmentMap);
  const assignments = pairs.flatMap(([stored, target]) => expand(reader, graph, stored, target));
  for (const { stored, variable } of assignments) check(reader, stored, variable);
  for (const { stored, variable } of assignments) replaceInitialValue(prefix, stored, variable);
  return assignments.map(({ variable }) => variable.op.name);
}

function isMap(
  map: Readonly<Record<string, string | Variable>> | ReadonlyMap<string, string | Variable>,
): map is ReadonlyMap<string, string | Variable> {
  return map instanceof Map;
}

interface Assignment {
  readonly stored: string;
  readonly variable: Variable;
}

function expand(
  reader: CheckpointFile,
  graph: Graph,
  stored: string,
  target: string | Variable,
): Assignment[] {
  const variables = graph
    .getCollection(GraphKeys.GLOBAL_VARIABLES)
    .filter((item): item is Variable => item instanceof Variable);
  if (target instanceof Variable) return [{ stored, variable: target }];
  if (stored.endsWith('/') !== target.endsWith('/')) {
    throw new InvalidArgumentError(
      `initFromCheckpoint: "${stored}" to "${target}": both must be scopes, which end with "/", or neither`,
    );
  }
  if (!target.endsWith('/')) {
    const variable = variables.find(({ op }) => op.name === target.replace(/:0$/, ''));
    if (variable !== undefined) return [{ stored, variable }];
    throw new NotFoundError(`initFromCheckpoint: the graph has no variable "${target}"`);
  }
  const scope = target === '/' ? '' : target;
  const inScope = variables.filter(({ op }) => op.name.startsWith(scope));
  if (inScope.length === 0)
    throw new NotFoundError(`initFromCheckpoint: no variable is in the scope "${target}"`);
  const root = stored === '/' ? '' : stored;
  return inScope.map((variable) => {
    const name = root + variable.op.name.slice(scope.length);
    if (reader.has(name)) return { stored: name, variable };
    throw new NotFoundError(
      `initFromCheckpoint: the checkpoint has no "${name}" for the variable "${variable.op.name}"`,
    );
  });
}

function check(reader: CheckpointFile, stored: string, variable: Variable): void {
  const { dtype, shape } = reader.entry(stored);
  if (dtype === variable.dtype && variable.shape.isCompatibleWith(new TensorShape(shape))) return;
  throw new InvalidArgumentError(
    `initFromCheckpoint: "${stored}" is ${dtype} [${shape.join(',')}] in the checkpoint, the variable "${variable.op.name}" ${variable.dtype} ${variable.shape.toString()}`,
  );
}

/** The initializer goes on to assign, but what a `RestoreV2` reads. */
function replaceInitialValue(prefix: string, stored: string, variable: Variable): void {
  const restored = withGraphOf(variable.handle, () =>
    controlDependencies(null, () =>
      nameScope(`checkpoint_initializer/${variable.op.name.replaceAll('/', '_')}`, () => {
        const names = constant([stored], { name: 'tensor_names' });
        const slices = constant([''], { name: 'shape_and_slices' });
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
