/** The variables of a graph by collection, and the operations that initialize them. */
import type { NameOptions } from './apply.js';
import type { Operation } from './operation.js';
import { group, noOp } from './ops/source.js';
import { getDefaultGraph } from './scopes.js';
import { Variable } from './variable.js';
import { GraphKeys } from './variableKeys.js';

/** The variables in collection `key` of the default graph, restricted to names that start with `scope` when given. */
function variablesIn(key: string, scope?: string): Variable[] {
  return getDefaultGraph()
    .getCollection(key, scope)
    .filter((item) => item instanceof Variable);
}

/** Variables that belong to the model and are saved (`tf.global_variables`). */
export function globalVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.GLOBAL_VARIABLES, scope);
}

/** Variables of this process that are not saved, such as those of metrics (`tf.local_variables`). */
export function localVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.LOCAL_VARIABLES, scope);
}

/** Variables that optimizers change (`tf.trainable_variables`). */
export function trainableVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.TRAINABLE_VARIABLES, scope);
}

/** Variables in `MODEL_VARIABLES` (`tf.model_variables`). */
export function modelVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.MODEL_VARIABLES, scope);
}

/** Variables of streaming metrics, for resetting them (`tf.GraphKeys.METRIC_VARIABLES`). */
export function metricVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.METRIC_VARIABLES, scope);
}

/** An operation that initializes `variables` (`tf.variables_initializer`). */
export function variablesInitializer(
  variables: readonly Variable[],
  { name = 'init' }: NameOptions = {},
): Operation {
  if (variables.length === 0) return noOp({ name });
  return group(
    variables.map((variable) => variable.initializer),
    { name },
  );
}

/** An operation that initializes all global variables made so far (`tf.global_variables_initializer`). */
export function globalVariablesInitializer(options: NameOptions = {}): Operation {
  return variablesInitializer(globalVariables(), options);
}

/** An operation that initializes all local variables made so far (`tf.local_variables_initializer`). */
export function localVariablesInitializer(options: NameOptions = {}): Operation {
  return variablesInitializer(localVariables(), options);
}

/** Appends to a collection of the default graph (`tf.add_to_collection`). */
export function addToCollection(key: string, value: unknown): void {
  getDefaultGraph().addToCollection(key, value);
}

/** Appends to several collections of the default graph (`tf.add_to_collections`). */
export function addToCollections(keys: readonly string[], value: unknown): void {
  getDefaultGraph().addToCollections(keys, value);
}

/** A copy of a collection of the default graph (`tf.get_collection`); `scope` restricts it to names that start so. */
export function getCollection(key: string, scope?: string): unknown[] {
  return getDefaultGraph().getCollection(key, scope);
}
