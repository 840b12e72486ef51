"""ONNX models as bytes: one that adds numbers, without the package that makes such files."""


def added(*inputs: str, type_: int = 1) -> bytes:
    """A model whose output `sum` is that of its inputs, float unless `type_` is another of ONNX's.
    One input is doubled. With two inputs there is an output `first` as well."""
    pair = inputs if len(inputs) > 1 else inputs * 2
    nodes = [_node("Add", pair, "sum")]
    outputs = ["sum"]
    if len(inputs) > 1:
        nodes.append(_node("Identity", inputs[:1], "first"))
        outputs.append("first")
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, b"g")
    graph += b"".join(_field(11, _value(name, type_)) for name in inputs)
    graph += b"".join(_field(12, _value(name, type_)) for name in outputs)
    return _number(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _number(2, 13))


def _node(kind: str, inputs: tuple[str, ...], output: str) -> bytes:
    given = b"".join(_field(1, name.encode()) for name in inputs)
    return given + _field(2, output.encode()) + _field(4, kind.encode())


def _value(name: str, type_: int) -> bytes:
    dimensions = _field(1, _field(2, b"rows")) + _field(1, _field(2, b"columns"))
    tensor = _number(1, type_) + _field(2, dimensions)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
