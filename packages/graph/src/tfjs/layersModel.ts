/**
 * Layers models of TensorFlow.js: Keras' description of layers and their connections, Sequential or functional, with the
 * weights beside it. They become a graph with constants, for inference.
 */
import { constant } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import type { Graph } from '../graph.js';
import { identity, placeholder } from '../ops/source.js';
import { getDefaultGraph } from '../scopes.js';
import { Tensor } from '../tensor.js';
import type { TensorValue } from '../value.js';
import { readWeights, type ReadShard } from './graphModel.js';
import type { LayerCall, LayerConfig, LayerResult } from './layerCall.js';
import { LAYERS, PASS_MASKS } from './layers.js';
import { isObject, listAt, objectAt, readModelJson, textAt } from './modelJson.js';

/** What a layers model holds. */
export interface TfjsLayersModel {
  readonly topology: Readonly<Record<string, unknown>>;
  readonly weights: ReadonlyMap<string, TensorValue>;
  readonly userDefinedMetadata: Readonly<Record<string, unknown>> | undefined;
}

/** The tensors of a model that was added to a graph, by the names of its input and output layers. */
export interface LayersModelTensors {
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
}

/** A layers model from the text of its `model.json` and its weights. Throws as `readTfjsGraphModel` does. */
export async function readTfjsLayersModel(text: string, readShard: ReadShard): Promise<TfjsLayersModel> {
  const model = readModelJson(text);
  if (model.format !== 'layers-model') {
    throw new InvalidArgumentError('model.json holds a graph model, not a layers model: use loadGraphModel');
  }
  const whole = objectAt(model.topology, 'modelTopology');
  const topology = isObject(whole.model_config) ? whole.model_config : whole;
  const { userDefinedMetadata } = model;
  return { topology, weights: await readWeights(model, readShard), userDefinedMetadata };
}

/**
 * Adds the layers of a model to a graph (default: the default graph), with its weights as constants. Throws `InvalidArgumentError` naming the
 * layer for layers that are not known, weights that are missing, and connections that lead nowhere.
 */
export function importTfjsLayersModel(
  { topology, weights }: Pick<TfjsLayersModel, 'topology' | 'weights'>,
  {
    graph = getDefaultGraph(),
    name = '',
  }: { readonly graph?: Graph | undefined; readonly name?: string | undefined } = {},
): LayersModelTensors {
  return graph.asDefault(() =>
    graph.nameScope(name, () => {
      const builder = new ModelBuilder(weights);
      const model = modelOf(topology, 'model');
      refuseUnknown(model);
      const inputs = builder.inputsOf(model);
      const outputs = builder.call(model, Object.values(inputs));
      return {
        inputs,
        outputs: Object.fromEntries(
          outputs.map((output, i) => [model.outputNames[i] ?? `output_${i}`, output]),
        ),
      };
    }),
  );
}

/** One layer's type, and whether it is known. */
export interface TfjsLayerType {
  readonly type: string;
  readonly supported: boolean;
}

/** The type of every layer, those of models inside included. */
export function countTfjsLayers({ topology }: Pick<TfjsLayersModel, 'topology'>): TfjsLayerType[] {
  return layersIn(modelOf(topology, 'model')).map(({ className }) => ({
    type: className,
    supported: Object.hasOwn(LAYERS, className),
  }));
}

/** All layers that are no models themselves; the input that a Sequential model implies is none of its layers. */
function layersIn({ layers }: Model): LayerNode[] {
  return layers.flatMap((layer) => {
    if (layer.model !== null) return layersIn(layer.model);
    return layer.implied === true ? [] : [layer];
  });
}

/** A connection: an output of a layer's call, counted in the layer's order. */
interface Connection {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
  /** The argument that it is, where it has a name. */
  readonly as?: string;
}

interface LayerNode {
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

interface Model {
  readonly layers: readonly LayerNode[];
  readonly inputs: readonly Connection[];
  readonly outputs: readonly Connection[];
  readonly outputNames: readonly string[];
}

const MODELS: ReadonlySet<string> = new Set(['Sequential', 'Model', 'Functional']);

function modelOf(topology: Readonly<Record<string, unknown>>, where: string): Model {
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

function layerOf(given: unknown, where: string): LayerNode {
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

/** Throws naming all layers that are not known. */
function refuseUnknown(model: Model): void {
  const unknown = layersIn(model).filter(({ className }) => !Object.hasOwn(LAYERS, className));
  if (unknown.length === 0) return;
  const named = unknown.map(({ name, className }) => `layer "${name}": ${className}`).join(', ');
  throw new InvalidArgumentError(
    `${named} ${unknown.length === 1 ? 'is' : 'are'} not known; there are ${Object.keys(LAYERS).sort().join(', ')}`,
  );
}

class ModelBuilder {
  /** Which steps of a sequence count, by the sequence. */
  readonly #masks = new Map<Tensor, Tensor>();

  constructor(private readonly weights: ReadonlyMap<string, TensorValue>) {}

  /** Placeholders for the inputs of the outermost model. */
  inputsOf(model: Model): Record<string, Tensor> {
    return Object.fromEntries(
      model.inputs.map(({ layer }) => {
        const found = model.layers.find(({ name }) => name === layer);
        if (found === undefined) throw new InvalidArgumentError(`the model has no input layer "${layer}"`);
        return [layer, placeholderOf(found)];
      }),
    );
  }

  /** The outputs of a model for given inputs. Layers are called when what they take is there. */
  call(model: Model, inputs: readonly Tensor[]): Tensor[] {
    const values = new Map<string, readonly Tensor[]>();
    model.inputs.forEach((connection, i) => {
      const input = inputs[i];
      if (input !== undefined) values.set(keyOf(connection), [input]);
    });
    let waiting = model.layers.flatMap((layer) => layer.calls.map((takes, call) => ({ layer, takes, call })));
    waiting = waiting.filter(({ layer, call }) => !values.has(keyOf({ layer: layer.name, call, output: 0 })));
    while (waiting.length > 0) {
      const ready = waiting.filter(({ takes }) => takes.every((connection) => values.has(keyOf(connection))));
      if (ready.length === 0) {
        throw new InvalidArgumentError(
          `the layer "${waiting[0]?.layer.name ?? ''}" takes outputs of layers that are not there`,
        );
      }
      for (const { layer, takes, call } of ready) {
        const given = takes.map((connection) => [connection.as, this.output(values, connection)] as const);
        const inputs = given.flatMap(([as, tensor]) => (as === undefined ? [tensor] : []));
        const named = Object.fromEntries(given.filter(([as]) => as !== undefined)) as Record<string, Tensor>;
        const beside = { named, args: layer.args?.[call] ?? {} };
        values.set(keyOf({ layer: layer.name, call, output: 0 }), this.apply(layer, inputs, beside));
      }
      waiting = waiting.filter((item) => !ready.includes(item));
    }
    return model.outputs.map((connection) => this.output(values, connection));
  }

  private output(values: ReadonlyMap<string, readonly Tensor[]>, connection: Connection): Tensor {
    const tensor = values.get(keyOf(connection))?.[connection.output];
    if (tensor !== undefined) return tensor;
    throw new InvalidArgumentError(`the layer "${connection.layer}" has no output ${connection.output}`);
  }

  private apply(
    layer: LayerNode,
    inputs: readonly Tensor[],
    beside: Pick<LayerCall, 'named' | 'args'> = { named: {}, args: {} },
  ): readonly Tensor[] {
    if (layer.model !== null) return this.call(layer.model, inputs);
    const apply = Object.hasOwn(LAYERS, layer.className) ? LAYERS[layer.className] : undefined;
    if (apply === undefined) {
      throw new InvalidArgumentError(
        `layer "${layer.name}": ${layer.className} is not known; there are ${Object.keys(LAYERS).sort().join(', ')}`,
      );
    }
    const [first] = inputs;
    if (first === undefined) throw new InvalidArgumentError(`layer "${layer.name}" takes no input`);
    return getDefaultGraph().nameScope(layer.name, () => {
      const call = this.callOf(layer, first, inputs, beside);
      const result = apply(call);
      const { outputs, mask }: LayerResult = result instanceof Tensor ? { outputs: [result] } : result;
      const named = outputs.map((output) => identity(output, { name: 'output' }));
      const goesOn = PASS_MASKS.has(layer.className) ? call.masks[0] : mask;
      if (goesOn !== undefined && named[0] !== undefined) this.#masks.set(named[0], goesOn);
      return named;
    });
  }

  private callOf(
    { name, className, config }: LayerNode,
    x: Tensor,
    inputs: readonly Tensor[],
    beside: Pick<LayerCall, 'named' | 'args'>,
  ): LayerCall {
    const fail = (rule: string): never => {
      throw new InvalidArgumentError(`layer "${name}" (${className}): ${rule}`);
    };
    const under = (path: string, own: LayerConfig): LayerCall => ({
      x,
      inputs,
      masks: inputs.map((input) => this.#masks.get(input)),
      config: own,
      ...beside,
      maskOf: (tensor) => this.#masks.get(tensor),
      hasWeight: (weight) => this.weight(path, weight) !== undefined,
      fail,
      weight: (weight) => {
        const value = this.weight(path, weight);
        return value === undefined
          ? fail(`the weights hold no "${path}/${weight}"`)
          : constant(value, { name: weight });
      },
      part: (part, partConfig) => under(part === '' ? path : `${path}/${part}`, partConfig),
      wrapped: (layer, input) => {
        const inner = layerOf(layer, `layer "${name}"`);
        // A layer's weights are named after the one that wraps it, those of a model after its layers.
        return this.apply(inner.model === null ? { ...inner, name: path } : inner, [input]);
      },
    });
    return under(name, config);
  }

  /** A weight by the name of its layer; some writers name the cell of a recurrent layer between. */
  private weight(path: string, weight: string): TensorValue | undefined {
    const key = `${path}/${weight}`;
    const names = [...this.weights.keys()];
    const exact = names.find((other) => other === key || other.endsWith(`/${key}`));
    if (exact !== undefined) return this.weights.get(exact);
    const within = names.filter((other) => {
      const parts = other.split('/');
      const [cell] = parts.splice(-2, 1);
      const outer = parts.join('/');
      return cell !== undefined && (outer === key || outer.endsWith(`/${key}`));
    });
    return within.length === 1 ? this.weights.get(within[0] ?? '') : undefined;
  }
}

function keyOf({ layer, call }: Connection): string {
  return `${call}:${layer}`;
}

function placeholderOf({ name, config }: LayerNode): Tensor {
  const shape = config.batch_input_shape ?? config.batch_shape;
  if (!Array.isArray(shape))
    throw new InvalidArgumentError(`layer "${name}": the shape of the input is not given`);
  const dims = (shape as unknown[]).map((dim) => (typeof dim === 'number' ? dim : null));
  return placeholder(config.dtype === 'int32' ? 'int32' : 'float32', dims, { name });
}
