/** An ONNX model in Forerun. All outputs are read. */
import * as fr from 'forerun';
import { measureModel } from '../graphModels/measureModel.js';
import { elements, inputShape, KEPT, type OnnxTimes, type Shapes } from './inputs.js';

function feedsOf(model: fr.io.ImportedOnnx, shapes: Shapes): Map<fr.Tensor, fr.TensorValue> {
  return new Map(
    Object.entries(model.inputs).map(([name, input]) => {
      const shape = inputShape(name, input.shape.dims ?? [], shapes);
      const size = shape.reduce((product, dim) => product * dim, 1);
      return [input, new fr.TensorValue(input.dtype, shape, elements(input.dtype, size))];
    }),
  );
}

export async function forerunOnnx(path: string, shapes: Shapes): Promise<OnnxTimes> {
  const graph = new fr.Graph();
  // The device is there before, as on the other side.
  const sess = await fr.Session.create({ graph });
  let [results, dispatches]: [Readonly<Record<string, fr.TensorValue>>, number] = [{}, 0];
  const times = await measureModel(
    () => fr.io.loadOnnx(path, { graph }),
    (model) => {
      const feeds = feedsOf(model, shapes);
      return async () => {
        const runMetadata = new fr.RunMetadata();
        results = await sess.run(model.outputs, feeds, { runMetadata });
        ({ dispatches } = runMetadata);
      };
    },
  );
  const kept = Object.entries(results).map(([name, { data }]) => [
    name,
    Array.from(data.slice(0, KEPT), Number),
  ]);
  return { times, dispatches, outputs: Object.fromEntries(kept) as OnnxTimes['outputs'] };
}
