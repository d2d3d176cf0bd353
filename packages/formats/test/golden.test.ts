/** Files that this version wrote: later versions must read them and write them again as they are. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import {
  add,
  constant,
  Graph,
  matMul,
  placeholder,
  relu,
  toTensorValue,
  type Tensor,
  type TensorValue,
} from '@forerun/graph';
import {
  exportOnnx,
  importOnnx,
  openWeightFile,
  readNpy,
  writeNpy,
  writeNpz,
  writeSafetensors,
} from '@forerun/formats';

const GOLDEN = resolve(import.meta.dirname, 'golden/v1');

/** Values of many dtypes, a scalar and an empty one among them. */
const VALUES: readonly (readonly [string, TensorValue])[] = [
  ['kernel', toTensorValue([[1, -2.5], [3, 4], [5, 6e9]])],
  ['steps', toTensorValue(7n, 'int64')],
  ['flags', toTensorValue([true, false])],
  ['half', toTensorValue([0.5, 2], 'float16')],
  ['bytes', toTensorValue([1, 255], 'uint8')],
  ['empty', toTensorValue([], 'float32', [0, 3])],
]; // prettier-ignore

function outputs(): Record<string, Tensor> {
  return new Graph().asDefault(() => {
    const x = placeholder('float32', [null, 3], { name: 'x' });
    const w = constant([[1, 2], [3, 4], [5, 6]], { name: 'w' }); // prettier-ignore
    return { y: relu(add(matMul(x, w), [0.5, -0.5]), { name: 'relu' }) };
  });
}

const WRITERS: Readonly<Record<string, () => Uint8Array>> = {
  'model.onnx': () => exportOnnx({ outputs: outputs() }),
  'weights.safetensors': () => writeSafetensors(VALUES),
  'weights.npz': () => writeNpz(VALUES),
  'kernel.npy': () => writeNpy(VALUES[0]?.[1] ?? toTensorValue(0)),
};

function golden(name: string): Uint8Array {
  const path = resolve(GOLDEN, name);
  if (process.env.FORERUN_UPDATE_GOLDENS === '1' && !existsSync(path))
    writeFileSync(path, WRITERS[name]?.() ?? '');
  return Uint8Array.from(readFileSync(path));
}

test.each(Object.keys(WRITERS))('%s is written as it was', (name) => {
  expect(Buffer.from(WRITERS[name]?.() ?? []).toString('hex')).toBe(
    Buffer.from(golden(name)).toString('hex'),
  );
});

test.each(['weights.safetensors', 'weights.npz'])('%s is read', async (name) => {
  const file = await openWeightFile(golden(name));
  expect([...file.entries.keys()].sort()).toEqual(VALUES.map(([key]) => key).sort());
  for (const [key, value] of VALUES) expect(await file.read(key)).toEqual(value);
});

test('kernel.npy is read', async () => {
  expect(await readNpy(golden('kernel.npy'))).toEqual(VALUES[0]?.[1]);
});

test('model.onnx is read', () => {
  const graph = new Graph();
  const model = importOnnx(golden('model.onnx'), { graph });
  expect(model.inputs.x?.shape.dims).toEqual([null, 3]);
  expect(model.outputs.y?.shape.dims).toEqual([null, 2]);
  expect(graph.operations.map(({ type }) => type)).toEqual(expect.arrayContaining(['MatMul', 'Relu']));
});
