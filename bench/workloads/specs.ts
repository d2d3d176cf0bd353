/**
 * What every framework is asked to do: names, sizes and data. Nothing here loads a framework, so that each
 * can run in a process of its own.
 */

/** An operand that is fed at every step. */
export interface BatchArray {
  readonly dtype: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** One training step: model, optimizer and data, the same for every framework. */
export interface WorkloadSpec {
  readonly title: string;
  readonly batch: number;
  /** Steps that are timed. */
  readonly steps: number;
  /** Shape of one example of the input. */
  readonly input: readonly number[];
  /** Labels per example: none of them, or one per position of a sequence. */
  readonly labels: readonly number[];
  readonly classes: number;
  /** 10^9 operations of the products and convolutions of a step, gradients included; what goes with the batch. */
  readonly gflop: number;
}

/** Learning rate of the Adam optimizer in all workloads. */
export const LEARNING_RATE = 1e-3;

/** Sizes of the recurrent network: the rows of an image are its time steps. */
export const LSTM = { time: 28, features: 28, units: 128 } as const;

/** Sizes of the transformer block; the mask lets a position see those before it and itself. */
export const TRANSFORMER = { time: 64, features: 64, width: 128, heads: 4, hidden: 512 } as const;

/** Channels of the four stages of the residual network, two blocks each. */
export const RESNET_STAGES = [64, 128, 256, 512] as const;

export const SPECS = {
  mlp: {
    title: '784-128-10 network, batch 128, Adam',
    batch: 128,
    steps: 40,
    input: [784],
    labels: [],
    classes: 10,
    gflop: 0.0524,
  },
  mnistCnn: {
    title: 'MNIST CNN (5x5x32, 5x5x64, 1024, 10), batch 128, Adam',
    batch: 128,
    steps: 6,
    input: [28, 28, 1],
    labels: [],
    classes: 10,
    gflop: 10.5,
  },
  resnet18: {
    title: 'ResNet-18 on 32x32 images, batch 8, Adam',
    batch: 8,
    steps: 3,
    input: [32, 32, 3],
    labels: [],
    classes: 10,
    gflop: 26.6,
  },
  lstm: {
    title: 'LSTM of 128 units over 28 steps of 28, batch 64, Adam',
    batch: 64,
    steps: 10,
    input: [LSTM.time, LSTM.features],
    labels: [],
    classes: 10,
    gflop: 0.807,
  },
  transformer: {
    title: 'transformer block (64 positions, width 128, 4 heads, 512 hidden), batch 8, Adam',
    batch: 8,
    steps: 10,
    input: [TRANSFORMER.time, TRANSFORMER.features],
    labels: [TRANSFORMER.time],
    classes: 64,
    gflop: 0.705,
  },
} as const satisfies Record<string, WorkloadSpec>;

export type WorkloadName = keyof typeof SPECS;

export const WORKLOAD_NAMES = Object.keys(SPECS) as WorkloadName[];

/** Inputs in [0, 1) and labels that take every class as often, always the same. */
export function batchOf(name: WorkloadName, batch: number = SPECS[name].batch): [BatchArray, BatchArray] {
  const { input, labels, classes } = SPECS[name];
  let state = 12345;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const inputShape = [batch, ...input];
  const labelShape = [batch, ...labels];
  return [
    { dtype: 'float32', shape: inputShape, data: Float32Array.from({ length: sizeOf(inputShape) }, next) },
    {
      dtype: 'int32',
      shape: labelShape,
      data: Int32Array.from({ length: sizeOf(labelShape) }, (_, i) => i % classes),
    },
  ];
}

/** The number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}
