/**
 * Layers models of TensorFlow.js: Keras' description of layers and their connections, Sequential or functional, with the
 * weights beside it. They become a graph with constants, for inference.
 */
import { InvalidArgumentError } from '../errors.js';
import type { Graph } from '../graph.js';
import { getDefaultGraph } from '../scopes.js';
import type { Tensor } from '../tensor.js';
import type { TensorValue } from '../value.js';
import { readWeights, type ReadShard } from './graphModel.js';
import { LAYERS } from './layers.js';
import { ModelBuilder } from './layersBuilder.js';
import { layersIn, modelOf, type Model } from './layersTopology.js';
import { isObject, objectAt, readModelJson } from './modelJson.js';

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

/** Throws naming all layers that are not known. */
function refuseUnknown(model: Model): void {
  const unknown = layersIn(model).filter(({ className }) => !Object.hasOwn(LAYERS, className));
  if (unknown.length === 0) return;
  const named = unknown.map(({ name, className }) => `layer "${name}": ${className}`).join(', ');
  throw new InvalidArgumentError(
    `${named} ${unknown.length === 1 ? 'is' : 'are'} not known; there are ${Object.keys(LAYERS).sort().join(', ')}`,
  );
}
