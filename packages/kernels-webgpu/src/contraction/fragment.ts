/**
 * The register-tile form of a contraction. One turn of the inner loop first loads the fragments of
 * both factors, then works row by row: on software adapters loops and loads are what costs, and a
 * broadcast from another lane is three times cheaper than a load. Without subgroups (`lanes` 1)
 * every invocation has a tile of its own.
 */
import { vectorOf, type Contraction, type FragmentVariant } from './contraction.js';
import {
  fragmentWidths,
  frameOf,
  liveRows,
  wholeRows,
  wholeColumns,
  join,
  type Spread,
  type Frame,
} from './fragmentFrame.js';
import { stores, turnedStores, visitRows, visitTurned } from './fragmentStores.js';
import { inLoops, type Split } from './loops.js';

/** Statements of `main` after `tile_row`, `tile_col`, `batch` (and `lane` when there are lanes) are known. */
export function fragmentBody(x: Contraction, v: FragmentVariant, split: Split | null): string {
  const frame = frameOf(x, v);
  const { output } = fragmentWidths(x, v);
  return [
    x.prologue ?? '',
    startA(frame),
    startB(frame),
    accumulators(frame),
    inLoops(x.loops, split, [stepA(frame), stepB(frame), innerLoop(frame)].join('\n')),
    x.turned === true ? turnedStores(frame, output) : stores(frame, output),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

/**
 * Statements after those of `fragmentBody`: `visit` for every address to which the invocation has stored. In loops,
 * so that what is visited stands in the shader once.
 */
export function fragmentRevisit(x: Contraction, v: FragmentVariant, visit: (at: string) => string): string {
  const frame = frameOf(x, v);
  const { output } = fragmentWidths(x, v);
  const count = `select(0u, min(${v.rows}u, ${x.rows}u - tile_row), tile_row < ${x.rows}u)`;
  const loops = x.turned === true ? visitTurned(frame, output, visit) : visitRows(frame, output, visit);
  return `let row_count = ${count};\n${loops}`;
}

/** Registers' positions on the row axis: several when a slice has more loads than there are lanes. */
function rowSetups({ v, a }: Frame): number {
  return Math.max(1, a.perSlice / v.lanes);
}

function startA(frame: Frame): string {
  const { x, v, a } = frame;
  const step = a.vector === 'free' ? 4 : 1;
  const lines: string[] = [];
  const within = v.lanes > a.perSlice ? `lane % ${a.perSlice}u` : 'lane';
  for (let i = 0; i < rowSetups(frame); i++) {
    const unit = v.lanes === 1 ? `${i}u` : i === 0 ? within : `${i * v.lanes}u + lane`;
    const row = `tile_row + ${step === 1 ? unit : `(${unit}) * 4u`}`;
    const last = x.rows - step;
    lines.push(a.code.start(`a${i}`, wholeRows(frame) ? row : `min(${row}, ${last}u)`));
  }
  if (v.lanes > a.perSlice) {
    const depth = a.vector === 'depth' ? 4 : 1;
    lines.push(`let lane_depth = lane / ${a.perSlice}u * ${depth}u;`);
  }
  return lines.join('\n');
}

function stepA(frame: Frame): string {
  return Array.from({ length: rowSetups(frame) }, (_, i) => frame.a.code.step(`a${i}`)).join('\n');
}

/** Names and first columns of the positions on the column axis that a lane loads from. */
function columnSetups(frame: Frame): { id: string; column: string }[] {
  const { x, b, width, groups } = frame;
  const whole = wholeColumns(frame);
  const setups: { id: string; column: string }[] = [];
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < (b.vector === 'free' ? 1 : width); i++) {
      const column = `col${g} + ${i}u`;
      const last = x.columns - (b.vector === 'free' ? 4 : 1);
      setups.push({ id: `b${g}_${i}`, column: whole ? column : `min(${column}, ${last}u)` });
    }
  }
  return setups;
}

function startB(frame: Frame): string {
  const { v, width, groups, b } = frame;
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    const lane = v.lanes === 1 ? '' : ` + lane * ${width}u`;
    lines.push(`let col${g} = tile_col + ${g * width * v.lanes}u${lane};`);
  }
  for (const { id, column } of columnSetups(frame)) lines.push(b.code.start(id, column));
  return lines.join('\n');
}

function stepB(frame: Frame): string {
  return columnSetups(frame)
    .map(({ id }) => frame.b.code.step(id))
    .join('\n');
}

function accumulators(frame: Frame): string {
  const { type, width, groups } = frame;
  const lines: string[] = [];
  for (let r = 0; r < liveRows(frame); r++) {
    for (let g = 0; g < groups; g++) lines.push(`var acc${r}_${g} = ${vectorOf(type, width)}(0);`);
  }
  return lines.join('\n');
}

/** The run over the depth: whole turns of `unroll` steps, then the rest in straight line. */
function innerLoop(frame: Frame): string {
  const { x, v } = frame;
  const rest = x.depth % v.unroll;
  const main = x.depth - rest;
  const parts: string[] = [];
  if (main === v.unroll) parts.push(`{\nlet k = 0u;\n${turn(frame, v.unroll)}\n}`);
  else if (main > 0) {
    parts.push(`for (var k = 0u; k < ${main}u; k += ${v.unroll}u) {\n${turn(frame, v.unroll)}\n}`);
  }
  if (rest > 0) parts.push(`{\nlet k = ${main}u;\n${turn(frame, rest)}\n}`);
  return parts.join('\n');
}

function turn(frame: Frame, steps: number): string {
  return [loadA(frame, steps), loadB(frame, steps), products(frame, steps)].join('\n');
}

function loadA(frame: Frame, steps: number): string {
  const { v, a } = frame;
  const slice = a.vector === 'depth' ? 4 : 1;
  const registers = Math.ceil((a.perSlice * steps) / slice / v.lanes);
  const setups = rowSetups(frame);
  const spread = v.lanes > a.perSlice;
  const lines = spread ? ['let k_lane = k + lane_depth;'] : [];
  for (let i = 0; i < registers; i++) {
    const slices = spread ? (i * v.lanes) / a.perSlice : Math.floor(i / setups);
    lines.push(`let x${i} = ${a.code.load(`a${i % setups}`, spread ? 'k_lane' : 'k', slices * slice)};`);
  }
  return lines.join('\n');
}

function loadB(frame: Frame, steps: number): string {
  const { b, width, groups, type } = frame;
  const lines: string[] = [];
  for (let g = 0; g < groups; g++) {
    if (b.vector === 'depth') {
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < steps; j += 4)
          lines.push(`let q${g}_${i}_${j} = ${b.code.load(`b${g}_${i}`, 'k', j)};`);
      }
    }
    for (let j = 0; j < steps; j++) {
      const parts = Array.from({ length: width }, (_, i) => columnElement(frame, g, i, j));
      const value = b.vector === 'free' ? b.code.load(`b${g}_0`, 'k', j) : join(type, parts);
      lines.push(`let y${j}_${g} = ${value};`);
    }
  }
  return lines.join('\n');
}

function columnElement({ b }: Frame, g: number, i: number, j: number): string {
  if (b.vector === 'depth') return `q${g}_${i}_${j - (j % 4)}.${'xyzw'.charAt(j % 4)}`;
  return b.vector === 'free' ? '' : b.code.load(`b${g}_${i}`, 'k', j);
}

/** Per row what it takes of `a`, then its sums: in one statement each, which drivers read in less time. */
function products(frame: Frame, steps: number): string {
  const { v, a, groups } = frame;
  const lines: string[] = [];
  const whole = v.lanes > 1 && a.vector === 'depth';
  for (let r = 0; r < liveRows(frame); r++) {
    for (let j = 0; j < steps; j += whole ? 4 : 1) {
      lines.push(`let x_${r}_${j} = ${whole ? rowVector(v, a, r, j) : rowElement(v, a, r, j)};`);
    }
    const element = (j: number): string =>
      whole ? `x_${r}_${j - (j % 4)}.${'xyzw'.charAt(j % 4)}` : `x_${r}_${j}`;
    for (let g = 0; g < groups; g++) {
      const terms = Array.from({ length: steps }, (_, j) => `${element(j)} * y${j}_${g}`);
      lines.push(`acc${r}_${g} = acc${r}_${g} + ${terms.join(' + ')};`);
    }
  }
  return lines.join('\n');
}

/** Element (row `r`, step `j`) of the fragment of `a`, wherever it lies. */
function rowElement(v: FragmentVariant, a: Spread, r: number, j: number): string {
  const [unit, component] =
    a.vector === 'depth'
      ? [Math.floor(j / 4) * a.perSlice + r, `.${'xyzw'.charAt(j % 4)}`]
      : a.vector === 'free'
        ? [j * a.perSlice + Math.floor(r / 4), `.${'xyzw'.charAt(r % 4)}`]
        : [j * a.perSlice + r, ''];
  return fromLane(v, unit, component);
}

/** Four steps of row `r` from `j` on, where vectors run along the depth: one broadcast in place of four. */
function rowVector(v: FragmentVariant, a: Spread, r: number, j: number): string {
  return fromLane(v, Math.floor(j / 4) * a.perSlice + r, '');
}

function fromLane(v: FragmentVariant, unit: number, component: string): string {
  const register = `x${Math.floor(unit / v.lanes)}${component}`;
  return v.lanes === 1 ? register : `subgroupBroadcast(${register}, ${unit % v.lanes}u)`;
}
