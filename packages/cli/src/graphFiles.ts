/** A graph as files of any form that holds graphs. */
import { basename, dirname, join } from 'node:path';
import {
  BundleWriter,
  dataPath,
  indexPath,
  moveConstantsOut,
  writeGraphDef,
  writeMetaGraph,
  writeTfjsGraphModel,
  type Operation,
  type proto,
  type TensorValue,
} from '@forerun/graph';
import { FileError } from './errors.js';
import type { GraphForm } from './forms.js';
import { ancestorsOf, isVariable, type GraphView } from './graphView.js';
import { reading } from './openValues.js';
import { savedModelFiles } from './savedModelFiles.js';
import { signatureDefs, signatureOf } from './signature.js';
import { readVariables, variableKey, weightsPath } from './variableValues.js';
import type { OutFiles } from './writeFiles.js';

export interface GraphFileOptions {
  /** Outputs, in place of those of the file's signature. */
  readonly fetch?: readonly string[] | undefined;
  /** Values of the variables, for forms that hold them. */
  readonly weights?: string | undefined;
  /** Puts large constants into a file beside the graph's. */
  readonly externalWeights?: boolean | undefined;
}

/** Constants of fewer bytes stay in the graph. */
const MIN_EXTERNAL_BYTES = 1024;

/**
 * The files of a graph in some form. Throws `FileError` for what the form cannot hold: variables without values, ops that it does
 * not know.
 */
export async function graphFiles(
  view: GraphView,
  form: GraphForm,
  target: string,
  options: GraphFileOptions = {},
): Promise<OutFiles> {
  const { graphDef, metaGraph, path } = view.loaded;
  if (options.externalWeights === true && !EXTERNAL_FORMS.has(form)) {
    throw new FileError(
      `${target}: a ${form} has no weights beside it that --external-weights could mean; a GraphDef (.pb, .pbtxt, .json) and an ONNX model can`,
    );
  }
  switch (form) {
    case 'pb':
    case 'pbtxt':
    case 'json':
      return reading(path, () => Promise.resolve(graphDefFiles(graphDef, form, target, options)));
    case 'meta':
      return new Map([[target, [writeMetaGraph(metaGraph ?? { graphDef })]]]);
    case 'saved_model':
      return reading(path, () => savedModelFiles(view, target, options));
    case 'tfjs':
      return reading(path, () => Promise.resolve(tfjsFiles(view, target, options)));
    case 'onnx':
      return reading(path, () => onnxFiles(view, target, options));
  }
}

const EXTERNAL_FORMS: ReadonlySet<string> = new Set(['pb', 'pbtxt', 'json', 'onnx']);

function graphDefFiles(
  graphDef: proto.GraphDef,
  form: 'pb' | 'pbtxt' | 'json',
  target: string,
  { externalWeights }: GraphFileOptions,
): OutFiles {
  if (externalWeights !== true) return new Map([[target, [writeGraphDef(graphDef, form)]]]);
  const location = `${basename(target)}.weights`;
  const moved = moveConstantsOut(graphDef, { location, minBytes: MIN_EXTERNAL_BYTES });
  const graph: readonly [string, readonly Uint8Array[]] = [target, [writeGraphDef(moved.graphDef, form)]];
  if (moved.values.size === 0) return new Map([graph]);
  const writer = new BundleWriter();
  const parts = [...moved.values].map(([key, value]) => writer.add(key, value));
  const prefix = join(dirname(target), location);
  // The graph comes last, so that it never speaks of missing weights.
  return new Map([[dataPath(prefix), parts], [indexPath(prefix), [writer.finish()]], graph]);
}

/** The directory that a model of several files is written to: `target`, or the one around a file in it that is named. */
export function modelDirectory(form: string, target: string): string | undefined {
  if (form !== 'saved_model' && form !== 'tfjs') return undefined;
  return /^(saved_model\.pb(txt)?|model\.json)$/.test(basename(target)) ? dirname(target) : target;
}

function tfjsFiles(view: GraphView, target: string, { fetch }: GraphFileOptions): OutFiles {
  const { graph, loaded } = view;
  const variables = graph.operations.filter(isVariable);
  if (variables.length > 0)
    throw new FileError(`${loaded.path}: ${mustFreeze(variables, 'a model of TensorFlow.js')}`);
  const signature = signatureDefs(view, fetch).get('serving_default');
  const { modelJson, shards } = writeTfjsGraphModel(graph, { signature });
  const directory = modelDirectory('tfjs', target) ?? target;
  return new Map([
    ...shards.map(({ path, bytes }) => [join(directory, path), [bytes]] as const),
    [join(directory, 'model.json'), [new TextEncoder().encode(modelJson)]] as const,
  ]);
}

function mustFreeze(variables: readonly Operation[], what: string): string {
  const [first] = variables;
  return `${what} has no variables, this graph has ${variables.length} such as "${first?.name ?? ''}": forerun freeze first`;
}

async function onnxFiles(view: GraphView, target: string, options: GraphFileOptions): Promise<OutFiles> {
  const { exportOnnx, exportOnnxParts } = await import('@forerun/formats');
  const { inputs, outputs } = signatureOf(view, options.fetch);
  const needed = ancestorsOf(Object.values(outputs).map(({ op }) => op)).filter(isVariable);
  const variables = needed.length === 0 ? undefined : await valuesFor(view, needed, options.weights);
  const given = { outputs, inputs: Object.values(inputs), variables };
  if (options.externalWeights !== true) return new Map([[target, [exportOnnx(given)]]]);
  const location = `${basename(target)}.data`;
  const { model, data } = exportOnnxParts(given, { location, minBytes: MIN_EXTERNAL_BYTES });
  if (data.length === 0) return new Map([[target, [model]]]);
  return new Map([
    [join(dirname(target), location), data],
    [target, [model]],
  ]);
}

async function valuesFor(
  view: GraphView,
  needed: readonly Operation[],
  weights: string | undefined,
): Promise<Map<string, TensorValue>> {
  const path = weightsPath(view, weights);
  if (path === undefined) {
    throw new FileError(
      `${view.loaded.path}: the values of ${needed.length} variables such as "${needed[0]?.name ?? ''}" are not in the graph: give the checkpoint with --weights`,
    );
  }
  const { values } = await readVariables(view, path, needed);
  const missing = needed.filter((op) => !values.has(op)).map(({ name }) => `"${name}"`);
  if (missing.length > 0)
    throw new FileError(`${path}: there is no value for ${missing.slice(0, 5).join(', ')}`);
  return new Map([...values].map(([op, value]) => [variableKey(op), value]));
}
