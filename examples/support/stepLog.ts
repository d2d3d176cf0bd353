/** A training run's numbers as a file: one JSON object a line, for plots (scripts/plotLoss.mjs draws one). */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a line per step as it comes, so that a run that is stopped leaves its log. */
export class StepLog {
  readonly #file: number | null;

  /** Replaces the file at `path`; without a path nothing is written. */
  constructor(path: string | undefined) {
    if (path === undefined) {
      this.#file = null;
      return;
    }
    mkdirSync(dirname(path), { recursive: true });
    this.#file = openSync(path, 'w');
  }

  /** Adds one line, for example `{"step":1,"loss":2.3,"accuracy":0.1}`. */
  write(numbers: Readonly<Record<string, number>>): void {
    if (this.#file !== null) writeSync(this.#file, `${JSON.stringify(numbers)}\n`);
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
  }
}
