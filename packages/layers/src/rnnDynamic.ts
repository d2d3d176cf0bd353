/** `dynamicRnn`: a cell in a loop of the graph, for sequences whose number of steps may be known only at run time. */
import {
  InvalidArgumentError,
  TensorArray,
  TensorShape,
  add,
  checkOptions,
  constant,
  less,
  transpose,
  whileLoop,
  type DType,
  type Tensor,
} from '@forerun/graph';
import type { RNNCell } from './rnnCell.js';
import { flattenNest, mapNest, packNest, tensorsOf, type RNNInputs, type RNNState } from './rnnNest.js';
import {
  endedAt,
  requireCell,
  sequenceLengths,
  sizeAlong,
  startState,
  stepOf,
  type RNNOptions,
} from './rnnSteps.js';
import { variableScope } from './variableScope.js';

/** Options of the loop. */
export interface LoopOptions {
  /** Accepted for programs of TensorFlow and kept in files; steps follow each other. */
  readonly parallelIterations?: number | undefined;
  /** Accepted for programs of TensorFlow. */
  readonly swapMemory?: boolean | undefined;
}

export interface DynamicRnnOptions<S> extends RNNOptions<S>, LoopOptions {
  /** Whether inputs and outputs are [time, batch, ...] rather than [batch, time, ...]. Default `false`. */
  readonly timeMajor?: boolean | undefined;
}

/**
 * Runs `cell` over inputs [batch, time, n] (`tf.nn.dynamic_rnn`): `[outputs, state]`, outputs [batch, time, outputSize]
 * and the last state. Both first dimensions may be unknown. With `sequenceLength` outputs past a sequence's end
 * are zero and its state stays as it was there. A cell that takes lists or records of tensors gets its inputs as
 * one, each tensor with the same batch and time. Throws `InvalidArgumentError` for inputs of a rank below 3,
 * and where there is neither `initialState` nor `dtype`.
 */
export function dynamicRnn<S extends RNNState>(
  cell: RNNCell<S>,
  inputs: RNNInputs,
  options: DynamicRnnOptions<S> = {},
): [Tensor, S] {
  requireCell('dynamicRnn', cell);
  const { timeMajor = false, scope = 'rnn' } = checkOptions('dynamicRnn', options, "{ dtype: 'float32' }");
  return variableScope(scope, () => {
    const x = tensorsOf(inputs);
    for (const part of flattenNest<Tensor>(x)) requireSteps('dynamicRnn', part);
    const steps = timeMajor ? x : mapNest<Tensor, Tensor>(x, swapTimeAndBatch);
    const [outputs, state] = loopOver(cell, steps, options);
    return [timeMajor ? outputs : swapTimeAndBatch(outputs), state];
  });
}

/** Throws unless the rank of the inputs is known and leaves something for each step. */
export function requireSteps(caller: string, { shape }: Tensor): void {
  if (shape.rank !== null && shape.rank >= 3) return;
  throw new InvalidArgumentError(
    `${caller}: the inputs must be [batch, time, ...] of rank 3 or more, their shape is ${shape.toString()}`,
  );
}

/** [a, b, ...] -> [b, a, ...] */
function swapTimeAndBatch(x: Tensor): Tensor {
  const rest = Array.from({ length: (x.shape.rank ?? 3) - 2 }, (_, i) => i + 2);
  return transpose(x, { perm: [1, 0, ...rest] });
}

function loopOver<S extends RNNState>(
  cell: RNNCell<S>,
  nest: RNNState,
  options: DynamicRnnOptions<S>,
): [Tensor, S] {
  const { sequenceLength, parallelIterations, swapMemory } = options;
  const all = flattenNest<Tensor>(nest);
  const steps = bestKnown(all);
  const [count, batchSize] = [sizeAlong(steps, 0), sizeAlong(steps, 1)];
  const initial = startState('dynamicRnn', cell, batchSize, options);
  const lengths = sequenceLengths('dynamicRnn', sequenceLength, batchSize);
  const inputs = all.map((part) => new TensorArray(part.dtype, { size: count }).unstack(part));
  const shape = outputShape(cell, batchSize);
  const dtype = options.dtype ?? stateDType(initial) ?? steps.dtype;
  const [, written, last] = whileLoop(
    (time) => less(time, count),
    (time, outputs, parts) => {
      const read = inputs.map((part, i) => {
        const input = part.read(time);
        input.setShape(all[i]?.shape.slice(1) ?? null);
        return input;
      });
      const input = packNest(nest, read);
      const state = packNest(initial, parts) as S;
      const [output, next] = stepOf(cell, input, state, endedAt(time, lengths));
      return [add(time, 1), outputs.write(time, output), keepShapes(parts, flattenNest<Tensor>(next))];
    },
    [
      constant(0, { dtype: 'int32' }),
      new TensorArray(dtype, { size: count, elementShape: shape }),
      flattenNest<Tensor>(initial),
    ],
    { parallelIterations, swapMemory },
  );
  const outputs = written.stack();
  outputs.setShape(new TensorShape([steps.shape.dim(0)]).concat(shape));
  return [outputs, packNest(initial, last) as S];
}

/** The input of which time and batch are known best; those of the others must agree. */
function bestKnown(inputs: readonly Tensor[]): Tensor {
  const [first] = inputs;
  if (first === undefined) throw new InvalidArgumentError('dynamicRnn: the inputs must not be empty');
  const sizes = inputs.reduce((sum, { shape }) => {
    const merged = sum.mergeWith(shape.slice(0, 2));
    if (merged !== null) return merged;
    throw new InvalidArgumentError(
      `dynamicRnn: the inputs must agree in time and batch, got ${sum.toString()} and ${shape.slice(0, 2).toString()}`,
    );
  }, TensorShape.ofRank(2));
  return inputs.find(({ shape }) => sizes.dims?.join() === shape.slice(0, 2).dims?.join()) ?? first;
}

/** The static shape of one step's output. */
function outputShape({ outputSize }: RNNCell, batchSize: number | Tensor): TensorShape {
  const batch = new TensorShape([typeof batchSize === 'number' ? batchSize : null]);
  return batch.concat(typeof outputSize === 'number' ? [outputSize] : outputSize);
}

function stateDType(state: RNNState): DType | undefined {
  return flattenNest<Tensor>(state)[0]?.dtype;
}

/** What a step makes of a state has the state's shape, also where that cannot be inferred. */
function keepShapes(before: readonly Tensor[], after: readonly Tensor[]): readonly Tensor[] {
  after.forEach((part, i) => part.setShape(before[i]?.shape ?? null));
  return after;
}
