/** Elementwise ops of ONNX. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode, NodeImporter } from './importNode.js';
import { perChannel } from './windows.js';

/** The second operand. Before operator set 7 an attribute says at which axis of the first one its axes begin. */
function secondOperand(node: ImportNode): Tensor {
  const y = node.input(1);
  const first = node.int('axis', -1);
  if (node.opset >= 7 || node.int('broadcast', 0) === 0 || first < 0) return y;
  const behind = node.rank(0) - first - node.rank(1);
  if (behind < 0) node.fail(`${node.rank(1)} axes from axis ${first} of rank ${node.rank(0)}`);
  return Array.from({ length: behind }).reduce<Tensor>((x) => fr.expandDims(x, -1), y);
}

const unary =
  (apply: (x: Tensor) => Tensor): NodeImporter =>
  (node) =>
    apply(node.input(0));
const binary =
  (apply: (x: Tensor, y: Tensor) => Tensor): NodeImporter =>
  (node) =>
    apply(node.input(0), secondOperand(node));
/** Of any number of inputs. */
const joined =
  (apply: (x: Tensor, y: Tensor) => Tensor): NodeImporter =>
  (node) =>
    node.inputs
      .slice(1)
      .reduce<Tensor>((x, y) => apply(x, y ?? node.fail('an input is missing')), node.input(0));

const clip: NodeImporter = (node) => {
  const [low, high] = [bound(node, 'min', 1), bound(node, 'max', 2)];
  const above = low === undefined ? node.input(0) : fr.maximum(node.input(0), low);
  return high === undefined ? above : fr.minimum(above, high);
};

function bound(node: ImportNode, name: string, input: number): Tensor | number | undefined {
  if (node.has(input)) return node.input(input);
  return node.hasAttribute(name) ? node.float(name, 0) : undefined;
}

const hardSigmoid: NodeImporter = (node) =>
  fr.minimum(
    fr.maximum(fr.add(fr.mul(node.input(0), node.float('alpha', 0.2)), node.float('beta', 0.5)), 0),
    1,
  );

const prelu: NodeImporter = (node) => {
  const x = node.input(0);
  // Before operator set 7 a list of slopes was one for each channel.
  const slopes =
    node.opset < 7 && node.rank(1) === 1 ? perChannel(node.input(1), node.rank(0)) : node.input(1);
  return fr.add(fr.relu(x), fr.mul(slopes, fr.minimum(x, 0)));
};

const gelu: NodeImporter = (node) => {
  const x = node.input(0);
  const half = fr.mul(x, 0.5);
  if (node.text('approximate', 'none') === 'none')
    return fr.mul(half, fr.add(fr.erf(fr.mul(x, Math.SQRT1_2)), 1));
  const cube = fr.mul(fr.add(x, fr.mul(fr.mul(x, fr.mul(x, x)), 0.044715)), Math.sqrt(2 / Math.PI));
  return fr.mul(half, fr.add(fr.tanh(cube), 1));
};

/** Bits moved up or down, of integers without sign. */
const bitShift: NodeImporter = (node) => {
  const direction = node.text('direction', '');
  if (direction !== 'LEFT' && direction !== 'RIGHT') node.fail(`the direction "${direction}" is not known`);
  return (direction === 'LEFT' ? fr.leftShift : fr.rightShift)(node.input(0), node.input(1));
};

/** The defaults are the constants of TensorFlow's op. */
const selu: NodeImporter = (node) => {
  const x = node.input(0);
  if (!node.hasAttribute('alpha') && !node.hasAttribute('gamma')) return fr.selu(x);
  const [alpha, gamma] = [node.float('alpha', 1.67326319217681884765625), node.float('gamma', 1.05070102214813232421875)]; // prettier-ignore
  return fr.mul(fr.whereV2(fr.lessEqual(x, 0), fr.mul(fr.expm1(x), alpha), x), gamma);
};

/** Infinities of the signs that are asked for. */
const isInf: NodeImporter = (node) => {
  const x = node.input(0);
  const [negative, positive] = [node.int('detect_negative', 1) !== 0, node.int('detect_positive', 1) !== 0];
  if (negative && positive) return fr.isInf(x);
  if (!negative && !positive) return fr.zerosLike(fr.isInf(x));
  return fr.logicalAnd(fr.isInf(x), positive ? fr.greater(x, 0) : fr.less(x, 0));
};

/** x * sigmoid(alpha * x). */
function swish(node: ImportNode): Tensor {
  const [x, alpha] = [node.input(0), node.float('alpha', 1)];
  return fr.mul(x, fr.sigmoid(alpha === 1 ? x : fr.mul(x, alpha)));
}

/** Zero within `lambd` of zero; beyond, nearer to zero by `bias`. */
const shrink: NodeImporter = (node) => {
  const [x, lambda, bias] = [node.input(0), node.float('lambd', 0.5), node.float('bias', 0)];
  const below = fr.whereV2(fr.less(x, -lambda), fr.add(x, bias), fr.zerosLike(x));
  return fr.whereV2(fr.greater(x, lambda), fr.sub(x, bias), below);
};

export const ELEMENTWISE_OPS: Readonly<Record<string, NodeImporter>> = {
  Abs: unary(fr.abs),
  Acos: unary(fr.acos),
  Acosh: unary(fr.acosh),
  Add: binary(fr.add),
  And: binary(fr.logicalAnd),
  Asin: unary(fr.asin),
  Asinh: unary(fr.asinh),
  Atan: unary(fr.atan),
  Atanh: unary(fr.atanh),
  BitShift: bitShift,
  BitwiseAnd: binary(fr.bitwiseAnd),
  BitwiseNot: unary(fr.invert),
  BitwiseOr: binary(fr.bitwiseOr),
  BitwiseXor: binary(fr.bitwiseXor),
  Ceil: unary(fr.ceil),
  Celu: (node) => {
    const [x, alpha] = [node.input(0), node.float('alpha', 1)];
    return fr.add(fr.maximum(x, 0), fr.minimum(fr.mul(fr.expm1(fr.div(x, alpha)), alpha), 0));
  },
  Clip: clip,
  Cos: unary(fr.cos),
  Cosh: unary(fr.cosh),
  Div: binary((x, y) => (fr.isInteger(x.dtype) ? fr.apply('TruncateDiv', [x, y]) : fr.div(x, y))),
  Elu: (node) => {
    const [x, alpha] = [node.input(0), node.float('alpha', 1)];
    return alpha === 1 ? fr.elu(x) : fr.whereV2(fr.less(x, 0), fr.mul(fr.expm1(x), alpha), x);
  },
  Equal: binary(fr.equal),
  Erf: unary(fr.erf),
  Exp: unary(fr.exp),
  Floor: unary(fr.floor),
  Gelu: gelu,
  Greater: binary(fr.greater),
  GreaterOrEqual: binary(fr.greaterEqual),
  HardSigmoid: hardSigmoid,
  HardSwish: (node) =>
    fr.mul(node.input(0), fr.minimum(fr.maximum(fr.add(fr.mul(node.input(0), 1 / 6), 0.5), 0), 1)),
  IsInf: isInf,
  IsNaN: unary(fr.isNan),
  LeakyRelu: (node) => fr.leakyRelu(node.input(0), { alpha: node.float('alpha', 0.01) }),
  Less: binary(fr.less),
  LessOrEqual: binary(fr.lessEqual),
  Log: unary(fr.log),
  Max: joined(fr.maximum),
  Mean: (node) => fr.div(fr.addN(node.inputs.map((_, i) => node.input(i))), node.inputs.length),
  Min: joined(fr.minimum),
  Mish: (node) => fr.mul(node.input(0), fr.tanh(fr.softplus(node.input(0)))),
  Mod: (node) => {
    const [x, y] = [node.input(0), node.input(1)];
    return node.int('fmod', 0) === 1 ? fr.truncateMod(x, y) : fr.floorMod(x, y);
  },
  Mul: binary(fr.mul),
  Neg: unary(fr.neg),
  Not: unary(fr.logicalNot),
  Or: binary(fr.logicalOr),
  PRelu: prelu,
  Pow: binary((x, y) => fr.pow(x, y.dtype === x.dtype ? y : fr.cast(y, x.dtype))),
  Reciprocal: unary(fr.reciprocal),
  Relu: unary(fr.relu),
  Round: unary(fr.round),
  Selu: selu,
  Shrink: shrink,
  Sigmoid: unary(fr.sigmoid),
  Sign: unary(fr.sign),
  Sin: unary(fr.sin),
  Sinh: unary(fr.sinh),
  Softplus: unary(fr.softplus),
  Softsign: unary(fr.softsign),
  Sqrt: unary(fr.sqrt),
  Sub: binary(fr.sub),
  Sum: joined(fr.add),
  Swish: swish,
  Tan: unary(fr.tan),
  Tanh: unary(fr.tanh),
  ThresholdedRelu: (node) => {
    const x = node.input(0);
    return fr.whereV2(fr.greater(x, node.float('alpha', 1)), x, fr.zerosLike(x));
  },
  Where: (node) => fr.whereV2(node.input(0), node.input(1), node.input(2)),
  Xor: binary(fr.logicalXor),
};
