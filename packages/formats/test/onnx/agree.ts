/** Compares imported models with ONNX Runtime, all feeds of a model in one session. */
import { Graph, toHostValue, type proto, type TensorValue } from '@forerun/graph';
import { Session } from '@forerun/session';
import { importOnnx, type ImportOnnxOptions } from '@forerun/formats';
import { attribute, modelOf, reference, type AttributeSource, type ModelParts } from './models.js';

/** A node with one output, or several. */
export function node(
  opType: string,
  input: string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, AttributeSource>> = {},
): proto.Init<proto.onnxNodeProto> {
  const output = [outputs].flat();
  const list = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return { opType, name: `${opType}_${output[0] ?? ''}`, input, output, attribute: list };
}

export type Feeds = Readonly<Record<string, TensorValue>>;

/** Compares with ONNX Runtime, within 1e-5, which gives outputs of one model for all feeds in one process. */
export async function agree(
  parts: ModelParts | Uint8Array,
  feeds: readonly Feeds[],
  options: ImportOnnxOptions = {},
): Promise<void> {
  const graph = new Graph();
  const model = parts instanceof Uint8Array ? parts : modelOf(parts);
  const { inputs, outputs } = importOnnx(model, { ...options, graph });
  const expected = reference(feeds.map((feed) => ({ model, feeds: feed })));
  await using sess = await Session.create({ graph });
  for (const [i, feed] of feeds.entries()) {
    const fed = Object.entries(feed).flatMap(([name, value]) => {
      const input = inputs[name];
      return input === undefined ? [] : [[input, value] as const];
    });
    const got = await sess.run(outputs, new Map(fed));
    const want = expected[i];
    if (want?.error !== undefined || want === undefined) throw new Error(want?.error ?? 'no result');
    for (const [name, { dims, data }] of Object.entries(want.outputs)) {
      const value = got[name];
      if (value === undefined) throw new Error(`there is no output ${name}`);
      expect([name, value.shape]).toEqual([name, dims]);
      const numbers = [...(toHostValue(value)?.data ?? [])];
      expect(numbers.length).toBe(data.length);
      const off = numbers.filter((x, k) => !(Math.abs(x - (data[k] ?? NaN)) <= 1e-5 * Math.max(1, Math.abs(data[k] ?? NaN)))); // prettier-ignore
      expect([name, off, off.length === 0 ? [] : data]).toEqual([name, [], []]);
    }
  }
}
