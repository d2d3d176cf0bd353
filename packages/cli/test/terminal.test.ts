/** Colours, Unicode, widths, pipes, help and the time until a command starts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeGraphDef } from '@forerun/graph';
import { terminalOf } from '../src/terminal.js';
import {
  buildNetwork,
  Folder,
  forerun,
  GOLDEN,
  plainEnv,
  programPath,
  spawned,
  writeNetworkCheckpoint,
} from './support.js';

const folder = new Folder();
const graphPath = folder.at('graph.pb');
const silent = { write: () => true };
const ESCAPE = '\u001b[';

beforeAll(() => {
  folder.write('graph.pb', writeGraphDef(buildNetwork()));
});
afterAll(() => folder.remove());

function terminal(env: Record<string, string>, isTTY = true): ReturnType<typeof terminalOf> {
  return terminalOf({
    stdout: { isTTY, columns: 72, write: () => true },
    stderr: silent,
    env,
    platform: 'linux',
  });
}

describe('what the output may have', () => {
  test('a terminal gets colours, Unicode and its width', () => {
    const { colors, unicode, width } = terminal({ TERM: 'xterm', LANG: 'en_GB.UTF-8' });
    expect([colors.bold('x') === 'x', unicode, width]).toEqual([false, true, 72]);
  });

  test('NO_COLOR, a dumb terminal, and a locale without Unicode', () => {
    expect(terminal({ NO_COLOR: '1' }).colors.bold('x')).toBe('x');
    expect(terminal({ NO_COLOR: '' }).colors.bold('x')).not.toBe('x');
    expect(terminal({ TERM: 'dumb', LANG: 'C.UTF-8' })).toMatchObject({ unicode: false, width: Infinity });
    expect(terminal({ LANG: 'C.UTF-8', LC_ALL: 'C' }).unicode).toBe(false);
  });

  test('a pipe gets plain text of any width', () => {
    const piped = terminal({ LANG: 'C.UTF-8' }, false);
    expect(piped).toMatchObject({ unicode: false, width: Infinity });
    expect(piped.colors.bold('x')).toBe('x');
    expect(terminal({ COLUMNS: '50' }, false).width).toBe(50);
  });

  test('a terminal that does not know its width has none', () => {
    const stdout = { isTTY: true, columns: 0, write: () => true };
    const host = { stdout, stderr: silent, env: { COLUMNS: 'many' }, platform: 'linux' };
    expect(terminalOf(host).width).toBe(Infinity);
  });
});

describe('a child process', () => {
  test('writes no colours into a pipe, FORCE_COLOR does, NO_COLOR wins', async () => {
    expect(spawned(['inspect', graphPath]).out).not.toContain(ESCAPE);
    expect(spawned(['inspect', graphPath], { FORCE_COLOR: '1' }).out).toContain(ESCAPE);
    expect(spawned(['inspect', graphPath], { FORCE_COLOR: '1', NO_COLOR: '1' }).out).not.toContain(ESCAPE);
    expect((await forerun(['inspect', graphPath, '--json'], { FORCE_COLOR: '1' })).out).not.toContain(ESCAPE);
  });

  test.each([
    ['inspect', []],
    ['ops', []],
    ['tree', ['--nodes', '--depth', '4']],
    ['ops', ['--type', 'Const']],
    ['path', ['conv/kernel', 'train']],
    ['node', ['conv/Conv2D']],
    ['diff', [`${GOLDEN}/graph.pb`]],
  ])('%s %j cuts its tables to the width', async (command, options) => {
    const { out } = await forerun([command, graphPath, ...options], { COLUMNS: '44' });
    const tables = out
      .split('\n')
      .filter(
        (line) =>
          line.startsWith('  ') &&
          !/Give shapes|collections|Convolution of|optimizer slots|not trained/.test(line),
      );
    expect(Math.max(...tables.map((line) => line.length))).toBeLessThanOrEqual(44);
    expect(out).toContain('...');
  });

  test.each(['100', '80', '44'])('weights leaves out columns where %s are too few', async (columns) => {
    const { out } = await forerun(['weights', writeNetworkCheckpoint(folder, 'w.ckpt')], {
      COLUMNS: columns,
    });
    const [, titles = '', ...rows] = out.trimEnd().split('\n');
    expect(Math.max(...rows.map(({ length }) => length))).toBeLessThanOrEqual(Number(columns));
    expect(titles).toMatch(/name.*shape.*min.*max/);
    expect(titles.includes('histogram')).toBe(columns === '100');
  });

  test('ends quietly when the reader of its pipe has gone', async () => {
    const child = spawn(process.execPath, [programPath(), 'ops', graphPath], { env: plainEnv() });
    let err = '';
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.destroy();
    const [code] = (await once(child, 'close')) as [number];
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('a long output arrives whole', () => {
    const { out } = spawned(['inspect', graphPath, '--json']);
    expect(out.length).toBeGreaterThan(10_000);
    expect(() => JSON.parse(out) as unknown).not.toThrow();
  });
});

describe('help', () => {
  test('of every command has examples and exit codes, in lines that fit', async () => {
    const listed = (await forerun(['--help'])).out.split('\nCommands:\n')[1]?.split('\n\n')[0] ?? '';
    const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, name = '']) => name);
    expect(commands).toEqual(expect.arrayContaining(['inspect', 'convert', 'freeze', 'run', 'tune', 'svg']));
    for (const command of commands) {
      const { code, out, err } = await forerun([command, '--help']);
      expect([command, code, err]).toEqual([command, 0, '']);
      const [, examples = ''] = out.split('\nExamples:\n');
      expect(examples.match(new RegExp(`forerun ${command} `, 'g'))?.length ?? 0).toBeGreaterThan(1);
      expect(examples).toContain('Exit codes: 0');
      if (command !== 'completion') expect(out).toContain('--json');
      expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
    }
  });

  test('documents the exit codes and the kinds of files', async () => {
    const { code, out } = await forerun(['--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/Exit codes:\n {2}0 .*\n {2}1 .*\n {2}2 /);
    expect(out).toContain('SavedModel');
    expect((await forerun(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  /** The scripts that a command loads, as the coverage of the engine lists them. */
  function loadedBy(args: readonly string[]): string[] {
    const directory = mkdtempSync(join(tmpdir(), 'forerun-loaded-'));
    try {
      spawned(args, { NODE_V8_COVERAGE: directory });
      const reports = readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8'));
      return reports.flatMap((text) =>
        (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  test('loads nothing that reads files; only what a command needs is loaded', () => {
    const isPackage = (name: string) => (url: string) => url.includes(`/packages/${name}/dist/`);
    const help = loadedBy(['--help']);
    expect(help.some(isPackage('cli'))).toBe(true);
    expect(help.some(isPackage('graph'))).toBe(false);
    const tree = loadedBy(['tree', graphPath]);
    expect(tree.some(isPackage('graph'))).toBe(true);
    expect(tree.some(isPackage('session'))).toBe(false);
  });
});
