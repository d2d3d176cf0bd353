/** Bad files, things that are not there and wrong usage: one message, no stack trace, the right exit code. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { writeGraphDef } from '@forerun/graph';
import { decodeGraphWith } from './graphFiles.js';
import { buildFrozen, buildNetwork, Folder, forerun, writeCheckpoint } from './support.js';

const folder = new Folder();

/** The message of a command that must fail with `code` and print nothing else. */
async function failure(code: number, ...args: string[]): Promise<string> {
  const result = await forerun(args);
  expect({ code: result.code, out: result.out }).toEqual({ code, out: '' });
  expect(result.err).toMatch(/^forerun: /);
  expect(result.err).not.toMatch(/\n\s+at /);
  return result.err;
}

beforeAll(() => {
  folder.write('graph.pb', writeGraphDef(buildNetwork()));
  folder.write('frozen.pb', writeGraphDef(buildFrozen()));
});
afterAll(() => folder.remove());

describe('bad files (exit code 1)', () => {
  test('a missing file, with the nearest names', async () => {
    expect(await failure(1, 'inspect', folder.at('grap.pb'))).toBe(
      `forerun: ${folder.at('grap.pb')}: there is no such file, directory or checkpoint. Did you mean ${folder.at('graph.pb')}?\n`,
    );
    expect(await failure(1, 'inspect', folder.at('no/where.pb'))).toContain(
      `there is no directory "${folder.at('no')}"`,
    );
  });

  test('a directory without a model', async () => {
    mkdirSync(folder.at('empty'));
    expect(await failure(1, 'inspect', folder.at('empty'))).toContain(
      'this directory holds no SavedModel (saved_model.pb) and no "checkpoint" file of checkpoints',
    );
    folder.write('graphs/a.pb', 'x');
    expect(await failure(1, 'inspect', folder.at('graphs'))).toContain('Give one of its files: a.pb');
  });

  test('an empty file, random bytes, a text, JSON of something else', async () => {
    const random = Uint8Array.from({ length: 999 }, (_, i) => ((i * 7919 + 251) % 256) | 0x80);
    expect(await failure(1, 'inspect', folder.write('empty.pb', ''))).toContain('the file is empty');
    expect(await failure(1, 'inspect', folder.write('random.pb', random))).toContain(
      'not a graph file: it has no known format',
    );
    expect(await failure(1, 'inspect', folder.write('notes.txt', 'Dear reader,\n'))).toContain(
      'not a graph file',
    );
    expect(await failure(1, 'inspect', folder.write('list.json', '{"name": "x"'))).toContain(
      'malformed JSON',
    );
    expect(await failure(1, 'inspect', folder.write('bad.pbtxt', 'node { name: "x" op }'))).toMatch(
      /line 1|1:\d+/,
    );
  });

  test.each(['inspect', 'ops', 'tree', 'dot'])('a truncated GraphDef (%s)', async (command) => {
    const bytes = readFileSync(folder.at('graph.pb'));
    const path = folder.write('cut.pb', bytes.subarray(0, bytes.length - 40));
    expect(await failure(1, command, path)).toMatch(/cut\.pb: .*(truncated|end|bytes)/);
  });

  test('graphs that break the rules name the node', async () => {
    const inspect = (name: Parameters<typeof decodeGraphWith>[0]): Promise<string> =>
      failure(1, 'inspect', folder.write(`${name}.pb`, decodeGraphWith(name)));
    expect(await inspect('cycle')).toMatch(/the graph has a cycle: "[ab]" -> "[ab]" -> "[ab]"/);
    expect(await inspect('twins')).toContain('two nodes with the name "x"');
    expect(await inspect('dangling')).toContain(
      'input "image" names a node that is not in the graph. Did you mean "images"?',
    );
    expect(await inspect('badShapes')).toMatch(/MatMul "MatMul": .*\[2,3\].*\[5,4\]/);
    expect(await inspect('newer')).toContain('needs a reader of version 900 or later');
  });

  test('commands that show no shapes say no word of those that do not fit; those that meet them name the node', async () => {
    const path = folder.write('shapes.pb', decodeGraphWith('badShapes'));
    const counts = await forerun(['ops', path]);
    expect(counts.code).toBe(0);
    expect(counts.out).toMatch(/MatMul +1 +yes/);
    expect((await forerun(['diff', path, path])).code).toBe(0);
    expect((await forerun(['node', path, 'a'])).out).toContain('[2,3]');
    const rule = /^forerun: .*shapes\.pb: MatMul "MatMul": .*\[2,3\].*\[5,4\].*\n$/;
    expect(await failure(1, 'node', path, 'MatMul')).toMatch(rule);
    expect(await failure(1, 'path', path, 'a', 'MatMul')).toMatch(rule);
    expect(await failure(1, 'ops', path, '--type', 'MatMul')).toMatch(rule);
  });

  test('a checkpoint with a missing or short data file, or none at all', async () => {
    const prefix = writeCheckpoint(folder, 'short.ckpt');
    const data = `${prefix}.data-00000-of-00001`;
    truncateSync(data, 20);
    expect(await failure(1, 'inspect', prefix)).toContain(
      'truncated: it has 20 bytes, its index speaks of 64',
    );
    const lonely = folder.write('lonely.index', readFileSync(`${prefix}.index`));
    expect(await failure(1, 'inspect', lonely)).toContain(
      "lonely.data-00000-of-00001: the checkpoint's data file is missing",
    );
    folder.write('old/checkpoint', 'model_checkpoint_path: "gone-5"\n');
    expect(await failure(1, 'inspect', folder.at('old'))).toContain('there is no checkpoint at');
  });

  test('a damaged checkpoint index', async () => {
    const prefix = writeCheckpoint(folder, 'damaged.ckpt');
    const bytes = readFileSync(`${prefix}.index`);
    bytes[20] = (bytes[20] ?? 0) ^ 0xff;
    writeFileSync(`${prefix}.index`, bytes);
    expect(await failure(1, 'inspect', prefix)).toMatch(/damaged\.ckpt: .*(checksum|damaged)/);
  });

  test('a checkpoint where a graph is wanted', async () => {
    const prefix = writeCheckpoint(folder, 'whole.ckpt');
    expect(await failure(1, 'dot', prefix)).toContain(
      'this is a checkpoint, which holds values but no nodes',
    );
    expect(await failure(1, 'ops', prefix)).toContain('holds values but no ops');
  });

  test('an input that is not there', async () => {
    expect(await failure(1, 'inspect', folder.at('graph.pb'), '--shape', 'image=1,8,8,1')).toContain(
      'the graph has no input "image". Did you mean "images"?',
    );
  });

  test('FORERUN_DEBUG shows where', async () => {
    const { err, code } = await forerun(['inspect', folder.at('gone.pb')], { FORERUN_DEBUG: '1' });
    expect(code).toBe(1);
    expect(err).toMatch(/\n\s+at /);
  });
});

describe('wrong usage (exit code 2)', () => {
  test.each([
    [['inspekt', 'x'], "unknown command 'inspekt'"],
    [['inspect'], "missing required argument 'file'"],
    [['inspect', 'a', 'b'], 'too many arguments'],
    [['inspect', 'a', '--shapes', 'x=1'], "unknown option '--shapes'"],
    [['node', 'graph.pb'], "missing required argument 'name'"],
    [['tree', 'x', '--depth', 'two'], 'expected a whole number, 0 or more'],
  ])('%j', async (args, message) => {
    expect(await failure(2, ...args)).toContain(message);
  });

  test('shapes that are none, or contradict the graph', async () => {
    const shape = (text: string): Promise<string> =>
      failure(2, 'inspect', folder.at('frozen.pb'), '--shape', text);
    expect(await shape('x')).toContain('"x" is not of the form NAME=DIM,DIM,...');
    expect(await shape('x=2,-3')).toContain('is not of the form');
    expect(await shape('x=2,4')).toContain('"x" is declared as [?,3], which [2,4] contradicts');
    const prefix = writeCheckpoint(folder, 'shaped.ckpt');
    expect(await failure(2, 'inspect', prefix, '--shape', 'x=1')).toContain('--shape is for graphs');
  });

  test('no command at all prints the help', async () => {
    const { code, out, err } = await forerun([]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: forerun');
  });
});
