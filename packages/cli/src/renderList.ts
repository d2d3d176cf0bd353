/** Long lists, cut with a word on what is left out. */
import { table, type Cell, type Column } from './format.js';
import type { Terminal } from './terminal.js';

export interface ListOptions {
  /** What the rows are, for the hint. */
  readonly what: string;
  /** Leaves nothing out. */
  readonly all: boolean;
  /** Rows to show otherwise. */
  readonly limit?: number;
}

/** A table of the first rows, and how many there are besides. */
export function limitedTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { what, all, limit = 16 }: ListOptions,
  terminal: Terminal,
): string[] {
  // One row more would take no more room than the hint does.
  if (all || rows.length <= limit + 1) return table(columns, rows, terminal);
  const hint = `  ... ${rows.length - limit} more ${what}: --all`;
  return [...table(columns, rows.slice(0, limit), terminal), terminal.colors.dim(hint)];
}
