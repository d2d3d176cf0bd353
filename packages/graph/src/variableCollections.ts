/** The variables of a graph by collection, and the operations that initialize them. */
import { constant, type NameOptions } from './apply.js';
import type { Operation } from './operation.js';
import { stack } from './ops/arrayJoin.js';
import { booleanMask } from './ops/dynamicWhere.js';
import { group, noOp } from './ops/source.js';
import { isVariableInitialized } from './ops/state.js';
import { logicalNot } from './ops/unary.js';
import { getDefaultGraph, nameScope } from './scopes.js';
import type { Tensor } from './tensor.js';
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

/** Variables of which moving averages are kept (`tf.moving_average_variables`). */
export function movingAverageVariables(scope?: string): Variable[] {
  return variablesIn(GraphKeys.MOVING_AVERAGE_VARIABLES, scope);
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

/**
 * The names of those of `varList` that have no value yet, a string vector (`tf.report_uninitialized_variables`). Default: all
 * global and local variables made so far.
 */
export function reportUninitializedVariables(
  varList: readonly Variable[] = [...globalVariables(), ...localVariables()],
  { name = 'report_uninitialized_variables' }: NameOptions = {},
): Tensor {
  return nameScope(name, () => {
    if (varList.length === 0) return constant([], { dtype: 'string', shape: [0] });
    const initialized = stack(varList.map((variable) => isVariableInitialized(variable)));
    const names = constant(
      varList.map((variable) => variable.op.name),
      { dtype: 'string' },
    );
    return booleanMask(names, logicalNot(initialized));
  });
}

/** Appends to a collection of the default graph (`tf.add_to_collection`). */
export function addToCollection(key: string, value: unknown): void {
  getDefaultGraph().addToCollection(key, value);
}

/** Appends to several collections of the default graph (`tf.add_to_collections`). */
export function addToCollections(keys: readonly string[], value: unknown): void {
  getDefaultGraph().addToCollections(keys, value);
}

/** What the standard collections hold, by their names in files. */
export interface CollectionItems {
  readonly variables: Variable;
  readonly local_variables: Variable;
  readonly metric_variables: Variable;
  readonly model_variables: Variable;
  readonly trainable_variables: Variable;
  readonly moving_average_variables: Variable;
  readonly global_step: Variable;
  readonly update_ops: Operation;
  readonly losses: Tensor;
  readonly regularization_losses: Tensor;
  readonly train_op: Operation;
  readonly summaries: Tensor;
  readonly table_initializer: Operation;
  readonly asset_filepaths: Tensor;
}

/** An item of the collection `K`; of collections of programs' own nothing is known. */
export type CollectionItem<K extends string> = K extends keyof CollectionItems ? CollectionItems[K] : unknown;

/**
 * A copy of a collection of the default graph (`tf.get_collection`); `scope` restricts it to names that start so. The
 * type says what layers, losses and optimizers put into the standard collections.
 */
export function getCollection<K extends string>(key: K, scope?: string): CollectionItem<K>[] {
  return getDefaultGraph().getCollection(key, scope) as CollectionItem<K>[];
}

/** The collection itself, made when there is none: what is added to the list is in the collection (`tf.get_collection_ref`). */
export function getCollectionRef<K extends string>(key: K): CollectionItem<K>[] {
  return getDefaultGraph().getCollectionRef(key) as CollectionItem<K>[];
}
