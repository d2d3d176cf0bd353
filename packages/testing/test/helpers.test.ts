/** The helpers themselves: a check that could not fail would prove nothing. */
import { Graph, TensorShape, overrideGradient, square, type HostValue } from '@forerun/graph';
import {
  Random,
  checkGrad,
  expectClose,
  formatShapes,
  incompatibilities,
  inferError,
  inferOk,
  interpret,
  parseShapes,
  placeholderNode,
} from '@forerun/testing';

function floats(...data: number[]): HostValue {
  return { dtype: 'float32', shape: [data.length], data: Float64Array.from(data) };
}

describe('expectClose', () => {
  it('lets NaN match NaN and infinities match by sign', () => {
    expectClose(floats(NaN, Infinity, -Infinity), floats(NaN, Infinity, -Infinity));
    expect(() => expectClose(floats(Infinity), floats(-Infinity))).toThrow(
      'got Infinity, expected -Infinity',
    );
    expect(() => expectClose(floats(1), floats(NaN))).toThrow('got 1, expected NaN');
    expect(() => expectClose(floats(NaN), floats(1))).toThrow('got NaN, expected 1');
  });

  it('treats what float32 cannot hold as infinite', () => {
    expectClose(floats(Infinity), floats(1e39));
    expect(() => expectClose(floats(3e38), floats(1e39))).toThrow('1 of 1 elements differ');
  });

  it('names position and values of what differs', () => {
    const want = { dtype: 'float32', shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) } as const;
    const got = { ...want, data: Float64Array.of(1, 2, 3.1, 4) };
    expect(() => expectClose(got, want, {}, 'sum')).toThrow(
      'sum: 1 of 4 elements differ (rtol 0.00001, atol 0.000001)\n  at [1,0]: got 3.1, expected 3',
    );
    expectClose(got, want, { atol: 0.2 });
  });

  it('is exact for integers whatever the tolerance', () => {
    const want = { dtype: 'int32', shape: [1], data: Float64Array.of(5) } as const;
    expect(() => expectClose({ ...want, data: Float64Array.of(6) }, want, { atol: 2 })).toThrow(
      'got 6, expected 5',
    );
    expect(() => expectClose({ ...want, dtype: 'int64' }, want)).toThrow('dtype is int64, expected int32');
    expect(() => expectClose({ ...want, shape: [] }, want)).toThrow('shape is [], expected [1]');
  });
});

describe('the shape notation', () => {
  it('reads what it writes', () => {
    for (const text of ['', '[]', '?', '[1,?];?;[2]']) expect(formatShapes(parseShapes(text))).toBe(text);
    expect(() => parseShapes('[1,x]')).toThrow('malformed shape "[1,x]"');
  });

  it('fails for a wrong expectation', () => {
    inferOk('Sqrt', '[1,?]', '[1,?]');
    expect(() => inferOk('Sqrt', '[1,?]', '[1,2]')).toThrow('Sqrt of [1,?]: inferred [1,?], expected [1,2]');
    expect(() => inferError('Sqrt', '[1]', /anything/)).toThrow(
      'expected an error like /anything/, inferred [1]',
    );
  });
});

describe('checkGrad', () => {
  function squareOf(factor: number): () => void {
    const graph = new Graph();
    return graph.asDefault(() => {
      const x = placeholderNode(graph, 'float32', new TensorShape([3]));
      const y = square(x);
      overrideGradient(y.op, ({ ops, dy, input }) => [ops.mul(ops.mul(input(0), factor), dy)]);
      return () => checkGrad([y], new Map([[x, floats(0.5, -1, 2)]]));
    });
  }

  it('accepts the right gradient and rejects one that is slightly wrong', () => {
    squareOf(2)();
    expect(squareOf(2.0001)).toThrow('first order: the gradient graph gives');
  });

  it('rejects a wrong second order', () => {
    const graph = new Graph();
    const x = graph.asDefault(() => placeholderNode(graph, 'float32', new TensorShape([3])));
    const y = graph.asDefault(() => square(x));
    overrideGradient(y.op, ({ ops, dy, input }) => [ops.mul(ops.mul(ops.stopGradient(input(0)), 2), dy)]);
    expect(() => checkGrad([y], new Map([[x, floats(0.5, -1, 2)]]))).toThrow(
      'second order: the gradient graph gives',
    );
  });
});

describe('interpret', () => {
  it('feeds any tensor and refuses a placeholder that is not fed', () => {
    const graph = new Graph();
    const x = placeholderNode(graph, 'float32', new TensorShape([2]));
    const [y, z] = graph.asDefault(() => {
      const first = square(x);
      return [first, square(first)];
    });
    expect(interpret([z], new Map([[x, floats(1, 2)]]))[0]?.data).toEqual(Float64Array.of(1, 16));
    expect(interpret([z], new Map([[y, floats(3, 4)]]))[0]?.data).toEqual(Float64Array.of(9, 16));
    expect(() => interpret([z])).toThrow('is not fed');
  });
});

describe('signatures', () => {
  const before = {
    A: { inputs: ['x: T'], outputs: ['y: T'], attrs: ['T: type in {float32}', 'n: int = 1'] },
  };

  it('accept additions', () => {
    const attrs = ['T: type in {float32, int32}', 'n: int = 1', 'm: int = 2'];
    expect(incompatibilities(before, { ...before, B: before.A, A: { ...before.A, attrs } })).toEqual([]);
  });

  it('refuse removals and changes', () => {
    expect(incompatibilities(before, {})).toEqual(['op A is gone']);
    const changed = { inputs: ['z: T'], outputs: ['y: T'], attrs: ['T: type in {int32}', 'm: int'] };
    expect(incompatibilities(before, { A: changed })).toEqual([
      'A: inputs were (x: T), are (z: T)',
      'A: attribute "T: type in {float32}" became "T: type in {int32}"',
      'A: attribute "n: int = 1" became ""',
      'A: new attribute "m: int" has no default',
    ]);
  });
});

describe('Random', () => {
  it('repeats itself for a seed and stays in range', () => {
    const [a, b] = [new Random(3).array(1000, -2, 5), new Random(3).array(1000, -2, 5)];
    expect(a).toEqual(b);
    expect(a.every((x) => x >= -2 && x < 5)).toBe(true);
    expect(Math.abs(a.reduce((sum, x) => sum + x, 0) / 1000 - 1.5)).toBeLessThan(0.25);
  });
});
