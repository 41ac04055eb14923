"""Tiny ONNX networks with the interfaces of LaMa and MI-GAN, written as protobuf by hand: no package for it is needed.

They paint one colour where they are told to and give back the rest, so a test sees what was painted.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

FLOAT, UINT8 = 1, 2
OPSET, IR_VERSION = 13, 8
Dims = tuple[int | str, ...]


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def text(field: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def node(kind: str, inputs: list[str], output: str, cast: int = 0) -> bytes:
    attribute = text(5, text(1, "to") + number(3, cast) + number(20, 2)) if cast else b""
    return text(1, b"".join(text(1, name) for name in inputs) + text(2, output) + text(4, kind) + attribute)


def value(field: int, name: str, kind: int, dims: Dims) -> bytes:
    shape = b"".join(text(1, number(1, side) if isinstance(side, int) else text(2, side)) for side in dims)
    return text(field, text(1, name) + text(2, text(1, number(1, kind) + text(2, shape))))


def constant(name: str, values: np.ndarray) -> bytes:
    dims = b"".join(number(1, side) for side in values.shape)
    return text(5, dims + number(2, FLOAT) + text(8, name) + text(9, values.astype("<f4").tobytes()))


def painter_net(path: Path, colour: tuple[float, float, float], side: int = 0, in_bytes: bool = False,
                names: tuple[str, str] = ("image", "mask"), full: float = 255.0) -> str:
    """A network that paints `colour` (0..1). side: 0 = any size. in_bytes: MI-GAN's conventions, else LaMa's.
    full: the level of white in a float answer."""
    kind = UINT8 if in_bytes else FLOAT
    height, width = (side, side) if side else ("height", "width")
    image, mask = names
    body = [constant("one", np.ones(1)), constant("white", np.full(1, 255.0)), constant("full", np.full(1, full)),
            constant("colour", np.array(colour).reshape(1, 3, 1, 1))]
    if in_bytes:
        body += [node("Cast", [image], "i8", FLOAT), node("Cast", [mask], "m8", FLOAT),
                 node("Div", ["i8", "white"], "i"), node("Div", ["m8", "white"], "known"),
                 node("Sub", ["one", "known"], "hole")]
    else:
        body += [node("Identity", [image], "i"), node("Identity", [mask], "hole"),
                 node("Sub", ["one", "hole"], "known")]
    body += [node("Mul", ["i", "known"], "kept"), node("Mul", ["hole", "colour"], "painted"),
             node("Add", ["kept", "painted"], "sum"), node("Mul", ["sum", "full"], "scaled"),
             node("Cast", ["scaled"], "output", kind)]
    graph = b"".join(body) + text(2, "painter") + value(11, image, kind, (1, 3, height, width)) + value(
        11, mask, kind, (1, 1, height, width)) + value(12, "output", kind, (1, 3, height, width))
    path.write_bytes(number(1, IR_VERSION) + text(7, graph) + text(8, text(1, "") + number(2, OPSET)))
    return str(path)
