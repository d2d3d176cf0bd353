/**
 * Runs that were submitted and are not done yet. A few may overlap, so that the next one is encoded and its feeds
 * are uploaded while the device computes; more would only hold memory.
 */
const MAX_IN_FLIGHT = 3;

export class Flights {
  readonly #done: Promise<void>[] = [];

  /** Waits until one more run may start. */
  async room(): Promise<void> {
    while (this.#done.length >= MAX_IN_FLIGHT) await this.#done[0];
  }

  /** Counts a run in until `completion` settles. */
  add(completion: Promise<unknown>): void {
    const remove = (): void => {
      void this.#done.splice(this.#done.indexOf(done), 1);
    };
    const done = completion.then(remove, remove);
    this.#done.push(done);
  }

  /** Waits for all runs. */
  async drained(): Promise<void> {
    while (this.#done.length > 0) await this.#done[0];
  }
}
