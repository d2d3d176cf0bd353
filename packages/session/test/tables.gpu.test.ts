/** Hash tables: filled from tensors and files, changed, in functions, in SavedModels, and those of old files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { CheckpointReader, importMetaGraph, savedModel, Saver, Session } from '../src/index.js';

let directory: string;
beforeEach(() => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-tables-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function file(text: string): string {
  const path = join(directory, 'vocabulary.txt');
  writeFileSync(path, text);
  return path;
}

const numbers = (value: { readonly data: fr.TensorData } | undefined): number[] =>
  [...(value?.data ?? [])].map(Number);

test('a table from words to rows of an embedding', async () => {
  const init = new fr.KeyValueTensorInitializer(['the', 'cat', 'ü'], [0, 1, 2], { valueDtype: 'int64' });
  const table = new fr.StaticHashTable(init, -1);
  const words = fr.placeholder('string', [null, null], { name: 'words' });
  const ids = table.lookup(words);
  expect(ids.shape.dims).toEqual([null, null]);
  const embedding = fr.constant([[1, 10], [2, 20], [3, 30]]); // prettier-ignore
  const rows = fr.gather(embedding, fr.maximum(ids, fr.constant(0, { dtype: 'int64' })));
  await using sess = await Session.create();
  await expect(sess.run(ids, { words: [['cat']] })).rejects.toThrow(
    /LookupTableFindV2 "hash_table_lookup_table_find": the table "hash_table" is not initialized\. Run its initializer first/,
  );
  await sess.run(fr.tablesInitializer());
  const text = new fr.TensorValue('string', [2, 2], ['cat', 'dog', new TextEncoder().encode('ü'), 'the']);
  const result = await sess.run({ ids, rows, size: table.size() }, { words: text });
  expect(result.ids.shape).toEqual([2, 2]);
  expect(numbers(result.ids)).toEqual([1, -1, 2, 0]);
  expect(numbers(result.rows)).toEqual([2, 20, 1, 10, 3, 30, 1, 10]);
  expect(numbers(result.size)).toEqual([3]);
  // Again with the same entries is allowed.
  await sess.run(fr.tablesInitializer());
  await using other = await Session.create();
  await expect(other.run(table.size())).rejects.toThrow(fr.FailedPreconditionError);
});

test('keys computed on the device', async () => {
  const init = new fr.KeyValueTensorInitializer([10, -3, 7], [0.5, 1.5, 2.5], { keyDtype: 'int32' });
  const table = new fr.StaticHashTable(init, NaN);
  const x = fr.placeholder('int32', [null], { name: 'x' });
  const doubled = fr.mul(table.lookup(fr.add(x, 1)), 2);
  await using sess = await Session.create();
  await sess.run(table.initializer);
  expect(numbers(await sess.run(doubled, { x: [9, 6, -4, 0] }))).toEqual([1, 5, 3, NaN]);
});

test('two values for a key, and other entries for a filled table, are refused', async () => {
  const twice = new fr.StaticHashTable(new fr.KeyValueTensorInitializer(['a', 'b', 'a'], [1, 2, 3]), 0);
  const keys = fr.placeholder('string', [null], { name: 'keys' });
  const table = new fr.StaticHashTable(new fr.KeyValueTensorInitializer(keys, [1, 2]), 0, { name: 'fed' });
  await using sess = await Session.create();
  await expect(sess.run(twice.initializer)).rejects.toThrow(
    /InitializeTableV2 "key_value_init_1": the table "hash_table" is given two values for the key "a": 1 and 3/,
  );
  await sess.run(table.initializer, { keys: ['x', 'y'] });
  await expect(sess.run(table.initializer, { keys: ['x', 'z'] })).rejects.toThrow(
    /the table "fed" was initialized with other entries/,
  );
  expect(numbers(await sess.run(table.lookup(['y', 'z'])))).toEqual([2, 0]);
  expect(() => new fr.StaticHashTable(new fr.KeyValueTensorInitializer([true], [1]), 0)).toThrow(
    /keys of tables are string, int32, int64, got bool/,
  );
  expect(() => table.lookup(fr.constant([1, 2]))).toThrow(/table "fed" has string keys, .* is float32/);
});

test('a table that changes keeps its entries in order', async () => {
  const table = new fr.MutableHashTable('int64', 'float32', [0, -1]);
  const [keys, values] = [fr.placeholder('int64', [null], { name: 'keys' }), fr.placeholder('float32', [null, 2], { name: 'values' })]; // prettier-ignore
  const insert = table.insert(keys, values);
  const remove = table.remove(keys);
  const found = table.lookup(keys);
  const [allKeys, allValues] = table.export();
  const sums = fr.reduceSum(allValues, { axis: 0 });
  await using sess = await Session.create();
  expect(numbers(await sess.run(table.size()))).toEqual([0]);
  await sess.run(insert, { keys: [5, 3, 5], values: [[1, 2], [3, 4], [5, 6]] }); // prettier-ignore
  await sess.run(insert, { keys: [2n ** 60n], values: [[7, 8]] });
  const wanted = new fr.TensorValue('int64', [3], BigInt64Array.of(3n, 2n ** 60n, 9n));
  const { found: row, allKeys: k, sums: s } = await sess.run({ found, allKeys, sums }, { keys: wanted });
  expect(row.shape).toEqual([3, 2]);
  expect(numbers(row)).toEqual([3, 4, 7, 8, 0, -1]);
  expect([...k.data]).toEqual([5n, 3n, 2n ** 60n]);
  expect(numbers(s)).toEqual([15, 18]);
  await sess.run(remove, { keys: [5, 77] });
  expect([...(await sess.run(allKeys)).data]).toEqual([3n, 2n ** 60n]);
  await expect(sess.run(insert, { keys: [1, 2], values: [[1, 2]] })).rejects.toThrow(
    /values have shape \[1,2\]; for keys of shape \[2\] it must be \[2,2\]/,
  );
  expect(numbers(await sess.run(table.size()))).toEqual([2]);
});

test('lookups in branches and loops', async () => {
  const table = new fr.MutableHashTable('int64', 'int64', 0);
  const steps = fr.placeholder('int32', [], { name: 'steps' });
  const one = fr.constant([1], { dtype: 'int64' });
  const count = fr.whileLoop(
    (i) => fr.less(i, steps),
    (i) => {
      const insert = table.insert(one, fr.add(table.lookup(one), one));
      return fr.controlDependencies([insert], () => fr.add(i, 1));
    },
    [fr.constant(0, { dtype: 'int32' })],
  );
  const big = fr.greater(fr.reduceSum(fr.cast(table.lookup(one), 'float32')), 5);
  const chosen = fr.cond(big, () => table.lookup(one), () => fr.neg(table.lookup(one))); // prettier-ignore
  await using sess = await Session.create();
  await sess.run(count, { steps: 4 });
  expect(numbers(await sess.run(chosen))).toEqual([-4]);
  await sess.run(count, { steps: 600 });
  expect(numbers(await sess.run(chosen))).toEqual([604]);
});

test.each([
  ['ids of words', 'b\na\r\nc c', 'string', fr.TextFileIndex.WHOLE_LINE, 'int64', fr.TextFileIndex.LINE_NUMBER, ['c c', 'a', 'z'], [2, 1, -1]],
  ['columns', 'x\t4\t0.5\ny\t5\t1e3\n', 'string', 0, 'float32', 2, ['y', 'x'], [1000, 0.5]],
  ['numbers to words', 'p\nq\n', 'int64', fr.TextFileIndex.LINE_NUMBER, 'string', fr.TextFileIndex.WHOLE_LINE, [1, 0, 2], ['q', 'p', '?']],
] as const)('a table from a file: %s', async (_, text, from, key, to, value, wanted, expected) => {
  const init = new fr.TextFileInitializer(file(text), from, key, to, value);
  const table = new fr.StaticHashTable(init, to === 'string' ? '?' : -1);
  const found = table.lookup(fr.constant([...wanted], { dtype: from }));
  await using sess = await Session.create();
  await sess.run(fr.tablesInitializer());
  expect([...(await sess.run(found)).data].map((x) => (typeof x === 'bigint' ? Number(x) : x))).toEqual(expected);
}); // prettier-ignore

test('files that do not fit are refused, saying where', async () => {
  const path = file('a 1\nb x\nc 3\n');
  const column = (index: number, options = {}): fr.Operation => {
    const init = new fr.TextFileInitializer(path, 'string', 0, 'int64', index, {
      delimiter: ' ',
      ...options,
    });
    return new fr.StaticHashTable(init, -1).initializer;
  };
  const [number, few, first, absent] = [column(1), column(1, { vocabSize: 9 }), column(1, { vocabSize: 1 }), column(2)]; // prettier-ignore
  await using sess = await Session.create();
  await expect(sess.run(number)).rejects.toThrow(/vocabulary\.txt", line 2: "x" is no whole number/);
  await expect(sess.run(few)).rejects.toThrow(/has 3 lines, vocab_size is 9/);
  await sess.run(first);
  await expect(sess.run(absent)).rejects.toThrow(/line 1: there is no column 2/);
  rmSync(path);
  await expect(sess.run(number)).rejects.toThrow(fr.NotFoundError);
  writeFileSync(path, '');
  expect(() => new fr.TextFileInitializer(path, 'int64', -2, 'int64', -1)).toThrow(/a whole line is string/);
});

test('a SavedModel takes its vocabulary along and fills its tables when it is loaded', async () => {
  const path = file('no\nyes\nmaybe\n');
  const init = new fr.TextFileInitializer(path, 'string', -2, 'int64', -1);
  const table = new fr.StaticHashTable(init, -1);
  const words = fr.placeholder('string', [null], { name: 'words' });
  const scale = new fr.Variable(2, { name: 'scale', dtype: 'float32' });
  const scores = fr.mul(fr.cast(table.lookup(words), 'float32'), scale, { name: 'scores' });
  const target = join(directory, 'model');
  {
    await using sess = await Session.create();
    await sess.run([fr.globalVariablesInitializer(), fr.tablesInitializer()]);
    const builder = new savedModel.Builder(target);
    await builder.addMetaGraphAndVariables(sess, ['serve'], {
      signatureDefMap: {
        serving_default: fr.savedModelSignatures.predictSignatureDef({ words }, { scores }),
      },
      assetsCollection: fr.getCollection(fr.GraphKeys.ASSET_FILEPATHS),
      legacyInitOp: fr.tablesInitializer(),
    });
    await builder.save();
  }
  rmSync(path);
  expect(readFileSync(join(target, 'assets/vocabulary.txt'), 'utf8')).toBe('no\nyes\nmaybe\n');
  const graph = new fr.Graph();
  await using sess = await Session.create({ graph });
  const { signature } = await savedModel.load(sess, ['serve'], target);
  const { outputs } = signature();
  expect(graph.getCollection(fr.GraphKeys.TABLE_INITIALIZERS)).toHaveLength(1);
  const fed = { words: ['maybe', 'yes', 'other'] };
  expect(numbers((await sess.run(outputs, fed)).scores)).toEqual([4, 2, -2]);
});

test('tables over references, as the oldest files have them', async () => {
  const graph = fr.getDefaultGraph();
  const types = { key_dtype: 'string', value_dtype: 'int64' } as const;
  const make = (type: string, inputs: fr.Tensor[], attrs = {}): fr.Operation => graph.createOp({ type, inputs, attrs, name: type });
  const words = fr.constant(['a', 'b']);
  const ids = fr.constant([1, 2], { dtype: 'int64' });
  const none = fr.constant(-7, { dtype: 'int64' });
  const table = make('HashTable', [], types).output(0);
  const init = make('InitializeTable', [table, words, ids]);
  const found = make('LookupTableFind', [table, fr.constant(['b', 'q']), none]).output(0);
  const size = make('LookupTableSize', [table]).output(0);
  const mutable = make('MutableHashTable', [], types).output(0);
  const insert = make('LookupTableInsert', [mutable, words, ids]);
  const exported = make('LookupTableExport', [mutable], { Tkeys: 'string', Tvalues: 'int64' });
  await using sess = await Session.create();
  await sess.run([init, insert]);
  expect(numbers(await sess.run(found))).toEqual([2, -7]);
  expect(numbers(await sess.run(size))).toEqual([2]);
  const [keys, values] = await sess.run([exported.output(0), exported.output(1)]);
  expect([...(keys.data)]).toEqual(['a', 'b']);
  expect(numbers(values)).toEqual([1, 2]);
}); // prettier-ignore

test('a saver saves the entries of tables with the variables', async () => {
  const words = new fr.MutableHashTable('string', 'int64', 0n, { name: 'words' });
  const rows = new fr.MutableHashTable('int64', 'float32', [0, 0], { name: 'rows' });
  const left = new fr.MutableHashTable('int64', 'int64', 0n, { name: 'left', checkpoint: false });
  const w = new fr.Variable([1, 2], { name: 'w' });
  const fill = fr.group([
    words.insert(['a', 'ü'], [1n, 2n]),
    rows.insert([7n], [[0.5, 1.5]]),
    left.insert([1n], [1n]),
  ]);
  const found = { a: words.lookup(['ü', 'x']), b: rows.lookup([7n]), c: left.size() };
  const saver = new Saver();
  const warnings: string[] = [];
  await using sess = await Session.create({ config: { onWarning: (text) => warnings.push(text) } });
  await sess.run(fr.globalVariablesInitializer());
  await sess.run(fill);
  const prefix = await saver.save(sess, join(directory, 'model'));
  expect(warnings).toEqual([]);
  await sess.run([words.insert(['x'], [9n]), words.remove(['ü']), rows.remove([7n])]);
  await sess.run(fr.assign(w, [0, 0]));
  const report = await saver.restore(sess, prefix);
  expect(report).toMatchObject({
    restored: ['w', 'rows-keys', 'rows-values', 'words-keys', 'words-values'],
    unused: [],
  });
  const { a, b, c } = await sess.run(found);
  expect([numbers(a), numbers(b), numbers(c)]).toEqual([[2, 0], [0.5, 1.5], [1]]); // prettier-ignore

  // The file's own saver finds the tables by its nodes.
  const graph = new fr.Graph();
  const imported = await importMetaGraph(`${prefix}.meta`, { graph });
  await using other = await Session.create({ graph });
  await imported?.restore(other, prefix);
  expect(numbers(await other.run(graph.getTensorByName(found.a.name)))).toEqual([2, 0]);
  await imported?.save(other, join(directory, 'again'));
  const reader = await CheckpointReader.open(join(directory, 'again'));
  expect((await reader.getTensor('words-keys')).toArray()).toEqual(['a', 'ü']);
  await reader.close();
});

test('a checkpoint without the entries of a table, or with others, changes nothing', async () => {
  const w = new fr.Variable([1, 2], { name: 'w' });
  const table = new fr.MutableHashTable('int64', 'float32', 0, { name: 'table' });
  const only = new Saver({ varList: [w] });
  await using sess = await Session.create();
  await sess.run(fr.globalVariablesInitializer());
  await sess.run(table.insert([1n], [2]));
  const prefix = await only.save(sess, join(directory, 'only'));
  const both = new Saver();
  await expect(both.restore(sess, prefix)).rejects.toThrow(/lacks 2 of 3 variables:\n {2}"table-keys"/);
  expect((await both.restore(sess, prefix, { ignoreMissing: true })).missing).toEqual([
    'table-keys',
    'table-values',
  ]);
  const saved = await both.save(sess, join(directory, 'both'));
  const texts = new fr.MutableHashTable('string', 'float32', [0, 0], { name: 'texts' });
  const other = new Saver({ varList: { w, table: texts } });
  await expect(other.restore(sess, saved)).rejects.toThrow(
    /"table-keys": stored int64 \[1\], table "texts" string \[1\]\n {2}"table-values": stored float32 \[1\], table "texts" float32 \[1,2\]/,
  );
  expect(numbers(await sess.run(texts.size()))).toEqual([0]);
});

test('a dense table exports its buckets as TensorFlow does, and imports them', async () => {
  const graph = fr.getDefaultGraph();
  const attrs = { key_dtype: 'string', value_dtype: 'float32', value_shape: [2], initial_num_buckets: 8 };
  const inputs = [fr.constant(''), fr.constant('gone')];
  const make = (type: string, given: fr.Tensor[], more = {}): fr.Operation =>
    graph.createOp({ type, inputs: given, attrs: more });
  const table = make('MutableDenseHashTableV2', inputs, attrs).output(0);
  const keys = ['cat', 'a dog', 'owl', 'a much longer string than eight', '12345678', 'mouse'];
  const values = keys.map((_, i) => [2 * i, 2 * i + 1]);
  const insert = make('LookupTableInsertV2', [table, fr.constant(keys), fr.constant(values)]);
  const exported = make('LookupTableExportV2', [table], { Tkeys: 'string', Tvalues: 'float32' });
  const find = (key: string): fr.Tensor =>
    make('LookupTableFindV2', [table, fr.constant([key]), fr.constant([-1, -1])]).output(0);
  const [foundB, foundGone] = [find('b'), find('gone')];
  const size = make('LookupTableSizeV2', [table]).output(0);
  const imports = (...rows: [string, number][]): fr.Operation =>
    make('LookupTableImportV2', [
      table,
      fr.constant(rows.map(([key]) => [key])),
      fr.constant(rows.map(([, value]) => [value, value])),
    ]);
  const put = imports(['a', 1], ['', 2], ['gone', 3], ['b', 4]);
  const three = imports(['a', 1], ['b', 2], ['c', 3]);
  await using sess = await Session.create();
  await sess.run(insert);
  const [stored, rows] = await sess.run([exported.output(0), exported.output(1)]);
  // What TensorFlow 2.21 exports of this table.
  const want = ['a dog', 'mouse', 'a much longer string than eight', '', 'owl', '12345678', '', 'cat'];
  expect(stored.toArray()).toEqual(want.map((key) => [key]));
  expect(rows.toArray()).toEqual([[2, 3], [10, 11], [6, 7], [0, 0], [4, 5], [8, 9], [0, 0], [0, 1]]); // prettier-ignore
  await sess.run(put);
  expect(numbers(await sess.run(size))).toEqual([2]);
  expect(numbers(await sess.run(foundB))).toEqual([4, 4]);
  await expect(sess.run(foundGone)).rejects.toThrow(
    /uses the key "gone" itself, as the key of removed entries/,
  );
  await expect(sess.run(three)).rejects.toThrow(/a dense table has a power of two of buckets, not 3/);
});
