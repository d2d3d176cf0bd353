/** Graph models whose initializer fills hash tables: what is found in them is what TensorFlow.js finds. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Graph, importGraphDef, InvalidArgumentError, TensorValue, writeGraphDef } from '@forerun/graph';
import { loadGraphModel, Session } from '../src/index.js';

const REFERENCE = fileURLToPath(new URL('support/tfjsGraph.mjs', import.meta.url));
const TYPES = { int32: 'DT_INT32', float32: 'DT_FLOAT', string: 'DT_STRING' } as const;
type Kind = keyof typeof TYPES;

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forerun-tables-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** The bytes of weights, as TensorFlow.js stores them. */
function bytesOf(dtype: Kind, data: readonly (number | string)[]): Buffer {
  if (dtype === 'int32') return Buffer.from(Int32Array.from(data as number[]).buffer);
  if (dtype === 'float32') return Buffer.from(Float32Array.from(data as number[]).buffer);
  return Buffer.concat(
    data.map((text) => {
      const bytes = Buffer.from(String(text));
      const head = Buffer.alloc(4);
      head.writeUInt32LE(bytes.length);
      return Buffer.concat([head, bytes]);
    }),
  );
}

interface TableSpec {
  readonly keys: readonly (number | string)[];
  readonly values: readonly (number | string)[];
  readonly from: Kind;
  readonly to: Kind;
}

/** Writes a model that looks `wanted` up in a table, and returns its path. */
function writeModel({ keys, values, from, to }: TableSpec, fills = true): string {
  const attr = (type: Kind): object => ({ type: TYPES[type] });
  const constant = (name: string, dtype: Kind): object => ({ name, op: 'Const', attr: { dtype: attr(dtype) } });
  const types = { key_dtype: attr(from), value_dtype: attr(to) };
  const io = { Tin: attr(from), Tout: attr(to) };
  const table = { name: 'table', op: 'HashTableV2', attr: types };
  const unknown = { shape: { dim: [{ size: '-1' }, { size: '-1' }] } };
  const versions = { producer: 134, minConsumer: 12 };
  const topology = {
    versions,
    node: [
      { name: 'wanted', op: 'Placeholder', attr: { dtype: attr(from), shape: unknown } },
      table,
      constant('none', to),
      { name: 'found', op: 'LookupTableFindV2', input: ['table', 'wanted', 'none'], attr: io },
      { name: 'size', op: 'LookupTableSizeV2', input: ['table'] },
    ],
  };
  const fill = { name: 'fill', op: 'LookupTableImportV2', input: ['table', 'keys', 'values'], attr: io };
  const modelInitializer = {
    versions, node: [table, constant('keys', from), constant('values', to), ...(fills ? [fill] : [])] };
  const stored: [string, Kind, readonly (number | string)[], number[]][] = [
    ['none', to, [to === 'string' ? '?' : -1], []],
    ['keys', from, keys, [keys.length]],
    ['values', to, values, [values.length]],
  ];
  const weights = stored.map(([name, dtype, , shape]) => ({ name, dtype, shape }));
  writeFileSync(join(directory, 'weights.bin'), Buffer.concat(stored.map(([, dtype, data]) => bytesOf(dtype, data))));
  const weightsManifest = [{ paths: ['weights.bin'], weights }];
  const signature = { inputs: { wanted: { name: 'wanted:0' } }, outputs: { found: { name: 'found:0' }, size: { name: 'size:0' } } };
  const json = { format: 'graph-model', modelTopology: topology, modelInitializer, initializerSignature: { outputs: { fill: { name: 'fill:0' } } }, weightsManifest, signature };
  writeFileSync(join(directory, 'model.json'), JSON.stringify(json));
  return join(directory, 'model.json');
} // prettier-ignore

function tfjs(path: string, from: Kind, shape: number[], data: readonly (number | string)[]): { data: unknown[] }[] {
  const input = JSON.stringify([{ name: 'wanted', dtype: from, shape, data }]);
  const { status, stdout, stderr } = spawnSync(process.execPath, [REFERENCE, path, 'found', 'size'], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as { data: unknown[] }[];
} // prettier-ignore

const CASES: readonly [string, TableSpec, readonly (number | string)[]][] = [
  ['whole numbers', { from: 'int32', to: 'float32', keys: [7, -2, 30, 5], values: [0.5, 1.5, 2.5, 3.5] }, [5, 30, -2, 8, 31, -9]],
  ['words', { from: 'string', to: 'int32', keys: ['a', 'bc', 'ü'], values: [4, 5, 6] }, ['bc', 'x', 'ü', 'a', '', 'A']],
  ['names of numbers', { from: 'int32', to: 'string', keys: [1, 2], values: ['one', 'two'] }, [2, 1, 0, 2, 2, 3]],
]; // prettier-ignore

test.each(CASES)('%s', async (_, spec, wanted) => {
  const path = writeModel(spec);
  const graph = new Graph();
  const { outputs } = await loadGraphModel(path, { graph });
  await using sess = await Session.create({ graph });
  const value =
    spec.from === 'string'
      ? new TensorValue('string', [2, 3], wanted as string[])
      : new TensorValue('int32', [2, 3], Int32Array.from(wanted as number[]));
  const { found, size } = await sess.run(outputs, { 'wanted:0': value });
  const [reference, entries] = tfjs(path, spec.from, [2, 3], wanted);
  expect(found?.shape).toEqual([2, 3]);
  expect([...(found?.data ?? [])]).toEqual(reference?.data);
  expect([...(size?.data ?? [])].map(Number)).toEqual(entries?.data);
  if (spec.from === 'string' || spec.to === 'string') return;
  // Numbers are found by ordinary ops, which a graph file keeps.
  const copy = new Graph();
  importGraphDef(writeGraphDef(graph), { graph: copy, name: '' });
  await using second = await Session.create({ graph: copy });
  expect(await second.run('found:0', { 'wanted:0': value })).toEqual(found);
});

interface Editable {
  modelInitializer: { node: { name: string }[] };
  weightsManifest: { weights: { name: string }[] }[];
}

test('keys that the initializer counts', async () => {
  // Feature columns number their vocabulary so.
  const path = writeModel({ from: 'int32', to: 'float32', keys: [], values: [0.5, 1.5, 2.5] });
  const json = JSON.parse(readFileSync(path, 'utf8')) as Editable;
  const int32 = { type: 'DT_INT32' };
  const number = (name: string, value: number): { name: string; op: string; attr: object } => ({
    name, op: 'Const', attr: { dtype: int32, value: { tensor: { dtype: 'DT_INT32', tensorShape: {}, intVal: [value] } } } }); // prettier-ignore
  const numbers = [number('start', 4), number('limit', -2), number('delta', -2)];
  const range = { name: 'keys', op: 'Range', input: ['start', 'limit', 'delta'], attr: { Tidx: int32 } };
  json.modelInitializer.node = json.modelInitializer.node.flatMap((node) =>
    node.name === 'keys' ? [...numbers, range] : [node],
  );
  json.weightsManifest.forEach((group) => {
    group.weights = group.weights.filter(({ name }) => name !== 'keys');
  });
  writeFileSync(path, JSON.stringify(json));
  const graph = new Graph();
  const { outputs } = await loadGraphModel(path, { graph });
  await using sess = await Session.create({ graph });
  const wanted = new TensorValue('int32', [2, 2], Int32Array.of(0, 4, 2, 3));
  expect((await sess.run(outputs, { 'wanted:0': wanted })).found?.toArray()).toEqual([[2.5, 0.5], [1.5, -1]]); // prettier-ignore
});

test('a table that nothing fills is refused', async () => {
  const path = writeModel({ from: 'int32', to: 'int32', keys: [1], values: [2] }, false);
  const loading = loadGraphModel(path, { graph: new Graph() });
  await expect(loading).rejects.toThrow(
    /LookupTableFindV2 "found": no initializer fills the table "table"|no constant takes/,
  );
  await expect(loading).rejects.toThrow(InvalidArgumentError);
});
