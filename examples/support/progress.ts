/** The training programs' progress line: a bar on a terminal, a line now and then elsewhere. */
import cliProgress from 'cli-progress';

/** What is shown beside the bar. */
export interface Measures {
  readonly loss: number;
  readonly accuracy: number;
}

/** How much of the mean is left after a step: it looks back about twenty steps. */
const DECAY = 0.95;

/** Shows how far a training run is, with running means of loss and accuracy. */
export class TrainingProgress {
  readonly #bar: cliProgress.SingleBar | null;
  readonly #started = performance.now();
  readonly #lineEvery: number;
  readonly #sums = { loss: 0, accuracy: 0 };
  #weight = 0;

  constructor(
    private readonly firstStep: number,
    private readonly lastStep: number,
    private readonly batch: number,
  ) {
    this.#lineEvery = Math.max(1, Math.round((lastStep - firstStep) / 10));
    this.#bar = process.stdout.isTTY ? makeBar() : null;
    this.#bar?.start(lastStep, firstStep, { loss: '–', accuracy: '–', rate: '–', left: '–' });
  }

  /** Call after every step; `step` counts from one. */
  update(step: number, { loss, accuracy }: Measures): void {
    // An exponential mean without the bias towards its start, as Adam corrects its moments.
    this.#weight = DECAY * this.#weight + (1 - DECAY);
    this.#sums.loss = DECAY * this.#sums.loss + (1 - DECAY) * loss;
    this.#sums.accuracy = DECAY * this.#sums.accuracy + (1 - DECAY) * accuracy;
    const seconds = (performance.now() - this.#started) / 1000;
    const done = step - this.firstStep;
    const shown = {
      loss: (this.#sums.loss / this.#weight).toFixed(4),
      accuracy: `${((100 * this.#sums.accuracy) / this.#weight).toFixed(1)}%`,
      rate: ((done * this.batch) / seconds).toFixed(0),
      left: duration((seconds / done) * (this.lastStep - step)),
    };
    if (this.#bar !== null) this.#bar.update(step, shown);
    else if (done % this.#lineEvery === 0 || step === this.lastStep) {
      const { rate, left } = shown;
      console.log(
        `step ${step}/${this.lastStep}  loss ${shown.loss}  accuracy ${shown.accuracy}  ${rate} images/s  ${left} left`,
      );
    }
  }

  /** Ends the line. */
  stop(): void {
    this.#bar?.stop();
  }
}

function makeBar(): cliProgress.SingleBar {
  return new cliProgress.SingleBar(
    {
      format: '{bar} step {value}/{total}  loss {loss}  accuracy {accuracy}  {rate} images/s  {left} left',
      barsize: 24,
      hideCursor: true,
      fps: 8,
    },
    cliProgress.Presets.shades_classic,
  );
}

/** `1:05`, minutes and seconds. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
