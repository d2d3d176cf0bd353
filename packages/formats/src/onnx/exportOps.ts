/** How each op of a graph is written in ONNX. Images are turned to ONNX's order of axes and back. */
import {
  constantValue,
  InvalidArgumentError,
  sizeOf,
  TensorValue,
  type Operation,
  type Tensor,
} from '@forerun/graph';
import { onnxNumber } from './tensors.js';

/** An attribute: an integer, a float as `{ f }`, a text, integers. */
export type AttributeValue = number | string | readonly number[] | { readonly f: number };

/** What the writers of ops need of the model that is being made. */
export interface OnnxWriter {
  /** The ONNX name of a tensor. */
  name(tensor: Tensor): string;
  /** Adds a node and returns its only output, which is called `output` if given. */
  add(
    type: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
    output?: string,
  ): string;
  /** Adds a constant and returns its name. */
  constant(value: TensorValue): string;
  /** The value of a tensor that the graph or the given variables hold. */
  value(tensor: Tensor): TensorValue | undefined;
}

/** Writes one op; its results go under the given names of its outputs. */
export type OpWriter = (op: Operation, writer: OnnxWriter, outputs: readonly string[]) => void;

function fail(op: Operation, rule: string): never {
  throw new InvalidArgumentError(`${op.type} "${op.name}" cannot be written to ONNX: ${rule}`);
}

function input(op: Operation, index: number): Tensor {
  return op.inputs[index] ?? fail(op, `input ${index} is missing`);
}

/** Known integers of an input. */
function known(op: Operation, index: number): number[] {
  const host = constantValue(input(op, index));
  if (host === null || host.data.some(Number.isNaN)) fail(op, `input ${index} must be constant`);
  return [...host.data];
}

function rankOf(op: Operation, index = 0): number {
  return input(op, index).shape.rank ?? fail(op, `the rank of input ${index} is not known`);
}

function integers(list: readonly number[]): TensorValue {
  return new TensorValue('int64', [list.length], BigInt64Array.from(list, BigInt));
}

const simple =
  (type: string, attributes?: (op: Operation) => Readonly<Record<string, AttributeValue>>): OpWriter =>
  (op, writer, [output]) => {
    writer.add(
      type,
      op.inputs.map((tensor) => writer.name(tensor)),
      attributes?.(op) ?? {},
      output,
    );
  };

const scalar = (value: number): TensorValue => new TensorValue('float32', [], Float32Array.of(value));

/** Runs `build` on images with channels second, and turns the result back. */
function channelsFirst(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  build: (x: string, output?: string) => string,
): void {
  const x = writer.name(input(op, 0));
  if (op.attrs.string('data_format') === 'NCHW') {
    build(x, output);
    return;
  }
  const y = build(writer.add('Transpose', [x], { perm: [0, 3, 1, 2] }));
  writer.add('Transpose', [y], { perm: [0, 2, 3, 1] }, output);
}

/** The two spatial numbers of a list by dimension. */
function spatial(op: Operation, attr: string): number[] {
  const list = op.attrs.ints(attr).map(Number);
  return op.attrs.string('data_format') === 'NCHW' ? list.slice(2) : list.slice(1, 3);
}

function padding(op: Operation): Readonly<Record<string, AttributeValue>> {
  const kind = op.attrs.string('padding');
  if (kind === 'SAME') return { auto_pad: 'SAME_UPPER' };
  if (kind === 'VALID') return {};
  const list = op.attrs.ints('explicit_paddings').map(Number);
  const at = op.attrs.string('data_format') === 'NCHW' ? 4 : 2;
  return { pads: [list[at] ?? 0, list[at + 2] ?? 0, list[at + 1] ?? 0, list[at + 3] ?? 0] };
}

const conv2d: OpWriter = (op, writer, [output]) => {
  const filter = writer.add('Transpose', [writer.name(input(op, 1))], { perm: [3, 2, 0, 1] });
  const attributes = { strides: spatial(op, 'strides'), dilations: spatial(op, 'dilations'), ...padding(op) };
  channelsFirst(op, writer, output, (x, out) => writer.add('Conv', [x, filter], attributes, out));
};

const depthwise: OpWriter = (op, writer, [output]) => {
  const [height = 0, width = 0, channels = 0, multiplier = 0] = input(op, 1).shape.toStatic();
  const moved = writer.add('Transpose', [writer.name(input(op, 1))], { perm: [2, 3, 0, 1] });
  const filter = writer.add('Reshape', [
    moved,
    writer.constant(integers([channels * multiplier, 1, height, width])),
  ]);
  const attributes = {
    strides: spatial(op, 'strides'),
    dilations: spatial(op, 'dilations'),
    group: channels,
    ...padding(op),
  };
  channelsFirst(op, writer, output, (x, out) => writer.add('Conv', [x, filter], attributes, out));
};

const pool =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const attributes = {
      kernel_shape: spatial(op, 'ksize'),
      strides: spatial(op, 'strides'),
      ...padding(op),
    };
    channelsFirst(op, writer, output, (x, out) => writer.add(type, [x], attributes, out));
  };

const fusedBatchNorm: OpWriter = (op, writer, [output]) => {
  if (op.attrs.bool('is_training')) fail(op, 'it normalizes by the batch; export a graph for inference');
  const rest = [1, 2, 3, 4].map((i) => writer.name(input(op, i)));
  const attributes = { epsilon: { f: op.attrs.float('epsilon') } };
  channelsFirst(op, writer, output, (x, out) =>
    writer.add('BatchNormalization', [x, ...rest], attributes, out),
  );
};

const biasAdd: OpWriter = (op, writer, [output]) => {
  const bias = writer.name(input(op, 1));
  const shaped =
    op.attrs.string('data_format') === 'NCHW'
      ? writer.add('Reshape', [
          bias,
          writer.constant(integers([-1, ...new Array<number>(rankOf(op) - 2).fill(1)])),
        ])
      : bias;
  writer.add('Add', [writer.name(input(op, 0)), shaped], {}, output);
};

const matMul: OpWriter = (op, writer, [output]) => {
  const turned = (index: number, attr: string): string =>
    op.attrs.bool(attr)
      ? writer.add('Transpose', [writer.name(input(op, index))], { perm: [1, 0] })
      : writer.name(input(op, index));
  writer.add('MatMul', [turned(0, 'transpose_a'), turned(1, 'transpose_b')], {}, output);
};

const batchMatMul: OpWriter = (op, writer, [output]) => {
  const turned = (index: number, attr: string): string => {
    if (!op.attrs.bool(attr)) return writer.name(input(op, index));
    const rank = rankOf(op, index);
    const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    return writer.add('Transpose', [writer.name(input(op, index))], { perm });
  };
  writer.add('MatMul', [turned(0, 'adj_x'), turned(1, 'adj_y')], {}, output);
};

const reshape: OpWriter = (op, writer, [output]) => {
  const shape = writer.add('Cast', [writer.name(input(op, 1))], { to: onnxNumber('int64', op.name) });
  writer.add('Reshape', [writer.name(input(op, 0)), shape], { allowzero: 1 }, output);
};

const reduce =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const axes = writer.constant(integers(known(op, 1)));
    const keepdims = op.attrs.bool('keep_dims') ? 1 : 0;
    if (sizeOf(input(op, 1).shape.toStatic()) === 0)
      writer.add('Identity', [writer.name(input(op, 0))], {}, output);
    else writer.add(type, [writer.name(input(op, 0)), axes], { keepdims }, output);
  };

const transpose: OpWriter = (op, writer, [output]) => {
  writer.add('Transpose', [writer.name(input(op, 0))], { perm: known(op, 1) }, output);
};

const concat: OpWriter = (op, writer, [output]) => {
  const parts = op.inputs.slice(0, -1).map((tensor) => writer.name(tensor));
  writer.add('Concat', parts, { axis: known(op, op.inputs.length - 1)[0] ?? 0 }, output);
};

const pad: OpWriter = (op, writer, [output]) => {
  const table = known(op, 1);
  const pads = [...table.filter((_, i) => i % 2 === 0), ...table.filter((_, i) => i % 2 === 1)];
  const value = op.inputs[2] === undefined ? [] : [writer.name(op.inputs[2])];
  writer.add('Pad', [writer.name(input(op, 0)), writer.constant(integers(pads)), ...value], {}, output);
};

const argument =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const y = writer.add(type, [writer.name(input(op, 0))], { axis: known(op, 1)[0] ?? 0, keepdims: 0 });
    writer.add('Cast', [y], { to: onnxNumber(op.attrs.type('output_type'), op.name) }, output);
  };

const squeeze: OpWriter = (op, writer, [output]) => {
  const axes = op.attrs.ints('squeeze_dims').map(Number);
  const list = axes.length === 0 ? [] : [writer.constant(integers(axes))];
  writer.add('Squeeze', [writer.name(input(op, 0)), ...list], {}, output);
};

const expandDims: OpWriter = (op, writer, [output]) => {
  writer.add('Unsqueeze', [writer.name(input(op, 0)), writer.constant(integers(known(op, 1)))], {}, output);
};

const gather: OpWriter = (op, writer, [output]) => {
  if (op.attrs.int('batch_dims') !== 0) fail(op, 'batch_dims is not supported');
  writer.add(
    'Gather',
    [writer.name(input(op, 0)), writer.name(input(op, 1))],
    { axis: known(op, 2)[0] ?? 0 },
    output,
  );
};

const clipped =
  (low: number, high: number): OpWriter =>
  (op, writer, [output]) => {
    writer.add(
      'Clip',
      [writer.name(input(op, 0)), writer.constant(scalar(low)), writer.constant(scalar(high))],
      {},
      output,
    );
  };

const rsqrt: OpWriter = (op, writer, [output]) => {
  writer.add('Reciprocal', [writer.add('Sqrt', [writer.name(input(op, 0))])], {}, output);
};

const square: OpWriter = (op, writer, [output]) => {
  writer.add('Mul', [writer.name(input(op, 0)), writer.name(input(op, 0))], {}, output);
};

const squaredDifference: OpWriter = (op, writer, [output]) => {
  const difference = writer.add('Sub', [writer.name(input(op, 0)), writer.name(input(op, 1))]);
  writer.add('Mul', [difference, difference], {}, output);
};

const last = (): Readonly<Record<string, AttributeValue>> => ({ axis: -1 });

export const EXPORTERS: ReadonlyMap<string, OpWriter> = new Map(
  Object.entries({
    Abs: simple('Abs'),
    Add: simple('Add'),
    AddV2: simple('Add'),
    ArgMax: argument('ArgMax'),
    ArgMin: argument('ArgMin'),
    AvgPool: pool('AveragePool'),
    BatchMatMul: batchMatMul,
    BatchMatMulV2: batchMatMul,
    BiasAdd: biasAdd,
    Cast: simple('Cast', (op) => ({ to: onnxNumber(op.attrs.type('DstT'), op.name) })),
    Ceil: simple('Ceil'),
    ConcatV2: concat,
    Conv2D: conv2d,
    Cos: simple('Cos'),
    DepthwiseConv2dNative: depthwise,
    Elu: simple('Elu'),
    Equal: simple('Equal'),
    Erf: simple('Erf'),
    Exp: simple('Exp'),
    ExpandDims: expandDims,
    Floor: simple('Floor'),
    FusedBatchNorm: fusedBatchNorm,
    FusedBatchNormV2: fusedBatchNorm,
    FusedBatchNormV3: fusedBatchNorm,
    GatherV2: gather,
    Greater: simple('Greater'),
    GreaterEqual: simple('GreaterOrEqual'),
    Identity: simple('Identity'),
    LeakyRelu: simple('LeakyRelu', (op) => ({ alpha: { f: op.attrs.float('alpha') } })),
    Less: simple('Less'),
    LessEqual: simple('LessOrEqual'),
    Log: simple('Log'),
    LogSoftmax: simple('LogSoftmax', last),
    LogicalAnd: simple('And'),
    LogicalNot: simple('Not'),
    LogicalOr: simple('Or'),
    MatMul: matMul,
    Max: reduce('ReduceMax'),
    MaxPool: pool('MaxPool'),
    Maximum: simple('Max'),
    Mean: reduce('ReduceMean'),
    Min: reduce('ReduceMin'),
    Minimum: simple('Min'),
    Mul: simple('Mul'),
    Neg: simple('Neg'),
    Pad: pad,
    PadV2: pad,
    Pow: simple('Pow'),
    Prod: reduce('ReduceProd'),
    RealDiv: simple('Div'),
    Reciprocal: simple('Reciprocal'),
    Relu: simple('Relu'),
    Relu6: clipped(0, 6),
    Reshape: reshape,
    Rsqrt: rsqrt,
    Selu: simple('Selu'),
    Sigmoid: simple('Sigmoid'),
    Sign: simple('Sign'),
    Sin: simple('Sin'),
    Softmax: simple('Softmax', last),
    Softplus: simple('Softplus'),
    Softsign: simple('Softsign'),
    Sqrt: simple('Sqrt'),
    Square: square,
    SquaredDifference: squaredDifference,
    Squeeze: squeeze,
    StopGradient: simple('Identity'),
    Sub: simple('Sub'),
    Sum: reduce('ReduceSum'),
    Tanh: simple('Tanh'),
    Transpose: transpose,
  }),
);
