/** Damaged graph files and checkpoints: a result or one error that says where, whatever the bytes. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  BundleReader,
  Graph,
  graphOfTfjsModel,
  importGraphDef,
  importMetaGraph,
  importTfjsLayersModel,
  memorySource,
  ObjectGraph,
  openTfjsGraphModel,
  proto,
  readCheckpointState,
  readGraphFile,
  readTfjsGraphModel,
  readTfjsLayersModel,
  TensorValue,
  V1CheckpointReader,
} from '../src/index.js';
import { snappyDecompress } from '../src/checkpoint/snappy.js';
import { sliceKey } from '../src/checkpoint/orderedCode.js';
import { readTable } from '../src/checkpoint/tableReader.js';
import { writeTable } from '../src/checkpoint/tableWriter.js';
import { fuzz, FUZZ_ROUNDS } from '@forerun/testing';

const GOLDEN = resolve(import.meta.dirname, 'golden/v1');
const file = (name: string): Uint8Array => new Uint8Array(readFileSync(`${GOLDEN}/${name}`));
const data = file('model.data-00000-of-00001');

/** Reads the file and builds its graph. */
function importFile(bytes: Uint8Array): void {
  const read = readGraphFile(bytes);
  if (read.kind === 'GraphDef') importGraphDef(read.graphDef, { graph: new Graph(), name: '' });
  else importMetaGraph(bytes, { graph: new Graph() });
}

/** By messages, and straight into a graph whose shapes are asked for. */
async function readTfjs(json: string, weights: Uint8Array): Promise<void> {
  const graph = new Graph();
  const { importInto } = await openTfjsGraphModel(json, () => Promise.resolve(weights));
  importInto({ graph, deferShapes: true });
  graph.operations.forEach(({ outputs }) => outputs.forEach(({ shape }) => shape.rank));
  graphOfTfjsModel(await readTfjsGraphModel(json, () => Promise.resolve(weights)));
}

async function readBundle(index: Uint8Array, shard: Uint8Array = data): Promise<void> {
  const reader = new BundleReader(index, () => memorySource(shard));
  for (const name of reader.entries.keys()) await reader.read(name);
}

/** The records of a table under new checksums, so that damage reaches what is inside. */
function rewritten(records: Uint8Array): Uint8Array {
  const { node } = proto.decode('GraphDef', records);
  return writeTable(
    node.map(({ device }, i) => ({
      key: keys[i] ?? new Uint8Array([255, i]),
      value: Buffer.from(device, 'latin1'),
    })),
  );
}

const entries = readTable(file('model.index'));
const keys = entries.map(({ key }) => key);
/** One message holds all records, so that the mutations have one text to work on. */
const packed = proto.encode('GraphDef', {
  node: entries.map(({ value }) => ({ device: Buffer.from(value).toString('latin1') })),
});

const V1 = writeTable([
  {
    key: new Uint8Array(0),
    value: proto.encode('SavedTensorSlices', {
      meta: { tensor: [{ name: 'w', type: 1, shape: { dim: [{ size: 4 }] }, slice: [{ extent: [{}] }] }] },
    }),
  },
  {
    key: sliceKey('w', [{ start: 0, length: -1 }]),
    value: proto.encode('SavedTensorSlices', { data: { name: 'w', data: { floatVal: [1, 2, 3, 4] } } }),
  },
]);

async function readV1(bytes: Uint8Array): Promise<void> {
  const reader = new V1CheckpointReader([bytes]);
  for (const name of reader.entries.keys()) await reader.read(name);
}

const OBJECTS = proto.encode('TrackableObjectGraph', {
  nodes: [
    { children: [{ nodeId: 1, localName: 'a' }, { nodeId: 2, localName: 'b' }] },
    { children: [{ nodeId: 2, localName: 'c' }, { nodeId: 0, localName: 'up' }] },
    { attributes: [{ name: 'VARIABLE_VALUE', fullName: 'w', checkpointKey: 'a/c/.ATTRIBUTES/VARIABLE_VALUE' }] },
  ],
}); // prettier-ignore

async function readObjects(bytes: Uint8Array): Promise<void> {
  const value = new TensorValue('string', [], [bytes]);
  const graph = await ObjectGraph.of({ has: () => true, read: () => Promise.resolve(value) });
  graph?.keyOf('a/up/b');
}

const LAYERS = resolve(import.meta.dirname, '../../session/test/fixtures/layers');
const layersFile = (name: string): Uint8Array => new Uint8Array(readFileSync(`${LAYERS}/${name}`));

/** Builds the layers of a model.json, with the weights of the model whose file it was. */
async function readLayers(json: string, weights: Uint8Array): Promise<void> {
  const model = await readTfjsLayersModel(json, () => Promise.resolve(weights));
  importTfjsLayersModel(model, { graph: new Graph() });
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

test.each([
  ['GraphDef', [file('graph.pb'), file('graph.meta')], readGraphFile],
  ['GraphDef as text', [file('graph.pbtxt')], readGraphFile],
  ['GraphDef as JSON', [file('graph.json')], readGraphFile],
  ['graphs', [file('graph.pb'), file('graph.meta')], importFile, FUZZ_ROUNDS / 4],
  ['a checkpoint index', [file('model.index')], (bytes: Uint8Array) => readBundle(bytes)],
  ['the records of an index', [packed], (bytes: Uint8Array) => readBundle(rewritten(bytes))],
  ['a data shard', [data], (bytes: Uint8Array) => readBundle(file('model.index'), bytes)],
  ['a checkpoint of version 1', [V1], readV1],
  ['a model.json of TensorFlow.js', [file('tfjs/model.json')], (bytes: Uint8Array) => readTfjs(text(bytes), file('tfjs/group1-shard1of1.bin'))],
  ['weights of TensorFlow.js', [file('tfjs/group1-shard1of1.bin')], (bytes: Uint8Array) => readTfjs(text(file('tfjs/model.json')), bytes)],
  ['a layers model', [layersFile('words/model.json')], (bytes: Uint8Array) => readLayers(text(bytes), layersFile('words/weights.bin')), FUZZ_ROUNDS / 4],
  ['the objects of a checkpoint', [OBJECTS], readObjects],
  ['a SavedModel', [file('saved_model.pb'), file('saved_model.pbtxt')], importFile],
  ['snappy', [Uint8Array.of(0x0a, 0x08, 97, 98, 99, 0x11, 0x03, 0x00, 97, 98)], snappyDecompress],
  ['checkpoint state', [Buffer.from('model_checkpoint_path: "a"\nall_model_checkpoint_paths: "a"\n')], (bytes: Uint8Array) => readCheckpointState(text(bytes))],
] as [string, Uint8Array[], (bytes: Uint8Array) => unknown, number?][])('%s', async (_, seeds, parse, rounds = FUZZ_ROUNDS) => {
  const { refused, accepted } = await fuzz({ seeds, parse, rounds });
  expect(refused + accepted).toBe(rounds);
  expect(refused).toBeGreaterThan(rounds / 10);
}, 3_600_000); // prettier-ignore
