/** The windows that convolutions and pools of ONNX slide over sequences, images and volumes [batch, channels, …]. */
import * as fr from '@forerun/graph';
import type { Tensor } from '@forerun/graph';
import type { ImportNode } from './importNode.js';

/** Pads before and after each spatial axis. */
export type Pads = readonly (readonly [number, number])[];

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly pads: Pads;
  /** `SAME` pads as TensorFlow does. */
  readonly same: boolean;
}

/** The window of a node whose kernel has these sizes. */
export function windowOf(node: ImportNode, kernel: readonly number[]): Window {
  const rank = kernel.length;
  const ones = new Array<number>(rank).fill(1);
  const auto = node.text('auto_pad', 'NOTSET');
  const list = auto === 'VALID' ? undefined : node.ints('pads');
  const given = ones.map((_, i): [number, number] => [list?.[i] ?? 0, list?.[i + rank] ?? 0]);
  if (given.flat().some((pad) => pad < 0)) node.fail('negative pads are not supported');
  const window = {
    kernel,
    strides: node.ints('strides') ?? ones,
    dilations: node.ints('dilations') ?? ones,
    pads: given,
    same: auto === 'SAME_UPPER',
  };
  if (kernel.length < 1 || kernel.length > 3) node.fail(`windows of ${rank} dimensions are not supported`);
  return auto === 'SAME_LOWER' ? { ...window, pads: lowerPads(node, window) } : window;
}

/** As many pads as `SAME` has, the odd one before. */
function lowerPads(node: ImportNode, { kernel, strides, dilations }: Window): Pads {
  return kernel.map((_, i) => {
    const size = node.input(0).shape.dim(i + 2) ?? node.fail('SAME_LOWER needs a known size');
    const stride = strides[i] ?? 1;
    const reach = extent(kernel[i], dilations[i]);
    const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
    return [Math.ceil(total / 2), Math.floor(total / 2)];
  });
}

/** Sizes that a dilated kernel spans. */
export function extent(kernel = 1, dilation = 1): number {
  return (kernel - 1) * dilation + 1;
}

/** Pads the spatial axes; nothing where there is nothing to pad. */
export function padded(x: Tensor, pads: Pads, value: number): Tensor {
  if (pads.every(([before, after]) => before === 0 && after === 0)) return x;
  return fr.pad(x, [[0, 0], [0, 0], ...pads.map(([before, after]) => [before, after])], {
    constantValues: value,
  });
}

/** [channels] as [channels, 1, …], which broadcasts against [batch, channels, …]. */
export function perChannel(x: Tensor, rank: number): Tensor {
  return fr.reshape(x, [-1, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);
}

/** Sequences as images of height 1: one more axis before the spatial ones. */
export function raised(window: Window): Window {
  const { kernel, strides, dilations, pads } = window;
  return {
    ...window,
    kernel: [1, ...kernel],
    strides: [1, ...strides],
    dilations: [1, ...dilations],
    pads: [[0, 0], ...pads],
  };
}
