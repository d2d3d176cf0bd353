/** Compares exported graphs with ONNX Runtime, and with what becomes of them when they are imported again. */
import * as fr from '@forerun/graph';
import { Session } from '@forerun/session';
import { Random } from '@forerun/testing';
import { exportOnnx, importOnnx } from '@forerun/formats';
import { reference, type ReferenceResult } from './models.js';

const random = new Random(9);

export function values(shape: readonly number[], low = -1, high = 1): fr.TensorValue {
  return new fr.TensorValue('float32', shape, Float32Array.from(random.array(shape.reduce((a, b) => a * b, 1), low, high))); // prettier-ignore
}

export type Values = Readonly<Record<string, fr.TensorValue>>;

export function compare(got: Values, { error, outputs }: ReferenceResult): void {
  expect(error).toBeUndefined();
  expect(Object.keys(outputs).sort()).toEqual(Object.keys(got).sort());
  for (const [name, { dims, data }] of Object.entries(outputs)) {
    const value = got[name];
    expect([name, value?.shape]).toEqual([name, dims]);
    const ours = value === undefined ? [] : (fr.toHostValue(value)?.data ?? []);
    data.forEach((x, i) =>
      expect(Math.abs((ours[i] ?? NaN) - x)).toBeLessThan(2e-5 * Math.max(1, Math.abs(x))),
    );
  }
}

/** Our values, ONNX Runtime's of the exported model, and ours of the model imported again. */
export async function check(
  graph: fr.Graph,
  outputs: Readonly<Record<string, fr.Tensor>>,
  feeds: Values,
  init?: fr.Operation,
): Promise<void> {
  await using sess = await Session.create({ graph });
  if (init !== undefined) await sess.run(init);
  const list = graph
    .getCollection(fr.GraphKeys.GLOBAL_VARIABLES)
    .filter((item) => item instanceof fr.Variable);
  const variables = new Map<string, fr.TensorValue>();
  for (const variable of list) variables.set(variable.op.name, await sess.run(variable));
  const got = (await sess.run(outputs, feeds)) as Values;
  const model = exportOnnx({ outputs, variables });
  expect(exportOnnx({ outputs, variables })).toEqual(model);
  const [result = { outputs: {} }] = reference([{ model, feeds }]);
  compare(got, result);
  const again = new fr.Graph();
  const imported = importOnnx(model, { graph: again });
  await using second = await Session.create({ graph: again });
  compare(await second.run(imported.outputs, feeds), result);
}
