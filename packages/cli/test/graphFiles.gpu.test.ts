/** `forerun freeze` and `optimize`, and that converted graphs run and give the same. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  add,
  biasAdd,
  constant,
  conv2d,
  Graph,
  identity,
  placeholder,
  proto,
  relu,
  TensorValue,
  writeGraphDef,
} from '@forerun/graph';
import { writeNpy } from '@forerun/formats';
import { misfits, SCHEMAS } from './schema.js';
import {
  buildNetwork,
  Folder,
  forerun,
  forerunJson,
  spawnedJson,
  writeNetworkCheckpoint,
} from './support.js';

const folder = new Folder();
let network: string;
let checkpoint: string;
let images: string;
let frozen: string;

function wave(shape: readonly number[]): TensorValue {
  const size = shape.reduce((a, b) => a * b, 1);
  return new TensorValue(
    'float32',
    shape,
    Float32Array.from({ length: size }, (_, i) => Math.cos(1.3 * i)),
  );
}

beforeAll(async () => {
  network = folder.write('network.pb', writeGraphDef(buildNetwork()));
  checkpoint = writeNetworkCheckpoint(folder, 'network.ckpt');
  images = folder.write('images.npy', writeNpy(wave([2, 8, 8, 1])));
  frozen = folder.at('frozen.pb');
  const args = ['freeze', network, frozen, '--weights', checkpoint, '--fetch', 'probabilities'];
  expect(await forerun(args)).toMatchObject({ code: 0, err: '' });
});
afterAll(() => folder.remove());

/** What a model gives for the images. */
async function outputOf(path: string, ...options: string[]): Promise<number[]> {
  const json = await forerunJson<{ outputs: { value: number[][] }[] }>('run', path, '--feed', `images=${images}`, ...options); // prettier-ignore
  return json.outputs[0]?.value.flat(Infinity) as number[];
}

/** A SavedModel of `session/test/fixtures/savedModels`. */
function kerasModel(name: string): string {
  const fixture = new URL(`../../session/test/fixtures/savedModels/${name}.json.gz`, import.meta.url);
  const { files } = JSON.parse(gunzipSync(readFileSync(fixture)).toString()) as {
    files: Record<string, string>;
  };
  for (const [path, content] of Object.entries(files))
    folder.write(join(name, path), Buffer.from(content, 'base64'));
  return folder.at(name);
}

describe('freeze', () => {
  test('of a SavedModel of Keras finds its variables and signature, and leaves out what nothing calls', async () => {
    const model = kerasModel('trained');
    const path = folder.at('keras.pb');
    expect(await forerun(['freeze', model, path])).toMatchObject({ code: 0, err: '' });
    const { library, node } = proto.decode('GraphDef', readFileSync(path));
    expect(library?.function.map(({ signature }) => signature?.name.replaceAll(/\d+/g, 'N'))).toEqual([
      '__inference_signature_wrapper_predict_N_frozen',
      '__inference_predict_N_frozen',
    ]);
    expect(node.some(({ op }) => op === 'VarHandleOp')).toBe(false);
    const trained = await forerunJson<{ outputs: { value: number }[] }>(
      ...[
        'run',
        model,
        '--fetch',
        'StatefulPartitionedCall_1',
        '--feed',
        'train_x=random',
        '--feed',
        'train_y=[1]',
      ],
    );
    expect(trained.outputs[0]?.value).toBeGreaterThan(0);
  });

  test('a SavedModel whose initialization fills tables runs', async () => {
    const words = 'serving_default_words=["The fox, the DOG!"]';
    const args = [
      'run',
      kerasModel('text'),
      '--feed',
      words,
      '--feed',
      'serving_default_tags=[["a","zz","c"]]',
    ];
    const { outputs } = await forerunJson<{ outputs: { value: unknown }[] }>(...args);
    expect(outputs.map(({ value }) => value)).toContainEqual([[1, 0, 1, 0, 1]]);
    const { code, err } = await forerun([
      ...args.slice(0, 2),
      '--feed',
      'serving_default_words=random',
      ...args.slice(4),
    ]);
    expect([code, err]).toEqual([2, expect.stringContaining('it takes texts; give them as JSON')]);
  });

  test('keeps what the outputs need, with the checkpoint in place of variables', async () => {
    const { out } = await forerun(['freeze', network, folder.at('a.pbtxt'), '--weights', checkpoint, '--fetch', 'probabilities']); // prettier-ignore
    expect(out).toMatch(/4 variables with 365 parameters became constants; \d+ -> \d+ nodes\n/);
    expect(out).toContain('both graphs were run and gave the same bits');
    const wanted = await outputOf(network, '--weights', checkpoint, '--fetch', 'probabilities');
    expect(wanted).toHaveLength(10);
    expect(await outputOf(frozen)).toEqual(wanted);
    expect(await outputOf(folder.at('a.pbtxt'))).toEqual(wanted);
  });

  test('of a SavedModel needs no more than its name; all forms run and give the same', async () => {
    const wanted = await outputOf(frozen);
    const model = folder.at('model');
    const made = ['convert', network, model, '--to', 'saved_model', '--weights', checkpoint, '--fetch', 'probabilities']; // prettier-ignore
    expect(await forerun(made)).toMatchObject({ code: 0 });
    expect(await outputOf(model)).toEqual(wanted);
    expect(await forerun(['freeze', model, folder.at('web/model.json')])).toMatchObject({ code: 0, err: '' });
    expect(await outputOf(folder.at('web'))).toEqual(wanted);
    const onnx = folder.at('network.onnx');
    expect(await forerun(['freeze', model, onnx])).toMatchObject({ code: 0, err: '' });
    (await outputOf(onnx)).forEach((value, i) => expect(value).toBeCloseTo(wanted[i] ?? NaN, 6));
  });

  test('--json of a process, on given values', () => {
    const json = spawnedJson('freeze', network, folder.at('b.pb'), '--weights', checkpoint, '--fetch', 'logits/BiasAdd', '--feed', `images=${images}`); // prettier-ignore
    expect(misfits(json, SCHEMAS.freeze)).toEqual([]);
    expect(json).toMatchObject({
      variables: 4,
      parameters: 365,
      outputs: ['logits/BiasAdd'],
      verified: true,
    });
  }, 120_000);

  test.each<[string, () => string[], number, RegExp]>([
    ['a graph without values', () => [network], 1, /the values of 15 variables such as "conv\/kernel".* give the checkpoint with --weights/],
    ['a frozen graph', () => [frozen], 1, /the graph has no variables: it is frozen already/],
    ['a checkpoint', () => [checkpoint], 1, /this is a checkpoint, which holds values but no graph to freeze/],
    ['an unknown output', () => [network, '--weights', checkpoint, '--fetch', 'probability'], 1, /Did you mean "probabilities"/],
    ['a form of values', () => [network, '--to', 'npz'], 2, /argument 'npz' is invalid/],
    ['what changes a variable', () => [network, '--weights', checkpoint, '--fetch', 'global_step/Assign'], 1, /global_step\/Assign.*has no output 0/],
  ])('refuses %s', async (_, args, code, why) => {
    const [file = '', ...options] = args();
    const result = await forerun(['freeze', file, folder.at('never.pb'), ...options]);
    expect(result.err).toMatch(why);
    expect([result.code, result.out, existsSync(folder.at('never.pb'))]).toEqual([code, '', false]);
  }); // prettier-ignore
});

/** A convolution with bias and activation behind an identity, and a sum that is computed twice. */
function wasteful(): Graph {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = identity(placeholder('float32', [null, 8, 8, 1], { name: 'images' }));
    const filter = constant(wave([3, 3, 1, 128]), { name: 'filter' });
    const y = relu(biasAdd(conv2d(x, filter, { strides: 1, padding: 'SAME' }), wave([128])));
    const z = add(add(constant(1), constant(2)), y);
    add(add(y, 0.5), add(y, 0.5));
    add(z, add(y, 3), { name: 'y' });
  });
  return graph;
}

describe('optimize', () => {
  let path: string;
  beforeAll(() => {
    path = folder.write('wasteful.pb', writeGraphDef(wasteful()));
  });

  test('a report for each pass, sizes, the same results', async () => {
    const json = spawnedJson<{ passes: { pass: string; changes: string[]; difference: number | null }[]; nodesAfter: number; nodesBefore: number }>('optimize', path, folder.at('small.pb'), '--fetch', 'y'); // prettier-ignore
    expect(misfits(json, SCHEMAS.optimize)).toEqual([]);
    const changed = json.passes.filter(({ changes }) => changes.length > 0);
    expect(changed.map(({ pass }) => pass)).toEqual(expect.arrayContaining(['stripUnusedNodes', 'removeDebuggingNodes', 'foldConstants', 'fuseConvolutions'])); // prettier-ignore
    expect(changed.every(({ difference }) => difference !== null && difference <= 1e-4)).toBe(true);
    expect(json.nodesAfter).toBeLessThan(json.nodesBefore / 2);
    const wanted = await outputOf(path, '--fetch', 'y');
    (await outputOf(folder.at('small.pb'))).forEach((value, i) =>
      expect(value).toBeCloseTo(wanted[i] ?? NaN, 5),
    );
  }, 120_000);

  test('chosen passes in their order, weights in 8 bits, any form', async () => {
    const args = ['optimize', path, folder.at('some.pbtxt'), '--fetch', 'y', '--passes', 'strip_unused_nodes,sortByExecutionOrder', '--quantize', 'uint8', '--tolerance', '0.1']; // prettier-ignore
    const { code, out, err } = await forerun(args, { COLUMNS: '90' });
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/: images to y\n/);
    expect(out).toMatch(/ {2}stripUnusedNodes +\d+ -> \d+ +same bits +dropped \d+ nodes/);
    expect(out).toMatch(/ {2}quantizeWeights +\d+ -> \d+ +[\d.]+ +stored 1 constants as uint8/);
    expect(out).toMatch(/-> \d+ nodes, [\d.]+ KiB -> [\d.]+ KiB \(\d+%\)/);
    expect(Math.max(...out.split('\n').filter((line) => /^ {2}\w+ +\d/.test(line)).map(({ length }) => length))).toBeLessThanOrEqual(90); // prettier-ignore
  });

  test.each<[string, () => string[], number, RegExp]>([
    ['an unknown pass', () => [path, '--passes', 'shrink'], 2, /--passes: there is no pass "shrink"; there are stripUnusedNodes,/],
    ['a graph with variables', () => [network], 1, /the values of \d+ variables such as "conv\/kernel" are not in the graph: forerun freeze first/],
    ['too large a difference', () => [path, '--fetch', 'y', '--quantize', 'uint8', '--tolerance', '0'], 1, /after quantizeWeights the outputs differ by .* 0 is allowed/],
    ['an unknown input', () => [path, '--fetch', 'y', '--input', 'image'], 1, /no node "image"\. Did you mean "images"/],
    ['a tolerance that is none', () => [path, '--tolerance', 'much'], 2, /expected a number, 0 or more/],
  ])('refuses %s', async (_, args, code, why) => {
    const [file = '', ...options] = args();
    const result = await forerun(['optimize', file, folder.at('never.pb'), ...options]);
    expect(result.err).toMatch(why);
    expect([result.code, result.out, existsSync(folder.at('never.pb'))]).toEqual([code, '', false]);
  }); // prettier-ignore
});
