/**
 * Decides which candidate a kernel takes: one that was measured on this adapter, else one that the shipped tables
 * name, else the default. With tuning on, candidates that no table knows are measured while a plan is compiled.
 */
import { InvalidArgumentError } from '@forerun/graph';
import type { Choice } from '@forerun/kernels-webgpu';
import { describeAdapter, fileNameOf, type AdapterKey } from './adapterKey.js';
import { measureCandidates, type MeasureLimits } from './candidateTimes.js';
import type { Measurer } from './measure.js';
import type { TuningStore } from './store.js';
import { formatTable, mergeTables, parseTable, type TuningEntry, type TuningTable } from './table.js';

/**
 * `off`: defaults only. `cached`: what was measured before, or is shipped. `on`: what is not known
 * is measured when a plan is compiled.
 */
export type TuningMode = 'off' | 'cached' | 'on';

/** Why a kernel has the form that it has. */
export type ChoiceSource = 'default' | 'shipped' | 'cached' | 'tuned' | 'forced';

/** A kernel with several candidates, in the report of a plan. */
export interface ChosenKernel {
  /** The first node that the kernel computes. */
  readonly node: string;
  readonly signature: string;
  readonly candidate: string;
  readonly source: ChoiceSource;
  /** Its time over that of the default candidate, where both were measured. */
  readonly ratio: number | null;
}

export interface TunerInit {
  readonly mode: TuningMode;
  /** Use nothing that was measured on this machine. */
  readonly deterministic: boolean;
  /** Every kernel takes this candidate, modulo the number of its candidates. */
  readonly forced: number | null;
  readonly adapter: AdapterKey;
  /** The shipped choice: a candidate's name. */
  readonly shipped: (choice: Choice) => string | null;
  readonly store: TuningStore | null;
  readonly measurer: Measurer;
  readonly limits: MeasureLimits;
  /** Milliseconds of some clock. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** Two candidates nearer than this are not told apart: the default stays. */
const WORTH_CHANGING = 0.97;

export class Tuner {
  #table = new Map<string, TuningEntry>();
  /** Signatures measured by this tuner. */
  readonly #own = new Set<string>();
  #loaded = false;

  constructor(private readonly init: TunerInit) {}

  /** The choices of one plan. Reads the stored measurements at the first call. */
  async forPlan(): Promise<PlanTuning> {
    await this.load();
    return new PlanTuning(this);
  }

  private get usesMeasurements(): boolean {
    return this.init.mode !== 'off' && !this.init.deterministic && this.init.forced === null;
  }

  get measures(): boolean {
    return this.init.mode === 'on' && this.usesMeasurements;
  }

  /** Which candidate to take, and why. */
  decide(choice: Choice): { index: number; source: ChoiceSource } {
    const { signature, candidates } = choice;
    const { forced, mode, shipped } = this.init;
    if (forced !== null) return { index: forced % candidates.length, source: 'forced' };
    const find = (name: string | null | undefined): number =>
      candidates.findIndex((candidate) => candidate.name === name);
    if (this.usesMeasurements) {
      const known = find(this.#table.get(signature)?.candidate);
      if (known >= 0) return { index: known, source: this.#own.has(signature) ? 'tuned' : 'cached' };
    }
    const named = mode === 'off' ? -1 : find(shipped(choice));
    return named >= 0 ? { index: named, source: 'shipped' } : { index: 0, source: 'default' };
  }

  /** Time of a candidate over that of the default. */
  ratio(signature: string, candidate: string): number | null {
    return this.usesMeasurements ? (this.#table.get(signature)?.times[candidate] ?? null) : null;
  }

  /** Candidates that no measurement knows and that are allowed here. */
  private untried({ signature, candidates }: Choice): number[] {
    const known = this.#table.get(signature)?.times ?? {};
    return [...candidates.keys()].filter((i) => {
      const candidate = candidates[i];
      return (
        candidate !== undefined &&
        candidate.body <= this.init.limits.largestBody &&
        !(candidate.name in known)
      );
    });
  }

  /** Measures what is missing, the largest kernels first, within the time limit of a plan; true when something was. */
  async tune(choices: readonly Choice[]): Promise<boolean> {
    if (!this.measures) return false;
    const open = choices.filter((choice) => this.untried(choice).length > 0 && choice.candidates.length > 1);
    open.sort((a, b) => b.products - a.products);
    const end = this.init.now() + this.init.limits.planMilliseconds;
    const fresh = new Map<string, TuningEntry>();
    for (const [i, choice] of open.entries()) {
      const left = end - this.init.now();
      if (left <= 0) break;
      const work = open.slice(i).reduce((total, { products }) => total + products, 0);
      const share = Math.max(choice.products / Math.max(work, 1), 1 / (open.length - i));
      const entry = await this.measure(choice, left * share);
      if (entry !== null) fresh.set(choice.signature, entry);
    }
    if (fresh.size > 0) await this.keep(fresh);
    return fresh.size > 0;
  }

  private async measure(choice: Choice, milliseconds: number): Promise<TuningEntry | null> {
    const { measurer, limits, now, warn } = this.init;
    const measured = await measureCandidates(choice, [0, ...this.untried(choice)], {
      measurer,
      limits,
      now,
      warn,
      deadline: now() + milliseconds,
    });
    if (measured === null) return null;
    const times = { ...this.#table.get(choice.signature)?.times, ...measured };
    const names = choice.candidates.map(({ name }) => name);
    return { candidate: fastest(names, times), times };
  }

  private async keep(fresh: TuningTable): Promise<void> {
    for (const [signature, entry] of fresh) {
      this.#table.set(signature, entry);
      this.#own.add(signature);
    }
    const { store, adapter, warn } = this.init;
    if (store === null) return;
    const name = fileNameOf(adapter);
    try {
      // Another process may have written since.
      const stored = await this.readStored(store, name);
      await store.write(name, formatTable(adapter, mergeTables(stored, this.#table)));
    } catch (error) {
      warn(`tuning results cannot be kept in ${store.place(name)}: ${messageOf(error)}`);
    }
  }

  private async load(): Promise<void> {
    const { store, adapter } = this.init;
    if (this.#loaded || store === null || !this.usesMeasurements) return;
    this.#loaded = true;
    this.#table = new Map(await this.readStored(store, fileNameOf(adapter)));
  }

  /** The stored measurements; a damaged file is reported and counts as empty. */
  private async readStored(store: TuningStore, name: string): Promise<TuningTable> {
    try {
      const text = await store.read(name);
      return text === undefined ? new Map() : parseTable(text, this.init.adapter);
    } catch (error) {
      this.init.warn(`tuning results in ${store.place(name)} are ignored: ${messageOf(error)}`);
      return new Map();
    }
  }

  get adapterName(): string {
    return describeAdapter(this.init.adapter);
  }
}

/** The choices met while one plan is lowered. */
export class PlanTuning {
  readonly #met = new Map<string, { choice: Choice; index: number; source: ChoiceSource }>();

  constructor(private readonly tuner: Tuner) {}

  /** For the adapter facts that kernels see. */
  readonly choose = (choice: Choice): number => {
    const decided = this.tuner.decide(choice);
    this.#met.set(choice.signature, {
      choice: this.#met.get(choice.signature)?.choice ?? choice,
      ...decided,
    });
    return decided.index;
  };

  /** Measures what is missing; true when the plan has to be lowered anew. */
  tune(): Promise<boolean> {
    return this.tuner.tune([...this.#met.values()].map(({ choice }) => choice));
  }

  report(): ChosenKernel[] {
    return [...this.#met.values()].map(({ choice: { signature, node, candidates }, index, source }) => {
      const candidate = candidates[index]?.name ?? '';
      return { node, signature, candidate, source, ratio: this.tuner.ratio(signature, candidate) };
    });
  }
}

/** The candidate of the least time, the default where none is clearly faster; earlier ones win ties. */
function fastest(names: readonly string[], times: TuningEntry['times']): string {
  let best = names[0] ?? '';
  for (const name of names.slice(1)) {
    const time = times[name] ?? Infinity;
    if (time < Math.min(WORTH_CHANGING, times[best] ?? 1)) best = name;
  }
  return best;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `FORERUN_TUNING`. Throws `InvalidArgumentError` for other words than the modes. */
export function tuningMode(text: string | undefined): TuningMode | undefined {
  if (text === undefined || text === '') return undefined;
  if (text === 'off' || text === 'cached' || text === 'on') return text;
  throw new InvalidArgumentError(`tuning is "${text}": expected off, cached or on`);
}

/** `FORERUN_TUNE_CHOICE`. Throws `InvalidArgumentError` for what is no whole number. */
export function forcedChoice(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`FORERUN_TUNE_CHOICE is "${text}": expected a whole number`);
}
