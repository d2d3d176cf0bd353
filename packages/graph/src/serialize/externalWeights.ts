/**
 * Graphs whose large constants lie in a checkpoint beside the graph file: what protobuf's limit of 2 GiB leaves no room for. In the
 * file a placeholder of the same name, dtype and shape stands for the constant, so that TensorFlow opens the graph too: there the
 * values, which its checkpoint reader reads, are fed.
 */
import { dtypeBytes, dtypeFromNumber, dtypeToNumber } from '../dtype.js';
import { InvalidArgumentError } from '../errors.js';
import { complete } from '../proto/complete.js';
import { create } from '../proto/decode.js';
import type { Init } from '../proto/message.js';
import type { AttrValue, GraphDef, NodeDef } from '../proto/messages.js';
import { toBytes } from '../proto/utf8.js';
import type { TensorValue } from '../value.js';
import { insidePath } from './insidePath.js';
import { tensorFromProto, tensorToProto } from './tensorProto.js';

/** Attribute of the placeholders: the checkpoint's prefix relative to the directory of the graph file. */
export const EXTERNAL_WEIGHTS_ATTR = '_external_weights';

export interface ExternalWeights {
  readonly graphDef: Init<GraphDef>;
  /** Values by the name of their node; in functions `<function>/<node>`. */
  readonly values: ReadonlyMap<string, TensorValue>;
}

export interface ExternalWeightsOptions {
  /** Prefix of the checkpoint, relative to the directory of the graph file. */
  readonly location: string;
  /** Constants of at least so many bytes are moved. */
  readonly minBytes: number;
}

/** Nodes of the graph and of its functions, with the names of their values. */
function allNodes(def: Init<GraphDef>): { readonly key: string; readonly node: Init<NodeDef> }[] {
  const own = (def.node ?? []).map((node) => ({ key: node.name ?? '', node }));
  const inner = (def.library?.function ?? []).flatMap(({ signature, nodeDef }) =>
    (nodeDef ?? []).map((node) => ({ key: `${signature?.name ?? ''}/${node.name ?? ''}`, node })),
  );
  return [...own, ...inner];
}

/** The graph with its nodes, and those of its functions, put through `replace`. */
function withNodes(def: Init<GraphDef>, replace: (node: Init<NodeDef>) => Init<NodeDef>): Init<GraphDef> {
  const { library } = def;
  const functions = library?.function?.map((fn) => ({ ...fn, nodeDef: (fn.nodeDef ?? []).map(replace) }));
  return {
    ...def,
    node: (def.node ?? []).map(replace),
    ...(library === undefined || functions === undefined
      ? {}
      : { library: { ...library, function: functions } }),
  };
}

/** Takes the large constants out of a graph. The graph given stays as it is; values are referred to, not copied. */
export function moveConstantsOut(
  def: Init<GraphDef>,
  { location, minBytes }: ExternalWeightsOptions,
): ExternalWeights {
  const values = new Map<string, TensorValue>();
  const moved = new Map<Init<NodeDef>, Init<NodeDef>>();
  for (const { key, node } of allNodes(def)) {
    const value = largeConstant(node, minBytes);
    if (value === undefined) continue;
    if (values.has(key)) throw new InvalidArgumentError(`two constants are called "${key}"`, { node: key });
    values.set(key, value);
    moved.set(node, standIn(node, value, location));
  }
  return { graphDef: withNodes(def, (node) => moved.get(node) ?? node), values };
}

function largeConstant(node: Init<NodeDef>, minBytes: number): TensorValue | undefined {
  const tensor = node.op === 'Const' ? node.attr?.get('value')?.tensor : undefined;
  if (tensor === undefined) return undefined;
  const elementBytes = dtypeBytes(dtypeFromNumber(tensor.dtype ?? 0));
  const size = (tensor.tensorShape?.dim ?? []).reduce((product, dim) => product * (dim.size ?? 0), 1);
  if (elementBytes === 0 || size * elementBytes < minBytes) return undefined;
  return tensorFromProto(complete('TensorProto', tensor));
}

function standIn(node: Init<NodeDef>, { dtype, shape }: TensorValue, location: string): Init<NodeDef> {
  const attr = new Map(node.attr);
  attr.delete('value');
  attr.set('dtype', { type: dtypeToNumber(dtype) });
  attr.set('shape', { shape: { dim: shape.map((size) => ({ size })) } });
  attr.set(EXTERNAL_WEIGHTS_ATTR, { s: toBytes(location) });
  return { ...node, op: 'Placeholder', attr };
}

/**
 * Where the values of a graph's external constants are, by location. Throws `InvalidArgumentError` for a location that
 * leads out of the directory.
 */
export function externalLocations(def: Init<GraphDef>): Map<string, string[]> {
  const locations = new Map<string, string[]>();
  for (const { key, node } of allNodes(def)) {
    const location = locationOf(node);
    if (location !== undefined) locations.set(location, [...(locations.get(location) ?? []), key]);
  }
  return locations;
}

function locationOf(node: Init<NodeDef>): string | undefined {
  const given = node.op === 'Placeholder' ? node.attr?.get(EXTERNAL_WEIGHTS_ATTR)?.s : undefined;
  if (given === undefined) return undefined;
  return insidePath(new TextDecoder().decode(given), `node "${node.name ?? ''}": ${EXTERNAL_WEIGHTS_ATTR}`);
}

/**
 * The graph with the values of its external constants in place. Throws `InvalidArgumentError` naming the node whose value is missing or of
 * another dtype or shape than the node says.
 */
export function putConstantsBack(
  def: Init<GraphDef>,
  values: ReadonlyMap<string, TensorValue>,
): Init<GraphDef> {
  const back = new Map<Init<NodeDef>, Init<NodeDef>>();
  for (const { key, node } of allNodes(def)) {
    if (locationOf(node) === undefined) continue;
    const value = values.get(key);
    const [dtype, dims] = [node.attr?.get('dtype')?.type ?? 0, node.attr?.get('shape')?.shape?.dim ?? []];
    const shape = dims.map(({ size = 0 }) => size);
    if (value?.dtype !== dtypeFromNumber(dtype) || value.shape.join() !== shape.join()) {
      const found = value === undefined ? 'no value' : `${value.dtype} [${value.shape.join(',')}]`;
      throw new InvalidArgumentError(
        `the constant "${key}" is ${dtypeFromNumber(dtype)} [${shape.join(',')}], its external weights hold ${found}`,
        { node: key },
      );
    }
    back.set(node, inPlace(node, value));
  }
  return withNodes(def, (node) => back.get(node) ?? node);
}

function inPlace(node: Init<NodeDef>, value: TensorValue): Init<NodeDef> {
  const attr = new Map(node.attr);
  for (const name of ['shape', EXTERNAL_WEIGHTS_ATTR]) attr.delete(name);
  attr.set('value', {
    ...create('AttrValue'),
    tensor: complete('TensorProto', tensorToProto(value)),
  } satisfies AttrValue);
  return { ...node, op: 'Const', attr };
}
