/** `importOnnx`: ONNX models to graphs, for inference. */
import {
  constant,
  ForerunError,
  getDefaultGraph,
  identity,
  InvalidArgumentError,
  placeholder,
  proto,
  TensorShape,
  UnimplementedError,
  type Graph,
  type ShapeLike,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import { ARRAY_OPS } from './arrayOps.js';
import { ATTENTION_OPS } from './attentionOps.js';
import { DETECTION_OPS } from './detectionOps.js';
import { ELEMENTWISE_OPS } from './elementwiseOps.js';
import { CONTROL_OPS } from './controlOps.js';
import { CONV_OPS } from './convOps.js';
import { ImportNode, type NodeImporter, type Subgraph } from './importNode.js';
import { ImportKnowledge } from './importKnowledge.js';
import { INDEX_OPS } from './indexOps.js';
import { LOSS_OPS } from './lossOps.js';
import { calleeOf, functionsOfModel, nodesForCall, type ModelFunctions } from './modelFunctions.js';
import { NORM_OPS } from './normOps.js';
import { OPTIONAL_OPS } from './optionalOps.js';
import { PATCH_OPS } from './patchOps.js';
import { POOL_OPS } from './poolOps.js';
import { QUANT_OPS } from './quantOps.js';
import { RANDOM_OPS } from './randomOps.js';
import { RECURRENT_OPS } from './recurrentOps.js';
import { REDUCE_OPS } from './reduceOps.js';
import { REGION_OPS } from './regionOps.js';
import { RESIZE_OPS } from './resizeOps.js';
import { SAMPLE_OPS } from './sampleOps.js';
import { SEQUENCE_OPS } from './sequenceOps.js';
import { SIGNAL_OPS } from './signalOps.js';
import { fourBitRange, onnxDType, onnxShape, valueFromOnnx } from './tensors.js';

const IMPORTERS: ReadonlyMap<string, NodeImporter> = new Map(
  Object.entries({
    ...ARRAY_OPS,
    ...ATTENTION_OPS,
    ...CONTROL_OPS,
    ...CONV_OPS,
    ...DETECTION_OPS,
    ...ELEMENTWISE_OPS,
    ...INDEX_OPS,
    ...LOSS_OPS,
    ...NORM_OPS,
    ...OPTIONAL_OPS,
    ...PATCH_OPS,
    ...POOL_OPS,
    ...QUANT_OPS,
    ...RANDOM_OPS,
    ...RECURRENT_OPS,
    ...REDUCE_OPS,
    ...REGION_OPS,
    ...RESIZE_OPS,
    ...SAMPLE_OPS,
    ...SEQUENCE_OPS,
    ...SIGNAL_OPS,
  }),
);
/** Operator sets that importers know. */
const FIRST_OPSET = 6;
const LAST_OPSET = 26;

export interface ImportOnnxOptions {
  /** Default: the default graph. */
  readonly graph?: Graph | undefined;
  /** Scope to put the nodes under; default none. */
  readonly name?: string | undefined;
  /** Sizes of the model's named dimensions, such as `{ batch: 1 }`; others stay unknown. */
  readonly dims?: Readonly<Record<string, number>> | undefined;
  /** Shapes of inputs by name, where the file leaves sizes open, such as `{ x: [1, 3, null, null] }`. */
  readonly shapes?: Readonly<Record<string, ShapeLike>> | undefined;
}

/** A model's inputs and outputs by its own names. */
export interface ImportedOnnx {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** Types of op that models may have. */
export function onnxOps(): string[] {
  return [...IMPORTERS.keys()].sort();
}

/** The message of a model. Throws `DataLossError` for damaged bytes. */
export function readOnnxModel(bytes: Uint8Array): proto.onnxModelProto {
  return proto.decode('onnx.ModelProto', bytes);
}

/**
 * Adds a model to a graph: inputs become placeholders, initializers constants. Images keep ONNX's order of axes, NCHW. Operator sets 6 to 26.
 * Values in files beside the model must have been read before (`readExternalData`, or `fr.io.loadOnnx`).
 * Throws `DataLossError` for damaged bytes, `UnimplementedError` listing every op that is not known here, `InvalidArgumentError` naming the
 * node whose inputs or attributes do not fit.
 */
export function importOnnx(
  source: Uint8Array | proto.onnxModelProto,
  options: ImportOnnxOptions = {},
): ImportedOnnx {
  const model = source instanceof Uint8Array ? readOnnxModel(source) : source;
  if (model.graph === undefined) throw new InvalidArgumentError('ONNX model: there is no graph in it');
  const { graph } = model;
  const opset = operatorSet(model.opsetImport, 'ONNX model');
  const functions = functionsOfModel(model);
  refuseUnknown(nodesOf(graph), functions);
  const target = options.graph ?? getDefaultGraph();
  const given = { dims: options.dims ?? {}, functions, knowledge: new ImportKnowledge() };
  const build = (): ImportedOnnx => new Importer(graph, opset, given).run(options.shapes ?? {});
  return target.asDefault(() =>
    options.name === undefined ? build() : target.nameScope(options.name, build),
  );
}

/** The version of the default operator set. Throws `UnimplementedError` for one that is not known. */
function operatorSet(imports: readonly proto.onnxOperatorSetIdProto[], what: string): number {
  const opset = imports.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0;
  if (opset >= FIRST_OPSET && opset <= LAST_OPSET) return opset;
  throw new UnimplementedError(
    `${what}: operator set ${opset} is not known; ${FIRST_OPSET} to ${LAST_OPSET} are`,
  );
}

/** Nodes of a graph or function and of the graphs in their attributes. */
function nodesOf({ node }: Pick<proto.onnxGraphProto, 'node'>): proto.onnxNodeProto[] {
  return node.flatMap((one) => [
    one,
    ...one.attribute
      .flatMap(({ g, graphs }) => [...(g === undefined ? [] : [g]), ...graphs])
      .flatMap(nodesOf),
  ]);
}

const importerOf = ({ opType, domain }: proto.onnxNodeProto): NodeImporter | undefined =>
  domain === '' || domain === 'ai.onnx' ? IMPORTERS.get(opType) : undefined;

/** Throws for ops that are neither known nor functions of the model, those in functions that are called among them. */
function refuseUnknown(nodes: readonly proto.onnxNodeProto[], functions: ModelFunctions): void {
  const called = new Set<string>();
  const unknown: proto.onnxNodeProto[] = [];
  const visit = (node: proto.onnxNodeProto): void => {
    if (importerOf(node) !== undefined) return;
    const callee = calleeOf(node);
    const fn = functions.get(callee);
    if (fn === undefined) unknown.push(node);
    if (fn === undefined || called.has(callee)) return;
    called.add(callee);
    nodesOf(fn).forEach(visit);
  };
  nodes.forEach(visit);
  if (unknown.length === 0) return;
  const types = new Map<string, string[]>();
  for (const { opType, domain, name, output } of unknown) {
    const type = domain === '' ? opType : `${domain}.${opType}`;
    types.set(type, [...(types.get(type) ?? []), name || (output[0] ?? '')]);
  }
  const lines = [...types].map(
    ([type, names]) =>
      `  ${type}: ${names.slice(0, 3).join(', ')}${names.length > 3 ? ` and ${names.length - 3} more` : ''}`,
  );
  throw new UnimplementedError(`ONNX model: ops that are not known here:\n${lines.join('\n')}`);
}

const EMPTY_GRAPH = proto.decode('onnx.GraphProto', new Uint8Array());
const namedOutput = (name: string): proto.onnxValueInfoProto => ({
  ...proto.decode('onnx.ValueInfoProto', new Uint8Array()),
  name,
});

/** What all graphs of a model share. */
interface ModelContext {
  readonly dims: Readonly<Record<string, number>>;
  readonly functions: ModelFunctions;
  readonly knowledge: ImportKnowledge;
  /** Functions whose nodes are being made. */
  readonly calls?: readonly string[];
}

class Importer {
  readonly #tensors = new Map<string, Tensor>();
  /** Inputs of a function that a call leaves out. */
  readonly #absent = new Set<string>();
  readonly #knowledge: ImportKnowledge;

  constructor(
    private readonly def: proto.onnxGraphProto,
    private readonly opset: number,
    private readonly model: ModelContext,
    /** The graph in an attribute of whose node this one is. */
    private readonly outer?: Importer,
  ) {
    this.#knowledge = model.knowledge;
  }

  run(shapes: Readonly<Record<string, ShapeLike>>): ImportedOnnx {
    for (const tensor of this.def.initializer) this.addInitializer(tensor);
    const inputs: Record<string, Tensor> = {};
    for (const info of this.def.input) {
      if (this.#tensors.has(info.name)) continue;
      inputs[info.name] = this.addInput(info, shapes[info.name]);
    }
    const odd = Object.keys(shapes).find((name) => inputs[name] === undefined);
    if (odd !== undefined)
      throw new InvalidArgumentError(
        `ONNX model: a shape is given for "${odd}", the inputs are ${Object.keys(inputs).join(', ')}`,
      );
    for (const node of this.def.node) this.addNode(node);
    const outputs: Record<string, Tensor> = {};
    for (const { name } of this.def.output)
      for (const [key, tensor] of this.results(name))
        outputs[key] = identity(tensor, { name: nodeName(key) });
    return { inputs, outputs };
  }

  /** An output of the model; of a sequence its elements, named `name/0` and so on. */
  private results(name: string): (readonly [string, Tensor])[] {
    const tensor = this.tensor(name, 'the output');
    const optional = this.#knowledge.optional(tensor);
    const value = optional?.value ?? (optional === undefined ? tensor : undefined);
    if (value !== undefined && value.dtype !== 'variant') return [[name, value]];
    const elements = value === undefined ? undefined : this.#knowledge.sequence(value)?.elements;
    if (elements !== undefined) return elements.map((element, i) => [`${name}/${i}`, element] as const);
    throw new InvalidArgumentError(
      `ONNX model: output "${name}" is ${optional === undefined ? 'a sequence whose length' : 'an optional whose value'} only a run knows, which cannot be fetched`,
    );
  }

  /** As the body of a node: adds the nodes to the default graph, with `inputs` in place of placeholders. */
  body(inputs: readonly Tensor[]): Tensor[] {
    for (const tensor of this.def.initializer) this.addInitializer(tensor);
    this.def.input.forEach(({ name }, i) => {
      const input = inputs[i];
      if (input !== undefined) this.#tensors.set(name, input);
    });
    for (const node of this.def.node) this.addNode(node);
    return this.def.output.map(({ name }) => this.tensor(name, 'the output'));
  }

  private subgraph(def: proto.onnxGraphProto): Subgraph {
    return {
      outputs: def.output.map(({ name, type }) => {
        const number = type?.tensorType?.elemType ?? 0;
        return { name, dtype: number === 0 ? undefined : onnxDType(number, `output "${name}"`) };
      }),
      passesCondition: passesCondition(def),
      build: (inputs) => new Importer(def, this.opset, this.model, this).body(inputs),
    };
  }

  private addInitializer(tensor: proto.onnxTensorProto): void {
    const value = valueFromOnnx(tensor, `initializer "${tensor.name}"`);
    const made = constant(value, { name: nodeName(tensor.name) });
    this.#tensors.set(tensor.name, made);
    this.learn(made, value, tensor.dataType);
  }

  private addInput({ name, type }: proto.onnxValueInfoProto, asked: ShapeLike | undefined): Tensor {
    const tensor = type?.tensorType ?? type?.optionalType?.elemType?.tensorType;
    if (tensor === undefined)
      throw new InvalidArgumentError(`ONNX model: input "${name}" is no tensor, only tensors can be fed`);
    const declared = onnxShape(tensor, this.model.dims);
    const given = TensorShape.of(asked ?? null);
    const shape = declared.mergeWith(given);
    if (shape === null)
      throw new InvalidArgumentError(
        `ONNX model: input "${name}" has the shape ${declared.toString()}, not ${given.toString()}`,
      );
    const input = placeholder(onnxDType(tensor.elemType, `input "${name}"`), shape, {
      name: nodeName(name),
    });
    this.#tensors.set(name, input);
    const range = fourBitRange(tensor.elemType);
    if (range !== undefined) this.#knowledge.fourBits.set(input, range);
    return input;
  }

  private addNode(def: proto.onnxNodeProto): void {
    const inputs = def.input.map((name) =>
      name === '' || this.isAbsent(name)
        ? undefined
        : this.tensor(name, `input of ${def.opType} "${def.name}"`),
    );
    const node = new ImportNode(def, this.opset, inputs, this.#knowledge, (graph) => this.subgraph(graph));
    const outputs = importerOf(def) === undefined ? this.call(node) : this.build(node);
    def.output.forEach((name, i) => {
      const output = outputs[i];
      if (name === '') return;
      // Masks of dropout, running averages: nobody reads them in inference.
      if (output !== undefined) this.#tensors.set(name, output);
    });
    const value = def.opType === 'Constant' ? node.tensor('value') : undefined;
    const [first] = outputs;
    if (value !== undefined && first !== undefined)
      this.learn(first, value, node.attribute('value')?.t?.dataType ?? 0);
  }

  /** The nodes of a function in place of a node that calls it. They see its arguments and nothing else. */
  private call(node: ImportNode): readonly Tensor[] {
    const { def, inputs } = node;
    const callee = calleeOf(def);
    const fn = this.model.functions.get(callee);
    if (fn === undefined) throw new UnimplementedError(`${node.label} is not known here`);
    const calls = this.model.calls ?? [];
    if (calls.includes(callee)) return node.fail(`the function ${fn.name} calls itself`);
    const opset = operatorSet(fn.opsetImport, `ONNX model: function ${fn.name}`);
    const body = { ...EMPTY_GRAPH, node: nodesForCall(fn, def), output: fn.output.map(namedOutput) };
    const inner = new Importer(body, opset, { ...this.model, calls: [...calls, callee] });
    fn.input.forEach((name, i) => {
      const input = inputs[i];
      if (input === undefined) inner.#absent.add(name);
      else inner.#tensors.set(name, input);
    });
    const scope = nodeName(def.name || (def.output[0] ?? def.opType));
    return getDefaultGraph().nameScope(scope, () => inner.body([]));
  }

  /** Remembers a value of the file, and whether its integers have four bits. */
  private learn(tensor: Tensor, value: TensorValue, dataType: number): void {
    this.#knowledge.values.set(tensor, value);
    const range = fourBitRange(dataType);
    if (range !== undefined) this.#knowledge.fourBits.set(tensor, range);
  }

  private build(node: ImportNode): readonly Tensor[] {
    const importer = importerOf(node.def);
    if (importer === undefined) throw new UnimplementedError(`${node.label} is not known here`);
    try {
      const outputs = getDefaultGraph().nameScope(
        nodeName(node.def.name || (node.def.output[0] ?? node.def.opType)),
        () => importer(node),
      );
      return isList(outputs) ? outputs : [outputs];
    } catch (error) {
      if (!(error instanceof ForerunError) || error.message.includes(node.label)) throw error;
      throw new InvalidArgumentError(`${node.label}: ${error.message}`, { cause: error });
    }
  }

  private isAbsent(name: string): boolean {
    return this.#absent.has(name) || (this.outer?.isAbsent(name) ?? false);
  }

  private find(name: string): Tensor | undefined {
    return this.#tensors.get(name) ?? this.outer?.find(name);
  }

  private tensor(name: string, what: string): Tensor {
    const tensor = this.find(name);
    if (tensor !== undefined) return tensor;
    throw new InvalidArgumentError(`ONNX model: ${what} "${name}" is computed by no node before it`);
  }
}

/** Whether the first output of a loop's body is its condition, handed on, or a constant that holds. */
function passesCondition({ input, output, node, initializer }: proto.onnxGraphProto): boolean {
  let name = output[0]?.name ?? '';
  const makers = new Map(node.flatMap((one) => one.output.map((made) => [made, one] as const)));
  for (let maker = makers.get(name); maker?.opType === 'Identity'; maker = makers.get(name)) {
    name = maker.input[0] ?? '';
  }
  if (name === input[1]?.name) return true;
  const held = makers.get(name)?.opType === 'Constant' ? makers.get(name)?.attribute[0]?.t : undefined;
  const value = held ?? initializer.find((tensor) => tensor.name === name);
  return value !== undefined && valueFromOnnx(value, `"${name}"`).data[0] === 1;
}

function isList(outputs: Tensor | readonly Tensor[]): outputs is readonly Tensor[] {
  return Array.isArray(outputs);
}

/** A name that TensorFlow's grammar allows. */
function nodeName(name: string): string {
  const plain = name
    .replaceAll(/[^A-Za-z0-9_.\-/]/g, '_')
    .replace(/^[^A-Za-z0-9.]+/, '')
    .replace(/\/+$/, '');
  return plain === '' ? 'node' : plain;
}
