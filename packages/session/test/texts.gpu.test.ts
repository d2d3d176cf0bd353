/** Ops on texts give what TensorFlow 2.21 gave (`fixtures/tensorflow/texts.py`), and texts go through the ops that move and compare elements. */
import { readFileSync } from 'node:fs';
import * as fr from '@forerun/graph';
import { fromRe2 } from '../src/run/re2.js';
import { TextPool } from '../src/device/texts.js';
import { Session } from '../src/index.js';

interface Described {
  readonly dtype: 'string' | 'bool' | 'int32' | 'int64' | 'float32';
  readonly shape: readonly number[];
  readonly data: readonly (string | number | boolean | readonly number[])[];
}

interface Case {
  readonly op: string;
  readonly attrs: Readonly<Record<string, fr.AttrInputs[string]>>;
  readonly inputs: readonly Described[];
  readonly outputs: readonly Described[];
}

const CASES = JSON.parse(
  readFileSync(new URL('fixtures/tensorflow/texts.json', import.meta.url), 'utf8'),
) as readonly Case[];

let sess: Session;
beforeEach(async () => {
  fr.resetDefaultGraph();
  sess = await Session.create();
});
afterEach(() => sess.close());

function valueOf({ dtype, shape, data }: Described): fr.TensorValue {
  if (dtype !== 'string') return fr.toTensorValue(data, dtype, shape);
  const elements = data.map((one) => (typeof one === 'string' ? one : Uint8Array.from(one as number[])));
  return new fr.TensorValue('string', shape, elements);
}

/** Elements with texts as the bytes that they are. */
function plain({ shape, data }: fr.TensorValue): unknown {
  const one = (element: unknown): unknown => {
    if (typeof element === 'string') return [...new TextEncoder().encode(element)].join();
    return element instanceof Uint8Array ? element.join() : Number(element);
  };
  return { shape: [...shape], elements: Array.from(data as ArrayLike<unknown>, one) };
}

function node({ op, attrs, inputs }: Case, given: readonly fr.Tensor[]): readonly fr.Tensor[] {
  return fr.getDefaultGraph().createOp({
    type: op,
    name: op,
    inputs: given,
    attrs: op === 'StringJoin' ? { ...attrs, N: inputs.length } : attrs,
  }).outputs;
}

test('every op gives what TensorFlow gave', async () => {
  const fetches = CASES.flatMap((one) =>
    node(
      one,
      one.inputs.map((value) => fr.constant(valueOf(value))),
    ),
  );
  const got = (await sess.run(fetches)).map(plain);
  const want = CASES.flatMap(({ outputs }) => outputs.map((value) => plain(valueOf(value))));
  let next = 0;
  for (const { op, attrs, outputs } of CASES) {
    for (let i = 0; i < outputs.length; i++, next++)
      expect({ op, attrs, result: got[next] }).toEqual({ op, attrs, result: want[next] });
  }
  expect(CASES.length).toBeGreaterThan(60);
});

test('texts are moved, chosen and compared', async () => {
  const words = fr.placeholder('string', [null], { name: 'words' });
  const grid = fr.reshape(words, [2, 3]);
  const fetches = {
    turned: fr.transpose(grid),
    gathered: fr.gather(words, [5, 0, 5]),
    joined: fr.concat([grid, fr.constant([['x', '', 'y']])], 0),
    parts: fr.slice(grid, [0, 1], [2, 2]),
    same: fr.equal(grid, 'b'),
    other: fr.notEqual(words, fr.reverse(words, [0])),
    chosen: fr.where(fr.equal(words, 'b'), fr.constant(['1', '2', '3', '4', '5', '6']), words),
    padded: fr.pad(fr.expandDims(words, 0), [[0, 1], [0, 0]]), // prettier-ignore
    tiled: fr.tile(fr.constant(['ab']), [2]),
    filled: fr.fill([2], 'z'),
    distinct: fr.unique(words)[0],
    upper: fr.stringUpper(fr.tile(grid, [1, 2])),
    fused: fr.reshape(
      fr.where(fr.equal(fr.gather(words, [0, 1]), 'a'), 'yes', fr.gather(words, [4, 3])),
      [2, 1],
    ),
  };
  const given = ['a', 'b', 'c', 'b', 'ü', ''];
  const got = await sess.run(fetches, { words: given });
  const plainly = Object.fromEntries(Object.entries(got).map(([name, value]) => [name, value.toArray()]));
  expect(plainly).toEqual({
    turned: [['a', 'b'], ['b', 'ü'], ['c', '']], // prettier-ignore
    gathered: ['', 'a', ''],
    joined: [['a', 'b', 'c'], ['b', 'ü', ''], ['x', '', 'y']], // prettier-ignore
    parts: [['b', 'c'], ['ü', '']], // prettier-ignore
    same: [[false, true, false], [true, false, false]], // prettier-ignore
    other: [true, true, true, true, true, true],
    chosen: ['a', '2', 'c', '4', 'ü', ''],
    padded: [given, ['', '', '', '', '', '']],
    tiled: ['ab', 'ab'],
    filled: ['z', 'z'],
    distinct: ['a', 'b', 'c', 'ü', ''],
    fused: [['yes'], ['b']],
    upper: [['A', 'B', 'C', 'A', 'B', 'C'], ['B', 'ü', '', 'B', 'ü', '']], // prettier-ignore
  });
});

test('texts in loops, lists and functions', async () => {
  const lines = fr.placeholder('string', [null], { name: 'lines' });
  const cut = (line: fr.Tensor): fr.Tensor =>
    fr.reduceJoin(fr.stringSplitV2(fr.reshape(line, [1])).values, { separator: '-' });
  const mapped = fr.mapFn(cut, lines);
  const longest = fr.whileLoop(
    (i) => fr.less(i, fr.size(lines)),
    (i, text, found) => {
      const line = fr.gather(lines, i);
      const longer = fr.greater(fr.stringLength(line), fr.stringLength(text));
      return [fr.add(i, 1), fr.cond(longer, () => line, () => text), fr.stringJoin([found, '|'])]; // prettier-ignore
    },
    [fr.constant(0, { dtype: 'int32' }), fr.constant(''), fr.constant('')],
  );
  const given = ['one two', 'three', ' four  five six '];
  const [all, [, text, marks]] = await sess.run([mapped, longest] as const, { lines: given });
  expect([all.toArray(), text.toArray(), marks.toArray()]).toEqual([
    ['one-two', 'three', 'four-five-six'],
    ' four  five six ',
    '|||',
  ]);
});

test('what ops on texts refuse names the node', async () => {
  const word = fr.placeholder('string', [], { name: 'word' });
  const refused = async (fetch: fr.Tensor, given: string, message: RegExp): Promise<void> =>
    expect(sess.run(fetch, { word: given })).rejects.toThrow(message);
  await refused(fr.stringToNumber(word, { name: 'n' }), 'ten', /StringToNumber "n": "ten" is no float32/);
  await refused(
    fr.stringToNumber(word, { outType: 'int32', name: 'w' }),
    '2147483648',
    /StringToNumber "w": 2147483648 is too large for int32/,
  );
  await refused(
    fr.substr(word, 5, 1, { name: 's' }),
    'abc',
    /Substr "s": position 5 is outside of a text of length 3/,
  );
  await refused(
    fr.regexReplace(word, '(?=a)', '', { name: 'r' }),
    'abc',
    /StaticRegexReplace "r": the pattern "\(\?=a\)" has the group "\(\?=a\)"/,
  );
  await refused(
    fr.regexReplace(word, 'b', '\\2', { name: 'q' }),
    'abc',
    /StaticRegexReplace "q": the rewrite "\\\\2" has \\2; the pattern has 0 groups/,
  );
  await refused(
    fr.stringLower(word, { encoding: 'utf8' as 'utf-8', name: 'l' }),
    'A',
    /StringLower "l": attribute "encoding"/,
  );
  await refused(
    fr.add(word, fr.tile(fr.reshape(word, [1]), [2]), { name: 'sum' }),
    'a',
    /Add.* "sum": texts are joined by StringJoin/,
  );
  // The session goes on.
  expect((await sess.run(fr.stringUpper(word), { word: 'abc' })).toArray()).toBe('ABC');
});

test.each([
  ['a(b', /is no regular expression/],
  ['a\\', /ends with a backslash/],
  ['[a', /has a class without an end/],
  ['(a)\\1', /refers back to a group by \\1/],
  ['\\C', /has \\C, which RE2 or JavaScript does not know/],
  ['[[:foo:]]', /has the class \[:foo:\]/],
])('the pattern %s is refused', (pattern, message) => {
  expect(() => fromRe2(pattern)).toThrow(message);
});

test('texts of runs that have ended are forgotten, those of constants and of active runs are not', () => {
  const pool = new TextPool();
  const [constant] = pool.numbers(['for ever'], 'constant');
  const early = pool.begin();
  const kept = pool.numbers(['kept', new TextEncoder().encode('kept'), Uint8Array.of(255)], 'run');
  expect(kept[0]).toBe(kept[1]);
  for (let i = 0; i < 40; i++) {
    const run = pool.begin();
    pool.numbers(
      Array.from({ length: 100 }, (_, k) => `${i} ${k}`),
      'run',
    );
    pool.end(run);
  }
  expect(pool.texts([...kept, constant ?? 0, 0])).toEqual([
    'kept',
    'kept',
    Uint8Array.of(255),
    'for ever',
    '',
  ]);
  pool.end(early);
  for (let i = 0; i < 40; i++) {
    const run = pool.begin();
    pool.numbers(
      Array.from({ length: 100 }, (_, k) => `${i} ${k}`),
      'run',
    );
    pool.end(run);
    expect(pool.size).toBeLessThan(2200);
  }
  expect(() => pool.texts(kept)).toThrow(/no text has the number/);
  expect(pool.texts([constant ?? 0])).toEqual(['for ever']);
});
