/**
 * The part of a MetaGraphDef below one name scope, by names relative to it (`tf.train.export_meta_graph` with `export_scope`): to be
 * put under another scope, of the same graph or another. What its nodes take from outside is named in a collection, and
 * has to be given when it is imported.
 */
import { InvalidArgumentError } from '../errors.js';
import { decode } from '../proto/decode.js';
import { encode } from '../proto/encode.js';
import type { Init } from '../proto/message.js';
import type { CollectionDef, GraphDef, MetaGraphDef, NodeDef } from '../proto/messages.js';
import { textOrBytes, toBytes } from '../proto/utf8.js';

/** Before the names of inputs from outside of the scope. */
const UNBOUND_PREFIX = '$unbound_inputs_';
/** The collection with the names of inputs from outside. */
export const UNBOUND_INPUTS = 'unbound_inputs';

/** The nodes and collections below `scope`. Throws `InvalidArgumentError` when there is no node below it. */
export function scopedMetaGraph(
  meta: Init<MetaGraphDef>,
  scope: string,
  variableKeys: ReadonlySet<string>,
): Init<MetaGraphDef> {
  const names = new ScopedNames(scope);
  const nodes = (meta.graphDef?.node ?? []).filter(({ name }) => names.has(name ?? ''));
  if (nodes.length === 0) {
    throw new InvalidArgumentError(`exportScope: no node of the graph is below "${scope}"`);
  }
  const graphDef: Init<GraphDef> = { ...meta.graphDef, node: nodes.map((node) => scopedNode(node, names)) };
  const collectionDef = new Map<string, Init<CollectionDef>>();
  for (const [key, def] of meta.collectionDef ?? []) {
    const kept = scopedCollection(def, names, variableKeys.has(key));
    if (kept !== undefined) collectionDef.set(key, kept);
  }
  const unbound = [...names.unbound].sort();
  if (unbound.length > 0) collectionDef.set(UNBOUND_INPUTS, { bytesList: { value: unbound.map(toBytes) } });
  return { ...meta, graphDef, collectionDef };
}

class ScopedNames {
  readonly unbound = new Set<string>();
  readonly #prefix: string;

  constructor(scope: string) {
    this.#prefix = `${scope.replace(/\/+$/, '')}/`;
  }

  has(name: string): boolean {
    return name.startsWith(this.#prefix) && name.length > this.#prefix.length;
  }

  strip(name: string): string {
    return this.has(name) ? name.slice(this.#prefix.length) : name;
  }

  /** `scope/x:1` as `x:1`; what is outside gets another name, under which it is given later. */
  input(text: string): string {
    const control = text.startsWith('^') ? '^' : '';
    const name = text.slice(control.length);
    if (this.has(name)) return control + this.strip(name);
    const renamed = `${control}${UNBOUND_PREFIX}${name}`;
    this.unbound.add(renamed);
    return renamed;
  }
}

function scopedNode(node: Init<NodeDef>, names: ScopedNames): Init<NodeDef> {
  const { name = '' } = node;
  const attr = new Map(node.attr);
  const groups = attr.get('_class')?.list?.s;
  if (groups !== undefined) {
    const kept = groups
      .map((group) => String(textOrBytes(group)))
      .filter((group) => names.has(group.replace('loc:@', '')));
    if (kept.length === 0) attr.delete('_class');
    else
      attr.set('_class', {
        list: { s: kept.map((group) => toBytes(`loc:@${names.strip(group.replace('loc:@', ''))}`)) },
      });
  }
  // A variable that is called as its node keeps to that, wherever the node is put.
  if (
    attr.get('shared_name')?.s !== undefined &&
    textOrBytes(attr.get('shared_name')?.s ?? toBytes('')) === name
  ) {
    attr.set('shared_name', { s: toBytes('') });
  }
  return {
    ...node,
    name: names.strip(name),
    input: (node.input ?? []).map((input) => names.input(input)),
    attr,
  };
}

/** What of a collection is below the scope; `undefined` when nothing is. Texts and numbers stay. */
function scopedCollection(
  def: Init<CollectionDef>,
  names: ScopedNames,
  isVariables: boolean,
): Init<CollectionDef> | undefined {
  if (def.nodeList !== undefined) {
    const kept = (def.nodeList.value ?? [])
      .filter((name) => names.has(name))
      .map((name) => names.strip(name));
    return kept.length === 0 ? undefined : { nodeList: { value: kept } };
  }
  if (def.bytesList === undefined || !isVariables) return def;
  const kept = (def.bytesList.value ?? []).flatMap((bytes) => {
    const variable = decode('VariableDef', bytes);
    if (!names.has(variable.variableName)) return [];
    const relative = (name: string): string => (names.has(name) ? names.strip(name) : '');
    return [
      encode('VariableDef', {
        ...variable,
        variableName: relative(variable.variableName),
        initializerName: relative(variable.initializerName),
        snapshotName: relative(variable.snapshotName),
        initialValueName: relative(variable.initialValueName),
      }),
    ];
  });
  return kept.length === 0 ? undefined : { bytesList: { value: kept } };
}

/**
 * Names of the tensors and operations that stand for inputs from outside, by the names in the file. Keys of `given` may leave
 * the prefix out. Throws `InvalidArgumentError` listing those that are missing.
 */
export function boundInputs<T>(
  { collectionDef }: MetaGraphDef,
  given: ReadonlyMap<string, T>,
): ReadonlyMap<string, T> {
  const wanted = (collectionDef.get(UNBOUND_INPUTS)?.bytesList?.value ?? []).map((bytes) =>
    String(textOrBytes(bytes)),
  );
  if (wanted.length === 0) return given;
  const plain = (name: string): string => name.replace(UNBOUND_PREFIX, '').replace(/:0$/, '');
  const byPlain = new Map([...given].map(([name, value]) => [plain(name), value]));
  const bound = new Map([...given].filter(([name]) => !wanted.some((other) => plain(other) === plain(name))));
  const missing: string[] = [];
  for (const name of wanted) {
    const value = byPlain.get(plain(name));
    if (value === undefined) missing.push(plain(name));
    else bound.set(name, value);
  }
  if (missing.length === 0) return bound;
  throw new InvalidArgumentError(
    `the graph takes ${missing.map((name) => `"${name}"`).join(', ')} from outside of the scope that was exported: give tensors for them with inputMap`,
  );
}
