/**
 * Convolutions, pools and resizing in ONNX, of images and volumes. Those with the channels last are turned to ONNX's order of
 * axes and back.
 */
import type { Operation } from '@forerun/graph';
import {
  fail,
  input,
  integers,
  known,
  rankOf,
  scalar,
  toInt64,
  type AttributeValue,
  type OnnxWriter,
  type OpWriter,
} from './exportWriter.js';

type Attributes = Readonly<Record<string, AttributeValue>>;

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function isChannelsFirst(op: Operation): boolean {
  return op.attrs.has('data_format') && op.attrs.string('data_format').startsWith('NC');
}

/** Runs `build` on an input with the channels second, and turns the result back. */
function channelsFirst(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  build: (x: string, output?: string) => string,
  index = 0,
): void {
  const x = writer.name(input(op, index));
  if (isChannelsFirst(op)) {
    build(x, output);
    return;
  }
  const rank = rankOf(op, index);
  const y = build(writer.add('Transpose', [x], { perm: [0, rank - 1, ...range(1, rank - 1)] }));
  writer.add('Transpose', [y], { perm: [0, ...range(2, rank), 1] }, output);
}

/** The spatial numbers of a list by dimension. */
function spatial(op: Operation, attr: string): number[] {
  const list = op.attrs.ints(attr).map(Number);
  return isChannelsFirst(op) ? list.slice(2) : list.slice(1, -1);
}

function padding(op: Operation): Attributes {
  const kind = op.attrs.string('padding');
  if (kind === 'SAME') return { auto_pad: 'SAME_UPPER' };
  if (kind === 'VALID') return {};
  const list = op.attrs.ints('explicit_paddings').map(Number);
  const at = isChannelsFirst(op) ? 4 : 2;
  return { pads: [list[at] ?? 0, list[at + 2] ?? 0, list[at + 1] ?? 0, list[at + 3] ?? 0] };
}

/** [out, in, …] from TensorFlow's […, in, out]. */
function turnedFilter(op: Operation, writer: OnnxWriter): string {
  const rank = rankOf(op, 1);
  const perm = [rank - 1, rank - 2, ...range(0, rank - 2)];
  return writer.add('Transpose', [writer.name(input(op, 1))], { perm });
}

/** Adds what follows the convolution of a fused op, and returns the last name. */
type Finish = (y: string, output?: string) => string;

function writeConvolution(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  finish?: Finish,
): void {
  const filter = turnedFilter(op, writer);
  const [channels, taken] = [
    input(op, 0).shape.dim(isChannelsFirst(op) ? 1 : -1),
    input(op, 1).shape.dim(-2),
  ];
  if (channels === null || taken === null) fail(op, 'the number of channels is not known');
  const attributes = {
    strides: spatial(op, 'strides'),
    dilations: spatial(op, 'dilations'),
    ...(channels === taken ? {} : { group: channels / taken }),
    ...padding(op),
  };
  channelsFirst(op, writer, output, (x, out) => {
    if (finish === undefined) return writer.add('Conv', [x, filter], attributes, out);
    return finish(writer.add('Conv', [x, filter], attributes), out);
  });
}

const convolution: OpWriter = (op, writer, [output]) => {
  writeConvolution(op, writer, output);
};

const ACTIVATIONS: Readonly<Record<string, string>> = {
  Relu: 'Relu',
  Elu: 'Elu',
  Sigmoid: 'Sigmoid',
  Tanh: 'Tanh',
};

/** The bias and activation of a fused op; `perChannel` shapes the bias. */
function fusedSteps(op: Operation, writer: OnnxWriter, perChannel: (bias: string) => string): Finish {
  const steps = op.attrs.strings('fused_ops');
  const [first, second] = steps;
  const known = first === 'BiasAdd' && steps.length <= 2;
  const relu6 = second === 'Relu6';
  const leaky = second === 'LeakyRelu';
  const slopes = second === 'Prelu' ? input(op, 3) : undefined;
  if (
    !known ||
    (second !== undefined && !relu6 && !leaky && slopes === undefined && ACTIVATIONS[second] === undefined)
  ) {
    return fail(op, `the fused ops ${steps.join(', ')} are not supported`);
  }
  const bias = perChannel(writer.name(input(op, 2)));
  if (slopes !== undefined && (slopes.shape.size === null || slopes.shape.size !== input(op, 2).shape.size))
    fail(op, `slopes of the shape ${slopes.shape.toString()} are not one for each channel`);
  const slope = slopes === undefined ? '' : perChannel(writer.name(slopes));
  return (y, out) => {
    if (second === undefined) return writer.add('Add', [y, bias], {}, out);
    const sum = writer.add('Add', [y, bias]);
    if (slopes !== undefined) return writer.add('PRelu', [sum, slope], {}, out);
    if (relu6)
      return writer.add('Clip', [sum, ...[0, 6].map((limit) => writer.constant(scalar(limit)))], {}, out);
    const attributes: Attributes = leaky ? { alpha: { f: op.attrs.float('leakyrelu_alpha') } } : {};
    return writer.add(leaky ? 'LeakyRelu' : (ACTIVATIONS[second] ?? ''), [sum], attributes, out);
  };
}

const fusedConv2d: OpWriter = (op, writer, [output]) => {
  const shape = writer.constant(integers([-1, 1, 1]));
  writeConvolution(
    op,
    writer,
    output,
    fusedSteps(op, writer, (bias) => writer.add('Reshape', [bias, shape])),
  );
};

const fusedMatMul: OpWriter = (op, writer, [output]) => {
  const turned = (index: number, attr: string): string =>
    op.attrs.bool(attr)
      ? writer.add('Transpose', [writer.name(input(op, index))], { perm: [1, 0] })
      : writer.name(input(op, index));
  const y = writer.add('MatMul', [turned(0, 'transpose_a'), turned(1, 'transpose_b')]);
  const row = writer.constant(integers([-1]));
  fusedSteps(op, writer, (bias) => writer.add('Reshape', [bias, row]))(y, output);
};

function writeDepthwise(
  op: Operation,
  writer: OnnxWriter,
  output: string | undefined,
  finish?: Finish,
): void {
  const [height = 0, width = 0, channels = 0, multiplier = 0] = input(op, 1).shape.toStatic();
  const moved = writer.add('Transpose', [writer.name(input(op, 1))], { perm: [2, 3, 0, 1] });
  const sizes = writer.constant(integers([channels * multiplier, 1, height, width]));
  const filter = writer.add('Reshape', [moved, sizes]);
  const attributes = {
    strides: spatial(op, 'strides'),
    dilations: spatial(op, 'dilations'),
    group: channels,
    ...padding(op),
  };
  channelsFirst(op, writer, output, (x, out) => {
    if (finish === undefined) return writer.add('Conv', [x, filter], attributes, out);
    return finish(writer.add('Conv', [x, filter], attributes), out);
  });
}

const depthwise: OpWriter = (op, writer, [output]) => {
  writeDepthwise(op, writer, output);
};

const fusedDepthwise: OpWriter = (op, writer, [output]) => {
  const shape = writer.constant(integers([-1, 1, 1]));
  const finish = fusedSteps(op, writer, (bias) => writer.add('Reshape', [bias, shape]));
  writeDepthwise(op, writer, output, finish);
};

/** Gradients of convolutions with respect to their input, which transposed convolutions are. */
const transposedConvolution: OpWriter = (op, writer, [output]) => {
  const kernel = input(op, 1).shape.toStatic().slice(0, -2);
  const strides = spatial(op, 'strides');
  const dilations = spatial(op, 'dilations');
  const sizes = (dims: readonly (number | null)[] | null | undefined): number[] => {
    const list = (isChannelsFirst(op) ? dims?.slice(2) : dims?.slice(1, -1)) ?? [];
    return list.map((size) => size ?? fail(op, 'the sizes of the image must be known'));
  };
  const [from, to] = [sizes(input(op, 2).shape.dims), sizes(op.output(0).shape.dims)];
  const explicit = padding(op).pads as readonly number[] | undefined;
  const reach = kernel.map(
    (k, i) => ((from[i] ?? 0) - 1) * (strides[i] ?? 1) + (k - 1) * (dilations[i] ?? 1) + 1,
  );
  const same = op.attrs.string('padding') === 'SAME';
  const total = reach.map((size, i) => (same ? Math.max(0, size - (to[i] ?? 0)) : 0));
  const pads = explicit ?? [
    ...total.map((pad) => Math.floor(pad / 2)),
    ...total.map((pad) => Math.ceil(pad / 2)),
  ];
  const rank = kernel.length;
  const extra = reach.map((size, i) => (to[i] ?? 0) - (size - (pads[i] ?? 0) - (pads[i + rank] ?? 0)));
  const filter = turnedFilter(op, writer);
  const attributes = { strides, dilations, pads, output_padding: extra };
  channelsFirst(op, writer, output, (x, out) => writer.add('ConvTranspose', [x, filter], attributes, out), 2);
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

/** A pool whose window and strides are inputs. */
const maxPoolV2: OpWriter = (op, writer, [output]) => {
  const [kernel_shape, strides] = [1, 2].map((i) => {
    const list = known(op, i);
    return isChannelsFirst(op) ? list.slice(2) : list.slice(1, -1);
  });
  const attributes = { kernel_shape: kernel_shape ?? [], strides: strides ?? [], ...padding(op) };
  channelsFirst(op, writer, output, (x, out) => writer.add('MaxPool', [x], attributes, out));
};

const fusedBatchNorm: OpWriter = (op, writer, [output]) => {
  if (op.attrs.bool('is_training')) fail(op, 'it normalizes by the batch; export a graph for inference');
  const rest = [1, 2, 3, 4].map((i) => writer.name(input(op, i)));
  const attributes = { epsilon: { f: op.attrs.float('epsilon') } };
  channelsFirst(op, writer, output, (x, out) =>
    writer.add('BatchNormalization', [x, ...rest], attributes, out),
  );
};

const lrn: OpWriter = (op, writer, [output]) => {
  const size = 2 * op.attrs.int('depth_radius') + 1;
  const [bias, alpha, beta] = [op.attrs.float('bias'), op.attrs.float('alpha'), op.attrs.float('beta')];
  const attributes = { size, bias: { f: bias }, alpha: { f: alpha * size }, beta: { f: beta } };
  channelsFirst(op, writer, output, (x, out) => writer.add('LRN', [x], attributes, out));
};

/** How TensorFlow's nearest neighbour rounds, by its coordinates. */
const ROUNDING = {
  align_corners: 'round_prefer_ceil',
  half_pixel: 'round_prefer_ceil',
  asymmetric: 'floor',
} as const;

const resize =
  (mode: 'linear' | 'nearest'): OpWriter =>
  (op, writer, [output]) => {
    const half = op.attrs.bool('half_pixel_centers');
    const how = op.attrs.bool('align_corners') ? 'align_corners' : half ? 'half_pixel' : 'asymmetric';
    const size = toInt64(op, writer, 1);
    const attributes = {
      mode,
      coordinate_transformation_mode: how,
      ...(mode === 'nearest' ? { nearest_mode: ROUNDING[how] } : {}),
    };
    // Sizes of all axes: ONNX Runtime (1.30) loses those of some axes when it moves transposes.
    channelsFirst(op, writer, output, (x, out) => {
      const kept = writer.add('Shape', [x], { start: 0, end: 2 });
      const sizes = writer.add('Concat', [kept, size], { axis: 0 });
      return writer.add('Resize', [x, '', '', sizes], attributes, out);
    });
  };

/** Blocks of channels to blocks of pixels, or back. */
const blocks =
  (type: string): OpWriter =>
  (op, writer, [output]) => {
    const blocksize = op.attrs.int('block_size');
    if (op.attrs.string('data_format') === 'NCHW_VECT_C') fail(op, 'the format NCHW_VECT_C is not supported');
    channelsFirst(op, writer, output, (x, out) => writer.add(type, [x], { blocksize }, out));
  };

export const WINDOW_WRITERS: Readonly<Record<string, OpWriter>> = {
  _FusedConv2D: fusedConv2d,
  _FusedDepthwiseConv2dNative: fusedDepthwise,
  _FusedMatMul: fusedMatMul,
  AvgPool: pool('AveragePool'),
  AvgPool3D: pool('AveragePool'),
  Conv2D: convolution,
  Conv2DBackpropInput: transposedConvolution,
  Conv3D: convolution,
  Conv3DBackpropInputV2: transposedConvolution,
  DepthToSpace: blocks('DepthToSpace'),
  DepthwiseConv2dNative: depthwise,
  FusedBatchNorm: fusedBatchNorm,
  FusedBatchNormV2: fusedBatchNorm,
  FusedBatchNormV3: fusedBatchNorm,
  FusedDepthwiseConv2dNative: fusedDepthwise,
  LRN: lrn,
  MaxPool: pool('MaxPool'),
  MaxPool3D: pool('MaxPool'),
  MaxPoolV2: maxPoolV2,
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
  SpaceToDepth: blocks('SpaceToDepth'),
};
