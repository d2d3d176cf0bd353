/** Another protobuf implementation (protobufjs, from the .proto files themselves) reads every file written. */
import path from 'node:path';
import protobuf from 'protobufjs';
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
import { PROTO_DIR, protoFiles } from '../proto/protoc.js';
import { hex } from '../proto/rawWire.js';
import { sampleGraph, sampleSavedModel } from './sampleGraph.js';

function loadRoot(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => path.resolve(PROTO_DIR, target);
  return root.loadSync(protoFiles());
}

const root = loadRoot();

/** Reads and writes with the other implementation. */
function throughOther(type: string, bytes: Uint8Array): { text: string; bytes: Uint8Array } {
  const Type = root.lookupType(`tensorflow.${type}`);
  const message = Type.decode(bytes);
  return {
    text: JSON.stringify(Type.toObject(message, { longs: String, bytes: String })),
    bytes: Type.encode(message).finish(),
  };
}

test.each([
  ['GraphDef', () => writeGraphDef(sampleGraph().graph), '"name":"dense/kernel","op":"VarHandleOp"'],
  ['SavedModel', () => writeSavedModel(sampleSavedModel()), '"methodName":"tensorflow/serving/predict"'],
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
    variableName: 'dense/kernel:0',
    initializerName: 'dense/kernel/Assign',
    snapshotName: 'dense/kernel/Read/ReadVariableOp:0',
    initialValueName: 'Const:0',
    isResource: true,
    trainable: true,
  });
});

test('the records of a checkpoint', () => {
  const { index } = encodeBundle([{ name: 'w', value: toTensorValue([[1, 2, 3]]) }]);
  const [header, entry] = readTable(index).map(({ value }) => value);
  expect(JSON.parse(throughOther('BundleHeaderProto', header ?? index).text)).toEqual({
    numShards: 1,
    version: { producer: 1 },
  });
  expect(JSON.parse(throughOther('BundleEntryProto', entry ?? index).text)).toMatchObject({
    dtype: 1,
    shape: { dim: [{ size: '1' }, { size: '3' }] },
    size: '12',
  });
});
