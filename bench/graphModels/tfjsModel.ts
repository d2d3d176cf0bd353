/** A graph model in tfjs on its WebGPU backend. All outputs are read. */
import { readFileSync } from 'node:fs';
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

export async function tfjsModel(name: string): Promise<ModelTimes> {
  await openBackend();
  return measureModel(async () => {
    const path = modelPath(name);
    const file = JSON.parse(readFileSync(path, 'utf8')) as ModelFile;
    const shards = file.weightsManifest
      .flatMap(({ paths }) => paths)
      .map((shard) => readFileSync(join(dirname(path), shard)));
    const bytes = new Uint8Array(Buffer.concat(shards));
    const model = await tf.loadGraphModel({
      load: () =>
        Promise.resolve({
          ...file,
          weightSpecs: file.weightsManifest.flatMap(({ weights }) => weights),
          weightData: bytes.buffer,
        } as tf.io.ModelArtifacts),
    });
    const [input] = model.inputs;
    if (input === undefined) throw new Error(`${name} has no input`);
    const shape = imageShape(input.shape ?? []);
    const size = shape.reduce((product, dim) => product * dim, 1);
    const data = pixels(size, input.dtype !== 'float32');
    const outputs = (file.signature ?? file.userDefinedMetadata?.signature)?.outputs ?? {};
    const names = Object.values(outputs).map((output) => output.name);
    const typed = input.dtype === 'float32' ? Float32Array.from(data) : Int32Array.from(data);
    return async () => {
      const image = tf.tensor(typed, shape, input.dtype);
      const results = [await model.executeAsync({ [input.name]: image }, names)].flat();
      for (const result of results) await result.data();
      tf.dispose([image, ...results]);
    };
  });
}
