/** One graph of a model while it is made: the model's own, the branch of a conditional, the body of a loop. */
import {
  InvalidArgumentError,
  type Operation,
  type proto,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { writeControl, isControl } from './exportControl.js';
import { isComposed, partsOf } from './exportComposed.js';
import { EXPORTERS } from './exportOps.js';
import {
  valueInfo,
  type Argument,
  type AttributeValue,
  type ControlWriter,
  type FunctionBody,
} from './exportWriter.js';
import { onnxNumber, valueToOnnx } from './tensors.js';

const READS: ReadonlySet<string> = new Set(['ReadVariableOp']);
const VARIABLES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

/** Whether an op declares a variable or reads one. */
export function isVariable({ type }: Operation): boolean {
  return READS.has(type) || VARIABLES.has(type);
}

/** Whether an op takes rows of a variable. */
export function isRowSource({ type, attrs }: Operation): boolean {
  return type === 'ResourceGatherNd' || (type === 'ResourceGather' && attrs.int('batch_dims') === 0);
}

/** Whether an op stands for a value that the model holds. */
export function isConstant({ type }: Operation): boolean {
  return type === 'Const' || type === 'PlaceholderWithDefault';
}

export class GraphPart implements ControlWriter {
  readonly nodes: proto.Init<proto.onnxNodeProto>[];
  readonly initializers: proto.Init<proto.onnxTensorProto>[];
  readonly #names = new Map<Tensor, string>();
  /** The handles of variables behind arguments of functions. */
  readonly #handles = new Map<Tensor, Tensor>();
  /** The constants of variables of which rows are taken. */
  readonly #tables = new Map<Tensor, string>();
  /** Outputs without a name, and why. */
  readonly #withheld = new Map<Tensor, string>();

  /** `prefix` begins all names that are made here, and `#`, which no name of a graph has, is in those that no tensor has. With `around`, the nodes are added to that graph. */
  constructor(
    private readonly variable: (op: Operation) => TensorValue,
    private readonly prefix: string,
    around?: Pick<GraphPart, 'nodes' | 'initializers'>,
  ) {
    this.nodes = around?.nodes ?? [];
    this.initializers = around?.initializers ?? [];
  }

  /** Lets a tensor be known by a name. */
  give(tensor: Tensor, name: string): void {
    this.#names.set(tensor, name);
  }

  /** Adds nodes for operations, which come after those that they need. */
  write(order: readonly Operation[]): void {
    for (const op of order) this.writeOp(op);
  }

  private writeOp(op: Operation): void {
    const [first] = op.outputs;
    if (first === undefined || this.#names.has(first) || this.#handles.has(first)) return;
    if (VARIABLES.has(op.type)) {
      if (first.dtype !== 'resource') this.give(first, this.constant(this.variable(op), this.named(first)));
      return;
    }
    const value = this.value(first);
    if (value !== undefined) this.give(first, this.constant(value, this.named(first)));
    else if (op.type === 'PlaceholderWithDefault') this.give(first, this.name(op.inputs[0] ?? first));
    else {
      const names = op.outputs.map((tensor) => this.named(tensor));
      if (isControl(op)) writeControl(op, this, names);
      else if (isRowSource(op)) this.writeRows(op, names[0] ?? '');
      else if (isComposed(op)) this.writeParts(op, names);
      else EXPORTERS.get(op.type)?.(op, this, names);
      op.outputs.forEach((tensor, i) => {
        if (!this.#withheld.has(tensor)) this.give(tensor, names[i] ?? '');
      });
    }
  }

  /** Rows of a variable, which becomes a constant once. */
  private writeRows(op: Operation, output: string): void {
    const [handle, indices] = op.inputs;
    if (handle === undefined || indices === undefined) return;
    const source = this.handle(handle);
    const table =
      this.#tables.get(source) ?? this.constant(this.variable(source.op), `${this.named(source)}/table`);
    this.#tables.set(source, table);
    const many = op.type === 'ResourceGatherNd';
    const whole = this.add('Cast', [this.name(indices)], { to: onnxNumber('int64', op.name) });
    this.add(many ? 'GatherND' : 'Gather', [table, whole], many ? {} : { axis: 0 }, output);
  }

  private writeParts(op: Operation, names: readonly string[]): void {
    const args = op.inputs.map((tensor) => this.argument(tensor));
    const results = this.call(partsOf(op), args, op.name);
    names.forEach((name, i) => this.add('Identity', [results[i] ?? ''], {}, name));
  }

  private named(tensor: Tensor): string {
    return this.prefix + plainName(tensor);
  }

  call(fn: FunctionBody, args: readonly Argument[], label: string): string[] {
    return new GraphPart(this.variable, `${this.prefix}${label}/`, this).results(fn, args);
  }

  subgraph(
    label: string,
    inputs: readonly proto.Init<proto.onnxValueInfoProto>[],
    build: (part: ControlWriter) => readonly (readonly [name: string, tensor: Tensor])[],
  ): proto.Init<proto.onnxGraphProto> {
    const part = new GraphPart(this.variable, `${this.prefix}${label}/`);
    const output = build(part).map(([made, tensor], i) => {
      const name = part.add('Identity', [made], {}, `${part.prefix}output_${i}`);
      return valueInfo(name, tensor);
    });
    return {
      name: part.prefix,
      node: part.nodes,
      initializer: part.initializers,
      input: [...inputs],
      output,
    };
  }

  private results(fn: FunctionBody, args: readonly Argument[]): string[] {
    fn.inputs.forEach((input, i) => {
      const given = args[i];
      if (typeof given === 'string') this.give(input, given);
      else if (given !== undefined) this.#handles.set(input, given);
    });
    this.write(operationsFor(fn.outputs, new Set(fn.inputs)));
    return fn.outputs.map((output) => (output.dtype === 'resource' ? '' : this.name(output)));
  }

  argument(tensor: Tensor): Argument {
    return tensor.dtype === 'resource' ? this.handle(tensor) : this.name(tensor);
  }

  private handle(tensor: Tensor): Tensor {
    return this.#handles.get(tensor) ?? tensor;
  }

  name(tensor: Tensor): string {
    const name = this.#names.get(tensor);
    if (name !== undefined) return name;
    const rule = this.#withheld.get(tensor);
    if (rule !== undefined) throw new InvalidArgumentError(`exportOnnx: ${rule}`);
    throw new InvalidArgumentError(`exportOnnx: "${tensor.name}" is needed before it is computed`);
  }

  withhold(tensor: Tensor, rule: string): void {
    this.#withheld.set(tensor, rule);
  }

  value(tensor: Tensor): TensorValue | undefined {
    const { op } = tensor;
    if (op.type === 'Const') return op.attrs.tensor('value');
    const [handle] = op.inputs;
    return READS.has(op.type) && handle !== undefined ? this.variable(this.handle(handle).op) : undefined;
  }

  add(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = `${this.prefix}${type}#${this.nodes.length}`,
  ): string {
    this.addMany(type, inputs, attributes, [output]);
    return output;
  }

  addMany(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>>,
    outputs: readonly string[],
  ): void {
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    const [name = type] = outputs;
    this.nodes.push({ opType: type, name, input: [...inputs], output: [...outputs], attribute });
  }

  constant(value: TensorValue, name = `${this.prefix}constant#${this.initializers.length}`): string {
    this.initializers.push(valueToOnnx(value, name));
    return name;
  }
}

/** `dense/BiasAdd` for output 0, `split:1` for others. */
export function plainName(tensor: Tensor): string {
  return tensor.index === 0 ? tensor.op.name : tensor.name;
}

function attributeProto(name: string, value: AttributeValue): proto.Init<proto.onnxAttributeProto> {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  if ('graph' in value) return { name, type: 5, g: value.graph };
  return 'f' in value ? { name, type: 1, f: value.f } : { name, type: 7, ints: value.map(BigInt) };
}

/** What the outputs need, every op after its inputs; fed tensors need nothing. */
export function operationsFor(outputs: readonly Tensor[], fed: ReadonlySet<Tensor>): Operation[] {
  const found = new Set<Operation>();
  const queue = outputs.map((tensor) => tensor.op);
  for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    if (!op.outputs.some((tensor) => fed.has(tensor))) queue.push(...op.inputs.map((tensor) => tensor.op));
  }
  return [...found].sort((a, b) => a.id - b.id);
}
