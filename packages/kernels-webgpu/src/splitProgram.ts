/**
 * Cuts an elementwise program that needs more buffers than a dispatch may bind into programs that
 * fit, which hand values on through scratch buffers. Sums of many gradients are the usual case.
 */
import { UnimplementedError } from '@forerun/graph';
import type { ElementRef, ElementwiseProgram } from './elementwiseProgram.js';
import type { BindingSource } from './kernel.js';

/** A program with what its inputs and outputs are bound to. */
export interface BoundProgram {
  readonly program: ElementwiseProgram;
  readonly sources: readonly BindingSource[];
  readonly targets: readonly BindingSource[];
}

export interface SplitProgram {
  readonly parts: readonly BoundProgram[];
  /** Number of scratch buffers, each of the size of an output. */
  readonly scratch: number;
}

/** Steps `[begin, end)` of a program. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Cuts `program` so that no part has more than `maxBindings` inputs and outputs. */
export function splitProgram(program: ElementwiseProgram, maxBindings: number): SplitProgram {
  const whole: Range = { begin: 0, end: program.steps.length };
  if (bindingsOf(program, whole) <= maxBindings) return { parts: [directly(program)], scratch: 0 };
  const ranges: Range[] = [];
  for (let begin = 0; begin < whole.end; begin = ranges.at(-1)?.end ?? whole.end) {
    let end = begin + 1;
    while (end < whole.end && bindingsOf(program, { begin, end: end + 1 }) <= maxBindings) end++;
    const bindings = bindingsOf(program, { begin, end });
    if (bindings > maxBindings) {
      throw new UnimplementedError(
        `kernel ${program.label} needs ${bindings} storage bindings in one step, the adapter has ${maxBindings}`,
      );
    }
    ranges.push({ begin, end });
  }
  return bindParts(program, ranges);
}

function directly(program: ElementwiseProgram): BoundProgram {
  return {
    program,
    sources: program.inputs.map((_, index) => ({ kind: 'input', index })),
    targets: program.outputs.map((_, index) => ({ kind: 'output', index })),
  };
}

function key(ref: ElementRef): string {
  return ref.kind === 'literal' ? '' : `${ref.kind}${ref.index}`;
}

/** What a range reads from outside of itself, without literals. */
function readsOf(program: ElementwiseProgram, { begin, end }: Range): ElementRef[] {
  const reads = new Map<string, ElementRef>();
  for (const step of program.steps.slice(begin, end)) {
    for (const ref of Object.values(step.operands)) {
      const outside = ref.kind === 'input' || (ref.kind === 'step' && ref.index < begin);
      if (outside) reads.set(key(ref), ref);
    }
  }
  return [...reads.values()];
}

/** Steps of a range whose results later steps read. */
function handedOn(program: ElementwiseProgram, range: Range): number[] {
  const later = readsOf(program, { begin: range.end, end: program.steps.length });
  return later.flatMap((ref) =>
    ref.kind === 'step' && ref.index >= range.begin && ref.index < range.end ? [ref.index] : [],
  );
}

function storedIn(program: ElementwiseProgram, { begin, end }: Range): number[] {
  return program.outputs.filter((step) => step >= begin && step < end);
}

function bindingsOf(program: ElementwiseProgram, range: Range): number {
  const kept = handedOn(program, range).filter((step) => !program.outputs.includes(step));
  return readsOf(program, range).length + storedIn(program, range).length + kept.length;
}

function bindParts(program: ElementwiseProgram, ranges: readonly Range[]): SplitProgram {
  const places = new Map<number, BindingSource>();
  program.outputs.forEach((step, index) => places.set(step, { kind: 'output', index }));
  let scratch = 0;
  const parts = ranges.map((range): BoundProgram => {
    const reads = readsOf(program, range);
    const kept = handedOn(program, range).filter((step) => !places.has(step));
    for (const step of kept) places.set(step, { kind: 'scratch', index: scratch++ });
    const outputs = program.outputs.flatMap((step, index) =>
      step >= range.begin && step < range.end ? [{ step, source: { kind: 'output', index } as const }] : [],
    );
    const scratched = kept.map((step) => ({ step, source: placeOf(places, step) }));
    const stores = [...outputs, ...scratched];
    return {
      program: {
        label: program.label,
        shape: program.shape,
        inputs: reads.map((ref) => operandOf(program, ref)),
        steps: program.steps.slice(range.begin, range.end).map((step) => ({
          ...step,
          operands: Object.fromEntries(
            Object.entries(step.operands).map(([name, ref]) => [name, rebase(ref, range, reads)]),
          ),
        })),
        outputs: stores.map(({ step }) => step - range.begin),
      },
      sources: reads.map((ref) => sourceOf(ref, places)),
      targets: stores.map(({ source }) => source),
    };
  });
  return { parts, scratch };
}

function operandOf(program: ElementwiseProgram, ref: ElementRef): ElementwiseProgram['inputs'][number] {
  const input = ref.kind === 'input' ? program.inputs[ref.index] : undefined;
  const step = ref.kind === 'step' ? program.steps[ref.index] : undefined;
  return input ?? { dtype: step?.dtype ?? 'float32', shape: program.shape };
}

function placeOf(places: ReadonlyMap<number, BindingSource>, step: number): BindingSource {
  return places.get(step) ?? { kind: 'scratch', index: 0 };
}

function sourceOf(ref: ElementRef, places: ReadonlyMap<number, BindingSource>): BindingSource {
  if (ref.kind === 'step') return placeOf(places, ref.index);
  return { kind: 'input', index: ref.kind === 'input' ? ref.index : 0 };
}

function rebase(ref: ElementRef, range: Range, reads: readonly ElementRef[]): ElementRef {
  if (ref.kind === 'literal') return ref;
  const index = reads.findIndex((read) => key(read) === key(ref));
  if (index >= 0) return { kind: 'input', index };
  return { kind: 'step', index: ref.index - range.begin };
}
