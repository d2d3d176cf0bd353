/** Reads models of other frameworks, ONNX and TensorFlow.js, as graphs with a signature. */
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  countTfjsLayers,
  ForerunError,
  Graph,
  graphToGraphDef,
  importTfjsLayersModel,
  proto,
  readModelJson,
  readTfjsGraphModel,
  readTfjsLayersModel,
  savedModelSignatures,
  type ModelJson,
  type Tensor,
} from '@forerun/graph';
import { FileError, messageOf, UnsupportedModel } from './errors.js';
import type { InputShapes } from './inputShapes.js';
import type { LoadedGraph, Origin } from './load.js';
import { onnxFacts, reportModel, type ModelFacts } from './modelReport.js';
import { readPart, readWhole } from './readWhole.js';

type Tensors = Readonly<Record<string, Tensor>>;

const { buildTensorInfo, DEFAULT_SERVING_SIGNATURE_DEF_KEY, PREDICT_METHOD_NAME } = savedModelSignatures;

/**
 * An ONNX model as a graph; with these shapes of its inputs where it cannot be read without. Throws `UnsupportedModel`, which tells what the model holds, for ops that are not known, and `DataLossError` for
 * damaged bytes.
 */
export async function loadOnnx(
  path: string,
  bytes: Uint8Array,
  shapes: InputShapes = new Map(),
): Promise<LoadedGraph> {
  const { importOnnx, onnxOps, readExternalData, readOnnxModel } = await import('@forerun/formats');
  const model = readOnnxModel(bytes);
  const { irVersion, opsetImport, producerName, producerVersion } = model;
  const known = new Set(onnxOps());
  const origin: Origin = {
    facts: {
      ...(opsetImport.length === 0
        ? {}
        : {
            'operator set': opsetImport
              .map(({ domain, version }) => `${domain} ${version}`.trim())
              .join(', '),
          }),
      'IR version': irVersion,
      ...(producerName === '' ? {} : { 'made by': `${producerName} ${producerVersion}`.trim() }),
    },
    what: 'ONNX ops',
    types: countTypes(
      nodesIn(model.graph).map(({ opType, domain }) => {
        const own = domain === '' || domain === 'ai.onnx';
        return { type: own ? opType : `${domain}.${opType}`, supported: own && known.has(opType) };
      }),
    ),
  };
  let outside = 0;
  const directory = dirname(path);
  await readExternalData(model, async ({ location, offset, length }) => {
    outside += length;
    return readPart(join(directory, location), offset, length);
  });
  const head = { path, format: 'ONNX', encoding: 'pb', bytes: bytes.length + outside } as const;
  const read = (given: Readonly<Record<string, readonly number[]>>): LoadedGraph =>
    graphOrReport(
      head,
      origin,
      (graph) => importOnnx(model, { graph, shapes: given }),
      () => onnxFacts(model),
    );
  try {
    return read({});
  } catch (error) {
    if (!(error instanceof UnsupportedModel) || shapes.size === 0) throw error;
  }
  return read(Object.fromEntries(shapes));
}

/** Nodes of a graph and of the graphs in their attributes. */
function nodesIn(graph: proto.onnxGraphProto | undefined): proto.onnxNodeProto[] {
  return (graph?.node ?? []).flatMap((node) => [
    node,
    ...node.attribute
      .flatMap(({ g, graphs }) => [...(g === undefined ? [] : [g]), ...graphs])
      .flatMap(nodesIn),
  ]);
}

/**
 * A graph or layers model of TensorFlow.js as a graph; weights lie beside `path`. Throws `FileError` for weights that are missing,
 * `UnsupportedModel` for layers that are not known.
 */
export async function loadTfjs(path: string, text: string): Promise<LoadedGraph> {
  const model = readModelJson(text);
  const shards = model.groups.flatMap(({ paths }) => paths);
  const directory = dirname(path);
  const readShard = (shard: string): Promise<Uint8Array> => readWhole(join(directory, shard));
  const bytes = (await sizeOf(path)) + (await totalSize(directory, shards));
  const head = { path, encoding: path.endsWith('.pb') ? 'pb' : 'json', bytes } as const;
  return model.format === 'graph-model'
    ? loadTfjsGraph({ ...head, format: 'tfjs graph model' }, model, text, readShard)
    : loadTfjsLayers({ ...head, format: 'tfjs layers model' }, model, text, readShard);
}

type Head = Pick<LoadedGraph, 'path' | 'format' | 'encoding' | 'bytes'>;

async function loadTfjsGraph(
  head: Head,
  model: ModelJson,
  text: string,
  readShard: (path: string) => Promise<Uint8Array>,
): Promise<LoadedGraph> {
  const { graphDef, signature } = await readTfjsGraphModel(text, readShard);
  return {
    kind: 'graph',
    ...head,
    graphDef,
    metaGraph: metaGraphOf(graphDef, signature),
    tagSets: [],
    origin: { facts: factsOf(model) },
  };
}

async function loadTfjsLayers(
  head: Head,
  model: ModelJson,
  text: string,
  readShard: (path: string) => Promise<Uint8Array>,
): Promise<LoadedGraph> {
  const layers = await readTfjsLayersModel(text, readShard);
  const types = countTypes(countTfjsLayers(layers));
  const origin: Origin = { facts: factsOf(model), what: 'Layers', types };
  const read = (graph: Graph): ImportedEnds => importTfjsLayersModel(layers, { graph });
  return graphOrReport(head, origin, read, () => ({ weights: [...layers.weights.values()] }));
}

type ImportedEnds = Readonly<Record<'inputs' | 'outputs', Tensors>>;

/** The graph that `read` makes of a model. Throws `UnsupportedModel` with what there is in it when there is none. */
function graphOrReport(
  head: Head,
  origin: Origin,
  read: (graph: Graph) => ImportedEnds,
  facts: () => Pick<ModelFacts, 'weights'> & Partial<Pick<ModelFacts, 'inputs' | 'outputs'>>,
): LoadedGraph {
  const graph = new Graph();
  try {
    const { inputs, outputs } = read(graph);
    return graphOf(head, origin, graph, inputs, outputs);
  } catch (error) {
    if (!(error instanceof ForerunError)) throw error;
    const report = reportModel({ ...head, origin, problem: messageOf(error), ...facts() });
    throw new UnsupportedModel(`${head.path}: ${messageOf(error)}`, report, { cause: error });
  }
}

function factsOf({ generatedBy, convertedBy, groups }: ModelJson): Origin['facts'] {
  const stored = new Set(
    groups.flatMap(({ weights }) => weights.flatMap(({ quantization }) => quantization?.dtype ?? [])),
  );
  const files = groups.reduce((sum, { paths }) => sum + paths.length, 0);
  return {
    ...(generatedBy === '' ? {} : { 'made by': generatedBy }),
    ...(convertedBy === '' || convertedBy === generatedBy ? {} : { 'converted by': convertedBy }),
    'weight files': files,
    ...(stored.size === 0 ? {} : { 'weights stored as': [...stored].join(', ') }),
  };
}

function graphOf(head: Head, origin: Origin, graph: Graph, inputs: Tensors, outputs: Tensors): LoadedGraph {
  const graphDef = proto.complete('GraphDef', graphToGraphDef(graph));
  const infos = (tensors: Tensors): Map<string, proto.TensorInfo> =>
    new Map(Object.entries(tensors).map(([key, tensor]) => [key, buildTensorInfo(tensor)]));
  const signature: proto.SignatureDef = {
    ...proto.create('SignatureDef'),
    inputs: infos(inputs),
    outputs: infos(outputs),
    methodName: PREDICT_METHOD_NAME,
  };
  return {
    kind: 'graph',
    ...head,
    graphDef,
    metaGraph: metaGraphOf(graphDef, signature),
    tagSets: [],
    origin,
  };
}

function metaGraphOf(graphDef: proto.GraphDef, signature: proto.SignatureDef): proto.MetaGraphDef {
  const signatureDef = new Map([[DEFAULT_SERVING_SIGNATURE_DEF_KEY, signature]]);
  return { ...proto.create('MetaGraphDef'), graphDef, signatureDef };
}

function countTypes(
  items: readonly { readonly type: string; readonly supported: boolean }[],
): NonNullable<Origin['types']> {
  const counts = new Map<string, { type: string; nodes: number; supported: boolean }>();
  for (const { type, supported } of items)
    counts.set(type, { type, nodes: (counts.get(type)?.nodes ?? 0) + 1, supported });
  return [...counts.values()].sort((a, b) => b.nodes - a.nodes || (a.type < b.type ? -1 : 1));
}

async function totalSize(directory: string, shards: readonly string[]): Promise<number> {
  let total = 0;
  for (const shard of shards) total += await sizeOf(join(directory, shard));
  return total;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new FileError(`${path}: the weights of the model are missing`);
  return found.size;
}
