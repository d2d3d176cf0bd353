/** A graph model in Forerun. All outputs are read. */
import * as fr from 'forerun';
import { measureModel, type ModelTimes } from './measureModel.js';
import { imageShape, modelPath, pixels } from './models.js';

export async function forerunModel(name: string): Promise<ModelTimes> {
  const graph = new fr.Graph();
  // The device is there before, as on the other side.
  const sess = await fr.Session.create({ graph });
  return measureModel(
    () => fr.io.loadGraphModel(modelPath(name), { graph }),
    (model) => {
      const [input] = Object.values(model.inputs);
      if (input === undefined) throw new Error(`${name} has no input`);
      const shape = imageShape(input.shape.dims ?? []);
      const whole = input.dtype !== 'float32';
      const size = shape.reduce((product, dim) => product * dim, 1);
      const data = pixels(size, whole);
      const typed =
        input.dtype === 'uint8'
          ? Uint8Array.from(data)
          : whole
            ? Int32Array.from(data)
            : Float32Array.from(data);
      const feeds = new Map([[input, new fr.TensorValue(input.dtype, shape, typed)]]);
      const outputs = Object.values(model.outputs);
      return () => sess.run(outputs, feeds);
    },
  );
}
