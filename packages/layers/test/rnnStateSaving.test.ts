/** `staticStateSavingRnn`: the state of one run begins the next. */
import { Graph, placeholder, type Operation, type Tensor } from '@forerun/graph';
import { constantInitializer, getVariable, nn, rnnCell, variableScope } from '@forerun/layers';
import { ReferenceSession, expectNear } from './run.js';

const { BasicRNNCell, LSTMCell } = rnnCell;

/** States in variables [2, 3], by name. */
function saver() {
  const of = (name: string) =>
    variableScope('saved', () =>
      getVariable(name, { shape: [2, 3], initializer: constantInitializer(0), trainable: false }),
    );
  const known = new Map<string, ReturnType<typeof of>>();
  const variable = (name: string): ReturnType<typeof of> => {
    const found = known.get(name) ?? of(name);
    known.set(name, found);
    return found;
  };
  return {
    state: (name: string): Tensor => variable(name).readValue(),
    saveState: (name: string, value: Tensor): Operation | Tensor => variable(name).assign(value),
    variable,
  };
}

it('a run goes on where the last one ended', () => {
  ReferenceSession.in((session) => {
    const [a, b] = [placeholder('float32', [2, 2]), placeholder('float32', [2, 2])];
    const cell = new BasicRNNCell(3);
    const states = saver();
    const [outputs, state] = nn.staticStateSavingRnn(cell, [a, b], states, 'h');
    const [whole] = nn.staticRnn(cell, [a, b, a, b], { dtype: 'float32' });
    session.initializeAll();
    const feeds = [
      [
        a,
        [
          [1, -1],
          [0.5, 2],
        ],
      ],
      [
        b,
        [
          [0, 1],
          [-1, 1],
        ],
      ],
    ] as const;
    const wanted = session.run(whole, feeds);
    const [first] = session.run([outputs[1] ?? state, state], feeds);
    expectNear(first ?? [], wanted[1] ?? []);
    expectNear(session.read(states.variable('h')), wanted[1] ?? []);
    expectNear(session.get(state, feeds), wanted[3] ?? []);
  });
});

it('the names have the structure of the state', () => {
  new Graph().asDefault(() => {
    const x = placeholder('float32', [2, 2]);
    const states = saver();
    const cell = new LSTMCell(3);
    const [outputs, state] = nn.staticStateSavingRnn(cell, [x], states, new rnnCell.LSTMStateTuple('c', 'h'));
    expect(outputs).toHaveLength(1);
    expect(state.c.op.controlInputs).toHaveLength(2);
    expect(() => nn.staticStateSavingRnn(cell, [x], states, 'c')).toThrow(
      /staticStateSavingRnn: stateName must be an LSTMStateTuple, it is one value/,
    );
  });
});
