/**
 * A loaded graph as operations with inferred shapes, and what every command asks of it: consumers,
 * variables and their roles, inputs, outputs and targets, and which ops can run.
 */
import {
  calledFunctions,
  FuncGraph,
  Graph,
  importWholeGraphDef,
  NotFoundError,
  proto,
  GraphKeys,
  isFloating,
  type Operation,
} from '@forerun/graph';
import { FileError } from './errors.js';
import { inFile } from './inFile.js';
import type { LoadedGraph } from './load.js';

/** One use of an operation by another. */
export interface Use {
  readonly op: Operation;
  /** Which of the user's inputs it is; -1 for a control input. */
  readonly input: number;
  /** Which output is used; -1 for a control input. */
  readonly output: number;
}

/** What a variable is for: trained by an optimizer, an optimizer's own state, or anything else. */
export type VariableRole = 'trained' | 'slot' | 'other';

export interface GraphVariable {
  readonly op: Operation;
  readonly role: VariableRole;
}

export interface GraphView {
  readonly loaded: LoadedGraph;
  readonly graph: Graph;
  readonly uses: ReadonlyMap<Operation, readonly Use[]>;
  readonly variables: readonly GraphVariable[];
  /** See `outputsOf`. */
  readonly outputs: readonly Operation[];
}

export interface ViewOptions {
  /**
   * For commands that show shapes of few nodes or none: shapes are inferred where they are asked for, which then throws a `ForerunError` for a
   * node whose inputs do not fit. Default false.
   */
  readonly deferShapes?: boolean;
}

/** Builds the operations of a loaded graph. Throws `FileError` when the graph breaks the rules. */
export function viewGraph(loaded: LoadedGraph, { deferShapes = false }: ViewOptions = {}): GraphView {
  const opDefs = loaded.metaGraph?.metaInfoDef?.strippedOpList?.op ?? [];
  return inFile(loaded.path, () => {
    const graph = new Graph();
    importWholeGraphDef(loaded.graphDef, { graph, name: '', opDefs, deferConstants: true, deferShapes });
    return new LoadedView(loaded, graph, variablesOf(graph, loaded));
  });
}

/** Who uses what, and what the outputs are, is found out when a command asks for it. */
class LoadedView implements GraphView {
  #uses: ReadonlyMap<Operation, readonly Use[]> | undefined;
  #outputs: readonly Operation[] | undefined;

  constructor(
    readonly loaded: LoadedGraph,
    readonly graph: Graph,
    readonly variables: readonly GraphVariable[],
  ) {}

  get uses(): ReadonlyMap<Operation, readonly Use[]> {
    return (this.#uses ??= usesOf(this.graph));
  }

  get outputs(): readonly Operation[] {
    return (this.#outputs ??=
      this.loaded.origin === undefined
        ? modelOutputs(this.graph)
        : signatureOutputs(this.graph, this.loaded));
  }
}

function usesOf(graph: Graph): Map<Operation, Use[]> {
  const uses = new Map<Operation, Use[]>(graph.operations.map((op) => [op, []]));
  for (const op of graph.operations) {
    op.inputs.forEach((tensor, input) => uses.get(tensor.op)?.push({ op, input, output: tensor.index }));
    for (const control of op.controlInputs) uses.get(control)?.push({ op, input: -1, output: -1 });
  }
  return uses;
}

const VARIABLE_TYPES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

/** True for the nodes that stand for variables. */
export function isVariable(op: Operation): boolean {
  return VARIABLE_TYPES.has(op.type);
}

/** A question about op types, asked of each type once: graphs have very many nodes of few types. */
function byType(pattern: RegExp): (op: Operation) => boolean {
  const known = new Map<string, boolean>();
  return ({ type }) => {
    let answer = known.get(type);
    if (answer === undefined) known.set(type, (answer = pattern.test(type)));
    return answer;
  };
}

/** True for an optimizer's update of one variable. */
export const isUpdate = byType(/^(Resource)?(Sparse)?Apply[A-Z]/);

function variablesOf(graph: Graph, { metaGraph }: LoadedGraph): GraphVariable[] {
  const roles = new Map<Operation, VariableRole>();
  for (const name of trainableNames(metaGraph)) {
    const op = graph.findOperation(name);
    if (op !== undefined) roles.set(op, 'trained');
  }
  for (const update of graph.operations.filter(isUpdate)) {
    const [variable, ...slots] = update.inputs.map((input) => input.op).filter(isVariable);
    if (variable !== undefined) roles.set(variable, 'trained');
    for (const slot of slots) if (!roles.has(slot)) roles.set(slot, 'slot');
  }
  return graph.operations.filter(isVariable).map((op) => ({ op, role: roles.get(op) ?? 'other' }));
}

function trainableNames(metaGraph: proto.MetaGraphDef | undefined): string[] {
  const defs = metaGraph?.collectionDef.get(GraphKeys.TRAINABLE_VARIABLES)?.bytesList?.value ?? [];
  return defs.map((bytes) => proto.decode('VariableDef', bytes).variableName.replace(/:\d+$/, ''));
}

const INPUT_TYPES: ReadonlySet<string> = new Set(['Placeholder', 'PlaceholderV2', 'PlaceholderWithDefault']);

/** True for the nodes that are fed. */
function isInput(op: Operation): boolean {
  return INPUT_TYPES.has(op.type);
}

/** The nodes that are fed, except those that savers feed themselves. */
export function inputsOf({ graph }: GraphView): Operation[] {
  return graph.operations.filter((op) => isInput(op) && !isBookkeeping(op.name));
}

/** Nodes that only give values to others, whoever uses them: never an output of the model. */
const SOURCES: ReadonlySet<string> = new Set([...INPUT_TYPES, ...VARIABLE_TYPES, 'Const', 'ReadVariableOp']);
/** Nodes that exist for their effect. */
const hasEffect = byType(
  /^(NoOp|Assign|Scatter|Save|Restore|MergeV2Checkpoints|Assert|Print|VarIsInitialized|Destroy)/,
);

/** True for nodes that the framework added to save, restore and check variables. */
export function isBookkeeping(name: string): boolean {
  return /^(save(_\d+)?|report_uninitialized\w*)\//.test(name);
}

/** True for nodes of a backward pass, which consume the model without being part of it. */
export function isGradient({ name }: Operation): boolean {
  return name.includes('gradients') && /(^|\/)gradients(_\d+)?\//.test(name);
}

/**
 * The nodes that give the results of the model: they come from an input or a variable, and nothing but a
 * backward pass uses them. Gradients, initial values and the nodes of savers are left out. Of ops that are
 * not known here the outputs may not be known either.
 */
export function outputsOf({ outputs }: GraphView): readonly Operation[] {
  return outputs;
}

function modelOutputs({ operations }: Graph): Operation[] {
  // Marks by the position of the operations. Live: it comes from an input or a variable. Taken: the model itself uses it.
  const [live, taken] = [new Uint8Array(operations.length), new Uint8Array(operations.length)];
  for (const op of operations) {
    const backward = isGradient(op);
    let isLive = isInput(op) || isVariable(op);
    for (const { op: source } of op.inputs) {
      isLive ||= live[source.id] === 1;
      if (!backward) taken[source.id] = 1;
    }
    if (isLive) live[op.id] = 1;
    if (op.controlInputs.length === 0 || backward || isBookkeeping(op.name)) continue;
    for (const source of op.controlInputs) taken[source.id] = 1;
  }
  return operations.filter(
    (op) =>
      live[op.id] === 1 &&
      taken[op.id] === 0 &&
      !SOURCES.has(op.type) &&
      !hasEffect(op) &&
      !isQuestion(op) &&
      !isUpdate(op) &&
      !isGradient(op) &&
      !isBookkeeping(op.name),
  );
}

/** What the signature of a model of another framework names: the file says itself what its outputs are. */
function signatureOutputs(graph: Graph, { metaGraph }: LoadedGraph): Operation[] {
  const infos = [...(metaGraph?.signatureDef.values() ?? [])].flatMap(({ outputs }) => [...outputs.values()]);
  const found = infos.flatMap(({ name = '' }) => graph.findOperation(name.replace(/:\d+$/, '')) ?? []);
  return [...new Set(found)];
}

/** True for the assignment of one variable's initial value, which a common target usually waits for. */
function isInitializer(op: Operation): boolean {
  const variable = op.inputs[0]?.op;
  return variable !== undefined && isVariable(variable) && op.name === `${variable.name}/Assign`;
}

/** True for ops that ask whether a variable has a value. */
function isQuestion(op: Operation): boolean {
  return op.type === 'VarIsInitializedOp' || op.type === 'IsVariableInitialized';
}

/** Operations that are run for their effect and that nothing waits for: `train`, `init`. */
export function targetsOf({ graph: { operations } }: GraphView): Operation[] {
  const used = new Uint8Array(operations.length);
  for (const op of operations) {
    for (const { op: source } of op.inputs) used[source.id] = 1;
    for (const source of op.controlInputs) used[source.id] = 1;
  }
  return operations.filter((op) => {
    if (used[op.id] === 1 || !(hasEffect(op) || isUpdate(op))) return false;
    return !isBookkeeping(op.name) && !isGradient(op) && !isInitializer(op) && !isQuestion(op);
  });
}

/** Everything that runs when `fetches`, of one graph, are wanted, in creation order. */
export function ancestorsOf(fetches: readonly Operation[]): Operation[] {
  const operations = fetches[0]?.graph.operations ?? [];
  const found = new Uint8Array(operations.length);
  const queue: Operation[] = [];
  const reach = (op: Operation): void => {
    if (found[op.id] === 1) return;
    found[op.id] = 1;
    queue.push(op);
  };
  fetches.forEach(reach);
  for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
    for (const input of op.inputs) reach(input.op);
    op.controlInputs.forEach(reach);
  }
  return operations.filter((op) => found[op.id] === 1);
}

/** Elements of a variable; 0 when its shape is not known. */
export function variableSize(op: Operation): number {
  const [output] = op.outputs;
  return (output?.handle?.shape ?? output?.shape)?.size ?? 0;
}

/**
 * Constants with the weights of a frozen model: floating-point, more than one element, needed for the outputs, or in a function
 * that is called for these.
 */
export function weightConstants(view: GraphView): Operation[] {
  const needed = ancestorsOf(outputsOf(view));
  return [...needed, ...inFunctions(needed)].filter((op) => {
    const [output] = op.outputs;
    return (
      op.type === 'Const' && output !== undefined && isFloating(output.dtype) && (output.shape.size ?? 0) > 1
    );
  });
}

/** What the functions have that these operations call, and the functions in these; of each function once. */
function inFunctions(operations: readonly Operation[]): Operation[] {
  const called = new Set<FuncGraph>();
  const queue = [...operations];
  for (let op = queue.pop(); op !== undefined; op = queue.pop()) {
    for (const name of calledFunctions(op)) {
      const fn = op.graph.root.functions.get(name);
      if (fn === undefined || called.has(fn)) continue;
      called.add(fn);
      queue.push(...fn.operations);
    }
  }
  return [...called].flatMap((fn) => ancestorsOf([...fn.outputs.map(({ op }) => op), ...fn.effects]));
}

/** The name of an operation; of one in a function with that of the function before it. */
export function placeOf({ name, graph }: Operation): string {
  return graph instanceof FuncGraph ? `${graph.functionName}/${name}` : name;
}

/**
 * The node of a name, a tensor name (`x:0`) or a control input (`^x`).
 * Throws `FileError` with the nearest names.
 */
export function findNode({ graph, loaded }: GraphView, name: string): Operation {
  const plain = name.replace(/^\^/, '').replace(/:\d+$/, '');
  try {
    return graph.getOperationByName(plain);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    const inScope = graph.operations.filter((op) => op.name.startsWith(`${plain}/`)).length;
    const hint =
      inScope === 0
        ? ''
        : `; it is a scope of ${inScope} nodes: forerun tree ${loaded.path} --scope ${plain}`;
    throw new FileError(`${loaded.path}: ${error.message}${hint}`, { cause: error });
  }
}
