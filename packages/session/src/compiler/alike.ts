/**
 * What is made of nodes that are alike is made once per plan: graphs repeat their layers, unrolled loops their bodies.
 * Nodes are alike when a kernel cannot tell them apart: by type, attributes, operands, and the values that it asks for.
 */
import type { HostValue } from '@forerun/graph';
import type {
  ElementInput,
  ElementRef,
  ElementwiseProgram,
  KernelContext,
  Operand,
} from '@forerun/kernels-webgpu';
import { attrsKey, hostValueKey, numberText } from './keys.js';

/** A question for the value of an input, and what was answered. `what` is given where the value must be known. */
interface Asked {
  readonly input: number;
  readonly what: string | null;
  readonly answer: string;
}

interface Made<T> {
  readonly asked: readonly Asked[];
  readonly result: T;
}

/** Nodes that differ in the values of their inputs alone are looked through one by one. */
const MOST_FORMS = 8;

export class Alike<T> {
  readonly #made = new Map<string, Made<T>[]>();

  /** What `make` gave for an alike node, or gives for this one. It may ask its context, for all but the name. */
  get(context: KernelContext, make: (context: KernelContext) => T): T {
    const key = contextKey(context);
    const forms = this.#made.get(key) ?? [];
    const found = forms.find(({ asked }) => asked.every((one) => answerOf(context, one) === one.answer));
    if (found !== undefined) return found.result;
    const asked: Asked[] = [];
    const result = make(listening(context, asked));
    if (forms.length < MOST_FORMS) this.#made.set(key, [...forms, { asked, result }]);
    return result;
  }
}

function contextKey({ op, attrs, inputs, outputs }: KernelContext): string {
  return `${op}|${attrsKey(attrs)}|${inputs.map(operandKey).join()}|${outputs.map(operandKey).join()}`;
}

function operandKey({ dtype, shape }: Operand): string {
  return `${dtype}[${shape.join()}]`;
}

function answerOf(context: KernelContext, { input, what }: Asked): string {
  return hostValueKey(what === null ? context.host(input) : context.requireHost(input, what));
}

/** The context, noting what is asked. */
function listening(context: KernelContext, asked: Asked[]): KernelContext {
  const note = <V extends HostValue | null>(input: number, what: string | null, value: V): V => {
    asked.push({ input, what, answer: hostValueKey(value) });
    return value;
  };
  return {
    ...context,
    host: (i) => note(i, null, context.host(i)),
    requireHost: (i, what) => note(i, what, context.requireHost(i, what)),
  };
}

/** A text that is equal for equal programs. */
export function programKey({ label, shape, inputs, steps, outputs }: ElementwiseProgram): string {
  const parts = [label, shape.join(), inputs.map(inputKey).join(), outputs.join()];
  for (const { expression, operands, dtype } of steps) {
    parts.push(expression, dtype);
    for (const name of Object.keys(operands)) parts.push(name, referenceKey(operands[name]));
  }
  return parts.join('|');
}

/** A text that is equal for inputs that are read alike. */
export function inputKey({ dtype, shape, part }: ElementInput): string {
  const whole = operandKey({ dtype, shape });
  return part === undefined ? whole : `${whole}@${part.offset}:${part.strides.join()}/${part.elements}`;
}

function referenceKey(ref: ElementRef | undefined): string {
  if (ref === undefined) return '';
  return ref.kind === 'literal' ? `${ref.dtype} ${numberText(ref.value)}` : `${ref.kind}${ref.index}`;
}
