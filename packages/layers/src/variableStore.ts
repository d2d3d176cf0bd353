/** Variables of a graph by their full names, and the variable scope in force: the memory behind `getVariable`. */
import { getDefaultGraph, type DType, type Graph, type Variable } from '@forerun/graph';
import type { Initializer } from './initializer.js';
import type { Regularizer } from './regularizers.js';

/** Get variables that exist and create those that do not (`tf.AUTO_REUSE`). */
export const AUTO_REUSE = 'auto';
/** `true`: variables must exist; `false`: they must not; `AUTO_REUSE`: either. */
export type Reuse = boolean | typeof AUTO_REUSE;

/** Defaults that a scope gives to the variables made in it. */
export interface ScopeDefaults {
  readonly initializer: Initializer | null;
  readonly regularizer: Regularizer | null;
  readonly dtype: DType;
}

/** A variable scope (`tf.VariableScope`): a name prefix with defaults. Enter it with `variableScope`. */
export class VariableScope {
  #reuse: Reuse;

  constructor(
    /** Prefix of variable names, without trailing slash. */
    readonly name: string,
    /** The name scope that was opened with it, with trailing slash or empty. */
    readonly originalNameScope: string,
    reuse: Reuse,
    readonly defaults: ScopeDefaults,
  ) {
    this.#reuse = reuse;
  }

  get reuse(): Reuse {
    return this.#reuse;
  }

  /** From now on variables of this scope must exist (`tf.get_variable_scope().reuse_variables()`). */
  reuseVariables(): void {
    this.#reuse = true;
  }
}

/** What is remembered per graph. */
export class VariableStore {
  readonly variables = new Map<string, Variable>();
  current = new VariableScope('', '', false, { initializer: null, regularizer: null, dtype: 'float32' });
  #counts = new Map<string, number>();

  /** The store of the default graph. */
  static get(): VariableStore {
    const graph = getDefaultGraph().root;
    const store = stores.get(graph) ?? new VariableStore();
    stores.set(graph, store);
    return store;
  }

  /** `name`, or the first of `name_1`, `name_2` … that no scope below the current one has had. */
  uniqueScopeName(name: string): string {
    const full = (candidate: string): string => joinNames(this.current.name, candidate);
    if (!this.isOpened(full(name))) return name;
    let count = 1;
    while (this.isOpened(full(`${name}_${count}`))) count++;
    return `${name}_${count}`;
  }

  private isOpened(name: string): boolean {
    return (this.#counts.get(name) ?? 0) > 0;
  }

  /** Runs `build` in `scope`; `again` keeps the counts of scopes below it as they were. */
  enter<R>(scope: VariableScope, again: boolean, build: () => R): R {
    const outer = this.current;
    this.#counts.set(scope.name, (this.#counts.get(scope.name) ?? 0) + 1);
    const counts = new Map(this.#counts);
    this.current = scope;
    try {
      return build();
    } finally {
      this.current = outer;
      if (again) this.#counts = counts;
      else this.closeSubscopes(scope.name);
    }
  }

  /** When a scope is entered again by name, default names below it start anew. */
  private closeSubscopes(name: string): void {
    for (const key of this.#counts.keys()) if (key.startsWith(`${name}/`)) this.#counts.set(key, 0);
  }
}

const stores = new WeakMap<Graph, VariableStore>();

/** Joins two parts of a variable's name; the first may be empty. */
export function joinNames(scope: string, name: string): string {
  return scope === '' ? name : `${scope}/${name}`;
}
