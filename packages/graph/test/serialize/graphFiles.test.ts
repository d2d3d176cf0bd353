/** Graphs to files and back, in every encoding, and what the readers say of other files. */
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Variable } from '../../src/index.js';
import {
  constant,
  describeContent,
  detectFormat,
  exportMetaGraph,
  Graph,
  GRAPH_DEF_VERSION,
  graphToGraphDef,
  graphOfTfjsModel,
  importGraphDef,
  importMetaGraph,
  proto,
  readGraphDef,
  readGraphFile,
  readTfjsGraphModel,
  selectMetaGraph,
  writeGraphDef,
  writeMetaGraph,
  writeSavedModel,
  writeTfjsGraphModel,
  type Encoding,
} from '../../src/index.js';
import { encodeBundle, toTensorValue, DataLossError, InvalidArgumentError } from '../../src/index.js';
import { toBytes } from '../../src/proto/utf8.js';
import { hasProtoc, protocDecode } from '../proto/protoc.js';
import { hex, raw, rawBytes, rawMap, rawText } from '../proto/rawWire.js';
import { frozenGraph, sampleGraph, sampleSavedModel } from './sampleGraph.js';

const ENCODINGS: readonly Encoding[] = ['pb', 'pbtxt', 'json'];
const GOLDEN = fileURLToPath(new URL('../golden/v1/', import.meta.url));

function load(bytes: Uint8Array): Graph {
  const graph = new Graph();
  importGraphDef(bytes, { graph, name: '' });
  return graph;
}

describe('GraphDef', () => {
  test.each(ENCODINGS)('%s: graph to file to graph to file, byte for byte', (encoding) => {
    const bytes = writeGraphDef(sampleGraph().graph, encoding);
    expect(hex(writeGraphDef(load(bytes), encoding))).toBe(hex(bytes));
    expect(hex(writeGraphDef(sampleGraph().graph, encoding))).toBe(hex(bytes));
    expect(hex(writeGraphDef(sampleGraph().graph.toGraphDef(), encoding))).toBe(hex(bytes));
  });

  test('the imported graph has the same nodes', () => {
    const { graph } = sampleGraph();
    const copy = load(writeGraphDef(graph));
    expect(copy.operations.map(describe_)).toEqual(graph.operations.map(describe_));
    expect(copy.getTensorByName('dense/out:0').shape.toString()).toBe('[?,2]');
  });

  test('a second reader finds the nodes under the numbers of TensorFlow', () => {
    const bytes = writeGraphDef(sampleGraph().graph);
    const nodes = (raw(bytes, 1) as Uint8Array[]).map((node) => [rawText(node, 1), node] as const);
    const byName = new Map(nodes);
    const out = byName.get('dense/out') ?? bytes;
    expect((raw(out, 3) as Uint8Array[]).map((input) => Buffer.from(input).toString())).toEqual([
      'dense/MatMul',
      'dense/bias',
    ]);
    const foreign = byName.get('foreign') ?? bytes;
    expect(rawText(foreign, 2)).toBe('Foreign');
    expect(rawText(foreign, 4)).toBe('/device:GPU:0');
    expect(Buffer.from((raw(foreign, 3) as Uint8Array[])[1] ?? '').toString()).toBe('^global_step/Assign');
    expect(raw(rawMap(foreign, 5).get('big') ?? bytes, 3)).toEqual([2n ** 62n + 1n]);
    const bias = rawMap(byName.get('dense/bias') ?? bytes, 5).get('value') ?? bytes;
    expect(hex(rawBytes(bias, 8, 4))).toBe('0000003f000000bf');
    expect(raw(rawBytes(bytes, 4), 1)).toEqual([BigInt(GRAPH_DEF_VERSION)]);
  });

  test('shapes are written when asked for', () => {
    const { graph } = sampleGraph();
    const [x] = graphToGraphDef(graph, { addShapes: true }).node ?? [];
    expect(x?.attr?.get('_output_shapes')).toEqual({
      list: { shape: [{ dim: [{ size: -1 }, { size: 3 }] }] },
    });
  });

  test('writing copies no constant and leaves the graph alone', () => {
    const graph = new Graph();
    const data = new Float32Array(1000);
    graph.asDefault(() => constant(data));
    const version = graph.version;
    const [node] = graphToGraphDef(graph).node ?? [];
    const value = graph.operations[0]?.attrs.tensor('value').data as Float32Array;
    expect(node?.attr?.get('value')?.tensor?.tensorContent?.buffer).toBe(value.buffer);
    expect(graph.version).toBe(version);
  });

  test('functions, versions, colocation and debug information are kept', () => {
    const def = proto.encode('GraphDef', {
      node: [
        {
          name: 'a',
          op: 'Placeholder',
          attr: new Map([
            ['dtype', { type: 1 }],
            ['shape', { shape: {} }],
          ]),
        },
        {
          name: 'call',
          op: 'myFunction',
          input: ['a'],
          attr: new Map([['_class', { list: { s: [toBytes('loc:@a')] } }]]),
          experimentalDebugInfo: { originalNodeNames: ['from'] },
        },
      ],
      library: {
        function: [
          {
            signature: {
              name: 'myFunction',
              inputArg: [{ name: 'x', type: 1 }],
              outputArg: [
                { name: 'y', type: 3 },
                { name: 'z', type: 10 },
              ],
            },
            nodeDef: [
              { name: 'n', op: 'Identity', input: ['x'], attr: new Map([['T', { placeholder: 'T' }]]) },
            ],
            ret: new Map([['y', 'n:output:0']]),
          },
        ],
        gradient: [{ functionName: 'myFunction', gradientFunc: 'g' }],
      },
      versions: { producer: 100, minConsumer: 12, badConsumers: [50] },
    });
    const graph = load(def);
    expect(hex(writeGraphDef(graph))).toBe(hex(def));
    expect(graph.getOperationByName('call').outputs.map((output) => output.dtype)).toEqual(['int32', 'bool']);
    expect(() => importGraphDef(def, { graph })).not.toThrow();
    const other = proto.decode('GraphDef', def);
    other.library?.function[0]?.ret.set('y', 'x');
    expect(() => importGraphDef(other, { graph })).toThrow(
      'the graph has another function named "myFunction"',
    );
  });

  test('a graph of 2 GiB is refused, naming the largest nodes', () => {
    const graph = new Graph();
    const value = toTensorValue(new Uint8Array(2 ** 27), 'uint8');
    for (let i = 0; i < 17; i++) {
      graph.createOp({ type: 'Const', name: `big${i}`, attrs: { value, dtype: 'uint8' } });
    }
    expect(() => writeGraphDef(graph)).toThrow(/Largest nodes: "big\d+" \(1342\d+ bytes\), "big/);
    expect(() => writeGraphDef(graph, 'json')).toThrow(/such a file can hold 134217728. Largest nodes: "big/);
  });
});

function describe_(op: Graph['operations'][number]): string {
  const controls = op.controlInputs.map((control) => `^${control.name}`);
  const outputs = op.outputs.map((output) => `${output.dtype}${output.shape.toString()}`);
  return `${op.name}: ${op.type}(${[...op.inputs.map((input) => input.name), ...controls].join(', ')}) -> ${op.type === 'Foreign' ? '' : outputs.join(', ')} ${op.device}`;
}

describe('MetaGraphDef', () => {
  const saverDef = {
    filenameTensorName: 'x:0',
    saveTensorName: 'x:0',
    restoreOpName: 'foreign',
    maxToKeep: 5,
    version: 2,
  };
  const signatureDefs = new Map([
    ['serving_default', { inputs: new Map([['x', { name: 'x:0', dtype: 1 }]]) }],
  ]);

  test.each(ENCODINGS)('%s: collections, saver and signatures come back', (encoding) => {
    const { graph } = sampleGraph();
    const bytes = writeMetaGraph(exportMetaGraph({ graph, saverDef, signatureDefs }), encoding);
    const copy = new Graph();
    const { saverDef: saver, signatureDefs: signatures } = importMetaGraph(bytes, { graph: copy });
    expect(saver).toMatchObject(saverDef);
    expect(signatures.get('serving_default')?.inputs.get('x')?.name).toBe('x:0');
    expect(copy.collectionKeys.sort()).toEqual(graph.collectionKeys.sort());
    expect(copy.getCollection('losses')).toEqual([copy.getTensorByName('dense/out:0')]);
    expect(copy.getCollection('train_op')).toEqual([copy.getOperationByName('dense/kernel/Assign')]);
    expect(copy.getCollection('sizes')).toEqual([3, 2n ** 60n]);
    expect(copy.getCollection('note')).toEqual(['text']);
    const [kernel, step] = copy.getCollection('variables') as Variable[];
    expect([kernel?.name, kernel?.trainable, step?.name, step?.trainable]).toEqual([
      'dense/kernel:0',
      true,
      'global_step:0',
      false,
    ]);
    expect(copy.getCollection('trainable_variables')[0]).toBe(kernel);
    const options = { graph: copy, saverDef, signatureDefs };
    expect(hex(writeMetaGraph(exportMetaGraph(options), encoding))).toBe(hex(bytes));
  });

  test('signatures of the used ops are carried, foreign ones too', () => {
    const meta = exportMetaGraph({ graph: sampleGraph().graph });
    const names = meta.metaInfoDef?.strippedOpList?.op?.map((op) => op.name);
    expect(names).toEqual([...(names ?? [])].sort());
    expect(names).toContain('VarHandleOp');
    expect(names).not.toContain('Foreign');
    const foreign = {
      metaInfoDef: { strippedOpList: { op: [{ name: 'Odd', outputArg: [{ name: 'y', type: 9 }] }] } },
      graphDef: { node: [{ name: 'odd', op: 'Odd' }] },
    };
    const graph = new Graph();
    importMetaGraph(proto.decode('MetaGraphDef', proto.encode('MetaGraphDef', foreign)), { graph });
    expect(graph.getTensorByName('odd:0').dtype).toBe('int64');
    expect(exportMetaGraph({ graph }).metaInfoDef?.strippedOpList?.op?.[0]).toMatchObject({ name: 'Odd' });
  });

  test('a scope moves nodes and what collections name', () => {
    const bytes = writeMetaGraph(exportMetaGraph({ graph: sampleGraph().graph }));
    const graph = new Graph();
    const { scope } = importMetaGraph(bytes, { graph, importScope: 'model' });
    expect(scope).toBe('model/');
    expect(graph.getCollection('losses')).toEqual([graph.getTensorByName('model/dense/out:0')]);
    expect((graph.getCollection('variables')[0] as Variable).name).toBe('model/dense/kernel:0');
  });

  test('values without a form in files', () => {
    const graph = new Graph();
    graph.addToCollection('things', { a: 1 });
    graph.addToCollection('__private', { a: 1 });
    expect(() => exportMetaGraph({ graph })).toThrow('collection "things" cannot be written');
    const skipped: string[] = [];
    const meta = exportMetaGraph({ graph, onUnsupported: (key) => skipped.push(key) });
    expect([skipped, meta.collectionDef?.size]).toEqual([['things'], 0]);
  });

  test('a codec gives values of other classes a form', () => {
    const graph = new Graph();
    const date = new Date(5);
    graph.addToCollection('dates', date);
    const codec = {
      keys: new Set(['dates']),
      toProto: (value: unknown) => (value instanceof Date ? toBytes(String(value.getTime())) : undefined),
      fromProto: (bytes: Uint8Array) => new Date(Number(Buffer.from(bytes).toString())),
    };
    const bytes = writeMetaGraph(exportMetaGraph({ graph, codecs: [codec] }));
    const copy = new Graph();
    importMetaGraph(bytes, { graph: copy, codecs: [codec] });
    expect(copy.getCollection('dates')).toEqual([date]);
  });

  test('a collection that names a missing node', () => {
    const bytes = proto.encode('MetaGraphDef', {
      graphDef: { node: [{ name: 'a', op: 'NoOp' }] },
      collectionDef: new Map([['train_op', { nodeList: { value: ['b'] } }]]),
    });
    expect(() => importMetaGraph(bytes, { graph: new Graph() })).toThrow(
      'collection "train_op": the graph has no operation "b"',
    );
  });
});

describe('SavedModel', () => {
  const meta = (tag: string): proto.Init<proto.MetaGraphDef> => ({
    metaInfoDef: { tags: [tag] },
    graphDef: { node: [{ name: tag, op: 'NoOp' }] },
  });
  const one = { savedModelSchemaVersion: 1, metaGraphs: [meta('serve')] };
  const two = { savedModelSchemaVersion: 1, metaGraphs: [meta('serve'), meta('train')] };

  test.each(ENCODINGS)('%s: the only graph, or the one with the tags', (encoding) => {
    expect(readGraphDef(writeSavedModel(one, encoding)).node[0]?.name).toBe('serve');
    expect(readGraphDef(writeSavedModel(two, encoding), { tags: ['train'] }).node[0]?.name).toBe('train');
  });

  test('several graphs without tags', () => {
    expect(() => readGraphDef(writeSavedModel(two))).toThrow(
      new InvalidArgumentError(
        'the SavedModel holds 2 graphs, with the tags [serve], [train]; give the tags of one',
      ),
    );
    const file = readGraphFile(writeSavedModel(two));
    if (file.kind !== 'SavedModel') throw new Error(file.kind);
    expect(() => selectMetaGraph(file.savedModel, ['gpu'])).toThrow('wanted [gpu]');
  });

  test('its only graph is imported with its collections', () => {
    const graph = new Graph();
    importMetaGraph(writeSavedModel(one), { graph });
    expect(graph.operations.map((op) => op.name)).toEqual(['serve']);
  });
});

describe('kinds of files', () => {
  const { graph } = sampleGraph();
  const meta = exportMetaGraph({ graph });
  const saved = { savedModelSchemaVersion: 1, metaGraphs: [meta] };
  test.each([
    ['GraphDef', writeGraphDef(graph)],
    ['GraphDef text', writeGraphDef(graph, 'pbtxt')],
    ['JSON', writeGraphDef(graph, 'json')],
    ['MetaGraphDef', writeMetaGraph(meta)],
    ['MetaGraphDef', writeMetaGraph({ graphDef: graphToGraphDef(graph) })],
    ['MetaGraphDef text', writeMetaGraph(meta, 'pbtxt')],
    ['SavedModel', writeSavedModel(saved)],
    ['SavedModel text', writeSavedModel(saved, 'pbtxt')],
    ['checkpoint index', encodeBundle([]).index],
    ['checkpoint state', toBytes('model_checkpoint_path: "a"')],
    ['TFRecord', Uint8Array.from(Buffer.from('0300000000000000b099490e6162636e57f121', 'hex'))],
    ['GraphDef', proto.encode('GraphDef', { library: { function: [{ signature: { name: 'f' } }] } })],
    ['GraphDef', proto.encode('GraphDef', { versions: { producer: 1 } })],
    ['GraphDef text', toBytes('# comment\n\nversions { producer: 5 }\n')],
    ['unknown', Uint8Array.of(0x89, 0x50, 0x4e, 0x47)],
    ['unknown', toBytes('hello world')],
  ] as const)('%s', (format, bytes) => {
    expect(detectFormat(bytes)).toBe(format);
  });

  test('other files are refused with what they seem to be', () => {
    expect(() => readGraphDef(encodeBundle([]).index)).toThrow(
      new InvalidArgumentError('not a graph file: it looks like a checkpoint index file'),
    );
    expect(() => readGraphDef(Uint8Array.of(0x89, 0x50))).toThrow('not a graph file: it has no known format');
    expect(() => readGraphDef(toBytes('{"node": ['))).toThrow('not a graph file: malformed JSON');
    expect(() => readGraphDef(toBytes('node { nam: "x" }'))).toThrow('line 1, column 8');
    expect(describeContent(new Uint8Array(0))).toBe('is empty');
  });

  test('a truncated graph says where, at any length', () => {
    const bytes = writeGraphDef(graph);
    for (let end = 1; end < bytes.length; end += 3) {
      try {
        readGraphDef(bytes.subarray(0, end));
      } catch (error) {
        expect(error).toBeInstanceOf(DataLossError);
      }
    }
    expect(() => readGraphDef(bytes.subarray(0, bytes.length - 1))).toThrow(/^GraphDef: .* at byte \d+$/);
  });

  test('the topology of a tfjs graph model', () => {
    const json = {
      format: 'graph-model',
      modelTopology: {
        node: [
          {
            name: 'x',
            op: 'Placeholder',
            attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim: [{ size: '-1' }] } } },
          },
        ],
        library: {},
        versions: { producer: 808 },
      },
      weightsManifest: [],
    };
    const copy = load(toBytes(JSON.stringify(json)));
    expect(copy.getTensorByName('x:0').shape.toString()).toBe('[?]');
  });
});

describe('golden files', () => {
  // Files that this version wrote: later versions must read them and write them again as they are.
  test.each([
    ['graph.pb', () => writeGraphDef(sampleGraph().graph)],
    ['graph.pbtxt', () => writeGraphDef(sampleGraph().graph, 'pbtxt')],
    ['graph.json', () => writeGraphDef(sampleGraph().graph, 'json')],
    ['graph.meta', () => writeMetaGraph(exportMetaGraph({ graph: sampleGraph().graph }))],
    ['saved_model.pb', () => writeSavedModel(sampleSavedModel())],
    ['saved_model.pbtxt', () => writeSavedModel(sampleSavedModel(), 'pbtxt')],
    ['tfjs/model.json', () => toBytes(tfjs.modelJson)],
    ['tfjs/group1-shard1of1.bin', () => tfjs.shards[0]?.bytes ?? new Uint8Array(0)],
    ['model.index', () => encodeBundle(checkpoint).index],
    ['model.data-00000-of-00001', () => encodeBundle(checkpoint).data[0] ?? new Uint8Array(0)],
  ])('%s', (name, write) => {
    if (process.env.FORERUN_UPDATE_GOLDENS === '1' && !existsSync(GOLDEN + name))
      writeFileSync(GOLDEN + name, write());
    expect(hex(write())).toBe(hex(readFileSync(GOLDEN + name)));
  });
  const tfjs = writeTfjsGraphModel(frozenGraph());
  const checkpoint = [
    {
      name: 'dense/kernel',
      value: toTensorValue([
        [1, 2],
        [3, 4],
        [5, 6],
      ]),
    },
    { name: 'global_step', value: toTensorValue(7n, 'int64') },
    { name: 'labels', value: toTensorValue(['a', 'ü']) },
  ];

  test('a model of TensorFlow.js is read', async () => {
    const text = readFileSync(`${GOLDEN}tfjs/model.json`, 'utf8');
    const model = await readTfjsGraphModel(text, (path) =>
      Promise.resolve(readFileSync(`${GOLDEN}tfjs/${path}`)),
    );
    expect(hex(writeGraphDef(graphOfTfjsModel(model)))).toBe(hex(writeGraphDef(frozenGraph())));
  });

  test.each(['saved_model.pb', 'saved_model.pbtxt'])('%s is read', (name) => {
    const file = readGraphFile(readFileSync(GOLDEN + name));
    if (file.kind !== 'SavedModel') throw new Error(file.kind);
    const { metaInfoDef, signatureDef } = selectMetaGraph(file.savedModel, ['serve']);
    expect(metaInfoDef?.tags).toEqual(['serve']);
    expect(signatureDef.get('serving_default')?.outputs.get('out')?.name).toBe('dense/out:0');
  });

  test.each(['graph.pb', 'graph.pbtxt', 'graph.json'])('%s is read', (name) => {
    const { graph } = sampleGraph();
    expect(load(readFileSync(GOLDEN + name)).operations.map(describe_)).toEqual(
      graph.operations.map(describe_),
    );
  });
});

if (hasProtoc) {
  test('protoc reads what is written', () => {
    const { graph } = sampleGraph();
    const bytes = writeGraphDef(graph);
    expect(hex(proto.encode('GraphDef', proto.fromText('GraphDef', protocDecode('GraphDef', bytes))))).toBe(
      hex(bytes),
    );
    const meta = writeMetaGraph(exportMetaGraph({ graph }));
    expect(protocDecode('MetaGraphDef', meta)).toContain('key: "trainable_variables"');
    const saved = writeSavedModel(sampleSavedModel());
    expect(
      hex(proto.encode('SavedModel', proto.fromText('SavedModel', protocDecode('SavedModel', saved)))),
    ).toBe(hex(saved));
  });
}
