/**
 * Recurrent layers of layers models: a step for each row of the sequence, in a loop of the graph. Where a mask says that a step
 * does not count, the states stay and the last output is given again.
 */
import { scan } from '../controlFlow/functional.js';
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';
import {
  activationOf,
  formatOf,
  numberOf,
  paddingOf,
  perAxis,
  type Layer,
  type LayerCall,
  type LayerConfig,
  type LayerResult,
} from './layerCall.js';

/** A cell: the shapes of its states, and the output and states after a step. */
interface Cell {
  readonly shapes: readonly (readonly number[])[];
  step(x: Tensor, states: readonly Tensor[]): { readonly output: Tensor; readonly states: readonly Tensor[] };
}

function configAt(call: LayerCall, value: unknown, what: string): LayerConfig {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as LayerConfig;
  return call.fail(`${what} must be an object`);
}

function withBias(call: LayerCall, x: Tensor): Tensor {
  return call.config.use_bias === false ? x : ops.add(x, call.weight('bias'));
}

function simpleCell(call: LayerCall): Cell {
  const [kernel, recurrent] = [call.weight('kernel'), call.weight('recurrent_kernel')];
  const activation = activationOf(call, 'activation', 'tanh');
  return {
    shapes: [[numberOf(call, 'units')]],
    step: (x, [h = x]) => {
      const output = activation(ops.add(withBias(call, ops.matMul(x, kernel)), ops.matMul(h, recurrent)));
      return { output, states: [output] };
    },
  };
}

/** Gates in the order input, forget, cell, output. */
function lstmCell(call: LayerCall): Cell {
  const units = numberOf(call, 'units');
  const [kernel, recurrent] = [call.weight('kernel'), call.weight('recurrent_kernel')];
  const activation = activationOf(call, 'activation', 'tanh');
  const gate = activationOf(call, 'recurrent_activation', 'hard_sigmoid');
  return {
    shapes: [[units], [units]],
    step: (x, [h = x, c = x]) => {
      const sums = withBias(call, ops.add(ops.matMul(x, kernel), ops.matMul(h, recurrent)));
      const [i = x, f = x, candidate = x, o = x] = ops.split(sums, 4, { axis: 1 });
      const cell = ops.add(ops.mul(gate(f), c), ops.mul(gate(i), activation(candidate)));
      const output = ops.mul(gate(o), activation(cell));
      return { output, states: [output, cell] };
    },
  };
}

/** Gates in the order update, reset, hidden. The reset applies to the state before its product, or to the product. */
function gruCell(call: LayerCall): Cell {
  if (call.config.reset_after === true) return resetAfterCell(call);
  const units = numberOf(call, 'units');
  const activation = activationOf(call, 'activation', 'tanh');
  const gate = activationOf(call, 'recurrent_activation', 'hard_sigmoid');
  const kernel = call.weight('kernel');
  const [gates = kernel, hidden = kernel] = ops.split(call.weight('recurrent_kernel'), [2 * units, units], {
    axis: 1,
  });
  return {
    shapes: [[units]],
    step: (x, [h = x]) => {
      const fromX = ops.split(withBias(call, ops.matMul(x, kernel)), 3, { axis: 1 });
      const fromH = ops.split(ops.matMul(h, gates), 2, { axis: 1 });
      const [update, reset] = [0, 1].map((i) => gate(ops.add(fromX[i] ?? x, fromH[i] ?? x)));
      const z = update ?? x;
      const candidate = activation(ops.add(fromX[2] ?? x, ops.matMul(ops.mul(reset ?? x, h), hidden)));
      const output = ops.add(ops.mul(z, h), ops.mul(ops.sub(1, z), candidate));
      return { output, states: [output] };
    },
  };
}

/** The gated unit of cuDNN, with a bias of [2, 3 * units]: one for each product. */
function resetAfterCell(call: LayerCall): Cell {
  const units = numberOf(call, 'units');
  const activation = activationOf(call, 'activation', 'tanh');
  const gate = activationOf(call, 'recurrent_activation', 'sigmoid');
  const [kernel, recurrent] = [call.weight('kernel'), call.weight('recurrent_kernel')];
  const biases = call.config.use_bias === false ? [] : ops.unstack(call.weight('bias'), { num: 2 });
  const product = (x: Tensor, weights: Tensor, bias: Tensor | undefined): Tensor[] => {
    const y = ops.matMul(x, weights);
    return ops.split(bias === undefined ? y : ops.add(y, bias), 3, { axis: 1 });
  };
  return {
    shapes: [[units]],
    step: (x, [h = x]) => {
      const [xz = x, xr = x, xh = x] = product(x, kernel, biases[0]);
      const [hz = x, hr = x, hh = x] = product(h, recurrent, biases[1]);
      const update = gate(ops.add(xz, hz));
      const candidate = activation(ops.add(xh, ops.mul(gate(ops.add(xr, hr)), hh)));
      const output = ops.add(ops.mul(update, h), ops.mul(ops.sub(1, update), candidate));
      return { output, states: [output] };
    },
  };
}

/** An LSTM whose products are convolutions of images; gates in the order input, forget, cell, output. */
function convLstmCell(call: LayerCall): Cell {
  const dataFormat = formatOf(call);
  const channels = dataFormat === 'NCHW' ? 1 : 3;
  const [kernel, recurrent] = [call.weight('kernel'), call.weight('recurrent_kernel')];
  const activation = activationOf(call, 'activation', 'tanh');
  const gate = activationOf(call, 'recurrent_activation', 'hard_sigmoid');
  const windows = {
    strides: perAxis(call, 'strides', 2),
    dilations: perAxis(call, 'dilation_rate', 2),
    padding: paddingOf(call),
    dataFormat,
  };
  const fromX = (x: Tensor): Tensor => {
    const y = ops.conv2d(x, kernel, windows);
    return call.config.use_bias === false ? y : ops.biasAdd(y, call.weight('bias'), { dataFormat });
  };
  const state = imageState(call, kernel, windows);
  return {
    shapes: [state, state],
    step: (x, [h = x, c = x]) => {
      const sums = ops.add(fromX(x), ops.conv2d(h, recurrent, { padding: 'SAME', dataFormat }));
      const [i = x, f = x, candidate = x, o = x] = ops.split(sums, 4, { axis: channels });
      const cell = ops.add(ops.mul(gate(f), c), ops.mul(gate(i), activation(candidate)));
      const output = ops.mul(gate(o), activation(cell));
      return { output, states: [output, cell] };
    },
  };
}

interface ImageWindows {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: 'SAME' | 'VALID';
  readonly dataFormat: 'NHWC' | 'NCHW';
}

/** The shape of an image after the convolution of an input, without its batch. */
function imageState(
  call: LayerCall,
  kernel: Tensor,
  { strides, dilations, padding, dataFormat }: ImageWindows,
): number[] {
  const first = dataFormat === 'NCHW' ? 3 : 2;
  const sizes = strides.map((stride, i) => {
    const size = call.x.shape.dim(first + i) ?? call.fail('the size of the images must be known');
    const reach = padding === 'SAME' ? 1 : ((kernel.shape.dim(i) ?? 1) - 1) * (dilations[i] ?? 1) + 1;
    return Math.floor((size - reach) / stride) + 1;
  });
  const filters = numberOf(call, 'filters');
  return dataFormat === 'NCHW' ? [filters, ...sizes] : [...sizes, filters];
}

/** Cells one upon the other. Their states are listed from the last cell to the first. */
function stackedCells(call: LayerCall, list: readonly unknown[]): Cell {
  const cells = list.map((item, i) => namedCell(call, item, `RNNCell_${i}`));
  const reversed = [...cells].reverse();
  return {
    shapes: reversed.flatMap(({ shapes }) => shapes),
    step: (x, states) => {
      const own = new Map<Cell, readonly Tensor[]>();
      let at = 0;
      for (const cell of reversed) {
        own.set(cell, states.slice(at, at + cell.shapes.length));
        at += cell.shapes.length;
      }
      let output = x;
      for (const cell of cells) {
        const result = cell.step(output, own.get(cell) ?? []);
        output = result.output;
        own.set(cell, result.states);
      }
      return { output, states: reversed.flatMap((cell) => own.get(cell) ?? []) };
    },
  };
}

const CELLS: Readonly<Record<string, (call: LayerCall) => Cell>> = {
  GRU: gruCell,
  GRUCell: gruCell,
  LSTM: lstmCell,
  LSTMCell: lstmCell,
  SimpleRNN: simpleCell,
  SimpleRNNCell: simpleCell,
};

function namedCell(call: LayerCall, given: unknown, name: string): Cell {
  const { class_name: kind, config } = configAt(call, given, 'a cell');
  const own = configAt(call, config, 'the config of a cell');
  if (kind === 'StackedRNNCells')
    return stackedCells(call, Array.isArray(own.cells) ? (own.cells as unknown[]) : []);
  const make = typeof kind === 'string' && Object.hasOwn(CELLS, kind) ? CELLS[kind] : undefined;
  if (make === undefined) return call.fail(`the cell ${JSON.stringify(kind)} is not known`);
  return make(call.part(name, own));
}

/** The cell of an `RNN` layer: one, or several in a list. */
const ofCells = (call: LayerCall): Cell => {
  const { cell, cells } = call.config;
  if (Array.isArray(cells)) return stackedCells(call, cells as unknown[]);
  return Array.isArray(cell) ? stackedCells(call, cell as unknown[]) : namedCell(call, cell, '');
};

function recurrent(make: (call: LayerCall) => Cell): Layer {
  return (call) => runLayer(call, make(call));
}

/** Runs over the sequence [batch, time, in]; further inputs are the first states. */
function runLayer(call: LayerCall, cell: Cell): LayerResult {
  const { x, config } = call;
  const [mask] = call.masks;
  const turned = (rows: Tensor): Tensor => (config.go_backwards === true ? ops.reverse(rows, [0]) : rows);
  const rest = Array.from({ length: (x.shape.rank ?? 3) - 2 }, (_, i) => i + 2);
  const perm = [1, 0, ...rest];
  const rows = turned(ops.transpose(x, { perm }));
  const flags = (given: Tensor): Tensor =>
    rest.reduce((flag, axis) => ops.expandDims(flag, axis), ops.transpose(given, { perm: [1, 0] }));
  const counts = mask === undefined ? [] : [turned(flags(mask))];
  const given = call.inputs.slice(1);
  if (given.length > 0 && given.length !== cell.shapes.length) {
    call.fail(`takes ${cell.shapes.length} states, ${given.length} are given`);
  }
  const initial = cell.shapes.map((shape, i) => given[i] ?? zeroState(x, shape));
  const all = scan(
    (before, [row, valid]) => {
      const { states } = cell.step(row, before);
      if (valid === undefined) return [...states];
      return states.map((state, i) => ops.whereV2(valid, state, before[i] ?? state));
    },
    [rows, ...counts],
    { initializer: initial },
  );
  // The output of every cell is its first state.
  const [outputs = x] = all;
  const time = x.shape.dim(1);
  const last = all.map((states) =>
    ops.gather(states, time === null ? ops.sub(ops.gather(ops.shape(x), 1), 1) : time - 1),
  );
  const sequences = config.return_sequences === true;
  const output = sequences ? ops.transpose(outputs, { perm }) : (last[0] ?? x);
  const states = config.return_state === true ? last : [];
  return { outputs: [output, ...states], mask: sequences ? mask : undefined };
}

/** Zeros [batch, ...shape]. */
function zeroState(x: Tensor, shape: readonly number[]): Tensor {
  const batch = x.shape.dim(0);
  if (batch !== null) return ops.zeros([batch, ...shape]);
  const rows = ops.slice(ops.shape(x), [0], [1]);
  const zeros = ops.fill(ops.concat([rows, ops.constant(shape, { dtype: 'int32' })], 0), 0);
  zeros.setShape([null, ...shape]);
  return zeros;
}

const MERGES: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  concat: (a, b) => ops.concat([a, b], -1),
  sum: (a, b) => ops.add(a, b),
  ave: (a, b) => ops.mul(0.5, ops.add(a, b)),
  mul: (a, b) => ops.mul(a, b),
};

/** A recurrent layer in both directions; states follow the output, those of the forward one first. */
const bidirectional: Layer = (call) => {
  const { class_name: kind, config } = configAt(call, call.config.layer, 'layer');
  const own = configAt(call, config, 'the config of the layer');
  const make =
    kind === 'RNN'
      ? ofCells
      : typeof kind === 'string' && Object.hasOwn(CELLS, kind)
        ? CELLS[kind]
        : undefined;
  if (make === undefined) return call.fail(`the layer ${JSON.stringify(kind)} has no two directions here`);
  const half = (call.inputs.length - 1) / 2;
  const direction = (name: string, backwards: boolean): LayerResult => {
    const states = backwards ? call.inputs.slice(1 + half) : call.inputs.slice(1, 1 + half);
    const part = call.part(`${name}_${String(own.name)}`, { ...own, go_backwards: backwards });
    const directed = { ...part, inputs: [call.x, ...states] };
    return runLayer(directed, make(directed));
  };
  const backwards = own.go_backwards === true;
  const [forward, backward] = [direction('forward', backwards), direction('backward', !backwards)];
  const [y = call.x, ...states] = forward.outputs;
  const [other = call.x, ...otherStates] = backward.outputs;
  const turned = own.return_sequences === true ? ops.reverse(other, [1]) : other;
  const mode = call.config.merge_mode;
  const all = [...states, ...otherStates];
  if (mode === null) return { outputs: [y, turned, ...all], mask: forward.mask };
  const merge = typeof mode === 'string' && Object.hasOwn(MERGES, mode) ? MERGES[mode] : undefined;
  if (merge === undefined) return call.fail(`the merge mode ${JSON.stringify(mode)} is not known`);
  return { outputs: [merge(y, turned), ...all], mask: forward.mask };
};

/** A layer applied to every step: to all of them as one batch. */
const timeDistributed: Layer = (call) => {
  const { x } = call;
  const [batch, time, ...rest] = x.shape.dims ?? call.fail('the rank of the input must be known');
  if (rest.some((dim) => dim === null)) return call.fail('the sizes of a step must be known');
  const [y = x] = call.wrapped(call.config.layer, ops.reshape(x, [-1, ...rest.map(Number)]));
  const sizes = ops.concat([ops.slice(ops.shape(x), [0], [2]), ops.slice(ops.shape(y), [1], [-1])], 0);
  const result = ops.reshape(y, sizes);
  result.setShape([batch ?? null, time ?? null, ...(y.shape.dims ?? []).slice(1)]);
  return result;
};

export const RECURRENT_LAYERS: Readonly<Record<string, Layer>> = {
  Bidirectional: bidirectional,
  ConvLSTM2D: recurrent(convLstmCell),
  GRU: recurrent(gruCell),
  LSTM: recurrent(lstmCell),
  RNN: recurrent(ofCells),
  SimpleRNN: recurrent(simpleCell),
  TimeDistributed: timeDistributed,
};
