/** Looking into checkpoints without restoring them, initializers that read them, other names, torn files, version 1. */
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { jest } from '@jest/globals';
import * as fr from '@forerun/graph';
import {
  initFromCheckpoint,
  inspectCheckpoint,
  getCheckpointState,
  latestCheckpoint,
  listVariables,
  loadVariable,
  newCheckpointReader,
  Saver,
  Session,
} from '../src/index.js';
import { savedModel } from './support/savedModel.js';

let directory: string;
let sess: Session;

beforeEach(async () => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-saver-'));
  sess = await Session.create();
});

afterEach(() => {
  sess.close();
  rmSync(directory, { recursive: true });
});

describe('looking into checkpoints', () => {
  test('a reader, lists, single values and an inspection', async () => {
    await savedModel(sess);
    const prefix = await new Saver().save(sess, join(directory, 'model.ckpt'));
    for (const path of [prefix, `${prefix}.index`, `${prefix}.data-00000-of-00001`, directory]) {
      expect(await listVariables(path)).toEqual([['forerun/random_step', []], ['layer/w', [2, 2]], ['n', []]]); // prettier-ignore
      expect((await loadVariable(path, 'layer/w:0')).toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    }
    await using reader = await newCheckpointReader(prefix);
    expect([reader.version, reader.hasTensor('n'), reader.hasTensor('m')]).toEqual([2, true, false]);
    expect(reader.getVariableToShapeMap()).toEqual({ 'forerun/random_step': [], 'layer/w': [2, 2], n: [] });
    expect(reader.getVariableToDtypeMap()).toMatchObject({ 'layer/w': 'float32', n: 'int64' });
    expect(reader.debugString()).toContain('layer/w (float32) [2,2]\n');
    expect((await reader.getTensor('n')).item()).toBe(7);
    const { tensors } = await inspectCheckpoint(prefix, { allTensors: true });
    expect(tensors[1]).toMatchObject({
      name: 'layer/w',
      bytes: 16,
      statistics: { min: 1, max: 4, mean: 2.5, nans: 0 },
    });
    const one = await inspectCheckpoint(prefix, { tensorName: 'n' });
    expect(one.tensors[0]?.value?.item()).toBe(7);
    await expect(loadVariable(prefix, 'layer/v')).rejects.toThrow(
      'no tensor "layer/v". Did you mean "layer/w"?',
    );
    await expect(listVariables(join(directory, 'none'))).rejects.toThrow('there is no checkpoint at');
  });

  test('initializers that read a checkpoint, by name, variable and scope', async () => {
    await savedModel(sess);
    const prefix = await new Saver().save(sess, join(directory, 'model.ckpt'));
    const graph = new fr.Graph();
    const other = await Session.create({ graph });
    const { a, b } = graph.asDefault(() => ({
      a: new fr.Variable(fr.zeros([2, 2]), { name: 'tower/w' }),
      b: new fr.Variable(fr.constant(0, { dtype: 'int64' }), { name: 'count' }),
    }));
    const changed = await initFromCheckpoint(prefix, { 'layer/': 'tower/', n: b }, { graph });
    expect(changed).toEqual(['tower/w', 'count']);
    await other.run([a.initializer, b.initializer]);
    expect((await other.run('tower/w/Read/ReadVariableOp:0')).toArray()).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect((await other.run('count/Read/ReadVariableOp:0')).item()).toBe(7);
    const fails = (map: Record<string, string>, message: string): Promise<void> =>
      expect(initFromCheckpoint(prefix, map, { graph })).rejects.toThrow(message);
    await fails(
      { 'layer/w': 'count' },
      '"layer/w" is float32 [2,2] in the checkpoint, the variable "count" int64 []',
    );
    await fails({ 'layer/': 'count' }, 'both must be scopes');
    await fails({ 'layer/w': 'nothing' }, 'the graph has no variable "nothing"');
    await fails({ '/': 'tower/' }, 'the checkpoint has no "w" for the variable "tower/w"');
    other.close();
  });

  test('parts of variables are saved as one, and read from it', async () => {
    const graph = new fr.Graph();
    const parts = graph.asDefault(() => [2, 1].map((columns, i) => new fr.Variable(fr.fill([2, columns], i + 1), { name: `w/part_${i}` }))); // prettier-ignore
    const prefix = join(directory, 'parts.ckpt');
    const saved = graph.asDefault(() => {
      const slices = ['2 3 -:0,2', '2 3 0,2:2,1'];
      const reads = parts.map((part) => part.value());
      const inputs = [fr.constant(prefix), fr.constant(['w', 'w']), fr.constant(slices), reads];
      return fr.applyOp('SaveV2', inputs, { attrs: { dtypes: ['float32', 'float32'] } });
    });
    await using first = await Session.create({ graph });
    await first.run(parts.map(({ initializer }) => initializer));
    await first.run(saved);
    expect((await loadVariable(prefix, 'w')).toArray()).toEqual([[1, 1, 2], [1, 1, 2]]); // prettier-ignore
    const other = new fr.Graph();
    const rows = other.asDefault(() => [1, 1].map((count, i) => new fr.Variable(fr.zeros([count, 3]), { name: `row_${i}` })));
    expect(await initFromCheckpoint(prefix, { w: rows }, { graph: other })).toEqual(['row_0', 'row_1']);
    await using second = await Session.create({ graph: other });
    await second.run(rows.map(({ initializer }) => initializer));
    for (const row of rows) expect([...(await second.run(row)).data]).toEqual([1, 1, 2]);
    await expect(initFromCheckpoint(prefix, { w: rows.slice(1) }, { graph: other })).rejects.toThrow(
      'the parts [1,3] do not make up "w" of shape [2,3]',
    );
  }); // prettier-ignore

  test('renames by a list, a map and a function', async () => {
    const { w, n } = await savedModel(sess);
    const saver = new Saver({ varList: { weights: w, number: n } });
    const prefix = await saver.save(sess, join(directory, 'renamed.ckpt'));
    expect((await listVariables(prefix)).map(([name]) => name)).toEqual([
      'forerun/random_step',
      'number',
      'weights',
    ]);
    const plain = new Saver();
    const names = new Map([['layer/w', 'weights'], ['n', null]]); // prettier-ignore
    expect(await plain.restore(sess, prefix, { map: names })).toMatchObject({ restored: ['layer/w'], skipped: ['n'], unused: ['number'] }); // prettier-ignore
    const map = (key: string): string => (key === 'n' ? 'number' : 'weights');
    expect(await plain.restore(sess, prefix, { map })).toMatchObject({
      restored: ['layer/w', 'n'],
      unused: [],
    });
  });

  test('a torn copy is not the latest checkpoint', async () => {
    const { n } = await savedModel(sess);
    const saver = new Saver();
    const first = await saver.save(sess, join(directory, 'model.ckpt'), { globalStep: 1 });
    const second = await saver.save(sess, join(directory, 'model.ckpt'), { globalStep: 2 });
    expect(await getCheckpointState(directory)).toEqual({
      modelCheckpointPath: second,
      allModelCheckpointPaths: [first, second],
    });
    expect(await getCheckpointState(join(directory, 'none'))).toBeNull();
    expect(await latestCheckpoint(directory)).toBe(second);
    const warn = jest.spyOn(console, 'warn').mockImplementation(() => undefined);
    truncateSync(`${second}.data-00000-of-00001`, 3);
    expect(await latestCheckpoint(directory)).toBe(first);
    expect(warn.mock.calls[0]?.[0]).toMatch(
      /"[^"]*model\.ckpt-2" is incomplete: ".*" has 3 of \d+ bytes; ".*-1" is the latest that is complete/,
    );
    truncateSync(`${first}.index`, 60);
    await expect(latestCheckpoint(directory)).rejects.toThrow('names no other that is complete');
    warn.mockRestore();
    expect((await sess.run(n)).item()).toBe(7);
  });

  test('a checkpoint of version 1 is restored', async () => {
    const { w } = await savedModel(sess);
    const path = join(directory, 'old.ckpt');
    copyFileSync(resolve(import.meta.dirname, 'fixtures/version1.ckpt'), path);
    const report = await new Saver({ varList: [w] }).restore(sess, path);
    expect(report).toMatchObject({ restored: ['layer/w'], unused: [] });
    expect((await sess.run(w)).toArray()).toEqual([[5, 6], [7, 8]]); // prettier-ignore
    writeFileSync(`${path}-00000-of-00002`, 'x');
    rmSync(path);
    await expect(listVariables(path)).rejects.toThrow(/has 1 of its 2 shards/);
  });
});
