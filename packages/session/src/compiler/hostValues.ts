/**
 * Values that are known when a plan is compiled: constants, shapes, and arithmetic on them.
 * A second level also looks at fed values; a plan that used one is only valid for that value, so
 * such uses are recorded.
 */
import {
  isFullyKnown,
  roundToHalf,
  sizeOf,
  toHostValue,
  type HostValue,
  type TensorValue,
  TensorShape,
} from '@forerun/graph';
import type { IrNode, IrValue } from './ir.js';
import { elements, inputOf } from './ir.js';

/** Larger results are computed on the device. */
export const MAX_FOLDED_ELEMENTS = 4096;

/** `constants`: the same for every run. `feeds`: may also look at the values fed now. */
export type Knowledge = 'constants' | 'feeds';

export class HostValues {
  readonly #known: Record<Knowledge, Map<IrValue, HostValue | null>> = {
    constants: new Map(),
    feeds: new Map(),
  };
  /** Positions of the feeds whose values the plan depends on. */
  readonly usedFeeds = new Set<number>();

  constructor(private readonly fed: readonly TensorValue[]) {}

  /** The value, or `null` when it is only known on the device. */
  get(value: IrValue, knowledge: Knowledge = 'constants'): HostValue | null {
    const constant = this.lookup(value, 'constants');
    return constant !== null || knowledge === 'constants' ? constant : this.lookup(value, 'feeds');
  }

  private lookup(value: IrValue, knowledge: Knowledge): HostValue | null {
    const known = this.#known[knowledge];
    let found = known.get(value);
    if (found === undefined) {
      found = this.compute(value, knowledge);
      known.set(value, found);
    }
    return found;
  }

  private compute(value: IrValue, knowledge: Knowledge): HostValue | null {
    const { node } = value;
    if (node.feed !== null) return knowledge === 'feeds' ? this.fedValue(node.feed) : null;
    if (node.literal !== null) return toHostValue(node.literal);
    if (node.def.stateful || (elements(value) > MAX_FOLDED_ELEMENTS && !decodesWeights(node))) return null;
    return this.evaluate(node, knowledge)?.[value.index] ?? null;
  }

  private fedValue(position: number): HostValue | null {
    const fed = this.fed[position];
    if (fed === undefined) return null;
    // A buffer on the device is known by its shape alone.
    if (fed.data.length !== sizeOf(fed.shape)) return null;
    this.usedFeeds.add(position);
    return toHostValue(fed);
  }

  private evaluate(node: IrNode, knowledge: Knowledge): readonly HostValue[] | null {
    const large = node.inputs.some((input) => elements(input) > MAX_FOLDED_ELEMENTS);
    if (large && !readsShapesOnly(node) && !decodesWeights(node)) return null;
    const results =
      node.def.evaluate?.({
        attrs: node.attrs,
        shapes: node.inputs.map(shapeBehind),
        outputs: node.outputs.map((output) => output.dtype),
        shape: (i) => shapeBehind(inputOf(node, i)),
        value: (i) => this.lookup(inputOf(node, i), knowledge),
      }) ?? null;
    if (!results?.every(isFullyKnown)) return null;
    return results.map(roundToDType);
  }
}

/** The shape of a value, or of the variable whose handle it is. */
function shapeBehind({ shape, variable }: IrValue): TensorShape {
  return variable === null ? new TensorShape(shape) : variable.shape;
}

/** Ops that look at the shapes of their inputs, never at the elements. */
function readsShapesOnly(node: IrNode): boolean {
  return ['Shape', 'ShapeN', 'Size', 'Rank'].includes(node.type);
}

/** Constants of a dtype that the device does not hold, which files store for their size. */
function decodesWeights({ type, inputs: [input] }: IrNode): boolean {
  if (type !== 'Cast' || input === undefined) return false;
  return input.node.literal !== null && STORED_ONLY.has(input.dtype);
}

const STORED_ONLY: ReadonlySet<string> = new Set(['bfloat16', 'float64']);

/** Host evaluation is in float64; the device would have rounded. */
function roundToDType(value: HostValue): HostValue {
  if (value.dtype === 'float32') return { ...value, data: value.data.map(Math.fround) };
  return value.dtype === 'float16' ? { ...value, data: value.data.map(roundToHalf) } : value;
}
