/** Recurrent cells: names and shapes of variables, values against plain loops, gradients, bad input. */
import {
  Graph,
  TensorShape,
  constant,
  globalVariables,
  placeholder,
  relu,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { AUTO_REUSE, constantInitializer, rnnCell, variableScope } from '@forerun/layers';
import { Random, checkGrad, interpret } from '@forerun/testing';
import { lstmStep, type LSTMWeights } from './rnnLoops.js';
import { ReferenceSession, expectNear } from './run.js';

const { BasicLSTMCell, BasicRNNCell, GRUCell, LSTMCell, LSTMStateTuple, LayerNormBasicLSTMCell } = rnnCell;
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const variableNames = (): string[] => globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);
const x23 = (): Tensor => placeholder('float32', [2, 3], { name: 'x' });

describe('variables', () => {
  const step = <S extends rnnCell.RNNState>(cell: rnnCell.RNNCell<S>): string[] => {
    variableScope('rnn', () => cell.apply(x23(), cell.zeroState(2, 'float32')));
    return variableNames();
  };

  it('have the names and shapes of TensorFlow', () => {
    const names = {
      rnn: inGraph(() => step(new BasicRNNCell(4))),
      gru: inGraph(() => step(new GRUCell(4))),
      basic: inGraph(() => step(new BasicLSTMCell(4))),
      lstm: inGraph(() => step(new LSTMCell(4, { usePeepholes: true, numProj: 2 }))),
    };
    expect(names).toEqual({
      rnn: ['rnn/basic_rnn_cell/kernel [7,4]', 'rnn/basic_rnn_cell/bias [4]'],
      gru: [
        'rnn/gru_cell/gates/kernel [7,8]',
        'rnn/gru_cell/gates/bias [8]',
        'rnn/gru_cell/candidate/kernel [7,4]',
        'rnn/gru_cell/candidate/bias [4]',
      ],
      basic: ['rnn/basic_lstm_cell/kernel [7,16]', 'rnn/basic_lstm_cell/bias [16]'],
      lstm: [
        'rnn/lstm_cell/kernel [5,16]',
        'rnn/lstm_cell/bias [16]',
        'rnn/lstm_cell/w_f_diag [4]',
        'rnn/lstm_cell/w_i_diag [4]',
        'rnn/lstm_cell/w_o_diag [4]',
        'rnn/lstm_cell/projection/kernel [4,2]',
      ],
    });
  });

  it('of normalized cells have no bias but gains and shifts', () => {
    const names = inGraph(() => step(new LayerNormBasicLSTMCell(4)));
    expect(names).toHaveLength(11);
    expect(names.slice(0, 3)).toEqual([
      'rnn/layer_norm_basic_lstm_cell/kernel [7,16]',
      'rnn/layer_norm_basic_lstm_cell/input/gamma [4]',
      'rnn/layer_norm_basic_lstm_cell/input/beta [4]',
    ]);
    const plain = inGraph(() => step(new LayerNormBasicLSTMCell(4, { layerNorm: false })));
    expect(plain[1]).toBe('rnn/layer_norm_basic_lstm_cell/bias [16]');
  });

  it('are made once per cell, and shared between cells by the scope', () => {
    inGraph(() => {
      const cell = new GRUCell(2);
      const state = cell.zeroState(2, 'float32');
      cell.apply(x23(), cell.apply(x23(), state)[1]);
      expect(variableNames()).toHaveLength(4);
      expect(cell.weights).toHaveLength(4);
      expect(cell.name).toBe('gru_cell');
      new GRUCell(2).apply(x23(), state);
      expect(variableNames()[4]).toBe('gru_cell_1/gates/kernel [5,4]');
    });
    inGraph(() => {
      for (let i = 0; i < 2; i++) {
        variableScope('shared', { reuse: AUTO_REUSE }, () =>
          new GRUCell(2, { name: 'cell' }).apply(x23(), new GRUCell(2).zeroState(2, 'float32')),
        );
      }
      expect(variableNames()).toHaveLength(4);
      expect(variableNames()[0]).toBe('shared/cell/gates/kernel [5,4]');
    });
  });

  it('of a class of the user take its name', () => {
    class MyGRUCell extends rnnCell.RNNCell<Tensor> {
      override get stateSize(): TensorShape {
        return new TensorShape([3]);
      }
      override get outputSize(): number {
        return 3;
      }
      protected override build(): void {
        this.addWeight('scale', [3]);
      }
      override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
        return [inputs, state];
      }
    }
    expect(inGraph(() => step(new MyGRUCell()))).toEqual(['rnn/my_gru_cell/scale [3]']);
  });

  it('may be kept from training, and have the dtype of the inputs', () => {
    inGraph(() => {
      const cell = new BasicRNNCell(2, { trainable: false });
      cell.apply(placeholder('float16', [2, 3]), placeholder('float16', [2, 2]));
      expect(cell.weights.map(({ dtype }) => dtype)).toEqual(['float16', 'float16']);
      expect(cell.trainableWeights).toEqual([]);
    });
  });
});

describe('states', () => {
  it('of zeros have the structure of stateSize', () => {
    inGraph(() => {
      const cell = new LSTMCell(3, { numProj: 2 });
      expect(cell.stateSize).toEqual(new LSTMStateTuple(3, 2));
      const { c, h } = cell.zeroState(4, 'float32');
      expect([...new LSTMStateTuple(1, 2)]).toEqual([1, 2]);
      expect([c.shape.dims, h.shape.dims]).toEqual([
        [4, 3],
        [4, 2],
      ]);
      const flat = new BasicLSTMCell<Tensor>(3, { stateIsTuple: false });
      expect(flat.stateSize).toBe(6);
      expect(flat.zeroState(placeholder('int32', []), 'float32').shape.dims).toEqual([null, 6]);
    });
  });

  it('of the wrong structure are refused', () => {
    inGraph(() => {
      const cell = new BasicLSTMCell(3);
      const flat = constant([[0, 0, 0]]);
      expect(() => cell.apply(x23(), flat as never)).toThrow(
        'basic_lstm_cell: the state must be an LSTMStateTuple, it is one value',
      );
    });
  });
});

describe('values', () => {
  const random = new Random(3);
  const value = (...shape: number[]): HostValue => ({
    dtype: 'float32',
    shape,
    data: random.array(
      shape.reduce((n, d) => n * d, 1),
      -1,
      1,
    ),
  });

  it.each([
    ['plain', {}],
    ['with peepholes', { usePeepholes: true }],
    ['clipped', { cellClip: 0.375, usePeepholes: true, forgetBias: 0.5 }],
    ['projected', { numProj: 2, usePeepholes: true }],
    ['projected and clipped', { numProj: 2, projClip: 0.25, cellClip: 0.5 }],
    ['with a concatenated state', { stateIsTuple: false }],
  ])('of LSTMCell %s are those of a loop, and so are gradients', (_, options) => {
    inGraph(() => {
      const outputs = 'numProj' in options ? options.numProj : 4;
      const [x, c, h] = [
        [2, 3],
        [2, 4],
        [2, outputs],
      ].map((shape) => placeholder('float32', shape)) as [Tensor, Tensor, Tensor];
      const isTuple = !('stateIsTuple' in options);
      const flat = placeholder('float32', [2, 4 + outputs]);
      const cell = new LSTMCell<Tensor | rnnCell.LSTMStateTuple>(4, options);
      const [y, state] = cell.apply(x, isTuple ? new LSTMStateTuple(c, h) : flat);
      const ys = state instanceof LSTMStateTuple ? [y, state.c, state.h] : [y, state];
      const points = new Map<Tensor, HostValue>(
        cell.weights.map((v) => [v.snapshot, value(...v.shape.toStatic())]),
      );
      const [cValue, hValue] = [value(2, 4), value(2, outputs)];
      const rows = (v: HostValue, r: number): number[] =>
        Array.from(v.data.slice((r * v.data.length) / 2, ((r + 1) * v.data.length) / 2));
      points.set(x, value(2, 3));
      if (isTuple) points.set(c, cValue).set(h, hValue);
      else
        points.set(flat, {
          dtype: 'float32',
          shape: [2, 4 + outputs],
          data: Float64Array.from([0, 1].flatMap((r) => [...rows(cValue, r), ...rows(hValue, r)])),
        });
      const weight = (name: string): readonly number[] => {
        const variable = cell.weights.find((v) => v.op.name.endsWith(name));
        return variable === undefined ? [] : Array.from(points.get(variable.snapshot)?.data ?? []);
      };
      const weights: LSTMWeights = {
        ...options,
        kernel: weight('cell/kernel'),
        bias: weight('bias'),
        diagonals: ['w_f_diag', 'w_i_diag', 'w_o_diag'].map(weight),
        projection: weight('projection/kernel'),
      };
      const results = interpret(ys, points);
      for (const r of [0, 1]) {
        const want = lstmStep(weights, rows(points.get(x) ?? value(0), r), rows(cValue, r), rows(hValue, r));
        const got = results.flatMap((v) => rows(v, r));
        expectNear(got, [...want.h, ...want.c, ...want.h], 9);
      }
      if (!('cellClip' in options)) checkGrad(ys, points, { order: 1 });
    });
  });

  it('of a cell with another activation use it', () => {
    ReferenceSession.in((session) => {
      const cell = new BasicRNNCell(1, { activation: relu });
      const [y] = variableScope('s', { initializer: constantInitializer(2) }, () =>
        cell.apply(constant([[3], [-3]]), constant([[1], [0]])),
      );
      session.initializeAll();
      expectNear(session.get(y), [8, 0]);
    });
  });

  it('of the initial biases are ones for the gates of a GRU, zeros elsewhere', () => {
    ReferenceSession.in((session) => {
      const cell = new GRUCell(1, { kernelInitializer: constantInitializer(0) });
      const [y] = cell.apply(constant([[5]]), constant([[1]]));
      session.initializeAll();
      // u = sigmoid(1), candidate = tanh(0)
      expectNear(session.get(y), [1 / (1 + Math.exp(-1))]);
    });
  });

  it('of a normalized cell are those of a loop, and so are gradients', () => {
    inGraph(() => {
      const [x, c, h] = [
        placeholder('float32', [2, 3]),
        placeholder('float32', [2, 4]),
        placeholder('float32', [2, 4]),
      ];
      const cell = new LayerNormBasicLSTMCell(4);
      const [y, state] = cell.apply(x, new LSTMStateTuple(c, h));
      const points = new Map<Tensor, HostValue>([
        [x, value(2, 3)],
        [c, value(2, 4)],
        [h, value(2, 4)],
      ]);
      for (const variable of cell.weights) points.set(variable.snapshot, value(...variable.shape.toStatic()));
      checkGrad([y, state.c], points, { order: 1 });
    });
  });

  it('of a normalized cell whose gates do not vary come from the shifts', () => {
    ReferenceSession.in((session) => {
      const cell = new LayerNormBasicLSTMCell(2, { normShift: 0.25 });
      const [y, { c }] = variableScope('s', { initializer: constantInitializer(1) }, () =>
        cell.apply(constant([[1]]), new LSTMStateTuple(constant([[1, 2]]), constant([[0, 0]]))),
      );
      session.initializeAll();
      // All gates are 0.25 and the memory [m1, m2] is normalized to -1 and 1 before the shift.
      expectNear(session.get(c), [-0.75, 1.25], 5);
      const o = 1 / (1 + Math.exp(-0.25));
      expectNear(session.get(y), [o * Math.tanh(-0.75), o * Math.tanh(1.25)], 5);
    });
  });
});

describe('bad input', () => {
  it.each<[string, () => unknown, string]>([
    ['units', () => new GRUCell(0), 'gru_cell: numUnits must be a positive integer, got 0'],
    [
      'projection',
      () => new LSTMCell(2, { numProj: 1.5 }),
      'lstm_cell: numProj must be a positive integer, got 1.5',
    ],
    [
      'options',
      () => new BasicRNNCell(2, relu as never),
      "BasicRNNCell: options must be an object such as { name: 'cell' }",
    ],
    [
      'rank',
      () => new GRUCell(2).apply(placeholder('float32', [2, 3, 4]), constant([[0, 0]])),
      'gru_cell: the inputs must have rank 2, the inputs have shape [2,3,4]',
    ],
    [
      'unknown depth',
      () => new GRUCell(2).apply(placeholder('float32', [2, null]), constant([[0, 0]])),
      'gru_cell: the last dimension of the inputs must be known, the inputs have shape [2,?]',
    ],
    [
      'call in place of apply',
      () => new GRUCell(2).call(constant([[1, 2, 3]]), constant([[0, 0]])),
      'gru_cell: the cell has no variables yet: use apply(), not call()',
    ],
    [
      'reuse of nothing',
      () => new GRUCell(2, { reuse: true }).apply(placeholder('float32', [2, 3]), constant([[0, 0]])),
      'variable "gru_cell/gates/kernel" does not exist',
    ],
  ])('is refused: %s', (_, build, message) => {
    inGraph(() => expect(build).toThrow(message));
  });
});
