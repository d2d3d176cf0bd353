/**
 * The session's random step. Random kernels are counter-based: they are keyed by the op's seeds and
 * this step, so a run is reproduced by restoring the step. It advances on every run that draws.
 */
export class RandomState {
  #step = 0n;

  get step(): bigint {
    return this.#step;
  }

  set step(step: bigint) {
    this.#step = BigInt.asUintN(64, step);
  }

  /** The words that kernels bind (low, high, 0, 0); advances the step. */
  next(): Uint32Array<ArrayBuffer> {
    const words = Uint32Array.of(Number(this.#step & 0xffffffffn), Number(this.#step >> 32n), 0, 0);
    this.step = this.#step + 1n;
    return words;
  }
}
