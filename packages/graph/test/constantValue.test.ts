import {
  convertToTensor,
  pad,
  cast,
  concat,
  constant,
  constantValue,
  fill,
  gather,
  mul,
  placeholder,
  range,
  reduceProd,
  resetDefaultGraph,
  reshape,
  shape,
  size,
  stack,
  stridedSlice,
  sub,
  tile,
  transpose,
  type Tensor,
} from '@forerun/graph';

const at = (vector: Tensor, i: number): Tensor => stridedSlice(vector, [i], [i + 1], { shrinkAxisMask: 1 });
const known = (tensor: Tensor): number[] | null => {
  const value = constantValue(tensor);
  return value === null ? null : [...value.data];
};

describe('constantValue', () => {
  let x: Tensor;
  beforeEach(() => {
    resetDefaultGraph();
    x = placeholder('float32', [null, 28, 28, 3]);
  });

  it('keeps what is known of a shape', () => {
    expect(known(shape(x))).toEqual([NaN, 28, 28, 3]);
    expect(known(at(shape(x), 1))).toEqual([28]);
    expect(known(at(shape(x), 0))).toEqual([NaN]);
    expect(known(size(x))).toEqual([NaN]);
  });

  it('sees through arithmetic, products, casts and joins', () => {
    const tail = stridedSlice(shape(x), [1], [0], { endMask: 1 });
    expect(known(reduceProd(tail))).toEqual([2352]);
    expect(known(sub(mul(at(shape(x), 1), 2), 1))).toEqual([55]);
    expect(known(cast(concat([tail, [7]], 0), 'int64'))).toEqual([28, 28, 3, 7]);
    expect(known(mul(shape(x), 0))).not.toBeNull();
    expect(known(gather(shape(x), [3, 0]))).toEqual([3, NaN]);
    expect(known(range(0, at(shape(x), 3)))).toEqual([0, 1, 2]);
    expect(known(fill([2], at(shape(x), 3)))).toEqual([3, 3]);
  });

  it('gives null for floats and for values that are fed', () => {
    expect(constantValue(constant(1.5))).toBeNull();
    expect(constantValue(placeholder('int32', [2]))).toBeNull();
  });

  it('lets reshape infer shapes from it', () => {
    expect(String(reshape(x, [-1, 28 * 28 * 3]).shape)).toBe('[?,2352]');
    expect(String(reshape(x, stack([at(shape(x), 0), 2352])).shape)).toBe('[?,2352]');
    expect(String(reshape(x, stack([at(shape(x), 0), -1])).shape)).toBe('[?,?]');
    expect(String(reshape(x, [at(shape(x), 0), 2352]).shape)).toBe('[?,2352]');
    const fed = placeholder('int32', []);
    expect(String(reshape(x, stack([fed, 28, -1])).shape)).toBe('[?,28,?]');
    const y = placeholder('float32', [4, 6]);
    expect(String(reshape(y, stack([at(shape(y), 0), -1])).shape)).toBe('[4,6]');
    expect(String(reshape(y, stack([fed, 3])).shape)).toBe('[8,3]');
  });

  it('lets other ops infer shapes from it', () => {
    const y = placeholder('float32', [2, 3]);
    expect(String(tile(y, stack([1, at(shape(y), 0)])).shape)).toBe('[2,6]');
    expect(String(transpose(y).shape)).toBe('[3,2]');
    expect(String(fill(shape(x), 0).shape)).toBe('[?,28,28,3]');
  });

  it('packs lists in which tensors stand among numbers', () => {
    const [n, y] = [placeholder('int32', []), placeholder('float32', [2, 3])];
    expect(
      String(
        pad(y, [
          [0, at(shape(y), 0)],
          [0, 0],
        ]).shape,
      ),
    ).toBe('[4,3]');
    expect(known(convertToTensor([n, 4]))).toEqual([NaN, 4]);
    expect(() => convertToTensor([n, [4, 5]])).toThrow(/shapes differ: value 1 has \[2\]/);
  });

  it('does not follow chains without end', () => {
    let chain = at(shape(x), 1);
    for (let i = 0; i < 1000; i++) chain = sub(chain, 0);
    expect(() => constantValue(chain)).not.toThrow();
  });
});
