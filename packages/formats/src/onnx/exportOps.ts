/** How each op of a graph is written in ONNX. */
import { sizeOf, type Operation } from '@forerun/graph';
import { ARRAY_WRITERS } from './exportArrays.js';
import { INDEX_WRITERS } from './exportIndices.js';
import { LIST_WRITERS } from './exportLists.js';
import { MATH_WRITERS } from './exportMath.js';
import { WINDOW_WRITERS } from './exportWindows.js';
import {
  input,
  integers,
  known,
  rankOf,
  scalar,
  simple,
  toInt64,
  type AttributeValue,
  type OnnxWriter,
  type OpWriter,
} from './exportWriter.js';
import { onnxNumber } from './tensors.js';

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
  const shape = toInt64(op, writer, 1);
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

/**
 * Rows of each batch by its own indices: `GatherND`, whose indices are vectors of one number and which takes the first axis
 * after the batch. Another axis is moved there, and those that lay before it back.
 */
function gatherInBatches(op: Operation, writer: OnnxWriter, output: string | undefined, batch: number): void {
  const rank = rankOf(op);
  const [given = 0] = known(op, 2);
  const axis = given < 0 ? given + rank : given;
  const indices = toInt64(op, writer, 1);
  const vectors = writer.add('Unsqueeze', [indices, writer.constant(integers([-1]))]);
  const params = writer.name(input(op, 0));
  const attributes = { batch_dims: batch };
  if (axis === batch) {
    writer.add('GatherND', [params, vectors], attributes, output);
    return;
  }
  const [shared, between, after] = [axes(0, batch), axes(batch, axis), axes(axis + 1, rank)];
  const front = writer.add('Transpose', [params], { perm: [...shared, axis, ...between, ...after] });
  const picked = writer.add('GatherND', [front, vectors], attributes);
  const found = rankOf(op, 1) - batch;
  const total = rank - 1 + found;
  const [chosen, first] = [axes(batch, batch + found), batch + found];
  const back = [
    ...shared,
    ...axes(first, first + between.length),
    ...chosen,
    ...axes(first + between.length, total),
  ];
  writer.add('Transpose', [picked], { perm: back }, output);
}

const axes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

const gather: OpWriter = (op, writer, [output]) => {
  const batch = op.attrs.int('batch_dims');
  if (batch !== 0) {
    gatherInBatches(op, writer, output, batch < 0 ? batch + rankOf(op, 1) : batch);
    return;
  }
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
    ...ARRAY_WRITERS,
    ...INDEX_WRITERS,
    ...LIST_WRITERS,
    ...MATH_WRITERS,
    ...WINDOW_WRITERS,
    Abs: simple('Abs'),
    Acos: simple('Acos'),
    Acosh: simple('Acosh'),
    Add: simple('Add'),
    AddV2: simple('Add'),
    ArgMax: argument('ArgMax'),
    ArgMin: argument('ArgMin'),
    Asin: simple('Asin'),
    Asinh: simple('Asinh'),
    Atan: simple('Atan'),
    Atanh: simple('Atanh'),
    BatchMatMul: batchMatMul,
    BatchMatMulV2: batchMatMul,
    BatchMatMulV3: batchMatMul,
    BiasAdd: biasAdd,
    Cast: simple('Cast', (op) => ({ to: onnxNumber(op.attrs.type('DstT'), op.name) })),
    Ceil: simple('Ceil'),
    ConcatV2: concat,
    CheckNumerics: simple('Identity'),
    Cos: simple('Cos'),
    Cosh: simple('Cosh'),
    Elu: simple('Elu'),
    Equal: simple('Equal'),
    Erf: simple('Erf'),
    Exp: simple('Exp'),
    ExpandDims: expandDims,
    Floor: simple('Floor'),
    GatherV2: gather,
    Greater: simple('Greater'),
    GreaterEqual: simple('GreaterOrEqual'),
    Identity: simple('Identity'),
    IsInf: simple('IsInf'),
    IsNan: simple('IsNaN'),
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
    Maximum: simple('Max'),
    Mean: reduce('ReduceMean'),
    Min: reduce('ReduceMin'),
    Minimum: simple('Min'),
    Mul: simple('Mul'),
    Neg: simple('Neg'),
    Pad: pad,
    PadV2: pad,
    PreventGradient: simple('Identity'),
    Pow: simple('Pow'),
    Prod: reduce('ReduceProd'),
    RealDiv: simple('Div'),
    Reciprocal: simple('Reciprocal'),
    Relu: simple('Relu'),
    Relu6: clipped(0, 6),
    Reshape: reshape,
    Rint: simple('Round'),
    Round: simple('Round'),
    Rsqrt: rsqrt,
    Selu: simple('Selu'),
    Sigmoid: simple('Sigmoid'),
    Sign: simple('Sign'),
    Sin: simple('Sin'),
    Sinh: simple('Sinh'),
    Snapshot: simple('Identity'),
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
    Tan: simple('Tan'),
    Tanh: simple('Tanh'),
    Transpose: transpose,
  }),
);
