/**
 * Beam search over label sequences under CTC (Graves, "Sequence Transduction with Recurrent Neural Networks", 2012;
 * Hannun et al., 2014). The sequences form a tree; a beam is the set of those that are kept after a time step.
 */

/** A label sequence and its log probability. */
export interface Path {
  readonly labels: readonly number[];
  readonly score: number;
}

/** Log probabilities of a sequence at one time: ending in a blank, in its last label, and both together. */
interface Probability {
  readonly blank: number;
  readonly label: number;
  readonly total: number;
}

const IMPOSSIBLE: Probability = { blank: -Infinity, label: -Infinity, total: -Infinity };

/** A sequence: that of its parent and one label more. */
class Entry {
  /** At the time step before, and now; impossible when the sequence is not in the beam. */
  old = IMPOSSIBLE;
  now = IMPOSSIBLE;
  readonly #children = new Map<number, Entry>();

  constructor(
    readonly parent: Entry | null,
    readonly label: number,
  ) {}

  child(label: number): Entry {
    const known = this.#children.get(label);
    if (known !== undefined) return known;
    const child = new Entry(this, label);
    this.#children.set(label, child);
    return child;
  }

  /** The probability from which `label` can follow: after itself only with a blank between. */
  before(label: number): number {
    return label === this.label ? this.old.blank : this.old.total;
  }
}

/** The labels from the root of the tree to `last`. */
function labelsOf(last: Entry, mergeRepeated: boolean): number[] {
  const labels: number[] = [];
  let after = -1;
  for (let entry = last; entry.parent !== null; entry = entry.parent) {
    if (!mergeRepeated || entry.label !== after) labels.push(entry.label);
    after = entry.label;
  }
  return labels.reverse();
}

function logAdd(a: number, b: number): number {
  const high = Math.max(a, b);
  return high === -Infinity ? high : high + Math.log1p(Math.exp(Math.min(a, b) - high));
}

function logSoftmax(row: Float64Array): Float64Array {
  const high = row.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = row.reduce((total, x) => total + Math.exp(x - high), 0);
  return row.map((x) => x - high - Math.log(sum));
}

/** The best entries, as many as fit. */
class Beam {
  readonly #entries: Entry[] = [];
  /** Where the worst entry is, once it has been looked for. */
  #worst = -1;

  constructor(private readonly width: number) {}

  admits(total: number): boolean {
    return total > -Infinity && (this.#entries.length < this.width || total > this.#bottom().now.total);
  }

  /** Adds an entry that `admits` lets in, or one of the last step; the worst leaves a full beam. */
  add(entry: Entry): void {
    if (this.#entries.length < this.width) {
      this.#entries.push(entry);
    } else {
      this.#bottom().now = IMPOSSIBLE;
      this.#entries[this.#worst] = entry;
    }
    this.#worst = -1;
  }

  /** The entries, the best first. */
  sorted(): Entry[] {
    return [...this.#entries].sort((a, b) => b.now.total - a.now.total);
  }

  #bottom(): Entry {
    if (this.#worst < 0) {
      const total = (i: number): number => this.#entries[i]?.now.total ?? Infinity;
      this.#worst = this.#entries.reduce((worst, _, i) => (total(i) <= total(worst) ? i : worst), 0);
    }
    return this.#entries[this.#worst] ?? new Entry(null, -1);
  }
}

/** One time step: the beam after it, from the entries before it. */
function step(before: readonly Entry[], logs: Float64Array, width: number): Beam {
  const beam = new Beam(width);
  const blank = logs[logs.length - 1] ?? NaN;
  for (const entry of before) entry.old = entry.now;
  const stayed = before.map((entry) => stay(entry, logs, blank));
  before.forEach((entry, i) => {
    entry.now = stayed[i] ?? IMPOSSIBLE;
    beam.add(entry);
  });
  for (const entry of before) {
    if (beam.admits(entry.old.total)) grow(entry, logs, beam);
  }
  return beam;
}

/** An entry that stays what it is: by a blank, by its label again, or because its parent has grown into it. */
function stay(entry: Entry, logs: Float64Array, blank: number): Probability {
  const { parent, old } = entry;
  const grown = parent !== null && parent.now.total > -Infinity ? parent.before(entry.label) : -Infinity;
  const label = parent === null ? -Infinity : logAdd(old.label, grown) + (logs[entry.label] ?? NaN);
  const withBlank = old.total + blank;
  return { blank: withBlank, label, total: logAdd(withBlank, label) };
}

/** Entries with one label more that were not in the beam. */
function grow(entry: Entry, logs: Float64Array, beam: Beam): void {
  for (let label = 0; label < logs.length - 1; label++) {
    const child = entry.child(label);
    if (child.now.total > -Infinity) continue;
    const total = entry.before(label) + (logs[label] ?? NaN);
    if (!beam.admits(total)) continue;
    child.now = { blank: -Infinity, label: total, total };
    beam.add(child);
  }
}

/**
 * The label sequences in the beam after all `rows` of logits, the likeliest first; the last class is the blank. Their
 * log probabilities are those of the paths that stayed within the beam.
 */
export function beamSearch(rows: readonly Float64Array[], width: number, mergeRepeated: boolean): Path[] {
  const root = new Entry(null, -1);
  root.now = { blank: 0, label: -Infinity, total: 0 };
  let entries = [root];
  for (const row of rows) entries = step(entries, logSoftmax(row), width).sorted();
  return entries.map((entry) => ({ labels: labelsOf(entry, mergeRepeated), score: entry.now.total }));
}
