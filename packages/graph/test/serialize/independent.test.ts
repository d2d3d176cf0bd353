/** Another protobuf implementation, with TensorFlow's own field numbers and nothing of proto/, reads every kind of file written, and every byte of it. */
import { readTable } from '../../src/checkpoint/tableReader.js';
import {
  encodeBundle,
  exportMetaGraph,
  proto,
  toTensorValue,
  writeGraphDef,
  writeMetaGraph,
  writeSavedModel,
} from '../../src/index.js';
import { tensorflowType } from '../proto/tensorflowFields.js';
import { hex } from '../proto/rawWire.js';
import { sampleGraph, sampleSavedModel } from './sampleGraph.js';

/** Reads and writes with the other implementation. */
function throughOther(type: string, bytes: Uint8Array): { text: string; bytes: Uint8Array } {
  const Type = tensorflowType(type);
  const message = Type.decode(bytes);
  return {
    text: JSON.stringify(Type.toObject(message, { longs: String, bytes: String })),
    bytes: Type.encode(message).finish(),
  };
}

test.each([
  ['GraphDef', () => writeGraphDef(sampleGraph().graph), '"name":"dense/kernel","op":"VarHandleOp"'],
  ['SavedModel', () => writeSavedModel(sampleSavedModel()), '"method_name":"tensorflow/serving/predict"'],
  [
    'MetaGraphDef',
    () => writeMetaGraph(exportMetaGraph({ graph: sampleGraph().graph })),
    '"value":["dense/out:0"]',
  ],
] as const)('%s', (type, write, expected) => {
  const bytes = write();
  const other = throughOther(type, bytes);
  expect(other.text).toContain(expected);
  expect(hex(proto.encode(type, proto.decode(type, other.bytes)))).toBe(hex(bytes));
});

test('variables in a collection', () => {
  const { collectionDef } = exportMetaGraph({ graph: sampleGraph().graph });
  const [first] = collectionDef?.get('variables')?.bytesList?.value ?? [];
  expect(JSON.parse(throughOther('VariableDef', first ?? new Uint8Array(0)).text)).toEqual({
    variable_name: 'dense/kernel:0',
    initializer_name: 'dense/kernel/Assign',
    snapshot_name: 'dense/kernel/Read/ReadVariableOp:0',
    initial_value_name: 'Const:0',
    is_resource: true,
    trainable: true,
  });
});

test('the records of a checkpoint', () => {
  const { index } = encodeBundle([{ name: 'w', value: toTensorValue([[1, 2, 3]]) }]);
  const [header, entry] = readTable(index).map(({ value }) => value);
  expect(JSON.parse(throughOther('BundleHeaderProto', header ?? index).text)).toEqual({
    num_shards: 1,
    version: { producer: 1 },
  });
  expect(JSON.parse(throughOther('BundleEntryProto', entry ?? index).text)).toMatchObject({
    dtype: 1,
    shape: { dim: [{ size: '1' }, { size: '3' }] },
    size: '12',
  });
});
