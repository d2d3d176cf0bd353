/** `forerun weights`, `path`, `diff`, `validate`, `convert`, `svg`, `completion`, and what `--json` prints. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { toTensorValue, writeGraphDef } from '@forerun/graph';
import { writeNpz, writeSafetensors } from '@forerun/formats';
import { decodeGraphWith } from './graphFiles.js';
import { misfits, SCHEMAS, type Schema } from './schema.js';
import {
  buildFrozen,
  buildNetwork,
  Folder,
  forerun,
  forerunJson,
  GOLDEN,
  spawnedJson,
  writeCheckpoint,
} from './support.js';

const FIXTURES = resolve(import.meta.dirname, '../../formats/test/fixtures');
const folder = new Folder();
let network: string;
let frozen: string;
let checkpoint: string;

beforeAll(() => {
  network = folder.write('network.pb', writeGraphDef(buildNetwork()));
  frozen = folder.write('frozen.pb', writeGraphDef(buildFrozen()));
  checkpoint = writeCheckpoint(folder, 'model.ckpt');
  const bad = toTensorValue([1, NaN, Infinity, 3]);
  folder.write('a.npz', writeNpz([['w', toTensorValue([1, 2, 3])], ['bad', bad]])); // prettier-ignore
  folder.write('b.safetensors', writeSafetensors([['w', toTensorValue([1, 2, 7])], ['new', toTensorValue(1)]])); // prettier-ignore
});
afterAll(() => folder.remove());

test.each<[string, Schema, () => string[]]>([
  ['inspect', SCHEMAS.inspect, () => ['inspect', network]],
  ['ops', SCHEMAS.ops, () => ['ops', network]],
  ['node', SCHEMAS.node, () => ['node', network, 'conv/Conv2D']],
  ['tree', SCHEMAS.tree, () => ['tree', network]],
  ['dot', SCHEMAS.dot, () => ['dot', network]],
  ['svg', SCHEMAS.svg, () => ['svg', network]],
  ['weights', SCHEMAS.weights, () => ['weights', `${FIXTURES}/smallResnet.safetensors`]],
  ['path', SCHEMAS.path, () => ['path', network, 'images', 'probabilities']],
  ['validate', SCHEMAS.validate, () => ['validate', network]],
  ['diff', SCHEMAS.diff, () => ['diff', network, network]],
  ['convert', SCHEMAS.convert, () => ['convert', network, folder.at('out.pbtxt')]],
])('%s --json of a process fits its schema', (_, schema, args) => {
  expect(misfits(spawnedJson(...args()), schema)).toEqual([]);
});

test('--json of values, and of one of them', async () => {
  const file = await forerunJson('inspect', `${FIXTURES}/smallResnet.pth`);
  expect(misfits(file, SCHEMAS.inspectValues)).toEqual([]);
  expect(misfits(await forerunJson('weights', frozen, 'Const'), SCHEMAS.weight)).toEqual([]);
});

describe('weights', () => {
  test('statistics, bad elements and histograms', async () => {
    const { out } = await forerun(['weights', folder.at('a.npz')]);
    expect(out).toMatch(/a\.npz: 2 tensors, 7 elements/);
    expect(out).toMatch(/w +float32 +\[3\] +3 +1 +3 +2 +0\.8165 +@ +@ +@/);
    expect(out).toMatch(/bad +float32 +\[4\] +4 +1 +3 +2 +1 +2 bad/);
  });

  test('one value, and names that are not there', async () => {
    const { out } = await forerun(['weights', frozen, 'Const']);
    expect(out).toContain('Const: float32 [3,2], 24 B\n  [1, 2, 3, 4, 5, 6]\n');
    expect(out).toMatch(/Histogram\n +1 +1 +#+\n/);
    const json = await forerunJson('weights', frozen, 'Const', '--all');
    expect(json).toMatchObject({ value: [[1, 2], [3, 4], [5, 6]], statistics: { mean: 3.5 } }); // prettier-ignore
    const { code, err } = await forerun(['weights', folder.at('a.npz'), 'v']);
    expect([code, err]).toEqual([
      1,
      `forerun: ${folder.at('a.npz')}: the npz file has no tensor "v". Did you mean "w"?\n`,
    ]);
    expect((await forerun(['weights', network])).err).toContain(
      'its variables are elsewhere: give the checkpoint',
    );
  });

  test('names only', async () => {
    const { out } = await forerun(['weights', checkpoint, '--no-stats']);
    expect(out).toMatch(/fc\/kernel\/Momentum +float32 +\[3,2\] +6\n/);
  });
});

describe('path', () => {
  test('along tensors, along control dependencies, and where there is no way', async () => {
    const { out } = await forerun(['path', network, 'images', 'probabilities']);
    expect(out).toMatch(/^\d+ steps from images to probabilities\n/);
    expect(out).toMatch(/conv\/Conv2D +Conv2D +\[\?,8,8,4\]/);
    expect((await forerun(['path', network, 'conv/kernel/Assign', 'init'])).out).toMatch(
      /conv\/kernel\/Assign +AssignVariableOp +control/,
    );
    const { code, err } = await forerun(['path', network, 'probabilities', 'images']);
    expect(code).toBe(1);
    expect(err).toContain(
      '"probabilities" does not reach "images"; "images" reaches "probabilities", the other way round',
    );
    expect((await forerun(['path', network, 'image', 'probabilities'])).err).toContain(
      'Did you mean "images"?',
    );
  });
});

describe('diff', () => {
  test('equal files end with 0, others with 1', async () => {
    const { code, out } = await forerun([
      'diff',
      `${FIXTURES}/smallResnet.pth`,
      `${FIXTURES}/smallResnet.safetensors`,
    ]);
    expect([code, out]).toEqual([0, expect.stringContaining('are equal.')]);
    const other = await forerun(['diff', folder.at('a.npz'), folder.at('b.safetensors')]);
    expect(other.code).toBe(1);
    expect(other.out).toContain('1 added, 1 removed, 1 changed');
    expect(other.out).toMatch(
      /~ +w +1 element of 3 differ; norms 3\.742 -> 7\.348, of the difference 4 \(1\.069 of the first\)/,
    );
  });

  test('nodes, inputs, attributes and constants', async () => {
    const changed = readFileSync(frozen);
    changed.writeFloatLE(9, changed.indexOf(Buffer.from(Float32Array.of(1, 2, 3, 4, 5, 6).buffer)));
    const path = folder.write('changed.pb', changed);
    const args = ['diff', frozen, path, '--json'];
    const { code, out } = await forerun(args);
    const json = JSON.parse(out) as { changes: { name: string; norms: object }[] };
    expect(code).toBe(1);
    expect(misfits(json, SCHEMAS.diff)).toEqual([]);
    expect(json.changes).toMatchObject([{ name: 'Const', kind: 'changed', norms: { difference: 8 } }]);
    const graphs = await forerun(['diff', frozen, network]);
    expect(graphs.out).toMatch(/^.*: \d+ added, 2 removed, 1 changed\n/);
    expect((await forerun(['diff', frozen, checkpoint])).err).toContain('they cannot be compared');
  });
});

describe('validate', () => {
  test('a sound graph, a foreign op, wrong shapes, damaged values', async () => {
    expect(await forerun(['validate', network])).toMatchObject({ code: 0, err: '' });
    const foreign = await forerun(['validate', `${GOLDEN}/graph.pb`, '--json']);
    expect(foreign.code).toBe(1);
    expect(misfits(JSON.parse(foreign.out), SCHEMAS.validate)).toEqual([]);
    expect(foreign.out).toContain('cannot run: Foreign (1)');
    const shapes = await forerun(['validate', folder.write('shapes.pb', decodeGraphWith('badShapes'))]);
    expect([shapes.code, shapes.out]).toEqual([1, expect.stringMatching(/bad {2}shapes {5}MatMul/)]);
    const damaged = readFileSync(`${checkpoint}.data-00000-of-00001`);
    damaged[3] = 1;
    folder.write('damaged.ckpt.data-00000-of-00001', damaged);
    folder.write('damaged.ckpt.index', readFileSync(`${checkpoint}.index`));
    const values = await forerun(['validate', folder.at('damaged.ckpt')]);
    expect([values.code, values.out]).toEqual([
      1,
      expect.stringMatching(/bad {2}checksums {2}.*"fc\/bias": wrong checksum/),
    ]);
  });
});

describe('convert', () => {
  test.each(['pb', 'pbtxt', 'json', 'meta'])('a graph to .%s and back', async (form) => {
    const path = folder.at(`converted.${form}`);
    expect(await forerun(['convert', network, path])).toMatchObject({ code: 0 });
    const back = folder.at(`back-${form}.pb`);
    expect(await forerun(['convert', path, back])).toMatchObject({ code: 0 });
    expect(readFileSync(back)).toEqual(readFileSync(network));
  });

  test('values through all formats', async () => {
    let from = `${FIXTURES}/smallResnet.pth`;
    for (const name of ['w.safetensors', 'w.npz', 'w.ckpt']) {
      expect(await forerun(['convert', from, folder.at(name)])).toMatchObject({ code: 0, err: '' });
      from = folder.at(name);
    }
    expect((await forerun(['diff', from, `${FIXTURES}/smallResnet.safetensors`])).code).toBe(0);
    expect(await forerun(['convert', from, folder.at('bias.npy'), '--name', 'fc.bias'])).toMatchObject({
      code: 0,
    });
    expect(await forerunJson('weights', folder.at('bias.npy'))).toMatchObject({
      tensors: [{ name: 'array', shape: [5] }],
    });
  });

  test('what cannot be', async () => {
    expect((await forerun(['convert', checkpoint, folder.at('x.pb')])).err).toContain(
      'values (checkpoint V2) cannot become a graph',
    );
    expect(await forerun(['convert', checkpoint, folder.at('x.npy')])).toMatchObject({
      code: 2,
      err: expect.stringContaining('choose with --name') as string,
    });
    expect(await forerun(['convert', checkpoint, folder.at('x')])).toMatchObject({ code: 2 });
    expect((await forerun(['convert', network, folder.at('none/x.pb')])).err).toContain(
      'there is no directory',
    );
  });
});

test('svg: a picture with all boxes, well-formed', async () => {
  const path = folder.at('graph.svg');
  expect(await forerun(['svg', network, '-o', path])).toMatchObject({ code: 0, out: '' });
  const picture = readFileSync(path, 'utf8');
  expect(picture).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  for (const name of ['images', 'conv/Conv2D', 'probabilities'])
    expect(picture).toContain(`<title>${name}</title>`);
  expect(picture).not.toMatch(/NaN|undefined/);
  const { boxes } = await forerunJson<{ boxes: unknown[] }>('svg', network);
  expect(picture.match(/<g><title>/g)).toHaveLength(boxes.length);
});

test.each(['bash', 'zsh', 'fish'])('completion for %s names every command', async (shell) => {
  const { out } = await forerun(['completion', shell]);
  for (const name of ['inspect', 'weights', 'run', 'plan', 'convert']) expect(out).toContain(name);
  expect(out).toContain('no-stats');
  if (shell === 'bash') expect(spawnSync('bash', ['-n'], { input: out }).status).toBe(0);
  expect(await forerun(['completion', 'tcsh'])).toMatchObject({ code: 2 });
});
