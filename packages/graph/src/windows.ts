/**
 * The arithmetic of sliding windows: what strides, dilations and padding make of an axis of an
 * image. Shape inference of convolutions and poolings and their kernels all count with it.
 */
import type { Dim } from './shape.js';

/** Names of the padding rules, and the attribute value that goes with each. */
export type PaddingRule = 'SAME' | 'VALID' | 'EXPLICIT';

/** How windows lie on one axis. */
export interface WindowAxis {
  readonly size: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: PaddingRule;
  /** Elements added before and after; read with `EXPLICIT` only. */
  readonly explicit?: readonly [before: number, after: number];
}

/** Number of windows on an axis of `input` elements: negative when not even one fits, `null` when not known. */
export function windowCount(input: Dim, axis: Omit<WindowAxis, 'size'> & { readonly size: Dim }): Dim {
  const { size, stride, dilation, padding, explicit = [0, 0] } = axis;
  if (input === null) return null;
  if (padding === 'SAME') return Math.ceil(input / stride);
  if (size === null) return null;
  const padded = padding === 'EXPLICIT' ? input + explicit[0] + explicit[1] : input;
  return Math.floor((padded - (size - 1) * dilation - 1) / stride) + 1;
}

/** Elements of padding before and after an axis of `input` elements. SAME puts the odd one after. */
export function windowPadding(input: number, axis: WindowAxis): [before: number, after: number] {
  const { size, stride, dilation, padding, explicit = [0, 0] } = axis;
  if (padding === 'VALID') return [0, 0];
  if (padding === 'EXPLICIT') return [explicit[0], explicit[1]];
  const count = Math.ceil(input / stride);
  const total = Math.max((count - 1) * stride + (size - 1) * dilation + 1 - input, 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}
