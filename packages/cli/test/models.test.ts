/** Models of other frameworks on the command line, and `convert` between all forms of graphs and values. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  encodeBundle,
  Graph,
  matMul,
  placeholder,
  proto,
  TensorValue,
  toTensorValue,
  Variable,
  writeGraphDef,
  zeros,
} from '@forerun/graph';
import { writeSafetensors } from '@forerun/formats';
import { writeGraph } from '@forerun/session';
import type { GraphReport } from '../src/graphReport.js';
import type { ModelReport } from '../src/modelReport.js';
import { misfits, SCHEMAS } from './schema.js';
import {
  buildFrozen,
  buildNetwork,
  Folder,
  forerun,
  forerunJson,
  GOLDEN,
  writeNetworkCheckpoint,
} from './support.js';

const LAYERS = resolve(import.meta.dirname, '../../session/test/fixtures/layers');
const folder = new Folder();
let network: string;
let frozen: string;
let checkpoint: string;

beforeAll(() => {
  network = folder.write('network.pb', writeGraphDef(buildNetwork()));
  frozen = folder.write('frozen.pb', writeGraphDef(buildFrozen()));
  checkpoint = writeNetworkCheckpoint(folder, 'network.ckpt');
});
afterAll(() => folder.remove());

/** The mode of a `Resize` whose weights are computed when the model is read. */
const CUBIC = { name: 'mode', type: 3, s: new TextEncoder().encode('cubic') };

/** Converts, which must go well, and returns the new path. */
async function converted(from: string, to: string, ...options: string[]): Promise<string> {
  expect(await forerun(['convert', from, folder.at(to), ...options])).toMatchObject({ code: 0, err: '' });
  return folder.at(to);
}

describe('ONNX', () => {
  test('inspect: operator set, signature, its own ops and ours, cost', async () => {
    const path = await converted(frozen, 'model.onnx');
    const report = await forerunJson<GraphReport>('inspect', path, '--shape', 'x=10,3');
    expect(misfits(report, SCHEMAS.inspect)).toEqual([]);
    expect(report).toMatchObject({
      format: 'ONNX',
      origin: {
        facts: { 'operator set': '18', 'IR version': 8, 'made by': 'forerun' },
        types: expect.arrayContaining([{ type: 'MatMul', nodes: 1, supported: true }]) as unknown,
      },
      signatures: [{ outputs: [{ key: 'product', dtype: 'float32', shape: [null, 2] }] }],
      inputs: [{ name: 'x', shape: [null, 3] }],
      parameters: { total: { parameters: 6, bytes: 24 } },
    });
    expect(report.cost.runs[0]?.flops).toBe(2 * 10 * 2 * 3);
    const { out } = await forerun(['inspect', path]);
    expect(out).toMatch(/model\.onnx: ONNX, [\d.]+ \w+\n.*operator set 18, IR version 8, made by forerun\n/);
    expect(out).toMatch(/ONNX ops {2}\d of \d types?; all are known/);
  });

  test('a model with ops that are not known is reported all the same, and refused elsewhere', async () => {
    const node = (opType: string, input: string[], output: string, domain = ''): proto.Init<proto.onnxNodeProto> => ({
      opType, input, output: [output], name: output, domain,
    }); // prettier-ignore
    const info = (name: string, dims: number[]): proto.Init<proto.onnxValueInfoProto> => ({
      name,
      type: { tensorType: { elemType: 1, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
    });
    const graph = {
      node: [
        node('Relu', ['x'], 'a'),
        node('ImageDecoder', ['a'], 'b'),
        node('Gelu', ['b'], 'c', 'com.microsoft'),
      ],
      initializer: [{ name: 'w', dataType: 1, dims: [2, 3], rawData: new Uint8Array(24) }],
      input: [info('x', [4, 4])],
      output: [info('c', [])],
    };
    const model = proto.encode('onnx.ModelProto', { irVersion: 8, opsetImport: [{ version: 17 }], graph });
    const path = folder.write('odd.onnx', model);
    const report = await forerunJson<ModelReport>('inspect', path);
    expect(misfits(report, SCHEMAS.inspectModel)).toEqual([]);
    expect(report).toMatchObject({
      kind: 'model',
      inputs: [{ name: 'x', dtype: 'float32', shape: [4, 4] }],
      parameters: { count: 1, parameters: 6, bytes: 24 },
      unsupported: [
        { type: 'ImageDecoder', nodes: 1 },
        { type: 'com.microsoft.Gelu', nodes: 1 },
      ],
    });
    const { code, out } = await forerun(['inspect', path]);
    expect([code, out]).toEqual([0, expect.stringMatching(/ONNX ops {2}3 of 3 types; 2 of them not known/)]);
    expect(out).toMatch(/ImageDecoder +1 +not known/);
    const { code: refused, err } = await forerun(['tree', path]);
    expect([refused, err]).toEqual([
      1,
      expect.stringContaining('  ImageDecoder: b\n  com.microsoft.Gelu: c'),
    ]);
  });

  test('damaged models say so', async () => {
    const bytes = readFileSync(await converted(frozen, 'whole.onnx'));
    const { code, err } = await forerun([
      'inspect',
      folder.write('cut.onnx', bytes.subarray(0, bytes.length - 9)),
    ]);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^forerun: .*cut\.onnx: .*onnx\.ModelProto: .* at byte/),
    ]);
  });

  test('a model that asks for sizes which it leaves open is read with the shapes that are given', async () => {
    const dims = [{ dimParam: 'n' }, { dimValue: 2 }, { dimParam: 'h' }, { dimParam: 'w' }];
    const model = proto.encode('onnx.ModelProto', {
      irVersion: 8,
      opsetImport: [{ version: 17 }],
      graph: {
        name: 'open',
        node: [{ opType: 'Resize', name: 'up', input: ['x', '', 's'], output: ['y'], attribute: [CUBIC] }],
        initializer: [{ name: 's', dataType: 1, dims: [4], floatData: [1, 1, 2, 2] }],
        input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim: dims } } } }],
        output: [{ name: 'y' }],
      },
    });
    const path = folder.write('open.onnx', model);
    const { out } = await forerun(['inspect', path]);
    expect(out).toMatch(/needs sizes that are known[^]*Shapes of its inputs may help: --shape NAME=DIM/);
    const report = await forerunJson<GraphReport>('inspect', path, '--shape', 'x=1,2,3,4');
    expect(JSON.stringify(report)).toContain('[1,2,6,8]');
  });
});

describe('TensorFlow.js', () => {
  test('a graph model, by its file or directory', async () => {
    for (const path of [`${GOLDEN}/tfjs`, `${GOLDEN}/tfjs/model.json`]) {
      const report = await forerunJson<GraphReport>('inspect', path);
      expect(misfits(report, SCHEMAS.inspect)).toEqual([]);
      expect(report).toMatchObject({ format: 'tfjs graph model', origin: { facts: { 'weight files': 1 } } });
      expect(report.signatures).toHaveLength(1);
    }
  });

  test.each(['sequential', 'functional'])('a %s layers model', async (name) => {
    const report = await forerunJson<GraphReport>('inspect', `${LAYERS}/${name}`);
    expect(report).toMatchObject({
      format: 'tfjs layers model',
      origin: { what: 'Layers' },
      unsupported: [],
    });
    const layers = report.origin?.types ?? [];
    expect(layers.map(({ type }) => type)).toContain('Dense');
    expect(layers.every(({ supported }) => supported)).toBe(true);
    expect(report.parameters.total.parameters).toBeGreaterThan(0);
    expect(report.cost.runs[0]?.uncounted).toEqual([]);
  });

  test('layers that are not known are listed, all of them', async () => {
    const layer = (type: string, name: string, config: object): object => ({ class_name: type, config: { name, ...config } }); // prettier-ignore
    const layers = [
      layer('InputLayer', 'in', { batch_input_shape: [null, 5, 2] }),
      layer('Wavelet', 'first', {}),
      layer('Fourier', 'second', {}),
    ];
    const modelTopology = { class_name: 'Sequential', config: { layers } };
    const path = folder.write('odd/model.json', JSON.stringify({ format: 'layers-model', modelTopology }));
    const report = await forerunJson<ModelReport>('inspect', path);
    expect(report).toMatchObject({ kind: 'model', unsupported: [{ type: 'Fourier' }, { type: 'Wavelet' }] });
    expect((await forerun(['ops', path])).err).toContain(
      'layer "first": Wavelet, layer "second": Fourier are not known',
    );
  });

  test('weights that are missing', async () => {
    cpSync(`${GOLDEN}/tfjs`, folder.at('torn'), { recursive: true });
    rmSync(folder.at('torn/group1-shard1of1.bin'));
    expect((await forerun(['inspect', folder.at('torn')])).err).toBe(
      `forerun: ${folder.at('torn/group1-shard1of1.bin')}: the weights of the model are missing\n`,
    );
  });
});

test('constants in a checkpoint beside a graph are put back', async () => {
  await writeGraph(buildFrozen(), folder.path, 'beside.pb', {
    asText: false,
    externalWeights: { minBytes: 8 },
  });
  const { inputs, parameters } = await forerunJson<GraphReport>('inspect', folder.at('beside.pb'));
  expect([inputs.map(({ name }) => name), parameters.total.parameters]).toEqual([['x'], 6]);
  expect((await forerun(['diff', folder.at('beside.pb'), frozen])).out).toContain('are equal');
  rmSync(folder.at('beside.pb.weights.index'));
  expect(await forerun(['inspect', folder.at('beside.pb')])).toMatchObject({ code: 1, out: '' });
});

describe('convert', () => {
  test('large constants beside the file, and back', async () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const x = placeholder('float32', [2, 20], { name: 'x' });
      matMul(x, toTensorValue(Array.from({ length: 600 }, Math.sin), 'float32', [20, 30]), { name: 'y' });
    });
    const whole = folder.write('large.pb', writeGraphDef(graph));
    const apart = await converted(whole, 'apart.pb', '--external-weights');
    expect(readFileSync(apart).length).toBeLessThan(1000);
    expect(readFileSync(`${apart}.weights.data-00000-of-00001`).length).toBe(2400);
    expect(readFileSync(await converted(apart, 'back.pb'))).toEqual(readFileSync(whole));
    const onnx = await converted(apart, 'apart.onnx', '--external-weights', '--fetch', 'y');
    expect(readFileSync(`${onnx}.data`).length).toBe(2400);
    const refused = await forerun(['convert', whole, folder.at('out'), '--to', 'tfjs', '--external-weights']);
    expect([refused.code, refused.err]).toEqual([
      1,
      expect.stringContaining('a tfjs has no weights beside it'),
    ]);
    rmSync(`${apart}.weights.index`);
    const lost = await forerun(['convert', apart, folder.at('lost.pb')]);
    expect([lost.code, lost.err]).toEqual([1, expect.stringContaining('apart.pb.weights')]);
  });

  test('a frozen graph through every form', async () => {
    let path = frozen;
    for (const form of [
      'a.onnx',
      'a/saved_model.pb',
      'b/model.json',
      'c.meta',
      'd/saved_model.pbtxt',
      'e.pbtxt',
      'f.json',
      'g.pb',
    ]) {
      path = await converted(path, `chain/${form}`.replace(/^chain\/([^/]*)$/, '$1'));
      const { inputs, outputs, parameters } = await forerunJson<GraphReport>('inspect', path);
      expect(inputs).toMatchObject([{ name: 'x', dtype: 'float32', shape: [null, 3] }]);
      expect(outputs).toMatchObject([
        { name: expect.stringMatching(/^product/) as string, shape: [null, 2] },
      ]);
      expect(parameters.total).toMatchObject({ parameters: 6 });
    }
    expect(
      misfits(await forerunJson('convert', path, folder.at('tfjs'), '--to', 'tfjs'), SCHEMAS.convert),
    ).toEqual([]);
    expect(await forerunJson('weights', folder.at('tfjs'), 'Const')).toMatchObject({ shape: [3, 2] });
  });

  test('a graph with variables, given their checkpoint', async () => {
    const model = await converted(network, 'model', '--to', 'saved_model', '--weights', checkpoint, '--fetch', 'probabilities'); // prettier-ignore
    const report = await forerunJson<GraphReport>('inspect', model);
    expect(report).toMatchObject({ format: 'SavedModel', tags: ['serve'] });
    expect(report.signatures).toMatchObject([
      { name: 'serving_default', inputs: [{ tensor: 'images:0' }], outputs: [{ tensor: 'probabilities:0' }] },
    ]);
    expect(report.parameters.trained.parameters).toBe(365);
    // Its values are those of the checkpoint, also after another turn.
    const again = await converted(model, 'again/saved_model.pbtxt');
    const values = await converted(again, 'values.safetensors');
    expect((await forerun(['diff', values, checkpoint])).out).toContain('are equal');
    const onnx = await converted(
      network,
      'network.onnx',
      '--weights',
      checkpoint,
      '--fetch',
      'probabilities',
    );
    const { parameters } = await forerunJson<GraphReport>('inspect', onnx);
    expect(parameters.total.parameters).toBe(365);
  });

  test('variables from a checkpoint of TensorFlow 2, which is stored by object', async () => {
    const graph = new Graph();
    graph.asDefault(() => {
      const w = new Variable(zeros([3, 2]), { name: 'w' });
      matMul(placeholder('float32', [null, 3], { name: 'x' }), w, { name: 'y' });
    });
    const checkpointKey = 'layer/kernel/.ATTRIBUTES/VARIABLE_VALUE';
    const attribute = { name: 'VARIABLE_VALUE', fullName: 'w', checkpointKey };
    const nodes = [{ children: [{ nodeId: 1, localName: 'kernel' }] }, { attributes: [attribute] }];
    const objects = proto.encode('TrackableObjectGraph', { nodes });
    const { index, data } = encodeBundle([
      { name: '_CHECKPOINTABLE_OBJECT_GRAPH', value: new TensorValue('string', [], [objects]) },
      { name: checkpointKey, value: toTensorValue([[1, 2], [3, 4], [5, 6]]) }, // prettier-ignore
    ]);
    folder.write('objects.index', index);
    folder.write('objects.data-00000-of-00001', data[0] ?? '');
    const path = folder.write('objects.pb', writeGraphDef(graph));
    const model = await converted(path, 'objects.onnx', '--weights', folder.at('objects'));
    const { tensors } = await forerunJson<{ tensors: { statistics: { norm: number } }[] }>('weights', model);
    expect(tensors.map(({ statistics }) => statistics.norm ** 2)).toEqual([expect.closeTo(91, 3)]);
  });

  test.each<[string, () => string[], number, RegExp]>([
    ['values for variables', () => [network, 'x', '--to', 'saved_model'], 1, /holds the values of its variables, this graph has 15: give the checkpoint with --weights/],
    ['variables for TensorFlow.js', () => [network, 'x', '--to', 'tfjs'], 1, /has no variables, this graph has 15 such as "conv\/kernel": forerun freeze first/],
    ['a checkpoint of something else', () => [network, 'x', '--to', 'saved_model', '--weights', folder.at('other.safetensors')], 1, /there is no value for "/],
    ['ops without a form in ONNX', () => [`${GOLDEN}/graph.pb`, folder.at('x.onnx'), '--fetch', 'foreign'], 1, /"foreign" \(Foreign\) has no output 0|Foreign: foreign/],
    ['an output that is not there', () => [frozen, folder.at('x.onnx'), '--fetch', 'produkt'], 1, /Did you mean "product"/],
    ['a graph of values', () => [checkpoint, folder.at('x.pb')], 1, /values \(checkpoint V2\) cannot become a graph; to put them into one: forerun freeze GRAPH/],
    ['PyTorch files', () => [checkpoint, folder.at('x.pth')], 2, /PyTorch files are read only; write \.safetensors/],
    ['names that say nothing', () => [frozen, folder.at('x')], 2, /its ending does not say what to write; use --to/],
    ['a value of a graph', () => [frozen, folder.at('x.pb'), '--name', 'Const'], 2, /--name chooses a value, and a graph is written/],
  ])('refuses %s', async (_, args, code, why) => {
    folder.write('other.safetensors', writeSafetensors([['w', toTensorValue([1, 2])]]));
    const result = await forerun(['convert', ...args()]);
    expect(result.err).toMatch(why);
    expect([result.code, result.out]).toEqual([code, '']);
  }); // prettier-ignore
});
