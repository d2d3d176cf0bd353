/** `staticRnn`: outputs, lengths, initial states, sharing, bad input. */
import {
  Graph,
  constant,
  gradients,
  globalVariables,
  placeholder,
  stack,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { constantInitializer, nn, rnnCell, variableScope } from '@forerun/layers';
import { Random, checkGrad, interpret } from '@forerun/testing';
import { lstmStep } from './rnnLoops.js';
import { ReferenceSession, expectNear } from './run.js';

const { BasicLSTMCell, BasicRNNCell, GRUCell, LSTMStateTuple, MultiRNNCell } = rnnCell;
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const inputs = (steps: number, batch: number | null = 2): Tensor[] =>
  Array.from({ length: steps }, () => placeholder('float32', [batch, 3]));

describe('staticRnn', () => {
  it('has the names of TensorFlow and shares the variables over steps', () => {
    inGraph(() => {
      const [outputs, state] = nn.staticRnn(new BasicLSTMCell(4), inputs(3), { dtype: 'float32' });
      expect(outputs.map(({ shape }) => shape.dims)).toEqual(new Array(3).fill([2, 4]));
      expect(state).toBeInstanceOf(LSTMStateTuple);
      expect(globalVariables().map((v) => v.op.name)).toEqual([
        'rnn/basic_lstm_cell/kernel',
        'rnn/basic_lstm_cell/bias',
      ]);
      expect(outputs[0]?.op.name).toMatch(/^rnn\/basic_lstm_cell\//);
      nn.staticRnn(new MultiRNNCell([new GRUCell(2)]), inputs(2), { dtype: 'float32', scope: 'two' });
      expect(globalVariables()[2]?.op.name).toBe('two/multi_rnn_cell/cell_0/gru_cell/gates/kernel');
    });
  });

  it('ends every sequence at its length', () => {
    inGraph(() => {
      const random = new Random(1);
      const xs = inputs(3);
      const cell = new BasicLSTMCell(2);
      const lengths = placeholder('int64', [2]);
      const [outputs, state] = nn.staticRnn(cell, xs, { dtype: 'float32', sequenceLength: lengths });
      const value = (...shape: number[]) => ({
        dtype: 'float32' as const,
        shape,
        data: random.array(
          shape.reduce((a, b) => a * b, 1),
          -1,
          1,
        ),
      });
      const points = new Map(xs.map((x) => [x, value(2, 3)] as const));
      for (const v of cell.weights) points.set(v.snapshot, value(...v.shape.toStatic()));
      const counts = [3, 1];
      const feeds = new Map([
        [lengths, { dtype: 'int64' as const, shape: [2], data: Float64Array.from(counts) }],
      ]);
      const [ys, c, h] = interpret(
        [stack(outputs), state.c, state.h],
        new Map<Tensor, HostValue>([...points, ...feeds]),
      );
      const [kernel = [], bias = []] = cell.weights.map((v) =>
        Array.from(points.get(v.snapshot)?.data ?? []),
      );
      for (const row of [0, 1]) {
        let now = { c: [0, 0], h: [0, 0] };
        xs.forEach((x, t) => {
          const xt = Array.from(points.get(x)?.data.slice(row * 3, row * 3 + 3) ?? []);
          const ended = t >= (counts[row] ?? 0);
          if (!ended) now = lstmStep({ kernel, bias }, xt, now.c, now.h);
          const got = Array.from(ys?.data.slice(t * 4 + row * 2, t * 4 + row * 2 + 2) ?? []);
          expectNear(got, ended ? [0, 0] : now.h, 9);
        });
        expectNear(Array.from(c?.data.slice(row * 2, row * 2 + 2) ?? []), now.c, 9);
        expectNear(Array.from(h?.data.slice(row * 2, row * 2 + 2) ?? []), now.h, 9);
      }
      checkGrad([...outputs, state.c], points, { feeds, order: 1 });
    });
  });

  it('begins with the state that is given', () => {
    ReferenceSession.in((session) => {
      const cell = new BasicRNNCell(1, { activation: (x) => x });
      const [outputs] = variableScope('s', { initializer: constantInitializer(2) }, () =>
        nn.staticRnn(cell, [constant([[1]]), constant([[1]])], { initialState: constant([[3]]) }),
      );
      session.initializeAll();
      expectNear(session.run(outputs).flat(), [8, 18]);
    });
  });

  it('takes batches of unknown size', () => {
    ReferenceSession.in((session) => {
      const [x] = inputs(1, null);
      if (x === undefined) throw new Error('there is no input');
      const [[y], state] = nn.staticRnn(new GRUCell(2), [x], { dtype: 'float32' });
      if (y === undefined) throw new Error('there is no output');
      expect(y.shape.dims).toEqual([null, 2]);
      session.initializeAll();
      const rows = [1, 2, 3].map(() => [1, 2, 3]);
      expect(session.run([y, state], [[x, rows]]).map((v) => v.length)).toEqual([6, 6]);
      const [dx] = gradients(y, x);
      if (dx === undefined || dx === null) throw new Error('there is no gradient');
      expect(session.get(dx, [[x, rows]])).toHaveLength(9);
    });
  });

  it.each<[string, () => unknown, string]>([
    ['no cell', () => nn.staticRnn(GRUCell as never, inputs(1)), 'staticRnn: cell must be an RNNCell'],
    [
      'no list',
      () => nn.staticRnn(new GRUCell(2), constant([[[1]]]) as never),
      'staticRnn: inputs must be a list with a tensor per step',
    ],
    ['no inputs', () => nn.staticRnn(new GRUCell(2), []), 'staticRnn: inputs must not be empty'],
    [
      'neither state nor dtype',
      () => nn.staticRnn(new GRUCell(2), inputs(1)),
      'staticRnn: give "dtype" where there is no "initialState"',
    ],
    [
      'a state of another structure',
      () => nn.staticRnn(new BasicLSTMCell(2), inputs(1), { initialState: constant([[1]]) as never }),
      'staticRnn: initialState must be an LSTMStateTuple, it is one value',
    ],
    [
      'lengths of another rank',
      () => nn.staticRnn(new GRUCell(2), inputs(1), { dtype: 'float32', sequenceLength: [[1, 1]] }),
      'staticRnn: sequenceLength must be a vector, one length per sequence, its shape is [1,2]',
    ],
    [
      'lengths of another batch',
      () => nn.staticRnn(new GRUCell(2), inputs(1), { dtype: 'float32', sequenceLength: [1, 1, 1] }),
      '3 lengths for a batch of 2',
    ],
  ])('refuses %s', (_, build, message) => {
    inGraph(() => expect(build).toThrow(message));
  });
});

describe('staticBidirectionalRnn', () => {
  const times = (w: number) => ({ initializer: constantInitializer(w) });
  const linear = (): rnnCell.BasicRNNCell => new BasicRNNCell(1, { activation: (x) => x });

  it('runs both ways and puts the outputs side by side', () => {
    ReferenceSession.in((session) => {
      const xs = [1, 2, 3].map((x) => constant([[x], [10 * x]]));
      const [outputs, fw, bw] = variableScope('s', times(1), () =>
        nn.staticBidirectionalRnn(linear(), linear(), xs, { dtype: 'float32' }),
      );
      expect(globalVariables().map((v) => v.op.name)).toEqual([
        's/bidirectional_rnn/fw/basic_rnn_cell/kernel',
        's/bidirectional_rnn/fw/basic_rnn_cell/bias',
        's/bidirectional_rnn/bw/basic_rnn_cell/kernel',
        's/bidirectional_rnn/bw/basic_rnn_cell/bias',
      ]);
      session.initializeAll();
      // Sums from the front and from the back.
      const want = [
        [1, 6, 10, 60],
        [3, 5, 30, 50],
        [6, 3, 60, 30],
      ];
      session.run(outputs).forEach((y, t) => expectNear(y, want[t] ?? []));
      expectNear(session.get(fw), [6, 60]);
      expectNear(session.get(bw), [6, 60]);
    });
  });

  it('reverses every sequence within its length', () => {
    ReferenceSession.in((session) => {
      const xs = [1, 2, 3].map((x) => constant([[x], [10 * x]]));
      const [outputs, fw, bw] = variableScope('s', times(1), () =>
        nn.staticBidirectionalRnn(linear(), linear(), xs, {
          sequenceLength: [2, 3],
          initialStateFw: constant([[0], [0]]),
          initialStateBw: constant([[100], [100]]),
        }),
      );
      session.initializeAll();
      const want = [
        [1, 103, 10, 160],
        [3, 102, 30, 150],
        [0, 0, 60, 130],
      ];
      session.run(outputs).forEach((y, t) => expectNear(y, want[t] ?? []));
      expectNear(session.get(fw), [3, 60]);
      expectNear(session.get(bw), [103, 160]);
    });
  });

  it('refuses what is no cell', () => {
    inGraph(() =>
      expect(() => nn.staticBidirectionalRnn(linear(), null as never, inputs(1))).toThrow(
        'staticBidirectionalRnn: cellBw must be an RNNCell',
      ),
    );
  });
});
