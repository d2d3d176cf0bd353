/** Graph models of TensorFlow.js: written and read again, files of others, and what is refused. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  add,
  constant,
  Graph,
  graphOfTfjsModel,
  InvalidArgumentError,
  matMul,
  openTfjsGraphModel,
  placeholder,
  proto,
  readTfjsGraphModel,
  TensorValue,
  Variable,
  modelJsonOfOldForm,
  writeTfjsGraphModel,
  type ImportOptions,
  type TfjsGraphModel,
  type WriteGraphModelOptions,
  type WrittenGraphModel,
} from '@forerun/graph';

const WEIGHTS = Float32Array.from({ length: 2048 }, (_, i) => Math.sin(i) * 3);

const SIGNATURE = {
  inputs: new Map([['x', { name: 'x:0', dtype: 1 }]]),
  outputs: new Map([['y', { name: 'y:0', dtype: 1 }]]),
};

function read({ modelJson, shards }: WrittenGraphModel): Promise<TfjsGraphModel> {
  const files = new Map(shards.map(({ path, bytes }) => [path, bytes]));
  return readTfjsGraphModel(modelJson, (path) => Promise.resolve(files.get(path) ?? new Uint8Array(0)));
}

async function roundTrip(options: WriteGraphModelOptions = {}): Promise<Graph> {
  return graphOfTfjsModel(await read(writeTfjsGraphModel(sampleGraph(), options)));
}

/** x w + 1, and constants of other dtypes. */
function sampleGraph(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 64], { name: 'x' });
    const w = constant(new TensorValue('float32', [64, 32], WEIGHTS), { name: 'w' });
    add(matMul(x, w), 1, { name: 'y' });
    constant(new TensorValue('int64', [2], BigInt64Array.of(-5n, 7n)), { name: 'counts' });
    constant(['a', 'längere'], { name: 'text' });
    constant([true, false], { name: 'flags' });
    constant(new TensorValue('uint8', [3], Uint8Array.of(0, 128, 255)), { name: 'bytes' });
  });
  return graph;
}

function valueOf(graph: Graph, name: string): TensorValue {
  return graph.getOperationByName(name).attrs.tensor('value');
}

describe('graph models of TensorFlow.js', () => {
  it('give the same graph again, byte for byte', async () => {
    const before = sampleGraph().toGraphDef();
    const after = (await roundTrip()).toGraphDef();
    expect(proto.encode('GraphDef', after)).toEqual(proto.encode('GraphDef', before));
  });

  it.each([1, 7, 4096, 100_000])('cut weights into files of %i bytes and join them', async (shardBytes) => {
    const graph = sampleGraph();
    const written = writeTfjsGraphModel(graph, { shardBytes });
    const total = written.shards.reduce((sum, { bytes }) => sum + bytes.length, 0);
    expect(written.shards.length).toBe(Math.ceil(total / shardBytes));
    if (shardBytes === 1) return;
    expect(valueOf(graphOfTfjsModel(await read(written)), 'w').data).toEqual(WEIGHTS);
  });

  it('are read in the form before TensorFlow.js 1: a GraphDef and a manifest', async () => {
    const { modelJson, shards } = writeTfjsGraphModel(sampleGraph(), { shardBytes: 4000 });
    const model = JSON.parse(modelJson) as { modelTopology: proto.Json; weightsManifest: unknown };
    const pb = proto.encode('GraphDef', proto.fromJson('GraphDef', model.modelTopology));
    const manifest = new TextEncoder().encode(JSON.stringify(model.weightsManifest));
    const files = new Map(shards.map(({ path, bytes }) => [path, bytes]));
    const readShard = (path: string): Promise<Uint8Array> => Promise.resolve(files.get(path) ?? pb);
    const graph = graphOfTfjsModel(await readTfjsGraphModel(modelJsonOfOldForm(pb, manifest), readShard));
    expect(valueOf(graph, 'w').data).toEqual(WEIGHTS);
    expect(graph.getTensorByName('y:0').shape.toString()).toBe('[?,32]');
    expect(() => modelJsonOfOldForm(pb, manifest.subarray(0, 9))).toThrow(
      /weights_manifest.json: malformed JSON/,
    );
    expect(() => modelJsonOfOldForm(pb.subarray(0, 30), manifest)).toThrow(/GraphDef/);
  });

  it.each([
    ['float16', 2 ** -10],
    ['uint8', 6 / 255 / 2 / 3 + 1e-6],
    ['uint16', 6 / 65535 / 2 / 3 + 1e-6],
  ] as const)('quantized to %s keep weights within the step', async (quantization, relative) => {
    const { data } = valueOf(await roundTrip({ quantization }), 'w');
    const worst = Math.max(...WEIGHTS.map((x, i) => Math.abs(Number(data[i]) - x)));
    expect(worst).toBeGreaterThan(0);
    expect(worst).toBeLessThanOrEqual(3 * relative);
  });

  it('hold their weights where they were read, uncopied', async () => {
    const { modelJson, shards } = writeTfjsGraphModel(sampleGraph());
    const [shard] = shards;
    const bytes = shard?.bytes.slice() ?? new Uint8Array(0);
    const graph = graphOfTfjsModel(await readTfjsGraphModel(modelJson, () => Promise.resolve(bytes)));
    const { data } = valueOf(graph, 'w');
    expect(data).toEqual(WEIGHTS);
    expect((data as Float32Array).buffer).toBe(bytes.buffer);
  });

  it('read weights that do not lie as arrays want them', async () => {
    const { modelJson, shards } = writeTfjsGraphModel(sampleGraph());
    const bytes = shards[0]?.bytes ?? new Uint8Array(0);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    const read = () => Promise.resolve(moved.subarray(1));
    const graph = graphOfTfjsModel(await readTfjsGraphModel(modelJson, read));
    expect(valueOf(graph, 'w').data).toEqual(WEIGHTS);
  });

  it('quantize zero to zero', () => {
    const graph = new Graph();
    graph.asDefault(() => constant([-1.3, 0, 2.9], { name: 'w' }));
    const { modelJson, shards } = writeTfjsGraphModel(graph, { quantization: 'uint8', minQuantized: 1 });
    const manifest = JSON.parse(modelJson) as {
      weightsManifest: { weights: { quantization: { scale: number; min: number } }[] }[];
    };
    const { scale = 0, min = NaN } = manifest.weightsManifest[0]?.weights[0]?.quantization ?? {};
    expect((shards[0]?.bytes[1] ?? NaN) * scale + min).toBeCloseTo(0, 12);
  });

  it('keep the signature and the metadata', async () => {
    const written = writeTfjsGraphModel(sampleGraph(), {
      signature: SIGNATURE,
      userDefinedMetadata: { labels: ['a'] },
    });
    const model = await read(written);
    expect(model.signature.outputs.get('y')?.name).toBe('y:0');
    expect(model.userDefinedMetadata).toEqual({ labels: ['a'] });
  });

  it('with a signature of outputs alone take placeholders for inputs', async () => {
    const written = writeTfjsGraphModel(sampleGraph());
    const signature = { outputs: { result: { name: 'y' } } };
    const modelJson = JSON.stringify({ ...(JSON.parse(written.modelJson) as object), signature });
    const model = await read({ ...written, modelJson });
    expect([...model.signature.inputs.keys()]).toEqual(['x']);
    expect([...model.signature.outputs.keys()]).toEqual(['result']);
  });

  it('without a signature take placeholders for inputs and unused results for outputs', async () => {
    const { signature } = await read(writeTfjsGraphModel(sampleGraph()));
    expect([...signature.inputs.keys()]).toEqual(['x']);
    expect([...signature.outputs.keys()]).toEqual(['y']);
  });

  it('refuse variables, naming them', () => {
    const graph = new Graph();
    graph.asDefault(() => new Variable([1, 2], { name: 'weights' }));
    expect(() => writeTfjsGraphModel(graph)).toThrow(/no variables: freeze "weights"/);
  });

  it('refuse integers beyond int32, naming the node and the element', () => {
    const graph = new Graph();
    graph.asDefault(() =>
      constant(new TensorValue('int64', [2], BigInt64Array.of(1n, 2n ** 40n)), { name: 'big' }),
    );
    expect(() => writeTfjsGraphModel(graph)).toThrow(/Const "big": element 1 is 1099511627776/);
  });
});

/** `modelJson` straight into a graph. */
async function opened(
  modelJson: string,
  readShard: (path: string) => Uint8Array,
  options: Partial<ImportOptions> = {},
): Promise<Graph> {
  const graph = new Graph();
  const model = await openTfjsGraphModel(modelJson, (path) => Promise.resolve(readShard(path)));
  model.importInto({ graph, ...options });
  return graph;
}

/** Compared at once: matchers take minutes for megabytes. */
function bytesOfGraph(graph: Graph): string {
  return createHash('sha256').update(proto.encode('GraphDef', graph.toGraphDef())).digest('hex');
}

const MODELS = fileURLToPath(new URL('../../../../node_modules/@vladmandic/human/models/', import.meta.url));

describe('a model straight into a graph', () => {
  it.each(['iris', 'handtrack', 'movenet-lightning', 'liveness'])(
    'is the one of messages: %s',
    async (name) => {
      const text = readFileSync(`${MODELS}${name}.json`, 'utf8');
      const weights = new Uint8Array(readFileSync(`${MODELS}${name}.bin`));
      const wanted = graphOfTfjsModel(await readTfjsGraphModel(text, () => Promise.resolve(weights)));
      const graph = await opened(text, () => weights, { deferShapes: true });
      expect(bytesOfGraph(graph)).toEqual(bytesOfGraph(wanted));
      const shapes = ({ operations }: Graph): string[] =>
        operations.flatMap(({ outputs }) => outputs.map(({ name, shape }) => `${name} ${shape.toString()}`));
      expect(shapes(graph)).toEqual(shapes(wanted));
    },
  );

  it('is the one of messages, with constants of all dtypes and weights in the graph itself', async () => {
    const { modelJson, shards } = writeTfjsGraphModel(sampleGraph(), { quantization: 'float16' });
    const [shard] = shards;
    const bytes = shard?.bytes ?? new Uint8Array(0);
    const wanted = graphOfTfjsModel(await readTfjsGraphModel(modelJson, () => Promise.resolve(bytes)));
    expect(bytesOfGraph(await opened(modelJson, () => bytes))).toEqual(bytesOfGraph(wanted));
    const inline = withNodes([constNode('DT_INT32', { tensorContent: 'BwAAAA==' })], []);
    expect(valueOf(await opened(inline, () => new Uint8Array(0)), 'c').toArray()).toEqual([7]);
  });

  // prettier-ignore
  it.each([
    { i: '-7' }, { i: 12 }, { i: '9007199254740993' }, { i: '-0' },
    { f: 0.1 }, { f: 'NaN' }, { f: '-Infinity' }, { b: true }, { s: 'U0FNRQ==' }, { s: '_w' }, { s: [65, 66] }, { s: 'w6Q' },
    { type: 'DT_BFLOAT16' }, { type: 3 }, { placeholder: 'T' }, { func: { name: 'f' } },
    { shape: {} }, { shape: { dim: [{ size: '-1' }, { size: 3 }] } }, { shape: { unknownRank: true } }, { shape: { dim: [{ size: 2, name: 'batch' }] } },
    { list: {} }, { list: { i: [] } }, { list: { i: ['1', 2] } }, { list: { s: ['QQ==', 'Ug=='] } }, { list: { s: {} } },
    { list: { f: [0.5] } }, { list: { type: ['DT_INT32'] } }, { list: { i: ['9007199254740993'] } }, { list: { shape: [{ dim: [{ size: '4' }] }] } },
  ])('has attributes as messages have them: %j', async (value) => {
    const x = { name: 'x', op: 'NotKnownHere', attr: { _value: value } };
    const signature = { inputs: {}, outputs: { y: { name: 'x:0', dtype: 'DT_INT32', tensorShape: {} } } };
    const json = withNodes([x], [], { signature });
    const none = (): Promise<Uint8Array> => Promise.resolve(new Uint8Array(0));
    const wanted = await readTfjsGraphModel(json, none);
    const { signature: plain, importInto } = await openTfjsGraphModel(json, none);
    expect(plain).toEqual(wanted.signature);
    const graph = new Graph();
    importInto({ graph });
    expect(bytesOfGraph(graph)).toEqual(bytesOfGraph(graphOfTfjsModel(wanted)));
  });

  it('keeps the sign of a zero', async () => {
    const leaky = (name: string, alpha: number): object => ({
      name,
      op: 'LeakyRelu',
      input: ['x'],
      attr: { T: { type: 'DT_FLOAT' }, alpha: { f: alpha } },
    });
    const x = { name: 'x', op: 'Placeholder', attr: { dtype: { type: 'DT_FLOAT' } } };
    const json = withNodes([x, leaky('a', 0), leaky('b', 1)], []).replace('"f":1', '"f":-0');
    const graph = await opened(json, () => new Uint8Array(0));
    const alpha = (name: string): number => graph.getOperationByName(name).attrs.float('alpha');
    expect([alpha('a'), alpha('b')]).toEqual([0, -0]);
  });

  it.each([
    [{ attr: { dtype: { type: 'DT_FLOT' } } }, /GraphDef\.node\[0\]\.attr\["dtype"\]\.type: .*DT_FLOT/],
    [{ attr: { dtype: {} } }, /Placeholder "p": attribute "dtype": it has no value/],
    [{ attr: { dtype: null } }, /node\[0\]\.attr\["dtype"\]: expected an object, found null/],
    [{ attr: [] }, /node\[0\]\.attr: expected an object, found a list/],
    [{ input: [5] }, /node\[0\]\.input\[0\]: expected a string, found 5/],
    [{ inputs: [] }, /NodeDef has no field "inputs"; did you mean "input"/],
    [{ input: ['q'] }, /input "q" names a node that is not in the graph/],
  ])('is refused with the node %j', async (more, message) => {
    const json = withNodes([{ name: 'p', op: 'Placeholder', ...more }], []);
    const loading = opened(json, () => new Uint8Array(0));
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(InvalidArgumentError);
  });

  it('names a node whose inputs do not fit when its shape is asked for, each time', async () => {
    const json = withNodes(
      [
        constNode('DT_FLOAT'),
        { name: 'bad', op: 'MatMul', input: ['c', 'c'], attr: { T: { type: 'DT_FLOAT' } } },
        { name: 'after', op: 'Relu', input: ['bad'], attr: { T: { type: 'DT_FLOAT' } } },
      ],
      group(),
    );
    const readShard = (): Uint8Array => new Uint8Array(12);
    await expect(opened(json, readShard)).rejects.toThrow(/MatMul "bad": .*rank 2, got shape \[3\]/);
    const graph = await opened(json, readShard, { deferShapes: true });
    const after = graph.getTensorByName('after:0');
    for (let i = 0; i < 2; i++) expect(() => after.shape).toThrow(/MatMul "bad": .*rank 2, got shape \[3\]/);
    expect(graph.getTensorByName('c:0').shape.dims).toEqual([3]);
  });

  it('infers long chains', async () => {
    const chain = Array.from({ length: 20_000 }, (_, i) => ({
      name: `n${i}`,
      op: 'Relu',
      input: [i === 0 ? 'c' : `n${i - 1}`],
      attr: { T: { type: 'DT_FLOAT' } },
    }));
    const json = withNodes([constNode('DT_FLOAT'), ...chain], group());
    const graph = await opened(json, () => new Uint8Array(12), { deferShapes: true });
    expect(graph.getTensorByName('n19999:0').shape.dims).toEqual([3]);
  });
});

function constNode(dtype: string, tensor: object = {}): object {
  const size = 'tensorContent' in tensor ? '1' : '3';
  const value = { tensor: { dtype, tensorShape: { dim: [{ size }] }, ...tensor } };
  return { name: 'c', op: 'Const', attr: { dtype: { type: dtype }, value } };
}

function withNodes(node: readonly object[], weights: unknown, more: object = {}): string {
  return JSON.stringify({
    format: 'graph-model',
    modelTopology: { node },
    weightsManifest: weights,
    ...more,
  });
}

/** A model of one constant, as TensorFlow.js' converter writes it. */
function modelJson(weights: unknown, more: object = {}): string {
  const node = [
    {
      name: 'c',
      op: 'Const',
      attr: {
        dtype: { type: 'DT_FLOAT' },
        value: { tensor: { dtype: 'DT_FLOAT', tensorShape: { dim: [{ size: '3' }] } } },
      },
    },
  ];
  return JSON.stringify({
    format: 'graph-model',
    modelTopology: { node, library: {}, versions: { producer: 440 } },
    weightsManifest: weights,
    ...more,
  });
}

const WEIGHT = { name: 'c', shape: [3], dtype: 'float32' };
const group = (weight: object = {}, paths: unknown = ['a.bin']): unknown => [
  { paths, weights: [{ ...WEIGHT, ...weight }] },
];

function load(json: string, bytes: Uint8Array = new Uint8Array(12)): Promise<TfjsGraphModel> {
  return readTfjsGraphModel(json, () => Promise.resolve(bytes));
}

describe('a model.json', () => {
  it('is read with weights in 8 bits', async () => {
    const json = modelJson(group({ quantization: { dtype: 'uint8', scale: 0.5, min: -1 } }));
    const graph = graphOfTfjsModel(await load(json, Uint8Array.of(0, 3, 255)));
    expect(valueOf(graph, 'c').toArray()).toEqual([-1, 0.5, 126.5]);
  });

  it('is read with weights in half precision', async () => {
    const json = modelJson(group({ quantization: { dtype: 'float16' } }));
    const halves = Uint16Array.of(0x3c00, 0xc100, 0x0001);
    const rest = Uint16Array.of(0xfc00, 0x8000, 0xfbff);
    const graph = graphOfTfjsModel(await load(json, new Uint8Array(halves.buffer)));
    expect(valueOf(graph, 'c').toArray()).toEqual([1, -2.5, 2 ** -24]);
    const others = graphOfTfjsModel(await load(json, new Uint8Array(rest.buffer)));
    expect(valueOf(others, 'c').toArray()).toEqual([-Infinity, -0, -65504]);
  });

  it.each([
    ['malformed JSON', '{"format":', /model\.json: malformed JSON/],
    ['a list', '[]', /expected an object, found a list/],
    ['no topology', '{}', /there is no modelTopology/],
    [
      'another format',
      modelJson([], { format: 'saved-model' }),
      /format: must be "graph-model" or "layers-model"/,
    ],
    ['a layers model', JSON.stringify({ format: 'layers-model', modelTopology: {} }), /holds a layers model/],
    ['no weight for a constant', modelJson([]), /no value for the constant "c"/],
    ['a weight too many', modelJson(group({ name: 'd' })), /no value for the constant "c"/],
    [
      'an unknown dtype',
      modelJson(group({ dtype: 'float8' })),
      /weights\[0\] "c": dtype must be one of .*"float8"/,
    ],
    ['a negative size', modelJson(group({ shape: [-3] })), /shape must be whole numbers from 0, got \[-3\]/],
    [
      'a quantized bool',
      modelJson(group({ dtype: 'bool', quantization: { dtype: 'uint8' } })),
      /bool cannot be quantized/,
    ],
    ['paths that are no list', modelJson(group({}, 'a.bin')), /paths: expected a list, found string/],
    [
      'an initializer that computes',
      modelJson(group(), { modelInitializer: { node: [{ name: 'n', op: 'Print' }] } }),
      /modelInitializer: Print "n" cannot be run: an initializer fills tables from constants/,
    ],
    [
      'a table that is filled with something unknown',
      modelJson(group(), {
        modelInitializer: { node: [{ name: 'i', op: 'LookupTableImportV2', input: ['t', 'k', 'v'] }] },
      }),
      /modelInitializer: "i" takes "k", which is no constant/,
    ],
  ])('with %s is refused', async (_, json, message) => {
    await expect(load(json)).rejects.toThrow(message);
    await expect(load(json)).rejects.toThrow(InvalidArgumentError);
  });

  it.each([
    '../a.bin',
    '/etc/passwd',
    'a/../../b',
    'C:\\a.bin',
    'https://example.org/a.bin',
    '..\\a.bin',
    '',
    'a\u0000b',
    '.',
  ])('with the weight file %j is refused', async (path) => {
    await expect(load(modelJson(group({}, [path])))).rejects.toThrow(
      /must be a relative path that stays inside/,
    );
  });

  it('may have weight files in directories below its own', async () => {
    const asked: string[] = [];
    await readTfjsGraphModel(modelJson(group({}, ['./weights//x/../a.bin'])), (path) => {
      asked.push(path);
      return Promise.resolve(new Uint8Array(12));
    });
    expect(asked).toEqual(['weights/a.bin']);
  });

  it.each([
    [11, {}, /hold 11 bytes, but "c" of shape \[3\] takes 12 from byte 0 on/],
    [13, {}, /hold 13 bytes, of which the weights take 12/],
    [12, { shape: [2 ** 40] }, /takes 4398046511104 from byte 0 on/],
    [12, { shape: [2 ** 50], dtype: 'string' }, /hold 12 bytes, but "c"/],
  ])('with %i bytes of weights %j is damaged', async (length, weight, message) => {
    const loading = load(modelJson(group(weight)), new Uint8Array(length));
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toMatchObject({ code: 'DATA_LOSS' });
  });
});
