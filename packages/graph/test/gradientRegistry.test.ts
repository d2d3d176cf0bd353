/** Gradients under a name: which nodes take them, what files keep, what is refused. */
import * as fr from '@forerun/graph';
import { checkGrad, interpret } from '@forerun/testing';

const valueOf = (
  tensor: fr.Tensor | null | undefined,
  feeds = new Map<fr.Tensor, fr.HostValue>(),
): number[] => {
  if (!tensor) throw new Error('there is no gradient');
  return Array.from(interpret([tensor], feeds)[0]?.data ?? []);
};

fr.registerGradient('TripledSquare', ({ inputs: [x] }, dy) => fr.mul(fr.mul(dy, 3), x ?? 0));
fr.registerGradient('BothFactors', (_op, dy) => [fr.mul(dy, 10), null]);
fr.registerGradient('WrongCount', (_op, dy) => [dy, dy]);
fr.registerGradient('WrongShape', () => fr.constant([1, 2, 3]));
fr.registerGradient('UnknownOp', (_op, dy) => fr.mul(dy, 7));

beforeEach(() => fr.resetDefaultGraph());

const overriding = <R>(map: Record<string, string>, build: () => R): R =>
  fr.getDefaultGraph().gradientOverrideMap(map, build);

test('nodes of the map take the named gradient, and only they', () => {
  const x = fr.constant([1, 2]);
  const y = overriding({ Square: 'TripledSquare' }, () => fr.mul(fr.square(x), fr.neg(x)));
  const plain = fr.square(x);
  expect(valueOf(fr.gradients(plain, x)[0])).toEqual([2, 4]);
  // d(-x * x^2): -x^2, and -x times 3x in place of 2x
  expect(valueOf(fr.gradients(y, x)[0])).toEqual([-4, -16]);
});

test('the named gradient has gradients', () => {
  const x = fr.placeholder('float32', [2]);
  const y = overriding({ Square: 'TripledSquare' }, () => fr.square(x));
  const [dx] = fr.gradients(y, x);
  if (!dx) throw new Error('there is no gradient');
  const point = { dtype: 'float32', shape: [2], data: Float64Array.of(0.5, -2) } as const;
  checkGrad([dx], new Map([[x, point]]));
  expect(valueOf(fr.gradients(dx, x)[0], new Map([[x, point]]))).toEqual([3, 3]);
});

test('maps nest, an op takes the gradient of another op, and inputs may have none', () => {
  const [x, y] = [fr.constant(2), fr.constant(5)];
  const [product, sine] = overriding({ Mul: 'BothFactors' }, () => [
    fr.mul(x, y),
    overriding({ Sin: 'Square' }, () => fr.mul(fr.sin(x), y)),
  ]);
  expect(fr.gradients(product, [x, y]).map((g) => (g === null ? null : valueOf(g)[0]))).toEqual([10, null]);
  expect(valueOf(fr.gradients(sine, x)[0])).toEqual([40]); // 10 from the product, 2x from the square
});

test('functions of conditionals and loops take them', () => {
  const x = fr.identity(fr.constant(2));
  const y = overriding({ Square: 'TripledSquare' }, () =>
    fr.cond(
      fr.greater(x, 0),
      () => fr.square(x),
      () => x,
    ),
  );
  expect(valueOf(fr.gradients(y, x)[0])).toEqual([6]);
});

test('a file keeps the name', () => {
  overriding({ Square: 'TripledSquare' }, () => fr.square(fr.constant([1, 2], { name: 'x' }), { name: 'y' }));
  const graph = new fr.Graph();
  fr.importGraphDef(fr.writeGraphDef(fr.getDefaultGraph()), { graph, name: '' });
  const [dx] = fr.gradients(graph.getTensorByName('y:0'), graph.getTensorByName('x:0'));
  expect(valueOf(dx)).toEqual([3, 6]);
});

test('an op type that Forerun does not know gets a gradient', () => {
  const x = fr.constant([1, 2]);
  const y = x.graph.createOp({ type: 'UnknownOp', inputs: [x], outputDTypes: ['float32'] }).output(0);
  expect(valueOf(fr.gradients(fr.identity(y), x, { gradYs: [fr.constant([1, 1])] })[0])).toEqual([7, 7]);
});

describe('refusals', () => {
  const differentiate = (name: string): unknown => {
    const x = fr.constant([1, 2]);
    return fr.gradients(
      overriding({ Square: name }, () => fr.square(x, { name: 'y' })),
      x,
    );
  };

  test('a name that has a gradient', () => {
    expect(() => fr.registerGradient('TripledSquare', () => null)).toThrow(fr.AlreadyExistsError);
    expect(() => fr.registerGradient('MatMul', () => null)).toThrow(/"MatMul" has a gradient already/);
    expect(() => fr.registerGradient('', () => null)).toThrow(/the name must not be empty/);
  });

  test('a name that nothing registered', () => {
    expect(() => differentiate('TripledSquares')).toThrow(
      /Square "y" asks for the gradient "TripledSquares", which nothing registered. Did you mean "TripledSquare"/,
    );
  });

  test('another number of gradients, and one of another shape', () => {
    expect(() => differentiate('WrongCount')).toThrow(
      /the gradient "WrongCount" of Square "y(_1)?" gave 2 gradients for 1 inputs/,
    );
    expect(() => differentiate('WrongShape')).toThrow(
      /"WrongShape" of Square "y(_1)?" gave input 0 of shape \[2\] a gradient of shape \[3\]/,
    );
  });
});
