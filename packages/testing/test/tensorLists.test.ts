/** Joining, cutting and scattering tensor lists: values, refusals, gradients of both orders. No device is needed. */
import * as fr from '@forerun/graph';
import { checkGrad, interpret, placeholderNode } from '@forerun/testing';

const floats = (shape: readonly number[], ...data: number[]): fr.HostValue => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from(data),
});
const int = (value: number): fr.Tensor => fr.constant(value, { dtype: 'int32' });
const ints = (...values: number[]): fr.Tensor => fr.constant(values, { dtype: 'int32' });
const longs = (...values: number[]): fr.Tensor => fr.cast(ints(...values), 'int64');
const data = ([value]: readonly fr.HostValue[]): number[] => Array.from(value?.data ?? []);

beforeEach(() => fr.resetDefaultGraph());

/** Compares the gradients of what `build` makes of tensors with these values. */
function check(values: readonly fr.HostValue[], build: (...xs: fr.Tensor[]) => fr.Tensor): void {
  const graph = new fr.Graph();
  graph.asDefault(() => {
    const xs = values.map(({ dtype, shape }) => placeholderNode(graph, dtype, new fr.TensorShape(shape)));
    checkGrad([build(...xs)], new Map(xs.map((x, i) => [x, values[i] ?? floats([], 0)])));
  });
}

/** Elements of different lengths, so that positions matter. */
function ragged(x: fr.Tensor): fr.Tensor {
  return fr.tensorListSplit(x, longs(1, 3, 2), { shape: [-1, 2] });
}

const SIX_ROWS = floats([6, 2], ...Array.from({ length: 12 }, (_, i) => Math.sin(i + 1)));

describe('values', () => {
  test('parts, and joined again', () => {
    const x = fr.range(0, 12);
    const list = ragged(fr.cast(fr.reshape(x, [6, 2]), 'float32'));
    const { tensor, lengths } = fr.tensorListConcat(list, 'float32');
    const second = fr.tensorListGetItem(list, 1, { dtype: 'float32', shape: -1 });
    expect(data(interpret([tensor]))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(data(interpret([lengths]))).toEqual([1, 3, 2]);
    expect(interpret([second])[0]).toMatchObject({ shape: [3, 2] });
    expect(tensor.shape.toString()).toBe('[?,2]');
  });

  test('elements never set are as long as asked', () => {
    const list = fr.tensorListReserve({ dtype: 'float32', shape: [-1, 2] }, 3);
    const set = fr.tensorListSetItem(list, 1, fr.ones([2, 2]));
    const { tensor } = fr.tensorListConcat(set, 'float32', { shape: [-1, 2], leadingDims: longs(1, 2, 1) });
    expect(data(interpret([tensor]))).toEqual([0, 0, 1, 1, 1, 1, 0, 0]);
  });

  test('rows at positions, the last one counts', () => {
    const rows = fr.constant([1, 2, 3, 4]);
    const needed = fr.tensorListScatter(rows, ints(3, 0, 1, 3), { shape: [] });
    const sized = fr.tensorListScatter(rows, ints(3, 0, 1, 2), { shape: [], numElements: 6 });
    expect(data(interpret([fr.tensorListStack(needed, [], 'float32')]))).toEqual([2, 3, 0, 4]);
    expect(data(interpret([fr.tensorListStack(sized, [], 'float32')]))).toEqual([2, 3, 4, 1, 0, 0]);
  });

  test('one list after another, and a batch of lists', () => {
    const [a, b] = [[1, 2], [3]].map((rows) => fr.tensorListFromTensor(fr.constant(rows), []));
    if (a === undefined || b === undefined) throw new Error('there are two lists');
    const joined = fr.tensorListConcatLists(a, b, 'float32');
    expect(data(interpret([fr.tensorListStack(joined, [], 'float32')]))).toEqual([1, 2, 3]);
    const batch = fr.unstack(fr.tensorListPushBackBatch(fr.stack([a, b]), fr.constant([8, 9])), { num: 2 });
    const stacked = batch.map((list) => data(interpret([fr.tensorListStack(list, [], 'float32')])));
    expect(stacked).toEqual([
      [1, 2, 8],
      [3, 9],
    ]);
  });

  test('arrays are cut and joined by lengths that are computed', () => {
    const lengths = fr.placeholder('int32', [3]);
    const array = new fr.TensorArray('float32', { size: 3, inferShape: false });
    const cut = array.split(fr.constant([[1], [2], [3], [4]]), lengths);
    const feeds = new Map([[lengths, { ...floats([3], 1, 0, 3), dtype: 'int32' as const }]]);
    const twice = cut.write(0, fr.constant([[7], [8]]));
    expect(data(interpret([twice.concat()], feeds))).toEqual([7, 8, 2, 3, 4]);
    expect(twice.concat().shape.toString()).toBe('[?,1]');
  });

  test('an array of elements of one shape knows the shape of its concatenation', () => {
    const array = new fr.TensorArray('float32', { size: 2 }).split(fr.ones([4, 3]), [2, 2]);
    expect(array.concat().shape.toString()).toBe('[4,3]');
  });
});

describe('refusals', () => {
  const x = (): fr.Tensor => fr.ones([4, 2]);
  test.each<[string, () => unknown, RegExp]>([
    [
      'lengths that leave rows over',
      () => fr.tensorListSplit(x(), longs(1, 2)),
      /the lengths \[1,2\] add up to 3, the tensor has 4 rows/,
    ],
    ['negative lengths', () => fr.tensorListSplit(x(), longs(5, -1)), /lengths must not be negative, got -1/],
    [
      'a scalar to be cut',
      () => fr.tensorListSplit(fr.constant(1), longs(1)),
      /the tensor must have a first dimension to be cut along/,
    ],
    [
      'parts of another shape',
      () => fr.tensorListSplit(x(), longs(4), { shape: [-1, 3] }),
      /parts of shape \[\?,2\] are no elements of shape \[\?,3\]/,
    ],
    [
      'negative positions',
      () => fr.tensorListScatter(x(), ints(0, 1, -2, 3)),
      /indices must not be negative, got -2/,
    ],
    [
      'rows without positions',
      () => fr.tensorListScatter(x(), ints(0, 1)),
      /the tensor has 4 rows for 2 indices/,
    ],
    [
      'rows of another shape',
      () => fr.tensorListScatter(x(), ints(0, 1, 2, 3), { shape: [5] }),
      /the rows have shape \[2\], the elements \[5\]/,
    ],
    [
      'scalars to be joined',
      () => fr.tensorListConcat(fr.tensorListFromTensor(fr.ones([2]), []), 'float32'),
      /elements must have a first dimension to be joined along, they are scalars/,
    ],
    [
      'elements of another shape',
      () => fr.tensorListConcat(ragged(fr.ones([6, 2])), 'float32', { shape: [-1, 5] }),
      /elements of shape \[\?,2\] are joined as elements of shape \[\?,5\]/,
    ],
    [
      'a single list as a batch',
      () => fr.tensorListPushBackBatch(ragged(fr.ones([6, 2])), x()),
      /input_handles must be a vector of lists/,
    ],
    [
      'scalars in an array that is joined',
      () => new fr.TensorArray('float32', { size: 2, elementShape: [] }).concat(),
      /concat joins along the first dimension, the elements are scalars/,
    ],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(message);
  });
});

describe('gradients', () => {
  test('through parts and their concatenation', () => {
    check([SIX_ROWS], (x) => {
      const list = ragged(fr.mul(x, x));
      const changed = fr.tensorListSetItem(
        list,
        1,
        fr.sin(fr.tensorListGetItem(list, 1, { dtype: 'float32', shape: [3, 2] })),
      );
      return fr.tensorListConcat(changed, 'float32', { shape: [-1, 2] }).tensor;
    });
  });

  test('of a part that nothing else uses', () => {
    check([SIX_ROWS], (x) => fr.sin(fr.tensorListGetItem(ragged(x), 2, { dtype: 'float32', shape: [2, 2] })));
  });

  test('through rows at positions', () => {
    check([SIX_ROWS], (x) => {
      const list = fr.tensorListScatter(fr.mul(x, x), ints(5, 0, 3, 1, 2, 4), { shape: [2] });
      return fr.sin(fr.tensorListGather(list, ints(0, 5, 3), [2], 'float32'));
    });
  });

  test('through lists in a row', () => {
    check([SIX_ROWS, floats([2, 2], 0.3, 0.4, -0.5, 0.6)], (x, y) => {
      const [a, b] = [fr.tensorListFromTensor(fr.mul(x, x), [2]), fr.tensorListFromTensor(y, [2])];
      return fr.sin(fr.tensorListStack(fr.tensorListConcatLists(b, a, 'float32'), [2], 'float32'));
    });
  });

  test('through arrays that a loop cuts and joins', () => {
    check(
      [floats([4, 1], 0.1, 0.5, -0.7, 1.1)],
      (x) =>
        fr.whileLoop(
          (i) => fr.less(i, 2),
          (i, y) => {
            const array = new fr.TensorArray('float32', { size: 2, inferShape: false }).split(y, [1, 3]);
            const first = fr.sin(array.read(0));
            return [fr.add(i, 1), fr.ensureShape(array.write(0, first).concat(), [4, 1])];
          },
          [int(0), fr.mul(x, x)],
        )[1],
    );
  });
});
