/**
 * Batch normalization in training takes two passes over the elements, each one dispatch: the first leaves statistics of
 * a few chunks per channel, and every invocation of the second combines those of its channel before its own elements.
 * The chunks and the order in which they are combined are fixed, so results are the same in every run.
 */
import { elementIndex, type ChannelSpace } from './channelSums.js';
import type { Dispatch, KernelContext } from './kernel.js';
import { vectorType, type Width } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import { widen } from './wgsl/library.js';
import { scratchBinding, shader, type ShaderBinding } from './wgsl/shader.js';

/** What is known of a chunk: f32 variables, or `vec4`s for four channels. All texts are scalar WGSL that holds for `vec4`s. */
export interface ChunkStatistics {
  readonly label: string;
  readonly inputs: readonly ShaderBinding[];
  /** The variables, 0 at first; they are left for the second pass. */
  readonly state: readonly string[];
  /** Statements before everything; may use `channel` and `first`, the index of the chunk's first element. */
  readonly prepare?: string;
  /** Statements for the element at index `at`, which add to `sum0` and `sum1`. */
  readonly each: string;
  /** Statements that merge the sums over `size` elements into the state, which is one of `seen` elements. */
  readonly close: string;
  /** Statements that merge the state of `other_seen` elements in the variables `other_…` into the own one. */
  readonly join: string;
}

/** The chunks of every channel. */
export interface ChannelChunks {
  /** Channels are counted in units of `width`. */
  readonly space: ChannelSpace;
  readonly width: Width;
  readonly chunks: number;
  /** Invocations of the first pass that share a chunk. */
  readonly sharing: Sharing | null;
}

/** A workgroup of `rows` invocations for each of `channels` channels. */
interface Sharing {
  readonly channels: number;
  readonly rows: number;
}

/** Every invocation of the second pass reads the statistics of all chunks of its channel. */
const MOST_CHUNKS = 32;
/** Chunks of all channels that keep a software adapter's cores busy. */
const SOFTWARE_CHUNKS = 256;
/** Fewer elements are not worth an invocation of their own. */
const SHORTEST = 32;
/** Elements whose sums are merged into the state at once: short sums stay precise. */
const BLOCK = 256;
/** Invocations of a shared workgroup, and workgroups that keep a GPU busy. */
const SHARED_SIZE = 256;
const SHARED_GROUPS = 512;

/** How the elements of each channel are cut. There must be channels and elements. */
export function channelChunks({ adapter }: KernelContext, space: ChannelSpace): ChannelChunks {
  const width: Width = space.inner === 1 && space.channels % 4 === 0 ? 4 : 1;
  const channels = space.channels / width;
  const count = space.outer * space.inner;
  const counted = { ...space, channels };
  const limit = (wanted: number, shortest: number): number =>
    Math.max(1, Math.min(Math.ceil(wanted), Math.floor(count / shortest), MOST_CHUNKS));
  if (adapter.software) {
    return { space: counted, width, chunks: limit(SOFTWARE_CHUNKS / channels, SHORTEST), sharing: null };
  }
  const size = Math.min(SHARED_SIZE, 2 ** Math.floor(Math.log2(adapter.maxInvocations)));
  const across = space.inner > 1 ? 1 : Math.min(32, 2 ** Math.floor(Math.log2(channels)));
  const sharing = { channels: across, rows: size / across };
  const groups = SHARED_GROUPS / Math.ceil(channels / across);
  return { space: counted, width, chunks: limit(groups, sharing.rows * 4), sharing };
}

/** The first pass, which leaves the statistics in scratch buffer 0. */
export function chunkStatistics(
  c: KernelContext,
  chunks: ChannelChunks,
  statistics: ChunkStatistics,
): { readonly dispatch: Dispatch; readonly scratch: readonly number[] } {
  const { space, width } = chunks;
  const size = space.channels * chunks.chunks;
  const written = scratchBinding(0, 'partial_out', 'float32', width);
  const bindings = [...wide(statistics.inputs, width), written];
  const parts = { size, label: `${statistics.label}.chunks`, bindings };
  const dispatch =
    chunks.sharing === null ? alone(c, chunks, statistics, parts) : shared(c, chunks, statistics, parts);
  return { dispatch, scratch: [statistics.state.length * size * width * 4] };
}

interface Parts {
  readonly size: number;
  readonly label: string;
  readonly bindings: readonly ShaderBinding[];
}

function wide(bindings: readonly ShaderBinding[], width: Width): ShaderBinding[] {
  return width === 1 ? [...bindings] : bindings.map((binding) => ({ ...binding, width }));
}

/** Every invocation takes a chunk of a channel. */
function alone(c: KernelContext, chunks: ChannelChunks, statistics: ChunkStatistics, parts: Parts): Dispatch {
  const small = parts.size < 4096 ? 8 : 64;
  const grid = gridFor(parts.size, 1, c.adapter, small);
  const body = `${itemPlace(chunks)}
${chunkState(chunks, statistics, chunkRange(chunks, chunks.chunks, 'chunk'))}
${stores(statistics, parts.size, 'item')}`;
  const spec = {
    label: parts.label,
    bindings: parts.bindings,
    workgroups: grid.workgroups,
    workgroupSize: small,
  };
  return shader({ ...spec, body: gridStride(grid, body, 'item') }, c.adapter);
}

/** Every workgroup takes a chunk of some channels; its invocations merge what they have found in a tree. */
function shared(
  c: KernelContext,
  chunks: ChannelChunks,
  statistics: ChunkStatistics,
  parts: Parts,
): Dispatch {
  const { space, sharing, width } = chunks;
  const { channels: across = 1, rows = 1 } = sharing ?? {};
  const tiles = Math.ceil(space.channels / across);
  const count = space.outer * space.inner;
  const length = Math.ceil(count / chunks.chunks);
  const type = vectorType('f32', width);
  const names = statistics.state;
  const put = names.map((name) => `all_${name}[local_index] = ${name};`).join('\n');
  const other = names.map((name) => `let other_${name} = all_${name}[local_index + distance];`).join('\n');
  const range = `let begin = chunk * ${length}u + local_index / ${across}u;
let end = min((chunk + 1u) * ${length}u, ${count}u);
let stride = ${rows}u;`;
  const body = `let own_channel = (group_id.x % ${tiles}u) * ${across}u + local_index % ${across}u;
let channel = min(own_channel, ${space.channels - 1}u);
let chunk = group_id.x / ${tiles}u;
${chunkState(chunks, statistics, range)}
all_seen[local_index] = seen;
${put}
workgroupBarrier();
for (var distance = ${(rows / 2) * across}u; distance >= ${across}u; distance /= 2u) {
if (local_index < distance) {
let other_seen = all_seen[local_index + distance];
${other}
${widen(statistics.join, width)}
seen += other_seen;
all_seen[local_index] = seen;
${put}
}
workgroupBarrier();
}
if (local_index < ${across}u && own_channel < ${space.channels}u) {
let item = chunk * ${space.channels}u + channel;
${stores(statistics, parts.size, space.inner === 1 ? 'item' : `(channel * ${chunks.chunks}u + chunk)`)}
}`;
  const arrays = ['seen', ...names].map(
    (name) => `var<workgroup> all_${name}: array<${name === 'seen' ? 'f32' : type}, ${rows * across}>;`,
  );
  return shader(
    {
      label: parts.label,
      bindings: parts.bindings,
      workgroups: [tiles * chunks.chunks, 1, 1],
      workgroupSize: rows * across,
      declarations: arrays.join('\n'),
      body,
    },
    c.adapter,
  );
}

const UNROLLED = ['', ' + stride', ' + 2u * stride', ' + 3u * stride'];

/** Declares the state and brings the elements `begin`, `begin + stride` … of `channel` below `end` into it, block by block. */
function chunkState({ space, width }: ChannelChunks, statistics: ChunkStatistics, range: string): string {
  const type = vectorType('f32', width);
  const { state, prepare = '', each, close } = statistics;
  const element = (e: string): string => `{\nlet at = ${elementIndex(space, e)};\n${widen(each, width)}\n}`;
  return `${range}
var seen = 0.0;
${state.map((name) => `var ${name} = ${type}(0.0);`).join('\n')}
let first = ${elementIndex(space, `min(begin, ${space.outer * space.inner - 1}u)`)};
${widen(prepare, width)}
for (var block = begin; block < end; block += stride * ${BLOCK}u) {
let block_end = min(block + stride * ${BLOCK}u, end);
var sum0 = ${type}(0.0);
var sum1 = ${type}(0.0);
var e = block;
for (; e + 3u * stride < block_end; e += 4u * stride) {
${UNROLLED.map((offset) => element(`(e${offset})`)).join('\n')}
}
for (; e < block_end; e += stride) ${element('e')}
let size = f32((block_end - block + stride - 1u) / stride);
${widen(close, width)}
seen += size;
}`;
}

function stores({ state }: ChunkStatistics, size: number, item: string): string {
  return state.map((name, k) => `partial_out[${item} + ${k * size}u] = ${name};`).join('\n');
}

/** Declares `channel` and `chunk` of item `item`: neighbours differ in what lies side by side in memory. */
function itemPlace({ space, chunks }: ChannelChunks): string {
  const [fast, slow] = [`item % ${space.channels}u`, `item / ${space.channels}u`];
  if (space.inner === 1) return `let channel = ${fast};\nlet chunk = ${slow};`;
  return `let channel = item / ${chunks}u;\nlet chunk = item % ${chunks}u;`;
}

/**
 * Declares `begin`, `end` and `stride` of the elements of part `part` of `parts`: elements in a row where the neighbours are the
 * channels, else every so many.
 */
function chunkRange({ space }: ChannelChunks, parts: number, part: string): string {
  const count = space.outer * space.inner;
  if (space.inner > 1) return `let begin = ${part};\nlet end = ${count}u;\nlet stride = ${parts}u;`;
  const length = Math.ceil(count / parts);
  return `let begin = ${part} * ${length}u;\nlet end = min((${part} + 1u) * ${length}u, ${count}u);\nlet stride = 1u;`;
}

/** WGSL for the number of elements of chunk `chunk`, as f32. */
function chunkSize({ space, chunks, sharing }: ChannelChunks, chunk: string): string {
  const count = space.outer * space.inner;
  if (space.inner > 1 && sharing === null) return `f32((${count + chunks - 1}u - ${chunk}) / ${chunks}u)`;
  const length = Math.ceil(count / chunks);
  // The last chunks of few elements may have none.
  return `f32(min((${chunk} + 1u) * ${length}u, ${count}u) - min(${chunk} * ${length}u, ${count}u))`;
}

/** The second pass: what is made of the combined statistics. All texts are scalar WGSL that holds for `vec4`s. */
export interface ChunkedPasses {
  readonly label: string;
  /** Elements at a time; where a channel's elements lie side by side its vectors stay scalars. */
  readonly elementWidth: Width;
  /** The variables that the first pass has left. */
  readonly state: readonly string[];
  /** Statements before the loop over chunks, in which `part_…` name the statistics of a chunk and `size` its elements. */
  readonly prepare: string;
  readonly eachChunk: string;
  /** What is done once per channel. Its bindings have an element per channel. */
  readonly vectors: { readonly bindings: readonly ShaderBinding[]; readonly once: string };
  readonly elements: {
    readonly bindings: readonly ShaderBinding[];
    /** Statements before the loop over elements. */
    readonly prepare: string;
    /** Statements for the element, or four elements, at `at`. */
    readonly each: string;
  };
}

/**
 * The dispatch in which every invocation combines the chunks of a channel and then takes some of its elements, the
 * vectors beside. With more bindings than the adapter has, the vectors come in a dispatch of their own.
 */
export function chunkedPasses(c: KernelContext, chunks: ChannelChunks, pass: ChunkedPasses): Dispatch[] {
  const vectors = wide(pass.vectors.bindings, chunks.width);
  const { bindings } = pass.elements;
  const shared = vectors.filter(({ name }) => !bindings.some((other) => other.name === name));
  if (1 + bindings.length + shared.length <= c.adapter.maxBindings) {
    return [
      chunkedPass(c, chunks, pass, { bindings: [...bindings, ...shared], vectors: true, elements: true }),
    ];
  }
  return [
    chunkedPass(c, chunks, pass, { bindings: vectors, vectors: true, elements: false }),
    chunkedPass(c, chunks, pass, { bindings, vectors: false, elements: true }),
  ];
}

/** What of a pass is done in a dispatch. */
interface PassPart {
  readonly bindings: readonly ShaderBinding[];
  readonly vectors: boolean;
  readonly elements: boolean;
}

function chunkedPass(c: KernelContext, chunks: ChannelChunks, pass: ChunkedPasses, part: PassPart): Dispatch {
  const { space, width } = chunks;
  const inner = { ...space, inner: (space.inner * width) / pass.elementWidth };
  const workers = part.elements ? workersFor(c, chunks, inner.outer * inner.inner) : 1;
  const items = workers * space.channels;
  const size = c.adapter.software && items < 4096 ? 8 : 64;
  const grid = gridFor(items, 1, c.adapter, size);
  const read = { ...scratchBinding(0, 'partial_in', 'float32', width), access: 'read' as const };
  const total = space.channels * chunks.chunks;
  const at =
    space.inner === 1 ? `chunk * ${space.channels}u + channel` : `channel * ${chunks.chunks}u + chunk`;
  const parts = pass.state.map((name, k) => `let part_${name} = partial_in[${at} + ${k * total}u];`);
  const cut = { ...chunks, space: inner, chunks: workers };
  const once = part.elements ? `if (worker == 0u) {\n${pass.vectors.once}\n}` : pass.vectors.once;
  const body = [
    itemPlace({ ...cut, space }).replace('let chunk =', 'let worker ='),
    widen(pass.prepare, width),
    // There is one row of workgroups: a constant bound would have drivers unroll the loop and compile for seconds.
    `let chunk_end = ${chunks.chunks}u * num_groups.y;`,
    'for (var chunk = 0u; chunk < chunk_end; chunk += 1u) {',
    ...parts,
    ...(/\bsize\b/.test(pass.eachChunk) ? [`let size = ${chunkSize(chunks, 'chunk')};`] : []),
    widen(pass.eachChunk, width),
    '}',
    ...(part.vectors ? [widen(once, width)] : []),
    ...(part.elements ? [elementLoop(cut, workers, pass)] : []),
  ].join('\n');
  return shader(
    {
      label: part.elements ? pass.label : `${pass.label}.vectors`,
      bindings: [read, ...part.bindings],
      workgroups: grid.workgroups,
      workgroupSize: size,
      body: gridStride(grid, body, 'item'),
    },
    c.adapter,
  );
}

/** The loop over the elements of worker `worker`. */
function elementLoop(cut: ChannelChunks, workers: number, { elements }: ChunkedPasses): string {
  return `${widen(elements.prepare, cut.width)}
${chunkRange(cut, workers, 'worker')}
for (var e = begin; e < end; e += stride) {
let at = ${elementIndex(cut.space, 'e')};
${widen(elements.each, cut.width)}
}`;
}

/** Invocations per channel: enough for the adapter, but each with more elements than there are chunks to combine. */
function workersFor({ adapter }: KernelContext, { space, chunks }: ChannelChunks, count: number): number {
  const wanted = Math.ceil((adapter.software ? SOFTWARE_CHUNKS : 65_536) / space.channels);
  return Math.max(1, Math.min(wanted, Math.floor(count / Math.max(4, 2 * chunks))));
}
