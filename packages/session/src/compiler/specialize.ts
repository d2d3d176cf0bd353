/**
 * Stage 2: gives every value its static shape from the shapes that are fed now, evaluating shape
 * arithmetic on the host on the way.
 */
import {
  InternalError,
  InvalidArgumentError,
  OPS,
  RuleError,
  TensorShape,
  UnimplementedError,
  type HandleData,
  type HostValue,
  type InferContext,
  type OpDef,
  type Operation,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { HostValues, type Knowledge } from './hostValues.js';
import {
  makeNode,
  outputOf,
  type IrNode,
  type IrValue,
  type OutputInit,
  type Program,
  type VariableRef,
} from './ir.js';
import type { Pruned } from './prune.js';
import { variableRef } from '../variables.js';

export interface Specialized {
  readonly program: Program;
  readonly host: HostValues;
}

/** Dtype and shape of a fed value. */
export type FeedSpec = Pick<TensorValue, 'dtype' | 'shape'>;

/** Builds the program. `fed` has one value per feed position. */
export function specialize(pruned: Pruned, fed: readonly TensorValue[]): Specialized {
  const builder = new ProgramBuilder(pruned, fed);
  pruned.operations.forEach((op) => builder.add(op));
  return builder.finish();
}

/** Any tensor may be fed, whatever op makes it: inside the program it is a placeholder. */
const placeholderDef = OPS.Placeholder;

class ProgramBuilder {
  readonly #nodes: IrNode[] = [];
  readonly #values = new Map<Tensor, IrValue>();
  readonly #nodeOf = new Map<Operation, IrNode>();
  readonly host: HostValues;

  constructor(
    private readonly pruned: Pruned,
    fed: readonly TensorValue[],
  ) {
    this.host = new HostValues(fed);
    for (const [tensor, position] of pruned.feeds) {
      const value = fed[position];
      if (value !== undefined) this.addFeed(tensor, position, value);
    }
  }

  private addFeed(tensor: Tensor, position: number, { dtype, shape }: FeedSpec): void {
    const node = makeNode(
      {
        ...describeOp(tensor.op, placeholderDef),
        type: 'Placeholder',
        inputs: [],
        controls: [],
        literal: null,
        feed: position,
      },
      [{ dtype, shape, variable: null }],
    );
    this.#nodes.push(node);
    this.#values.set(tensor, outputOf(node));
  }

  add(op: Operation): void {
    const def = requireDef(op);
    const inputs = op.inputs.map((input) => this.value(input));
    const controls = op.controlInputs.flatMap((control) => this.#nodeOf.get(control) ?? []);
    const outputs = this.inferOutputs(op, def, inputs);
    const literal = op.type === 'Const' ? op.attrs.tensor('value') : null;
    const node = makeNode({ ...describeOp(op, def), inputs, controls, literal, feed: null }, outputs);
    this.#nodes.push(node);
    this.#nodeOf.set(op, node);
    op.outputs.forEach((output, i) => {
      if (!this.#values.has(output)) this.#values.set(output, outputOf(node, i));
    });
  }

  private value(tensor: Tensor): IrValue {
    const value = this.#values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return value;
  }

  finish(): Specialized {
    const program = {
      nodes: this.#nodes,
      fetches: this.pruned.fetches.map((tensor) => this.value(tensor)),
      targets: this.pruned.targets.flatMap((op) => this.#nodeOf.get(op) ?? []),
    };
    return { program, host: this.host };
  }

  private inferOutputs(op: Operation, def: OpDef, inputs: readonly IrValue[]): OutputInit[] {
    const shapes = this.infer(op, def, inputs);
    return op.outputs.map((output, i) => {
      const shape = (shapes[i] ?? TensorShape.UNKNOWN).mergeWith(output.shape);
      if (shape === null) {
        throw new InvalidArgumentError(
          `${op.describe()}: output ${i} has shape ${String(shapes[i])}, but the graph says ${output.shape.toString()}${op.creationSite()}`,
          { node: op.name },
        );
      }
      const variable = output.dtype === 'resource' ? variableOf(op, inputs) : null;
      return { dtype: output.dtype, shape: this.staticShape(op, shape, i), variable };
    });
  }

  private infer(op: Operation, def: OpDef, inputs: readonly IrValue[]): readonly TensorShape[] {
    try {
      const shapes = def.infer(new StaticInferContext(op, inputs, this.host, 'constants'));
      if (shapes.every((shape) => shape.isFullyDefined)) return shapes;
      return def.infer(new StaticInferContext(op, inputs, this.host, 'feeds'));
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      throw new InvalidArgumentError(`${op.describe()}: ${error.message}${op.creationSite()}`, {
        node: op.name,
      });
    }
  }

  private staticShape(op: Operation, shape: TensorShape, i: number): readonly number[] {
    if (shape.isFullyDefined) return shape.toStatic();
    throw new UnimplementedError(
      `${op.describe()}: the shape ${shape.toString()} of output ${i} depends on values computed on the device${op.creationSite()}`,
      { node: op.name },
    );
  }
}

/** Inference over values with static shapes. */
class StaticInferContext implements InferContext {
  readonly compiling = true;
  readonly attrs;
  readonly shapes;
  readonly dtypes;

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
    return input === undefined ? null : this.host.get(input, this.knowledge);
  }

  handle(i: number): HandleData | null {
    return this.inputs[i]?.variable ?? null;
  }

  fail(rule: string): never {
    throw new RuleError(rule);
  }
}

function requireDef(op: Operation): OpDef {
  if (op.def === undefined)
    throw new UnimplementedError(`${op.describe()}: the op type is not known to Forerun`);
  return op.def;
}

function describeOp(
  op: Operation,
  def: OpDef,
): Pick<IrNode, 'type' | 'name' | 'attrs' | 'def' | 'sources' | 'site'> {
  return { type: op.type, name: op.name, attrs: op.attrs, def, sources: [op.name], site: op.creationSite() };
}

/** The variable that a resource output stands for: declared here, or passed through from an input. */
function variableOf(op: Operation, inputs: readonly IrValue[]): VariableRef | null {
  const passed = inputs.find((input) => input.variable !== null)?.variable;
  return passed ?? (op.type === 'VarHandleOp' ? variableRef(op.output(0)) : null);
}
