/**
 * Stage 7b: results in the place of operands. A kernel that reads of a temporary, for the last time, only the very element that
 * it then stores takes the temporary's buffer for its result. WebGPU binds no buffer for reading and for writing at once: what
 * was bound twice is bound once, for both, which is written into the kernel's text. What may lie in the place of what, kernels say
 * themselves (`Dispatch.inPlace`).
 */
import type { Dispatch } from '@forerun/kernels-webgpu';
import type { IrValue, Program } from './ir.js';
import type { BoundBinding, BoundDispatch, LoweredUnit } from './lower.js';
import { boundValues } from './memory.js';
import type { Schedule } from './schedule.js';
import { bytesOf, storageOf } from './storage.js';

export interface InPlace {
  readonly scheduled: Schedule;
  /** The operands in whose buffers results are stored, by result; earlier units first. */
  readonly placeOf: ReadonlyMap<IrValue, IrValue>;
}

/** Finds what can be computed in place, and rewrites the kernels that do it. */
export function computeInPlace(program: Program, scheduled: Schedule): InPlace {
  const lives = new Lives(program, scheduled);
  const texts = new InPlaceTexts();
  const placeOf = new Map<IrValue, IrValue>();
  const order = scheduled.order.map((lowered, position) => {
    const [bound, ...others] = lowered.dispatches;
    if (bound === undefined || others.length > 0 || !lowered.storesOnce) return lowered;
    const dispatch = inPlace(bound, { position, lives, texts, placeOf });
    return dispatch === bound ? lowered : ({ ...lowered, dispatches: [dispatch] } satisfies LoweredUnit);
  });
  return placeOf.size === 0 ? { scheduled, placeOf } : { scheduled: { ...scheduled, order }, placeOf };
}

/** When temporaries are used first and last. */
class Lives {
  readonly #first = new Map<IrValue, number>();
  readonly #last = new Map<IrValue, number>();

  constructor(
    program: Program,
    private readonly scheduled: Schedule,
  ) {
    const { order } = scheduled;
    order.forEach((lowered, position) => {
      for (const value of boundValues(lowered)) this.touch(value, position);
    });
    for (const value of program.fetches) this.touch(value, order.length);
  }

  private touch(value: IrValue, position: number): void {
    const root = this.temporary(value);
    if (root === null) return;
    if (!this.#first.has(root)) this.#first.set(root, position);
    this.#last.set(root, position);
  }

  /** The temporary that a value lies in, if it lies in one. */
  temporary(value: IrValue): IrValue | null {
    const storage = storageOf(value, this.scheduled.copied);
    return storage.kind === 'temp' ? storage.value : null;
  }

  endsAt(root: IrValue, position: number): boolean {
    return this.#last.get(root) === position && (this.#first.get(root) ?? position) < position;
  }

  beginsAt(root: IrValue, position: number): boolean {
    return this.#first.get(root) === position;
  }
}

interface Place {
  readonly position: number;
  readonly lives: Lives;
  readonly texts: InPlaceTexts;
  readonly placeOf: Map<IrValue, IrValue>;
}

/** The dispatch with as many results in the place of operands as can be. */
function inPlace(bound: BoundDispatch, { position, lives, texts, placeOf }: Place): BoundDispatch {
  const own = bound.bindings.map((binding) => temporaryOf(binding, lives));
  const isAlone = (root: IrValue): boolean => own.filter((other) => other === root).length === 1;
  let result = bound;
  bound.bindings.forEach(({ access, window }, written) => {
    const output = own[written];
    if (access !== 'read_write' || window !== undefined || output === null || output === undefined) return;
    if (!isAlone(output) || !lives.beginsAt(output, position)) return;
    for (const [read, operand] of own.entries()) {
      if (operand === null || bound.bindings[read]?.access !== 'read' || !isAlone(operand)) continue;
      if (bytesOf(operand) !== bytesOf(output) || !lives.endsAt(operand, position)) continue;
      const names = [bound.dispatch.bindings[read]?.name, bound.dispatch.bindings[written]?.name] as const;
      const next = merged(result, names, texts);
      if (next === null) continue;
      result = next;
      own[read] = null;
      placeOf.set(output, operand);
      return;
    }
  });
  return result;
}

function temporaryOf({ source, window }: BoundBinding, lives: Lives): IrValue | null {
  return source.kind === 'value' && window === undefined ? lives.temporary(source.value) : null;
}

/** The dispatch with what it reads as the first name bound as the second. */
function merged(
  { dispatch, bindings }: BoundDispatch,
  [read, written]: readonly [string | undefined, string | undefined],
  texts: InPlaceTexts,
): BoundDispatch | null {
  const position = dispatch.bindings.findIndex(({ name }) => name === read);
  if (read === undefined || written === undefined || position < 0) return null;
  const next = texts.get(dispatch, read, written);
  return next === null ? null : { dispatch: next, bindings: bindings.filter((_, k) => k !== position) };
}

/** Alike units share their dispatch, and what becomes of it. */
class InPlaceTexts {
  readonly #made = new Map<Dispatch, Map<string, Dispatch | null>>();

  get(dispatch: Dispatch, read: string, written: string): Dispatch | null {
    const made = this.#made.get(dispatch) ?? new Map<string, Dispatch | null>();
    this.#made.set(dispatch, made);
    const key = `${read} ${written}`;
    let found = made.get(key);
    if (found === undefined) {
      const fits = dispatch.inPlace.some((pair) => pair[0] === read && pair[1] === written);
      found = fits ? withOneBinding(dispatch, read, written) : null;
      made.set(key, found);
    }
    return found;
  }
}

const DECLARATION = /^@group\(0\) @binding\(\d+\) var<storage, \w+> (\w+): array<(.*)>;\n/gm;

function withOneBinding(dispatch: Dispatch, read: string, written: string): Dispatch {
  const bindings = dispatch.bindings.filter(({ name }) => name !== read);
  const wgsl = dispatch.wgsl
    .replaceAll(DECLARATION, (line, name: string) => {
      const binding = bindings.findIndex((one) => one.name === name);
      return binding < 0 ? '' : line.replace(/@binding\(\d+\)/, `@binding(${binding})`);
    })
    .replaceAll(new RegExp(`(?<![\\w.])${read}\\b`, 'g'), written);
  const { label, workgroups, spec } = dispatch;
  const inPlace = dispatch.inPlace.filter((pair) => pair[0] !== read && pair[1] !== written);
  return { label, wgsl, bindings, workgroups, inPlace, spec };
}
