/** Labels for CTC, windows with holes, normalized vectors: against what they stand for. */
import {
  Graph,
  apply,
  collapseRepeated,
  constant,
  conv2d,
  convolution,
  ctcUniqueLabels,
  normalize,
  placeholder,
  reduceSum,
  square,
  withSpaceToBatch,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';
import { floats } from './floats.js';

const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const lists = (tensors: readonly Tensor[]): number[][] =>
  interpret(tensors).map(({ data }) => Array.from(data));
const int32 = { dtype: 'int32' } as const;

it('collapseRepeated drops repetitions and what is behind a row', () => {
  inGraph(() => {
    const rows = constant(
      [
        [1, 3, 3, 3, 0],
        [1, 4, 4, 4, 0],
        [4, 2, 2, 9, 4],
        [7, 7, 7, 7, 7],
      ],
      int32,
    );
    const { labels, seqLength } = collapseRepeated(rows, constant([4, 5, 5, 0], int32));
    expect(lists([labels, seqLength])).toEqual([
      [1, 3, 0, 0, 1, 4, 0, 0, 4, 2, 9, 4, 0, 0, 0, 0],
      [2, 3, 4, 0],
    ]);
    const none = collapseRepeated(constant([[5, 5]], { dtype: 'int64' }), [0]);
    expect(none.labels.dtype).toBe('int64');
    expect(interpret([none.labels])[0]?.shape).toEqual([1, 0]);
    expect(() => collapseRepeated([1, 2], [2])).toThrow(/labels must be \[batch, time\], got shape \[2\]/);
  });
});

it('ctcUniqueLabels lists labels as they first occur', () => {
  inGraph(() => {
    const { unique, indices } = ctcUniqueLabels([
      [3, 4, 4, 3],
      [1, 1, 1, 0],
      [5, 6, 7, 5],
    ]);
    expect([unique.dtype, indices.dtype]).toEqual(['int64', 'int32']);
    expect(lists([unique, indices])).toEqual([
      [3, 4, 0, 0, 1, 0, 0, 0, 5, 6, 7, 0],
      [0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 2, 0],
    ]);
  });
});

it.each([
  ['SAME', [2, 2]],
  ['VALID', [2, 3]],
  ['SAME', [1, 3]],
  ['SAME', [1, 1]],
] as const)('withSpaceToBatch, %s with rates %j, is a convolution with holes', (padding, rates) => {
  inGraph(() => {
    const [x, w] = [placeholder('float32', [2, 7, 8, 2]), placeholder('float32', [3, 2, 2, 3])];
    const feeds = new Map<Tensor, HostValue>([
      [x, floats([2, 7, 8, 2])],
      [w, floats([3, 2, 2, 3], 2)],
    ]);
    const options = { filterShape: [3, 2] };
    const y = withSpaceToBatch(x, rates, padding, (t, _, pad) => conv2d(t, w, { padding: pad }), options);
    const want = convolution(x, w, { padding, dilationRate: rates });
    const [a, b] = interpret([y, want], feeds);
    expect(a?.shape).toEqual(b?.shape);
    a?.data.forEach((v, i) => expect(v).toBeCloseTo(b?.data[i] ?? NaN, 8));
    expect(() => checkGrad([y], feeds, { order: 1 })).not.toThrow();
  });
});

it('withSpaceToBatch takes any axes, and refuses what it cannot do', () => {
  inGraph(() => {
    const x = placeholder('float32', [1, 2, 6]);
    const differences = (t: Tensor): Tensor => apply('Cumsum', [t, 2]);
    // running sums along the last axis of every second element
    const y = withSpaceToBatch(x, [2], 'VALID', differences, { spatialDims: [2] });
    const point: HostValue = {
      dtype: 'float32',
      shape: [1, 2, 6],
      data: Float64Array.from({ length: 12 }, (_, i) => i),
    };
    const feeds = new Map([[x, point]]);
    expect(Array.from(interpret([y], feeds)[0]?.data ?? [])).toEqual([
      0, 1, 2, 4, 6, 9, 6, 7, 14, 16, 24, 27,
    ]);
    const call =
      (rates: number[], more = {}) =>
      () =>
        withSpaceToBatch(x, rates, 'SAME', differences, more);
    expect(call([0])).toThrow(/dilationRate must hold integers of 1 or more, got \[0\]/);
    expect(call([2])).toThrow(/with SAME padding "filterShape" must have the 1 sizes of the window/);
    expect(call([2], { spatialDims: [0], filterShape: [2] })).toThrow(/spatialDims must be 1 axes from 1 on/);
  });
});

it('normalize divides by the norm and gives it', () => {
  inGraph(() => {
    const x = placeholder('float32', [3, 4]);
    const feeds = new Map([[x, floats([3, 4], 4)]]);
    const { normalized, norm } = normalize(x, { axis: 1 });
    const [lengths, norms] = interpret([reduceSum(square(normalized), { axis: 1 }), norm], feeds);
    expect(norms?.shape).toEqual([3, 1]);
    lengths?.data.forEach((v) => expect(v).toBeCloseTo(1, 8));
    expect(() => checkGrad([normalized], feeds)).not.toThrow();
  });
});
