/** Kernels of softmax, its logarithm and the cross-entropies: all shift by the largest logit first. */
import { sizeOf } from '@forerun/graph';
import type { KernelContext, Lowered } from './kernel.js';
import { rowDispatch, type RowReduction, type RowSteps } from './rowKernel.js';
import type { Width } from './wgsl/dtype.js';
import { inputBinding, outputBinding } from './wgsl/shader.js';

/** `top`, the largest of the elements, and `sum`, the sum of exp(element - top). */
function topAndSum(steps: RowSteps, element: string): string {
  const largest: RowReduction = {
    identity: 'float_bits(u32(0xff800000u))',
    combine: (a, b) => `nan_max(${a}, ${b})`,
    element,
  };
  const sum: RowReduction = {
    identity: 'f32(0.0)',
    combine: (a, b) => `(${a} + ${b})`,
    element: `safe_exp(${element} - f32(top))`,
  };
  return `${steps.reduce('top', largest)}\n${steps.reduce('sum', sum)}`;
}

/** Rows and columns of a tensor whose last dimension is a row. */
function matrixOf(shape: readonly number[]): { rows: number; columns: number; width: Width } {
  const columns = shape.at(-1) ?? 1;
  return { rows: sizeOf(shape.slice(0, -1)), columns, width: columns % 4 === 0 ? 4 : 1 };
}

/** exp(x) / sum(exp(x)) over the last dimension, or its logarithm. */
export function lowerSoftmax(c: KernelContext, logarithm: boolean): Lowered {
  const matrix = matrixOf(c.input(0).shape);
  if (matrix.rows * matrix.columns === 0) return { dispatches: [] };
  const units = matrix.columns / matrix.width;
  const dispatch = rowDispatch(c, {
    ...matrix,
    label: logarithm ? 'logSoftmax' : 'softmax',
    bindings: [inputBinding(c, 0, 'logits', matrix.width), outputBinding(c, 0, 'out', matrix.width)],
    body: (steps) => {
      const element = `logits[base + k]`;
      const result = logarithm
        ? `${element} - f32(top) - f32(log_sum)`
        : `safe_exp(${element} - f32(top)) / f32(sum)`;
      return `let base = row * ${units}u;
${topAndSum(steps, element)}
${logarithm ? 'let log_sum = safe_log(sum);' : ''}
${steps.each(`out[base + k] = ${steps.wide(result)};`)}`;
    },
  });
  return { dispatches: [dispatch] };
}

/** Index of the element at `row`, `k` of a matrix that broadcasts to the loss matrix. */
function broadcastAt([rows = 1, columns = 1]: readonly number[], width: Width): string {
  const row = rows === 1 ? '0u' : `row * ${columns / (columns === 1 ? 1 : width)}u`;
  return columns === 1 ? row : `${row} + k`;
}

/** Loss sum(labels * (log(sum) - shifted)) and its gradient softmax - labels, per row. */
export function lowerCrossEntropy(c: KernelContext): Lowered {
  const [features, labels] = [c.input(0).shape, c.input(1).shape];
  const matrix = matrixOf(c.output(1).shape);
  if (matrix.rows === 0) return { dispatches: [] };
  if (matrix.columns === 0) c.unsupported('logits without classes');
  const whole = features[1] === matrix.columns && labels[1] === matrix.columns;
  const width: Width = whole ? matrix.width : 1;
  const dispatch = rowDispatch(c, {
    ...matrix,
    width,
    label: 'crossEntropy',
    bindings: [
      inputBinding(c, 0, 'features', width),
      inputBinding(c, 1, 'labels', width),
      outputBinding(c, 0, 'loss'),
      outputBinding(c, 1, 'backprop', width),
    ],
    body: (steps) => {
      const element = `features[${broadcastAt(features, width)}]`;
      const label = `labels[${broadcastAt(labels, width)}]`;
      const loss: RowReduction = {
        identity: 'f32(0.0)',
        combine: (a, b) => `(${a} + ${b})`,
        element: `${label} * (f32(log_sum) - (${element} - f32(top)))`,
      };
      const gradient = `safe_exp(${element} - f32(top)) / f32(sum) - ${label}`;
      return `${topAndSum(steps, element)}
let log_sum = safe_log(sum);
${steps.reduce('row_loss', loss)}
${steps.once('loss[row] = row_loss;')}
${steps.each(`backprop[row * ${matrix.columns / width}u + k] = ${steps.wide(gradient)};`)}`;
    },
  });
  return { dispatches: [dispatch] };
}

/** As `lowerCrossEntropy` with one class number per row; NaN for a number out of range. */
export function lowerSparseCrossEntropy(c: KernelContext): Lowered {
  const matrix = matrixOf(c.input(0).shape);
  const { columns, width, rows } = matrix;
  if (rows === 0) return { dispatches: [] };
  if (columns === 0) c.unsupported('logits without classes');
  const units = columns / width;
  const position = width === 1 ? 'k' : '(vec4<u32>(k * 4u) + vec4<u32>(0u, 1u, 2u, 3u))';
  const atLabel = width === 1 ? 'features[base + label]' : 'features[base + label / 4u][label % 4u]';
  const dispatch = rowDispatch(c, {
    ...matrix,
    label: 'sparseCrossEntropy',
    bindings: [
      inputBinding(c, 0, 'features', width),
      inputBinding(c, 1, 'labels'),
      outputBinding(c, 0, 'loss'),
      outputBinding(c, 1, 'backprop', width),
    ],
    body: (steps) => {
      const element = `features[base + k]`;
      const hit = 'select(f32(0.0), f32(1.0), position == u32(label))';
      const gradient = steps.wide(`safe_exp(${element} - f32(top)) / f32(sum) - ${hit} + f32(invalid)`);
      return `let base = row * ${units}u;
let label_number = labels[row];
let in_range = label_number >= 0i && label_number < ${columns}i;
let label = u32(select(0i, label_number, in_range));
let invalid = select(not_a_number(), 0.0, in_range);
${topAndSum(steps, element)}
${steps.once(`loss[row] = safe_log(sum) - (${atLabel} - top) + invalid;`)}
${steps.each(`let position = ${position};\nbackprop[base + k] = ${gradient};`)}`;
    },
  });
  return { dispatches: [dispatch] };
}
