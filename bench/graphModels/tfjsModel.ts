/** A graph model in tfjs on its WebGPU backend. All outputs are read. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import tf from '@tensorflow/tfjs';
import { openBackend } from '../tfjs/measure.js';
import { measureModel, type ModelTimes } from './measureModel.js';
import { imageShape, modelPath, pixels } from './models.js';

interface ModelFile {
  readonly modelTopology: object;
  readonly weightsManifest: { readonly paths: string[]; readonly weights: tf.io.WeightsManifestEntry[] }[];
  readonly signature?: Signature;
  readonly userDefinedMetadata?: { readonly signature?: Signature };
}

interface Signature {
  readonly outputs: Readonly<Record<string, { readonly name: string }>>;
}

/** Reads the files as the file system handler of tfjs does, without blocking. */
async function load(name: string): Promise<{ readonly model: tf.GraphModel; readonly names: string[] }> {
  const path = modelPath(name);
  const file = JSON.parse(await readFile(path, 'utf8')) as ModelFile;
  const paths = file.weightsManifest.flatMap((group) => group.paths);
  const shards = await Promise.all(paths.map((shard) => readFile(join(dirname(path), shard))));
  const bytes = new Uint8Array(Buffer.concat(shards));
  const model = await tf.loadGraphModel({
    load: () =>
      Promise.resolve({
        ...file,
        weightSpecs: file.weightsManifest.flatMap(({ weights }) => weights),
        weightData: bytes.buffer,
      } as tf.io.ModelArtifacts),
  });
  const outputs = (file.signature ?? file.userDefinedMetadata?.signature)?.outputs ?? {};
  return { model, names: Object.values(outputs).map((output) => output.name) };
}

export async function tfjsModel(name: string): Promise<ModelTimes> {
  await openBackend();
  return measureModel(
    () => load(name),
    ({ model, names }) => {
      const [input] = model.inputs;
      if (input === undefined) throw new Error(`${name} has no input`);
      const shape = imageShape(input.shape ?? []);
      const size = shape.reduce((product, dim) => product * dim, 1);
      const data = pixels(size, input.dtype !== 'float32');
      const typed = input.dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data);
      return async () => {
        const image = tf.tensor(typed, shape, input.dtype);
        const results = [await model.executeAsync({ [input.name]: image }, names)].flat();
        for (const result of results) await result.data();
        tf.dispose([image, ...results]);
      };
    },
  );
}
