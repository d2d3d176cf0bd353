/** `dynamicRnn`, `bidirectionalDynamicRnn`, `rawRnn`: as the unrolled form, and what only loops do. */
import {
  Graph,
  TensorArray,
  add,
  constant,
  convertToTensor,
  globalVariables,
  gradients,
  greaterEqual,
  minimum,
  placeholder,
  reduceSum,
  stack,
  transpose,
  unstack,
  zeros,
  type HostValue,
  type Tensor,
} from '@forerun/graph';
import { constantInitializer, nn, rnnCell, variableScope } from '@forerun/layers';
import { Random, expectClose, interpret } from '@forerun/testing';
import { ReferenceSession, expectNear } from './run.js';

const { BasicRNNCell, GRUCell, MultiRNNCell } = rnnCell;
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
/** A cell that sums its inputs: with kernels of ones and no activation. */
const summing = (): rnnCell.BasicRNNCell => new BasicRNNCell(1, { activation: (x) => x });
const withOnes = <R>(build: () => R): R => variableScope('s', { initializer: constantInitializer(1) }, build);

/** [2, 3, 1]: 1, 2, 3 and 4, 5, 6. */
const ramp = (): Tensor =>
  constant([
    [[1], [2], [3]],
    [[4], [5], [6]],
  ]);

/** Adds all of a record's tensors to its state, which is its output. */
class Collecting extends rnnCell.RNNCell<Tensor> {
  static readonly kind = 'collecting';
  override readonly stateSize = 1;
  override readonly outputSize = 1;

  override takesNests(): boolean {
    return true;
  }

  override call(inputs: rnnCell.RNNState, state: Tensor): [Tensor, Tensor] {
    const { sums, marks } = inputs as { sums: [Tensor, Tensor]; marks: Tensor };
    const sum = add(add(state, add(sums[0], sums[1])), reduceSum(marks, { axis: 2 }));
    return [sum, sum];
  }
}

describe('dynamicRnn', () => {
  it('agrees with staticRnn, lengths and gradients included', () => {
    inGraph(() => {
      const random = new Random(2);
      const x = placeholder('float32', [2, 3, 2]);
      const lengths = constant([3, 1], { dtype: 'int32' });
      const cell = new MultiRNNCell([new GRUCell(3), new GRUCell(2)]);
      const options = { dtype: 'float32', sequenceLength: lengths } as const;
      const [ys, states] = nn.dynamicRnn(cell, x, options);
      const [steps, wanted] = nn.staticRnn(cell, unstack(x, { axis: 1 }), options);
      expect(ys.shape.dims).toEqual([2, 3, 2]);
      expect(states.map(({ shape }) => shape.dims)).toEqual([
        [2, 3],
        [2, 2],
      ]);
      const sources = [x, ...cell.weights];
      const pairs = [
        [ys, stack(steps, { axis: 1 })],
        ...states.map((state, i) => [state, wanted[i]]),
        ...gradients([ys, ...states], sources).map((dx, i) => [
          dx,
          gradients([stack(steps, { axis: 1 }), ...wanted], sources)[i],
        ]),
      ];
      const drawn = (t: Tensor): HostValue => {
        const shape = t.shape.toStatic();
        return { dtype: 'float32', shape, data: random.array(t.shape.size ?? 0, -1, 1) };
      };
      const variables = new Map(cell.weights.map((v) => [v.op, drawn(v.snapshot)] as const));
      const feeds = new Map([[x, drawn(x)]]);
      for (const pair of pairs) {
        const tensors = pair.flatMap((t) => (t === null || t === undefined ? [] : convertToTensor(t)));
        const [got, want] = interpret(tensors, feeds, { variables });
        if (got === undefined || want === undefined) throw new Error('a value or a gradient is missing');
        expectClose(got, want, { rtol: 1e-9, atol: 1e-12 });
      }
    });
  });

  it('takes batches and times of unknown size', () => {
    ReferenceSession.in((session) => {
      const x = placeholder('float32', [null, null, 1]);
      const [ys, state] = withOnes(() => nn.dynamicRnn(summing(), x, { dtype: 'float32' }));
      expect(ys.shape.dims).toEqual([null, null, 1]);
      expect(globalVariables().map((v) => v.op.name)).toEqual([
        's/rnn/basic_rnn_cell/kernel',
        's/rnn/basic_rnn_cell/bias',
      ]);
      session.initializeAll();
      const fed = [[x, [[[1], [2], [3]]]]] as const;
      expectNear(session.get(ys, fed), [1, 3, 6]);
      expectNear(session.get(state, fed), [6]);
      const [dx] = gradients(state, x);
      if (dx === null || dx === undefined) throw new Error('there is no gradient');
      expectNear(
        session.get(dx, [
          [
            x,
            [
              [[1], [2]],
              [[3], [4]],
            ],
          ],
        ]),
        [1, 1, 1, 1],
      );
    });
  });

  it('takes time first, lengths, and a state to begin with', () => {
    ReferenceSession.in((session) => {
      const x = constant([
        [[1], [10]],
        [[2], [20]],
        [[3], [30]],
      ]);
      const [ys, state] = withOnes(() =>
        nn.dynamicRnn(summing(), x, {
          timeMajor: true,
          sequenceLength: [2, 0],
          initialState: constant([[100], [200]]),
        }),
      );
      session.initializeAll();
      expectNear(session.get(ys), [101, 0, 103, 0, 0, 0]);
      expectNear(session.get(state), [103, 200]);
    });
  });

  it('gives a cell lists and records of inputs, as the unrolled form does', () => {
    ReferenceSession.in((session) => {
      const marks = placeholder('float32', [null, null, 1, 2]);
      const inputs = { sums: [ramp(), ramp()], marks };
      const options = { dtype: 'float32', sequenceLength: [3, 2] } as const;
      const [ys, state] = nn.dynamicRnn(new Collecting(), inputs, options);
      expect(ys.shape.dims).toEqual([2, 3, 1]);
      const columns = (x: Tensor): Tensor[] => unstack(x, { axis: 1, num: 3 });
      const [sums, shown] = [columns(ramp()), columns(marks)];
      const steps = shown.map((mark, i) => ({ sums: [sums[i], sums[i]] as Tensor[], marks: mark }));
      const [list, last] = nn.staticRnn(new Collecting(), steps, options);
      const fed = [[marks, Array.from({ length: 2 }, () => [[[1, 2]], [[3, 4]], [[5, 6]]])]] as const;
      // each step adds twice the ramp and both marks
      expectNear(session.get(ys, fed), [5, 16, 33, 11, 28, 0]);
      expectNear(session.get(stack(list, { axis: 1 }), fed), [5, 16, 33, 11, 28, 0]);
      expectNear([...session.get(state, fed), ...session.get(last, fed)], [33, 28, 33, 28]);
      const [dm] = gradients(state, marks);
      if (dm === null || dm === undefined) throw new Error('there is no gradient');
      expectNear(session.get(dm, fed), [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
    });
  });

  it.each<[string, () => unknown, string]>([
    [
      'several inputs for a cell that takes one',
      () => nn.dynamicRnn(summing(), [zeros([1, 1, 1]), zeros([1, 1, 1])], { dtype: 'float32' }),
      'basic_rnn_cell: the inputs must be one tensor, they are a list of 2',
    ],
    [
      'inputs that differ in time',
      () =>
        nn.dynamicRnn(new Collecting(), { a: zeros([1, 2, 1]), b: zeros([1, 3, 1]) }, { dtype: 'float32' }),
      'dynamicRnn: the inputs must agree in time and batch, got [2,1] and [3,1]',
    ],
    ['no cell', () => nn.dynamicRnn({} as never, zeros([1, 1, 1])), 'dynamicRnn: cell must be an RNNCell'],
    [
      'inputs of rank 2',
      () => nn.dynamicRnn(summing(), zeros([1, 1])),
      'dynamicRnn: the inputs must be [batch, time, ...] of rank 3 or more, their shape is [1,1]',
    ],
    [
      'neither state nor dtype',
      () => nn.dynamicRnn(summing(), zeros([1, 1, 1])),
      'dynamicRnn: give "dtype" where there is no "initialState"',
    ],
    [
      'lengths of another batch',
      () => nn.dynamicRnn(summing(), zeros([2, 1, 1]), { dtype: 'float32', sequenceLength: [1] }),
      'dynamicRnn: sequenceLength must be a vector, one length per sequence: 1 lengths for a batch of 2',
    ],
    [
      'options by position',
      () => nn.dynamicRnn(summing(), zeros([2, 1, 1]), [1] as never),
      "dynamicRnn: options must be an object such as { dtype: 'float32' }, got [1]",
    ],
  ])('refuses %s', (_, build, message) => {
    inGraph(() => expect(build).toThrow(message));
  });
});

describe('bidirectionalDynamicRnn', () => {
  it.each([
    ['all of them', undefined, [1, 3, 6, 10, 30, 60], [6, 5, 3, 60, 50, 30]],
    ['lengths', [2, 3], [1, 3, 0, 10, 30, 60], [3, 2, 0, 60, 50, 30]],
  ])('runs both ways over %s', (_, sequenceLength, forward, backward) => {
    ReferenceSession.in((session) => {
      const x = constant([
        [[1], [2], [3]],
        [[10], [20], [30]],
      ]);
      const options = { dtype: 'float32', sequenceLength } as const;
      const [[fw, bw], states] = withOnes(() => nn.bidirectionalDynamicRnn(summing(), summing(), x, options));
      const [[fwTime]] = variableScope('s', { reuse: true }, () =>
        nn.bidirectionalDynamicRnn(summing(), summing(), transpose(x, { perm: [1, 0, 2] }), {
          ...options,
          timeMajor: true,
        }),
      );
      expect(globalVariables().map((v) => v.op.name)).toEqual([
        's/bidirectional_rnn/fw/basic_rnn_cell/kernel',
        's/bidirectional_rnn/fw/basic_rnn_cell/bias',
        's/bidirectional_rnn/bw/basic_rnn_cell/kernel',
        's/bidirectional_rnn/bw/basic_rnn_cell/bias',
      ]);
      session.initializeAll();
      expectNear(session.get(fw), forward);
      expectNear(session.get(bw), backward);
      expectNear(session.get(transpose(fwTime, { perm: [1, 0, 2] })), forward);
      const total = [forward[1 + (sequenceLength === undefined ? 1 : 0)] ?? NaN, 60];
      expectNear(session.get(states[0]), total);
      expectNear(session.get(states[1]), total);
    });
  });
});

describe('rawRnn', () => {
  it('is dynamicRnn when it is steered so', () => {
    ReferenceSession.in((session) => {
      const array = new TensorArray('float32', { size: 3 }).unstack(
        constant([
          [[1], [10]],
          [[2], [20]],
          [[3], [30]],
        ]),
      );
      const lengths = constant([3, 2], { dtype: 'int32' });
      const cell = summing();
      const [emitted, state, loopState] = withOnes(() =>
        nn.rawRnn(cell, (time, output, cellState) => {
          // The last step is read once more where the sequence is over.
          const nextInput = array.read(minimum(time, 2));
          nextInput.setShape([2, 1]);
          return {
            elementsFinished: greaterEqual(time, lengths),
            nextInput,
            nextCellState: cellState ?? zeros([2, 1]),
            emitOutput: output,
            nextLoopState: null,
          };
        }),
      );
      if (!(emitted instanceof TensorArray)) throw new Error('one array is expected');
      session.initializeAll();
      expectNear(session.get(emitted.stack()), [1, 10, 3, 30, 6, 0]);
      expectNear(session.get(state), [6, 30]);
      expect(loopState).toBeNull();
    });
  });

  it('feeds back, emits what it is told and carries a loop state', () => {
    ReferenceSession.in((session) => {
      const [emitted, , count] = withOnes(() =>
        nn.rawRnn(summing(), (time, output, cellState, loopState: Tensor | null) => ({
          elementsFinished: greaterEqual(time, constant([4, 2], { dtype: 'int32' })),
          nextInput: output ?? constant([[1], [2]]),
          nextCellState: cellState ?? zeros([2, 1]),
          emitOutput: output === null ? { twice: zeros([1]) } : { twice: add(output, output) },
          nextLoopState: loopState === null ? constant(0) : add(loopState, 1),
        })),
      );
      session.initializeAll();
      const arrays = emitted as { twice: TensorArray };
      // Each output is the sum of itself and the state: 1, 2, 4, 8 and 2, 4.
      expectNear(session.get(arrays.twice.stack()), [2, 4, 4, 8, 8, 0, 16, 0]);
      expectNear(session.get(count), [4]);
    });
  });
});
