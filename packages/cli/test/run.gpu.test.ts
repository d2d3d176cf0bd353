/** `forerun run` and `plan`: feeds of every kind, fetches, weights, kernels, memory. */
import { readFileSync } from 'node:fs';
import {
  Graph,
  placeholder,
  reduceMean,
  toTensorValue,
  Variable,
  writeGraphDef,
  matMul,
  zeros,
} from '@forerun/graph';
import { readNpy, writeNpy, writeSafetensors } from '@forerun/formats';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import { misfits, SCHEMAS } from './schema.js';
import { buildFrozen, Folder, forerun, forerunJson, spawnedJson } from './support.js';

const folder = new Folder();
let frozen: string;
let image: string;

beforeAll(() => {
  frozen = folder.write('frozen.pb', writeGraphDef(buildFrozen()));
  const graph = new Graph();
  graph.asDefault(() => {
    reduceMean(placeholder('float32', [null, 2, 3, 3], { name: 'picture' }), {
      axis: [1, 2],
      name: 'colour',
    });
  });
  image = folder.write('image.pb', writeGraphDef(graph));
});
afterAll(() => folder.remove());

interface RunJson {
  readonly outputs: readonly {
    readonly name: string;
    readonly shape: number[];
    readonly value: number[][];
  }[];
}

test('feeds from JSON, .npy and random numbers', async () => {
  const json = spawnedJson<RunJson>('run', frozen, '--feed', 'x=[[1,0,0],[0,1,1]]');
  expect(misfits(json, SCHEMAS.run)).toEqual([]);
  expect(json.outputs).toMatchObject([{ name: 'product:0', shape: [2, 2], value: [[1, 2], [8, 10]] }]); // prettier-ignore
  const npy = folder.write('x.npy', writeNpy(toTensorValue([[0, 0, 2]], 'float64')));
  expect((await forerunJson<RunJson>('run', frozen, '--feed', `x=${npy}`)).outputs[0]?.value).toEqual([
    [10, 12],
  ]);
  const random = async (seed: string): Promise<unknown> =>
    (await forerunJson<RunJson>('run', frozen, '--feed', `x=random:${seed}`, '--shape', 'x=2,3')).outputs[0]
      ?.value;
  expect(await random('5')).toEqual(await random('5'));
  expect(await random('5')).not.toEqual(await random('6'));
}, 120_000);

test('images, their size checked', async () => {
  const png = new PNG({ width: 3, height: 2 });
  png.data.fill(255);
  for (let i = 0; i < 6; i++) png.data[4 * i] = 51;
  const path = folder.write('picture.png', PNG.sync.write(png));
  const [output] = (await forerunJson<RunJson>('run', image, '--feed', `picture=${path}`)).outputs;
  expect(output?.value[0]?.map((x) => Math.round(x * 1000))).toEqual([200, 1000, 1000]);
  const grey = jpeg.encode({ width: 3, height: 2, data: Buffer.alloc(24, 128) }, 95).data;
  const [mean = 0] =
    (await forerunJson<RunJson>('run', image, '--feed', `picture=${folder.write('p.jpg', grey)}`)).outputs[0]
      ?.value[0] ?? [];
  expect(Math.abs(mean - 128 / 255)).toBeLessThan(0.02);
  const large = folder.write('large.png', PNG.sync.write(new PNG({ width: 4, height: 4 })));
  expect(await forerun(['run', image, '--feed', `picture=${large}`])).toMatchObject({ code: 2, err: expect.stringMatching(/declared as \[\?,2,3,3\], which \[1,4,4,3\] contradicts/) as string }); // prettier-ignore
}, 120_000);

test('weights, files of outputs, times and kernels', async () => {
  const graph = new Graph();
  graph.asDefault(() => {
    const w = new Variable(zeros([2, 2]), { name: 'w' });
    matMul(placeholder('float32', [null, 2], { name: 'x' }), w, { name: 'y' });
  });
  const path = folder.write('model.pb', writeGraphDef(graph));
  const weights = folder.write('w.safetensors', writeSafetensors([['w', toTensorValue([[1, 2], [3, 4]])]])); // prettier-ignore
  expect((await forerun(['run', path, '--feed', 'x=[[1,1]]'])).err).toContain(
    'variable "w" is not initialized',
  );
  const { out, code } = await forerun([
    'run',
    path,
    '--feed',
    'x=[[1,1]]',
    '--weights',
    weights,
    '--out',
    folder.at('results'),
    '--repeat',
    '3',
    '--profile',
  ]);
  expect(code).toBe(0);
  expect(out).toMatch(/y:0 +float32 +\[1,2\] +\[4, 6\]/);
  expect(out).toMatch(/then 3 runs with a median of [\d.]+ ms/);
  expect(out).toMatch(/Kernels\n +node +kernel +time\n +y /);
  expect((await readNpy(readFileSync(folder.at('results/y.npy')))).toArray()).toEqual([[4, 6]]);
}, 120_000);

test('inputs that are missing, names and values that do not fit', async () => {
  expect(await forerun(['run', frozen])).toMatchObject({
    code: 2,
    err: expect.stringContaining(
      'these inputs need a --feed: x [1,3]; x=random feeds random numbers',
    ) as string,
  });
  expect((await forerun(['run', frozen, '--feed', 'y=1'])).err).toContain(
    '--feed: the graph has no node "y"',
  );
  expect(await forerun(['run', frozen, '--feed', 'x'])).toMatchObject({ code: 2 });
  expect(await forerun(['run', frozen, '--feed', 'x=[[1,2'])).toMatchObject({
    code: 1,
    err: expect.stringContaining('--feed x: [[1,2: ') as string,
  });
  expect((await forerun(['run', frozen, '--feed', 'x=none.npy'])).err).toContain('--feed x: ENOENT');
}, 60_000);

test('plan: kernels, WGSL of one, memory', async () => {
  const json = spawnedJson<{ plan: { dispatchList: { nodes: string[] }[] } }>(
    'plan',
    frozen,
    '--shape',
    'x=64,3',
  );
  expect(misfits(json, SCHEMAS.plan)).toEqual([]);
  expect(json.plan.dispatchList.flatMap(({ nodes }) => nodes)).toContain('product');
  const { out } = await forerun(['plan', frozen, '--shape', 'x=64,3']);
  expect(out).toMatch(/with x=\[64,3\]\n/);
  expect(out).toMatch(/Kernels\n[^]*product +MatMul/);
  expect(out).toMatch(/Memory {2}[\d.]+ \w+ in \d+ buffer/);
  expect((await forerun(['plan', frozen, '--wgsl', 'product'])).out).toContain('@compute');
  expect((await forerun(['plan', frozen, '--wgsl', 'x'])).err).toContain('no kernel computes "x"');
}, 120_000);
