/** Fused recurrent cells: the variables of TensorFlow, the values and gradients of the cells that are made of parts. */
import {
  Graph,
  globalVariables,
  gradients,
  placeholder,
  unstack,
  Tensor,
  type HostValue,
  type Variable,
} from '@forerun/graph';
import { nn, rnnCell, variableScope } from '@forerun/layers';
import { Random, interpret, type Variables } from '@forerun/testing';
import { expectNear } from './run.js';

const { GRUBlockCell, GRUBlockCellV2, GRUCell, LSTMBlockCell, LSTMBlockFusedCell, LSTMCell, LSTMStateTuple } =
  rnnCell;
const inGraph = <R>(build: () => R): R => new Graph().asDefault(build);
const variableNames = (): string[] => globalVariables().map((v) => `${v.op.name} ${v.shape.toString()}`);
const random = new Random(17);
const value = (...shape: number[]): HostValue => ({
  dtype: 'float32',
  shape,
  data: random.array(shape.reduce((a, b) => a * b, 1)),
});
const ints = (...data: number[]): HostValue => ({
  dtype: 'int32',
  shape: [data.length],
  data: Float64Array.from(data),
});

interface Built {
  readonly ys: readonly Tensor[];
  readonly weights: readonly Variable[];
}

/** Outputs and gradients of two ways to compute the same, with the same weights, are equal. */
function expectSame(xs: ReadonlyMap<Tensor, HostValue>, one: Built, other: Built): void {
  const variables: Variables = new Map();
  const ending = (v: Variable): string => v.op.name.split('/').slice(-1).join('/');
  const pairs = one.weights.map((variable, i) => {
    const name = ending(variable);
    const same = other.weights.find((v) => ending(v) === name && v.shape.isCompatibleWith(variable.shape));
    const twin = same ?? other.weights[i];
    if (twin === undefined) throw new Error(`there is no ${variable.op.name}`);
    const point = value(...variable.shape.toStatic());
    variables.set(variable.op, point).set(twin.op, point);
    return [variable, twin] as const;
  });
  const sources = [...xs.keys()].filter((x) => x.dtype === 'float32');
  const all = ({ ys }: Built, which: 0 | 1): Tensor[] => {
    const grads = gradients(ys, [...sources, ...pairs.map((pair) => pair[which])]);
    return [...ys, ...grads.filter((g) => g instanceof Tensor)];
  };
  const [a, b] = [interpret(all(one, 0), xs, { variables }), interpret(all(other, 1), xs, { variables })];
  expect(a.length).toBe(b.length);
  expect(a.length).toBe(one.ys.length + sources.length + pairs.length);
  a.forEach((got, i) => {
    expect(got.shape).toEqual(b[i]?.shape);
    expectNear(Array.from(got.data), Array.from(b[i]?.data ?? []), 9);
  });
}

const states = (units: number): readonly [Map<Tensor, HostValue>, Tensor, rnnCell.LSTMStateTuple] => {
  const [x, c, h] = [3, units, units].map((n) => placeholder('float32', [2, n])) as [Tensor, Tensor, Tensor];
  const points = new Map([
    [x, value(2, 3)],
    [c, value(2, units)],
    [h, value(2, units)],
  ]);
  return [points, x, new LSTMStateTuple(c, h)];
};

it('fused cells have the variables of TensorFlow', () => {
  const lstm = inGraph(() => {
    const cell = new LSTMBlockCell(4, { usePeephole: true });
    const x = placeholder('float32', [2, 3]);
    variableScope('rnn', () => cell.apply(x, cell.zeroState(2, 'float32')));
    return variableNames();
  });
  const gru = inGraph(() => {
    const x = placeholder('float32', [2, 3]);
    for (const cell of [new GRUBlockCell(4, { name: 'old' }), new GRUBlockCellV2(4)]) {
      cell.apply(x, cell.zeroState(2, 'float32'));
    }
    return variableNames();
  });
  const fused = inGraph(() => {
    new LSTMBlockFusedCell(4).apply(placeholder('float32', [5, null, 3]), { dtype: 'float32' });
    return variableNames();
  });
  expect(lstm).toEqual([
    'rnn/lstm_cell/kernel [7,16]',
    'rnn/lstm_cell/bias [16]',
    ...['i', 'f', 'o'].map((gate) => `rnn/lstm_cell/w_${gate}_diag [4]`),
  ]);
  expect(gru).toEqual([
    ...['old/w_c [7,8]', 'old/b_ru [8]', 'old/w_ru [7,4]', 'old/b_c [4]'],
    ...['gru_cell/gates/kernel [7,8]', 'gru_cell/gates/bias [8]'],
    ...['gru_cell/candidate/kernel [7,4]', 'gru_cell/candidate/bias [4]'],
  ]);
  expect(fused).toEqual(['lstm_fused_cell/kernel [7,16]', 'lstm_fused_cell/bias [16]']);
});

it.each([
  ['plain', {}, {}],
  ['with peepholes', { usePeephole: true, forgetBias: 0.5 }, { usePeepholes: true, forgetBias: 0.5 }],
])('LSTMBlockCell %s computes what LSTMCell does', (_, blockOptions, options) => {
  inGraph(() => {
    const [points, x, state] = states(4);
    const [fused, parts] = [
      new LSTMBlockCell(4, blockOptions),
      new LSTMCell(4, { ...options, name: 'parts' }),
    ];
    const results = [fused, parts].map((cell) => cell.apply(x, state));
    const [a, b] = results.map(([y, { c, h }], i) => ({
      ys: [y, c, h],
      weights: [fused, parts][i]?.weights ?? [],
    }));
    if (a !== undefined && b !== undefined) expectSame(points, a, b);
    expect.hasAssertions();
  });
});

it('GRUBlockCell computes what GRUCell does', () => {
  inGraph(() => {
    const [points, x, { h }] = states(4);
    const used = new Map([...points].filter(([tensor]) => tensor === x || tensor === h));
    const [fused, parts] = [new GRUBlockCell(4), new GRUCell(4, { name: 'parts' })];
    const [a, b] = [fused.apply(x, h)[0], parts.apply(x, h)[0]];
    expectSame(used, { ys: [a], weights: fused.weights }, { ys: [b], weights: parts.weights });
  });
});

describe('LSTMBlockFusedCell', () => {
  it.each([
    ['all steps', undefined],
    ['as many steps as each sequence has', ints(3, 0, 4)],
  ])('computes what dynamicRnn does: %s', (_, lengths) => {
    inGraph(() => {
      const x = placeholder('float32', [5, null, 2]);
      const sequenceLength = lengths === undefined ? undefined : placeholder('int32', [null]);
      const points = new Map<Tensor, HostValue>([[x, value(5, 3, 2)]]);
      if (sequenceLength !== undefined && lengths !== undefined) points.set(sequenceLength, lengths);
      const fused = new LSTMBlockFusedCell(3, { usePeephole: true });
      const cell = new LSTMCell(3, { usePeepholes: true });
      const [ys, state] = fused.apply(x, { dtype: 'float32', sequenceLength });
      const [zs, last] = nn.dynamicRnn(cell, x, { dtype: 'float32', sequenceLength, timeMajor: true });
      expect(ys.shape.toString()).toBe('[5,?,3]');
      expectSame(
        points,
        { ys: [ys, state.c, state.h], weights: fused.weights },
        { ys: [zs, last.c, last.h], weights: cell.weights },
      );
    });
  });

  it('takes a list of steps and gives one, and shares its variables between calls', () => {
    inGraph(() => {
      const x = placeholder('float32', [3, 2, 2]);
      const cell = new LSTMBlockFusedCell(4);
      const [list] = cell.apply(unstack(x), { dtype: 'float32' });
      const [whole] = cell.apply(x, { dtype: 'float32' });
      expect(list).toHaveLength(3);
      expect(cell.weights).toHaveLength(2);
      const feeds = new Map<Tensor, HostValue>([[x, value(3, 2, 2)]]);
      for (const { snapshot, shape } of cell.weights) feeds.set(snapshot, value(...shape.toStatic()));
      const [all, ...parts] = interpret([whole, ...list], feeds);
      expect(parts.flatMap(({ data }) => Array.from(data))).toEqual(Array.from(all?.data ?? []));
    });
  });

  it('refuses other ranks, and to guess a state', () => {
    inGraph(() => {
      const cell = new LSTMBlockFusedCell(4);
      expect(() => cell.apply(placeholder('float32', [2, 3]), { dtype: 'float32' })).toThrow(
        /LSTMBlockFusedCell: the inputs must be \[time, batch, n\], they have shape \[2,3\]/,
      );
      expect(() => cell.apply(placeholder('float32', [2, 3, 4]))).toThrow(/give "dtype"/);
      expect(() => new LSTMBlockFusedCell(0)).toThrow(/numUnits must be a positive integer, got 0/);
    });
  });
});
