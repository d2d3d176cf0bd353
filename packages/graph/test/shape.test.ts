import {
  InvalidArgumentError,
  TensorShape,
  broadcastShapes,
  placeholder,
  sizeOf,
  stridesOf,
} from '@forerun/graph';

const of = TensorShape.of;

describe('TensorShape', () => {
  it('knows rank, size and dimensions as far as they are given', () => {
    expect(of([2, null, 3]).rank).toBe(3);
    expect(of([2, null, 3]).size).toBeNull();
    expect(of([2, 3]).size).toBe(6);
    expect(of([]).size).toBe(1);
    expect(of(null).rank).toBeNull();
    expect(of([2, -1]).dims).toEqual([2, null]);
    expect(of([2, 3]).dim(-1)).toBe(3);
    expect(() => of([2, 3]).dim(2)).toThrow(/dimension 2 is out of range for shape \[2,3\]/);
  });

  it.each([[[-2]], [[1.5]], [[NaN]]])('rejects the dimensions %j', (dims) => {
    expect(() => new TensorShape(dims)).toThrow(InvalidArgumentError);
  });

  it('merges what two shapes know', () => {
    expect(String(of([2, null]).mergeWith(of([null, 3])))).toBe('[2,3]');
    expect(String(of(null).mergeWith(of([1])))).toBe('[1]');
    expect(of([2]).mergeWith(of([3]))).toBeNull();
    expect(of([2]).mergeWith(of([2, 2]))).toBeNull();
  });

  it('slices and joins', () => {
    expect(String(of([2, null, 4]).slice(1))).toBe('[?,4]');
    expect(String(of(null).slice(1))).toBe('<unknown>');
    expect(String(of([2]).concat([3, null]))).toBe('[2,3,?]');
    expect(String(of([2]).concat(TensorShape.UNKNOWN))).toBe('<unknown>');
  });

  it('compares and gives static dimensions', () => {
    expect(of([2, null]).equals(of([2, null]))).toBe(true);
    expect(of([2, null]).equals(of([2, 3]))).toBe(false);
    expect(of([2, 3]).toStatic()).toEqual([2, 3]);
    expect(() => of([2, null]).toStatic()).toThrow(/shape \[2,\?\] is not fully known/);
    expect(JSON.stringify(of([2, null]))).toBe('[2,null]');
  });

  it.each([
    [[2, 1], [3], [2, 3]],
    [[null, 1], [4], [null, 4]],
    [[null], [3], [3]],
    [[null], [1], [null]],
    [[], [2, 2], [2, 2]],
    [[0], [1], [0]],
  ])('broadcasts %j and %j to %j', (a, b, want) => {
    expect(broadcastShapes(of(a), of(b))?.dims).toEqual(want);
    expect(broadcastShapes(of(b), of(a))?.dims).toEqual(want);
  });

  it('gives null for shapes that do not broadcast, and unknown for unknown', () => {
    expect(broadcastShapes(of([2]), of([3]))).toBeNull();
    expect(broadcastShapes(of(null), of([3]))).toBe(TensorShape.UNKNOWN);
  });

  it('counts elements and strides', () => {
    expect(sizeOf([2, 3, 4])).toBe(24);
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
  });

  it('is refined by setShape', () => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    x.setShape([2, null]);
    expect(String(x.shape)).toBe('[2,3]');
    expect(() => x.setShape([4, 3])).toThrow(/shape \[4,3\] contradicts the inferred \[2,3\]/);
  });
});
