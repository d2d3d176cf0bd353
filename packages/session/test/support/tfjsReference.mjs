/**
 * Runs a graph model with TensorFlow.js' WebAssembly backend, in a process of its own:
 * `node tfjsReference.mjs MODEL.json INPUT OUT`. INPUT is the JSON `{ name, dtype, shape, data }` of the only input, with the
 * little-endian elements in base64; OUT receives the outputs of the signature in the same form, by name.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const { loadGraphModel } = require('@tensorflow/tfjs-converter');

const [modelPath, inputPath, outPath] = process.argv.slice(2);
console.warn = () => {};
wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))}/dist/`);
await tf.setBackend('wasm');
await tf.ready();

// The backend casts to bool by cutting fractions off, which makes 0.3 false. TensorFlow asks whether a number is 0.
const cast = tf.getKernel('Cast', 'wasm');
tf.unregisterKernel('Cast', 'wasm');
tf.registerKernel({
  ...cast,
  kernelFunc: (call) => {
    if (call.attrs.dtype !== 'bool') return cast.kernelFunc(call);
    const { x } = call.inputs;
    const values = Uint8Array.from(call.backend.readSync(x.dataId), (value) => (value === 0 ? 0 : 1));
    const out = call.backend.makeOutput(x.shape, 'bool');
    call.backend.typedArrayFromHeap(out).set(values);
    return out;
  },
});

const model = JSON.parse(readFileSync(modelPath, 'utf8'));
const shards = model.weightsManifest
  .flatMap(({ paths }) => paths)
  .map((shard) => readFileSync(path.join(path.dirname(modelPath), shard)));
const weights = Buffer.concat(shards);
const loaded = await loadGraphModel({
  load: () => ({
    ...model,
    weightSpecs: model.weightsManifest.flatMap(({ weights: specs }) => specs),
    weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.length),
  }),
});

const input = JSON.parse(readFileSync(inputPath, 'utf8'));
const bytes = Buffer.from(input.data, 'base64');
const elements =
  input.dtype === 'uint8'
    ? Int32Array.from(bytes)
    : new (input.dtype === 'int32' ? Int32Array : Float32Array)(
        bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
      );
const tensor = tf.tensor(elements, input.shape, input.dtype === 'float32' ? 'float32' : 'int32');
const { outputs } = model.signature ?? model.userDefinedMetadata.signature;
const names = Object.values(outputs).map(({ name }) => name);
const results = [await loaded.executeAsync({ [input.name]: tensor }, names)].flat();
const written = results.map((result, i) => {
  const data = result.dataSync();
  const view = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return [
    names[i].replace(/:0$/, ''),
    { dtype: result.dtype, shape: result.shape, data: view.toString('base64') },
  ];
});
writeFileSync(outPath, JSON.stringify(Object.fromEntries(written)));
process.exit(0);
