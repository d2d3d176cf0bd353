/** Files of TensorFlow 2: checkpoints by object, and SavedModels whose graph and saver are functions. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fr from '@forerun/graph';
import {
  listObjects,
  listVariables,
  loadVariable,
  loadWeights,
  Saver,
  savedModel,
  Session,
} from '../src/index.js';

let directory: string;
beforeEach(() => {
  fr.resetDefaultGraph();
  directory = mkdtempSync(join(tmpdir(), 'forerun-objects-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const floats = (...list: number[]): fr.TensorValue =>
  new fr.TensorValue('float32', [list.length], Float32Array.from(list));
const key = (path: string): string => `${path}/.ATTRIBUTES/VARIABLE_VALUE`;
const KERNEL = key('model/layer-1/kernel');
const BIAS = key('model/layer-1/b..ias');

function fail(what: string): never {
  throw new Error(what);
}

type Node = fr.proto.Init<fr.proto.TrackableObjectGraphTrackableObject>;
const children = (list: Record<string, number>): Node => ({
  children: Object.entries(list).map(([localName, nodeId]) => ({ nodeId, localName })),
});
const stored = (fullName: string, checkpointKey: string): Node => ({
  attributes: [{ name: 'VARIABLE_VALUE', fullName, checkpointKey }],
});

/** root.model has a layer under two names, with a kernel and a bias, and the optimizer a slot of the kernel. */
const OBJECTS: readonly Node[] = [
  children({ model: 1, step: 5 }),
  children({ 'layer-1': 2, head: 2 }),
  children({ kernel: 3, 'b.ias': 4 }),
  { ...stored('dense/kernel', KERNEL), slotVariables: [] },
  stored('dense/bias', BIAS),
  stored('', key('step')),
];

/** Writes a checkpoint by object and returns its prefix. */
function writeCheckpoint(nodes = OBJECTS): string {
  const graph = fr.proto.encode('TrackableObjectGraph', { nodes: [...nodes] });
  const { index, data } = fr.encodeBundle([
    { name: fr.OBJECT_GRAPH_KEY, value: new fr.TensorValue('string', [], [graph]) },
    { name: KERNEL, value: floats(1, 2) },
    { name: BIAS, value: floats(3, 4) },
    { name: key('step'), value: new fr.TensorValue('int64', [], BigInt64Array.of(7n)) },
  ]);
  const prefix = join(directory, 'variables/variables');
  mkdirSync(join(directory, 'variables'), { recursive: true });
  writeFileSync(fr.indexPath(prefix), index);
  writeFileSync(fr.dataPath(prefix), data[0] ?? new Uint8Array(0));
  return prefix;
}

test('its tensors are listed by attributes, and read by them', async () => {
  const prefix = writeCheckpoint();
  expect(await listObjects(prefix)).toEqual([
    { path: 'model/layer-1/b..ias', fullName: 'dense/bias', key: BIAS, dtype: 'float32', shape: [2] },
    { path: 'model/layer-1/kernel', fullName: 'dense/kernel', key: KERNEL, dtype: 'float32', shape: [2] },
    { path: 'step', fullName: '', key: key('step'), dtype: 'int64', shape: [] },
  ]);
  expect((await listVariables(prefix)).map(([name]) => name)).toContain(KERNEL);
  for (const name of [
    KERNEL,
    'model/layer-1/kernel',
    'model/head/kernel',
    'dense/kernel',
    'dense/kernel:0',
  ]) {
    expect(await loadVariable(prefix, name)).toEqual(floats(1, 2));
  }
  await expect(loadVariable(prefix, 'model/layer-1')).rejects.toThrow(fr.NotFoundError);
});

test('variables are restored by their names, by attributes, and by a map', async () => {
  const prefix = writeCheckpoint();
  const kernel = new fr.Variable(fr.zeros([2]), { name: 'dense/kernel' });
  const bias = new fr.Variable(fr.zeros([2]), { name: 'offset' });
  await using sess = await Session.create();
  await expect(new Saver().restore(sess, prefix)).rejects.toThrow(/lacks 1 of 2 variables:\n {2}"offset"/);
  const report = await new Saver().restore(sess, prefix, { map: { offset: 'model/head/b..ias' } });
  expect(report).toMatchObject({ restored: ['dense/kernel', 'offset'], missing: [], unused: [key('step')] });
  expect((await sess.run([kernel, bias])).map(({ data }) => [...data])).toEqual([[1, 2], [3, 4]]); // prettier-ignore
  const loaded = await loadWeights(sess, prefix, { map: { 'dense/kernel': 'dense/bias', offset: null } });
  expect(loaded.restored).toEqual(['dense/kernel']);
  expect([...(await sess.run(kernel)).data]).toEqual([3, 4]);
});

test('a checkpoint by names has no objects; one whose objects are damaged says so', async () => {
  const w = new fr.Variable(fr.zeros([2]), { name: 'w' });
  await using sess = await Session.create();
  await sess.run(w.initializer);
  expect(await listObjects(await new Saver().save(sess, join(directory, 'model.ckpt')))).toBeNull();
  await expect(listObjects(writeCheckpoint([children({ x: 9 })]))).rejects.toThrow(
    /the checkpoint's objects: "" has a child 9, there are 1/,
  );
});

/** y = x * kernel + bias in a function that is called from the signature's, with a function that restores. */
const SAVED_MODEL = `
  saved_model_schema_version: 1
  meta_graphs {
    meta_info_def { tags: "serve" }
    graph_def {
      node { name: "kernel" op: "VarHandleOp" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 2 } } } } attr { key: "shared_name" value { s: "kernel" } } }
      node { name: "bias" op: "VarHandleOp" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: 2 } } } } attr { key: "shared_name" value { s: "bias" } } }
      node { name: "NoOp" op: "NoOp" }
      node { name: "serving_default_x" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } attr { key: "shape" value { shape { dim { size: -1 } dim { size: 2 } } } } }
      node { name: "StatefulPartitionedCall" op: "StatefulPartitionedCall" input: "serving_default_x" input: "kernel" input: "bias"
        attr { key: "Tin" value { list { type: DT_FLOAT type: DT_RESOURCE type: DT_RESOURCE } } } attr { key: "Tout" value { list { type: DT_FLOAT } } } attr { key: "f" value { func { name: "wrapper" } } } }
      node { name: "saver_filename" op: "Placeholder" attr { key: "dtype" value { type: DT_STRING } } attr { key: "shape" value { shape { } } } }
      node { name: "StatefulPartitionedCall_2" op: "StatefulPartitionedCall" input: "saver_filename" input: "kernel" input: "bias"
        attr { key: "Tin" value { list { type: DT_STRING type: DT_RESOURCE type: DT_RESOURCE } } } attr { key: "Tout" value { list { type: DT_STRING } } } attr { key: "f" value { func { name: "restore" } } } }
      library {
        function {
          signature { name: "wrapper" input_arg { name: "x" type: DT_FLOAT } input_arg { name: "k" type: DT_RESOURCE } input_arg { name: "b" type: DT_RESOURCE } output_arg { name: "y" type: DT_FLOAT } is_stateful: true }
          node_def { name: "inner" op: "StatefulPartitionedCall" input: "x" input: "k" input: "b" attr { key: "Tin" value { list { type: DT_FLOAT type: DT_RESOURCE type: DT_RESOURCE } } } attr { key: "Tout" value { list { type: DT_FLOAT } } } attr { key: "f" value { func { name: "model" } } } }
          ret { key: "y" value: "inner:output:0" }
        }
        function {
          signature { name: "model" input_arg { name: "x" type: DT_FLOAT } input_arg { name: "mul_readvariableop_resource" type: DT_RESOURCE } input_arg { name: "add_readvariableop_resource" type: DT_RESOURCE } output_arg { name: "identity" type: DT_FLOAT } is_stateful: true }
          node_def { name: "mul/ReadVariableOp" op: "ReadVariableOp" input: "mul_readvariableop_resource" attr { key: "dtype" value { type: DT_FLOAT } } }
          node_def { name: "mul" op: "Mul" input: "x" input: "mul/ReadVariableOp:value:0" attr { key: "T" value { type: DT_FLOAT } } }
          node_def { name: "add/ReadVariableOp" op: "ReadVariableOp" input: "add_readvariableop_resource" attr { key: "dtype" value { type: DT_FLOAT } } }
          node_def { name: "add" op: "AddV2" input: "mul:z:0" input: "add/ReadVariableOp:value:0" attr { key: "T" value { type: DT_FLOAT } } }
          ret { key: "identity" value: "add:z:0" }
        }
        function {
          signature { name: "restore" input_arg { name: "file_prefix" type: DT_STRING } input_arg { name: "assignvariableop_kernel" type: DT_RESOURCE } input_arg { name: "assignvariableop_1_bias" type: DT_RESOURCE } output_arg { name: "done" type: DT_STRING } is_stateful: true }
          node_def { name: "RestoreV2/tensor_names" op: "Const" attr { key: "dtype" value { type: DT_STRING } } attr { key: "value" value { tensor { dtype: DT_STRING tensor_shape { dim { size: 2 } } string_val: "${KERNEL}" string_val: "${BIAS}" } } } }
          node_def { name: "RestoreV2/shape_and_slices" op: "Const" attr { key: "dtype" value { type: DT_STRING } } attr { key: "value" value { tensor { dtype: DT_STRING tensor_shape { dim { size: 2 } } string_val: "" string_val: "" } } } }
          node_def { name: "RestoreV2" op: "RestoreV2" input: "file_prefix" input: "RestoreV2/tensor_names:output:0" input: "RestoreV2/shape_and_slices:output:0" attr { key: "dtypes" value { list { type: DT_FLOAT type: DT_FLOAT } } } }
          node_def { name: "Identity" op: "Identity" input: "RestoreV2:tensors:0" attr { key: "T" value { type: DT_FLOAT } } }
          node_def { name: "AssignVariableOp" op: "AssignVariableOp" input: "assignvariableop_kernel" input: "Identity:output:0" attr { key: "dtype" value { type: DT_FLOAT } } }
          node_def { name: "Identity_1" op: "Identity" input: "RestoreV2:tensors:1" attr { key: "T" value { type: DT_FLOAT } } }
          node_def { name: "AssignVariableOp_1" op: "AssignVariableOp" input: "assignvariableop_1_bias" input: "Identity_1:output:0" attr { key: "dtype" value { type: DT_FLOAT } } }
          node_def { name: "Identity_2" op: "Identity" input: "file_prefix" input: "^AssignVariableOp" input: "^AssignVariableOp_1" attr { key: "T" value { type: DT_STRING } } }
          ret { key: "done" value: "Identity_2:output:0" }
        }
      }
      versions { producer: 1286 min_consumer: 12 }
    }
    saver_def { filename_tensor_name: "saver_filename:0" save_tensor_name: "StatefulPartitionedCall_2:0" restore_op_name: "StatefulPartitionedCall_2" version: V2 }
    signature_def { key: "serving_default" value { inputs { key: "x" value { name: "serving_default_x:0" dtype: DT_FLOAT } } outputs { key: "output_0" value { name: "StatefulPartitionedCall:0" dtype: DT_FLOAT } } method_name: "tensorflow/serving/predict" } }
    signature_def { key: "__saved_model_init_op" value { outputs { key: "__saved_model_init_op" value { name: "NoOp" } } } }
  }
`;

test.each(['pbtxt', 'pb'])('a SavedModel of functions is loaded with its variables and served (%s)', async (form) => {
  writeCheckpoint();
  const message = fr.proto.fromText('SavedModel', SAVED_MODEL);
  const bytes = form === 'pb' ? fr.proto.encode('SavedModel', message) : new TextEncoder().encode(SAVED_MODEL);
  writeFileSync(join(directory, `saved_model.${form}`), bytes);
  await using sess = await Session.create({ graph: new fr.Graph() });
  const model = await savedModel.load(sess, ['serve'], directory);
  const { inputs, outputs } = model.signature();
  const x = new fr.TensorValue('float32', [2, 2], Float32Array.of(1, 1, 10, -1));
  const { output_0: y } = await sess.run(outputs, new Map([[inputs.x ?? fr.constant(0), x]]));
  expect([y?.shape, [...(y?.data ?? [])]]).toEqual([[2, 2], [4, 6, 13, 2]]); // prettier-ignore
  // Its variables are the graph's, with initializers that read what was loaded, and can be saved again.
  const variables = sess.graph.asDefault(() => fr.globalVariables());
  expect(variables.map(({ op }) => op.name)).toEqual(['kernel', 'bias']);
  const [kernel = fail('no kernel'), bias = fail('no bias')] = variables;
  await sess.run(sess.graph.asDefault(() => kernel.assign([9, 9])));
  await sess.run(sess.graph.asDefault(() => fr.globalVariablesInitializer()));
  expect([...(await sess.run(kernel)).data, ...(await sess.run(bias)).data]).toEqual([1, 2, 3, 4]);
  const [x0, y0] = [inputs.x ?? fail('no input'), outputs.output_0 ?? fail('no output')];
  await savedModel.simpleSave(sess, join(directory, 'again'), { x: x0 }, { y: y0 });
  await using second = await Session.create({ graph: new fr.Graph() });
  const again = (await savedModel.load(second, ['serve'], join(directory, 'again'))).signature();
  const [z] = await second.run([again.outputs.y ?? fail('no output')], { 'serving_default_x:0': x });
  expect([...z.data]).toEqual([4, 6, 13, 2]);
}); // prettier-ignore

test('a saver that assigns something else is refused', async () => {
  writeCheckpoint();
  const text = SAVED_MODEL.replace('input: "RestoreV2:tensors:0"', 'input: "RestoreV2/tensor_names:output:0"')
    .replace('input: "RestoreV2/tensor_names:output:0" attr { key: "T" value { type: DT_FLOAT } }', 'input: "RestoreV2/tensor_names:output:0" attr { key: "T" value { type: DT_STRING } }')
    .replace('input: "assignvariableop_kernel" input: "Identity:output:0" attr { key: "dtype" value { type: DT_FLOAT } }', 'input: "assignvariableop_kernel" input: "Identity:output:0" attr { key: "dtype" value { type: DT_STRING } }'); // prettier-ignore
  writeFileSync(join(directory, 'saved_model.pbtxt'), text);
  await using sess = await Session.create({ graph: new fr.Graph() });
  await expect(savedModel.load(sess, ['serve'], directory)).rejects.toThrow(
    /the saver's function "restore": "AssignVariableOp" assigns no tensor of the checkpoint/,
  );
});
