/** `forerun tune`: measures, keeps, prints; and what it refuses. */
import { readdirSync } from 'node:fs';
import { Graph, matMul, placeholder, writeGraphDef } from '@forerun/graph';
import { misfits, SCHEMAS } from './schema.js';
import { Folder, forerun, spawned } from './support.js';

const folder = new Folder();
const path = folder.at('product.pb');
const cache = { XDG_CACHE_HOME: folder.at('cache') };

beforeAll(() => {
  const graph = new Graph();
  graph.asDefault(() => {
    const x = placeholder('float32', [null, 64], { name: 'x' });
    matMul(x, placeholder('float32', [64, 5], { name: 'w' }), { name: 'y' });
  });
  folder.write('product.pb', writeGraphDef(graph));
});
afterAll(() => folder.remove());

describe('tune', () => {
  test('prints what was chosen and keeps it', () => {
    const args = ['tune', path, '--shape', 'x=3,64', '--seconds', '2'];
    const { code, out, err } = spawned(args, cache);
    expect([code, err.replace(/^Warning: max.*\n/gm, '')]).toEqual([0, '']);
    expect(out).toContain('with x=[3,64], w=[64,5]\n\noutputs: 1 kernel with a choice\n');
    expect(out).toMatch(/\n {2}product float32 3x5x64 NN +y +\w+ +tuned +\d\.\d\d\n/);
    expect(out).toMatch(/Chosen kernels take \d\.\d\d of the defaults' time \(geometric mean of 1\)/);
    expect(readdirSync(`${cache.XDG_CACHE_HOME}/forerun/tuning`)).toHaveLength(1);
    const again = spawned([...args.slice(0, 4), '--seconds', '0', '--json'], cache);
    const { runs } = JSON.parse(again.out) as { runs: { run: string; kernels: { source: string }[] }[] };
    expect(misfits(JSON.parse(again.out), SCHEMAS.tune)).toEqual([]);
    expect(runs).toMatchObject([{ run: 'outputs', kernels: [{ source: 'cached' }] }]);
  });

  test.each([
    [['--fetch', 'z'], {}, 1, /fetches: .*"z"/],
    [['--shape', 'v=1'], {}, 1, /the graph has no input "v"/],
    [['--seconds', '-1'], {}, 2, /expected a whole number/],
    [[], { FORERUN_TUNING: 'off' }, 2, /FORERUN_TUNING=off keeps kernels from being measured: unset it/],
  ])('refuses %j %j', async (extra, env, want, why) => {
    const { code, err } = await forerun(['tune', path, ...extra], { ...cache, ...env });
    expect(err).toMatch(why);
    expect(code).toBe(want);
  });
});
