/**
 * Stores large float32 constants in 16 or 8 bits, for the size of the file. Ordinary ops decode them, which every reader has: a Cast,
 * and for 8 bits a product with the step and a sum with the least value.
 */
import { dtypeToNumber, type DType } from '../dtype.js';
import type { Init } from '../proto/message.js';
import type { AttrValue } from '../proto/messages.js';
import { float16Bits } from '../halfFloat.js';
import { TensorValue } from '../value.js';
import { affine } from '../tfjs/writeGraphModel.js';
import type { EditableGraph, EditableNode } from './editableGraph.js';
import type { PassResult } from './passes.js';

export interface QuantizeOptions {
  /** Default `float16`, which errs by at most 1/2048 of each weight; `uint8` by 1/510 of a constant's range. */
  readonly to?: 'float16' | 'uint8' | undefined;
  /** Constants of fewer elements stay. Default 1024. */
  readonly minElements?: number | undefined;
}

/** Replaces constants by stored forms and what decodes them; the last node of that has the constant's name. */
export function quantizeWeights(
  graph: EditableGraph,
  { to = 'float16', minElements = 1024 }: QuantizeOptions,
): PassResult {
  let [count, before, after] = [0, 0, 0];
  for (const node of [...graph.nodes.values()]) {
    if (node.op !== 'Const' || node.attr.get('dtype')?.type !== 1) continue;
    const value = graph.constant(node.name);
    if (value === null || value.data.length < minElements) continue;
    const data = value.data as Float32Array;
    if (!(to === 'float16' ? toHalf(graph, node, value, data) : toBytes(graph, node, value, data))) continue;
    count++;
    before += data.length * 4;
    after += data.length * (to === 'float16' ? 2 : 1);
  }
  return count === 0 ? [] : [`stored ${count} constants as ${to}: ${before} bytes became ${after}`];
}

function toHalf(
  graph: EditableGraph,
  node: EditableNode,
  { shape }: TensorValue,
  data: Float32Array,
): boolean {
  if (data.some((x) => Math.abs(x) > 65504)) return false;
  const stored = graph.freeName(`${node.name}/float16`);
  graph.addConstant(
    stored,
    new TensorValue('float16', shape, Uint16Array.from(data, float16Bits)),
    node.device,
  );
  graph.set(cast(node.name, stored, 'float16', node.device));
  return true;
}

function toBytes(
  graph: EditableGraph,
  node: EditableNode,
  { shape }: TensorValue,
  data: Float32Array,
): boolean {
  let [least, most] = [Infinity, -Infinity];
  for (const x of data) {
    if (!Number.isFinite(x)) return false;
    least = Math.min(least, x);
    most = Math.max(most, x);
  }
  const { scale, min } = affine(least, most, 255);
  const bytes = Uint8Array.from(data, (x) => Math.min(255, Math.max(0, Math.round((x - min) / scale))));
  const name = (part: string): string => graph.freeName(`${node.name}/${part}`);
  const [stored, decoded, step, product, first] = ['uint8', 'cast', 'scale', 'scaled', 'min'].map(name);
  if (
    stored === undefined ||
    decoded === undefined ||
    step === undefined ||
    product === undefined ||
    first === undefined
  )
    return false;
  const { device } = node;
  graph.addConstant(stored, new TensorValue('uint8', shape, bytes), device);
  graph.addConstant(step, new TensorValue('float32', [], Float32Array.of(scale)), device);
  graph.addConstant(first, new TensorValue('float32', [], Float32Array.of(min)), device);
  graph.set(cast(decoded, stored, 'uint8', device));
  graph.set(binary(product, 'Mul', [decoded, step], device));
  graph.set(binary(node.name, 'Add', [product, first], device));
  return true;
}

function cast(name: string, input: string, from: DType, device: string | undefined): EditableNode {
  const attr = new Map<string, Init<AttrValue>>([
    ['SrcT', { type: dtypeToNumber(from) }],
    ['DstT', { type: dtypeToNumber('float32') }],
  ]);
  return { name, op: 'Cast', input: [input], device, attr };
}

function binary(
  name: string,
  op: string,
  input: readonly string[],
  device: string | undefined,
): EditableNode {
  return { name, op, input, device, attr: new Map([['T', { type: dtypeToNumber('float32') }]]) };
}
