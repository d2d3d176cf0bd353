/** An ONNX model in ONNX Runtime's WebGPU provider. All outputs are read; ops that it lacks run on the CPU, as it does by default. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { measureModel } from '../graphModels/measureModel.js';
import { elements, inputShape, KEPT, type OnnxTimes, type Shapes } from './inputs.js';

const OPTIONS = { executionProviders: ['webgpu'], logSeverityLevel: 3 } as const;

function feedsOf(session: InferenceSession, shapes: Shapes): Record<string, Tensor> {
  return Object.fromEntries(
    session.inputMetadata.map((input) => {
      if (!input.isTensor) throw new Error(`input "${input.name}" is no tensor`);
      const shape = inputShape(input.name, input.shape, shapes);
      const size = shape.reduce((product, dim) => product * dim, 1);
      return [input.name, new Tensor(input.type, elements(input.type, size) as Float32Array, shape)];
    }),
  );
}

export async function onnxRuntime(path: string, shapes: Shapes): Promise<OnnxTimes> {
  let results: Readonly<Record<string, Tensor>> = {};
  const times = await measureModel(
    () => InferenceSession.create(path, OPTIONS),
    (session) => {
      const feeds = feedsOf(session, shapes);
      return async () => {
        results = await session.run(feeds);
      };
    },
  );
  const kept = Object.entries(results).map(([name, { data }]) => [
    name,
    Array.from((data as Float32Array).slice(0, KEPT), Number),
  ]);
  return { times, outputs: Object.fromEntries(kept) as OnnxTimes['outputs'] };
}
