/** Samples in float16: those in float32, where the op's signature takes both. */
import { roundToHalf, type ArgSpec, type AttrInputs, type HostValue, type OpName } from '@forerun/graph';
import { definitionOf, sampleInputs } from './nodes.js';
import type { Sample } from './sample.js';

/** Inputs and attributes of a node. */
export interface NodeInputs {
  readonly inputs: readonly HostValue[];
  readonly attrs: AttrInputs;
}

/** The dtype attributes of an op that may be float16 as well as float32, and decide the dtype of an input. */
function halfAttrs(type: OpName): ReadonlySet<string> {
  const { attrs, inputs } = definitionOf(type);
  const names = attrs
    .filter(({ kind, allowed }) => kind === 'type' && (allowed?.includes('float16') ?? true))
    .filter(({ allowed }) => allowed?.includes('float32') ?? true)
    .map(({ name }) => name);
  const used = new Set(inputs.map((arg) => attrOf(arg, type)));
  return new Set(names.filter((name) => used.has(name)));
}

/** The attribute that says an input's dtype; of a variable the one that its updates have. */
function attrOf(arg: ArgSpec, type: OpName): string | undefined {
  if (arg.dtype !== 'resource') return arg.typeAttr;
  return definitionOf(type).attrs.some(({ name }) => name === 'T') ? 'T' : 'dtype';
}

/** The sample with its float32 operands rounded to float16; `null` where the signature takes none. */
export function inHalf(type: OpName, sample: Sample): NodeInputs | null {
  const taken = halfAttrs(type);
  const args = definitionOf(type).inputs;
  const whole = sampleInputs(sample);
  const repeats = whole.length - args.filter((arg) => arg.numberAttr === undefined).length;
  const each = args.flatMap((arg) =>
    new Array<ArgSpec>(arg.numberAttr === undefined ? 1 : Math.max(0, repeats)).fill(arg),
  );
  const attrs = { ...sample.attrs };
  let changed = 0;
  const inputs = whole.map((value, i): HostValue => {
    const arg = each[i];
    const name = arg === undefined ? undefined : attrOf(arg, type);
    if (value.dtype !== 'float32' || name === undefined || !taken.has(name)) return value;
    changed++;
    if (attrs[name] === 'float32') attrs[name] = 'float16';
    return { ...value, dtype: 'float16', data: value.data.map(roundToHalf) };
  });
  return changed === 0 ? null : { inputs, attrs };
}
