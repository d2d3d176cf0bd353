/** Which ops the registry tests loop over: all, or those that FORERUN_OPS names (op types or families). */
import { FAMILIES, OPS, type OpName } from '@forerun/graph';

const wanted = (process.env.FORERUN_OPS ?? '').split(',').filter((name) => name !== '');

/** True when the whole registry is tested, not a selection. */
export const testsEverything = wanted.length === 0;

/** The family of every op. */
export const FAMILY_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(FAMILIES).flatMap(([family, ops]) =>
    Object.keys(ops).map((type) => [type, family] as const),
  ),
);

for (const name of wanted) {
  if (!Object.hasOwn(OPS, name) && !Object.hasOwn(FAMILIES, name)) {
    throw new Error(`FORERUN_OPS names "${name}", which is neither an op nor a family`);
  }
}

/** True when `FORERUN_OPS` is unset or names the op or its family. */
export function isSelected(type: string): boolean {
  return testsEverything || wanted.includes(type) || wanted.includes(FAMILY_OF.get(type) ?? '');
}

/** The selected ops in registry order. */
export const SELECTED = (Object.keys(OPS) as OpName[]).filter(isSelected);
