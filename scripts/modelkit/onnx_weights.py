"""The weights of an ONNX file, read without the onnx package.

An ONNX file is one protobuf message. Only what carries weights is read:
ModelProto.graph (7); GraphProto.node (1) and .initializer (5);
NodeProto.input (1) and .op_type (4); TensorProto.dims (1), .data_type (2),
.name (8) and .raw_data (9). Field numbers: onnx/onnx.proto of the ONNX
project; the wire format: protobuf's encoding guide.
"""
import numpy as np

from .errors import ModelError

GRAPH, NODE, INITIALIZER = 7, 1, 5
DTYPES = {1: np.dtype("<f4"), 7: np.dtype("<i8")}


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data):
    """(number, value) of each field of a message: int, or a memoryview."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        elif kind == 2:
            size, at = _varint(data, at)
            value, at = data[at:at + size], at + size
            if len(value) != size:
                raise IndexError
        else:
            raise IndexError
        yield key >> 3, value


def _dims(value):
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = _varint(value, at)
        found.append(one)
    return found


def _tensor(data):
    name, dims, kind, raw = "", [], 0, b""
    for number, value in _fields(data):
        if number == 1:
            dims += _dims(value)
        elif number == 2:
            kind = value
        elif number == 8:
            name = bytes(value).decode()
        elif number == 9:
            raw = value
    if kind not in DTYPES:
        raise ModelError(f"initialiser '{name}' is of ONNX type {kind}; float32 and int64 are read")
    return name, np.frombuffer(raw, DTYPES[kind]).reshape(dims)


def _node(data):
    inputs, operator = [], ""
    for number, value in _fields(data):
        if number == 1:
            inputs.append(bytes(value).decode())
        elif number == 4:
            operator = bytes(value).decode()
    return operator, inputs


def read(data):
    """ONNX bytes -> ({initialiser: array}, [(operator, [inputs])] in the graph's order)."""
    weights, nodes = {}, []
    try:
        graphs = [value for number, value in _fields(memoryview(data)) if number == GRAPH]
        for number, value in _fields(graphs[0]):
            if number == NODE:
                nodes.append(_node(value))
            elif number == INITIALIZER:
                name, array = _tensor(value)
                if name in weights:
                    raise ModelError(f"initialiser '{name}' is there twice")
                weights[name] = array
    except (IndexError, ValueError, TypeError):
        raise ModelError("is no ONNX file, or a damaged one") from None
    return weights, nodes
