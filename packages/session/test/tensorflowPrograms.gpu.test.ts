/**
 * Training programs that TensorFlow wrote, with its gradients, optimizers and control flow of both versions: read, restored and
 * run for three steps, they give what TensorFlow gave. `fixtures/tensorflow/make.py` makes the files.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as fr from '@forerun/graph';
import type { NestedArray } from '@forerun/graph';
import { CheckpointReader, importMetaGraph, Session, type Saver } from '../src/index.js';

interface Program {
  /** The MetaGraphDef and the checkpoint, in base64, by the ending of the file's name. */
  readonly files: Readonly<Record<string, string>>;
  readonly feeds: Readonly<Record<string, NestedArray>>;
  readonly train: string;
  readonly fetches: readonly string[];
  /** What TensorFlow fetched before each step. */
  readonly steps: readonly (readonly NestedArray[])[];
}

const FIXTURES = new URL('fixtures/tensorflow/', import.meta.url);
const NAMES = readdirSync(FIXTURES).flatMap((file) => /^(.*)\.json\.gz$/.exec(file)?.[1] ?? []);

/** Float32 arithmetic in another order, over up to three steps of an optimizer. */
const TOLERANCE = 5e-6;

let folder: string;

beforeEach(() => {
  fr.resetDefaultGraph();
  folder = mkdtempSync(join(tmpdir(), 'forerun-tensorflow-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function unpack(name: string): Program {
  const file = gunzipSync(readFileSync(new URL(`${name}.json.gz`, FIXTURES)));
  const program = JSON.parse(file.toString()) as Program;
  for (const [ending, content] of Object.entries(program.files))
    writeFileSync(join(folder, `model${ending}`), Buffer.from(content, 'base64'));
  return program;
}

function feedsOf(graph: fr.Graph, { feeds }: Program): ReadonlyMap<fr.Tensor, NestedArray> {
  return new Map(Object.entries(feeds).map(([name, value]) => [graph.getTensorByName(name), value]));
}

function flat(value: NestedArray): number[] {
  return [value].flat(Infinity as 1).map(Number);
}

/** The greatest difference, in proportion to the greatest number. */
function difference(got: readonly number[], want: readonly number[]): number {
  if (got.length !== want.length) return Infinity;
  const scale = Math.max(1e-3, ...want.map(Math.abs));
  return Math.max(0, ...got.map((value, i) => Math.abs(value - (want[i] ?? NaN)) / scale));
}

/** The program's graph in a session, with what TensorFlow had in its variables. */
async function withProgram(
  name: string,
  check: (opened: { program: Program; graph: fr.Graph; saver: Saver; sess: Session }) => Promise<void>,
): Promise<void> {
  const program = unpack(name);
  const saver = await importMetaGraph(join(folder, 'model.meta'));
  if (saver === null) throw new Error('the file names no saver');
  const sess = await Session.create();
  try {
    await saver.restore(sess, join(folder, 'model'));
    await check({ program, graph: fr.getDefaultGraph(), saver, sess });
  } finally {
    sess.close();
  }
}

test.each(NAMES)('%s', (name) =>
  withProgram(name, async ({ program, graph, sess }) => {
    const fetches = program.fetches.map((fetch) => graph.getTensorByName(fetch));
    const feeds = feedsOf(graph, program);
    for (const [i, want] of program.steps.entries()) {
      const got = await sess.run(fetches, feeds);
      program.fetches.forEach((fetch, k) => {
        const apart = difference(flat(got[k]?.toArray() ?? []), flat(want[k] ?? []));
        if (!(apart <= TOLERANCE)) throw new Error(`step ${i}: ${fetch} differs by ${apart}`);
      });
      await sess.run(graph.getOperationByName(program.train), feeds);
    }
  }),
);

test('a variable in parts is written as one tensor, and restored', () =>
  withProgram('partitioned', async ({ program, graph, saver, sess }) => {
    await expect(saver.restore(sess, join(folder, 'model'), { ignoreMissing: true })).rejects.toThrow(
      /options are not possible for variables in parts, such as "s\/table"/,
    );
    const parts = [0, 1, 2].map((i) => graph.getTensorByName(`s/table/part_${i}:0`));
    await sess.run(graph.getOperationByName(program.train), feedsOf(graph, program));
    const before = (await sess.run(parts)).map((part) => part.toArray());
    const prefix = await saver.save(sess, join(folder, 'trained'));
    const reader = await CheckpointReader.open(prefix);
    expect(reader.getVariableToShapeMap()['s/table']).toEqual([9, 4]);
    expect((await reader.getTensor('s/table')).toArray()).toEqual(before.flat());
    await reader.close();
    await saver.restore(sess, join(folder, 'model'));
    await saver.restore(sess, prefix);
    expect((await sess.run(parts)).map((part) => part.toArray())).toEqual(before);
  }));

test('there are programs', () => expect(NAMES.length).toBeGreaterThan(10));
