/**
 * Sums over everything but the channel of `[outer, channels, inner]` tensors.
 * Each channel's elements are dealt out to chunks in turn, so that neighbouring invocations read
 * neighbouring elements; further dispatches add the chunks up, in an order that is always the same.
 */
import type { Dispatch, KernelContext } from './kernel.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

export interface ChannelSpace {
  readonly outer: number;
  readonly channels: number;
  readonly inner: number;
}

/** Several sums over the same elements. */
export interface ChannelSums {
  readonly label: string;
  readonly space: ChannelSpace;
  /** What `terms` read. */
  readonly inputs: readonly ShaderBinding[];
  /** f32 expressions in `at`, the element's index, and `channel`. */
  readonly terms: readonly string[];
  /** What `finish` reads and writes. */
  readonly results: readonly ShaderBinding[];
  /** Statements that use the f32 `sum0`, `sum1` … and `channel`. */
  readonly finish: string;
  /** Scratch buffers from this one on are used. */
  readonly scratch: number;
}

/** More elements than this are not added up by one invocation, for speed and for precision. */
const LONGEST = 1024;
/** Fewer than this are not worth an invocation of their own. */
const SHORTEST = 32;

export interface ChannelSumPasses {
  readonly dispatches: readonly Dispatch[];
  /** Bytes of the scratch buffers, in order. */
  readonly scratch: readonly number[];
}

/** The dispatches that compute `sums`. There must be channels; a channel may be without elements. */
export function channelSums(c: KernelContext, sums: ChannelSums): ChannelSumPasses {
  const dispatches: Dispatch[] = [];
  const scratch: number[] = [];
  let { space } = sums;
  for (let pass = 0; ; pass++) {
    const count = space.outer * space.inner;
    const chunks =
      pass > 0 && c.adapter.software && count <= LONGEST ? 1 : chunksFor(c, count, space.channels);
    const last = chunks === 1;
    dispatches.push(sumPass(c, sums, { space, pass, chunks, last }));
    if (last) return { dispatches, scratch };
    scratch.push(sums.terms.length * chunks * space.channels * 4);
    const { channels } = space;
    space = space.inner === 1 ? { outer: chunks, channels, inner: 1 } : { outer: 1, channels, inner: chunks };
  }
}

function chunksFor({ adapter }: KernelContext, count: number, channels: number): number {
  const wanted = Math.ceil((adapter.software ? 512 : 16384) / channels);
  const most = Math.floor(count / SHORTEST);
  return Math.max(1, Math.ceil(count / LONGEST), Math.min(wanted, most));
}

interface PassShape {
  readonly space: ChannelSpace;
  readonly pass: number;
  readonly chunks: number;
  readonly last: boolean;
}

function sumPass(c: KernelContext, sums: ChannelSums, { space, pass, chunks, last }: PassShape): Dispatch {
  const { channels, inner } = space;
  const size = channels * chunks;
  const grid = gridFor(size, 1, c.adapter, c.adapter.software && size < 4096 ? 8 : 64);
  const first = pass === 0;
  const read = scratchBinding(sums.scratch + pass - 1, 'partial_in', 'float32');
  const written = scratchBinding(sums.scratch + pass, 'partial_out', 'float32');
  const names = sums.terms.map((_, k) => `sum${k}`);
  const terms = first
    ? sums.terms
    : names.map((_, k) => `partial_in[at + ${k * space.outer * channels * inner}u]`);
  const store = names.map((name, k) => `partial_out[item + ${k * size}u] = ${name};`);
  const body = `let channel = ${inner === 1 ? `item % ${channels}u` : `item / ${chunks}u`};
let chunk = ${inner === 1 ? `item / ${channels}u` : `item % ${chunks}u`};
${names.map((name) => `var ${name} = 0.0;`).join('\n')}
for (${chunkLoop(c, space, chunks)}) {
let at = ${elementIndex(space, 'e')};
${names.map((name, k) => `${name} += ${terms[k] ?? ''};`).join('\n')}
}
${last ? sums.finish : store.join('\n')}`;
  return shader(
    {
      label: `${sums.label}.${pass}`,
      bindings: [
        ...(first ? sums.inputs : [{ ...read, access: 'read' as const }]),
        ...(last ? sums.results : [written]),
      ],
      workgroups: grid.workgroups,
      workgroupSize: c.adapter.software && size < 4096 ? 8 : 64,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
}

/**
 * The head of the loop over the elements of `chunk`: every so many elements, so that neighbouring invocations read
 * neighbours; on software adapters elements in a row, where the neighbours are the channels.
 */
function chunkLoop({ adapter }: KernelContext, { outer, inner }: ChannelSpace, chunks: number): string {
  const count = outer * inner;
  if (!adapter.software || inner !== 1) return `var e = chunk; e < ${count}u; e += ${chunks}u`;
  const length = Math.ceil(count / chunks);
  return `var e = chunk * ${length}u; e < min((chunk + 1u) * ${length}u, ${count}u); e++`;
}

/** Index of element `e`, a WGSL expression, of `channel`. */
export function elementIndex({ outer, channels, inner }: ChannelSpace, e: string): string {
  if (inner === 1) return `${e} * ${channels}u + channel`;
  if (outer === 1) return `channel * ${inner}u + ${e}`;
  return `((${e} / ${inner}u) * ${channels}u + channel) * ${inner}u + ${e} % ${inner}u`;
}
