"""Writes test/proto/tensorflowFields.golden.json: the numbers, types and labels of the fields of TensorFlow's messages.

They are read from the messages that TensorFlow's own tools are built with (pip install tensorboard protobuf), not from proto/, so that
tests compare with what TensorFlow says itself. The few messages that TensorBoard does not carry are listed below as their files have them.
"""

import importlib
import json
import pathlib

from google.protobuf.descriptor import FieldDescriptor

FILES = (
    "allocation_description attr_value cluster config cost_graph debug event full_type function graph graph_debug_info histogram meta_graph node_def "
    "op_def resource_handle rewriter_config rpc_options saver step_stats struct summary tensor tensor_description tensor_shape trackable_object_graph "
    "saved_object_graph types variable versions"
).split()

# Field: number, type, label.
BY_HAND = {
    "google.protobuf.Any": {"type_url": [1, "string", ""], "value": [2, "bytes", ""]},
    "SavedModel": {"saved_model_schema_version": [1, "int64", ""], "meta_graphs": [2, "MetaGraphDef", "repeated"]},
    "BundleHeaderProto": {"num_shards": [1, "int32", ""], "endianness": [2, "enum", ""], "version": [3, "VersionDef", ""]},
    "BundleEntryProto": {
        "dtype": [1, "enum", ""],
        "shape": [2, "TensorShapeProto", ""],
        "shard_id": [3, "int32", ""],
        "offset": [4, "int64", ""],
        "size": [5, "int64", ""],
        "crc32c": [6, "fixed32", ""],
        "slices": [7, "TensorSliceProto", "repeated"],
    },
    "TensorSliceProto": {"extent": [1, "TensorSliceProto.Extent", "repeated"]},
    "TensorSliceProto.Extent": {"start": [1, "int64", ""], "length": [2, "int64", ""]},
    "CheckpointState": {
        "model_checkpoint_path": [1, "string", ""],
        "all_model_checkpoint_paths": [2, "string", "repeated"],
        "all_model_checkpoint_timestamps": [3, "double", "repeated"],
        "last_preserved_timestamp": [4, "double", ""],
    },
    "SavedSliceMeta": {
        "name": [1, "string", ""],
        "shape": [2, "TensorShapeProto", ""],
        "type": [3, "enum", ""],
        "slice": [4, "TensorSliceProto", "repeated"],
    },
    "SavedTensorSliceMeta": {"tensor": [1, "SavedSliceMeta", "repeated"], "versions": [2, "VersionDef", ""]},
    "SavedSlice": {"name": [1, "string", ""], "slice": [2, "TensorSliceProto", ""], "data": [3, "TensorProto", ""]},
    "SavedTensorSlices": {"meta": [1, "SavedTensorSliceMeta", ""], "data": [2, "SavedSlice", ""]},
}

TYPES = {value: name[5:].lower() for name, value in vars(FieldDescriptor).items() if name.startswith("TYPE_")}


def plain(full_name):
    return full_name.removeprefix("tensorboard.")


def field_type(field):
    if field.message_type is None:
        return TYPES[field.type]
    if field.message_type.GetOptions().map_entry:
        key, value = (field.message_type.fields_by_name[name] for name in ("key", "value"))
        return f"map<{field_type(key)},{field_type(value)}>"
    return plain(field.message_type.full_name)


def add(message, result):
    if message.GetOptions().map_entry:
        return
    result[plain(message.full_name)] = {
        field.name: [
            field.number,
            field_type(field),
            "" if field_type(field).startswith("map<") or not field.is_repeated else "repeated",
        ]
        for field in message.fields
    }
    for nested in message.nested_types:
        add(nested, result)


result = dict(BY_HAND)
for file in FILES:
    for message in importlib.import_module(f"tensorboard.compat.proto.{file}_pb2").DESCRIPTOR.message_types_by_name.values():
        add(message, result)
lines = [f"  {json.dumps(name)}: {json.dumps(result[name], separators=(',', ':'))}" for name in sorted(result)]
target = pathlib.Path(__file__).parent.parent / "test/proto/tensorflowFields.golden.json"
target.write_text("{\n" + ",\n".join(lines) + "\n}\n")
