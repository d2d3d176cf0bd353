/** The variable that counts training steps. */
import {
  AlreadyExistsError,
  GraphKeys,
  InvalidArgumentError,
  Variable,
  controlDependencies,
  getDefaultGraph,
  isInteger,
  nameScope,
  type Graph,
  type Tensor,
} from '@forerun/graph';
import { zerosInitializer } from './initializers.js';
import { getVariable } from './variableScope.js';

/** Throws `InvalidArgumentError` unless `step` could be a global step: an integer scalar (`tf.train.assert_global_step`). */
export function assertGlobalStep(step: Tensor | Variable): void {
  if (isInteger(step.dtype) && (step.shape.rank ?? 0) === 0) return;
  throw new InvalidArgumentError(
    `the global step ${step.name} must be an integer scalar, it is ${step.dtype} of shape ${step.shape.toString()}`,
  );
}

/** The graph's global step, or `null` (`tf.train.get_global_step`). Throws when there are two, or it is no integer. */
export function getGlobalStep(graph: Graph = getDefaultGraph()): Variable | null {
  const steps = graph.getCollection(GraphKeys.GLOBAL_STEP).filter((item) => item instanceof Variable);
  if (steps.length > 1) {
    throw new InvalidArgumentError(
      `the graph has ${steps.length} global steps: ${steps.map((s) => s.name).join(', ')}`,
    );
  }
  const [step] = steps;
  if (step !== undefined) assertGlobalStep(step);
  return step ?? null;
}

/** Makes the global step, an int64 scalar variable called `global_step` (`tf.train.create_global_step`). */
export function createGlobalStep(graph: Graph = getDefaultGraph()): Variable {
  const existing = getGlobalStep(graph);
  if (existing !== null)
    throw new AlreadyExistsError(
      `the graph has a global step, ${existing.name}${existing.op.creationSite()}`,
    );
  return graph.asDefault(() =>
    controlDependencies(null, () =>
      nameScope(null, () =>
        getVariable('global_step', {
          shape: [],
          dtype: 'int64',
          initializer: zerosInitializer(),
          trainable: false,
          regularizer: null,
          collections: [GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        }),
      ),
    ),
  );
}

/** The graph's global step, made when there is none (`tf.train.get_or_create_global_step`). */
export function getOrCreateGlobalStep(graph: Graph = getDefaultGraph()): Variable {
  return getGlobalStep(graph) ?? createGlobalStep(graph);
}
