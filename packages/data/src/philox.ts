/**
 * Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011), the
 * generator behind shuffling. It is counter-based: the numbers of epoch e follow from (seed, e) alone, so a
 * resumed program needs no stored generator state.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_32 = 2 ** 32;

/** Upper 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  // Neither sum passes 2^53, so the carries are exact.
  return (aHigh * bHigh + Math.floor((aLow * bHigh + cross) / 0x10000)) >>> 0;
}

/** One block: writes the four 32-bit words for a 128-bit `counter` and a 64-bit key into `out`. */
export function philoxBlock(counter: Uint32Array, key0: number, key1: number, out: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0] = [counter[0], counter[1], counter[2], counter[3]];
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, a);
    const high1 = multiplyHigh(MULTIPLIER_1, c);
    const low0 = Math.imul(MULTIPLIER_0, a) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, c) >>> 0;
    a = (high1 ^ b ^ key0) >>> 0;
    b = low1;
    c = (high0 ^ d ^ key1) >>> 0;
    d = low0;
    key0 = (key0 + WEYL_0) >>> 0;
    key1 = (key1 + WEYL_1) >>> 0;
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** Low and high 32-bit halves of a safe integer, negative ones in two's complement. */
function halves(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / TWO_32) >>> 0];
}

/** A stream of uniform integers that depends on (`seed`, `epoch`) alone. */
export class PhiloxStream {
  readonly #key0: number;
  readonly #key1: number;
  readonly #counter: Uint32Array;
  readonly #block = new Uint32Array(4);
  #used = 4;

  /** @param seed Safe integer, the key. @param epoch Safe integer >= 0, upper half of the counter. */
  constructor(seed: number, epoch: number) {
    [this.#key0, this.#key1] = halves(seed);
    this.#counter = Uint32Array.of(0, 0, ...halves(epoch));
  }

  /** The next uniform integer in [0, 2^32). */
  nextUint32(): number {
    if (this.#used === 4) {
      philoxBlock(this.#counter, this.#key0, this.#key1, this.#block);
      this.#advance();
      this.#used = 0;
    }
    return this.#block[this.#used++] ?? 0;
  }

  #advance(): void {
    const low = ((this.#counter[0] ?? 0) + 1) >>> 0;
    this.#counter[0] = low;
    if (low === 0) this.#counter[1] = (this.#counter[1] ?? 0) + 1;
  }

  /** The next uniform integer in [0, `bound`), without bias; `bound` in [1, 2^32]. */
  below(bound: number): number {
    const limit = TWO_32 - (TWO_32 % bound);
    let word = this.nextUint32();
    while (word >= limit) word = this.nextUint32();
    return word % bound;
  }
}
