/** Checkpoints: what is written, what comes back, and what is said when it cannot. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import {
  checkpointExists,
  importMetaGraph,
  latestCheckpoint,
  openCheckpoint,
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

test('saves and restores all variables and the random step', async () => {
  const { w, n } = await savedModel(sess);
  const saver = new Saver();
  sess.randomStep = 12345678901n;
  const prefix = await saver.save(sess, join(directory, 'model.ckpt'), { globalStep: n });
  expect(prefix).toBe(join(directory, 'model.ckpt-7'));
  expect(readdirSync(directory).sort()).toEqual([
    'checkpoint',
    'model.ckpt-7.data-00000-of-00001',
    'model.ckpt-7.index',
    'model.ckpt-7.meta',
  ]);
  await sess.run([w.assign(fr.zeros([2, 2])).op, n.assign(fr.constant(0, { dtype: 'int64' })).op]);
  const other = await Session.create();
  for (const path of [prefix, `${prefix}.index`, `${prefix}.data-00000-of-00001`]) {
    const report = await saver.restore(other, path);
    expect(report).toEqual({
      restored: ['layer/w', 'n'],
      missing: [],
      shapeMismatch: [],
      skipped: [],
      unused: [],
    });
  }
  expect((await other.run(w)).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect((await other.run(n)).item()).toBe(7);
  expect(other.randomStep).toBe(12345678901n);
  other.close();
});

test('keeps the newest checkpoints and lists them', async () => {
  await savedModel(sess);
  const saver = new Saver({ maxToKeep: 2 });
  for (let step = 1; step <= 4; step++) await saver.save(sess, join(directory, 'm'), { globalStep: step });
  expect(saver.lastCheckpoints).toEqual([join(directory, 'm-3'), join(directory, 'm-4')]);
  expect(existsSync(join(directory, 'm-2.index'))).toBe(false);
  expect(await latestCheckpoint(directory)).toBe(`${directory}/m-4`);
  expect(await checkpointExists(`${directory}/m-4`)).toBe(true);
  expect(await checkpointExists(`${directory}/m-99`)).toBe(false);
  await expect(checkpointExists('')).rejects.toThrow(/expected the prefix of a checkpoint, got ""/);
  expect(readFileSync(join(directory, 'checkpoint'), 'utf8')).toBe(
    'model_checkpoint_path: "m-4"\nall_model_checkpoint_paths: "m-3"\nall_model_checkpoint_paths: "m-4"\n',
  );
  expect(await latestCheckpoint(join(directory, 'nowhere'))).toBeNull();
});

test('finds the newest checkpoint where the directory was moved, and names a malformed list', async () => {
  await savedModel(sess);
  const prefix = await new Saver().save(sess, join(directory, 'm'), { globalStep: 1 });
  const list = join(directory, 'checkpoint');
  writeFileSync(list, 'model_checkpoint_path: "/elsewhere/m-1"\n');
  expect(await latestCheckpoint(directory)).toBe(prefix);
  writeFileSync(list, 'model_checkpoint_path: "/elsewhere/m-2"\n');
  expect(await latestCheckpoint(directory)).toBeNull();
  writeFileSync(list, 'model_checkpoint_path: "m');
  const error = await latestCheckpoint(directory).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(fr.InvalidArgumentError);
  expect(String(error)).toContain(`"${list}" is malformed: CheckpointState text, line 1, column 24`);
});

test('restoring from no path says where that comes from', async () => {
  await savedModel(sess);
  const nothing = JSON.parse('null') as string;
  await expect(new Saver().restore(sess, nothing)).rejects.toThrow(
    'restore: the path of the checkpoint is null. latestCheckpoint() gives null where a directory holds no checkpoint',
  );
  await expect(new Saver().restore(sess, '')).rejects.toThrow('the path of the checkpoint is empty');
});

test("the graph's own nodes save and restore too", async () => {
  const { w } = await savedModel(sess);
  const { saverDef } = new Saver();
  const prefix = join(directory, 'byNodes');
  await sess.run(saverDef.saveTensorName, { [saverDef.filenameTensorName]: prefix });
  const checkpoint = await openCheckpoint(prefix);
  expect([...checkpoint.reader.entries.keys()]).toEqual(['forerun/random_step', 'layer/w', 'n']);
  await checkpoint.close();
  await sess.run(w.assign(fr.zeros([2, 2])).op);
  await sess.run(saverDef.restoreOpName, { [saverDef.filenameTensorName]: prefix });
  expect((await sess.run(w)).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

test('checkpoints can be merged by a node', async () => {
  const { w, n } = await savedModel(sess);
  const parts = [
    await new Saver({ varList: [w], name: 'a' }).save(sess, join(directory, 'part0')),
    await new Saver({ varList: [n], name: 'b' }).save(sess, join(directory, 'part1')),
  ];
  const all = join(directory, 'all');
  await sess.run(fr.applyOp('MergeV2Checkpoints', [fr.constant(parts), fr.constant(all)]));
  const checkpoint = await openCheckpoint(all);
  expect([...checkpoint.reader.entries.keys()]).toEqual(['forerun/random_step', 'layer/w', 'n']);
  expect((await checkpoint.reader.read('n')).item()).toBe(7);
  await checkpoint.close();
  expect(existsSync(`${parts[0] ?? ''}.index`)).toBe(false);
});

test('of several parts the first alone has the random step, so that TensorFlow can merge them', async () => {
  const { w, n } = await savedModel(sess);
  const saved = [w, n].map((variable, i) => {
    const prefix = join(directory, `part-0000${i}-of-00002`);
    const inputs = [fr.constant(prefix), fr.constant([`v${i}`]), fr.constant(['']), [variable.value()]];
    return { prefix, op: fr.applyOp('SaveV2', inputs) };
  });
  await sess.run(saved.map(({ op }) => op));
  const keys = [];
  for (const { prefix } of saved) {
    const checkpoint = await openCheckpoint(prefix);
    keys.push([...checkpoint.reader.entries.keys()]);
    await checkpoint.close();
  }
  expect(keys).toEqual([['forerun/random_step', 'v0'], ['v1']]);
});

test('a .meta file rebuilds graph, variables and saver', async () => {
  await savedModel(sess);
  const prefix = await new Saver().save(sess, join(directory, 'm'));
  const graph = new fr.Graph();
  const saver = await importMetaGraph(`${prefix}.meta`, { graph });
  const fresh = await Session.create({ graph });
  expect((await saver?.restore(fresh, prefix))?.restored).toEqual(['layer/w', 'n']);
  const [w] = graph.getCollection('variables') as [fr.Variable];
  expect(w.name).toBe('layer/w:0');
  expect((await fresh.run(w)).toArray()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  fresh.close();
});

test('a checkpoint of another model is refused with all differences, and nothing is assigned', async () => {
  await savedModel(sess);
  const prefix = await new Saver().save(sess, join(directory, 'm'));
  const graph = new fr.Graph();
  const [saver, w, other] = graph.asDefault(() => {
    const wrong = new fr.Variable(fr.fill([3, 2], 9), { name: 'layer/w' });
    const missing = new fr.Variable(fr.fill([1], 9), { name: 'layer/v' });
    return [new Saver(), wrong, missing] as const;
  });
  const fresh = await Session.create({ graph });
  await fresh.run([w.initializer, other.initializer]);
  await expect(saver.restore(fresh, prefix)).rejects.toThrow(fr.NotFoundError);
  await expect(saver.restore(fresh, prefix)).rejects.toThrow(
    /lacks 1 of 2 variables:\n {2}"layer\/v" \(nearest: "layer\/w"\)\nIs it of another model\?/,
  );
  await expect(saver.restore(fresh, prefix, { ignoreMissing: true })).rejects.toThrow(
    /other shapes or dtypes than the graph:\n {2}"layer\/w": stored float32 \[2,2\], variable float32 \[3,2\]/,
  );
  expect((await fresh.run(w)).toArray()).toEqual([
    [9, 9],
    [9, 9],
    [9, 9],
  ]);
  const report = await saver.restore(fresh, prefix, { ignoreMissing: true, ignoreShapeMismatch: true });
  expect(report).toEqual({
    restored: [],
    missing: ['layer/v'],
    shapeMismatch: ['layer/w'],
    skipped: [],
    unused: ['layer/w', 'n'],
  });
  fresh.close();
});

test('names may be mapped', async () => {
  const { w } = await savedModel(sess);
  const prefix = await new Saver({ varList: { old: w } }).save(sess, join(directory, 'm'));
  const saver = new Saver({ varList: [w], name: 'save2' });
  const report = await saver.restore(sess, prefix, { map: { 'layer/w': 'old' } });
  expect(report.restored).toEqual(['layer/w']);
});

describe('damaged files', () => {
  let prefix: string;
  let saver: Saver;

  beforeEach(async () => {
    await savedModel(sess);
    saver = new Saver();
    prefix = await saver.save(sess, join(directory, 'm'));
  });

  afterEach(async () => {
    // The session goes on working.
    expect((await sess.run(fr.constant(1))).item()).toBe(1);
  });

  test('a truncated data file', async () => {
    truncateSync(`${prefix}.data-00000-of-00001`, 10);
    await expect(saver.restore(sess, prefix)).rejects.toThrow(fr.DataLossError);
    await expect(saver.restore(sess, prefix)).rejects.toThrow(
      /"layer\/w": bytes .* lie beyond the end .* truncated/,
    );
  });

  test('a flipped bit in the data', async () => {
    const path = `${prefix}.data-00000-of-00001`;
    const bytes = readFileSync(path);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    await expect(saver.restore(sess, prefix)).rejects.toThrow(/"layer\/w".*checksum/);
  });

  test('a truncated index', async () => {
    truncateSync(`${prefix}.index`, 40);
    await expect(saver.restore(sess, prefix)).rejects.toThrow(fr.DataLossError);
  });

  test('something else under the name of an index', async () => {
    writeFileSync(`${prefix}.index`, fr.writeGraphDef(sess.graph));
    await expect(saver.restore(sess, prefix)).rejects.toThrow(/not a checkpoint index.*GraphDef/s);
  });

  test('no checkpoint at all, and a directory instead of a prefix', async () => {
    await expect(saver.restore(sess, join(directory, 'none'))).rejects.toThrow(fr.NotFoundError);
    await expect(saver.restore(sess, directory)).rejects.toThrow(/it is a directory; give the prefix/);
  });

  test('saving to a directory instead of a prefix', async () => {
    await expect(saver.save(sess, `${directory}/`)).rejects.toThrow(/is not a checkpoint prefix/);
  });
});

test('saving needs initialized variables, and leaves no files when they are not', async () => {
  new fr.Variable(fr.constant(1), { name: 'unset' });
  await expect(new Saver().save(sess, join(directory, 'm'))).rejects.toThrow(
    /variable "unset" is not initialized/,
  );
  expect(readdirSync(directory)).toEqual([]);
});
