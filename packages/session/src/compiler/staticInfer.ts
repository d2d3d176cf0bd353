/** Shape inference over the values of a program, whose shapes are static. */
import {
  InternalError,
  RuleError,
  TensorShape,
  type HandleData,
  type HostValue,
  type InferContext,
  type Operation,
} from '@forerun/graph';
import type { HostValues, Knowledge } from './hostValues.js';
import type { IrValue } from './ir.js';

export class StaticInferContext implements InferContext {
  readonly compiling = true;
  readonly attrs;
  readonly shapes;
  readonly dtypes;
  /** Inputs whose values were asked for and are not known. */
  readonly missing = new Set<number>();

  constructor(
    private readonly op: Operation,
    private readonly inputs: readonly IrValue[],
    private readonly host: HostValues,
    private readonly knowledge: Knowledge,
  ) {
    this.attrs = op.attrs;
    this.shapes = inputs.map((input) => new TensorShape(input.shape));
    this.dtypes = inputs.map((input) => input.dtype);
  }

  shape(i: number): TensorShape {
    const shape = this.shapes[i];
    if (shape === undefined)
      throw new InternalError(`${this.op.describe()}: shape inference asked for input ${i}`);
    return shape;
  }

  constant(i: number): HostValue | null {
    const input = this.inputs[i];
    const value = input === undefined ? null : this.host.get(input, this.knowledge);
    if (value === null) this.missing.add(i);
    return value;
  }

  handle(i: number): HandleData | null {
    return this.inputs[i]?.variable ?? null;
  }

  fail(rule: string): never {
    throw new RuleError(rule);
  }
}
