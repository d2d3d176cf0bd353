/** Damaged files of every kind: whatever byte is wrong, the answer is a report or one `FileError`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { reportCheckpoint } from '../src/checkpointReport.js';
import { collapse } from '../src/collapse.js';
import { FileError } from '../src/errors.js';
import { reportGraph } from '../src/graphReport.js';
import { viewGraph } from '../src/graphView.js';
import { load } from '../src/load.js';
import { renderDot } from '../src/renderDot.js';
import { renderGraph } from '../src/renderGraph.js';
import { terminalOf } from '../src/terminal.js';
import { Folder, GOLDEN } from './support.js';

const GOLDEN_FORMATS = resolve(import.meta.dirname, '../../formats/test/golden/v1');
const ROUNDS = 80;
const folder = new Folder();
const silent = { write: () => true };
const terminal = terminalOf({ stdout: silent, stderr: silent, env: { COLUMNS: '70' }, platform: 'linux' });

afterAll(() => folder.remove());

/** Numbers below a bound, the same on every run. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % bound;
  };
}

/** Some bytes changed, and sometimes the end cut off. */
function damaged(bytes: Uint8Array, next: (bound: number) => number): Uint8Array {
  const copy = bytes.slice();
  for (let i = 0; i <= next(4); i++) copy[next(copy.length)] = next(256);
  return next(5) === 0 ? copy.subarray(0, next(copy.length)) : copy;
}

async function lookInto(path: string): Promise<void> {
  const loaded = await load(path);
  if (loaded.kind === 'checkpoint') {
    reportCheckpoint(loaded);
    return;
  }
  const report = reportGraph(loaded);
  JSON.stringify(report);
  renderGraph(report, terminal, true);
  renderDot(
    path,
    collapse(viewGraph(loaded).graph.operations, { depth: 1, scope: '', constants: true, variables: true }),
  );
}

test.each([
  'graph.pb',
  'graph.pbtxt',
  'graph.json',
  'graph.meta',
  'model.index',
  'tfjs/model.json',
  'model.onnx',
])('%s', async (name) => {
  const original = readFileSync(`${name === 'model.onnx' ? GOLDEN_FORMATS : GOLDEN}/${name}`);
  folder.write('tfjs/group1-shard1of1.bin', readFileSync(`${GOLDEN}/tfjs/group1-shard1of1.bin`));
  folder.write('model.data-00000-of-00001', readFileSync(`${GOLDEN}/model.data-00000-of-00001`));
  const next = numbers(7);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const path = folder.write(name, damaged(original, next));
    const error: unknown = await lookInto(path).catch((reason: unknown) => reason);
    if (error === undefined) continue;
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toContain(folder.path);
    refused++;
  }
  expect(refused).toBeGreaterThan(0);
});
