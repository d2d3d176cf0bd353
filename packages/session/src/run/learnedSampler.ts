/**
 * LearnedUnigramCandidateSampler: the session keeps how often each class was true and draws in that proportion.
 * The counts belong to the node and the session, as in TensorFlow: checkpoints do not keep them.
 */
import { fromHostValue, InvalidArgumentError, type TensorValue } from '@forerun/graph';
import { philoxKey } from '@forerun/kernels-webgpu';
import type { VariableStore } from '../variables.js';
import type { HostStepFn, HostStepNode } from './hostOps.js';

/** After these many draws that gave nothing new the rest is taken in order. */
const MOST_TRIES = 2 ** 20;

/** Whole weights with prefix sums in a binary indexed tree (Fenwick, 1994): both updates and draws are short. */
class Weights {
  readonly #tree: Float64Array;
  total = 0;

  /** Every class begins with weight 1. */
  constructor(readonly size: number) {
    this.#tree = new Float64Array(size + 1);
    for (let k = 0; k < size; k++) this.add(k);
  }

  /** One more of class `k`. */
  add(k: number): void {
    for (let i = k + 1; i <= this.size; i += i & -i) this.#tree[i] = (this.#tree[i] ?? 0) + 1;
    this.total++;
  }

  /** The class that the place `at` of all weights in a row belongs to. */
  classAt(at: number): number {
    let [low, rest] = [0, at];
    for (let step = 2 ** Math.floor(Math.log2(this.size)); step >= 1; step /= 2) {
      const next = low + step;
      const weight = this.#tree[next] ?? Infinity;
      if (next <= this.size && weight <= rest) {
        low = next;
        rest -= weight;
      }
    }
    return low;
  }

  weight(k: number): number {
    const upTo = (end: number): number => {
      let sum = 0;
      for (let i = end; i > 0; i -= i & -i) sum += this.#tree[i] ?? 0;
      return sum;
    };
    return upTo(k + 1) - upTo(k);
  }
}

const learned = new WeakMap<VariableStore, Map<string, Weights>>();

function weightsOf(store: VariableStore, { name, attrs }: HostStepNode): Weights {
  const nodes = learned.get(store) ?? new Map<string, Weights>();
  learned.set(store, nodes);
  const range = attrs.int('range_max');
  const known = nodes.get(name);
  if (known?.size === range) return known;
  const fresh = new Weights(range);
  nodes.set(name, fresh);
  return fresh;
}

/** The upper 64 bits of Philox4x32-10's block for a draw of a step: element, attempt 0, step; the salt goes to the key. */
function randomBits(
  draw: number,
  [low = 0, high = 0, salt = 0, salt2 = 0]: Uint32Array,
  [seed = 0, seed2 = 0]: Uint32Array,
): bigint {
  const mask = 0xffffffffn;
  let words: [bigint, bigint, bigint, bigint] = [BigInt(draw), 0n, BigInt(low), BigInt(high)];
  let keys: [bigint, bigint] = [BigInt((seed + salt) >>> 0), BigInt((seed2 + salt2) >>> 0)];
  for (let round = 0; round < 10; round++) {
    const [first, second] = [words[0] * 0xd2511f53n, words[2] * 0xcd9e8d57n];
    words = [
      (second >> 32n) ^ words[1] ^ keys[0],
      second & mask,
      (first >> 32n) ^ words[3] ^ keys[1],
      first & mask,
    ];
    keys = [(keys[0] + 0x9e3779b9n) & mask, (keys[1] + 0xbb67ae85n) & mask];
  }
  return (words[0] << 32n) | words[1];
}

interface Sample {
  readonly classes: readonly number[];
  readonly tries: number;
}

function draw({ attrs, name }: HostStepNode, weights: Weights, step: Uint32Array): Sample {
  const [count, unique] = [attrs.int('num_sampled'), attrs.bool('unique')];
  const key = philoxKey(attrs.bigint('seed'), attrs.bigint('seed2'), name);
  const total = BigInt(weights.total);
  const classes: number[] = [];
  const seen = new Set<number>();
  let tries = 0;
  for (; classes.length < count; tries++) {
    const late = tries >= MOST_TRIES;
    const k = late
      ? (tries - MOST_TRIES) % weights.size
      : weights.classAt(Number((randomBits(tries, step, key) * total) >> 64n));
    if (unique && seen.has(k)) continue;
    seen.add(k);
    classes.push(k);
  }
  return { classes, tries };
}

/** Draws, tells what was to be expected, and then counts the true classes. */
export const learnedUnigram: HostStepFn = (node, [trueClasses], { variables, random }) => {
  const weights = weightsOf(variables, node);
  const given = Array.from(trueClasses?.data ?? [], Number);
  const wrong = given.find((k) => !(k >= 0 && k < weights.size));
  if (wrong !== undefined) {
    throw new InvalidArgumentError(
      `${node.type} "${node.name}": class ${wrong} is out of range [0, ${weights.size})${node.site()}`,
      { node: node.name },
    );
  }
  const { classes, tries } = draw(node, weights, random.words());
  const expected = (k: number): number => {
    const p = weights.weight(k) / weights.total;
    return tries === classes.length ? p * tries : -Math.expm1(tries * Math.log1p(-p));
  };
  const counts = (list: readonly number[], shape: readonly number[]): TensorValue =>
    fromHostValue({ dtype: 'float32', shape, data: Float64Array.from(list, expected) });
  const results = [
    fromHostValue({ dtype: 'int64', shape: [classes.length], data: Float64Array.from(classes) }),
    counts(given, trueClasses?.shape ?? []),
    counts(classes, [classes.length]),
  ];
  for (const k of given) weights.add(k);
  return results;
};
