/** `exportOnnx`: inference graphs to ONNX models. */
import {
  InvalidArgumentError,
  proto,
  UnimplementedError,
  type Operation,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { functionsOf, isControl } from './exportControl.js';
import { GraphPart, isConstant, isRowSource, isVariable, operationsFor, plainName } from './exportGraph.js';
import { isComposed, partsOf } from './exportComposed.js';
import { EXPORTERS } from './exportOps.js';
import { valueInfo } from './exportWriter.js';
import { moveDataOut, type ExternalDataOptions } from './externalData.js';

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
  /** Refuses a model of more bytes. Default: what ONNX files can hold, 2 GiB. */
  readonly maxBytes?: number | undefined;
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

class Exporter {
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
    const unknown = unknownOps(this.#order, this.#inputs, new Set());
    if (unknown.length === 0) return;
    const lines = unknown.map(({ type, name }) => `  ${type}: ${name}`);
    throw new UnimplementedError(`exportOnnx: ops that have no form in ONNX here:\n${lines.join('\n')}`);
  }

  parts(external?: ExternalDataOptions): OnnxParts {
    const part = new GraphPart((op) => this.variable(op), '');
    for (const tensor of this.#inputs) part.give(tensor, plainName(tensor));
    part.write(this.#order);
    const outputs = this.#outputs.map(([name, tensor]) => {
      const made = part.name(tensor);
      if (made !== name) part.add('Identity', [made], {}, name);
      return valueInfo(name, tensor);
    });
    const used = usedNames(part.nodes, new Set(this.#outputs.map(([name]) => name)));
    const held = part.initializers.filter(({ name = '' }) => used.has(name));
    const { initializers, data } =
      external === undefined ? { initializers: held, data: [] } : moveDataOut(held, external);
    const message: proto.Init<proto.onnxModelProto> = {
      irVersion: IR_VERSION,
      producerName: 'forerun',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: {
        name: 'graph',
        node: part.nodes,
        initializer: initializers,
        input: [...this.#inputs].map((tensor) => valueInfo(plainName(tensor), tensor)),
        output: outputs,
      },
    };
    refuseLarge(message, initializers, this.options.maxBytes);
    return { model: proto.encode('onnx.ModelProto', message), data };
  }

  private variable(op: Operation): TensorValue {
    const value = this.options.variables?.get(op.attrs.string('shared_name') || op.name);
    if (value !== undefined) return value;
    throw new InvalidArgumentError(
      `exportOnnx: the variable "${op.name}" has no value: give the option variables, or freeze the graph`,
    );
  }
}

/** What nodes take, those in graphs of attributes among them. */
function usedNames(
  nodes: readonly proto.Init<proto.onnxNodeProto>[],
  found = new Set<string>(),
): Set<string> {
  for (const { input = [], attribute = [] } of nodes) {
    for (const name of input) found.add(name);
    for (const { g } of attribute) {
      usedNames(g?.node ?? [], found);
      for (const { name } of g?.output ?? []) found.add(name ?? '');
    }
  }
  return found;
}

const MOST_BYTES = 2 ** 31 - 1;
const NAMED = 3;

function refuseLarge(
  message: proto.Init<proto.onnxModelProto>,
  initializers: readonly proto.Init<proto.onnxTensorProto>[],
  maxBytes = Infinity,
): void {
  const limit = Math.min(maxBytes, MOST_BYTES);
  const size = proto.encodedSize('onnx.ModelProto', message);
  if (size <= limit) return;
  const bytesOf = ({ rawData }: proto.Init<proto.onnxTensorProto>): number => rawData?.length ?? 0;
  const largest = [...initializers].sort((a, b) => bytesOf(b) - bytesOf(a)).slice(0, NAMED);
  const list = largest.map((tensor) => `"${tensor.name ?? ''}" (${bytesOf(tensor)} bytes)`).join(', ');
  throw new InvalidArgumentError(
    `exportOnnx: the model would take ${size} bytes, such a file can hold ${limit}. Largest values: ${list}. Put them into a file beside the model: ` +
      'fr.io.saveOnnx(sess, path, { outputs, externalData: true }) or forerun convert --external-weights',
  );
}

/** Ops without a form, also in the functions that are called; each function is searched once. */
function unknownOps(
  order: readonly Operation[],
  inputs: ReadonlySet<Tensor>,
  searched: Set<string>,
): Operation[] {
  return order.flatMap((op) => {
    if (op.outputs.some((tensor) => inputs.has(tensor))) return [];
    if (isControl(op)) {
      return functionsOf(op).flatMap((fn) => {
        if (searched.has(fn.functionName)) return [];
        searched.add(fn.functionName);
        const given = new Set(fn.inputs);
        return unknownOps(operationsFor(fn.outputs, given), given, searched);
      });
    }
    if (isComposed(op)) {
      const parts = partsOf(op);
      return unknownOps(operationsFor(parts.outputs, new Set(parts.inputs)), new Set(parts.inputs), searched);
    }
    return EXPORTERS.has(op.type) || isVariable(op) || isConstant(op) || isRowSource(op) ? [] : [op];
  });
}

function isTensors(outputs: ExportOnnxOptions['outputs']): outputs is readonly Tensor[] {
  return Array.isArray(outputs);
}
