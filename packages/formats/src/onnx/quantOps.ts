/**
 * Quantized arithmetic of ONNX. Integers are multiplied and added exactly: products in int32, convolutions in float32, over
 * parts of the numbers so small that no sum leaves the 24 bits of its mantissa.
 */
import * as fr from '@forerun/graph';
import type { DType, Tensor } from '@forerun/graph';
import { convolved } from './convOps.js';
import type { ImportNode, NodeImporter } from './importNode.js';
import { fourBitRange, onnxDType } from './tensors.js';
import { perChannel } from './windows.js';

/** What the integers of quantized tensors may be. */
const RANGES: Readonly<Partial<Record<DType, readonly [number, number]>>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  uint16: [0, 65535],
  int16: [-32768, 32767],
};

/** `given`, one for all or one for each index along `axis`, so that it broadcasts against a tensor of `rank`. */
function along(node: ImportNode, given: Tensor, axis: number, rank: number): Tensor {
  if (given.shape.size === 1) return fr.reshape(given, []);
  const [at = 0] = node.axes([axis], rank);
  return fr.reshape(given, [-1, ...new Array<number>(rank - at - 1).fill(1)]);
}

/** A scale or zero point for all, for each index along the axis, or for each block along it. */
function spread(node: ImportNode, index: number): Tensor {
  const [given, rank, block] = [
    fr.cast(node.input(index), 'float32'),
    node.rank(0),
    node.int('block_size', 0),
  ];
  if (block === 0) return along(node, given, node.int('axis', 1), rank);
  const [axis = 0] = node.axes([node.int('axis', 1)], rank);
  if (block < 0 || given.shape.rank !== rank)
    node.fail(`blocks of ${block} with input ${index} of shape ${given.shape.toString()}`);
  const places = fr.range(fr.gather(fr.shape(node.input(0)), axis));
  return fr.gather(given, fr.floorDiv(places, fr.constant(block, { dtype: 'int32' })), { axis });
}

/** (x - zero point) * scale. */
const dequantize: NodeImporter = (node) => {
  const shaped = (i: number): Tensor => spread(node, i);
  const number = fr.cast(node.input(0), 'float32');
  return fr.mul(node.has(2) ? fr.sub(number, shaped(2)) : number, shaped(1));
};

/** Whole numbers nearest to `x`, halves to the even one, moved by the zero point and held to the range of `dtype`. */
function saturated(
  node: ImportNode,
  x: Tensor,
  zeroPoint: Tensor | undefined,
  dtype: DType,
  range = RANGES[dtype],
): Tensor {
  const [low, high] = range ?? node.fail(`quantization to ${dtype} is not supported`);
  const whole = fr.round(x);
  const moved = zeroPoint === undefined ? whole : fr.add(whole, zeroPoint);
  return fr.cast(fr.minimum(fr.maximum(moved, low), high), dtype);
}

const quantize: NodeImporter = (node) => {
  const asked = node.int('output_dtype', 0);
  const narrow = node.has(2) ? node.knowledge.fourBits.get(node.input(2)) : fourBitRange(asked);
  const whole = node.has(2) ? node.input(2).dtype : asked === 0 ? 'uint8' : onnxDType(asked, node.label);
  const scaled = fr.div(fr.cast(node.input(0), 'float32'), spread(node, 1));
  const zero = node.has(2) ? spread(node, 2) : undefined;
  return saturated(node, scaled, zero, whole, narrow ?? RANGES[whole]);
};

/** Scale and zero point from the least and the greatest element, zero among them. */
const dynamicQuantize: NodeImporter = (node) => {
  const x = node.input(0);
  const [low, high] = [fr.minimum(fr.reduceMin(x), 0), fr.maximum(fr.reduceMax(x), 0)];
  const range = fr.div(fr.sub(high, low), 255);
  const scale = fr.whereV2(fr.equal(range, 0), fr.onesLike(range), range);
  const zero = fr.minimum(fr.maximum(fr.round(fr.neg(fr.div(low, scale))), 0), 255);
  return [saturated(node, fr.div(x, scale), zero, 'uint8'), scale, fr.cast(zero, 'uint8')];
};

/** An integer input less its zero point, as `dtype`. */
function centred(node: ImportNode, input: number, zero: number, axis: number, dtype: DType): Tensor {
  const x = fr.cast(node.input(input), dtype);
  if (!node.has(zero)) return x;
  return fr.sub(x, along(node, fr.cast(node.input(zero), dtype), axis, node.rank(input)));
}

const matMulInteger: NodeImporter = (node) =>
  fr.matMul(centred(node, 0, 2, -2, 'int32'), centred(node, 1, 3, -1, 'int32'));

/** a, its scale and zero point, b, its scale and zero point, scale and zero point of the product. */
const qLinearMatMul: NodeImporter = (node) => {
  const sums = fr.matMul(centred(node, 0, 2, -2, 'int32'), centred(node, 3, 5, -1, 'int32'));
  const rank = sums.shape.rank ?? node.fail('the rank of the product is not known');
  const precise = (index: number): Tensor => fr.cast(node.input(index), 'float32');
  const scale = fr.mul(along(node, precise(1), -2, rank), along(node, precise(4), -1, rank));
  const factor = fr.div(scale, fr.reshape(precise(6), []));
  const zero = fr.reshape(fr.cast(node.input(7), 'float32'), []);
  return saturated(node, fr.mul(fr.cast(sums, 'float32'), factor), zero, node.input(7).dtype);
};

/** Sums below this are exact in float32. */
const EXACT = 2 ** 24;

/** Parts of 8-bit differences: each times its factor, all together. */
function parts(x: Tensor, split: boolean): readonly { readonly part: Tensor; readonly factor: number }[] {
  if (!split) return [{ part: x, factor: 1 }];
  const high = fr.floor(fr.mul(x, 1 / 16));
  return [
    { part: high, factor: 16 },
    { part: fr.sub(x, fr.mul(high, 16)), factor: 1 },
  ];
}

/** The int32 convolution of differences from zero points: of inputs `x` and `w`, with zero points where these inputs are. */
function integerConvolution(
  node: ImportNode,
  x: number,
  w: number,
  zeros: readonly [number, number],
): Tensor {
  const rank = node.rank(w);
  const perm = [...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1, 0];
  const filter = fr.transpose(centred(node, w, zeros[1], 0, 'float32'), { perm });
  const input = centred(node, x, zeros[0], 1, 'float32');
  const terms = filter.shape
    .toStatic()
    .slice(0, -1)
    .reduce((product, size) => product * size, 1);
  const [splitX, splitW] = [terms * 255 * 255 >= EXACT, terms * 255 * 16 >= EXACT];
  if (terms * 16 * 16 >= EXACT) node.fail(`sums of ${terms} products are not supported`);
  const sums = parts(input, splitX).flatMap(({ part, factor }) =>
    parts(filter, splitW).map((weights) => {
      const y = fr.cast(convolved(node, part, weights.part), 'int32');
      const both = factor * weights.factor;
      return both === 1 ? y : fr.mul(y, fr.constant(both, { dtype: 'int32' }));
    }),
  );
  return sums.reduce((sum, y) => fr.add(sum, y));
}

/** x, its scale and zero point, w, its scale and zero point, scale and zero point of the result, bias. */
const qLinearConv: NodeImporter = (node) => {
  const rank = node.rank(0);
  const channels = (given: Tensor): Tensor =>
    given.shape.size === 1 ? fr.reshape(given, []) : perChannel(given, rank);
  const sums = integerConvolution(node, 0, 3, [2, 5]);
  const biased = node.has(8) ? fr.add(sums, perChannel(node.input(8), rank)) : sums;
  const scale = fr.div(
    fr.mul(fr.reshape(node.input(1), []), channels(node.input(4))),
    fr.reshape(node.input(6), []),
  );
  const zero = fr.reshape(fr.cast(node.input(7), 'float32'), []);
  return saturated(node, fr.mul(fr.cast(biased, 'float32'), scale), zero, node.input(7).dtype);
};

export const QUANT_OPS: Readonly<Record<string, NodeImporter>> = {
  ConvInteger: (node) => integerConvolution(node, 0, 1, [2, 3]),
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamicQuantize,
  MatMulInteger: matMulInteger,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QuantizeLinear: quantize,
};
