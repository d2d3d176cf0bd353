/** Elementwise functions, norms and losses that ONNX has no operator for, made of those that it has. */
import { isFloating, type Operation } from '@forerun/graph';
import {
  fail,
  input,
  integers,
  known,
  rankOf,
  scalar,
  simple,
  toInt64,
  type OnnxWriter,
  type OpWriter,
} from './exportWriter.js';
import { onnxNumber, valueOf } from './tensors.js';

/** A number of the dtype of an op's first input. */
function number(op: Operation, writer: OnnxWriter, value: number): string {
  return writer.constant(valueOf(input(op, 0).dtype, value));
}

/** Names of all inputs. */
function namesOf(op: Operation, writer: OnnxWriter): string[] {
  return op.inputs.map((tensor) => writer.name(tensor));
}

/** What `write` makes of the operands, but zero where the operand with this number is zero. */
const orZero =
  (where: 0 | 1, write: (writer: OnnxWriter, x: string, y: string) => string): OpWriter =>
  (op, writer, [output]) => {
    const [x = '', y = ''] = namesOf(op, writer);
    const zero = number(op, writer, 0);
    const isZero = writer.add('Equal', [where === 0 ? x : y, zero]);
    writer.add('Where', [isZero, zero, write(writer, x, y)], {}, output);
  };

/** Quotients towards zero. */
const truncateDiv: OpWriter = (op, writer, [output]) => {
  const quotient = writer.add('Div', namesOf(op, writer));
  if (!isFloating(input(op, 0).dtype)) {
    writer.add('Identity', [quotient], {}, output);
    return;
  }
  const whole = writer.add('Floor', [writer.add('Abs', [quotient])]);
  writer.add('Mul', [writer.add('Sign', [quotient]), whole], {}, output);
};

const minusOne: OpWriter = (op, writer, [output]) => {
  writer.add('Sub', [writer.add('Exp', namesOf(op, writer)), number(op, writer, 1)], {}, output);
};

const log1p: OpWriter = (op, writer, [output]) => {
  writer.add('Log', [writer.add('Add', [...namesOf(op, writer), number(op, writer, 1)])], {}, output);
};

const erfc: OpWriter = (op, writer, [output]) => {
  writer.add('Sub', [number(op, writer, 1), writer.add('Erf', namesOf(op, writer))], {}, output);
};

const isFinite: OpWriter = (op, writer, [output]) => {
  const [x = ''] = namesOf(op, writer);
  writer.add('Not', [writer.add('Or', [writer.add('IsInf', [x]), writer.add('IsNaN', [x])])], {}, output);
};

const approximateEqual: OpWriter = (op, writer, [output]) => {
  const difference = writer.add('Abs', [writer.add('Sub', namesOf(op, writer))]);
  writer.add('Less', [difference, number(op, writer, op.attrs.float('tolerance'))], {}, output);
};

const l2Loss: OpWriter = (op, writer, [output]) => {
  const squares = writer.add('ReduceSumSquare', namesOf(op, writer), { keepdims: 0 });
  writer.add('Mul', [squares, number(op, writer, 0.5)], {}, output);
};

const euclideanNorm: OpWriter = (op, writer, [output]) => {
  const [x = ''] = namesOf(op, writer);
  const attributes = { keepdims: Number(op.attrs.bool('keep_dims')), noop_with_empty_axes: 1 };
  writer.add('ReduceL2', [x, writer.constant(integers(known(op, 1)))], attributes, output);
};

/** -sum(labels * log softmax), and the gradient by the logits: softmax - labels. */
function crossEntropy(
  op: Operation,
  writer: OnnxWriter,
  [loss = '', gradient = '']: readonly string[],
  labels: string,
): void {
  const x = writer.name(input(op, 0));
  const terms = writer.add('Mul', [writer.add('LogSoftmax', [x], { axis: -1 }), labels]);
  const sums = writer.add('ReduceSum', [terms, writer.constant(integers([-1]))], { keepdims: 0 });
  writer.add('Neg', [sums], {}, loss);
  writer.add('Sub', [writer.add('Softmax', [x], { axis: -1 }), labels], {}, gradient);
}

const softmaxCrossEntropy: OpWriter = (op, writer, outputs) => {
  crossEntropy(op, writer, outputs, writer.name(input(op, 1)));
};

const sparseCrossEntropy: OpWriter = (op, writer, outputs) => {
  const classes = input(op, 0).shape.dim(-1) ?? fail(op, 'the number of classes is not known');
  const depth = writer.constant(integers([classes]));
  const { dtype } = input(op, 0);
  const values = writer.add('Concat', [0, 1].map((value) => writer.add('Reshape', [writer.constant(valueOf(dtype, value)), writer.constant(integers([1]))])), { axis: 0 }); // prettier-ignore
  const wide = toInt64(op, writer, 1);
  const labels = writer.add('OneHot', [wide, depth, values], { axis: -1 });
  crossEntropy(op, writer, outputs, labels);
};

/** The angle of (x, y): that of y / x, and half a turn on the left. */
const atan2: OpWriter = (op, writer, [output]) => {
  const [y = '', x = ''] = namesOf(op, writer);
  const zero = number(op, writer, 0);
  const own = writer.add('Atan', [writer.add('Div', [y, x])]);
  const half = writer.add('Where', [writer.add('Less', [y, zero]), number(op, writer, -Math.PI), number(op, writer, Math.PI)]);
  const turned = writer.add('Where', [writer.add('Less', [x, zero]), writer.add('Add', [own, half]), own]);
  const none = writer.add('And', [writer.add('Equal', [x, zero]), writer.add('Equal', [y, zero])]);
  writer.add('Where', [none, zero, turned], {}, output);
}; // prettier-ignore

/**
 * Rounds to the levels of a quantization (FakeQuant): the range from `min` to `max`, moved so that zero is one of its levels. Nothing is left of a
 * range without width.
 */
function quantized(op: Operation, writer: OnnxWriter, output: string | undefined, min: string, max: string): void {
  const x = writer.name(input(op, 0));
  const [first, last] = [op.attrs.bool('narrow_range') ? 1 : 0, 2 ** op.attrs.int('num_bits') - 1];
  const float = (value: number): string => writer.constant(scalar(value));
  const scale = writer.add('Div', [writer.add('Sub', [max, min]), float(last - first)]);
  const nearest = (given: string): string => writer.add('Floor', [writer.add('Add', [given, float(0.5)])]);
  const level = nearest(writer.add('Sub', [float(first), writer.add('Div', [min, scale])]));
  const zero = writer.add('Clip', [level, float(first), float(last)]);
  const [low, high] = [first, last].map((end) => writer.add('Mul', [writer.add('Sub', [float(end), zero]), scale]));
  const held = writer.add('Max', [writer.add('Min', [x, high ?? '']), low ?? '']);
  const steps = nearest(writer.add('Div', [writer.add('Sub', [held, low ?? '']), scale]));
  const y = writer.add('Add', [writer.add('Mul', [steps, scale]), low ?? '']);
  writer.add('Where', [writer.add('Equal', [max, min]), float(0), y], {}, output);
} // prettier-ignore

const fakeQuantVars: OpWriter = (op, writer, [output]) => {
  quantized(op, writer, output, writer.name(input(op, 1)), writer.name(input(op, 2)));
};

const fakeQuantArgs: OpWriter = (op, writer, [output]) => {
  const [min, max] = ['min', 'max'].map((name) => writer.constant(scalar(op.attrs.float(name))));
  quantized(op, writer, output, min ?? '', max ?? '');
};

/** Vectors as the diagonals of matrices. */
const matrixDiag: OpWriter = (op, writer, [output]) => {
  const size = input(op, 0).shape.dim(-1) ?? fail(op, 'the size of the diagonals is not known');
  const places = writer.constant(integers(Array.from({ length: size }, (_, i) => i)));
  const rows = writer.add('Unsqueeze', [places, writer.constant(integers([1]))]);
  const columns = writer.add('Unsqueeze', [writer.name(input(op, 0)), writer.constant(integers([-1]))]);
  const zero = number(op, writer, 0);
  writer.add('Where', [writer.add('Equal', [rows, places]), columns, zero], {}, output);
};

/** `num` numbers from start to stop. */
const linSpace: OpWriter = (op, writer, [output]) => {
  const [count = 1] = known(op, 2);
  const [start, stop] = [writer.name(input(op, 0)), writer.name(input(op, 1))];
  const step = writer.add('Div', [writer.add('Sub', [stop, start]), number(op, writer, Math.max(1, count - 1))]);
  const range = [0, count, 1].map((value) => writer.constant(valueOf('int64', value)));
  const places = writer.add('Cast', [writer.add('Range', range)], { to: onnxNumber(input(op, 0).dtype, op.name) });
  writer.add('Add', [start, writer.add('Mul', [places, step])], {}, output);
}; // prettier-ignore

/** The band around the diagonals; a negative number keeps all on its side. */
const bandPart: OpWriter = (op, writer, [output]) => {
  const [[lower = 0], [upper = 0]] = [known(op, 1), known(op, 2)];
  const x = writer.name(input(op, 0));
  const sides = [{ k: -lower, above: 1, kept: lower < 0 }, { k: upper, above: 0, kept: upper < 0 }]; // prettier-ignore
  const band = sides.reduce((matrix, { k, above, kept }) => {
    return kept
      ? matrix
      : writer.add('Trilu', [matrix, writer.constant(valueOf('int64', k))], { upper: above });
  }, x);
  writer.add('Identity', [band], {}, output);
};

const each: OpWriter = (op, writer, outputs) => {
  op.inputs.forEach((tensor, i) => writer.add('Identity', [writer.name(tensor)], {}, outputs[i] ?? ''));
};

const rank: OpWriter = (op, writer, [output]) => {
  writer.add('Identity', [writer.constant(valueOf('int32', rankOf(op)))], {}, output);
};

const shapes: OpWriter = (op, writer, outputs) => {
  op.inputs.forEach((tensor, i) => {
    const to = { to: onnxNumber(op.output(i).dtype, op.name) };
    writer.add('Cast', [writer.add('Shape', [writer.name(tensor)])], to, outputs[i] ?? '');
  });
};

export const MATH_WRITERS: Readonly<Record<string, OpWriter>> = {
  AccumulateNV2: simple('Sum'),
  ApproximateEqual: approximateEqual,
  Atan2: atan2,
  BiasAddV1: simple('Add'),
  BitwiseAnd: simple('BitwiseAnd'),
  BitwiseOr: simple('BitwiseOr'),
  BitwiseXor: simple('BitwiseXor'),
  DeepCopy: simple('Identity'),
  Div: (op, writer, outputs) =>
    (isFloating(input(op, 0).dtype) ? simple('Div') : truncateDiv)(op, writer, outputs),
  DivNoNan: orZero(1, (writer, x, y) => writer.add('Div', [x, y])),
  Erfc: erfc,
  EuclideanNorm: euclideanNorm,
  Expm1: minusOne,
  FakeQuantWithMinMaxArgs: fakeQuantArgs,
  FakeQuantWithMinMaxVars: fakeQuantVars,
  FakeQuantWithMinMaxVarsPerChannel: fakeQuantVars,
  GuaranteeConst: simple('Identity'),
  IdentityN: each,
  Inv: simple('Reciprocal'),
  Invert: simple('BitwiseNot'),
  IsFinite: isFinite,
  L2Loss: l2Loss,
  LinSpace: linSpace,
  Log1p: log1p,
  MatrixBandPart: bandPart,
  MatrixDiag: matrixDiag,
  MatrixDeterminant: simple('Det'),
  Mod: simple('Mod', () => ({ fmod: 1 })),
  MulNoNan: orZero(1, (writer, x, y) => writer.add('Mul', [x, y])),
  Rank: rank,
  ShapeN: shapes,
  SoftmaxCrossEntropyWithLogits: softmaxCrossEntropy,
  SparseSoftmaxCrossEntropyWithLogits: sparseCrossEntropy,
  TruncateDiv: truncateDiv,
  TruncateMod: simple('Mod', () => ({ fmod: 1 })),
  Xdivy: orZero(0, (writer, x, y) => writer.add('Div', [x, y])),
  Xlogy: orZero(0, (writer, x, y) => writer.add('Mul', [x, writer.add('Log', [y])])),
};
