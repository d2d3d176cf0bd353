/** One ONNX node while its ops are built: inputs, attributes, and the known values of inputs that give shapes and axes. */
import {
  constant,
  constantValue,
  InvalidArgumentError,
  toHostValue,
  type DType,
  type proto,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import type { ImportKnowledge } from './importKnowledge.js';
import { valueFromOnnx } from './tensors.js';

/** A graph in an attribute: the body of a loop, a branch. It may use tensors of the graphs around it. */
export interface Subgraph {
  /** Its outputs as it declares them. */
  readonly outputs: readonly { readonly name: string; readonly dtype: DType | undefined }[];
  /** Whether its first output is its second input, unchanged, or always true: the condition of a loop that only counts. */
  readonly passesCondition: boolean;
  /** Adds its nodes to the default graph, with these tensors as its inputs; gives its outputs. */
  build(inputs: readonly Tensor[]): Tensor[];
}

/** Makes the ops of one node; gives its outputs. */
export type NodeImporter = (node: ImportNode) => Tensor | readonly Tensor[];

export class ImportNode {
  readonly #attributes: ReadonlyMap<string, proto.onnxAttributeProto>;

  constructor(
    readonly def: proto.onnxNodeProto,
    /** Version of the default operator set. */
    readonly opset: number,
    readonly inputs: readonly (Tensor | undefined)[],
    readonly knowledge: ImportKnowledge,
    private readonly open: (graph: proto.onnxGraphProto) => Subgraph,
  ) {
    this.#attributes = new Map(def.attribute.map((attribute) => [attribute.name, attribute]));
  }

  /** The same node with other inputs. */
  withInputs(inputs: readonly (Tensor | undefined)[]): ImportNode {
    return new ImportNode(this.def, this.opset, inputs, this.knowledge, this.open);
  }

  get label(): string {
    return `${this.def.opType} "${this.def.name || (this.def.output[0] ?? '')}"`;
  }

  fail(rule: string): never {
    throw new InvalidArgumentError(`${this.label}: ${rule}`);
  }

  input(index: number): Tensor {
    return this.inputs[index] ?? this.fail(`input ${index} is missing`);
  }

  has(index: number): boolean {
    return this.inputs[index] !== undefined;
  }

  /** The rank of an input. Throws where it is not known. */
  rank(index: number): number {
    return this.input(index).shape.rank ?? this.fail(`the rank of input ${index} is not known`);
  }

  hasAttribute(name: string): boolean {
    return this.#attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    const attribute = this.#attributes.get(name);
    return attribute === undefined ? otherwise : Number(attribute.i);
  }

  float(name: string, otherwise: number): number {
    return this.#attributes.get(name)?.f ?? otherwise;
  }

  text(name: string, otherwise: string): string {
    const attribute = this.#attributes.get(name);
    return attribute === undefined ? otherwise : new TextDecoder().decode(attribute.s);
  }

  ints(name: string): number[] | undefined {
    return this.#attributes.get(name)?.ints.map(Number);
  }

  texts(name: string): string[] | undefined {
    return this.#attributes.get(name)?.strings.map((text) => new TextDecoder().decode(text));
  }

  floats(name: string): readonly number[] | undefined {
    return this.#attributes.get(name)?.floats;
  }

  subgraph(name: string): Subgraph {
    const graph = this.#attributes.get(name)?.g ?? this.fail(`the graph "${name}" is missing`);
    return this.open(graph);
  }

  tensor(name: string): TensorValue | undefined {
    const tensor = this.#attributes.get(name)?.t;
    return tensor === undefined ? undefined : valueFromOnnx(tensor, this.label);
  }

  attribute(name: string): proto.onnxAttributeProto | undefined {
    return this.#attributes.get(name);
  }

  /** The value of an input that came from the file. */
  value(index: number): TensorValue | undefined {
    const tensor = this.inputs[index];
    return tensor === undefined ? undefined : this.knowledge.values.get(tensor);
  }

  /** The known elements of an input; `undefined` when there is no such input. Throws where they are computed. */
  known(index: number): number[] | undefined {
    if (!this.has(index)) return undefined;
    return this.knownElements(index) ?? this.fail(`input ${index} must be known when the model is imported`);
  }

  /** The elements of an input, `undefined` where they are computed. */
  knownElements(index: number): number[] | undefined {
    const value = this.value(index);
    const host = value === undefined ? constantValue(this.input(index)) : toHostValue(value);
    return host === null || host.data.some(Number.isNaN) ? undefined : [...host.data];
  }

  /** What newer operator sets give as an input and older ones as an attribute. */
  list(attribute: string, input: number): number[] | undefined {
    return this.ints(attribute) ?? this.known(input);
  }

  /** Axes from the front. */
  axes(list: readonly number[], rank: number): number[] {
    return list.map((axis) => {
      const at = axis < 0 ? axis + rank : axis;
      return at >= 0 && at < rank ? at : this.fail(`axis ${axis} of rank ${rank}`);
    });
  }

  constant(value: TensorValue, name = 'constant'): Tensor {
    return constant(value, { name });
  }
}
