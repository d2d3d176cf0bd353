/**
 * Elementwise units of one shape become one program, of which every result that others need is stored. Unlike an epilogue,
 * the second may read several results of the first, and what comes out can be joined as the two could.
 */
import {
  lowerElementwise,
  programWidth,
  readsInPlace,
  type AdapterFacts,
  type ElementInput,
  type ElementRef,
  type ElementwiseProgram,
  type Lowered,
} from '@forerun/kernels-webgpu';
import { inputKey } from '../alike.js';
import type { IrValue } from '../ir.js';
import { identityOf } from '../keys.js';
import type { OpenUnit } from '../lower.js';
import { aliasRoot } from '../storage.js';
import { partLabel } from './join.js';

/** Programs that have been joined, by the parts and how they were put together. */
export type JoinedPrograms = Map<string, JoinedProgram | null>;

interface JoinedProgram {
  readonly program: ElementwiseProgram;
  readonly lowered: Lowered;
}

interface Joining {
  readonly made: JoinedPrograms;
  readonly adapter: AdapterFacts;
  /** Whether a result of the first unit is still stored. */
  readonly keep: (root: IrValue) => boolean;
}

/** Both units as one; `null` where they are no programs of one shape, or too much would be bound. */
export function joinedPrograms(
  before: OpenUnit,
  unit: OpenUnit,
  { made, adapter, keep }: Joining,
): OpenUnit | null {
  const [first, second] = [before.program, unit.program];
  if (first === null || first.shape.join() !== second?.shape.join()) return null;
  const given = unit.inputs.map((input) => before.outputs.indexOf(aliasRoot(input)));
  if (given.some((output, k) => output >= 0 && !readsInPlace(second, k))) return null;
  const inputs = [...before.inputs];
  const operands = [...first.inputs];
  const refs = unit.inputs.map((value, k): ElementRef => {
    const step = first.outputs[given[k] ?? -1];
    if (step !== undefined) return { kind: 'step', index: step };
    const operand = second.inputs[k];
    if (operand === undefined) return { kind: 'input', index: k };
    return { kind: 'input', index: placeOf(value, operand, inputs, operands) };
  });
  const kept = before.outputs.flatMap((root, k) => (keep(root) ? [k] : []));
  const arrays = inputs.map((value) => inputs.findIndex((other) => aliasRoot(other) === aliasRoot(value)));
  const places = refs.map((ref) => (ref.kind === 'literal' ? '' : `${ref.kind}${ref.index}`));
  const parts = [identityOf(first), identityOf(second), places, arrays, kept];
  const key = parts.join(' ');
  let joined = made.get(key);
  if (joined === undefined)
    made.set(key, (joined = join(first, second, { operands, refs, arrays, kept }, adapter)));
  if (joined === null) return null;
  return {
    ...unit,
    ...joined,
    inputs,
    outputs: [...before.outputs.filter((_, k) => kept.includes(k)), ...unit.outputs],
    rows: null,
    loads: () => Infinity,
    inPlace: new Set([...before.inPlace, ...unit.inPlace]),
  };
}

/** Position of an input that reads a value alike; it is appended where there is none. */
function placeOf(value: IrValue, operand: ElementInput, inputs: IrValue[], operands: ElementInput[]): number {
  const key = inputKey(operand);
  const known = inputs.findIndex((other, k) => {
    const same = operands[k];
    return other === value && same !== undefined && inputKey(same) === key;
  });
  if (known >= 0) return known;
  operands.push(operand);
  return inputs.push(value) - 1;
}

interface Places {
  readonly operands: readonly ElementInput[];
  /** What the inputs of the second program are in both. */
  readonly refs: readonly ElementRef[];
  readonly arrays: readonly number[];
  /** Outputs of the first that are stored. */
  readonly kept: readonly number[];
}

function join(
  first: ElementwiseProgram,
  second: ElementwiseProgram,
  { operands, refs, arrays, kept }: Places,
  adapter: AdapterFacts,
): JoinedProgram | null {
  const base = first.steps.length;
  const moved = (ref: ElementRef): ElementRef => {
    if (ref.kind === 'literal') return ref;
    return ref.kind === 'step' ? { kind: 'step', index: ref.index + base } : (refs[ref.index] ?? ref);
  };
  const steps = second.steps.map((step) => ({
    ...step,
    operands: Object.fromEntries(Object.entries(step.operands).map(([name, ref]) => [name, moved(ref)])),
  }));
  const program: ElementwiseProgram = {
    label: partLabel(`${first.label}+${second.label}`),
    shape: first.shape,
    inputs: operands,
    steps: [...first.steps, ...steps],
    outputs: [
      ...first.outputs.filter((_, k) => kept.includes(k)),
      ...second.outputs.map((step) => step + base),
    ],
  };
  // Narrower stores would cost more than the joining saves.
  if (programWidth(program) < programWidth(first)) return null;
  const lowered = lowerElementwise(program, adapter, arrays);
  return lowered.dispatches.length === 1 ? { program, lowered } : null;
}
