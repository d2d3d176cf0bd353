/** Adds the layers of a description to the default graph, each when what it takes is there. */
import { constant } from '../apply.js';
import { InvalidArgumentError } from '../errors.js';
import { identity, placeholder } from '../ops/source.js';
import { getDefaultGraph } from '../scopes.js';
import { Tensor } from '../tensor.js';
import type { TensorValue } from '../value.js';
import type { LayerCall, LayerConfig, LayerResult } from './layerCall.js';
import { LAYERS, PASS_MASKS } from './layers.js';
import { layerOf, type Connection, type LayerNode, type Model } from './layersTopology.js';

/** Calls layers with the weights of a model, by their names. */
export class ModelBuilder {
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
