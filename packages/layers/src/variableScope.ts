/** `variableScope` and `getVariable`: variables by name, shared where the program says so. */
import {
  AlreadyExistsError,
  GraphKeys,
  InvalidArgumentError,
  NotFoundError,
  TensorShape,
  Variable,
  baseDType,
  checkOptions,
  convertToTensor,
  getDefaultGraph,
  inRootGraph,
  isFloating,
  nameScope,
  nearestNames,
  type DType,
  type InitialValue,
  type Tensor,
  type TensorLike,
} from '@forerun/graph';
import type { Initializer } from './initializer.js';
import { glorotUniformInitializer, zerosInitializer } from './initializers.js';
import type { Regularizer } from './regularizers.js';
import { VariableScope, VariableStore, joinNames, type Reuse } from './variableStore.js';

export { AUTO_REUSE, VariableScope, type Reuse } from './variableStore.js';

export interface VariableScopeOptions {
  /** Used, made unique, when `nameOrScope` is `null`. */
  readonly defaultName?: string | undefined;
  /** Sharing of variables; inherited, and a scope inside one that reuses reuses too. */
  readonly reuse?: Reuse | undefined;
  /** Default initializer of variables in the scope. */
  readonly initializer?: Initializer | undefined;
  /** Default regularizer of variables in the scope. */
  readonly regularizer?: Regularizer | undefined;
  readonly dtype?: DType | undefined;
  /** `false`: open no name scope for operations. Default `true`. */
  readonly auxiliaryNameScope?: boolean | undefined;
}

type Build<R> = (scope: VariableScope) => R;

/**
 * Puts the names of variables that `build` gets or creates under a prefix, and those of operations under a
 * name scope (`tf.variable_scope`). Takes a name, a scope to enter again, or `null` with `defaultName`.
 * `variableScope(name, build)` and `variableScope(name, options, build)` return what `build` returns.
 */
export function variableScope<R>(nameOrScope: string | VariableScope | null, build: Build<R>): R;
export function variableScope<R>(
  nameOrScope: string | VariableScope | null,
  options: VariableScopeOptions,
  build: Build<R>,
): R;
export function variableScope<R>(
  nameOrScope: string | VariableScope | null,
  optionsOrBuild: VariableScopeOptions | Build<R>,
  maybeBuild?: Build<R>,
): R {
  const build = typeof optionsOrBuild === 'function' ? optionsOrBuild : maybeBuild;
  const options = typeof optionsOrBuild === 'function' ? {} : optionsOrBuild;
  if (build === undefined) throw new InvalidArgumentError('variableScope: the callback is missing');
  const store = VariableStore.get();
  const name = scopeName(store, nameOrScope, options);
  const enter = (nameScopeName: string): R => {
    const again = nameOrScope instanceof VariableScope;
    const scope = makeScope(store.current, nameOrScope, name, nameScopeName, options);
    const result = store.enter(scope, again, () => build(scope));
    if (result instanceof Promise) {
      throw new InvalidArgumentError(
        'variableScope() takes a synchronous callback: it has ended when a promise resolves',
      );
    }
    return result;
  };
  const label = nameOrScope instanceof VariableScope ? nameOrScope.name.split('/').at(-1) : name;
  if (options.auxiliaryNameScope === false || label === undefined || label === '') {
    return enter(getDefaultGraph().currentScope);
  }
  return nameScope(label, enter);
}

/** The scope in force (`tf.get_variable_scope`). */
export function getVariableScope(): VariableScope {
  return VariableStore.get().current;
}

function scopeName(
  store: VariableStore,
  nameOrScope: string | VariableScope | null,
  { defaultName, reuse }: VariableScopeOptions,
): string {
  if (nameOrScope !== null) return nameOrScope instanceof VariableScope ? nameOrScope.name : nameOrScope;
  if (defaultName === undefined)
    throw new InvalidArgumentError('variableScope: a name or the option "defaultName" is needed');
  if (reuse === true)
    throw new InvalidArgumentError('variableScope: reuse needs a name, a default name is always new');
  return store.uniqueScopeName(defaultName);
}

function makeScope(
  outer: VariableScope,
  nameOrScope: string | VariableScope | null,
  name: string,
  nameScopeName: string,
  { reuse, initializer, regularizer, dtype }: VariableScopeOptions,
): VariableScope {
  const again = nameOrScope instanceof VariableScope;
  const { defaults } = again ? nameOrScope : outer;
  const own = firstSet(reuse, again ? nameOrScope.reuse : outer.reuse);
  return new VariableScope(
    again ? name : joinNames(outer.name, name),
    again ? nameOrScope.originalNameScope : nameScopeName,
    own,
    {
      initializer: initializer ?? defaults.initializer,
      regularizer: regularizer ?? defaults.regularizer,
      dtype: dtype ?? defaults.dtype,
    },
  );
}

/** Reuse cannot be switched off: `false` means that nothing new is said. */
function firstSet(own: Reuse | undefined, inherited: Reuse): Reuse {
  return own === undefined || own === false ? inherited : own;
}

export interface GetVariableOptions {
  /** Needed for a new variable unless `initializer` is a value. */
  readonly shape?: readonly number[] | TensorShape | undefined;
  /** Default: the scope's, float32. */
  readonly dtype?: DType | undefined;
  /** An initializer, or a value. Default: the scope's, else Glorot uniform (zeros for integers). */
  readonly initializer?: Initializer | TensorLike | undefined;
  /** Its loss goes into `REGULARIZATION_LOSSES`. Default: the scope's. */
  readonly regularizer?: Regularizer | null | undefined;
  readonly trainable?: boolean | undefined;
  /** Default `GLOBAL_VARIABLES`. */
  readonly collections?: readonly string[] | undefined;
}

/**
 * The variable called `name` in the variable scope in force: created, or found again as the scope's `reuse`
 * says (`tf.get_variable`). Throws `AlreadyExistsError` with the line of the first definition,
 * `NotFoundError` when reuse finds none, `InvalidArgumentError` when shape or dtype differ.
 */
export function getVariable(name: string, options: GetVariableOptions = {}): Variable {
  checkOptions('getVariable', options, '{ shape: [10] }');
  const store = VariableStore.get();
  const scope = store.current;
  const full = joinNames(scope.name, name);
  const existing = store.variables.get(full);
  if (existing !== undefined) {
    if (scope.reuse === false) throw alreadyExists(full, existing);
    checkSame(full, existing, options);
    return existing;
  }
  if (scope.reuse === true) throw missing(full, store);
  const variable = createVariable(full, scope, options);
  store.variables.set(full, variable);
  addRegularization(
    full,
    variable,
    options.regularizer === undefined ? scope.defaults.regularizer : options.regularizer,
  );
  return variable;
}

/**
 * As `getVariable`, for a variable of this process that is not trained or saved (`tf.get_local_variable`): it joins
 * `LOCAL_VARIABLES`.
 */
export function getLocalVariable(
  name: string,
  { collections = [], ...options }: Omit<GetVariableOptions, 'trainable'> = {},
): Variable {
  return getVariable(name, {
    ...options,
    trainable: false,
    collections: [...new Set([...collections, GraphKeys.LOCAL_VARIABLES])],
  });
}

function alreadyExists(name: string, existing: Variable): AlreadyExistsError {
  return new AlreadyExistsError(
    `variable "${name}" exists already${existing.op.creationSite()}. To share it, set reuse: true or reuse: AUTO_REUSE in variableScope()`,
    { node: existing.op.name },
  );
}

function missing(name: string, store: VariableStore): NotFoundError {
  const near = nearestNames(name, store.variables.keys());
  const hint = near.length === 0 ? '' : ` Did you mean ${near.map((n) => `"${n}"`).join(', ')}?`;
  return new NotFoundError(
    `variable "${name}" does not exist or was not created with getVariable(), and the scope has reuse: true.${hint}`,
  );
}

function checkSame(name: string, existing: Variable, { shape, dtype }: GetVariableOptions): void {
  if (shape !== undefined && !TensorShape.of(shape).isCompatibleWith(existing.shape)) {
    throw new InvalidArgumentError(
      `variable "${name}" has shape ${existing.shape.toString()}, asked for was ${TensorShape.of(shape).toString()}${existing.op.creationSite()}`,
      { node: existing.op.name },
    );
  }
  if (dtype !== undefined && baseDType(dtype) !== existing.dtype) {
    throw new InvalidArgumentError(
      `variable "${name}" is ${existing.dtype}, asked for was ${dtype}${existing.op.creationSite()}`,
      { node: existing.op.name },
    );
  }
}

/** Variables live in the graph around all functions, also when a loop's body makes them. */
function createVariable(name: string, scope: VariableScope, options: GetVariableOptions): Variable {
  return inRootGraph(() => createInRoot(name, scope, options));
}

function createInRoot(name: string, scope: VariableScope, options: GetVariableOptions): Variable {
  const { initializer = scope.defaults.initializer ?? undefined, trainable, collections } = options;
  const isValue = initializer !== undefined && typeof initializer !== 'function';
  const dtype = options.dtype ?? (isValue ? undefined : scope.defaults.dtype);
  const initial = isValue
    ? initializer
    : initialValue(name, initializer, options, dtype ?? scope.defaults.dtype);
  // Variable names follow variable scopes alone; the exact name is asked for where it is free.
  const exact = getDefaultGraph().findOperation(name) === undefined && !name.endsWith('/');
  return nameScope(
    null,
    () =>
      new Variable(initial, {
        name: exact ? `${name}/` : name,
        ...(dtype === undefined ? {} : { dtype }),
        ...(options.shape === undefined ? {} : { shape: options.shape }),
        trainable,
        collections,
      }),
  );
}

function initialValue(
  name: string,
  initializer: Initializer | undefined,
  { shape }: GetVariableOptions,
  dtype: DType,
): InitialValue {
  const full = shape === undefined ? undefined : TensorShape.of(shape);
  if (full?.isFullyDefined !== true) {
    const given = full === undefined ? 'there is none' : `it is ${full.toString()}`;
    throw new InvalidArgumentError(`variable "${name}" is new and needs a fully known shape, but ${given}`);
  }
  const make = initializer ?? (isFloating(dtype) ? glorotUniformInitializer() : zerosInitializer());
  return () => {
    const value: unknown = make(full.toStatic(), { dtype });
    if (typeof value === 'function') {
      throw new InvalidArgumentError(
        `variable "${name}": the initializer returned a function; call it: initializer()`,
      );
    }
    return convertToTensor(value as Tensor, { dtype });
  };
}

function addRegularization(name: string, variable: Variable, regularizer: Regularizer | null): void {
  if (regularizer === null) return;
  const loss = inRootGraph(() =>
    nameScope(`${name.replace(/\/$/, '')}/Regularizer/`, () => regularizer(variable)),
  );
  if (loss !== null) getDefaultGraph().addToCollection(GraphKeys.REGULARIZATION_LOSSES, loss);
}
