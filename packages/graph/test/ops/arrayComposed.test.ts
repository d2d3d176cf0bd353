/** Functions on arrays that are made of several ops, with results worked out by hand. */
import {
  Graph,
  InvalidArgumentError,
  SparseTensor,
  builders as ops,
  gradients,
  withGraphOf,
  type HostValue,
  type NestedArray,
  type Tensor,
} from '@forerun/graph';
import { interpret } from '@forerun/testing';

function nested({ shape, data }: HostValue): NestedArray {
  let next = 0;
  const build = (axis: number): NestedArray =>
    axis === shape.length
      ? (data[next++] ?? NaN)
      : Array.from({ length: shape[axis] ?? 0 }, () => build(axis + 1));
  return build(0);
}

/** The values of the tensors that `build` makes. */
function values(build: () => readonly Tensor[]): NestedArray[] {
  return new Graph().asDefault(() => interpret(build()).map(nested));
}

const value = (build: () => Tensor): NestedArray | undefined => values(() => [build()])[0];

describe('functions on arrays', () => {
  it('zeros and ones take lists in which some sizes are computed', () => {
    const rows = (): Tensor => ops.getItem(ops.shape(ops.zeros([2, 5])), 0);
    expect(value(() => ops.ones([rows(), 1]))).toEqual([[1], [1]]);
    expect(value(() => ops.zeros([1, rows()], { dtype: 'int32' }))).toEqual([[0, 0]]);
    new Graph().asDefault(() => {
      const batch = ops.placeholder('int32', []);
      expect(String(ops.zeros([batch, 3]).shape)).toBe('[?,3]');
    });
  });

  it('histogramFixedWidthBins gives the bin of each value', () => {
    const numbers = [-1, 0, 1.5, 2, 5, 15];
    expect(value(() => ops.histogramFixedWidthBins(numbers, [0, 5], { nbins: 5 }))).toEqual([
      0, 0, 1, 2, 4, 4,
    ]);
    expect(() => ops.histogramFixedWidthBins([1], [0, 5], { nbins: 0 })).toThrow(
      /nbins must be a positive integer, got 0/,
    );
  });

  it('cast converts the values of a sparse tensor', () => {
    new Graph().asDefault(() => {
      const sparse = new SparseTensor([[0, 1]], ops.constant([2.5]), [1, 2]);
      const cast = ops.cast(sparse, 'int32');
      expect([cast.dtype, cast.indices, cast.denseShape]).toEqual([
        'int32',
        sparse.indices,
        sparse.denseShape,
      ]);
    });
  });

  it('meshgrid has the first vector along the columns, or along the rows', () => {
    const [x, y] = values(() =>
      ops.meshgrid([
        [1, 2, 3],
        [4, 5],
      ]),
    );
    expect(x).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ]);
    expect(y).toEqual([
      [4, 4, 4],
      [5, 5, 5],
    ]);
    const [u, v] = values(() =>
      ops.meshgrid(
        [
          [1, 2, 3],
          [4, 5],
        ],
        { indexing: 'ij' },
      ),
    );
    expect(u).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    expect(v).toEqual([
      [4, 5],
      [4, 5],
      [4, 5],
    ]);
    expect(values(() => ops.meshgrid([[1, 2]]))).toEqual([[1, 2]]);
    expect(values(() => ops.meshgrid([[1], [2], [3]])).length).toBe(3);
    expect(() => ops.meshgrid([[1]], { indexing: 'ji' })).toThrow(/indexing must be xy or ij, got ji/);
  });

  it('sequenceMask marks as many as each length says', () => {
    expect(value(() => ops.sequenceMask([1, 3, 0]))).toEqual([
      [1, 0, 0],
      [1, 1, 1],
      [0, 0, 0],
    ]);
    expect(value(() => ops.sequenceMask([1, 3], { maxlen: 2, dtype: 'float32' }))).toEqual([
      [1, 0],
      [1, 1],
    ]);
    expect(value(() => ops.sequenceMask(2, { maxlen: 3 }))).toEqual([1, 1, 0]);
  });

  it('booleanMask takes what the mask covers, from any axis', () => {
    const x = [
      [1, 2],
      [3, 4],
      [5, 6],
    ];
    expect(value(() => ops.booleanMask(x, [true, false, true]))).toEqual([
      [1, 2],
      [5, 6],
    ]);
    expect(value(() => ops.booleanMask(x, [false, true], { axis: 1 }))).toEqual([[2], [4], [6]]);
    expect(
      value(() =>
        ops.booleanMask(x, [
          [true, false],
          [false, true],
          [true, true],
        ]),
      ),
    ).toEqual([1, 4, 5, 6]);
    new Graph().asDefault(() => {
      expect(() => ops.booleanMask(x, true)).toThrow(/must not be a scalar/);
      expect(() => ops.booleanMask(x, [true])).toThrow(InvalidArgumentError);
      expect(() => ops.booleanMask(x, [true, false], { axis: 2 })).toThrow(/does not fit/);
    });
  });

  it('booleanMask passes gradients to what it takes', () => {
    const dx = value(() => {
      const x = ops.constant([1, 2, 3]);
      const y = ops.square(ops.booleanMask(x, [true, false, true]));
      const [gradient] = withGraphOf(x, () => gradients(y, x));
      if (gradient === null || gradient === undefined) throw new Error('no gradient');
      return gradient;
    });
    expect(dx).toEqual([2, 0, 6]);
  });

  it('repeat repeats by one number, or by one for each', () => {
    expect(value(() => ops.repeat([3, 4], 2))).toEqual([3, 3, 4, 4]);
    expect(
      value(() =>
        ops.repeat(
          [
            [1, 2],
            [3, 4],
          ],
          [0, 2],
          { axis: 0 },
        ),
      ),
    ).toEqual([
      [3, 4],
      [3, 4],
    ]);
    expect(
      value(() =>
        ops.repeat(
          [
            [1, 2],
            [3, 4],
          ],
          [1, 2],
          { axis: -1 },
        ),
      ),
    ).toEqual([
      [1, 2, 2],
      [3, 4, 4],
    ]);
    new Graph().asDefault(() => {
      expect(() => ops.repeat([1, 2], 2, { axis: 1 })).toThrow(/axis 1 is out of range/);
    });
  });

  it('gathers per batch, unravels indices, stacks', () => {
    expect(
      value(() =>
        ops.batchGather(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          [
            [2, 0],
            [1, 1],
          ],
        ),
      ),
    ).toEqual([
      [3, 1],
      [5, 5],
    ]);
    expect(value(() => ops.unravelIndex([7, 0, 5], [2, 4]))).toEqual([
      [1, 0, 1],
      [3, 0, 1],
    ]);
    expect(value(() => ops.unravelIndex(11, [2, 2, 3]))).toEqual([1, 1, 2]);
    expect(
      value(() =>
        ops.parallelStack([
          [1, 2],
          [3, 4],
        ]),
      ),
    ).toEqual([
      [1, 2],
      [3, 4],
    ]);
    new Graph().asDefault(() => {
      expect(() => ops.batchGather([1, 2], 0)).toThrow(/known rank of 1 or more/);
      expect(() => ops.unravelIndex([[1]], [2])).toThrow(/a scalar or a vector/);
    });
  });

  it('where without x and y gives coordinates', () => {
    expect(
      value(() =>
        ops.where([
          [false, true],
          [true, false],
        ]),
      ),
    ).toEqual([
      [0, 1],
      [1, 0],
    ]);
    new Graph().asDefault(() => {
      expect(() => ops.where([true], [1])).toThrow(/both x and y, or neither/);
    });
  });
});

describe('sorting', () => {
  it('sort and argsort go along any axis, in both directions', () => {
    expect(value(() => ops.sort([3, 1, 2]))).toEqual([1, 2, 3]);
    expect(
      value(() =>
        ops.sort(
          [
            [3, 1],
            [2, 5],
          ],
          { axis: 0, direction: 'DESCENDING' },
        ),
      ),
    ).toEqual([
      [3, 5],
      [2, 1],
    ]);
    expect(value(() => ops.sort(ops.constant([3, -5, 2], { dtype: 'int32' })))).toEqual([-5, 2, 3]);
    expect(value(() => ops.argsort([2, 1, 2, 1]))).toEqual([1, 3, 0, 2]);
    expect(value(() => ops.argsort([2, 1, 2, 1], { direction: 'DESCENDING' }))).toEqual([0, 2, 1, 3]);
    new Graph().asDefault(() => {
      expect(() => ops.sort([1], { direction: 'UP' })).toThrow(/ASCENDING or DESCENDING, got UP/);
      expect(() => ops.sort([1], { axis: 1 })).toThrow(/axis 1 is out of range/);
    });
  });

  it('searchsorted finds places in rows', () => {
    const rows = [
      [1, 3, 3, 9],
      [0, 1, 2, 3],
    ];
    const found = values(() => [
      ops.searchsorted(rows, [
        [3, 0],
        [5, 2],
      ]),
      ops.searchsorted(
        rows,
        [
          [3, 0],
          [5, 2],
        ],
        { side: 'right' },
      ),
    ]);
    expect(found).toEqual([
      [
        [1, 0],
        [4, 2],
      ],
      [
        [3, 0],
        [4, 3],
      ],
    ]);
    expect(value(() => ops.searchsorted([1, 2, 4], [4, 5]))).toEqual([2, 3]);
    expect(() => ops.searchsorted([1], [1], { side: 'middle' })).toThrow(/left or right, got middle/);
  });
});

describe('segments', () => {
  it('means and roots divide by the number of rows, empty segments are 0', () => {
    const data = [
      [2, 4],
      [6, 8],
      [1, 1],
    ];
    expect(value(() => ops.unsortedSegmentMean(data, [0, 0, 2], 3))).toEqual([
      [4, 6],
      [0, 0],
      [1, 1],
    ]);
    expect(value(() => ops.unsortedSegmentSqrtN([3, 4, 5, 6], [1, 1, 1, 1], 2))).toEqual([0, 9]);
  });

  it('bincount counts up to the largest number, or as far as it is told', () => {
    expect(value(() => ops.bincount([1, 1, 3]))).toEqual([0, 2, 0, 1]);
    expect(value(() => ops.bincount([1, 1, 3], { minlength: 5 }))).toEqual([0, 2, 0, 1, 0]);
    expect(value(() => ops.bincount([1, 1, 3], { maxlength: 2 }))).toEqual([0, 2]);
    expect(value(() => ops.bincount([1, 1], { weights: [0.5, 2] }))).toEqual([0, 2.5]);
  });

  it('required paddings make sizes divisible', () => {
    const got = values(() => ops.requiredSpaceToBatchPaddings([5, 4], [2, 3]));
    expect(got).toEqual([
      [
        [0, 1],
        [0, 2],
      ],
      [
        [0, 1],
        [0, 2],
      ],
    ]);
  });
});
