/**
 * Running sums, products and the like along an axis. Long lines are cut into chunks: the totals of the
 * chunks are scanned, by the same method, and every chunk then starts from what comes before it. The order
 * of combination is fixed.
 */
import type { DType } from '@forerun/graph';
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { chunksPerLine, lineBase, linesAlong, lineWorkgroup, splitChunk, type Lines } from './lines.js';
import { literal, wrapped } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

export interface Scan {
  readonly name: string;
  readonly identity: number;
  readonly combine: (total: string, element: string) => string;
}

/** Running combinations along `axis`, honouring the attributes `exclusive` and `reverse`. */
export function lowerScan(c: KernelContext, axis: number, scan: Scan): Lowered {
  const lines = linesAlong(c, axis);
  if (lines.outer * lines.n * lines.inner === 0) return { dispatches: [] };
  const direction = { reverse: c.attrs.bool('reverse'), exclusive: c.attrs.bool('exclusive') };
  const [from, to] = [inputBinding(c, 0, 'x'), outputBinding(c)];
  const scratch: number[] = [];
  return { dispatches: scanLines({ c, scan, scratch }, lines, direction, from, to), scratch };
}

interface Setting {
  readonly c: KernelContext;
  readonly scan: Scan;
  /** Bytes of the scratch buffers so far. */
  readonly scratch: number[];
}

interface Direction {
  readonly reverse: boolean;
  readonly exclusive: boolean;
}

/** The dispatches that scan the lines of `from` into `to`. */
function scanLines(
  setting: Setting,
  lines: Lines,
  direction: Direction,
  from: ShaderBinding,
  to: ShaderBinding,
): Dispatch[] {
  const { c, scratch } = setting;
  const wanted = chunksPerLine(lines, c.adapter);
  const length = Math.ceil(lines.n / wanted);
  const chunks = Math.ceil(lines.n / length);
  const cut: Cut = { lines, chunks, length, reverse: direction.reverse };
  if (chunks === 1) return [walk(setting, cut, direction.exclusive, [from, to])];
  const { dtype } = c.output(0);
  const bytes = lines.outer * chunks * lines.inner * 4;
  const totals = scratchBinding(scratch.push(bytes) - 1, 'out', dtype);
  const before = scratchBinding(scratch.push(bytes) - 1, 'out', dtype);
  const read = (binding: ShaderBinding, name: string): ShaderBinding => ({
    ...binding,
    name,
    access: 'read',
  });
  return [
    chunkTotals(setting, cut, from, totals),
    ...scanLines(
      setting,
      { ...lines, n: chunks },
      { reverse: false, exclusive: true },
      read(totals, 'x'),
      before,
    ),
    walk(setting, cut, direction.exclusive, [from, read(before, 'before'), to]),
  ];
}

/** Lines cut into chunks, which are numbered in the direction of the scan. */
interface Cut {
  readonly lines: Lines;
  readonly chunks: number;
  readonly length: number;
  readonly reverse: boolean;
}

/** Declares what a chunk begins with, and loops `at` over its elements in the direction of the scan. */
function overChunk({ lines, chunks, length, reverse }: Cut, body: string): string {
  const { n, inner } = lines;
  const end = chunks === 1 ? `${n}u` : `min((chunk + 1u) * ${length}u, ${n}u)`;
  return `let end = ${end};
for (var k = chunk * ${length}u; k < end; k += 1u) {
let at = base + ${reverse ? `(${n - 1}u - k)` : 'k'} * ${inner}u;
${body}
}`;
}

function combined({ scan }: Setting, dtype: DType, element: string): string {
  return wrapped(`(${scan.combine('total', element)})`, dtype);
}

function dispatch(
  { c, scan }: Setting,
  step: string,
  { lines, chunks }: Cut,
  bindings: ShaderBinding[],
  body: string,
): Dispatch {
  const items = lines.outer * lines.inner * chunks;
  const size = lineWorkgroup(c.adapter, items);
  const grid = gridFor(items, 1, c.adapter, size);
  const text = `${splitChunk(lines, chunks)}\n${lineBase(lines, lines.n)}\n${body}`;
  return shader(
    {
      label: `${scan.name}.${step}`,
      bindings,
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, text, 'item'),
    },
    c.adapter,
  );
}

/** Index of a chunk among the `[outer, chunks, inner]` totals. */
function chunkIndex({ lines, chunks }: Cut): string {
  return `${lineBase(lines, chunks, 'chunk_base')}\nlet chunk_at = chunk_base + chunk * ${lines.inner}u;`;
}

function chunkTotals(setting: Setting, cut: Cut, from: ShaderBinding, totals: ShaderBinding): Dispatch {
  const { dtype } = setting.c.output(0);
  const body = `var total = ${literal(setting.scan.identity, dtype)};
${overChunk(cut, `total = ${combined(setting, dtype, 'x[at]')};`)}
${chunkIndex(cut)}
out[chunk_at] = total;`;
  return dispatch(setting, 'totals', cut, [from, totals], body);
}

/** Every chunk from its beginning, which is in the binding called `before` unless there is one chunk per line. */
function walk(setting: Setting, cut: Cut, exclusive: boolean, bindings: ShaderBinding[]): Dispatch {
  const { dtype } = setting.c.output(0);
  const steps = exclusive
    ? ['let element = x[at];', 'out[at] = total;', `total = ${combined(setting, dtype, 'element')};`]
    : [`let sum = ${combined(setting, dtype, 'x[at]')};`, 'out[at] = sum;', 'total = sum;'];
  const begin =
    cut.chunks === 1
      ? `var total = ${literal(setting.scan.identity, dtype)};`
      : `${chunkIndex(cut)}\nvar total = before[chunk_at];`;
  return dispatch(setting, 'walk', cut, bindings, `${begin}\n${overChunk(cut, steps.join('\n'))}`);
}
