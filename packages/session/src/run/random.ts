/** Where random numbers stand: the step that keys every random kernel of a run. */
import { NO_SALT, type Salt } from '@forerun/kernels-webgpu';

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

  /** The random words of one run. */
  forRun(): RandomWords {
    let step: bigint | null = null;
    const take = (): bigint => {
      if (step !== null) return step;
      step = this.#step;
      this.step = step + 1n;
      return step;
    };
    return new RandomWords(this, take, NO_SALT);
  }
}

/** What the random kernels of one run bind: all parts of a run draw at one step, bodies with their salts. */
export class RandomWords {
  constructor(
    /** The session's, as the next run will find it. */
    readonly state: RandomState,
    private readonly take: () => bigint,
    private readonly salt: Salt,
  ) {}

  /** Low and high word of the step, and the salt. The first call in a run advances the session's step. */
  words(): Uint32Array<ArrayBuffer> {
    const step = this.take();
    return Uint32Array.of(Number(step & 0xffffffffn), Number(step >> 32n), ...this.salt);
  }

  withSalt(salt: Salt): RandomWords {
    return new RandomWords(this.state, this.take, salt);
  }
}
