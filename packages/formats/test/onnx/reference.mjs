// Runs models with ONNX Runtime in a process of its own: its native arrays are not those of the test runner's realm.
// Standard input: JSON list of { model: base64, or path; feeds: { name: { type, dims, data } } }; standard output: list of outputs.
import ort from 'onnxruntime-node';

const ARRAYS = {
  float32: Float32Array,
  int64: BigInt64Array,
  int32: Int32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  int8: Int8Array,
};
let text = '';
for await (const chunk of process.stdin) text += chunk;
const results = [];
for (const { path, model, feeds } of JSON.parse(text)) {
  try {
    const session = await ort.InferenceSession.create(path ?? Buffer.from(model, 'base64'), {
      logSeverityLevel: 3,
    });
    const inputs = Object.entries(feeds).map(([name, { type, dims, data }]) => {
      const values = type === 'int64' ? data.map(BigInt) : data;
      return [name, new ort.Tensor(type, ARRAYS[type].from(values), dims)];
    });
    const outputs = await session.run(Object.fromEntries(inputs));
    const plain = Object.entries(outputs).map(([name, { dims, data, type }]) => [
      name,
      { dims, type, data: Array.from(data, Number) },
    ]);
    results.push({ outputs: Object.fromEntries(plain) });
  } catch (error) {
    results.push({ outputs: {}, error: String(error) });
  }
}
process.stdout.write(JSON.stringify(results));
