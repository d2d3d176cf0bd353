/** `makeTemplate`: a function that makes its variables at the first call and shares them from then on. */
import { getCollection, GraphKeys, InvalidArgumentError, checkOptions } from '@forerun/graph';
import { variableScope, type VariableScope } from './variableScope.js';

export interface MakeTemplateOptions {
  /** Enter the variable scope at once, so that its name comes from here and not from the first call. */
  readonly createScopeNow?: boolean | undefined;
  /** Name of the variable scope, in place of a unique one. */
  readonly uniqueName?: string | undefined;
}

/**
 * A function that does what `build` does, inside one variable scope called `name`: variables that `getVariable` makes at the
 * first call are found again by all later ones (`tf.make_template`). A later call throws `NotFoundError` when it asks for a
 * variable that the first did not make, and `InvalidArgumentError` when it makes one past `getVariable`.
 */
export function makeTemplate<A extends readonly unknown[], R>(
  name: string,
  build: (...args: A) => R,
  options: MakeTemplateOptions = {},
): (...args: A) => R {
  checkOptions('makeTemplate', options, '{ uniqueName: "shared" }');
  const { createScopeNow = false, uniqueName } = options;
  let scope: VariableScope | null = null;
  let made: number | null = null;
  const enter = <T>(then: () => T): T =>
    variableScope(
      scope ?? uniqueName ?? null,
      { defaultName: name, ...(made === null ? {} : { reuse: true }) },
      (own) => {
        scope ??= own;
        return then();
      },
    );
  if (createScopeNow) enter(() => null);
  return (...args) =>
    enter(() => {
      const before = getCollection(GraphKeys.GLOBAL_VARIABLES).length;
      const result = build(...args);
      const added = getCollection(GraphKeys.GLOBAL_VARIABLES).length - before;
      if (made !== null && added > 0) {
        throw new InvalidArgumentError(
          `template "${name}": a later call made ${added} variables anew, which are not shared. Use getVariable()`,
        );
      }
      made = added;
      return result;
    });
}
