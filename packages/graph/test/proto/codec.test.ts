/** Binary form: exact bytes, round trips, unknown fields, and damaged input. */
import { create, decode, encode, encodedSize, UNKNOWN_FIELDS } from '../../src/proto/index.js';
import { fromText, toText } from '../../src/proto/index.js';
import { DataLossError, InvalidArgumentError } from '../../src/errors.js';
import { hasProtoc, protocDecode, protocEncode } from './protoc.js';
import { hex, raw, rawBytes, rawFields, rawMap, rawText, unhex } from './rawWire.js';
import { GRAPH, META } from './samples.js';

describe('bytes', () => {
  test('members of a oneof are written when they are zero, other defaults are not', () => {
    expect(hex(encode('AttrValue', { i: 0n }))).toBe('1800');
    expect(hex(encode('AttrValue', { b: false }))).toBe('2800');
    expect(hex(encode('AttrValue', { s: new Uint8Array(0) }))).toBe('1200');
    expect(hex(encode('NodeDef', { name: '', input: [], attr: new Map() }))).toBe('');
  });

  test('minus zero is not a default', () => {
    expect(hex(encode('SaverDef', { keepCheckpointEveryNHours: -0 }))).toBe('3500000080');
  });

  test('a negative enum or int takes ten bytes', () => {
    expect(hex(encode('OptimizerOptions', { optLevel: -1 }))).toBe('18ffffffffffffffffff01');
    expect(hex(encode('TensorShapeProto', { dim: [{ size: -1 }] }))).toBe('120b08ffffffffffffffffff01');
  });

  test('a size of zero is an empty dimension', () => {
    expect(hex(encode('TensorShapeProto', { dim: [{ size: 0 }] }))).toBe('1200');
    expect(decode('TensorShapeProto', unhex('1200')).dim).toEqual([{ size: 0, name: '' }]);
  });

  test('map entries are sorted by the bytes of their keys', () => {
    const attr = new Map(['b', 'ä', 'a', '\u{10000}', '\uffee', 'B'].map((key) => [key, { i: 1n }]));
    const bytes = encode('NodeDef', { attr });
    expect([...rawMap(bytes, 5).keys()]).toEqual(['B', 'a', 'b', 'ä', '\uffee', '\u{10000}']);
  });

  test('the order of insertion does not show', () => {
    const one = encode('NodeDef', {
      attr: new Map([
        ['a', { i: 1n }],
        ['b', { i: 2n }],
      ]),
    });
    const other = encode('NodeDef', {
      attr: new Map([
        ['b', { i: 2n }],
        ['a', { i: 1n }],
      ]),
    });
    expect(hex(one)).toBe(hex(other));
  });

  test('numbers of a list are packed', () => {
    const bytes = encode('TensorProto', { intVal: [1, -1, 300] });
    expect(rawFields(bytes)).toHaveLength(1);
    expect(hex(rawBytes(bytes, 7))).toBe('01ffffffffffffffffff01ac02');
  });

  test("a second reader finds everything under TensorFlow's numbers", () => {
    const bytes = encode('GraphDef', GRAPH);
    const nodes = raw(bytes, 1) as Uint8Array[];
    expect(nodes.map((node) => [rawText(node, 1), rawText(node, 2)])).toEqual([
      ['x', 'Placeholder'],
      ['scope/c', 'Const'],
      ['y', 'AddV2'],
    ]);
    expect((raw(nodes[2] ?? bytes, 3) as Uint8Array[]).map((text) => Buffer.from(text).toString())).toEqual([
      'x',
      'scope/c:1',
      '^scope/c',
    ]);
    const attrs = rawMap(nodes[1] ?? bytes, 5);
    expect(raw(attrs.get('dtype') ?? bytes, 6)).toEqual([9n]);
    expect(hex(rawBytes(attrs.get('_raw') ?? bytes, 2))).toBe('000aff225c');
    expect(raw(rawBytes(bytes, 4), 1)).toEqual([1087n]);
    expect(rawText(rawBytes(bytes, 2, 1), 1, 1)).toBe('f');
  });

  test('the measured size is the written size', () => {
    expect(encodedSize('MetaGraphDef', META)).toBe(encode('MetaGraphDef', META).length);
  });
});

describe('round trips', () => {
  test.each([
    ['GraphDef', encode('GraphDef', GRAPH)],
    ['MetaGraphDef', encode('MetaGraphDef', META)],
  ] as const)('%s: bytes to message to bytes', (type, bytes) => {
    expect(hex(encode(type, decode(type, bytes)))).toBe(hex(bytes));
  });

  test('64-bit integers survive', () => {
    const [, node] = decode('GraphDef', encode('GraphDef', GRAPH)).node;
    expect(node?.attr.get('value')?.tensor?.int64Val).toEqual([-(2n ** 63n), 2n ** 63n - 1n, 0n]);
  });

  test('defaults are filled in', () => {
    expect(create('NodeDef')).toEqual({ name: '', op: '', input: [], device: '', attr: new Map() });
    expect(decode('SaverDef', new Uint8Array(0)).maxToKeep).toBe(0);
  });

  test('fields that proto/ does not know are kept, also in sub-messages', () => {
    // GraphDef: field 5 (debug info) and a node with field 7.
    const bytes = unhex('0a09 0a0178 1202 4142 3a00 2a03 616263');
    const graph = decode('GraphDef', bytes);
    expect(hex(graph[UNKNOWN_FIELDS] ?? new Uint8Array(0))).toBe('2a03616263');
    expect(graph.node[0]?.op).toBe('AB');
    expect(hex(encode('GraphDef', graph))).toBe(hex(bytes));
  });

  test('packed and unpacked numbers may be mixed', () => {
    expect(decode('TensorProto', unhex('3801 3a020203 3804')).intVal).toEqual([1, 2, 3, 4]);
  });

  test('of a oneof the last member wins; a message that comes twice is merged', () => {
    expect(decode('AttrValue', unhex('1805 2801'))).toEqual({ b: true });
    const twice = unhex('2202 0805 2202 1007');
    expect(decode('GraphDef', twice).versions).toMatchObject({ producer: 5, minConsumer: 7 });
  });

  test('a field may be passed over', () => {
    const whole = decode('GraphDef', encode('GraphDef', GRAPH));
    const bare = decode('GraphDef', encode('GraphDef', GRAPH), { message: 'NodeDef', field: 'attr' });
    expect(whole.node.some(({ attr }) => attr.size > 0)).toBe(true);
    expect(bare).toEqual({ ...whole, node: whole.node.map((node) => ({ ...node, attr: new Map() })) });
  });

  test('of a oneof the last member wins in entries of maps, and where the members are messages', () => {
    // An entry of `attr` with the value twice: i = 1, then b = true.
    const { attr } = decode('NodeDef', unhex('2a0b0a0161 1202 1801 1202 2801'));
    expect([...attr]).toEqual([['a', { b: true }]]);
    // A collection with a list of nodes after one of bytes.
    const { collectionDef } = decode('MetaGraphDef', unhex('220c 0a0161 1207 1200 0a030a0162'));
    expect(collectionDef.get('a')).toEqual({ nodeList: { value: ['b'] } });
  });

  test('the last entry of a map key wins, and missing parts are defaults', () => {
    const attr = decode('NodeDef', unhex('2a070a01611202 1801 2a070a0161 1202 1802 2a00')).attr;
    expect(attr.get('a')?.i).toBe(2n);
    expect(attr.get('')).toEqual({});
  });
});

describe('damaged input', () => {
  const bytes = encode('GraphDef', GRAPH);

  test.each([
    ['a cut length', '0a', 'GraphDef: unexpected end in node[0] at byte 1'],
    [
      'a huge length',
      '0affffffff0f',
      'GraphDef: length 4294967295 is more than the 0 bytes left in node[0] at byte 6',
    ],
    ['a length above 32 bits', '0affffffffff01', 'GraphDef: varint above 32 bits in node[0] at byte 6'],
    [
      'a nested length',
      '0a030a0578',
      'GraphDef: length 5 is more than the 1 bytes left in node[0] at byte 4',
    ],
    ['a group', '0b', 'GraphDef: field node has wire type 3, not 2, at byte 1'],
    ['field number zero', '00', 'GraphDef: field number 0 at byte 1'],
    ['text that is not UTF-8', '0a030a01ff', 'GraphDef: text that is not UTF-8 in node[0] at byte 4'],
    ['an endless varint', `220408ffffff`, 'GraphDef: unexpected end in versions at byte 6'],
    [
      'a varint of eleven bytes',
      `220c08${'ff'.repeat(11)}`,
      'GraphDef: varint longer than 10 bytes in versions at byte 13',
    ],
    [
      'an attribute',
      '0a0a2a080a01611203420508',
      'GraphDef: length 5 is more than the 1 bytes left in node[0].attr["a"].tensor at byte 11',
    ],
  ])('%s', (_, text, message) => {
    const attempt = (): unknown => decode('GraphDef', unhex(text));
    expect(attempt).toThrow(DataLossError);
    expect(attempt).toThrow(message);
  });

  test('every truncation is an error or a shorter message, never a hang', () => {
    for (let end = 0; end < bytes.length; end++) {
      try {
        decode('GraphDef', bytes.subarray(0, end));
      } catch (error) {
        expect(error).toBeInstanceOf(DataLossError);
      }
    }
  });

  test('flipped bytes give a message or a DataLossError', () => {
    for (let i = 0; i < bytes.length; i++) {
      const damaged = bytes.slice();
      damaged[i] = (damaged[i] ?? 0) ^ 0xff;
      try {
        decode('GraphDef', damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(DataLossError);
      }
    }
  });

  test('nesting is bounded', () => {
    let nested = encode('TensorProto', {});
    for (let i = 0; i < 200; i++) nested = Uint8Array.of(26, ...varint(nested.length), ...nested);
    expect(() => decode('VariantTensorDataProto', nested)).toThrow(DataLossError);
  });

  test('a size beyond the exact range is an error', () => {
    expect(() => decode('TensorShapeProto.Dim', unhex('08ffffffffffffffff7f'))).toThrow(
      'TensorShapeProto.Dim: size is 9223372036854775807, beyond the exact range at byte 10',
    );
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];
}

test('values that do not fit their field are refused', () => {
  expect(() => encode('SaverDef', { maxToKeep: 2 ** 31 })).toThrow(InvalidArgumentError);
  expect(() => encode('SaverDef', { maxToKeep: 1.5 })).toThrow(
    'field max_to_keep of type int32 cannot hold 1.5',
  );
  expect(() => encode('AttrValue', { i: 2n ** 63n })).toThrow(
    'field i of type int64 cannot hold 9223372036854775808',
  );
});

test('a message of 2 GiB is refused before memory is taken', () => {
  const part = new Uint8Array(2 ** 27);
  const message = { node: Array.from({ length: 16 }, () => ({ attr: new Map([['v', { s: part }]]) })) };
  expect(() => encode('GraphDef', message)).toThrow(
    /^GraphDef would take 21\d+ bytes; protobuf allows 2147483647$/,
  );
});

if (hasProtoc) {
  test.each([
    ['GraphDef', GRAPH],
    ['MetaGraphDef', META],
  ] as const)('protoc reads %s as we print it, and writes the same bytes', (type, message) => {
    const bytes = encode(type, message);
    const theirs = protocDecode(type, bytes);
    expect(hex(encode(type, fromText(type, theirs)))).toBe(hex(bytes));
    expect(hex(protocEncode(type, toText(type, message)))).toBe(hex(bytes));
  });
}
