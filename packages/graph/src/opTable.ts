/**
 * Where the graph finds op definitions. Op families import the graph (through their builders), so
 * the graph cannot import them; `registry.ts` hands the table over here when it is loaded.
 */
import type { OpDef, OpTable } from './opDef.js';

let table: ReadonlyMap<string, OpDef> = new Map();

/** Called once, by the registry. */
export function provideOps(ops: OpTable): void {
  table = new Map(Object.entries(ops));
}

/** The definition of an op type, or `undefined` for a type that is not registered. */
export function lookupOp(type: string): OpDef | undefined {
  return table.get(type);
}
