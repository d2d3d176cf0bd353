/** Float64 references of elementwise ops of two or three operands. */
import type { HostValue } from '@forerun/graph';
import type { FamilyReferences, Reference, ReferenceContext } from '../sample.js';
import {
  incompleteBeta,
  lowerGamma,
  lowerGammaSlope,
  nextAfter,
  polygamma,
  upperGamma,
  zeta,
} from './special.js';
import { wrapTo } from './unary.js';

/** Elements of `value` repeated to `shape`, by walking all coordinates. */
function broadcast({ shape: own, data }: HostValue, shape: readonly number[]): number[] {
  const padded = [...new Array<number>(shape.length - own.length).fill(1), ...own];
  const walk = (d: number, base: number): number[] => {
    const size = shape[d];
    if (size === undefined) return [data[base] ?? NaN];
    const dim = padded[d] ?? 1;
    const parts = Array.from({ length: size }, (_, i) => walk(d + 1, base * dim + (dim === 1 ? 0 : i)));
    return parts.flat();
  };
  return walk(0, 0);
}

function jointShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, d) => {
    const dims = shapes.map((shape) => shape[shape.length - rank + d] ?? 1);
    return dims.find((dim) => dim !== 1) ?? 1;
  });
}

/** A reference over broadcast elements; integer results wrap. */
function zip(f: (elements: readonly number[], c: ReferenceContext) => number): Reference {
  return (c) => {
    const dtype = c.outputs[0] ?? 'float32';
    const shape = jointShape(c.inputs.map((input) => input.shape));
    const columns = c.inputs.map((input) => broadcast(input, shape));
    const length = shape.reduce((n, dim) => n * dim, 1);
    const data = Float64Array.from({ length }, (_, i) =>
      wrapTo(
        f(
          columns.map((column) => column[i] ?? NaN),
          c,
        ),
        dtype,
      ),
    );
    return [{ dtype, shape, data }];
  };
}

type Two = (x: number, y: number) => number;

/** A binary reference with a form for floats and one for integers. */
function two(float: Two, int: Two = float): Reference {
  return zip(([x = NaN, y = NaN], c) => (c.input(0).dtype.startsWith('float') ? float : int)(x, y));
}

const test = (f: (x: number, y: number) => boolean): Reference => two((x, y) => (f(x, y) ? 1 : 0));

/** Exact product modulo 2^32. */
const product: Two = (x, y) => Number(BigInt.asIntN(40, BigInt(x) * BigInt(y)));
const guarded =
  (f: Two): Two =>
  (x, y) =>
    y === 0 ? 0 : f(x, y);

function power(x: number, y: number): number {
  if (y < 0) return Math.abs(x) === 1 ? x ** (Math.abs(y) % 2) : 0;
  return Number(BigInt.asIntN(32, BigInt(x) ** BigInt(y)));
}

const add = two((x, y) => x + y);
const quotient = two(
  (x, y) => x / y,
  guarded((x, y) => Math.trunc(x / y)),
);
const remainder = two(
  (x, y) => x % y,
  guarded((x, y) => x % y),
);
const modulo: Two = (x, y) => (Math.sign(x % y) * Math.sign(y) < 0 ? (x % y) + y : x % y);

/** A connective of 64 bits, one after the other. */
function bitwise(connect: Two): Reference {
  const bit = (x: number, k: number): number => ((Math.floor(x / 2 ** k) % 2) + 2) % 2;
  return two((x, y) => {
    let sum = 0;
    for (let k = 0; k < 53; k++) sum += connect(bit(x, k), bit(y, k)) * 2 ** k;
    return sum - connect(bit(x, 53), bit(y, 53)) * 2 ** 53;
  });
}

/** Distances end at the dtype's bits less 1. */
function shift(f: Two): Reference {
  return zip(([x = NaN, y = NaN], c) => {
    const bits = Number(/\d+/.exec(c.input(0).dtype)?.[0]);
    return f(x, Math.min(Math.max(y, 0), bits - 1));
  });
}

const select = zip(([condition, t = NaN, e = NaN]) => (condition === 1 ? t : e));

export const BINARY_REFERENCES = {
  Add: add,
  AddV2: add,
  AccumulateNV2: zip((elements) => elements.reduce((sum, x) => sum + x, 0)),
  Prelu: two((x, alpha) => (x > 0 ? x : x * alpha)),
  AddN: zip((elements) => elements.reduce((sum, x) => sum + x, 0)),
  Sub: two((x, y) => x - y),
  Mul: two((x, y) => x * y, product),
  RealDiv: quotient,
  Div: quotient,
  TruncateDiv: two(
    (x, y) => Math.trunc(x / y),
    guarded((x, y) => Math.trunc(x / y)),
  ),
  FloorDiv: two(
    (x, y) => Math.floor(x / y),
    guarded((x, y) => Math.floor(x / y)),
  ),
  FloorMod: two(modulo, guarded(modulo)),
  Mod: remainder,
  TruncateMod: remainder,
  DivNoNan: two((x, y) => (y === 0 ? 0 : x / y)),
  MulNoNan: two((x, y) => (y === 0 ? 0 : x * y)),
  Pow: two((x, y) => (x === 1 || (x === -1 && Math.abs(y) === Infinity) ? 1 : x ** y), power),
  Maximum: two(Math.max),
  Minimum: two(Math.min),
  SquaredDifference: two(
    (x, y) => (x - y) ** 2,
    (x, y) => product(x - y, x - y),
  ),
  Atan2: two(Math.atan2),
  Xdivy: two((x, y) => (x === 0 ? 0 : x / y)),
  Xlogy: two((x, y) => (x === 0 ? 0 : x * Math.log(y))),
  Equal: test((x, y) => x === y),
  NotEqual: test((x, y) => x !== y),
  Less: test((x, y) => x < y),
  LessEqual: test((x, y) => x <= y),
  Greater: test((x, y) => x > y),
  GreaterEqual: test((x, y) => x >= y),
  ApproximateEqual: zip(([x = NaN, y = NaN], c) => (Math.abs(x - y) < c.attrs.float('tolerance') ? 1 : 0)),
  LogicalAnd: test((x, y) => x + y === 2),
  LogicalOr: test((x, y) => x + y > 0),
  BitwiseAnd: bitwise((x, y) => x * y),
  BitwiseOr: bitwise((x, y) => Math.max(x, y)),
  BitwiseXor: bitwise((x, y) => (x === y ? 0 : 1)),
  LeftShift: shift((x, y) => x * 2 ** y),
  RightShift: shift((x, y) => Math.floor(x / 2 ** y)),
  Polygamma: two(polygamma),
  Zeta: two(zeta),
  Igamma: two(lowerGamma),
  Igammac: two(upperGamma),
  IgammaGradA: two(lowerGammaSlope),
  Betainc: zip(([a = NaN, b = NaN, x = NaN]) => incompleteBeta(a, b, x)),
  NextAfter: two(nextAfter),
  Select: (c) => {
    const [condition, t] = [c.input(0), c.input(1)];
    const missing = condition.shape.length === 0 ? 0 : t.shape.length - condition.shape.length;
    const shape = [...condition.shape, ...new Array<number>(missing).fill(1)];
    const inputs = [{ ...condition, shape }, t, c.input(2)];
    return select({ ...c, inputs, input: (i) => inputs[i] ?? c.input(i) });
  },
  SelectV2: select,
  ClipByValue: zip(([t = NaN, low = NaN, high = NaN]) => Math.max(Math.min(t, high), low)),
} satisfies FamilyReferences;
