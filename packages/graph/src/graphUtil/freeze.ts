/** Freezing: variables become constants, in the graph and in the functions that are given them. */
import { dtypeToNumber, type DType } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { neededFunctions } from './neededFunctions.js';
import type { Init } from '../proto/message.js';
import type { AttrValue, FunctionDef, GraphDef, NodeDef } from '../proto/messages.js';
import type { TensorValue } from '../value.js';
import { EditableGraph, isControl, type EditableNode } from './editableGraph.js';

const HANDLES: ReadonlySet<string> = new Set(['VarHandleOp', 'VariableV2', 'Variable']);

/** Nodes that pass a handle or a reference on, by the type that passes a value. */
const PASSING: Readonly<Record<string, string>> = {
  Identity: 'Identity',
  Switch: 'Switch',
  Merge: 'Merge',
  Enter: 'Enter',
  Exit: 'Exit',
  NextIteration: 'NextIteration',
  RefIdentity: 'Identity',
  RefSwitch: 'Switch',
  RefMerge: 'Merge',
  RefEnter: 'Enter',
  RefExit: 'Exit',
  RefNextIteration: 'NextIteration',
};

/** The variables that `graphDef` has nodes of, by the name of the node that makes each. */
export function variableNodes(graphDef: Init<GraphDef>): string[] {
  return (graphDef.node ?? []).flatMap(({ op = '', name = '' }) => (HANDLES.has(op) ? [name] : []));
}

/**
 * Replaces the variables in `values`, which are named by the nodes that make them, by constants. Reads become identities. Throws
 * `InvalidArgumentError` naming a node that would change a frozen variable.
 */
export function freezeVariables(
  graphDef: Init<GraphDef>,
  values: ReadonlyMap<string, TensorValue>,
): Init<GraphDef> {
  const graph = new EditableGraph(graphDef);
  const functions = new Map((graphDef.library?.function ?? []).map((fn) => [fn.signature?.name ?? '', fn]));
  const gradients = new Map(
    (graphDef.library?.gradient ?? []).map(({ functionName = '', gradientFunc = '' }) => [
      functionName,
      gradientFunc,
    ]),
  );
  const frozen = new FrozenFunctions(functions, gradients);
  const dtypes = new Map<string, DType>();
  for (const [name, value] of values) {
    graph.addConstant(name, value, graph.node(name).device ?? '');
    dtypes.set(name, value.dtype);
  }
  for (const node of freezeNodes([...graph.nodes.values()], dtypes, frozen, graph)) graph.set(node);
  const def = graph.toGraphDef();
  const { library } = def;
  if (library === undefined) return def;
  const all = {
    ...library,
    function: [...functions.values(), ...frozen.made],
    gradient: [...(library.gradient ?? []), ...frozen.gradients],
  };
  return { ...def, library: neededFunctions(all, def.node ?? []) };
}

/** A rewritten node, and the dtype of its outputs where they still stand for a variable. */
interface Frozen {
  readonly node: EditableNode;
  readonly passes?: DType | undefined;
}

/** The nodes with values in place of the handles that `dtypes` tells of; it grows by the nodes that pass them on. */
function freezeNodes(
  nodes: readonly EditableNode[],
  dtypes: Map<string, DType>,
  functions: FrozenFunctions,
  graph: EditableGraph | null,
): EditableNode[] {
  const results = new Map(nodes.map((node) => [node.name, node]));
  const done = new Set<string>(dtypes.keys());
  for (let changed = true; changed;) {
    changed = false;
    for (const node of nodes) {
      const data = node.input.filter((input) => !isControl(input));
      const given = data.map((input) => dtypes.get(sourceOf(input)));
      if (done.has(node.name) || given.every((dtype) => dtype === undefined)) continue;
      const { node: frozen, passes } = freezeNode(node, given, functions, graph);
      results.set(node.name, frozen);
      done.add(node.name);
      if (passes === undefined) continue;
      dtypes.set(node.name, passes);
      changed = true;
    }
  }
  return [...results.values()];
}

/** The node that an input of a graph or of a function names. */
function sourceOf(input: string): string {
  return input.split(':')[0] ?? '';
}

/** The node with the values of variables in place of their handles; `given` has their dtypes by position. */
function freezeNode(
  node: EditableNode,
  given: readonly (DType | undefined)[],
  functions: FrozenFunctions,
  graph: EditableGraph | null,
): Frozen {
  const dtype = given.find((known) => known !== undefined) ?? 'float32';
  const type: Init<AttrValue> = { type: dtypeToNumber(dtype) };
  const read = readOf(node, given[0]);
  if (read !== undefined) return { node: read(graph) };
  const passing = Object.hasOwn(PASSING, node.op) ? PASSING[node.op] : undefined;
  if (passing !== undefined && (node.op.startsWith('Ref') || node.attr.get('T')?.type === RESOURCE)) {
    return { node: { ...node, op: passing, attr: new Map([...node.attr, ['T', type]]) }, passes: dtype };
  }
  if (isCall(node) || functions.has(node.op)) return { node: functions.call(node, given) };
  if (CHANGES.test(node.op) && given[0] !== undefined) {
    throw new InvalidArgumentError(
      `${node.op} "${node.name}" changes a variable that is to be frozen: leave the variable out, or take outputs that do not need the change`,
      { node: node.name },
    );
  }
  return { node };
}

const RESOURCE = dtypeToNumber('resource');

const CHANGES =
  /^(Assign|Scatter|Resource(Sparse)?Apply|ResourceScatter|(Sparse)?Apply|Resource(StridedSlice|Count)|CountUpTo|StridedSliceAssign)/;

type Rewrite = (graph: EditableGraph | null) => EditableNode;

/** How a read of a variable reads a value. */
function readOf(node: EditableNode, dtype: DType | undefined): Rewrite | undefined {
  if (dtype === undefined) return undefined;
  const type: Init<AttrValue> = { type: dtypeToNumber(dtype) };
  switch (node.op) {
    case 'ReadVariableOp':
      return () => ({ ...node, op: 'Identity', attr: new Map([['T', type]]) });
    case 'VarIsInitializedOp':
    case 'IsVariableInitialized':
      return () => ({ ...node, op: 'Const', input: node.input.filter(isControl), attr: trueAttrs() });
    case 'ResourceGather':
      return (graph) => gatherOf(node, type, graph);
    case 'VariableShape':
      return () => ({
        ...node,
        op: 'Shape',
        attr: new Map([
          ['T', type],
          ['out_type', node.attr.get('out_type') ?? { type: 3 }],
        ]),
      });
    default:
      return undefined;
  }
}

function trueAttrs(): Map<string, Init<AttrValue>> {
  const tensor = { dtype: dtypeToNumber('bool'), tensorShape: {}, boolVal: [true] };
  return new Map<string, Init<AttrValue>>([
    ['dtype', { type: dtypeToNumber('bool') }],
    ['value', { tensor }],
  ]);
}

/** `GatherV2` along axis 0; `Gather`, which needs no axis, where there is no place for another node. */
function gatherOf(node: EditableNode, type: Init<AttrValue>, graph: EditableGraph | null): EditableNode {
  const attr = new Map<string, Init<AttrValue>>([
    ['Tparams', type],
    ['Tindices', node.attr.get('Tindices') ?? { type: 3 }],
  ]);
  const batchDims = Number(node.attr.get('batch_dims')?.i ?? 0n);
  if (graph === null) {
    if (batchDims !== 0) {
      throw new InvalidArgumentError(
        `ResourceGather "${node.name}": batch_dims inside a function cannot be frozen`,
        {
          node: node.name,
        },
      );
    }
    return { ...node, op: 'Gather', attr };
  }
  const axis = graph.freeName(`${node.name}/axis`);
  const dtype = { type: dtypeToNumber('int32') };
  const tensor = { dtype: dtypeToNumber('int32'), tensorShape: {}, intVal: [batchDims] };
  graph.set({
    name: axis,
    op: 'Const',
    input: [],
    attr: new Map<string, Init<AttrValue>>([
      ['dtype', dtype],
      ['value', { tensor }],
    ]),
  });
  const [params = '', indices = ''] = graph.data(node);
  const more: [string, Init<AttrValue>][] = [['Taxis', dtype]];
  if (batchDims !== 0) more.push(['batch_dims', { i: BigInt(batchDims) }]);
  return {
    ...node,
    op: 'GatherV2',
    input: [params, indices, axis, ...node.input.filter(isControl)],
    attr: new Map([...attr, ...more]),
  };
}

/** Attributes of calls that name functions. */
const FUNCTIONS = ['f', 'then_branch', 'else_branch', 'cond', 'body', 'branches'] as const;

function isCall({ attr }: EditableNode): boolean {
  return FUNCTIONS.some(
    (name) => attr.get(name)?.func !== undefined || (attr.get(name)?.list?.func ?? []).length > 0,
  );
}

/** Copies of functions that take values where they took handles. */
class FrozenFunctions {
  readonly #made = new Map<string, { readonly name: string; def: Init<FunctionDef> | undefined }>();

  /** Which copies are the gradients of others. */
  readonly gradients: { readonly functionName: string; readonly gradientFunc: string }[] = [];

  constructor(
    private readonly functions: ReadonlyMap<string, Init<FunctionDef>>,
    private readonly gradientOf: ReadonlyMap<string, string>,
  ) {}

  has(name: string): boolean {
    return this.functions.has(name);
  }

  /** The copies that calls name. */
  get made(): Init<FunctionDef>[] {
    return [...this.#made.values()].flatMap(({ def }) => def ?? []);
  }

  /** The call with copies of its functions, for arguments of which some have become values. */
  call(node: EditableNode, given: readonly (DType | undefined)[]): EditableNode {
    const hasSelector = /^(Stateless)?(If|Case)$/.test(node.op);
    const args = hasSelector ? given.slice(1) : given;
    const attr = new Map(node.attr);
    if (this.has(node.op)) return { ...node, op: this.copy(node.op, args) };
    for (const name of FUNCTIONS) {
      const value = node.attr.get(name);
      if (value?.func !== undefined)
        attr.set(name, { func: { ...value.func, name: this.copy(value.func.name ?? '', args) } });
      const list = value?.list?.func ?? [];
      if (list.length > 0) {
        attr.set(name, {
          list: { func: list.map((fn) => ({ ...fn, name: this.copy(fn.name ?? '', args) })) },
        });
      }
    }
    for (const name of ['Tin', 'T']) {
      const types = node.attr.get(name)?.list?.type;
      if (types === undefined) continue;
      attr.set(name, { list: { type: types.map((type, i) => numberOf(args[i]) ?? type) } });
    }
    return { ...node, attr };
  }

  private copy(name: string, args: readonly (DType | undefined)[]): string {
    const key = JSON.stringify([name, args]);
    const known = this.#made.get(key);
    if (known !== undefined) return known.name;
    const fn = this.functions.get(name);
    if (fn === undefined) throw new InvalidArgumentError(`the graph has no function "${name}"`);
    const made: { name: string; def: Init<FunctionDef> | undefined } = {
      name: this.freeName(name),
      def: undefined,
    };
    this.#made.set(key, made);
    made.def = this.freeze(fn, made.name, args);
    const gradient = this.gradientOf.get(name);
    if (gradient !== undefined)
      this.gradients.push({ functionName: made.name, gradientFunc: this.copy(gradient, args) });
    return made.name;
  }

  private freeName(base: string): string {
    const taken = (name: string): boolean =>
      this.functions.has(name) || [...this.#made.values()].some((made) => made.name === name);
    let name = `${base}_frozen`;
    for (let i = 1; taken(name); i++) name = `${base}_frozen_${i}`;
    return name;
  }

  private freeze(
    fn: Init<FunctionDef>,
    name: string,
    args: readonly (DType | undefined)[],
  ): Init<FunctionDef> {
    const inputArg = fn.signature?.inputArg ?? [];
    const dtypes = new Map<string, DType>();
    inputArg.forEach((arg, i) => {
      const dtype = args[i];
      if (dtype !== undefined && arg.name !== undefined) dtypes.set(arg.name, dtype);
    });
    const given = (fn.nodeDef ?? []).map(editable);
    const nodes = freezeNodes(given, dtypes, this, null);
    const renamed = new Set(
      nodes.flatMap(({ op, name: own }, i) =>
        given[i]?.op === 'ReadVariableOp' && op === 'Identity' ? [own] : [],
      ),
    );
    const reference = (input: string): string => {
      const [node = '', arg = ''] = input.split(':');
      return renamed.has(node) && arg === 'value' ? `${node}:output:0` : input;
    };
    const outputs = new Map([...(fn.ret ?? [])].map(([key, ret]) => [key, reference(ret)]));
    return {
      ...fn,
      signature: {
        ...fn.signature,
        name,
        inputArg: inputArg.map((arg, i) => ({ ...arg, type: numberOf(args[i]) ?? arg.type ?? 0 })),
        outputArg: (fn.signature?.outputArg ?? []).map((arg) => {
          const dtype = dtypes.get(sourceOf(outputs.get(arg.name ?? '') ?? ''));
          return { ...arg, type: numberOf(dtype) ?? arg.type ?? 0 };
        }),
      },
      argAttr: new Map([...(fn.argAttr ?? [])].filter(([i]) => args[i] === undefined)),
      nodeDef: nodes.map((node) => ({ ...node, input: node.input.map(reference) })),
      ret: outputs,
    };
  }
}

function editable(node: Init<NodeDef>): EditableNode {
  const { name = '', op = '', input = [], attr = new Map<string, Init<AttrValue>>() } = node;
  return { ...node, name, op, input, attr };
}

function numberOf(dtype: DType | undefined): number | undefined {
  return dtype === undefined ? undefined : dtypeToNumber(dtype);
}
