/** Keras' description of a model: its layers, their calls, and what each takes. Sequential models become functional ones. */
import { InvalidArgumentError } from '../errors.js';
import type { LayerConfig } from './layerCall.js';
import { isObject, listAt, objectAt, textAt } from './modelJson.js';

/** A connection: an output of a layer's call, counted in the layer's order. */
export interface Connection {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
  /** The argument that it is, where it has a name. */
  readonly as?: string;
}

export interface LayerNode {
  readonly name: string;
  readonly className: string;
  readonly config: LayerConfig;
  /** What each call of the layer takes. */
  readonly calls: readonly (readonly Connection[])[];
  /** Arguments of each call that are no tensors. */
  readonly args?: readonly LayerConfig[];
  /** The model that the layer is. */
  readonly model: Model | null;
  /** The description does not speak of it. */
  readonly implied?: boolean;
}

export interface Model {
  readonly layers: readonly LayerNode[];
  readonly inputs: readonly Connection[];
  readonly outputs: readonly Connection[];
  readonly outputNames: readonly string[];
}

const MODELS: ReadonlySet<string> = new Set(['Sequential', 'Model', 'Functional']);

export function modelOf(topology: Readonly<Record<string, unknown>>, where: string): Model {
  const className = textAt(topology.class_name, `${where}: class_name`);
  const { config } = topology;
  if (className === 'Sequential') return sequential(config, where);
  if (!MODELS.has(className))
    throw new InvalidArgumentError(`${where}: there is no kind of model "${className}"`);
  const own = objectAt(config, `${where}: config`);
  const layers = listAt(own.layers, `${where}: layers`).map((layer, i) =>
    layerOf(layer, `${where}.layers[${i}]`),
  );
  const outputs = listAt(own.output_layers, `${where}: output_layers`).map((item) =>
    connectionOf(item, where),
  );
  const number = callNumbers(layers, outputs);
  const renumbered = (connection: Connection): Connection => ({ ...connection, call: number(connection) });
  return {
    layers: layers.map((layer) => ({ ...layer, calls: layer.calls.map((takes) => takes.map(renumbered)) })),
    inputs: listAt(own.input_layers, `${where}: input_layers`).map((item) => connectionOf(item, where)),
    outputs: outputs.map(renumbered),
    outputNames: outputs.map(({ layer }) => layer),
  };
}

/**
 * Which of a layer's calls a connection means. Writers count the call by which a model was made itself, too, of which
 * a model around it does not tell: then the calls that are spoken of are those there are, in order.
 */
function callNumbers(
  layers: readonly LayerNode[],
  outputs: readonly Connection[],
): (to: Connection) => number {
  const spoken = new Map<string, number[]>();
  for (const { layer, call } of [...layers.flatMap(({ calls }) => calls.flat()), ...outputs]) {
    spoken.set(
      layer,
      [...new Set([...(spoken.get(layer) ?? []), call])].sort((a, b) => a - b),
    );
  }
  const counts = new Map(layers.map(({ name, calls }) => [name, calls.length]));
  return ({ layer, call }) => {
    const numbers = spoken.get(layer) ?? [];
    return (numbers.at(-1) ?? 0) < (counts.get(layer) ?? 0) ? call : numbers.indexOf(call);
  };
}

/** A list of layers, each of which takes the output of the one before. */
function sequential(config: unknown, where: string): Model {
  const list = Array.isArray(config)
    ? (config as unknown[])
    : listAt(objectAt(config, where).layers, `${where}: layers`);
  const given = list.map((layer, i) => layerOf(layer, `${where}.layers[${i}]`));
  const [first] = given;
  if (first === undefined) throw new InvalidArgumentError(`${where}: a Sequential model without layers`);
  const input: LayerNode = {
    name: `${first.name}_input`,
    className: 'InputLayer',
    config: first.config,
    calls: [[]],
    model: null,
    implied: true,
  };
  const all = first.className === 'InputLayer' ? given : [input, ...given];
  const layers = all.map((layer, i) => ({
    ...layer,
    calls: i === 0 ? [[]] : [[at(all[i - 1]?.name ?? '')]],
  }));
  const last = layers.at(-1)?.name ?? '';
  return { layers, inputs: [at(layers[0]?.name ?? '')], outputs: [at(last)], outputNames: [last] };
}

const at = (layer: string): Connection => ({ layer, call: 0, output: 0 });

export function layerOf(given: unknown, where: string): LayerNode {
  const layer = objectAt(given, where);
  const className = textAt(layer.class_name, `${where}: class_name`);
  const config = Array.isArray(layer.config) ? {} : objectAt(layer.config, `${where}: config`);
  const name = textAt(layer.name ?? config.name, `${where}: name`);
  const nodes =
    layer.inbound_nodes === undefined ? [] : listAt(layer.inbound_nodes, `${where}: inbound_nodes`);
  const items = nodes.map((node) => listAt(node, where));
  const calls = items.map((list) =>
    list.flatMap((item) => [connectionOf(item, where), ...namedOf(item, where)]),
  );
  const args = items.map((list) => Object.assign({}, ...list.map(argumentsOf)) as LayerConfig);
  const model = MODELS.has(className) ? modelOf(layer, `model "${name}"`) : null;
  return { name, className, config, calls: calls.length === 0 ? [[]] : calls, args, model };
}

/** The arguments of a call that stand beside a connection. */
function argumentsOf(item: unknown): LayerConfig {
  const given: unknown = Array.isArray(item) ? item[3] : undefined;
  return isObject(given) ? given : {};
}

/** Arguments that are connections themselves: [layer, call, output]. */
function namedOf(item: unknown, where: string): Connection[] {
  return Object.entries(argumentsOf(item)).flatMap(([as, value]) =>
    Array.isArray(value) && typeof value[0] === 'string' && value.length >= 3
      ? [{ ...connectionOf(value, where), as }]
      : [],
  );
}

function connectionOf(item: unknown, where: string): Connection {
  const [layer, call = 0, output = 0] = listAt(item, `${where}: a connection`);
  return { layer: textAt(layer, `${where}: a connection`), call: Number(call), output: Number(output) };
}

/** All layers that are no models themselves; the input that a Sequential model implies is none of its layers. */
export function layersIn({ layers }: Model): LayerNode[] {
  return layers.flatMap((layer) => {
    if (layer.model !== null) return layersIn(layer.model);
    return layer.implied === true ? [] : [layer];
  });
}
