/**
 * Hash tables of graph models. A second graph of the model, the initializer, fills them once from constants; what is looked up
 * later is then known when the model is read. Lookups of numbers become searches in sorted constants, lookups
 * with strings, which stay on the host, a function of the host.
 */
import { constantValue } from '../constantValue.js';
import { dtypeToNumber, type DType } from '../dtype.js';
import { InternalError, InvalidArgumentError } from '../errors.js';
import { Graph } from '../graph.js';
import { lookupOp } from '../opTable.js';
import { registerHostFunction } from '../ops/debug.js';
import { create } from '../proto/decode.js';
import { complete } from '../proto/complete.js';
import type { AttrValue, GraphDef, NodeDef } from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import { importWholeGraphDef } from '../serialize/importGraph.js';
import { tensorFromProto, tensorToProto } from '../serialize/tensorProto.js';
import { sizeOf } from '../shape.js';
import { allocateData, isTypedArray, TensorValue, toTensorValue } from '../value.js';

/** What a table holds: one value for each key. */
interface Table {
  readonly keys: TensorValue;
  readonly values: TensorValue;
}

const TABLES: ReadonlySet<string> = new Set([
  'HashTable',
  'HashTableV2',
  'MutableHashTable',
  'MutableHashTableV2',
]);
const FILLS: ReadonlySet<string> = new Set([
  'LookupTableImport',
  'LookupTableImportV2',
  'InitializeTable',
  'InitializeTableV2',
]);
const FINDS: ReadonlySet<string> = new Set(['LookupTableFind', 'LookupTableFindV2']);
const SIZES: ReadonlySet<string> = new Set(['LookupTableSize', 'LookupTableSizeV2']);

/** Whether nodes of a type are about tables. */
export function touchesTables(op: string): boolean {
  return TABLES.has(op) || FINDS.has(op) || SIZES.has(op);
}

const plain = (input: string | undefined): string => (input ?? '').replace(/^\^|:0$/g, '');

/**
 * Puts what the tables hold in place of lookups in them. Throws `InvalidArgumentError` naming the node for tables that nothing
 * fills, or that are filled with something else than constants, and for an initializer that does anything else.
 */
export function resolveTables(graphDef: GraphDef, initializer: GraphDef | undefined): void {
  const tables = initializer === undefined ? new Map<string, Table>() : filledTables(initializer);
  const nodes = new Map(graphDef.node.map((node) => [node.name, node]));
  graphDef.node = graphDef.node.flatMap((node) => {
    const table = FINDS.has(node.op) || SIZES.has(node.op) ? tableOf(node, nodes, tables) : undefined;
    if (table === undefined) return TABLES.has(node.op) ? [] : [node];
    return SIZES.has(node.op) ? [sizeNode(node, table)] : lookup(node, table);
  });
}

function tableOf(
  node: NodeDef,
  nodes: ReadonlyMap<string, NodeDef>,
  tables: ReadonlyMap<string, Table>,
): Table {
  const name = plain(node.input[0]);
  const table = tables.get(keyOf(nodes.get(name), name)) ?? tables.get(name);
  if (table !== undefined) return table;
  throw new InvalidArgumentError(
    `model.json: ${node.op} "${node.name}": no initializer fills the table "${name}"`,
    { node: node.name },
  );
}

/** Tables are shared between the two graphs by this attribute, or by the node's name. */
function keyOf(node: NodeDef | undefined, name: string): string {
  const shared = node?.attr.get('shared_name')?.s;
  return shared === undefined || shared.length === 0 ? name : new TextDecoder().decode(shared);
}

function filledTables(initializer: GraphDef): Map<string, Table> {
  const nodes = new Map(initializer.node.map((node) => [node.name, node]));
  const tables = new Map<string, Table>();
  const constants = (of: NodeDef, name = ''): TensorValue =>
    constantAt(of, nodes, name) ?? computedAt(of, initializer, name);
  for (const node of initializer.node) {
    if (FILLS.has(node.op)) {
      const [name, keys, values] = node.input.map(plain);
      const table = { keys: constants(node, keys), values: constants(node, values) };
      if (sizeOf(table.keys.shape) !== sizeOf(table.values.shape)) {
        throw new InvalidArgumentError(
          `model.json: modelInitializer: "${node.name}" gives ${sizeOf(table.values.shape)} values to ${sizeOf(table.keys.shape)} keys`,
          { node: node.name },
        );
      }
      tables.set(name ?? '', table);
      tables.set(keyOf(nodes.get(name ?? ''), name ?? ''), table);
    } else if (!TABLES.has(node.op) && hasEffects(node)) {
      throw new InvalidArgumentError(
        `model.json: modelInitializer: ${node.op} "${node.name}" cannot be run: an initializer fills tables from constants`,
        { node: node.name },
      );
    }
  }
  return tables;
}

/** Whether a node does more than compute its outputs, as far as is known here. */
function hasEffects({ op }: NodeDef): boolean {
  const def = lookupOp(op);
  return op !== 'NoOp' && (def === undefined || def.stateful);
}

function constantAt(of: NodeDef, nodes: ReadonlyMap<string, NodeDef>, name: string): TensorValue | undefined {
  const node = nodes.get(name);
  if (node?.op === 'Identity') return constantAt(of, nodes, plain(node.input[0]));
  const tensor = node?.op === 'Const' ? node.attr.get('value')?.tensor : undefined;
  return tensor === undefined ? undefined : tensorFromProto(tensor);
}

/** Integers that are computed from constants, such as the ids of classes. */
function computedAt(of: NodeDef, initializer: GraphDef, name: string): TensorValue {
  const node = initializer.node.filter(({ op }) => !FILLS.has(op) && !TABLES.has(op));
  const known = node.some((one) => one.name === name);
  const found = known
    ? importWholeGraphDef({ ...initializer, node }, { graph: new Graph(), returnElements: [`${name}:0`] })[0]
    : undefined;
  const value = found === undefined || !('dtype' in found) ? null : constantValue(found);
  if (value !== null && !value.data.some(Number.isNaN))
    return toTensorValue(value.data, value.dtype, value.shape);
  throw new InvalidArgumentError(
    `model.json: modelInitializer: "${of.name}" takes "${name}", which is no constant`,
    { node: of.name },
  );
}

type Attrs = Readonly<Record<string, Partial<AttrValue>>>;

function nodeOf(name: string, op: string, input: readonly string[], attrs: Attrs): NodeDef {
  const attr = new Map(
    Object.entries(attrs).map(([key, value]) => [key, { ...create('AttrValue'), ...value }]),
  );
  return { ...create('NodeDef'), name, op, input: [...input], attr };
}

function constantNode(name: string, value: TensorValue): NodeDef {
  const tensor = complete('TensorProto', tensorToProto(value));
  return nodeOf(name, 'Const', [], { dtype: { type: dtypeToNumber(value.dtype) }, value: { tensor } });
}

function sizeNode(node: NodeDef, { keys }: Table): NodeDef {
  return constantNode(node.name, new TensorValue('int64', [], BigInt64Array.of(BigInt(sizeOf(keys.shape)))));
}

/** The nodes that find the values of keys; the last has the name of the lookup. */
function lookup(node: NodeDef, table: Table): NodeDef[] {
  const numbers = [table.keys, table.values].every(({ data }) => isTypedArray(data));
  if (!numbers || sizeOf(table.keys.shape) === 0) return [hostLookup(node, table)];
  return searchNodes(node, sorted(table));
}

/** Keys in ascending order with their values; of equal keys the last one counts. */
function sorted({ keys, values }: Table): Table {
  const last = new Map([...keys.data].map((key, i) => [Number(key), i]));
  const order = [...last].sort(([a], [b]) => a - b).map(([, i]) => i);
  const picked = ({ dtype, data }: TensorValue): TensorValue => {
    const all = allocateData(dtype, order.length);
    order.forEach((from, to) => {
      all[to] = data[from] as number;
    });
    return new TensorValue(dtype, [order.length], all);
  };
  return { keys: picked(keys), values: picked(values) };
}

/** A search in the sorted keys; where a key is not what was looked for, the default. */
function searchNodes(node: NodeDef, { keys, values }: Table): NodeDef[] {
  const [, wanted = '', fallback = ''] = node.input;
  const [count = 0] = keys.shape;
  const int32 = { type: dtypeToNumber('int32') };
  const from = { type: dtypeToNumber(keys.dtype) };
  const to = { type: dtypeToNumber(values.dtype) };
  const constants = {
    keys,
    rows: new TensorValue(keys.dtype, [1, count], keys.data),
    values,
    row: new TensorValue('int32', [2], Int32Array.of(1, -1)),
    last: new TensorValue('int32', [], Int32Array.of(count - 1)),
    axis: new TensorValue('int32', [], Int32Array.of(0)),
  };
  const made = (name: string, op: string, input: readonly string[], attrs: Attrs): NodeDef =>
    nodeOf(`${node.name}${name}`, op, input.map(within), attrs);
  const within = (input: string): string => (input.startsWith('/') ? node.name + input : input);
  const gathered = (type: Attrs[string]): Attrs => ({ Tparams: type, Tindices: int32, Taxis: int32 });
  return [
    ...Object.entries(constants).map(([name, value]) => constantNode(`${node.name}/${name}`, value)),
    made('/wanted', 'Reshape', [wanted, '/row'], { T: from, Tshape: int32 }),
    made('/bound', 'LowerBound', ['/rows', '/wanted'], { T: from, out_type: int32 }),
    made('/at', 'Minimum', ['/bound', '/last'], { T: int32 }),
    made('/key', 'GatherV2', ['/keys', '/at', '/axis'], gathered(from)),
    made('/found', 'Equal', ['/key', '/wanted'], { T: from }),
    made('/value', 'GatherV2', ['/values', '/at', '/axis'], gathered(to)),
    made('/chosen', 'SelectV2', ['/found', '/value', fallback], { T: to }),
    made('/shape', 'Shape', [wanted], { T: from, out_type: int32 }),
    made('', 'Reshape', ['/chosen', '/shape'], { T: to, Tshape: int32 }),
  ];
}

/** A function of the host with a map: strings never leave the host. */
function hostLookup(node: NodeDef, { keys, values }: Table): NodeDef {
  const textOf = (key: unknown): string =>
    key instanceof Uint8Array ? new TextDecoder('latin1').decode(key) : String(key);
  const places = new Map([...keys.data].map((key, i) => [textOf(key), i]));
  const token = registerHostFunction((...given) => {
    const [wanted, fallback] = given;
    if (wanted === undefined || fallback === undefined)
      throw new InternalError(`"${node.name}" takes two inputs`);
    const found = [...wanted.data].map((key) => {
      const place = places.get(textOf(key));
      return place === undefined ? fallback.data[0] : values.data[place];
    });
    return valueFrom(values.dtype, wanted.shape, found);
  });
  const type = (dtype: DType): number => dtypeToNumber(dtype);
  return nodeOf(node.name, 'PyFuncStateless', node.input.slice(1), {
    token: { s: toBytes(token) },
    Tin: { list: { ...create('AttrValue.ListValue'), type: [type(keys.dtype), type(values.dtype)] } },
    Tout: { list: { ...create('AttrValue.ListValue'), type: [type(values.dtype)] } },
  });
}

function valueFrom(dtype: DType, shape: readonly number[], elements: readonly unknown[]): TensorValue {
  if (dtype === 'string') return new TensorValue(dtype, shape, elements as string[]);
  const data = allocateData(dtype, elements.length);
  elements.forEach((element, i) => {
    data[i] = element as number;
  });
  return new TensorValue(dtype, shape, data);
}
