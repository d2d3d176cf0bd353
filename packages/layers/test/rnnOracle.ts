/** The recurrent cases of the oracle as graphs: a cell with the case's weights, its outputs and gradients. */
import { readFileSync } from 'node:fs';
import {
  Graph,
  constant,
  convertToTensor,
  gradients,
  placeholder,
  stack,
  unstack,
  type HostValue,
  type Tensor,
  type Variable,
} from '@forerun/graph';
import { nn, rnnCell } from '@forerun/layers';

interface JsonValue {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

interface JsonCase {
  readonly name: string;
  readonly op: string;
  readonly attrs: { readonly num_units: number; readonly time_major: boolean; readonly forget_bias?: number };
  readonly inputs: readonly JsonValue[];
  readonly inputs_named: readonly string[];
  readonly outputs: readonly JsonValue[];
  readonly outputs_named: readonly string[];
  readonly gradient: { readonly upstream: readonly JsonValue[]; readonly inputs: readonly JsonValue[] };
  readonly tolerance: { readonly rtol: number; readonly atol: number };
}

const FILE = new URL('../../testing/oracle/rnn.json', import.meta.url);
export const RNN_CASES = JSON.parse(readFileSync(FILE, 'utf8')) as readonly JsonCase[];

/** How the cell is run over time. */
export const RUNNERS = ['staticRnn', 'dynamicRnn'] as const;
export type Runner = (typeof RUNNERS)[number];

export interface BuiltCase {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<Tensor, HostValue>;
  readonly variables: ReadonlyMap<Variable, HostValue>;
  /** What to compute, what it should be, and what it is called. */
  readonly checks: readonly { readonly tensor: Tensor; readonly want: HostValue; readonly label: string }[];
}

/** Input names of the cells' variables. */
const WEIGHTS: Readonly<Record<string, string>> = {
  kernel: 'kernel',
  bias: 'bias',
  gates_kernel: 'gates/kernel',
  gates_bias: 'gates/bias',
  candidate_kernel: 'candidate/kernel',
  candidate_bias: 'candidate/bias',
};

/** Builds a case in a graph of its own. */
export function buildCase(json: JsonCase, runner: Runner): BuiltCase {
  const graph = new Graph();
  return graph.asDefault(() => {
    const values = new Map(json.inputs_named.map((name, i) => [name, hostOf(json.inputs[i])] as const));
    const fed = new Map<string, Tensor>();
    for (const [name, value] of values) {
      if (!(name in WEIGHTS)) fed.set(name, placeholder('float32', value.shape, { name }));
    }
    const { cell, outputs } = run(json, runner, fed);
    const variables = new Map<Variable, HostValue>();
    const sources = json.inputs_named.map((name) => {
      const tensor = fed.get(name);
      if (tensor !== undefined) return tensor;
      const variable = cell.weights.find((v) => v.op.name.endsWith(`cell/${WEIGHTS[name] ?? ''}`));
      if (variable === undefined) throw new Error(`there is no variable for ${name}`);
      variables.set(variable, valueOf(values, name));
      return variable;
    });
    const upstream = json.gradient.upstream.map((y) => constant(y.data, { shape: y.shape }));
    const dxs = gradients(outputs, sources, { gradYs: upstream });
    return {
      graph,
      feeds: new Map([...fed].map(([name, tensor]) => [tensor, valueOf(values, name)])),
      variables,
      checks: [
        ...outputs.map((tensor, i) => ({
          tensor,
          want: hostOf(json.outputs[i]),
          label: json.outputs_named[i] ?? '',
        })),
        ...dxs.map((dx, i) => {
          const label = `gradient of ${json.inputs_named[i] ?? ''}`;
          if (dx === null) throw new Error(`there is no ${label}`);
          return { tensor: convertToTensor(dx), want: hostOf(json.gradient.inputs[i]), label };
        }),
      ],
    };
  });
}

function run(json: JsonCase, runner: Runner, fed: ReadonlyMap<string, Tensor>) {
  const { num_units: units, forget_bias: forgetBias } = json.attrs;
  const tensor = (name: string): Tensor => {
    const found = fed.get(name);
    if (found === undefined) throw new Error(`there is no input ${name}`);
    return found;
  };
  if (json.op === 'composite:BasicLSTM') {
    const cell = new rnnCell.BasicLSTMCell(units, { forgetBias });
    const state = new rnnCell.LSTMStateTuple(tensor('c0'), tensor('h0'));
    const [ys, { c, h }] = overTime(json, runner, cell, tensor('x'), state);
    return { cell, outputs: [ys, c, h] };
  }
  const cell = json.op === 'composite:GRU' ? new rnnCell.GRUCell(units) : new rnnCell.BasicRNNCell(units);
  const [ys, h] = overTime(json, runner, cell, tensor('x'), tensor('h0'));
  return { cell, outputs: [ys, h] };
}

function overTime<S extends rnnCell.RNNState>(
  json: JsonCase,
  runner: Runner,
  cell: rnnCell.RNNCell<S>,
  x: Tensor,
  initialState: S,
): [Tensor, S] {
  const { time_major: timeMajor } = json.attrs;
  if (runner === 'dynamicRnn') return nn.dynamicRnn(cell, x, { initialState, timeMajor });
  const axis = timeMajor ? 0 : 1;
  const [ys, state] = nn.staticRnn(cell, unstack(x, { axis }), { initialState });
  return [stack(ys, { axis }), state];
}

function valueOf(values: ReadonlyMap<string, HostValue>, name: string): HostValue {
  const value = values.get(name);
  if (value === undefined) throw new Error(`the case has no input ${name}`);
  return value;
}

function hostOf(json: JsonValue | undefined): HostValue {
  if (json === undefined) throw new Error('the case lacks a value');
  return { dtype: 'float32', shape: json.shape, data: Float64Array.from(Float32Array.from(json.data)) };
}
