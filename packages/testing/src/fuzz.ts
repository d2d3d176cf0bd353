/**
 * Damaged files for the tests of parsers: seeded mutations of good ones. A parser has to give a result or one
 * `DataLossError` or `InvalidArgumentError` (or `UnimplementedError` for versions and codecs that it does not know), soon and
 * without allocating what a damaged length asks for.
 */
import { DataLossError, InvalidArgumentError, UnimplementedError } from '@forerun/graph';
import { Random } from './random.js';

/** Inputs of one parser: few as a rule, very many with `FORERUN_FUZZ=long`. */
export const FUZZ_ROUNDS = process.env.FORERUN_FUZZ === 'long' ? 100_000 : 2000;

/** Integers below a bound, the same on every run. */
export type Draw = (bound: number) => number;

/** A generator of draws. */
export function draws(seed: number): Draw {
  const random = new Random(seed);
  return (bound) => random.integer(0, bound);
}

/** Values that damaged lengths, counts and offsets are likeliest to break something with. */
const EDGES = [
  0n,
  1n,
  0x7fn,
  0xffn,
  0xffffn,
  0x7fffffffn,
  0xffffffffn,
  1n << 60n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];

/** A damaged copy: bits flipped, bytes changed, lengths of extremes, parts cut out, doubled or moved, the end cut off. */
export function mutate(bytes: Uint8Array, draw: Draw): Uint8Array {
  let copy: Uint8Array = bytes.slice();
  for (let i = draw(4); i >= 0; i--) copy = mutateOnce(copy, draw);
  return copy;
}

function mutateOnce(bytes: Uint8Array, draw: Draw): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(draw(256));
  const at = draw(bytes.length);
  const span = 1 + draw(Math.min(16, bytes.length - at));
  switch (draw(8)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draw(8));
      return bytes;
    case 1:
    case 2:
      bytes[at] = draw(256);
      return bytes;
    case 3:
      return withEdge(bytes, at, draw);
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + span));
    case 5:
      return joined(bytes.subarray(0, at + span), bytes.subarray(at));
    case 6: {
      bytes.copyWithin(draw(bytes.length), at, at + span);
      return bytes;
    }
    default:
      return bytes.slice(0, at);
  }
}

function withEdge(bytes: Uint8Array, at: number, draw: Draw): Uint8Array {
  const edge = EDGES[draw(EDGES.length)] ?? 0n;
  const width = [1, 2, 4, 8][draw(4)] ?? 8;
  const big = draw(2) === 0;
  for (let i = 0; i < width && at + i < bytes.length; i++) {
    bytes[at + i] = Number((edge >> BigInt(8 * (big ? width - 1 - i : i))) & 0xffn);
  }
  return bytes;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const result = new Uint8Array(a.length + b.length);
  result.set(a);
  result.set(b, a.length);
  return result;
}

/** What to feed to which parser. */
export interface FuzzOptions {
  /** Good files, mutated in turn. */
  readonly seeds: readonly Uint8Array[];
  readonly parse: (bytes: Uint8Array) => unknown;
  readonly rounds?: number;
  readonly seed?: number;
  /** Largest growth of memory outside of JavaScript's heap while one input is parsed, in bytes. */
  readonly maxGrowth?: number;
}

/** How the inputs ended. */
export interface FuzzResult {
  readonly refused: number;
  readonly accepted: number;
}

/** Feeds damaged files to a parser. Throws, with the input, for any error but the three, and for memory that was taken. */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { seeds, parse, rounds = FUZZ_ROUNDS, seed = 1, maxGrowth = 2 ** 28 } = options;
  const draw = draws(seed);
  let [refused, accepted] = [0, 0];
  for (let round = 0; round < rounds; round++) {
    const input = mutate(seeds[round % seeds.length] ?? new Uint8Array(0), draw);
    const before = process.memoryUsage().arrayBuffers;
    const error = await failureOf(parse, input);
    if (error === undefined) accepted++;
    else refused++;
    const growth = process.memoryUsage().arrayBuffers - before;
    if (growth > maxGrowth) throw new Error(`round ${round} took ${growth} bytes: ${describe(input)}`);
    if (error !== undefined && !isRefusal(error)) {
      const text = error instanceof Error ? String(error) : 'no Error was thrown';
      throw new Error(`round ${round}: ${text}\n${describe(input)}`, { cause: error });
    }
  }
  return { refused, accepted };
}

async function failureOf(parse: FuzzOptions['parse'], input: Uint8Array): Promise<unknown> {
  try {
    await parse(input);
    return undefined;
  } catch (error) {
    return error;
  }
}

function isRefusal(error: unknown): boolean {
  const known = [DataLossError, InvalidArgumentError, UnimplementedError];
  return known.some((Kind) => error instanceof Kind) && (error as Error).message.length > 10;
}

function describe(input: Uint8Array): string {
  const hex = Buffer.from(input.subarray(0, 4096)).toString('hex');
  return `${input.length} bytes: ${hex}`;
}
