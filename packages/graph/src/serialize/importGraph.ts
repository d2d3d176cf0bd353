/** `importGraphDef`: adds the nodes of a `GraphDef` to a graph (`tf.import_graph_def`). */
import type { AttrValue } from '../attr.js';
import { CallSite } from '../callSite.js';
import { InvalidArgumentError, UnimplementedError } from '../errors.js';
import type { Graph } from '../graph.js';
import type { DType } from '../dtype.js';
import { Operation } from '../operation.js';
import { lookupOp } from '../opTable.js';
import { complete } from '../proto/complete.js';
import type { Init } from '../proto/message.js';
import type { FunctionDefLibrary, GraphDef, NodeDef, OpDef, VersionDef } from '../proto/messages.js';
import { getDefaultGraph } from '../scopes.js';
import { TensorShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { attrsFromProto } from './attrProto.js';
import {
  addLibrary,
  GRAPH_DEF_VERSION,
  graphMetadata,
  keepNodeExtras,
  type NodeExtras,
} from './graphMetadata.js';
import { addFunctions } from './functionDefs.js';
import { readGraphDef } from './graphFile.js';
import {
  closesLoop,
  creationOrder,
  describeNode,
  isBackEdge,
  parseInput,
  parseNodes,
  type FileNode,
  type InputRef,
  type ParsedNode,
} from './importOrder.js';
import { inertOutputs } from './inertOps.js';

export interface ImportOptions {
  /** Inputs of the file's nodes (`x`, `x:0`, `^x`) that take these tensors (or operations) instead. */
  readonly inputMap?:
    Readonly<Record<string, Tensor | Operation>> | ReadonlyMap<string, Tensor | Operation> | undefined;
  /** Names in the file of operations (`train`) and tensors (`loss:0`) to return. */
  readonly returnElements?: readonly string[] | undefined;
  /** Scope to put the nodes under, made unique; `''` for none. Default `import`. */
  readonly name?: string | undefined;
  /** Default: the default graph. */
  readonly graph?: Graph | undefined;
  /** Signatures of ops that are not registered here, as MetaGraphDefs carry them. */
  readonly opDefs?: readonly OpDef[] | undefined;
  /** Leaves out the nodes' device labels. */
  readonly clearDevices?: boolean | undefined;
  /**
   * Reads the elements of constants when they are first asked for, for tools that look at graphs: the message, and the bytes that it was
   * decoded from, must stay as they are. Default false.
   */
  readonly deferConstants?: boolean | undefined;
  /**
   * Infers shapes when they are first asked for. What does not fit a node is then reported there, or by the first run that needs the
   * node, instead of here. Graphs with loops of version 1 control flow are inferred at once all the same. Default false.
   */
  readonly deferShapes?: boolean | undefined;
}

/** A graph of a file, and how to read its nodes' attributes. */
export interface FileGraph<N extends FileNode> {
  readonly nodes: readonly N[];
  readonly library?: FunctionDefLibrary | undefined;
  readonly versions?: VersionDef | undefined;
  /** The attributes of a node. Throws `InvalidArgumentError` for what cannot be understood. */
  readonly attrsOf: (node: N) => Map<string, AttrValue>;
  /** What a node holds besides, to be written back. */
  readonly extrasOf?: (node: N) => NodeExtras;
}

/**
 * Adds the nodes of a file to a graph and returns the `returnElements`. Nodes may come in any order;
 * attributes that are missing get their defaults; op types that are not registered become inert nodes,
 * which can be inspected and written back. Nothing but new nodes is left behind when it throws.
 *
 * Throws `InvalidArgumentError` naming the node for: two nodes of one name, a cycle (other than loops
 * of version 1 control flow), an input that names nothing, inputs or attributes that do not fit the op,
 * unused keys of `inputMap`, unknown `returnElements`; `UnimplementedError` for files that need a newer
 * reader; `DataLossError` for damaged bytes.
 */
export function importGraphDef(
  graphDef: Init<GraphDef> | Uint8Array,
  options: ImportOptions = {},
): (Operation | Tensor)[] {
  return importWholeGraphDef(
    isGraphDef(graphDef) ? complete('GraphDef', graphDef) : readGraphDef(graphDef),
    options,
  );
}

/** As `importGraphDef`, for a message that was read and so lacks nothing. */
export function importWholeGraphDef(def: GraphDef, options: ImportOptions = {}): (Operation | Tensor)[] {
  const { node: nodes, library, versions } = def;
  const attrsOf = (node: NodeDef): Map<string, AttrValue> =>
    attrsFromProto(node.attr, describeNode(node), options.deferConstants);
  return importFileGraph({ nodes, library, versions, attrsOf, extrasOf: (node) => node }, options);
}

/** As `importGraphDef`, for a graph that is no message. */
export function importFileGraph<N extends FileNode>(
  file: FileGraph<N>,
  options: ImportOptions = {},
): (Operation | Tensor)[] {
  const graph = options.graph ?? getDefaultGraph();
  checkVersions(file.versions);
  const importer = new Importer(graph, file, options);
  return graph.nameScope(options.name ?? 'import', (scope) =>
    CallSite.sharedBy(importFileGraph, () => graph.controlDependencies(null, () => importer.run(scope))),
  );
}

function isGraphDef(given: Init<GraphDef> | Uint8Array): given is Init<GraphDef> {
  return typeof given === 'object' && 'node' in given;
}

function checkVersions(versions: VersionDef | undefined): void {
  if (versions === undefined) return;
  const { producer, minConsumer, badConsumers } = versions;
  if (minConsumer > GRAPH_DEF_VERSION || badConsumers.includes(GRAPH_DEF_VERSION)) {
    throw new UnimplementedError(
      `the GraphDef (producer ${producer}) needs a reader of version ${minConsumer} or later` +
        `${badConsumers.length > 0 ? ` other than ${badConsumers.join(', ')}` : ''}; this one is version ${GRAPH_DEF_VERSION}`,
    );
  }
}

/** Up to this producer, a scalar shape of a Placeholder meant that nothing is known. */
const LAST_SCALAR_PLACEHOLDER = 21;

class Importer<N extends FileNode> {
  readonly #inputMap: ReadonlyMap<string, Tensor | Operation>;
  readonly #usedKeys = new Set<string>();
  readonly #nodes: ReadonlyMap<string, ParsedNode<N>>;
  /** By the position of the nodes in the file. */
  readonly #created: (Operation | undefined)[] = [];
  readonly #signatures: Map<string, OpDef>;
  #counts: ReadonlyMap<string, number> | undefined;
  readonly #order: readonly ParsedNode<N>[];
  readonly #hasLoops: boolean;

  constructor(
    private readonly graph: Graph,
    private readonly file: FileGraph<N>,
    private readonly options: ImportOptions,
  ) {
    const { inputMap = {}, opDefs = [] } = options;
    const entries =
      inputMap instanceof Map
        ? [...(inputMap as ReadonlyMap<string, Tensor | Operation>)]
        : Object.entries(inputMap);
    this.#inputMap = new Map(entries.map(([key, value]) => [key.replace(/:0$/, ''), value]));
    this.#signatures = new Map(opDefs.map((opDef) => [opDef.name, opDef]));
    for (const { signature } of file.library?.function ?? []) {
      if (signature !== undefined) this.#signatures.set(signature.name, signature);
    }
    const isMapped = (text: string): boolean => this.isMapped(text);
    this.#nodes = parseNodes(file.nodes, isMapped);
    this.#order = creationOrder([...this.#nodes.values()]);
    this.checkInputMap();
    this.#hasLoops = file.nodes.some(closesLoop);
  }

  private isMapped(text: string): boolean {
    if (this.#inputMap.size === 0) return false;
    const key = text.replace(/:0$/, '');
    if (!this.#inputMap.has(key)) return false;
    this.#usedKeys.add(key);
    return true;
  }

  /** What the caller puts in place of an input of the file. */
  private mapped(text: string): Tensor | Operation | undefined {
    return this.#inputMap.size === 0 ? undefined : this.#inputMap.get(text.replace(/:0$/, ''));
  }

  private checkInputMap(): void {
    const unused = [...this.#inputMap.keys()].filter((key) => !this.#usedKeys.has(key));
    if (unused.length === 0) return;
    throw new InvalidArgumentError(
      `inputMap: no node of the graph has an input ${unused.map((key) => `"${key}"`).join(', ')}`,
    );
  }

  /** How many outputs of each node the file speaks of: for op types that are not registered. */
  private get outputCounts(): ReadonlyMap<string, number> {
    return (this.#counts ??= this.countOutputs());
  }

  private countOutputs(): Map<string, number> {
    const counts = new Map<string, number>();
    const refs = [...this.#nodes.values()].flatMap((node) => node.inputs);
    const returned = (this.options.returnElements ?? []).filter((name) => name.includes(':')).map(parseInput);
    for (const { node, index } of [...refs, ...returned]) {
      counts.set(node, Math.max(counts.get(node) ?? 0, index + 1));
    }
    return counts;
  }

  /** Creates the nodes below `scope`, which is empty or ends with a slash. */
  run(scope: string): (Operation | Tensor)[] {
    if (this.graph.operations.length > 0) this.checkNames(scope);
    if (this.file.library !== undefined) this.addFunctions(this.file.library);
    this.keepVersions();
    for (const [name, signature] of this.#signatures)
      graphMetadata(this.graph).foreignOps.set(name, signature);
    this.#created.length = this.#order.length;
    for (const node of this.#order) this.#created[node.position] = this.create(node, scope);
    if (this.#hasLoops) this.closeLoops();
    return (this.options.returnElements ?? []).map((name) => this.element(name));
  }

  private checkNames(scope: string): void {
    for (const { def } of this.#order) {
      const name = scope + def.name;
      if (this.graph.findOperation(name) === undefined) continue;
      throw new InvalidArgumentError(`two nodes with the name "${name}": the graph has one already`, {
        node: name,
      });
    }
  }

  /** Functions of which an op here may run become graphs; the messages are kept for writing the others back. */
  private addFunctions(library: FunctionDefLibrary): void {
    addLibrary(this.graph, library);
    addFunctions(this.graph.root, library.function, this.#signatures);
  }

  private keepVersions(): void {
    const meta = graphMetadata(this.graph);
    const { versions } = this.file;
    if (versions === undefined) return;
    if (this.graph.operations.length === 0) {
      meta.versions = versions;
      return;
    }
    meta.versions = {
      producer: Math.min(meta.versions.producer, versions.producer),
      minConsumer: Math.max(meta.versions.minConsumer, versions.minConsumer),
      badConsumers: [...new Set([...meta.versions.badConsumers, ...versions.badConsumers])],
    };
  }

  private create(node: ParsedNode<N>, scope: string): Operation {
    const { def } = node;
    const registered = lookupOp(def.op) !== undefined;
    const attrs = this.file.attrsOf(def);
    if (registered) refusePlaceholders(def, attrs);
    this.adaptAttrs(def, attrs, scope);
    const op = this.graph.createOp({
      type: def.op,
      fullName: scope + def.name,
      inputs: this.inputsOf(node),
      controlInputs: node.controls.map((ref) => this.control(ref)),
      attrs,
      ownsAttrs: true,
      device: this.options.clearDevices === true ? '' : def.device,
      outputDTypes: registered ? undefined : this.outputsOf(def, attrs),
      deferShapes: this.options.deferShapes === true && !this.#hasLoops,
    });
    const extras = this.file.extrasOf?.(def);
    if (extras !== undefined) keepNodeExtras(op, extras);
    if (!registered) setKnownShapes(op);
    return op;
  }

  private outputsOf({ op, name }: FileNode, attrs: ReadonlyMap<string, AttrValue>): DType[] {
    return inertOutputs(op, attrs, this.#signatures.get(op), this.outputCounts.get(name) ?? 0);
  }

  private adaptAttrs(def: FileNode, attrs: Map<string, AttrValue>, scope: string): void {
    const shape = attrs.get('shape');
    const old = (this.file.versions?.producer ?? 0) <= LAST_SCALAR_PLACEHOLDER;
    if (old && def.op === 'Placeholder' && shape?.kind === 'shape' && shape.value.rank === 0) {
      attrs.set('shape', { kind: 'shape', value: TensorShape.UNKNOWN });
    }
    const groups = attrs.get('_class');
    if (scope === '' || groups?.kind !== 'list(string)') return;
    const value = groups.value.map((group) => this.moveColocation(group, scope));
    attrs.set('_class', { kind: 'list(string)', value });
  }

  /** `loc:@node` names a node of the file, which lies below `scope` now. */
  private moveColocation(group: string | Uint8Array, scope: string): string | Uint8Array {
    const node = typeof group === 'string' && group.startsWith('loc:@') ? group.slice(5) : undefined;
    return node !== undefined && this.#nodes.has(node) ? `loc:@${scope}${node}` : group;
  }

  private inputsOf({ def, inputs }: ParsedNode): readonly Tensor[] {
    const tensors = inputs.map((ref) => {
      const source = this.made(ref);
      if (source !== undefined) return outputOf(source, ref.index, def);
      const mapped = this.mapped(ref.text);
      return mapped instanceof Operation ? mapped.output(0) : mapped;
    });
    if (tensors.every((tensor) => tensor !== undefined)) return tensors;
    // The end of a loop does not exist yet: until then its beginning stands in.
    const standIn = tensors.find((tensor) => tensor !== undefined);
    return tensors.map((tensor, i) => tensor ?? standIn ?? failLoop(def, inputs[i]?.text ?? ''));
  }

  /** The operation of the node that a reference names. */
  private made({ source }: InputRef): Operation | undefined {
    return source === undefined ? undefined : this.#created[source.position];
  }

  private control(ref: InputRef): Operation {
    const given = this.made(ref) ?? this.mapped(ref.text);
    if (given === undefined) throw new InvalidArgumentError(`control input "${ref.text}" was not created`);
    return given instanceof Operation ? given : given.op;
  }

  private closeLoops(): void {
    for (const { def, inputs, position } of this.#order) {
      inputs.forEach((ref, i) => {
        const end = this.made(ref);
        if (ref.source === undefined || end === undefined || !isBackEdge(ref.source.def, def)) return;
        this.#created[position]?.replaceInput(i, outputOf(end, ref.index, def));
      });
    }
  }

  private element(name: string): Operation | Tensor {
    const isTensor = name.includes(':');
    const mapped = isTensor ? this.#inputMap.get(name.replace(/:0$/, '')) : undefined;
    if (mapped !== undefined) return mapped;
    const ref = parseInput(name);
    const op = this.#created[this.#nodes.get(ref.node)?.position ?? -1];
    if (op === undefined) throw new InvalidArgumentError(`returnElements: "${name}" is not in the graph`);
    return isTensor ? op.output(ref.index) : op;
  }
}

/** Attributes that a call gives their values are for bodies of functions; nothing gives them one in a graph. */
function refusePlaceholders(def: FileNode, attrs: ReadonlyMap<string, AttrValue>): void {
  for (const [name, { kind, value }] of attrs) {
    if (kind !== 'placeholder') continue;
    throw new InvalidArgumentError(
      `${describeNode(def)}: attribute "${name}" stands for the attribute "${value}" of a function, but the node is in none`,
      { node: def.name },
    );
  }
}

function outputOf(source: Operation, index: number, consumer: FileNode): Tensor {
  const output = source.outputs[index];
  if (output !== undefined) return output;
  throw new InvalidArgumentError(
    `${describeNode(consumer)}: ${source.describe()} has ${source.outputs.length} outputs, there is no output ${index}`,
    { node: consumer.name },
  );
}

function failLoop(def: FileNode, input: string): never {
  throw new InvalidArgumentError(`${describeNode(def)}: the loop of input "${input}" has no beginning`, {
    node: def.name,
  });
}

/** Shapes that the writer of the file knew. */
function setKnownShapes(op: Operation): void {
  const attr = op.attrs.values.get('_output_shapes');
  if (attr?.kind !== 'list(shape)') return;
  op.outputs.forEach((output, i) => output.setShape(attr.value[i] ?? null));
}
