/** Graphs whose large constants lie beside the graph file: what is written, what comes back, what is refused. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { listVariables, loadVariable, readGraph, Session, writeGraph } from '../src/index.js';

let directory: string;
beforeEach(() => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-external-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const ramp = (size: number, factor: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => (i - size / 2) * factor);
const valueOf = (shape: number[], factor: number): fr.TensorValue =>
  new fr.TensorValue('float32', shape, ramp(shape[0] ?? 0, factor * 0.01));

/** y = (x + big) * kernel, or x + kernel, with a constant inside of a function too. */
function model(): fr.Graph {
  const graph = fr.getDefaultGraph();
  const x = fr.placeholder('float32', [400], { name: 'x' });
  const sum = fr.add(x, fr.constant(valueOf([400], 1), { name: 'big' }));
  const y = fr.cond(
    fr.placeholder('bool', [], { name: 'first' }),
    () => fr.mul(sum, fr.constant(valueOf([400], 2), { name: 'kernel' })),
    () => fr.add(sum, fr.constant(1, { name: 'one' })),
  );
  fr.identity(y, { name: 'y' });
  return graph;
}

test.each(['graph.pb', 'graph.pbtxt', 'graph.json'])(
  '%s and its weights give the same graph',
  async (name) => {
    const graph = model();
    const asText = !name.endsWith('.pb');
    await expect(writeGraph(graph, directory, name, { asText, maxBytes: 3000 })).rejects.toThrow(
      /the graph would take \d{4} bytes, such a file can hold 3000. Largest nodes: .*"big" \(16\d\d bytes\).*externalWeights: true/,
    );
    expect(readdirSync(directory)).toEqual([]);
    const path = await writeGraph(graph, directory, name, { asText, maxBytes: 3000, externalWeights: true });
    expect(readdirSync(directory).sort()).toEqual([
      name,
      `${name}.weights.data-00000-of-00001`,
      `${name}.weights.index`,
    ]);
    const weights = await listVariables(`${path}.weights`);
    expect(weights.map(([key]) => key.replace(/^cond_true\w*/, 'fn'))).toEqual(['big', 'fn/kernel']);
    expect(await loadVariable(`${path}.weights`, 'big')).toEqual(valueOf([400], 1));
    const copy = new fr.Graph();
    await readGraph(path, { graph: copy, name: '' });
    expect(fr.writeGraphDef(copy)).toEqual(fr.writeGraphDef(graph));
  },
);

test('small constants stay, as many as are wanted', async () => {
  const path = await writeGraph(model(), directory, 'graph.pb', {
    asText: false,
    externalWeights: { minBytes: 1601 },
  });
  expect(readdirSync(directory)).toEqual(['graph.pb']);
  await writeGraph(fr.getDefaultGraph(), directory, 'graph.pb', { externalWeights: { minBytes: 4 } });
  expect((await listVariables(`${path}.weights`)).length).toBe(3);
});

test('the graph runs; without its weights it says where they are', async () => {
  const path = await writeGraph(model(), directory, 'graph.pb', { asText: false, externalWeights: true });
  const feeds = { x: valueOf([400], 3), first: true };
  const original = await Session.create();
  const graph = new fr.Graph();
  await readGraph(path, { graph, name: '' });
  const reread = await Session.create({ graph });
  expect(await reread.run('y:0', feeds)).toEqual(await original.run('y:0', feeds));

  const bare = new fr.Graph();
  fr.importGraphDef(new Uint8Array(readFileSync(path)), { graph: bare, name: '' });
  const third = await Session.create({ graph: bare });
  await expect(third.run('y:0', { ...feeds, first: false })).rejects.toThrow(
    /"big" \(float32 \[400\]\): a constant whose value lies beside the graph file, read it with fr.io.readGraph/,
  );
  for (const sess of [original, reread, third]) sess.close();
});

test('weights that are missing, of another shape, or elsewhere', async () => {
  const path = await writeGraph(model(), directory, 'graph.pb', { asText: false, externalWeights: true });
  const graphDef = fr.readGraphDef(new Uint8Array(readFileSync(path)));
  const open = (values: Map<string, fr.TensorValue>): unknown => fr.putConstantsBack(graphDef, values);
  expect(() => open(new Map())).toThrow(
    'the constant "big" is float32 [400], its external weights hold no value',
  );
  expect(() => open(new Map([['big', valueOf([4], 1)]]))).toThrow('its external weights hold float32 [4]');
  rmSync(`${path}.weights.index`);
  await expect(readGraph(path, { graph: new fr.Graph() })).rejects.toThrow(fr.NotFoundError);
  const big = graphDef.node.find(({ name }) => name === 'big');
  const outside = new TextEncoder().encode('../graph.weights');
  big?.attr.set(fr.EXTERNAL_WEIGHTS_ATTR, { ...fr.proto.create('AttrValue'), s: outside });
  writeFileSync(path, fr.writeGraphDef(graphDef));
  await expect(readGraph(path, { graph: new fr.Graph() })).rejects.toThrow(
    /node "big": _external_weights has the path "\.\.\/graph.weights": it must be a relative path/,
  );
});
