/** Kernels of the elementwise ops of one operand, and of the gradient helpers that go with them. */
import { baseDType, isFloating, SELU_ALPHA, SELU_SCALE, type DType, type OpName } from '@forerun/graph';
import { elementwise, type ElementwiseKernel, type Kernel, type KernelContext } from './kernel.js';
import { literal, storageType, type StorageType } from './wgsl/dtype.js';

type ByType = Partial<Record<StorageType, string>>;

/** An expression for each WGSL type that input 0 may have. */
export function typed(forms: ByType): ElementwiseKernel {
  return elementwise((c) => {
    const { dtype } = c.input(0);
    return forms[storageType(dtype)] ?? c.unsupported(`there is no kernel for dtype ${dtype}`);
  });
}

/** WGSL has no cast between all pairs of types with TensorFlow's meaning; this writes each. */
function castExpression(c: KernelContext): string {
  if (baseDType(c.attrs.type('DstT')) !== 'float16') return castTo(c);
  if (baseDType(c.attrs.type('SrcT')) === 'float16') return 'x';
  // Rounded at once: what follows in a fused kernel sees the half.
  const { shaderF16, software } = c.adapter;
  return shaderF16 && !software ? `f32(f16(${castTo(c)}))` : `round_half(${castTo(c)})`;
}

/** float16 counts as float32 here. */
function castTo(c: KernelContext): string {
  const [from, to] = [baseDType(c.input(0).dtype), baseDType(c.output(0).dtype)];
  if (from === to) return 'x';
  if (to === 'bool') return from === 'float32' ? '((x != f32(0.0)) | is_nan(x))' : notZero(from);
  const target = storageType(to);
  if (from !== 'float32') return `${target}(x)`;
  if (target === 'i32') return 'float_to_int(x)';
  if (target === 'f32') return 'x';
  return to === 'uint32' ? 'float_to_uint(x)' : 'u32(float_to_int(x))';
}

function notZero(from: DType): string {
  return `(x != ${literal(0, from)})`;
}

/** Flips all bits; narrower integers are brought back into range by the caller. */
const invert = typed({ i32: '~x', u32: '~x' });

/** Ones of the dtype's own bits: narrow integers are kept sign-extended, int64 as its low 32 bits. */
function populationCount(c: KernelContext): string {
  const dtype = baseDType(c.input(0).dtype);
  const { bits, type } = integerForm(dtype);
  if (bits === 64) return 'u32(countOneBits(x) + select(i32(0), i32(32), x < i32(0)))';
  return `u32(countOneBits(${bits === 32 ? 'x' : `(x & ${type}(${2 ** bits - 1}))`}))`;
}

/** The number of bits of an integer dtype, and the WGSL type in which it is computed with. */
export function integerForm(dtype: DType): { bits: number; type: StorageType } {
  return { bits: Number(baseDType(dtype).replace(/\D/g, '')), type: storageType(dtype) };
}

const reciprocal = elementwise((c) =>
  isFloating(c.input(0).dtype) ? '(1.0 / x)' : c.unsupported('integers have no reciprocal'),
);
/** A function that TensorFlow declares for integers too, and computes of floats only. */
function ofFloats(expression: string): ElementwiseKernel {
  return elementwise((c) =>
    isFloating(c.input(0).dtype)
      ? expression
      : c.unsupported(`${c.input(0).dtype} operands need a cast to float32`),
  );
}

const reciprocalGrad = elementwise('(-dy * y * y)');
const rounded = typed({ f32: 'round(x)', i32: 'x' });

const leakyRelu = elementwise((c) => {
  const alpha = literal(c.attrs.float('alpha'), 'float32');
  return `select(features, features * ${alpha}, features < f32(0.0))`;
});
const leakyReluGrad = elementwise((c) => {
  const alpha = literal(c.attrs.float('alpha'), 'float32');
  return `select(gradients * ${alpha}, gradients, features > f32(0.0))`;
});

/** `features` limited from below by 0 in the dtype of the op; NaN passes. */
const relu = elementwise((c) => {
  const zero = literal(0, c.input(0).dtype);
  return `select(features, ${zero}, features < ${zero})`;
});
const relu6 = elementwise((c) => {
  const [zero, six] = [literal(0, c.input(0).dtype), literal(6, c.input(0).dtype)];
  return `select(select(features, ${zero}, features < ${zero}), ${six}, features > ${six})`;
});
const reluGrad = elementwise((c) => {
  const zero = literal(0, c.input(0).dtype);
  return `select(${zero}, gradients, features > ${zero})`;
});
const relu6Grad = elementwise((c) => {
  const [zero, six] = [literal(0, c.input(0).dtype), literal(6, c.input(0).dtype)];
  return `select(${zero}, gradients, (features > ${zero}) & (features < ${six}))`;
});

const seluScale = literal(SELU_SCALE, 'float32');
const seluSlope = literal(SELU_SCALE * SELU_ALPHA, 'float32');

export const UNARY_KERNELS = {
  Neg: elementwise('(-x)'),
  Abs: elementwise('abs(x)'),
  Sign: typed({ f32: 'float_sign(x)', i32: 'sign(x)' }),
  Reciprocal: reciprocal,
  Inv: reciprocal,
  ReciprocalGrad: reciprocalGrad,
  InvGrad: reciprocalGrad,
  Square: elementwise('(x * x)'),
  Floor: elementwise('floor(x)'),
  Ceil: elementwise('ceil(x)'),
  Round: rounded,
  Rint: elementwise('round(x)'),
  IsNan: elementwise('is_nan(x)'),
  IsInf: elementwise('is_inf(x)'),
  IsFinite: elementwise('is_finite(x)'),
  LogicalNot: elementwise('(!x)'),
  Invert: invert,
  Cast: elementwise(castExpression),

  Exp: elementwise('safe_exp(x)'),
  Expm1: elementwise('expm1(x)'),
  Log: elementwise('safe_log(x)'),
  Log1p: elementwise('log1p(x)'),
  Sin: elementwise('precise_sin(x)'),
  Cos: elementwise('precise_cos(x)'),
  Tan: ofFloats('precise_tan(x)'),
  Asin: ofFloats('safe_asin(x)'),
  Acos: ofFloats('safe_acos(x)'),
  Atan: ofFloats('precise_atan(x)'),
  Sinh: elementwise('safe_sinh(x)'),
  Cosh: elementwise('safe_cosh(x)'),
  Tanh: elementwise('safe_tanh(x)'),
  TanhGrad: elementwise('(dy * (1.0 - y * y))'),
  Asinh: elementwise('safe_asinh(x)'),
  Acosh: elementwise('safe_acosh(x)'),
  Atanh: elementwise('safe_atanh(x)'),
  Sqrt: elementwise('safe_sqrt(x)'),
  SqrtGrad: elementwise('(dy * 0.5 / y)'),
  Rsqrt: elementwise('(1.0 / safe_sqrt(x))'),
  RsqrtGrad: elementwise('(-0.5 * dy * y * y * y)'),
  Sigmoid: elementwise('sigmoid(x)'),
  SigmoidGrad: elementwise('(dy * y * (1.0 - y))'),
  Erf: elementwise('erf(x)'),
  Erfc: elementwise('erfc(x)'),

  Relu: relu,
  ReluGrad: reluGrad,
  Relu6: relu6,
  Relu6Grad: relu6Grad,
  LeakyRelu: leakyRelu,
  LeakyReluGrad: leakyReluGrad,
  Elu: elementwise('select(features, expm1(features), features < f32(0.0))'),
  EluGrad: elementwise('select(gradients, gradients * (outputs + 1.0), outputs < f32(0.0))'),
  Selu: elementwise(`select(${seluScale} * features, ${seluSlope} * expm1(features), features < f32(0.0))`),
  SeluGrad: elementwise(
    `select(${seluScale} * gradients, gradients * (outputs + ${seluSlope}), outputs < f32(0.0))`,
  ),
  Lgamma: elementwise('lgamma(x)'),
  Digamma: elementwise('digamma(x)'),
  BesselI0e: elementwise('bessel_i0e(x)'),
  BesselI1e: elementwise('bessel_i1e(x)'),
  Erfinv: elementwise('erfinv(x)'),
  Ndtri: elementwise('ndtri(x)'),
  PopulationCount: elementwise(populationCount),

  Softplus: elementwise('softplus(features)'),
  SoftplusGrad: elementwise('(gradients * sigmoid(features))'),
  Softsign: elementwise('(features / (abs(features) + 1.0))'),
  SoftsignGrad: elementwise('(gradients / ((abs(features) + 1.0) * (abs(features) + 1.0)))'),
} satisfies Partial<Record<OpName, Kernel>>;
