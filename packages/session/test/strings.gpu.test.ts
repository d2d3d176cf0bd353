/** Hashes of texts and numbers as texts in a run, and vocabulary tables with them, against TensorFlow 2.21. */
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import { Session } from '../src/index.js';

const WORDS = [
  'emerson',
  'lake',
  'palmer',
  'king',
  'crimson',
  'Ü',
  '',
  'a word of more than sixteen letters',
];

let sess: Session;
beforeEach(() => fr.resetDefaultGraph());
afterEach(() => sess.close());

async function run<const T extends readonly fr.Tensor[]>(
  tensors: T,
  feeds: Record<string, fr.NestedArray | fr.TensorValue> = {},
) {
  sess = await Session.create();
  await sess.run(fr.tablesInitializer());
  return (await sess.run(tensors, feeds)).map((value) => value.toArray());
}

const numbers = (value: fr.NestedArray | undefined): number[] =>
  [value ?? []].flat(Infinity as 1).map(Number);

test('buckets by hashes', async () => {
  const words = fr.placeholder('string', [null, 4], { name: 'words' });
  const fast = fr.stringToHashBucketFast(words, 1000);
  const strong = fr.stringToHashBucketStrong(words, 1000, [1, 2]);
  const old = fr.stringToHashBucket(fr.constant(['cat', 'a dog']), 2 ** 30);
  expect(fast.shape.dims).toEqual([null, 4]);
  // Bytes that are no text are hashed as they are.
  const given = new fr.TensorValue(
    'string',
    [2, 4],
    [new TextEncoder().encode('emerson'), ...WORDS.slice(1)],
  );
  const onDevice = fr.add(fast, fr.constant(1, { dtype: 'int64' }));
  const [a, b, c, d] = await run([fast, strong, old, onDevice], { words: given });
  const want = [618, 256, 257, 638, 594, 589, 263, 207];
  expect(numbers(a)).toEqual(want);
  expect(numbers(b)).toEqual([455, 966, 821, 231, 172, 990, 435, 912]);
  expect(numbers(c)).toEqual([555353879, 797174383]);
  expect(numbers(d)).toEqual(want.map((bucket) => bucket + 1));
});

test('integers and booleans as texts', async () => {
  const x = fr.placeholder('int32', [3], { name: 'x' });
  const doubled = fr.mul(x, 1);
  const texts = [
    fr.asString(doubled),
    fr.asString(x, { width: 6 }),
    fr.asString(x, { width: 6, fill: '0' }),
    fr.asString(x, { width: 6, fill: '-' }),
    fr.asString(x, { width: 6, fill: '+' }),
    fr.asString(fr.constant([true, false])),
    fr.asString(fr.constant([2n ** 62n], { dtype: 'int64' })),
  ];
  expect(await run(texts, { x: [5, -42, 1234567] })).toEqual([
    ['5', '-42', '1234567'],
    ['     5', '   -42', '1234567'],
    ['000005', '-00042', '1234567'],
    ['5     ', '-42   ', '1234567'],
    ['    +5', '   -42', '+1234567'],
    ['true', 'false'],
    [String(2n ** 62n)],
  ]);
  const exact = fr.asString(fr.constant([5], { dtype: 'int32' }), { precision: 2, name: 'five' });
  await expect(sess.run(exact)).rejects.toThrow(/AsString "five": int32 has no precision and no exponent/);
});

/** By `fixtures/tensorflow/printedFloats.py`: dtype, precision, scientific, shortest, width, fill, texts of all values. */
interface Printed {
  values: string[];
  cases: [
    'float32' | 'float64',
    number,
    number,
    number,
    number,
    '' | ' ' | '+' | '-' | '0' | '#',
    string[],
  ][];
}

test('floating-point numbers as texts are those of TensorFlow', async () => {
  const file = new URL('fixtures/tensorflow/printedFloats.json', import.meta.url);
  const { values, cases } = JSON.parse(readFileSync(file, 'utf8')) as Printed;
  const special: Readonly<Record<string, number>> = { nan: NaN, inf: Infinity, '-inf': -Infinity };
  const numbers = values.map((text) => special[text] ?? Number(text));
  const texts = cases.map(([dtype, precision, scientific, shortest, width, fill]) =>
    fr.asString(fr.constant(numbers, { dtype }), {
      precision,
      scientific: scientific === 1,
      shortest: shortest === 1,
      width,
      fill,
    }),
  );
  expect(await run(texts)).toEqual(cases.map((one) => one[6]));
  expect(await run([fr.asString(fr.constant([0.5, 2.25], { dtype: 'float16' }), { precision: 1 })])).toEqual([
    ['0.5', '2.2'],
  ]);
});

test('words without an entry are numbered by their hash', async () => {
  const words = fr.placeholder('string', [null], { name: 'words' });
  const known = new fr.KeyValueTensorInitializer(['emerson', 'lake', 'palmer'], [0, 1, 2], {
    valueDtype: 'int64',
  });
  const table = new fr.StaticVocabularyTable(known, 5);
  const integers = new fr.KeyValueTensorInitializer([10, -20, 30], [0, 1, 2], { valueDtype: 'int64' });
  const ofIntegers = new fr.StaticVocabularyTable(integers, 4, { lookupKeyDtype: 'int32' });
  const hashed = new fr.StaticVocabularyTable(null, 1000, { hasherSpec: fr.StrongHashSpec([1, 2]) });
  const places = fr.indexTableFromTensor(['emerson', 'lake', 'palmer'], { numOovBuckets: 5 });
  const plain = fr.indexTableFromTensor(['lake', 'king'], { defaultValue: -7 });
  const back = fr.indexToStringTableFromTensor(['lake', 'king']);
  const ids = table.lookup(words);
  const [a, b, c, d, e, f, sizes] = await run(
    [
      ids,
      ofIntegers.lookup([-20, 30, 7, -7, 123456789]),
      hashed.lookup(words),
      places.lookup(words),
      plain.lookup(words),
      back.lookup([1n, 5n, 0n]),
      fr.stack([table.size(), hashed.size(), places.size(), plain.size()]),
    ],
    { words: WORDS },
  );
  expect(numbers(a)).toEqual([0, 1, 2, 6, 7, 7, 6, 5]);
  expect(numbers(b)).toEqual([1, 2, 3, 5, 5]);
  expect(numbers(c)).toEqual([455, 966, 821, 231, 172, 990, 435, 912]);
  expect(numbers(d)).toEqual(numbers(a));
  expect(numbers(e)).toEqual([-7, 0, -7, 1, -7, -7, -7, -7]);
  expect(f).toEqual(['king', 'UNK', 'lake']);
  expect(numbers(sizes)).toEqual([8, 1000, 8, 2]);
  // Embeddings of all words, known or not.
  const rows = fr.gather(fr.reshape(fr.range(0, 16), [8, 2]), ids);
  expect((await sess.run(rows, { words: ['king', 'lake'] })).toArray()).toEqual([[12, 13], [2, 3]]); // prettier-ignore
});

test('a vocabulary in a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'forerun-strings-'));
  const path = join(folder, 'words.txt');
  writeFileSync(path, 'emerson\nlake\npalmer\n');
  const table = fr.indexTableFromFile(path, { numOovBuckets: 5 });
  const two = fr.indexTableFromFile(path, { vocabSize: 2 });
  const back = fr.indexToStringTableFromFile(path, { defaultValue: '?' });
  const [a, b, c] = await run([table.lookup(WORDS), two.lookup(['palmer', 'lake']), back.lookup([2n, 9n])]);
  rmSync(folder, { recursive: true });
  expect([numbers(a), numbers(b), c]).toEqual([[0, 1, 2, 6, 7, 7, 6, 5], [-1, 1], ['palmer', '?']]); // prettier-ignore
});

test('what vocabulary tables refuse', async () => {
  const words = new fr.KeyValueTensorInitializer(['a'], [0.5], { valueDtype: 'float32' });
  const numbersOf = new fr.KeyValueTensorInitializer(['a'], [0], { valueDtype: 'int64' });
  expect(() => new fr.StaticVocabularyTable(numbersOf, 0)).toThrow(/numOovBuckets must be at least 1, got 0/);
  expect(() => new fr.StaticVocabularyTable(words, 1)).toThrow(
    /values must be int64, the initializer has float32/,
  );
  expect(() => new fr.StaticVocabularyTable(numbersOf, 1, { lookupKeyDtype: 'int64' })).toThrow(
    /the initializer has string keys, lookups are to take int64/,
  );
  expect(() => new fr.StaticVocabularyTable(null, 1, { lookupKeyDtype: 'float32' })).toThrow(
    /keys are string, int32 or int64, got float32/,
  );
  const table = new fr.StaticVocabularyTable(null, 3, { hasherSpec: { hasher: 'stronghash' } });
  expect(() => table.lookup(['a'])).toThrow(/stronghash needs a key of two numbers/);
  expect(() => table.lookup(fr.constant([1]))).toThrow(/has string keys, "Const.*" is float32/);
  expect(() => fr.indexTableFromTensor(['a'], { numOovBuckets: -1 })).toThrow(
    /numOovBuckets must not be negative, got -1/,
  );
  sess = await Session.create();
});
