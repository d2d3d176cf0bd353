/**
 * Stage 2: gives every value its static shape from the shapes that are fed now, evaluating shape
 * arithmetic on the host on the way.
 */
import {
  InternalError,
  InvalidArgumentError,
  isRefDType,
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
  inputOf,
  makeNode,
  outputOf,
  type IrNode,
  type IrValue,
  type OutputInit,
  type Program,
  type VariableRef,
} from './ir.js';
import { isReplaced, type Pruned } from './prune.js';
import { readReference, resourceEquivalent, type Reference } from './references.js';
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
  readonly #references = new Map<Tensor, Reference>();
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
    if (isReplaced(op, this.pruned.feeds)) return;
    const equivalent = resourceEquivalent(op.type);
    const { type, def } = equivalent ?? { type: op.type, def: requireDef(op) };
    const waits = op.controlInputs.flatMap((control) => this.#nodeOf.get(control) ?? []);
    const { inputs, after } = this.inputsOf(op, waits);
    if (type.startsWith('ResourceScatter') && equivalent !== undefined) this.checkScatter(op, inputs);
    const outputs =
      equivalent === undefined ? this.inferOutputs(op, def, inputs) : resourceOutputs(op, type, inputs);
    const literal = op.type === 'Const' ? op.attrs.tensor('value') : null;
    const controls = [...new Set([...waits, ...after])];
    const node = makeNode({ ...describeOp(op, def), type, inputs, controls, literal, feed: null }, outputs);
    this.#nodes.push(node);
    this.#nodeOf.set(op, node);
    if (equivalent !== undefined) this.noteReference(op, node);
    node.outputs.forEach((value, i) => {
      const output = op.output(i);
      if (!this.#values.has(output)) this.#values.set(output, value);
    });
  }

  /** The values of an op's inputs. References are passed on where the op takes one, else read. */
  private inputsOf(op: Operation, waits: readonly IrNode[]): { inputs: IrValue[]; after: readonly IrNode[] } {
    const after: IrNode[] = [];
    const inputs = op.inputs.map((input, i) => {
      const reference = this.#references.get(input);
      if (reference === undefined || this.pruned.feeds.has(input)) return this.value(input);
      if (op.def?.inputs[i]?.isRef !== true) return this.read(reference, op, waits);
      after.push(...reference.after);
      return reference.handle;
    });
    return { inputs, after };
  }

  private read(reference: Reference, op: Operation, controls: readonly IrNode[]): IrValue {
    const node = readReference(reference, { ...describeOp(op, OPS.ReadVariableOp), controls });
    this.#nodes.push(node);
    return outputOf(node);
  }

  /** The reference that an op on references gives: the variable itself, or the variable after the update. */
  private noteReference(op: Operation, node: IrNode): void {
    const [output] = op.outputs;
    if (output === undefined || !isRefDType(output.dtype)) return;
    const declared = node.outputs[0];
    if (declared !== undefined) this.#references.set(output, { handle: declared, after: [] });
    else this.#references.set(output, { handle: inputOf(node, 0), after: [node] });
  }

  private value(tensor: Tensor): IrValue {
    const value = this.#values.get(tensor);
    if (value === undefined) throw new InternalError(`${tensor.name} is used before it is made`);
    return value;
  }

  finish(): Specialized {
    const fetches = this.pruned.fetches.map((tensor) => {
      const reference = this.#references.get(tensor);
      return reference === undefined ? this.value(tensor) : this.read(reference, tensor.op, []);
    });
    const program = {
      nodes: this.#nodes,
      fetches,
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

  /** Checks an update of rows by the rule of the op on references, for which the handle has the variable's shape. */
  private checkScatter(op: Operation, [handle, ...rest]: readonly IrValue[]): void {
    if (handle === undefined) return;
    const shape =
      handle.variable?.shape.isFullyDefined === true ? handle.variable.shape.toStatic() : handle.shape;
    this.infer(op, requireDef(op), [{ ...handle, shape }, ...rest]);
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

/** Outputs of the resource op that stands for an op on references. Throws when an update's shapes differ. */
function resourceOutputs(op: Operation, type: string, [handle, value]: readonly IrValue[]): OutputInit[] {
  if (type === 'VarHandleOp') return [{ dtype: 'resource', shape: [], variable: variableRef(op.output(0)) }];
  if (type === 'VarIsInitializedOp') return [{ dtype: 'bool', shape: [], variable: null }];
  const shape = handle?.variable?.shape;
  if (
    type.startsWith('Assign') &&
    value !== undefined &&
    shape?.isCompatibleWith(new TensorShape(value.shape)) === false
  ) {
    throw new InvalidArgumentError(
      `${op.describe()}: the value has shape [${value.shape.join(',')}], the variable has ${shape.toString()}${op.creationSite()}`,
      { node: op.name },
    );
  }
  return [];
}

/** The variable that a resource output stands for: declared here, or passed through from an input. */
function variableOf(op: Operation, inputs: readonly IrValue[]): VariableRef | null {
  const passed = inputs.find((input) => input.variable !== null)?.variable;
  return passed ?? (op.type === 'VarHandleOp' ? variableRef(op.output(0)) : null);
}
