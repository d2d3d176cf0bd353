/** Signal processing of ONNX: windows, discrete Fourier transforms, whose sums are products with matrices, and mel filters. */
import * as fr from '@forerun/graph';
import { TensorValue, type Tensor } from '@forerun/graph';
import { axisMoved, scalar } from './controlOps.js';
import type { ImportNode, NodeImporter } from './importNode.js';
import { onnxDType } from './tensors.js';

const int = (value: number): Tensor => fr.constant(value, { dtype: 'int32' });

/** A sum of cosines over a size that is an input; `coefficients` are those of cos(0), cos(2πi/N), cos(4πi/N), … */
function cosines(coefficients: readonly number[]): NodeImporter {
  return (node) => {
    const size = fr.cast(scalar(node.input(0)), 'int32');
    const period = node.int('periodic', 1) === 1 ? size : fr.sub(size, int(1));
    const angle = fr.div(fr.mul(fr.cast(fr.range(size), 'float32'), 2 * Math.PI), fr.cast(period, 'float32'));
    const terms = coefficients.map((factor, k) => fr.mul(fr.cos(fr.mul(angle, k)), factor));
    return fr.cast(fr.addN(terms), onnxDType(node.int('output_datatype', 1), node.label));
  };
}

/** The most elements that a matrix of a Fourier transform may have: those of 2048 frequencies of as many complex numbers. */
const MAX_MATRIX = 2 ** 24;

interface Transform {
  /** How many numbers are transformed; the matrix is made for them when the model is imported. */
  readonly length: number;
  readonly inverse: boolean;
  readonly oneSided: boolean;
}

/** The matrix from [length * parts] numbers to [frequencies * 2]; `parts` is 2 for complex numbers, 1 for real ones. */
function fourierMatrix(parts: number, frequencies: number, { length, inverse }: Transform): TensorValue {
  const data = new Float32Array(length * parts * frequencies * 2);
  const [sign, scale] = inverse ? [-1, 1 / length] : [1, 1];
  for (let i = 0; i < length; i++)
    for (let k = 0; k < frequencies; k++) {
      const angle = (2 * Math.PI * ((i * k) % length)) / length;
      const [cos, sin] = [Math.cos(angle) * scale, Math.sin(angle) * scale * sign];
      const at = (i * parts * frequencies + k) * 2;
      data.set([cos, -sin], at);
      if (parts === 2) data.set([sin, cos], at + frequencies * 2);
    }
  return new TensorValue('float32', [length * parts, frequencies * 2], data);
}

/** The Fourier transform of [..., length, 1 or 2] along the axis before the last: [..., frequencies, 2]. */
function transformed(node: ImportNode, x: Tensor, transform: Transform): Tensor {
  const { length, oneSided } = transform;
  const parts = x.shape.dim(-1);
  if (parts !== 1 && parts !== 2)
    return node.fail(`the last axis must have the size 1 or 2, it is ${String(parts)}`);
  const frequencies = oneSided ? Math.floor(length / 2) + 1 : length;
  if (!(length >= 1 && length * parts * frequencies * 2 <= MAX_MATRIX))
    return node.fail(`transforms of length ${length} are not supported`);
  const matrix = node.constant(fourierMatrix(parts, frequencies, transform), 'fourier');
  const sums = fr.matMul(fr.reshape(x, [-1, length * parts]), matrix);
  const rank = x.shape.rank ?? 0;
  const front = fr.slice(fr.shape(x), [0], [rank - 2]);
  const y = fr.reshape(sums, fr.concat([front, fr.constant([frequencies, 2], { dtype: 'int32' })], 0));
  y.setShape(x.shape.slice(0, -2).concat(new fr.TensorShape([frequencies, 2])));
  return y;
}

/** `x` cut off or filled with zeros along the axis before the last. */
function fitted(node: ImportNode, x: Tensor, length: number): Tensor {
  const size = x.shape.dim(-2) ?? node.fail('the size to transform is not known');
  const rank = x.shape.rank ?? 0;
  if (size === length) return x;
  const along = (value: number, other: number): number[] =>
    Array.from({ length: rank }, (_, i) => (i === rank - 2 ? value : other));
  if (size > length) return fr.slice(x, along(0, 0), along(length, -1));
  return fr.pad(
    x,
    along(length - size, 0).map((more) => [0, more]),
  );
}

const dft: NodeImporter = (node) => {
  const rank = node.rank(0);
  // Operator set 20 made the axis an input, the last before the numbers' parts by default.
  const given = node.opset < 20 ? node.int('axis', 1) : (node.known(2)?.[0] ?? -2);
  const [axis = 0] = node.axes([given], rank - (given < 0 ? 0 : 1));
  const [inverse, oneSided] = [node.int('inverse', 0) === 1, node.int('onesided', 0) === 1];
  if (inverse && oneSided) node.fail('an inverse transform of one side is not supported');
  if (axis === rank - 1) node.fail(`axis ${given} holds the parts of numbers`);
  const x = axisMoved(node.input(0), axis, rank - 2);
  const length = node.known(1)?.[0] ?? x.shape.dim(-2) ?? node.fail('the size to transform is not known');
  return axisMoved(transformed(node, fitted(node, x, length), { length, inverse, oneSided }), rank - 2, axis);
};

/** Transforms of windows that move over a signal [batch, length, 1 or 2]. */
const stft: NodeImporter = (node) => {
  const given = node.input(0);
  const x = given.shape.rank === 2 ? fr.expandDims(given, -1) : given;
  const step = node.known(1)?.[0] ?? node.fail('the step is missing');
  const windowed = node.has(2);
  const length = node.known(3)?.[0] ?? (windowed ? node.input(2).shape.dim(0) : null);
  if (length === null) return node.fail('the length of the frames is not known');
  if (step < 1 || length < 1) return node.fail(`frames of length ${length} with step ${step}`);
  const count = fr.add(fr.floorDiv(fr.sub(fr.gather(fr.shape(x), 1), int(length)), int(step)), int(1));
  const starts = fr.expandDims(fr.mul(fr.range(count), int(step)), 1);
  const frames = fr.gather(x, fr.add(starts, fr.range(length)), { axis: 1 });
  const weighted = windowed ? fr.mul(frames, fr.expandDims(node.input(2), -1)) : frames;
  return transformed(node, weighted, { length, inverse: false, oneSided: node.int('onesided', 1) === 1 });
};

const toMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
const toHertz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Triangular filters on the mel scale, [spectrogram bins, mel bins], as the definition of the operator places them. */
const melWeights: NodeImporter = (node) => {
  const [bins = 0, length = 0, rate = 0, lower = 0, upper = 0] = node.inputs.map(
    (_, i) => node.known(i)?.[0] ?? node.fail(`input ${i} is missing`),
  );
  const rows = Math.floor(length / 2) + 1;
  if (!(bins >= 1 && rows >= 1 && rows * bins <= MAX_MATRIX)) return node.fail(`${rows} by ${bins} weights`);
  const step = (toMel(upper) - toMel(lower)) / (bins + 2);
  const edges = Array.from({ length: bins + 2 }, (_, i) =>
    Math.floor(((length + 1) * toHertz(toMel(lower) + i * step)) / rate),
  );
  if (edges.some((edge) => !(edge >= 0 && edge < rows)))
    return node.fail(`the edges ${lower} and ${upper} Hz`);
  const data = new Float32Array(rows * bins);
  for (let i = 0; i < bins; i++) {
    const [left = 0, centre = 0, right = 0] = edges.slice(i, i + 3);
    for (let row = left; row < right; row++)
      data[row * bins + i] = row < centre ? (row - left) / (centre - left) : (right - row) / (right - centre);
    data[centre * bins + i] = 1;
  }
  const dtype = onnxDType(node.int('output_datatype', 1), node.label);
  return fr.cast(node.constant(new TensorValue('float32', [rows, bins], data), 'mel'), dtype);
};

export const SIGNAL_OPS: Readonly<Record<string, NodeImporter>> = {
  BlackmanWindow: cosines([0.42, -0.5, 0.08]),
  DFT: dft,
  HammingWindow: cosines([25 / 46, -21 / 46]),
  HannWindow: cosines([0.5, -0.5]),
  MelWeightMatrix: melWeights,
  STFT: stft,
};
