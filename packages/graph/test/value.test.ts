import {
  InvalidArgumentError,
  TensorValue,
  defaultDType,
  float16Bits,
  float16Value,
  fromHostValue,
  isFullyKnown,
  toHostValue,
  toTensorValue,
  type DType,
  type NestedArray,
  type ValueLike,
} from '@forerun/graph';

test('a deferred value reads its elements once, when they are asked for, and is equal to a plain one', () => {
  let reads = 0;
  const value = TensorValue.deferred('int32', [2], () => {
    reads++;
    return Int32Array.of(3, 4);
  });
  expect([value.dtype, value.shape, reads]).toEqual(['int32', [2], 0]);
  expect(value).toEqual(new TensorValue('int32', [2], Int32Array.of(3, 4)));
  expect(value).not.toEqual(new TensorValue('int32', [2], Int32Array.of(3, 5)));
  expect([value.toArray(), reads, value instanceof TensorValue]).toEqual([[3, 4], 1, true]);
});

describe('literals', () => {
  it.each<[ValueLike, DType]>([
    [1, 'float32'],
    [[true], 'bool'],
    ['a', 'string'],
    [[1n], 'int64'],
    [Int32Array.of(1), 'int32'],
    [Float64Array.of(1), 'float32'],
    [[[]], 'float32'],
    [new TensorValue('uint8', [1], Uint8Array.of(1)), 'uint8'],
  ])('gives %p the dtype %s', (value, dtype) => {
    expect(defaultDType(value)).toBe(dtype);
  });

  it('takes nested arrays', () => {
    const value = toTensorValue([
      [1, 2],
      [3, 4],
    ]);
    expect([value.shape, [...(value.data as Float32Array)]]).toEqual([
      [2, 2],
      [1, 2, 3, 4],
    ]);
  });

  it.each<[NestedArray, RegExp]>([
    [[[1, 2], [3]], /must be rectangular: found \[2\] beside \[1\]/],
    [[1, [2]], /must be rectangular: found \[\] beside \[1\]/],
    [['a', 1], /expected a string, got 1/],
  ])('rejects %j', (value, message) => {
    expect(() => toTensorValue(value)).toThrow(message);
  });

  it.each<[number, DType]>([
    [2 ** 31, 'int32'],
    [-1, 'uint8'],
    [256, 'uint8'],
    [1.5, 'int32'],
    [NaN, 'int32'],
    [1.5, 'int64'],
  ])('rejects %p as %s', (value, dtype) => {
    expect(() => toTensorValue(value, dtype)).toThrow(InvalidArgumentError);
    expect(() => toTensorValue(value, dtype)).toThrow(`${value} does not fit ${dtype}`);
  });

  it('fills and reshapes by shape', () => {
    expect([...(toTensorValue(7, 'int32', [2, 2]).data as Int32Array)]).toEqual([7, 7, 7, 7]);
    expect(toTensorValue([1, 2, 3, 4], 'float32', [2, 2]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(() => toTensorValue([1, 2, 3], 'float32', [2, 2])).toThrow(/\[2,2\] needs 4 elements, got 3/);
  });

  it('does not convert a value of another dtype', () => {
    const value = new TensorValue('int32', [1], Int32Array.of(1));
    expect(() => toTensorValue(value, 'float32')).toThrow(/expected a value of dtype float32, got int32/);
  });
});

describe('TensorValue', () => {
  it('gives single elements and nested arrays', () => {
    expect(new TensorValue('float32', [1], Float32Array.of(2.5)).item()).toBe(2.5);
    expect(new TensorValue('bool', [2], Uint8Array.of(1, 0)).toArray()).toEqual([true, false]);
    expect(new TensorValue('int64', [], BigInt64Array.of(5n)).toArray()).toBe(5);
    expect(new TensorValue('int64', [], BigInt64Array.of(2n ** 60n + 1n)).toArray()).toBe(2n ** 60n + 1n);
    expect(new TensorValue('string', [1], [Uint8Array.of(104, 105)]).toArray()).toEqual(['hi']);
  });

  it('refuses item() where there is no single number', () => {
    expect(() => new TensorValue('float32', [2], Float32Array.of(1, 2)).item()).toThrow(
      /exactly one element/,
    );
    expect(() => new TensorValue('int64', [], BigInt64Array.of(2n ** 60n + 1n)).item()).toThrow(
      /read data\[0\]/,
    );
    expect(() => new TensorValue('float32', [3], Float32Array.of(1))).toThrow(/has 3 elements, got 1/);
  });
});

describe('half precision', () => {
  it.each([
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [Infinity, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
  ])('rounds %p to 0x%s', (value, bits) => {
    expect(float16Bits(value)).toBe(bits);
  });

  it('reads back every finite number', () => {
    for (let bits = 0; bits < 0x7c00; bits++) expect(float16Bits(float16Value(bits))).toBe(bits);
    expect(float16Value(0xfc00)).toBe(-Infinity);
    expect(float16Value(float16Bits(NaN))).toBeNaN();
  });

  it('goes through the working form', () => {
    const half = toTensorValue([1.5, -2], 'float16');
    expect([...(toHostValue(half)?.data ?? [])]).toEqual([1.5, -2]);
    const brain = toTensorValue([1, 1 + 2 ** -8, NaN], 'bfloat16');
    expect([...(toHostValue(brain)?.data ?? [])]).toEqual([1, 1, NaN]);
  });
});

describe('the working form', () => {
  it('marks unknown integers, not float NaN', () => {
    const data = Float64Array.of(NaN);
    expect(isFullyKnown({ dtype: 'int32', shape: [1], data })).toBe(false);
    expect(isFullyKnown({ dtype: 'float32', shape: [1], data })).toBe(true);
  });

  it('converts back, checking ranges', () => {
    const value = { dtype: 'int32' as const, shape: [1], data: Float64Array.of(3e9) };
    expect(() => fromHostValue(value)).toThrow(/3000000000 does not fit int32/);
    expect(fromHostValue({ ...value, dtype: 'bool', data: Float64Array.of(2) }).toArray()).toEqual([true]);
    expect(toHostValue(toTensorValue('a'))).toBeNull();
  });
});
