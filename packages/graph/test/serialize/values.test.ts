/** Tensor values, attributes and op signatures as messages. */
import type { TensorValue } from '../../src/index.js';
import { attrFromProto, attrToProto, lookupOp, opDefToProto, proto, TensorShape } from '../../src/index.js';
import { tensorFromProto, tensorToProto, toTensorValue, type AttrValue } from '../../src/index.js';
import { hex, raw, rawBytes, rawText } from '../proto/rawWire.js';

const read = (message: proto.Init<proto.TensorProto>): TensorValue =>
  tensorFromProto(proto.decode('TensorProto', proto.encode('TensorProto', message)));
const shape = (...dims: number[]): { dim: { size: number }[] } => ({ dim: dims.map((size) => ({ size })) });

describe('TensorProto', () => {
  test.each([
    ['float32', { dtype: 1, floatVal: [0.5] }, [0.5]],
    ['float64', { dtype: 2, doubleVal: [0.1] }, [0.1]],
    ['int32', { dtype: 3, intVal: [-7] }, [-7]],
    ['uint8', { dtype: 4, intVal: [255] }, [255]],
    ['int16', { dtype: 5, intVal: [-5] }, [-5]],
    ['int8', { dtype: 6, intVal: [-1] }, [-1]],
    ['int64', { dtype: 9, int64Val: [-(2n ** 63n)] }, [-(2n ** 63n)]],
    ['bool', { dtype: 10, boolVal: [true] }, [1]],
    ['bfloat16', { dtype: 14, halfVal: [0x3f80] }, [0x3f80]],
    ['uint16', { dtype: 17, intVal: [65535] }, [65535]],
    ['float16', { dtype: 19, halfVal: [0x3c00] }, [0x3c00]],
    ['uint32', { dtype: 22, uint32Val: [4294967295] }, [4294967295]],
    ['uint64', { dtype: 23, uint64Val: [2n ** 64n - 1n] }, [2n ** 64n - 1n]],
  ] as const)('one %s lies in its typed list', (dtype, message, data) => {
    const value = read(message);
    expect(value.dtype).toBe(dtype);
    expect(Array.from(value.data as ArrayLike<number | bigint>)).toEqual(data);
    const written = proto.encode('TensorProto', tensorToProto(value));
    expect(hex(written)).toBe(hex(proto.encode('TensorProto', { ...message, tensorShape: {} })));
  });

  test('the last listed value fills the rest, none means zeros', () => {
    expect(read({ dtype: 1, tensorShape: shape(2, 2), floatVal: [7] }).toArray()).toEqual([
      [7, 7],
      [7, 7],
    ]);
    expect(read({ dtype: 3, tensorShape: shape(4), intVal: [1, 2] }).toArray()).toEqual([1, 2, 2, 2]);
    expect(read({ dtype: 9, tensorShape: shape(2) }).toArray()).toEqual([0, 0]);
    expect(read({ dtype: 7, tensorShape: shape(2), stringVal: [] }).data).toEqual(['', '']);
    expect(read({ dtype: 10, tensorShape: shape(3), boolVal: [true] }).toArray()).toEqual([true, true, true]);
    expect(read({ dtype: 1, tensorShape: shape(0, 5) }).shape).toEqual([0, 5]);
  });

  test('several values are raw little-endian content', () => {
    const bytes = proto.encode('TensorProto', tensorToProto(toTensorValue([[1, 2]])));
    expect(hex(rawBytes(bytes, 4))).toBe('0000803f00000040');
    expect(raw(bytes, 5)).toEqual([]);
    expect(raw(rawBytes(bytes, 2), 2)).toHaveLength(2);
  });

  test('content at an odd offset of the file is read', () => {
    const padded = new Uint8Array(9);
    padded.set([0, 0, 128, 63, 0, 0, 0, 64], 1);
    const bytes = proto.decode(
      'TensorProto',
      proto.encode('TensorProto', { dtype: 1, tensorShape: shape(2) }),
    );
    expect(tensorFromProto({ ...bytes, tensorContent: padded.subarray(1) }).toArray()).toEqual([1, 2]);
  });

  test('strings: text where it is UTF-8, bytes where it is not', () => {
    const value = read({
      dtype: 7,
      tensorShape: shape(2),
      stringVal: [Uint8Array.of(195, 164), Uint8Array.of(255)],
    });
    expect(value.data).toEqual(['ä', Uint8Array.of(255)]);
    expect(read(tensorToProto(value))).toEqual(value);
  });

  test('complex values, handles and variants are kept', () => {
    const complex = read({ dtype: 8, tensorShape: shape(2), scomplexVal: [1, 2] });
    expect(Array.from(complex.data as readonly Uint8Array[], hex)).toEqual([
      '0000803f00000040',
      '0000803f00000040',
    ]);
    expect(read(tensorToProto(complex))).toEqual(complex);
    const handle = read({ dtype: 20, resourceHandleVal: [{ name: 'v', hashCode: 2n ** 64n - 1n }] });
    expect(read(tensorToProto(handle))).toEqual(handle);
    const variant = read({ dtype: 21, variantVal: [{ typeName: 't', metadata: Uint8Array.of(1) }] });
    expect(read(tensorToProto(variant))).toEqual(variant);
  });

  test.each([
    [
      { dtype: 1, tensorShape: shape(2), tensorContent: new Uint8Array(7) },
      'a float32 tensor of shape [2] has 7 bytes of content, not 8',
    ],
    [
      { dtype: 1, tensorShape: shape(2), floatVal: [1, 2, 3] },
      'a float32 tensor of 2 elements lists 3 values',
    ],
    [{ dtype: 1, tensorShape: shape(-1) }, "a tensor's shape must be fully known, got [-1]"],
    [{ dtype: 1, tensorShape: shape(2 ** 40), floatVal: [1] }, 'is too large for a file'],
    [{ dtype: 99 }, 'unknown data type number 99'],
    [{}, 'a tensor without dtype'],
  ])('contradictions are refused: %j', (message, text) => {
    expect(() => read(message)).toThrow(text);
  });
});

const ATTRS: readonly AttrValue[] = [
  { kind: 'string', value: 'SAME' },
  { kind: 'string', value: Uint8Array.of(255) },
  { kind: 'int', value: -5 },
  { kind: 'int', value: 2n ** 63n - 1n },
  { kind: 'float', value: 0.5 },
  { kind: 'bool', value: false },
  { kind: 'type', value: 'float32_ref' },
  { kind: 'shape', value: TensorShape.of([null, 0, 3]) },
  { kind: 'shape', value: TensorShape.UNKNOWN },
  { kind: 'shape', value: TensorShape.SCALAR },
  { kind: 'tensor', value: toTensorValue([1, 2], 'int32') },
  { kind: 'func', value: { name: 'f', attrs: new Map([['T', { kind: 'type', value: 'bool' }]]) } },
  { kind: 'placeholder', value: 'T' },
  { kind: 'list(string)', value: ['a', ''] },
  { kind: 'list(int)', value: [1, 0, -1] },
  { kind: 'list(float)', value: [0, 1.5] },
  { kind: 'list(bool)', value: [false, true] },
  { kind: 'list(type)', value: ['int32', 'string'] },
  { kind: 'list(shape)', value: [TensorShape.UNKNOWN] },
  { kind: 'list(tensor)', value: [toTensorValue(1)] },
  { kind: 'list(func)', value: [{ name: 'g', attrs: new Map() }] },
  { kind: 'list()', value: [] },
];

test.each(ATTRS.map((attr) => [attr.kind, attr] as const))('attribute of kind %s', (_, attr) => {
  const bytes = proto.encode('AttrValue', attrToProto(attr));
  expect(attrFromProto(proto.decode('AttrValue', bytes))).toEqual(attr);
});

test('an attribute that holds nothing is refused', () => {
  expect(() => attrFromProto(proto.create('AttrValue'))).toThrow('it has no value');
});

test('a signature as OpDef', () => {
  const def = lookupOp('MatMul');
  if (def === undefined) throw new Error('MatMul is not registered');
  const bytes = proto.encode('OpDef', opDefToProto('MatMul', def));
  expect(rawText(bytes, 1)).toBe('MatMul');
  const message = proto.decode('OpDef', bytes);
  expect(message.inputArg.map(({ name, typeAttr }) => `${name}: ${typeAttr}`)).toEqual(['a: T', 'b: T']);
  expect(message.attr.find((attr) => attr.name === 'transpose_a')).toMatchObject({
    type: 'bool',
    defaultValue: { b: false },
  });
  expect(message.attr.find((attr) => attr.name === 'T')?.allowedValues?.list?.type).toContain(1);
});
