/** One call of a layer of a layers model: its inputs, weights and configuration, and what all layers read of it. */
import * as ops from '../ops/index.js';
import type { Tensor } from '../tensor.js';

export type LayerConfig = Readonly<Record<string, unknown>>;

/** One call of a layer. */
export interface LayerCall {
  readonly x: Tensor;
  readonly inputs: readonly Tensor[];
  /** For each input, [batch, time] of bool: which steps count. */
  readonly masks: readonly (Tensor | undefined)[];
  readonly config: LayerConfig;
  /** Tensors that the call takes by a name. */
  readonly named: Readonly<Record<string, Tensor>>;
  /** Other arguments of the call. */
  readonly args: LayerConfig;
  /** Which steps of a sequence count. */
  maskOf(x: Tensor): Tensor | undefined;
  /** A weight by its name in the layer. */
  weight(name: string): Tensor;
  hasWeight(name: string): boolean;
  /** The same call of a part of the layer, which has a configuration and weights under a name of its own. */
  part(name: string, config: LayerConfig): LayerCall;
  /** The outputs of a layer that this one wraps, whose weights are named as this layer's own. */
  wrapped(layer: unknown, x: Tensor): readonly Tensor[];
  fail(rule: string): never;
}

/** What a layer gives beside a single tensor: several outputs, or one with a mask of its own. */
export interface LayerResult {
  readonly outputs: readonly Tensor[];
  readonly mask?: Tensor | undefined;
}

export type Layer = (call: LayerCall) => Tensor | LayerResult;

export function numberOf({ config, fail }: LayerCall, name: string, fallback?: number): number {
  const value = config[name] ?? fallback;
  return typeof value === 'number' ? value : fail(`${name} must be a number, got ${JSON.stringify(value)}`);
}

/** Numbers for the spatial axes; one number stands for all. */
export function perAxis({ config, fail }: LayerCall, name: string, rank: number, fallback = 1): number[] {
  const value = config[name] ?? fallback;
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  const all = list.length === 1 ? new Array<unknown>(rank).fill(list[0]) : list;
  const numbers = all.filter((item) => typeof item === 'number');
  return numbers.length === rank ? numbers : fail(`${name} must be one or ${rank} numbers`);
}

export function isChannelsFirst({ config }: LayerCall): boolean {
  return config.data_format === 'channels_first' || config.data_format === 'channelsFirst';
}

export function formatOf(call: LayerCall): 'NHWC' | 'NCHW' {
  return isChannelsFirst(call) ? 'NCHW' : 'NHWC';
}

export function paddingOf({ config, fail }: LayerCall): 'SAME' | 'VALID' {
  const padding = typeof config.padding === 'string' ? config.padding.toUpperCase() : 'VALID';
  return padding === 'SAME' || padding === 'VALID' ? padding : fail(`padding ${padding} is not known`);
}

const ACTIVATIONS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  linear: (x) => x,
  relu: (x) => ops.relu(x),
  relu6: (x) => ops.relu6(x),
  elu: (x) => ops.elu(x),
  selu: (x) => ops.selu(x),
  sigmoid: (x) => ops.sigmoid(x),
  hardSigmoid: (x) => ops.clipByValue(ops.add(ops.mul(x, 0.2), 0.5), 0, 1),
  hard_sigmoid: (x) => ops.clipByValue(ops.add(ops.mul(x, 0.2), 0.5), 0, 1),
  softmax: (x) => ops.softmax(x),
  logSoftmax: (x) => ops.logSoftmax(x),
  softplus: (x) => ops.softplus(x),
  softsign: (x) => ops.softsign(x),
  tanh: (x) => ops.tanh(x),
  swish: (x) => ops.mul(x, ops.sigmoid(x)),
  silu: (x) => ops.mul(x, ops.sigmoid(x)),
  mish: (x) => ops.mul(x, ops.tanh(ops.softplus(x))),
  gelu: (x) => ops.gelu(x),
};

/** Bias and activation after a product. */
export function finished(call: LayerCall, product: Tensor, dataFormat: 'NHWC' | 'NCHW' = 'NHWC'): Tensor {
  const { config } = call;
  const biased =
    config.use_bias === false ? product : ops.biasAdd(product, call.weight('bias'), { dataFormat });
  return activated(call, biased);
}

export function activated(call: LayerCall, x: Tensor): Tensor {
  return activationOf(call, 'activation', 'linear')(x);
}

/** The activation that a configuration names under `key`. */
export function activationOf(
  { config, fail }: LayerCall,
  key: string,
  fallback: string,
): (x: Tensor) => Tensor {
  const name = config[key] ?? fallback;
  const activation =
    typeof name === 'string' && Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  return activation ?? fail(`the activation ${JSON.stringify(name)} is not known`);
}
