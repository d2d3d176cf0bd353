/** Numbers, sizes, shapes and tables as people read them. */
import type { Dim, TensorShape } from '@forerun/graph';
import type { Terminal } from './terminal.js';

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** A number of bytes in binary units: `512 B`, `12.5 MiB`. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']);
}

/** A number of operations in decimal units: `950`, `27.8 M`. */
export function formatFlops(flops: number): string {
  return scaled(flops, 1000, ['', 'K', 'M', 'G', 'T', 'P', 'E']);
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let power = 0;
  // What would be rounded up to a whole next unit is given in that unit.
  while (value / base ** power >= base - 0.05 && power < units.length - 1) power++;
  const number = value / base ** power;
  return `${power === 0 ? number : number.toFixed(1)} ${units[power] ?? ''}`.trimEnd();
}

/** `1 node`, `2 nodes`. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}

/** `[?,28,28,1]`; `?` alone for a shape of unknown rank. */
export function formatShape(shape: TensorShape | readonly Dim[] | null): string {
  const dims = shape !== null && 'dims' in shape ? shape.dims : shape;
  return dims === null ? '?' : `[${dims.map((dim) => dim ?? '?').join(',')}]`;
}

/** A cell of a table: text, and what colours it once it has been cut and padded. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

export interface Column {
  readonly title: string;
  /** Numbers are aligned right. */
  readonly right?: boolean;
  /** The column that is cut when lines are too long; without one, the first. */
  readonly flexible?: boolean;
}

const GAP = '  ';
const NARROWEST = 12;

/**
 * Lines of a table below a line of titles (left out when all are empty), indented by two. Lines that are
 * too long for the terminal lose the ends of the flexible column first, then their own.
 */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  terminal: Terminal,
): string[] {
  const widths = columnWidths(columns, rows, terminal.width);
  const line = (cells: readonly Cell[], paintAll?: (text: string) => string): string => {
    let left = terminal.width;
    const parts = columns.map((column, i) => {
      const { text, paint } = asCell(cells[i] ?? '');
      const width = widths[i] ?? 0;
      const gap = GAP.slice(0, Math.max(0, left));
      left -= gap.length;
      const fitted = cut(cut(text, width, terminal), Math.max(0, left), terminal);
      const last = i === columns.length - 1;
      const padded = column.right === true ? fitted.padStart(width) : last ? fitted : fitted.padEnd(width);
      const shown = padded.slice(0, Math.max(0, left));
      left -= shown.length;
      return gap + (shown.trim() === '' ? shown : (paintAll ?? paint)(shown));
    });
    return parts.join('').trimEnd();
  };
  const titles = columns.map(({ title }) => title);
  const head = titles.some((title) => title !== '') ? [line(titles, terminal.colors.dim)] : [];
  return [...head, ...rows.map((row) => line(row))];
}

function asCell(cell: Cell): Exclude<Cell, string> {
  return typeof cell === 'string' ? { text: cell, paint: (text) => text } : cell;
}

function columnWidths(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  limit: number,
): number[] {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((widest, row) => Math.max(widest, asCell(row[i] ?? '').text.length), title.length),
  );
  const total = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const flexible = Math.max(
    0,
    columns.findIndex((column) => column.flexible === true),
  );
  const width = widths[flexible];
  if (width !== undefined && total > limit) {
    widths[flexible] = Math.min(width, Math.max(NARROWEST, width - (total - limit)));
  }
  return widths;
}

/** Items in lines that are no wider than the terminal, joined by commas and indented by two. */
export function wrapList(
  items: readonly string[],
  { width }: Pick<Terminal, 'width'>,
  first = '  ',
): string[] {
  const lines: string[] = [];
  let line = first;
  items.forEach((item, i) => {
    const text = i === items.length - 1 ? item : `${item},`;
    const isEmpty = line.trim() === '' || line === first;
    if (!isEmpty && line.length + 1 + text.length > width) {
      lines.push(line);
      line = `  ${text}`;
    } else line += isEmpty ? text : ` ${text}`;
  });
  return [...lines, line];
}

/** Cuts a text to `width` characters, marking that there was more. */
export function cut(text: string, width: number, { unicode }: Pick<Terminal, 'unicode'>): string {
  if (text.length <= width) return text;
  const mark = unicode ? '…' : '...';
  return width <= mark.length ? text.slice(0, width) : text.slice(0, width - mark.length) + mark;
}
