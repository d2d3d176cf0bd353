/** Cells made of cells, and dropout at cells: names, values, seeds, bad input. */
import {
  Graph,
  TensorShape,
  constant,
  globalVariables,
  mul,
  ones,
  placeholder,
  reduceMean,
  type Tensor,
} from '@forerun/graph';
import { rnnCell } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const { BasicLSTMCell, BasicRNNCell, DeviceWrapper, DropoutWrapper, GRUCell, LSTMStateTuple } = rnnCell;
const { MultiRNNCell, RNNCell, ResidualWrapper } = rnnCell;
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);

/** A cell without variables: output = inputs, state = state + inputs. */
class SumCell extends RNNCell<Tensor> {
  constructor(readonly size: number) {
    super();
  }
  override get stateSize(): number {
    return this.size;
  }
  override get outputSize(): number {
    return this.size;
  }
  override call(inputs: Tensor, state: Tensor): [Tensor, Tensor] {
    return [inputs, state.add(inputs)];
  }
}

/** A cell whose state is an LSTM's, and all ones. */
class PairCell extends RNNCell<rnnCell.LSTMStateTuple> {
  override get stateSize(): rnnCell.LSTMStateTuple<number> {
    return new LSTMStateTuple(8, 8);
  }
  override get outputSize(): number {
    return 8;
  }
  override call(inputs: Tensor, state: rnnCell.LSTMStateTuple): [Tensor, rnnCell.LSTMStateTuple] {
    return [inputs, state];
  }
}

describe('MultiRNNCell', () => {
  it('names variables as TensorFlow', () => {
    inGraph(() => {
      const cell = new MultiRNNCell([new BasicLSTMCell(2), new BasicLSTMCell(3)]);
      expect(cell.stateSize).toEqual([new LSTMStateTuple(2, 2), new LSTMStateTuple(3, 3)]);
      expect(cell.outputSize).toBe(3);
      const [y, state] = cell.apply(placeholder('float32', [4, 5]), cell.zeroState(4, 'float32'));
      expect(y.shape.dims).toEqual([4, 3]);
      expect(state.map(({ h }) => h.shape.dims)).toEqual([
        [4, 2],
        [4, 3],
      ]);
      expect(globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`)).toEqual([
        'multi_rnn_cell/cell_0/basic_lstm_cell/kernel [7,8]',
        'multi_rnn_cell/cell_0/basic_lstm_cell/bias [8]',
        'multi_rnn_cell/cell_1/basic_lstm_cell/kernel [5,12]',
        'multi_rnn_cell/cell_1/basic_lstm_cell/bias [12]',
      ]);
    });
  });

  it('takes the states apart that stand side by side', () => {
    ReferenceSession.in((session) => {
      const cell = new MultiRNNCell<Tensor, Tensor>([new SumCell(2), new SumCell(2)], {
        stateIsTuple: false,
      });
      expect(cell.stateSize).toBe(4);
      const [y, state] = cell.apply([[1, 2]], constant([[10, 20, 30, 40]]));
      expectNear(session.get(y), [1, 2]);
      expectNear(session.get(state), [11, 22, 31, 42]);
      expect(cell.zeroState(3, 'float32').shape.dims).toEqual([3, 4]);
    });
  });

  it.each<[string, () => unknown, string]>([
    ['no cells', () => new MultiRNNCell([]), 'MultiRNNCell: there must be at least one cell'],
    [
      'no list',
      () => new MultiRNNCell(new GRUCell(2) as never),
      'MultiRNNCell: cells must be a list of cells',
    ],
    [
      'one cell twice',
      () => new MultiRNNCell(new Array(2).fill(new GRUCell(2)) as rnnCell.GRUCell[]),
      'MultiRNNCell: a cell stands twice in the list; make one per layer',
    ],
    [
      'a state of parts side by side',
      () => new MultiRNNCell([new BasicLSTMCell(2)], { stateIsTuple: false }),
      'MultiRNNCell: stateIsTuple is false, but some cells have states of parts',
    ],
    [
      'too few states',
      () => new MultiRNNCell([new SumCell(1), new SumCell(1)]).apply([[1]], [constant([[1]])]),
      'multi_rnn_cell: the state must be a list of 2, it is a list of 1',
    ],
  ])('refuses %s', (_, build, message) => {
    inGraph(() => expect(build).toThrow(message));
  });
});

describe('ResidualWrapper', () => {
  it('adds the inputs, or does what it is told', () => {
    ReferenceSession.in((session) => {
      const state = constant([[0, 0]]);
      const [y, next] = new ResidualWrapper(new SumCell(2)).apply([[1, 2]], state);
      expectNear(session.get(y), [2, 4]);
      expectNear(session.get(next), [1, 2]);
      const product = new ResidualWrapper(new SumCell(2), { residualFn: (x, out) => mul(x, out) });
      expectNear(session.get(product.apply([[3, 4]], state)[0]), [9, 16]);
    });
  });

  it('opens no scope, and refuses outputs of another shape', () => {
    inGraph(() => {
      const wrapped = new ResidualWrapper(new BasicRNNCell(3));
      wrapped.apply(placeholder('float32', [2, 3]), wrapped.zeroState(2, 'float32'));
      expect(wrapped.weights.map((v) => v.op.name)).toEqual(['basic_rnn_cell/kernel', 'basic_rnn_cell/bias']);
      const other = new ResidualWrapper(new BasicRNNCell(4));
      expect(() => other.apply(placeholder('float32', [2, 3]), other.zeroState(2, 'float32'))).toThrow(
        'ResidualWrapper: inputs [2,3] and outputs [2,4] must have one shape',
      );
      expect(() => new ResidualWrapper('gru' as never)).toThrow('the first argument must be a cell');
    });
  });
});

describe('DeviceWrapper', () => {
  it('labels the operations', () => {
    inGraph(() => {
      const cell = new DeviceWrapper(new SumCell(2), '/gpu:1');
      const [, state] = cell.apply([[1, 2]], cell.zeroState(1, 'float32'));
      expect(state.op.device).toBe('/gpu:1');
    });
  });
});

describe('DropoutWrapper', () => {
  const values = (session: ReferenceSession, x: Tensor): Set<number> => new Set(session.get(x));

  it('drops inputs and outputs and scales what is left', () => {
    ReferenceSession.in((session) => {
      const cell = new DropoutWrapper(new SumCell(400), { inputKeepProb: 0.5, outputKeepProb: 0.5, seed: 1 });
      const [y, state] = cell.apply(ones([1, 400]), cell.zeroState(1, 'float32'));
      expect(values(session, state)).toEqual(new Set([0, 2]));
      // Twice dropped: kept with probability 1/4, by decisions that differ.
      expect(values(session, y)).toEqual(new Set([0, 4]));
      expect(session.get(reduceMean(y))[0]).toBeGreaterThan(0.7);
      expect(session.get(reduceMean(y))[0]).toBeLessThan(1.4);
    });
  });

  it('spares the memory of an LSTM, unless told otherwise', () => {
    ReferenceSession.in((session) => {
      const state = new LSTMStateTuple(ones([3, 8]), ones([3, 8]));
      const plain = new DropoutWrapper(new PairCell(), { stateKeepProb: 0.5, seed: 1 });
      const [, { c, h }] = plain.apply(ones([3, 8]), state);
      expect(values(session, c)).toEqual(new Set([1]));
      expect(values(session, h)).toEqual(new Set([0, 2]));
      const all = new DropoutWrapper(new PairCell(), {
        stateKeepProb: 0.5,
        seed: 1,
        dropoutStateFilter: () => true,
      });
      const [, both] = all.apply(ones([3, 8]), state);
      expect(values(session, both.c)).toEqual(new Set([0, 2]));
      expect(session.get(both.c)).not.toEqual(session.get(both.h));
    });
  });

  it('drops only in those of several states that the filter names', () => {
    ReferenceSession.in((session) => {
      const cell = new DropoutWrapper(new MultiRNNCell([new PairCell(), new PairCell()]), {
        stateKeepProb: 0.5,
        dropoutStateFilter: (state) => (Array.isArray(state) ? [false, true] : true),
      });
      const one = new LSTMStateTuple(ones([3, 8]), ones([3, 8]));
      const [, [first, second]] = cell.apply(ones([3, 8]), [one, one]);
      if (first === undefined || second === undefined) throw new Error('a state is missing');
      expect(values(session, first.h)).toEqual(new Set([1]));
      expect(values(session, second.c)).toEqual(new Set([0, 2]));
    });
  });

  it('keeps one mask in variational dropout', () => {
    ReferenceSession.in((session) => {
      const cell = new DropoutWrapper(new SumCell(40), {
        inputKeepProb: 0.5,
        inputSize: new TensorShape([40]),
        variationalRecurrent: true,
        dtype: 'float32',
      });
      const [first, state] = cell.apply(ones([2, 40]), cell.zeroState(2, 'float32'));
      const [second] = cell.apply(ones([2, 40]), state);
      const [a = [], b = []] = session.run([first, second]);
      expect(new Set(a)).toEqual(new Set([0, 2]));
      expect(b).toEqual(a);
      expect(a.slice(40)).toEqual(a.slice(0, 40));
    });
  });

  it('takes probabilities that are fed, and adds nothing where all is kept', () => {
    ReferenceSession.in((session) => {
      const keep = placeholder('float32', []);
      const cell = new DropoutWrapper(new SumCell(2), { outputKeepProb: keep });
      const [y] = cell.apply([[1, 2]], constant([[0, 0]]));
      expectNear(session.get(y, [[keep, 1]]), [1, 2]);
      const x = constant([[1, 2]]);
      expect(new DropoutWrapper(new SumCell(2)).apply(x, constant([[0, 0]]))[0]).toBe(x);
    });
  });

  it.each<[string, rnnCell.DropoutWrapperOptions, string]>([
    ['a probability of 0', { stateKeepProb: 0 }, 'DropoutWrapper: stateKeepProb must be in (0, 1], got 0'],
    ['NaN', { inputKeepProb: NaN }, 'DropoutWrapper: inputKeepProb must be in (0, 1], got NaN'],
    [
      'variational dropout without dtype',
      { outputKeepProb: 0.5, variationalRecurrent: true },
      'DropoutWrapper: variationalRecurrent needs the option "dtype"',
    ],
    [
      'variational dropout of inputs of unknown size',
      { inputKeepProb: 0.5, variationalRecurrent: true, dtype: 'float32' },
      'needs the option "inputSize"',
    ],
  ])('refuses %s', (_, options, message) => {
    inGraph(() => expect(() => new DropoutWrapper(new SumCell(2), options)).toThrow(message));
  });
});
