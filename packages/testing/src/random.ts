/** A small seeded generator, so that tests use the same "random" numbers on every run. */

/** Numbers that depend on `seed` only (xorshift32 after a multiplicative scramble of the seed). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) >>> 0 || 1;
    for (let i = 0; i < 8; i++) this.next();
  }

  /** Uniform in [0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 2 ** 32;
  }

  /** Uniform in [low, high). */
  uniform(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** An integer in [low, high). */
  integer(low: number, high: number): number {
    return Math.floor(this.uniform(low, high));
  }

  /** `length` numbers in [low, high). */
  array(length: number, low = -1, high = 1): Float64Array {
    return Float64Array.from({ length }, () => this.uniform(low, high));
  }
}
