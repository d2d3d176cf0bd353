/** Runs an op's shape inference, adding node and creation site to what it rejects. */
import type { Attrs } from './attr.js';
import { constantValue } from './constantValue.js';
import type { DType } from './dtype.js';
import { InternalError } from './errors.js';
import type { FunctionSignature, HandleData, InferContext, OpDef } from './opDef.js';
import type { Operation } from './operation.js';
import { failRule } from './resolveOp.js';
import type { TensorShape } from './shape.js';
import type { Tensor } from './tensor.js';
import type { HostValue } from './value.js';

/** Inference over graph tensors: shapes are those known so far, constants come from the graph. */
class TensorInferContext implements InferContext {
  readonly shapes: readonly TensorShape[];
  readonly dtypes: readonly DType[];

  readonly attrs: Attrs;
  private readonly inputs: readonly Tensor[];

  constructor(private readonly op: Operation) {
    this.attrs = op.attrs;
    this.inputs = op.inputs;
    this.shapes = op.inputs.map((input) => input.shape);
    this.dtypes = op.inputs.map((input) => input.dtype);
  }

  shape(i: number): TensorShape {
    const shape = this.shapes[i];
    if (shape === undefined) throw new InternalError(`shape inference asked for input ${i}`);
    return shape;
  }

  constant(i: number): HostValue | null {
    const input = this.inputs[i];
    return input === undefined ? null : constantValue(input);
  }

  handle(i: number): HandleData | null {
    return this.inputs[i]?.handle ?? null;
  }

  signature(name: string): FunctionSignature | null {
    return this.op.graph.root.functions.get(name)?.signature ?? null;
  }

  fail(rule: string): never {
    return failRule(rule);
  }
}

/** Output shapes of a node; unknown rank for unregistered ops. Throws `RuleError` for a broken rule. */
export function inferShapes(def: OpDef, op: Operation, outputCount: number): readonly TensorShape[] {
  const shapes = def.infer(new TensorInferContext(op));
  if (shapes.length !== outputCount) {
    throw new InternalError(`shape inference gave ${shapes.length} shapes for ${outputCount} outputs`);
  }
  return shapes;
}
