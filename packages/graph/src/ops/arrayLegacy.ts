/**
 * Older and internal forms of array ops that TensorFlow's files contain: gather and concat before their
 * second versions, the offsets that its gradients compute, copies and checks that pass a tensor on.
 */
import { apply, applyOp, convertToTensor, type NameOptions } from '../apply.js';
import { baseDType, type DType } from '../dtype.js';
import { normalizeAxis, sameShape } from '../inferHelpers.js';
import { gradientMissing, notDifferentiable, op, type EvaluateContext, type InferContext } from '../opDef.js';
import { TensorShape, type Dim } from '../shape.js';
import type { Tensor, TensorLike } from '../tensor.js';
import type { HostValue } from '../value.js';
import { knownScalar, requireSingle, vectorLength } from './arrayHost.js';

const SHAPE_ATTRS = ['dtype: type', 'shape: shape'];

/** All parts are int32 vectors of one length; the offsets have it too. */
function inferOffsets(c: InferContext): TensorShape[] {
  requireSingle(c, 0, 'concat_dim');
  let length: Dim = null;
  for (let i = 1; i < c.shapes.length; i++) {
    const own = vectorLength(c, i, `shape ${i - 1}`);
    if (own !== null && length !== null && own !== length) {
      c.fail(`shape ${i - 1} has ${own} elements, the others have ${length}`);
    }
    length ??= own;
  }
  normalizeAxis(c, knownScalar(c.constant(0)) ?? NaN, length);
  return c.shapes.slice(1).map(() => new TensorShape([length]));
}

/** Offset i is zero but along the axis, where it is the sum of the sizes before it. */
function evaluateOffsets(c: EvaluateContext): HostValue[] | null {
  const shapes = c.shapes.slice(1).map((_, i) => c.value(i + 1));
  const [at, rank] = [knownScalar(c.value(0)), shapes.find((shape) => shape !== null)?.data.length];
  if (at === null || rank === undefined) return null;
  const axis = at < 0 ? at + rank : at;
  let offset = 0;
  return shapes.map((shape) => {
    const data = new Float64Array(rank);
    data[axis] = offset;
    offset += shape?.data[axis] ?? NaN;
    return { dtype: 'int32', shape: [rank], data };
  });
}

const BYTES: Partial<Record<DType, number>> = {
  ...{ bool: 1, int8: 1, uint8: 1, qint8: 1, quint8: 1 },
  ...{ float16: 2, bfloat16: 2, int16: 2, uint16: 2, qint16: 2, quint16: 2 },
  ...{ float32: 4, int32: 4, uint32: 4, qint32: 4 },
  ...{ float64: 8, int64: 8, uint64: 8, complex64: 8, complex128: 16 },
};

/** Equal sizes keep the shape; smaller elements add a last dimension, larger ones use it up. */
function inferBitcast(c: InferContext): TensorShape[] {
  const [from, to] = [c.attrs.type('T'), c.attrs.type('type')];
  const [have, want] = [BYTES[from] ?? 0, BYTES[to] ?? 0];
  const x = c.shape(0);
  if (have === want || x.rank === null) return [x];
  if (have > want) return [x.concat([have / want])];
  const ratio = want / have;
  if (x.rank === 0 || ![null, ratio].includes(x.dim(-1))) {
    c.fail(`from ${from} to ${to} the last dimension must be ${ratio}, got shape ${x.toString()}`);
  }
  return [x.slice(0, -1)];
}

const BITCAST_TYPES =
  '{bfloat16, float16, float32, float64, int64, int32, uint8, uint16, int8, int16, complex64, complex128, ' +
  'uint32, uint64, qint8, quint8, qint16, quint16, qint32}';

export const ARRAY_LEGACY = {
  ConcatOffset: op({
    summary: 'Where each of several tensors begins when they are concatenated, from their shapes.',
    inputs: ['concat_dim: int32', 'shape: N * int32'],
    outputs: ['offset: N * int32'],
    attrs: ['N: int >= 2'],
    infer: inferOffsets,
    grad: notDifferentiable('its result depends on shapes only'),
    evaluate: evaluateOffsets,
  }),

  DeepCopy: op({
    summary: 'A copy of the input.',
    inputs: ['x: T'],
    outputs: ['y: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: ({ dy }) => [dy],
    stateful: true,
  }),

  Snapshot: op({
    summary: 'The input as it is when the op runs.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: ({ dy }) => [dy],
  }),

  GuaranteeConst: op({
    summary: 'The input, of which the program promises that it never changes.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type'],
    infer: sameShape,
    grad: ({ dy }) => [dy],
  }),

  PreventGradient: op({
    summary: 'The input, of which asking for a gradient is an error.',
    inputs: ['input: T'],
    outputs: ['output: T'],
    attrs: ['T: type', 'message: string = ""'],
    infer: sameShape,
    grad: gradientMissing('it forbids gradients; its attribute "message" says why'),
  }),

  PlaceholderV2: op({
    summary: 'A value that the caller feeds on every run, in the form of some older files.',
    outputs: ['output: dtype'],
    attrs: SHAPE_ATTRS,
    infer: (c) => [c.attrs.shape('shape')],
    grad: () => [],
  }),

  Bitcast: op({
    summary: 'The bits of the elements read as another dtype.',
    inputs: ['input: T'],
    outputs: ['output: type'],
    attrs: [`T: ${BITCAST_TYPES}`, `type: ${BITCAST_TYPES}`],
    infer: inferBitcast,
    grad: notDifferentiable('it works on bits'),
  }),
};

/**
 * Where each of several tensors begins when they are concatenated along `concatDim`, from their shape
 * vectors (`gen_array_ops.concat_offset`).
 */
export function concatOffset(
  concatDim: TensorLike,
  shapes: readonly TensorLike[],
  { name }: NameOptions = {},
): Tensor[] {
  return applyOp('ConcatOffset', [concatDim, shapes], { name }).outputs;
}

/** `input`, of which `gradients` refuses to compute the gradient, giving the reason `message` (`gen_array_ops.prevent_gradient`). */
export function preventGradient(
  input: TensorLike,
  { message = '', name }: NameOptions & { readonly message?: string } = {},
): Tensor {
  return apply('PreventGradient', [convertToTensor(input)], { name, attrs: { message } });
}

/**
 * The bits of `input` read as `type` (`tf.bitcast`). A smaller dtype adds a last dimension, a larger one
 * uses it up. On the device both dtypes must have 32 bits.
 */
export function bitcast(input: TensorLike, type: DType, { name }: NameOptions = {}): Tensor {
  return apply('Bitcast', [convertToTensor(input)], { name, attrs: { type: baseDType(type) } });
}
