/** Builders of the shape and array families where they do more than make one node. */
import {
  concat,
  constant,
  constantValue,
  expandDims,
  fill,
  gather,
  getDefaultGraph,
  getItem,
  linspace,
  newaxis,
  ones,
  onesLike,
  oneHot,
  pad,
  placeholder,
  range,
  rank,
  resetDefaultGraph,
  reverse,
  shape,
  size,
  split,
  squeeze,
  sumToShapeOf,
  transpose,
  unstack,
  zeros,
  zerosLike,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

beforeEach(resetDefaultGraph);

const valueOf = (tensor: Tensor): number[] => [...(interpret([tensor])[0]?.data ?? [])];
const typeOf = (tensor: Tensor): string => tensor.op.type;

describe('shapes', () => {
  it('are constants where they are known, unless asked otherwise', () => {
    const x = placeholder('float32', [2, 3]);
    expect([shape(x), size(x), rank(x)].map(typeOf)).toEqual(['Const', 'Const', 'Const']);
    expect([...(constantValue(shape(x))?.data ?? [])]).toEqual([2, 3]);
    expect(typeOf(shape(x, { optimize: false }))).toBe('Shape');
    expect(shape(x, { outType: 'int64' }).dtype).toBe('int64');
    const open = placeholder('float32', [null, 3]);
    expect([shape(open), size(open), rank(open)].map(typeOf)).toEqual(['Shape', 'Size', 'Const']);
  });

  it('sums a broadcast gradient without nodes when nothing was broadcast', () => {
    const [dx, x] = [constant([1, 2]), constant([3, 4])];
    const before = getDefaultGraph().operations.length;
    expect(sumToShapeOf(dx, x)).toBe(dx);
    expect(getDefaultGraph().operations).toHaveLength(before);
  });

  it('sums a broadcast gradient of unknown shape at run time', () => {
    const dx = constant([[1, 2], [3, 4]]); // prettier-ignore
    const x = placeholder('float32', [null, 2]);
    const feeds = new Map([[x, { dtype: 'float32' as const, shape: [1, 2], data: Float64Array.of(0, 0) }]]);
    expect(interpret([sumToShapeOf(dx, x)], feeds)[0]).toMatchObject({
      shape: [1, 2],
      data: Float64Array.of(4, 6),
    });
  });
});

describe('fills and ranges', () => {
  it('makes zeros and ones of every dtype', () => {
    expect(valueOf(zeros([2]))).toEqual([0, 0]);
    expect([ones([2], { dtype: 'int32' }).dtype, ones([1], { dtype: 'bool' }).dtype]).toEqual([
      'int32',
      'bool',
    ]);
    expect([zeros([10]), zeros([1000])].map(typeOf)).toEqual(['Const', 'Fill']);
    expect(valueOf(ones(constant([2], { dtype: 'int32' })))).toEqual([1, 1]);
    expect(() => zeros([null])).toThrow(/\[\?\] is not fully known/);
  });

  it('follows the shape and the dtype of another tensor', () => {
    const x = placeholder('int32', [null]);
    expect([zerosLike(x), onesLike(x)].map(typeOf)).toEqual(['ZerosLike', 'OnesLike']);
    expect([typeOf(zerosLike(x, { dtype: 'float32' })), zerosLike(x, { dtype: 'float32' }).dtype]).toEqual([
      'Fill',
      'float32',
    ]);
    expect(typeOf(onesLike(constant([1, 2])))).toBe('Const');
  });

  it('counts', () => {
    expect([valueOf(range(3)), range(3).dtype]).toEqual([[0, 1, 2], 'int32']);
    expect(valueOf(range(2, 8, { delta: 3 }))).toEqual([2, 5]);
    expect([valueOf(range(0, 1, { delta: 0.5 })), range(0, 1, { delta: 0.5 }).dtype]).toEqual([
      [0, 0.5],
      'float32',
    ]);
    expect(range(constant(3, { dtype: 'int64' })).dtype).toBe('int64');
    expect(() => range(3, 0)).toThrow(/from 3 to 0 cannot be walked with delta 1/);
    expect(valueOf(linspace(0, 1, 3))).toEqual([0, 0.5, 1]);
    expect(valueOf(fill([2], true))).toEqual([1, 1]);
  });
});

describe('array builders', () => {
  const x = (): Tensor => constant([[1, 2, 3], [4, 5, 6]]); // prettier-ignore

  it('reverses the axes by default, of unknown rank too', () => {
    expect(valueOf(transpose(x()))).toEqual([1, 4, 2, 5, 3, 6]);
    const open = placeholder('float32', null);
    const feeds = new Map([
      [open, { dtype: 'float32' as const, shape: [1, 2], data: Float64Array.of(1, 2) }],
    ]);
    expect(interpret([transpose(open)], feeds)[0]?.shape).toEqual([2, 1]);
  });

  it('joins one tensor without a ConcatV2, and splits by number or sizes', () => {
    expect(typeOf(concat([x()], 0))).toBe('Identity');
    expect(split(x(), 3, { axis: 1 }).map(valueOf)).toEqual([[1, 4], [2, 5], [3, 6]]); // prettier-ignore
    expect(split(x(), [1, -1], { axis: 1 }).map((t) => String(t.shape))).toEqual(['[2,1]', '[2,2]']);
    expect(() => split(x(), placeholder('int32', [null]))).toThrow(/number of pieces is not known/);
    expect(unstack(x(), { axis: 1 }).map(valueOf)).toEqual([[1, 4], [2, 5], [3, 6]]); // prettier-ignore
    expect(() => unstack(placeholder('float32', [null]))).toThrow(
      /dimension 0 of Placeholder\S*:0 is not known/,
    );
  });

  it('pads in every mode', () => {
    expect(typeOf(pad(x(), [[1, 0], [0, 0]]))).toBe('Pad'); // prettier-ignore
    expect(valueOf(pad([1, 2], [[1, 1]], { constantValues: 9 }))).toEqual([9, 1, 2, 9]);
    expect(valueOf(pad([1, 2], [[1, 1]], { mode: 'reflect' }))).toEqual([2, 1, 2, 1]);
    expect(() => pad([1], [[1, 1]], { mode: 'wrap' })).toThrow(
      /must be CONSTANT, REFLECT or SYMMETRIC, got wrap/,
    );
  });

  it('indexes', () => {
    expect(valueOf(gather(x(), [1, 0], { axis: 1 }))).toEqual([2, 1, 5, 4]);
    expect([oneHot([1], 2).dtype, oneHot([1], 2, { dtype: 'bool' }).dtype]).toEqual(['float32', 'bool']);
    expect(valueOf(oneHot([1, 0], 2))).toEqual([0, 1, 1, 0]);
    expect(valueOf(reverse(x(), 1))).toEqual([3, 2, 1, 6, 5, 4]);
    expect(String(squeeze(expandDims(x(), -1), { axis: 2 }).shape)).toBe('[2,3]');
  });

  it('slices as NumPy does', () => {
    expect(valueOf(getItem(x(), 1))).toEqual([4, 5, 6]);
    expect(valueOf(getItem(x(), ':', -1))).toEqual([3, 6]);
    expect(valueOf(getItem(x(), '...', [null, null, -1]))).toEqual([3, 2, 1, 6, 5, 4]);
    expect(String(getItem(x(), newaxis, [1, null], '...', newaxis).shape)).toBe('[1,1,3,1]');
    expect(valueOf(getItem(x(), [-1, null], [0, 2]))).toEqual([4, 5]);
    const one = constant(1, { dtype: 'int32' });
    expect(valueOf(getItem(x(), one, ':'))).toEqual([4, 5, 6]);
    expect(valueOf(x().getItem(':', [one, null]))).toEqual([2, 3, 5, 6]);
    expect(String(getItem(x(), placeholder('int32', []), ':').shape)).toBe('[3]');
    expect(() => getItem(x(), '1' as ':')).toThrow(/entry 0 is 1: an index, \[begin, end\], ':'/);
    expect(() => getItem(x(), 2)).toThrow(/index 2 is out of range for dimension 0 of size 2/);
    expect(() => getItem(x(), '...', '...')).toThrow(/only one ellipsis/);
    expect(() => getItem(x(), 0, 0, 0)).toThrow(/3 indices are given for an input of rank 2/);
    expect(() => getItem(x(), ...new Array<number>(32).fill(0))).toThrow(/32 entries are more than the 31/);
  });
});

describe('numbers without a dtype', () => {
  it('are refused as integers, with what to do', () => {
    const hint = /got float32: numbers without a dtype are float32; give \{ dtype: 'int32' \}, or cast/;
    expect(() => oneHot(constant([1, 2]), 3)).toThrow(hint);
    expect(() => gather([1, 2, 3], constant([0]))).toThrow(hint);
    expect(() => gather([1, 2, 3], constant([true]))).toThrow(
      /must be one of int32, int64, got bool \(|got bool$/,
    );
  });
});
