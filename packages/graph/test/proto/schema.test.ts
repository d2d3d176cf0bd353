/** The schema that the codec reads is the one of proto/, with TensorFlow's field numbers. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { MESSAGES, ENUMS } from '../../src/proto/schema.js';
import { messageSpec } from '../../src/proto/spec.js';
import { hasProtoc, PROTO_DIR, protoFiles, ROOT } from './protoc.js';
import { TENSORFLOW_FIELDS } from './tensorflowFields.js';

test('the committed schema is what scripts/proto.mjs makes from proto/', () => {
  const script = path.join(ROOT, 'scripts/proto.mjs');
  expect(() => execFileSync(process.execPath, [script, '--check'], { stdio: 'pipe' })).not.toThrow();
});

// Numbers as TensorFlow 1.15's own files have them, typed from their documentation.
const NUMBERS: Readonly<Record<string, string>> = {
  TensorShapeProto: 'dim 2, unknown_rank 3',
  'TensorShapeProto.Dim': 'size 1, name 2',
  TensorProto:
    'dtype 1, tensor_shape 2, version_number 3, tensor_content 4, float_val 5, double_val 6, int_val 7, string_val 8, ' +
    'scomplex_val 9, int64_val 10, bool_val 11, dcomplex_val 12, half_val 13, resource_handle_val 14, variant_val 15, ' +
    'uint32_val 16, uint64_val 17, float8_val 18',
  AttrValue: 'list 1, s 2, i 3, f 4, b 5, type 6, shape 7, tensor 8, placeholder 9, func 10',
  'AttrValue.ListValue': 's 2, i 3, f 4, b 5, type 6, shape 7, tensor 8, func 9',
  NameAttrList: 'name 1, attr 2',
  NodeDef: 'name 1, op 2, input 3, device 4, attr 5, experimental_debug_info 6',
  GraphDef: 'node 1, library 2, version 3, versions 4',
  VersionDef: 'producer 1, min_consumer 2, bad_consumers 3',
  FunctionDef: 'signature 1, node_def 3, ret 4, attr 5, control_ret 6, arg_attr 7, resource_arg_unique_id 8',
  OpDef:
    'name 1, input_arg 2, output_arg 3, attr 4, summary 5, description 6, deprecation 8, is_aggregate 16, ' +
    'is_stateful 17, is_commutative 18, allows_uninitialized_input 19, control_output 20, is_distributed_communication 21',
  'OpDef.ArgDef':
    'name 1, description 2, type 3, type_attr 4, number_attr 5, type_list_attr 6, handle_data 7, is_ref 16',
  'OpDef.AttrDef':
    'name 1, type 2, default_value 3, description 4, has_minimum 5, minimum 6, allowed_values 7',
  VariableDef:
    'variable_name 1, initializer_name 2, snapshot_name 3, save_slice_info_def 4, is_resource 5, initial_value_name 6, ' +
    'trainable 7, synchronization 8, aggregation 9',
  MetaGraphDef:
    'meta_info_def 1, graph_def 2, saver_def 3, collection_def 4, signature_def 5, asset_file_def 6',
  'MetaGraphDef.MetaInfoDef':
    'meta_graph_version 1, stripped_op_list 2, any_info 3, tags 4, tensorflow_version 5, tensorflow_git_version 6, ' +
    'stripped_default_attrs 7, function_aliases 8',
  CollectionDef: 'node_list 1, bytes_list 2, int64_list 3, float_list 4, any_list 5',
  TensorInfo: 'name 1, dtype 2, tensor_shape 3, coo_sparse 4, composite_tensor 5',
  SignatureDef: 'inputs 1, outputs 2, method_name 3, defaults 4',
  SaverDef:
    'filename_tensor_name 1, save_tensor_name 2, restore_op_name 3, max_to_keep 4, sharded 5, ' +
    'keep_checkpoint_every_n_hours 6, version 7',
  SavedModel: 'saved_model_schema_version 1, meta_graphs 2',
  BundleHeaderProto: 'num_shards 1, endianness 2, version 3',
  BundleEntryProto: 'dtype 1, shape 2, shard_id 3, offset 4, size 5, crc32c 6, slices 7',
  CheckpointState:
    'model_checkpoint_path 1, all_model_checkpoint_paths 2, all_model_checkpoint_timestamps 3, last_preserved_timestamp 4',
  RunMetadata: 'step_stats 1, cost_graph 2, partition_graphs 3, function_graphs 4',
  NodeExecStats:
    'node_name 1, all_start_micros 2, op_start_rel_micros 3, op_end_rel_micros 4, all_end_rel_micros 5, memory 6, ' +
    'output 7, timeline_label 8, scheduled_micros 9, thread_id 10, referenced_tensor 11, memory_stats 12, ' +
    'all_start_nanos 13, op_start_rel_nanos 14, op_end_rel_nanos 15, all_end_rel_nanos 16, scheduled_nanos 17',
};

test.each(Object.entries(NUMBERS))('%s has its field numbers', (name, expected) => {
  const fields = messageSpec(name).fields.map((field) => `${field.name} ${field.number}`);
  expect(fields.join(', ')).toBe(expected);
});

test('reference dtypes are the value dtypes plus 100', () => {
  expect(ENUMS.DataType).toMatchObject({ DT_FLOAT: 1, DT_FLOAT_REF: 101, DT_UINT64: 23, DT_UINT64_REF: 123 });
});

test('no message declares a field number twice, and every type is known', () => {
  for (const name of Object.keys(MESSAGES)) {
    const { fields, byNumber } = messageSpec(name);
    expect(byNumber.size).toBe(fields.length);
    for (const field of fields)
      if (field.type === 'message') expect(messageSpec(field.typeName).name).toBe(field.typeName);
  }
});

/** Messages that TensorFlow writes and its tools have no copy of: control flow of version 1 in collections, queues. */
const NOT_IN_TABLE =
  /^(onnx\.|QueueRunnerDef|ValuesDef|ControlFlowContextDef|CondContextDef|WhileContextDef|VariantTensorDataProto\.|CheckpointState|MetaGraphObjects$)/;

test.each(Object.keys(MESSAGES).filter((name) => !NOT_IN_TABLE.test(name)))(
  '%s is what TensorFlow says itself',
  (name) => {
    const theirs = { ...TENSORFLOW_FIELDS[name] };
    // Kept as the bytes that it is on the wire: nothing here looks into it.
    if (name === 'TensorInfo.CompositeTensor') theirs.type_spec = [1, 'bytes', ''];
    const ours = messageSpec(name).fields.map(
      ({ name: field, number, type, typeName, repeated, map }): [string, unknown] => {
        const of = (spec: { type: string; typeName: string }): string =>
          spec.type === 'message' ? spec.typeName : spec.type;
        const what = map === undefined ? of({ type, typeName }) : `map<${of(map.key)},${of(map.value)}>`;
        return [field, [number, what, repeated && map === undefined ? 'repeated' : '']];
      },
    );
    expect(ours.map(([field]) => [field, theirs[field]])).toEqual(ours);
  },
);

if (!hasProtoc)
  test.skip('protoc reads what is written: it is not installed (Debian: protobuf-compiler)', () => undefined);

// Where the protobuf compiler is missing, the checks above and the wire reader of the other tests stand alone.
if (hasProtoc) {
  test('protoc accepts every file of proto/', () => {
    const args = [`-I${PROTO_DIR}`, '--fatal_warnings', '--descriptor_set_out=/dev/null', ...protoFiles()];
    expect(() => execFileSync('protoc', args, { stdio: 'pipe' })).not.toThrow();
  });
}
