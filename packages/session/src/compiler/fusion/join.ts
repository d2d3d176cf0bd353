/** What all fusions share: one list of bound values for two units, and shaders written anew. */
import { sizeOf } from '@forerun/graph';
import {
  shader,
  type AdapterFacts,
  type BindingSource,
  type Dispatch,
  type ElementInput,
  type Lowered,
  type ShaderBinding,
  type ShaderSpec,
} from '@forerun/kernels-webgpu';
import { aliasRoot, bytesOf, storageBytes } from '../storage.js';
import type { IrValue } from '../ir.js';
import type { OpenUnit } from '../lower.js';

/** The values of one unit with those of another behind them. */
export class JoinedValues {
  readonly inputs: IrValue[];
  readonly outputs: IrValue[];

  constructor(first: Pick<OpenUnit, 'inputs' | 'outputs'>) {
    this.inputs = [...first.inputs];
    this.outputs = [...first.outputs];
  }

  /** The binding with its position among the joined values in place of that in `other`. */
  moved(binding: ShaderBinding, other: Pick<OpenUnit, 'inputs' | 'outputs'>): ShaderBinding {
    return { ...binding, source: this.source(binding.source, other) };
  }

  /** Gives the values of `other` their places, in the order of its bindings, and names the places. */
  place({ inputs, outputs }: Pick<OpenUnit, 'inputs' | 'outputs'>): string {
    const places = inputs.map((value) => positionIn(this.inputs, value));
    return `${places.join()} ${outputs.map((value) => positionIn(this.outputs, value)).join()}`;
  }

  private source(source: BindingSource, other: Pick<OpenUnit, 'inputs' | 'outputs'>): BindingSource {
    if (source.kind !== 'input' && source.kind !== 'output') return source;
    const list = source.kind === 'input' ? this.inputs : this.outputs;
    const value = (source.kind === 'input' ? other.inputs : other.outputs)[source.index];
    if (value === undefined) return source;
    return { kind: source.kind, index: positionIn(list, value) };
  }
}

/** Kernels that have been joined: alike units share their kernel, and what becomes of it when alike units join it. */
export class JoinedKernels {
  readonly #made = new WeakMap<Lowered, Map<string, Lowered | null>>();

  /** What `join` made of a kernel in the same way, which `key` tells, or makes now. */
  get(kernel: Lowered, key: string, join: () => Lowered | null): Lowered | null {
    const made = this.#made.get(kernel) ?? new Map<string, Lowered | null>();
    this.#made.set(kernel, made);
    let joined = made.get(key);
    if (joined === undefined) made.set(key, (joined = join()));
    return joined;
  }
}

/** Position of a value, or of another one in the same buffer; it is appended where there is none. */
function positionIn(list: IrValue[], value: IrValue): number {
  const root = aliasRoot(value);
  const known = list.findIndex((other) => other === value || aliasRoot(other) === root);
  return known >= 0 ? known : list.push(value) - 1;
}

/** Writes the dispatches of `specs`; `null` where one is missing or binds more than the adapter does. */
export function dispatchesOf(
  specs: readonly (ShaderSpec | null)[],
  adapter: AdapterFacts,
): Dispatch[] | null {
  const dispatches: Dispatch[] = [];
  for (const spec of specs) {
    if (spec === null || spec.bindings.length > adapter.maxBindings) return null;
    dispatches.push(shader(spec, adapter));
  }
  return dispatches;
}

/** Whether a unit's values each fit one binding: others are cut later, which fused kernels do not survive. */
export function fitsBindings({ inputs, outputs }: OpenUnit, { maxBindingBytes }: AdapterFacts): boolean {
  return [...inputs, ...outputs].every((value) => deviceBytes(value) <= maxBindingBytes);
}

/** Bytes of a value, or of the variable that a handle stands for. */
export function deviceBytes(value: IrValue): number {
  const dims = value.variable?.shape.dims ?? null;
  if (dims === null) return bytesOf(value);
  return storageBytes(sizeOf(dims.map((dim) => dim ?? 1)), value.variable?.dtype);
}

/** Bytes that are read of a value, of which an operand may be a part. */
export function bytesRead(value: IrValue, operand: ElementInput | undefined): number {
  const whole = deviceBytes(value);
  return operand?.part === undefined ? whole : Math.min(whole, storageBytes(sizeOf(operand.shape)));
}

/** Labels of fused kernels name their parts, within reason. */
export function partLabel(label: string): string {
  return label.length > 60 ? `${label.slice(0, 57)}...` : label;
}
