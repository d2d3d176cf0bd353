/** Kernels of elementwise ops of two or three operands: arithmetic, comparison, logic, selection. */
import { baseDType, type DType, type OpName } from '@forerun/graph';
import { elementwise, type ElementwiseKernel, type Kernel, type KernelContext } from './kernel.js';
import { integerForm, typed } from './unary.js';
import { literal } from './wgsl/dtype.js';

/** An equality of bools, integers or floats; only floats have NaN. */
function equality(c: KernelContext, float: string, other: string): string {
  return baseDType(c.input(0).dtype) === 'float32' ? float : other;
}

const add = elementwise('(x + y)');
const divide = typed({ f32: '(x / y)', i32: 'int_div(x, y)', u32: 'uint_div(x, y)' });
const remainder = typed({ f32: 'float_fmod(x, y)', i32: 'int_mod(x, y)', u32: 'uint_mod(x, y)' });

function approximately(c: KernelContext): string {
  const { dtype } = c.input(0);
  const tolerance = c.attrs.float('tolerance');
  if (baseDType(dtype) === 'float32') return `(abs(x - y) < ${literal(tolerance, dtype)})`;
  const distance = 'select(x - y, y - x, x < y)';
  return `(f32(${distance}) < ${literal(tolerance, 'float32')})`;
}

const comparison = (operator: string): ElementwiseKernel => elementwise(`(x ${operator} y)`);
const orderedOrEqual = (x: string, y: string): ElementwiseKernel =>
  elementwise((c) => equality(c, `float_less_equal(${x}, ${y})`, `(${x} <= ${y})`));

const clip = elementwise((c) => {
  const max: (dtype: DType) => string = (dtype) => (baseDType(dtype) === 'float32' ? 'nan_max' : 'max');
  const min: (dtype: DType) => string = (dtype) => (baseDType(dtype) === 'float32' ? 'nan_min' : 'min');
  const { dtype } = c.input(0);
  return `${max(dtype)}(${min(dtype)}(t, clip_value_max), clip_value_min)`;
});

/** A shift whose distance is limited to what the dtype has. Of int64 the low 32 bits are kept. */
function shift(c: KernelContext, operator: '<<' | '>>'): string {
  const { bits, type } = integerForm(c.input(0).dtype);
  const most = Math.min(bits, 32) - 1;
  const text = `(x ${operator} u32(clamp(y, ${type}(0), ${type}(${most}))))`;
  return bits === 64 && operator === '<<' ? `select(${text}, i32(0), y > i32(31))` : text;
}

export const BINARY_KERNELS = {
  Add: add,
  AddV2: add,
  AddN: elementwise('(x + y)', { fold: true }),
  AccumulateNV2: elementwise('(x + y)', { fold: true }),
  Prelu: elementwise('select(x, x * alpha, x < f32(0.0))'),
  Sub: elementwise('(x - y)'),
  Mul: elementwise('(x * y)'),
  RealDiv: divide,
  Div: divide,
  TruncateDiv: typed({ f32: 'trunc(x / y)', i32: 'int_div(x, y)', u32: 'uint_div(x, y)' }),
  FloorDiv: typed({ f32: 'float_floor_div(x, y)', i32: 'int_floor_div(x, y)', u32: 'uint_div(x, y)' }),
  FloorMod: typed({ f32: 'float_floor_mod(x, y)', i32: 'int_floor_mod(x, y)', u32: 'uint_mod(x, y)' }),
  Mod: remainder,
  TruncateMod: remainder,
  DivNoNan: elementwise('select(x / y, f32(0.0), y == f32(0.0))'),
  MulNoNan: elementwise('select(x * y, f32(0.0), y == f32(0.0))'),
  Pow: typed({ f32: 'safe_pow(x, y)', i32: 'int_pow(x, y)' }),
  Maximum: typed({ f32: 'nan_max(x, y)', i32: 'max(x, y)', u32: 'max(x, y)' }),
  Minimum: typed({ f32: 'nan_min(x, y)', i32: 'min(x, y)', u32: 'min(x, y)' }),
  SquaredDifference: elementwise('((x - y) * (x - y))'),
  Atan2: elementwise('precise_atan2(y, x)'),
  Xdivy: elementwise('select(x / y, f32(0.0), x == f32(0.0))'),
  Xlogy: elementwise('select(x * safe_log(y), f32(0.0), x == f32(0.0))'),

  Equal: elementwise((c) => equality(c, 'float_equal(x, y)', '(x == y)')),
  NotEqual: elementwise((c) => equality(c, '(!float_equal(x, y))', '(x != y)')),
  Less: comparison('<'),
  LessEqual: orderedOrEqual('x', 'y'),
  Greater: comparison('>'),
  GreaterEqual: orderedOrEqual('y', 'x'),
  ApproximateEqual: elementwise(approximately),
  LogicalAnd: elementwise('(x & y)'),
  LogicalOr: elementwise('(x | y)'),

  BitwiseAnd: elementwise('(x & y)'),
  BitwiseOr: elementwise('(x | y)'),
  BitwiseXor: elementwise('(x ^ y)'),
  LeftShift: elementwise((c) => shift(c, '<<')),
  RightShift: elementwise((c) => shift(c, '>>')),

  Polygamma: elementwise('polygamma(a, x)'),
  Zeta: elementwise('hurwitz_zeta(x, q)'),
  Igamma: elementwise('igamma(a, x)'),
  Igammac: elementwise('igammac(a, x)'),
  IgammaGradA: elementwise('igamma_grad_a(a, x)'),
  Betainc: elementwise('betainc(a, b, x)'),
  NextAfter: elementwise('next_after(x1, x2)'),

  Select: elementwise('select(e, t, condition)', { alignLeading: true }),
  SelectV2: elementwise('select(e, t, condition)'),
  ClipByValue: clip,
} satisfies Partial<Record<OpName, Kernel>>;
