/** Text and JSON forms. */
import { decode, encode, fromJson, fromText, toJson, toText } from '../../src/proto/index.js';
import { fromBase64, toBase64 } from '../../src/proto/base64.js';
import { formatFloat } from '../../src/proto/textFormat.js';
import { InvalidArgumentError } from '../../src/errors.js';
import { hex } from './rawWire.js';
import { GRAPH, META } from './samples.js';

test('a field may be passed over, whatever it holds', () => {
  const skipped = { message: 'NodeDef', field: 'attr' } as const;
  const read = (attr: string): unknown =>
    fromText('GraphDef', `node { name: "a" ${attr} op: "Relu" } versions { producer: 9 }`, skipped);
  const bare = fromText('GraphDef', 'node { name: "a" op: "Relu" } versions { producer: 9 }');
  expect(read('attr { key: "T" value { type: DT_FLOAT } }')).toEqual(bare);
  expect(read(`attr: < key: '}"' value { s: "\\"{{" } > # }}`.replace('# }}', '# }}\n'))).toEqual(bare);
  expect(read('attr [ { key: "a" }, { key: "b" value { list { i: [1, 2] } } } ]')).toEqual(bare);
  expect(() => read('attr: 5')).toThrow(/line 1, column 24: expected "\{", found "5"/);
  expect(() => read('attr { key: "T" value {')).toThrow(/column 23: expected the end of "\{", found the end/);
});

test('text is laid out as protobuf prints it', () => {
  const text = toText('NodeDef', {
    name: 'x',
    op: 'Const',
    input: ['a', '^b'],
    attr: new Map([
      ['dtype', { type: 1 }],
      ['_s', { s: Uint8Array.of(10, 15, 99, 34, 255) }],
    ]),
  });
  expect(text).toBe(`name: "x"
op: "Const"
input: "a"
input: "^b"
attr {
  key: "_s"
  value {
    s: "\\n\\017c\\"\\377"
  }
}
attr {
  key: "dtype"
  value {
    type: DT_FLOAT
  }
}
`);
});

test.each([
  ['GraphDef', GRAPH],
  ['MetaGraphDef', META],
] as const)('%s survives text and JSON', (type, message) => {
  const bytes = encode(type, message);
  const value = decode(type, bytes);
  expect(hex(encode(type, fromText(type, toText(type, value))))).toBe(hex(bytes));
  const json = JSON.stringify(toJson(type, value));
  expect(hex(encode(type, fromJson(type, JSON.parse(json))))).toBe(hex(bytes));
});

test('all ways of writing text are read', () => {
  const node = fromText(
    'NodeDef',
    `# a comment
     name: 'a' "b" "\\x63\\u00e4", op: "X";
     input: ["i", "j"] input: "k"
     attr < key: "f" value: { f: -inf } >
     attr { key: "l" value { list { i: [1, -2, 0x10, 010] b: [true, f] type: [DT_INT32, 7] f: 1.5f } } }
     attr { value { s: "\\101\\n\\\\" } key: "s" }`,
  );
  expect(node.name).toBe('abcä');
  expect(node.input).toEqual(['i', 'j', 'k']);
  expect(node.attr.get('f')?.f).toBe(-Infinity);
  expect(node.attr.get('l')?.list).toMatchObject({
    i: [1n, -2n, 16n, 8n],
    b: [true, false],
    type: [3, 7],
    f: [1.5],
  });
  expect(node.attr.get('s')?.s).toEqual(Uint8Array.of(65, 10, 92));
});

test.each([
  [
    'node {\n  nam: "x"\n}',
    'GraphDef text, line 2, column 3: NodeDef has no field "nam"; did you mean "name"?',
  ],
  ['node {', 'GraphDef text, line 1, column 7: expected a field or "}", found the end'],
  ['node { name: x }', 'GraphDef text, line 1, column 14: field name needs a string, found "x"'],
  ['node { name: "x }', 'GraphDef text, line 1, column 14: string without end'],
  ['versions { producer: 1e3 }', 'line 1, column 22: field producer needs an integer, found "1e3"'],
  ['versions { producer: 99999999999 }', '99999999999 does not fit field producer of type int32'],
  ['versions { producer: 1 producer: 2 }', 'line 1, column 24: field producer is given twice'],
  ['node { attr { key: "a" value { type: DT_FLOTA } } }', 'DataType has no value DT_FLOTA'],
  ['node { attr { key: "a" value { i: 1 f: 2 } } }', 'value is given twice'],
  ['node }', 'expected "{", found "}"'],
  ['node { name: "\\q" }', 'unknown escape "\\q"'],
  ['node { attr { key: "a" value { type: toString } } }', 'DataType has no value toString'],
])('malformed text: %s', (text, message) => {
  expect(() => fromText('GraphDef', text)).toThrow(InvalidArgumentError);
  expect(() => fromText('GraphDef', text)).toThrow(message);
});

test('literals of all escapes, in parts, with characters beyond ASCII', () => {
  const text = String.raw`s: "\0a\101\x4\u00e9ü\U0001F600€" 'it\'s\377'`;
  const { s } = fromText('AttrValue', text);
  const encoded = new TextEncoder().encode("\0aA\x04éü😀€it's");
  expect(s).toEqual(Uint8Array.of(...encoded, 255));
  expect(fromText('NodeDef', `name: "caf\u00e9" 'ü'`).name).toBe('caféü');
});

test('nested text is bounded', () => {
  const deep = 'attr { key: "f" value { func { '.repeat(60) + '} } } '.repeat(60);
  expect(() => fromText('NodeDef', deep)).toThrow('messages nested deeper than 100');
});

test('JSON uses camelCase, strings for 64 bits, base64 and enum names', () => {
  const json = toJson('GraphDef', {
    node: [
      {
        name: 'c',
        attr: new Map([
          ['dtype', { type: 9 }],
          ['value', { tensor: { dtype: 9, tensorContent: Uint8Array.of(1, 2, 3), int64Val: [5n] } }],
        ]),
      },
    ],
    versions: { producer: 27, minConsumer: 1 },
  });
  expect(json).toEqual({
    node: [
      {
        name: 'c',
        attr: {
          dtype: { type: 'DT_INT64' },
          value: { tensor: { dtype: 'DT_INT64', tensorContent: 'AQID', int64Val: ['5'] } },
        },
      },
    ],
    versions: { producer: 27, minConsumer: 1 },
  });
});

test('JSON with original names, numbers and byte lists is read', () => {
  const tensor = fromJson('TensorProto', {
    dtype: 1,
    tensor_shape: { dim: [{ size: '2' }, { size: 3 }] },
    float_val: ['NaN', 0.1, '-Infinity'],
    tensorContent: [1, 255],
    versionNumber: null,
  });
  expect(tensor.tensorShape?.dim.map((dim) => dim.size)).toEqual([2, 3]);
  expect(tensor.floatVal).toEqual([NaN, Math.fround(0.1), -Infinity]);
  expect(tensor.tensorContent).toEqual(Uint8Array.of(1, 255));
});

test.each([
  [{ nodes: [] }, 'GraphDef: GraphDef has no field "nodes"; did you mean "node"?'],
  [{ node: [{ name: 5 }] }, 'GraphDef.node[0].name: expected a string, found 5'],
  [
    { node: [{ attr: { a: { i: '1.5' } } }] },
    'GraphDef.node[0].attr["a"].i: expected an integer, found "1.5"',
  ],
  [{ node: [{ attr: { a: { i: 1, f: 2 } } }] }, 'both "i" and "f" are given'],
  [{ node: [{ attr: { a: { s: '*' } } }] }, 'expected base64, found "*"'],
  [{ node: { name: 'x' } }, 'GraphDef.node: expected a list, found an object'],
  [[], 'GraphDef: expected an object, found a list'],
  [{ node: [{ attr: { a: { type: 'DT_FLOTA' } } }] }, 'DataType has no value DT_FLOTA'],
])('malformed JSON: %j', (json, message) => {
  expect(() => fromJson('GraphDef', json)).toThrow(InvalidArgumentError);
  expect(() => fromJson('GraphDef', json)).toThrow(message);
});

test('a map key like __proto__ is data', () => {
  const text = '{"node":[{"attr":{"__proto__":{"i":"1"}}}]}';
  const graph = fromJson('GraphDef', JSON.parse(text));
  expect(graph.node[0]?.attr.get('__proto__')?.i).toBe(1n);
  expect(JSON.stringify(toJson('GraphDef', graph))).toBe(text);
});

test('floats print with the fewest digits that read back the same', () => {
  expect(formatFloat(Math.fround(0.1), true)).toBe('0.1');
  expect(formatFloat(0.1, false)).toBe('0.1');
  expect(formatFloat(Math.fround(1 / 3), true)).toBe('0.33333334');
  expect(formatFloat(-0, true)).toBe('-0');
  expect(formatFloat(-Infinity, true)).toBe('-inf');
});

test('base64 of every remainder', () => {
  for (const bytes of [[], [1], [1, 2], [1, 2, 3], [255, 254, 253, 252]]) {
    const text = toBase64(Uint8Array.from(bytes));
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
    expect(fromBase64(text)).toEqual(Uint8Array.from(bytes));
  }
  expect(fromBase64('-_8')).toEqual(Uint8Array.of(251, 255));
  expect(fromBase64('A')).toBeUndefined();
});
