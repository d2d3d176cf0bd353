/** The results of register tiles: how they are stored, plain and turned, and visited once more where there is work on them. */
import { join, liveRows, oneTileOfRows, wholeColumns, wholeRows, type Frame } from './fragmentFrame.js';

export function stores(frame: Frame, outputWidth: 1 | 4): string {
  const { x } = frame;
  const lines: string[] = [];
  for (let r = 0; r < liveRows(frame); r++) {
    const id = `o${r}`;
    const conditions = wholeRows(frame) || oneTileOfRows(frame) ? [] : [`tile_row + ${r}u < ${x.rows}u`];
    const statements = [x.output.row(id, `tile_row + ${r}u`, outputWidth)];
    const body = storeRow(frame, r, id, outputWidth);
    const exists = x.output.valid?.(id);
    statements.push(exists === undefined ? body : `if (${exists}) {\n${body}\n}`);
    const text = statements.join('\n');
    lines.push(conditions.length === 0 ? `{\n${text}\n}` : `if (${conditions.join(' && ')}) {\n${text}\n}`);
  }
  return lines.join('\n');
}

function storeRow(frame: Frame, r: number, id: string, outputWidth: 1 | 4): string {
  const { x, width, groups } = frame;
  const whole = wholeColumns(frame);
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    const column = `col${g}`;
    const value = `acc${r}_${g}`;
    if (outputWidth === 4) {
      const store = `${x.output.binding.name}[${id}_at + (${column} >> 2u)] = ${value};`;
      lines.push(whole ? store : `if (${column} < ${x.columns}u) { ${store} }`);
      continue;
    }
    for (let i = 0; i < width; i++) {
      const component = width === 1 ? value : `${value}.${'xyzw'.charAt(i)}`;
      const at = `${id}_at + (${column} + ${i}u) * ${x.output.columnStride}u`;
      const store = `${x.output.binding.name}[${at}] = ${component};`;
      lines.push(whole ? store : `if (${column} + ${i}u < ${x.columns}u) { ${store} }`);
    }
  }
  return lines.join('\n');
}

/** The stores of a turned tile: what a lane holds as a column is a row of the output. */
export function turnedStores(frame: Frame, outputWidth: 1 | 4): string {
  const { x, width, groups } = frame;
  const whole = wholeColumns(frame);
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < width; i++) {
      const id = `o${g}_${i}`;
      const row = `col${g} + ${i}u`;
      const component = width === 1 ? '' : `.${'xyzw'.charAt(i)}`;
      const exists = x.output.valid?.(id);
      const body = turnedRow(frame, { id, outputWidth, result: (r) => `acc${r}_${g}${component}` });
      const text = [
        x.output.row(id, row, outputWidth),
        exists === undefined ? body : `if (${exists}) {\n${body}\n}`,
      ].join('\n');
      lines.push(whole ? `{\n${text}\n}` : `if (${row} < ${x.columns}u) {\n${text}\n}`);
    }
  }
  return lines.join('\n');
}

interface TurnedRow {
  readonly id: string;
  readonly outputWidth: 1 | 4;
  /** The result in column `r` of the tile. */
  readonly result: (r: number) => string;
}

function turnedRow(frame: Frame, { id, outputWidth, result }: TurnedRow): string {
  const { x, type } = frame;
  const safe = wholeRows(frame) || oneTileOfRows(frame);
  const lines: string[] = [];
  for (let r = 0; r < liveRows(frame); r += outputWidth) {
    const column = `tile_row + ${r}u`;
    const parts = Array.from({ length: outputWidth }, (_, i) => result(r + i));
    const at = outputWidth === 4 ? `((${column}) >> 2u)` : `(${column}) * ${x.output.columnStride}u`;
    const store = `${x.output.binding.name}[${id}_at + ${at}] = ${join(type, parts)};`;
    lines.push(safe ? store : `if (${column} < ${x.rows}u) { ${store} }`);
  }
  return lines.join('\n');
}

/** Visits the rows of a tile in a loop, the columns of the invocation one after the other. */
export function visitRows(frame: Frame, outputWidth: 1 | 4, visit: (at: string) => string): string {
  const { x, width, groups } = frame;
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < width; i += outputWidth) {
      const column = `col${g} + ${i}u`;
      const at = outputWidth === 4 ? `(col${g} >> 2u)` : `(${column}) * ${x.output.columnStride}u`;
      lines.push(guarded(!wholeColumns(frame), `${column} < ${x.columns}u`, visit(`o_at + ${at}`)));
    }
  }
  const body = guarded(x.output.valid !== undefined, x.output.valid?.('o') ?? '', lines.join('\n'));
  return `for (var r = 0u; r < row_count; r++) {\n${x.output.row('o', 'tile_row + r', outputWidth)}\n${body}\n}`;
}

/** As `visitRows` for turned tiles, whose rows are the output's columns. */
export function visitTurned(frame: Frame, outputWidth: 1 | 4, visit: (at: string) => string): string {
  const { x, width, groups } = frame;
  const column = 'tile_row + r';
  const at = outputWidth === 4 ? `((${column}) >> 2u)` : `(${column}) * ${x.output.columnStride}u`;
  const loop = `for (var r = 0u; r < row_count; r += ${outputWidth}u) {\n${visit(`o_at + ${at}`)}\n}`;
  const body = guarded(x.output.valid !== undefined, x.output.valid?.('o') ?? '', loop);
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < width; i++) {
      const row = `col${g} + ${i}u`;
      const text = `{\n${x.output.row('o', row, outputWidth)}\n${body}\n}`;
      lines.push(guarded(!wholeColumns(frame), `${row} < ${x.columns}u`, text));
    }
  }
  return lines.join('\n');
}

function guarded(needed: boolean, condition: string, statements: string): string {
  return needed ? `if (${condition}) {\n${statements}\n}` : statements;
}
