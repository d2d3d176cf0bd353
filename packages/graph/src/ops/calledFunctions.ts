/** Names of the functions that an op calls. */
import type { AttrValue } from '../attr.js';
import type { Operation } from '../operation.js';

/** Names of the functions that an op calls, in the order of its declaration. */
export function calledFunctions({ attrs, def }: Operation): string[] {
  if (def?.functionName !== undefined) return [def.functionName];
  const names = def?.attrs.map(({ name }) => name) ?? [...attrs.values.keys()];
  return names.flatMap((name) => functionNames(attrs.values.get(name)));
}

function functionNames(attr: AttrValue | undefined): string[] {
  if (attr?.kind === 'func') return [attr.value.name];
  return attr?.kind === 'list(func)' ? attr.value.map(({ name }) => name) : [];
}
