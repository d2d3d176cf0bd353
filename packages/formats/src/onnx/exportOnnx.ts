/** `exportOnnx`: inference graphs to ONNX models. */
import {
  InvalidArgumentError,
  proto,
  UnimplementedError,
  type Operation,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { EXPORTERS } from './exportOps.js';
import type { AttributeValue, OnnxWriter } from './exportWriter.js';
import { moveDataOut, type ExternalDataOptions } from './externalData.js';
import { onnxNumber, valueToOnnx } from './tensors.js';

/** The operator set that models are written with. */
const OPSET = 18;
const IR_VERSION = 8;

export interface ExportOnnxOptions {
  /** What the model computes. */
  readonly outputs: readonly Tensor[] | Readonly<Record<string, Tensor>>;
  /** Tensors that are fed; default: the placeholders that the outputs need. */
  readonly inputs?: readonly Tensor[] | undefined;
  /** Values of the variables, by the names of their operations. */
  readonly variables?: ReadonlyMap<string, TensorValue> | undefined;
}

/** A model and the file beside it that holds its large values. */
export interface OnnxParts {
  readonly model: Uint8Array;
  /** The file's bytes, in parts. */
  readonly data: readonly Uint8Array[];
}

/**
 * The bytes of a model (operator set 18). Constants and the values of variables become initializers. Throws `UnimplementedError` listing every op that has
 * no form in ONNX here, `InvalidArgumentError` for variables without a value and for attributes that cannot be expressed.
 */
export function exportOnnx(options: ExportOnnxOptions): Uint8Array {
  return new Exporter(options).parts().model;
}

/** As `exportOnnx`, with large values in a file beside the model: for models over protobuf's 2 GiB. */
export function exportOnnxParts(options: ExportOnnxOptions, external: ExternalDataOptions): OnnxParts {
  return new Exporter(options).parts(external);
}

const READS: ReadonlySet<string> = new Set(['ReadVariableOp']);
const VARIABLES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

class Exporter implements OnnxWriter {
  readonly #nodes: proto.Init<proto.onnxNodeProto>[] = [];
  readonly #initializers: proto.Init<proto.onnxTensorProto>[] = [];
  readonly #names = new Map<Tensor, string>();
  readonly #outputs: readonly (readonly [string, Tensor])[];
  readonly #inputs: ReadonlySet<Tensor>;
  readonly #order: readonly Operation[];

  constructor(private readonly options: ExportOnnxOptions) {
    const { outputs, inputs } = options;
    this.#outputs = isTensors(outputs)
      ? outputs.map((tensor) => [plainName(tensor), tensor])
      : Object.entries(outputs);
    const given = new Set(inputs ?? []);
    this.#order = operationsFor(
      this.#outputs.map(([, tensor]) => tensor),
      given,
    );
    const fed = this.#order
      .filter(({ type }) => type === 'Placeholder')
      .flatMap(({ outputs: [tensor] }) => tensor ?? []);
    this.#inputs = inputs === undefined ? new Set(fed) : given;
    this.refuseUnknown();
  }

  private refuseUnknown(): void {
    const unknown = this.#order.filter((op) => {
      const known =
        EXPORTERS.has(op.type) ||
        READS.has(op.type) ||
        VARIABLES.has(op.type) ||
        op.type === 'Const' ||
        op.type === 'PlaceholderWithDefault';
      return !known && !op.outputs.some((tensor) => this.#inputs.has(tensor));
    });
    if (unknown.length === 0) return;
    const lines = unknown.map(({ type, name }) => `  ${type}: ${name}`);
    throw new UnimplementedError(`exportOnnx: ops that have no form in ONNX here:\n${lines.join('\n')}`);
  }

  parts(external?: ExternalDataOptions): OnnxParts {
    for (const tensor of this.#inputs) this.#names.set(tensor, plainName(tensor));
    for (const op of this.#order) this.write(op);
    const outputs = this.#outputs.map(([name, tensor]) => {
      const made = this.name(tensor);
      if (made !== name) this.add('Identity', [made], {}, name);
      return valueInfo(name, tensor);
    });
    const { initializers, data } =
      external === undefined
        ? { initializers: this.#initializers, data: [] }
        : moveDataOut(this.#initializers, external);
    const model = proto.encode('onnx.ModelProto', {
      irVersion: IR_VERSION,
      producerName: 'forerun',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'graph',
        node: this.#nodes,
        initializer: initializers,
        input: [...this.#inputs].map((tensor) => valueInfo(plainName(tensor), tensor)),
        output: outputs,
      },
    });
    return { model, data };
  }

  private write(op: Operation): void {
    const [first] = op.outputs;
    if (first === undefined || this.#inputs.has(first) || VARIABLES.has(op.type)) {
      if (first !== undefined && VARIABLES.has(op.type) && first.dtype !== 'resource')
        this.#names.set(first, this.constant(this.variable(op), first.name));
      return;
    }
    const value = this.value(first);
    if (value !== undefined) {
      this.#names.set(first, this.constant(value, plainName(first)));
      return;
    }
    if (op.type === 'PlaceholderWithDefault') {
      this.#names.set(first, this.name(op.inputs[0] ?? first));
      return;
    }
    const names = op.outputs.map(plainName);
    EXPORTERS.get(op.type)?.(op, this, names);
    op.outputs.forEach((tensor, i) => this.#names.set(tensor, names[i] ?? ''));
  }

  private variable(op: Operation): TensorValue {
    const value = this.options.variables?.get(op.attrs.string('shared_name') || op.name);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(
      `exportOnnx: the variable "${op.name}" has no value: give the option variables, or freeze the graph`,
    );
  }

  name(tensor: Tensor): string {
    const name = this.#names.get(tensor);
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`exportOnnx: "${tensor.name}" is needed before it is computed`);
  }

  value(tensor: Tensor): TensorValue | undefined {
    const { op } = tensor;
    if (op.type === 'Const') return op.attrs.tensor('value');
    const [handle] = op.inputs;
    return READS.has(op.type) && handle !== undefined ? this.variable(handle.op) : undefined;
  }

  add(
    type: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, AttributeValue>> = {},
    output = `${type}_${this.#nodes.length}`,
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
    this.#nodes.push({ opType: type, name, input: [...inputs], output: [...outputs], attribute });
  }

  constant(value: TensorValue, name = `constant_${this.#initializers.length}`): string {
    this.#initializers.push(valueToOnnx(value, name));
    return name;
  }
}

function isTensors(outputs: ExportOnnxOptions['outputs']): outputs is readonly Tensor[] {
  return Array.isArray(outputs);
}

/** `dense/BiasAdd` for output 0, `split:1` for others. */
function plainName(tensor: Tensor): string {
  return tensor.index === 0 ? tensor.op.name : tensor.name;
}

function attributeProto(name: string, value: AttributeValue): proto.Init<proto.onnxAttributeProto> {
  if (typeof value === 'string') return { name, type: 3, s: new TextEncoder().encode(value) };
  if (typeof value === 'number') return { name, type: 2, i: BigInt(value) };
  return 'f' in value ? { name, type: 1, f: value.f } : { name, type: 7, ints: value.map(BigInt) };
}

function valueInfo(name: string, tensor: Tensor): proto.Init<proto.onnxValueInfoProto> {
  const dims = tensor.shape.dims?.map((size, i) =>
    size === null ? { dimParam: i === 0 ? 'batch' : `${name}_${i}` } : { dimValue: size },
  );
  const elemType = onnxNumber(tensor.dtype, `"${name}"`);
  return {
    name,
    type: { tensorType: { elemType, ...(dims === undefined ? {} : { shape: { dim: dims } }) } },
  };
}

/** What the outputs need, every op after its inputs; fed tensors need nothing. */
function operationsFor(outputs: readonly Tensor[], fed: ReadonlySet<Tensor>): Operation[] {
  const found = new Set<Operation>();
  const queue = outputs.map((tensor) => tensor.op);
  for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
    if (found.has(op)) continue;
    found.add(op);
    if (!op.outputs.some((tensor) => fed.has(tensor))) queue.push(...op.inputs.map((tensor) => tensor.op));
  }
  return [...found].sort((a, b) => a.id - b.id);
}
