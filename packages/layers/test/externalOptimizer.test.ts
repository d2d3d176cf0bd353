/** L-BFGS on hard valleys and on bounds, and what it refuses. */
import {
  Graph,
  Operation,
  TensorValue,
  Variable,
  add,
  constant,
  fromHostValue,
  mul,
  reduceSum,
  square,
  sub,
  toHostValue,
  type Tensor,
} from '@forerun/graph';
import { train } from '@forerun/layers';
import { ReferenceSession } from './run.js';

/** A session as the interface wants one. */
function runnerOf(session: ReferenceSession, graph: Graph) {
  return {
    run(
      fetches: readonly (Tensor | Operation)[],
      feeds: ReadonlyMap<Tensor, TensorValue> = new Map(),
    ): Promise<unknown> {
      const fed = [...feeds].map(([tensor, value]) => [tensor, toHostValue(value)?.data ?? []] as const);
      const values = fetches.map((fetch) =>
        graph.asDefault(() => {
          const shaped = fed.map(
            ([tensor, data]) =>
              [tensor, new TensorValue('float32', tensor.shape.toStatic(), Float32Array.from(data))] as const,
          );
          if (fetch instanceof Operation) {
            session.do(fetch, shaped);
            return null;
          }
          const [value] = session.evaluate([fetch], shaped);
          return value === undefined ? null : fromHostValue(value);
        }),
      );
      return Promise.resolve(values);
    },
  };
}

test('finds the end of a curved valley over several variables', async () => {
  const [graph, session] = [new Graph(), new ReferenceSession()];
  const { x, y, optimizer } = graph.asDefault(() => {
    const [x, y] = [new Variable([-1.2, 0.5], { name: 'x' }), new Variable([1, -0.5], { name: 'y' })];
    const loss = reduceSum(add(mul(100, square(sub(y, square(x)))), square(sub(1, x))));
    session.initializeAll();
    return { x, y, optimizer: new train.LbfgsOptimizerInterface(loss) };
  });
  const losses: number[] = [];
  let steps = 0;
  const result = await optimizer.minimize(runnerOf(session, graph), {
    stepCallback: () => steps++,
    lossCallback: (value) => losses.push(value),
  });
  expect(result.loss).toBeLessThan(1e-6);
  expect([...session.read(x), ...session.read(y)].every((value) => Math.abs(value - 1) < 2e-3)).toBe(true);
  expect(result.iterations).toBe(steps);
  expect(result.evaluations).toBe(losses.length);
  expect(result.evaluations).toBeLessThan(150);
});

test('stays within bounds and stops where they hold it', async () => {
  const [graph, session] = [new Graph(), new ReferenceSession()];
  const { x, optimizer } = graph.asDefault(() => {
    const x = new Variable([3, 3], { name: 'x' });
    const loss = reduceSum(square(sub(x, constant([-1, 1]))));
    const varToBounds = new Map([[x, [0, [10, 0.5]]] as const]);
    session.initializeAll();
    return { x, optimizer: new train.LbfgsOptimizerInterface(loss, { varToBounds }) };
  });
  await optimizer.minimize(runnerOf(session, graph));
  const [a = NaN, b = NaN] = session.read(x);
  expect(a).toBeCloseTo(0, 6);
  expect(b).toBeCloseTo(0.5, 6);
});

test('refuses constraints, and variables that it cannot move', () => {
  ReferenceSession.in(() => {
    const loss = reduceSum(square(new Variable([1], { name: 'x' })));
    expect(() => new train.LbfgsOptimizerInterface(loss, { equalities: [loss] })).toThrow(
      /takes no equalities or inequalities/,
    );
    expect(() => new train.LbfgsOptimizerInterface(loss, { varList: [] })).toThrow('there are no variables');
    const n = new Variable(1, { name: 'n', dtype: 'int32' });
    expect(() => new train.LbfgsOptimizerInterface(loss, { varList: [n] })).toThrow('variable n:0 is int32');
  });
});
