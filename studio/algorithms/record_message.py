"""The protobuf message `aialgs.data.Record` of SageMaker's algorithms, by its description."""

from functools import cache
from typing import Any

FLOAT32, FLOAT64, INT32, BYTES = 2, 3, 7, 9
"""The fields of a Value: which kind of tensor it holds."""


@cache
def record_class() -> Any:
    """The protobuf message class `aialgs.data.Record`, built from its description."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="studio_record.proto", package="aialgs.data")
    file.syntax = "proto2"
    for name, kind in (("Float32Tensor", 2), ("Float64Tensor", 1), ("Int32Tensor", 5)):
        tensor = file.message_type.add(name=name)
        for number, (field, field_type) in enumerate(
            (("values", kind), ("keys", 4), ("shape", 4)), start=1
        ):
            added = tensor.field.add(name=field, number=number, type=_type(field_type), label=3)
            added.options.packed = True
    binary = file.message_type.add(name="Bytes")
    binary.field.add(name="value", number=1, type=_type(12), label=3)
    binary.field.add(name="content_type", number=2, type=_type(9), label=1)
    _add_value(file)
    _add_record(file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("aialgs.data.Record"))


def _type(number: int) -> Any:
    """A member of FieldDescriptorProto.Type: 1 double, 2 float, 4 uint64, 5 int32, 9 string,
    11 message, 12 bytes."""
    return number


def _add_value(file: Any) -> None:
    value = file.message_type.add(name="Value")
    value.oneof_decl.add(name="value")
    for name, number, kind in (
        ("float32_tensor", FLOAT32, "Float32Tensor"),
        ("float64_tensor", FLOAT64, "Float64Tensor"),
        ("int32_tensor", INT32, "Int32Tensor"),
        ("bytes", BYTES, "Bytes"),
    ):
        value.field.add(
            name=name, number=number, type=_type(11), label=1, oneof_index=0,
            type_name=f".aialgs.data.{kind}",
        )  # fmt: skip


def _add_record(file: Any) -> None:
    record = file.message_type.add(name="Record")
    for number, (name, entry_name) in enumerate(
        (("features", "FeaturesEntry"), ("label", "LabelEntry")), start=1
    ):
        entry = record.nested_type.add(name=entry_name)
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, type=_type(9), label=1)
        entry.field.add(
            name="value", number=2, type=_type(11), label=1, type_name=".aialgs.data.Value"
        )
        record.field.add(
            name=name, number=number, type=_type(11), label=3,
            type_name=f".aialgs.data.Record.{entry_name}",
        )  # fmt: skip
    for number, name in enumerate(("uid", "metadata", "configuration"), start=3):
        record.field.add(name=name, number=number, type=_type(9), label=1)
