/**
 * Positions of the largest or smallest elements along an axis. Long lines are cut into chunks, each of
 * which finds a candidate; further dispatches choose among the candidates.
 */
import type { Dispatch, KernelContext, Lowered } from './kernel.js';
import { chunksPerLine, lineBase, linesAlong, lineWorkgroup, splitChunk, type Lines } from './lines.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { inputBinding, outputBinding, scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** Position of the first element along `axis` that `better` prefers to all others. NaN is preferred to nothing. */
export function lowerArg(c: KernelContext, axis: number, better: '>' | '<'): Lowered {
  const all = linesAlong(c, axis);
  if (all.outer * all.inner === 0) return { dispatches: [] };
  const dispatches: Dispatch[] = [];
  const scratch: number[] = [];
  for (let lines = all, pass = 0; ; pass++) {
    const chunks = chunksPerLine(lines, c.adapter);
    dispatches.push(candidates(c, better, { lines, chunks, pass }));
    if (chunks === 1) return { dispatches, scratch };
    lines = { ...lines, n: chunks };
    const bytes = lines.outer * chunks * lines.inner * 4;
    scratch.push(bytes, bytes);
  }
}

interface Pass {
  readonly lines: Lines;
  readonly chunks: number;
  readonly pass: number;
}

/** The elements of a line are dealt out to its chunks in turn, so equal candidates are told apart by position. */
function candidates(c: KernelContext, better: '>' | '<', { lines, chunks, pass }: Pass): Dispatch {
  const { outer, n, inner } = lines;
  const first = pass === 0;
  const position = first ? 'k' : 'positions[at]';
  const at = `base + k * ${inner}u`;
  const body = `${splitChunk(lines, chunks)}
${lineBase(lines, n)}
var best = x[base + chunk * ${inner}u];
var position = ${first ? 'chunk' : `positions[base + chunk * ${inner}u]`};
for (var k = chunk + ${chunks}u; k < ${n}u; k += ${chunks}u) {
let at = ${at};
let element = x[at];
let place = ${position};
if (${preferred(c, better, first)}) {
best = element;
position = place;
}
}
${store(c, lines, chunks)}`;
  const items = outer * inner * chunks;
  const size = lineWorkgroup(c.adapter, items);
  const grid = gridFor(items, 1, c.adapter, size);
  return shader(
    {
      label: `${better === '>' ? 'argMax' : 'argMin'}.${chunks === 1 ? 'last' : pass}`,
      bindings: bindings(c, pass, chunks === 1),
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
}

/** Whether `element` at `place` replaces `best` at `position`. Within one chunk of elements places only grow. */
function preferred(c: KernelContext, better: '>' | '<', first: boolean): string {
  const tie = first ? '' : ' || (element == best && place < position)';
  if (c.input(0).dtype !== 'float32') return `element ${better} best${tie}`;
  return `!is_nan(element) && (element ${better} best || is_nan(best)${tie})`;
}

function store(c: KernelContext, lines: Lines, chunks: number): string {
  if (chunks === 1) {
    return `out[line] = ${c.output(0).dtype.startsWith('u') ? 'position' : 'i32(position)'};`;
  }
  return `${lineBase(lines, chunks, 'target_base')}
best_out[target_base + chunk * ${lines.inner}u] = best;
position_out[target_base + chunk * ${lines.inner}u] = position;`;
}

function bindings(c: KernelContext, pass: number, last: boolean): ShaderBinding[] {
  const { dtype } = c.input(0);
  const scratch = (i: number, name: string, type = dtype): ShaderBinding => scratchBinding(i, name, type);
  const read = (binding: ShaderBinding): ShaderBinding => ({ ...binding, access: 'read' });
  const from =
    pass === 0
      ? [inputBinding(c, 0, 'x')]
      : [read(scratch(2 * pass - 2, 'x')), read(scratch(2 * pass - 1, 'positions', 'uint32'))];
  const to = last
    ? [outputBinding(c)]
    : [scratch(2 * pass, 'best_out'), scratch(2 * pass + 1, 'position_out', 'uint32')];
  return [...from, ...to];
}
