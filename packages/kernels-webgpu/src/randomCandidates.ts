/**
 * Candidate samplers. Candidate t is drawn from block t of the stream by integer arithmetic, so that every
 * adapter draws the same classes; expected counts are ordinary floats. Unique candidates are the first
 * occurrences in order of t, as if they were drawn one by one: one workgroup draws as many at a time as it has
 * invocations, and a table holds the first t of every class.
 */
import { sizeOf, type OpName } from '@forerun/graph';
import { device, hostOp, type Dispatch, type Kernel, type KernelContext, type Lowered } from './kernel.js';
import { WIDE } from './randomCategorical.js';
import { PHILOX, seededStream } from './randomStream.js';
import { SOFT_FLOAT, softLiteral, softTables } from './softFloat.js';
import { literal } from './wgsl/dtype.js';
import { gridFor, gridStride } from './wgsl/indexing.js';
import {
  dataBinding,
  inputBinding,
  outputBinding,
  scratchBinding,
  shader,
  type ShaderBinding,
} from './wgsl/shader.js';

/** After these many draws classes are taken in order: a class of tiny weight may never be drawn. */
const MOST_TRIES = 2 ** 24;

/** How classes are drawn. */
interface Sampler {
  readonly range: number;
  /** Declares `fn candidate_of(bits: vec4<u32>) -> u32`. */
  readonly candidate: string;
  readonly tables: readonly ShaderBinding[];
  /** f32 expression: the probability of class `k` (i32). */
  readonly probability: string;
  readonly weights: readonly ShaderBinding[];
}

function uniformSampler(c: KernelContext): Sampler {
  const range = c.attrs.int('range_max');
  return {
    range,
    candidate: `${WIDE}
fn candidate_of(bits: vec4<u32>) -> u32 {
  return scale_wide(bits.xy, vec2<u32>(0u, ${range}u)).y;
}`,
    tables: [],
    probability: literal(1 / range, 'float32'),
    weights: [],
  };
}

/** floor(e^(u log(range + 1))) - 1. */
function logUniformSampler(c: KernelContext): Sampler {
  const range = c.attrs.int('range_max');
  return {
    range,
    candidate: `${SOFT_FLOAT}
fn candidate_of(bits: vec4<u32>) -> u32 {
  let power = soft_exp(soft_mul(soft(bits.x | 1u, -32, false), ${softLiteral(Math.log1p(range))}));
  return min(max(soft_whole(power), 1u) - 1u, ${range - 1}u);
}`,
    tables: softTables(),
    probability: `log1p(1.0 / (f32(k) + 1.0)) * ${literal(1 / Math.log1p(range), 'float32')}`,
    weights: [],
  };
}

/** The weights of the classes of a shard. */
function unigramWeights(c: KernelContext): number[] {
  const [distortion, shards, shard] = [
    c.attrs.float('distortion'),
    c.attrs.int('num_shards'),
    c.attrs.int('shard'),
  ];
  const reserved = new Array<number>(c.attrs.int('num_reserved_ids')).fill(0);
  const own = c.attrs.floats('unigrams').map((weight) => Math.pow(weight, distortion));
  return [...reserved, ...own].filter((_, id) => id % shards === shard);
}

/** Weights as whole numbers of 2^-40 of their sum, added up. */
function fixedSampler(c: KernelContext): Sampler {
  if (c.attrs.string('vocab_file') !== '') c.unsupported('vocab_file is not read: give unigrams');
  const weights = unigramWeights(c);
  const range = weights.length;
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const possible = shares.filter((share) => share > 0).length;
  if (possible < (c.attrs.bool('unique') ? c.attrs.int('num_sampled') : 1)) {
    c.unsupported(`only ${possible} classes have a weight above 0`);
  }
  const words = new Uint32Array(2 * range);
  let sum = 0;
  shares.forEach((share, k) => {
    sum += share > 0 ? Math.max(1, Math.round(share * 2 ** 40)) : 0;
    words.set([Math.floor(sum / 2 ** 32), sum % 2 ** 32], 2 * k);
  });
  return {
    range,
    candidate: `${WIDE}
fn candidate_of(bits: vec4<u32>) -> u32 {
  let place = scale_wide(bits.xy, vec2<u32>(sums[${2 * range - 2}u], sums[${2 * range - 1}u]));
  var low = 0u;
  var high = ${range}u;
  while (low < high) {
    let middle = (low + high) / 2u;
    if (above_wide(vec2<u32>(sums[2u * middle], sums[2u * middle + 1u]), place)) { high = middle; } else { low = middle + 1u; }
  }
  return low;
}`,
    tables: [dataBinding(words, 'sums')],
    probability: `select(0.0, shares[clamp(k, 0, ${range - 1})], k >= 0 && k < ${range})`,
    weights: [dataBinding(new Uint32Array(Float32Array.from(shares).buffer), 'shares', 'float32')],
  };
}

/** `num_sampled` candidates, of which some may be equal. */
function drawAny(c: KernelContext, { candidate, tables }: Sampler): Dispatch {
  const stream = seededStream(c);
  const grid = gridFor(c.attrs.int('num_sampled'), 1, c.adapter);
  return shader(
    {
      label: `${c.op}.draw`,
      bindings: [...stream.bindings, ...tables, outputBinding(c)],
      workgroups: grid.workgroups,
      declarations: `${PHILOX}\n${candidate}`,
      body: gridStride(grid, `out[i] = i32(candidate_of(${stream.draw('i', '0u')}));`),
    },
    c.adapter,
  );
}

/** `first_tries` (scratch 0) starts above all tries. */
function clearTable(c: KernelContext, range: number): Dispatch {
  const grid = gridFor(range, 1, c.adapter);
  return shader(
    {
      label: `${c.op}.clear`,
      bindings: [scratchBinding(0, 'first_tries', 'uint32')],
      workgroups: grid.workgroups,
      body: gridStride(grid, 'first_tries[i] = 0xffffffffu;'),
    },
    c.adapter,
  );
}

/** Different candidates; leaves the number of tries in scratch 1. */
function drawUnique(c: KernelContext, { candidate, tables, range }: Sampler): Dispatch {
  const stream = seededStream(c);
  const count = c.attrs.int('num_sampled');
  const lanes = Math.min(256, c.adapter.maxInvocations);
  // Every lane takes part in every barrier: the loop depends on a number that all of them share.
  const body = `var kept = 0u;
for (var begin = 0u; kept < ${count}u; begin += ${lanes}u) {
let try_number = begin + local_index;
var candidate = (try_number - ${MOST_TRIES}u) % ${range}u;
if (try_number < ${MOST_TRIES}u) { candidate = candidate_of(${stream.draw('try_number', '0u')}); }
atomicMin(&first_tries[candidate], try_number);
storageBarrier();
let is_first = atomicLoad(&first_tries[candidate]) == try_number;
counts[local_index] = select(0u, 1u, is_first);
workgroupBarrier();
for (var distance = 1u; distance < ${lanes}u; distance *= 2u) {
var sum = counts[local_index];
if (local_index >= distance) { sum += counts[local_index - distance]; }
workgroupBarrier();
counts[local_index] = sum;
workgroupBarrier();
}
let position = kept + counts[local_index] - 1u;
if (is_first && position < ${count}u) {
out[position] = i32(candidate);
if (position == ${count - 1}u) { tries[0] = try_number + 1u; }
}
kept += workgroupUniformLoad(&counts[${lanes - 1}]);
}`;
  return shader(
    {
      label: `${c.op}.drawUnique`,
      bindings: [
        ...stream.bindings,
        ...tables,
        { ...scratchBinding(0, 'first_tries', 'uint32'), atomic: true },
        scratchBinding(1, 'tries', 'uint32'),
        outputBinding(c),
      ],
      workgroups: [1, 1, 1],
      workgroupSize: lanes,
      declarations: `${PHILOX}\n${candidate}\nvar<workgroup> counts: array<u32, ${lanes}>;`,
      body,
    },
    c.adapter,
  );
}

/** Expected counts of the classes in `classes`: p tries, or 1 - (1 - p)^tries where the tries were more than the sample. */
function expectedCounts(
  c: KernelContext,
  sampler: Sampler,
  classes: ShaderBinding,
  output: number,
): Dispatch[] {
  const size = sizeOf(c.output(output).shape);
  if (size === 0) return [];
  const unique = c.attrs.bool('unique');
  const count = c.attrs.int('num_sampled');
  const grid = gridFor(size, 1, c.adapter);
  const seen = unique ? 'tries[0]' : `${count}u`;
  const body = `let k = classes[i];
let p = ${sampler.probability};
let seen = ${seen};
out[i] = select(-expm1(f32(seen) * log1p(-p)), p * f32(seen), seen == ${count}u);`;
  const tries: ShaderBinding[] = unique ? [{ ...scratchBinding(1, 'tries', 'uint32'), access: 'read' }] : [];
  const dispatch = shader(
    {
      label: `${c.op}.expected`,
      bindings: [
        ...sampler.weights,
        ...tries,
        { ...classes, name: 'classes', access: 'read' },
        outputBinding(c, output),
      ],
      workgroups: grid.workgroups,
      body: gridStride(grid, body),
    },
    c.adapter,
  );
  return [dispatch];
}

function lowerSampler(c: KernelContext, sampler: Sampler): Lowered {
  const unique = c.attrs.bool('unique');
  const tableBytes = 4 * sampler.range;
  const draws = unique ? [clearTable(c, sampler.range), drawUnique(c, sampler)] : [drawAny(c, sampler)];
  return {
    dispatches: [
      ...draws,
      ...expectedCounts(c, sampler, inputBinding(c, 0, 'classes'), 1),
      ...expectedCounts(c, sampler, outputBinding(c, 0), 2),
    ],
    scratch: unique ? [tableBytes, 4] : [],
  };
}

/** Classes 0, 1, 2 …; all counts are 1. */
function lowerAll(c: KernelContext): Lowered {
  const dispatches = [0, 1, 2].flatMap((output) => {
    const size = sizeOf(c.output(output).shape);
    if (size === 0) return [];
    const grid = gridFor(size, 1, c.adapter);
    const dispatch = shader(
      {
        label: c.op,
        bindings: [outputBinding(c, output)],
        workgroups: grid.workgroups,
        body: gridStride(grid, `out[i] = ${output === 0 ? 'i32(i)' : '1.0'};`),
      },
      c.adapter,
    );
    return [dispatch];
  });
  return { dispatches };
}

export const CANDIDATE_KERNELS = {
  UniformCandidateSampler: device((c) => lowerSampler(c, uniformSampler(c))),
  LogUniformCandidateSampler: device((c) => lowerSampler(c, logUniformSampler(c))),
  FixedUnigramCandidateSampler: device((c) => lowerSampler(c, fixedSampler(c))),
  LearnedUnigramCandidateSampler: hostOp('the session counts the classes that were true before'),
  AllCandidateSampler: device(lowerAll),
  ComputeAccidentalHits: hostOp('the number of hits depends on the values'),
} satisfies Partial<Record<OpName, Kernel>>;
