"""Files of pretrained networks that the installer put beside the engine.

They come out of pinned packages (engine/requirements/weights.txt), never from a model hub, and lie in
`<environment>/share/diorama`. A file is trusted only if it has the exact size and SHA-256 named here.
"""

from __future__ import annotations

import functools
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

from engine.errors import WeightsMissing


@dataclass(frozen=True)
class PinnedFile:
    """One network's file: size in bytes, SHA-256 in hexadecimal."""

    file: str
    size: int
    sha256: str


PINNED = {
    "u2netp": PinnedFile("u2netp.onnx", 4_574_861, "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"),
}


def weights_folder() -> Path:
    """Where the installer puts the files."""
    return Path(sys.prefix) / "share" / "diorama"


@functools.cache
def installed_weights(name: str) -> Path:
    """Path of a network's file, verified once per process. name: a key of PINNED. Raises WeightsMissing."""
    pinned = PINNED[name]
    path = weights_folder() / pinned.file
    remedy = "Press Repair in Diorama's preferences, or install the engine again."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsMissing(f"The network file {pinned.file} is not installed ({error.strerror}).", remedy) from error
    if len(content) != pinned.size or hashlib.sha256(content).hexdigest() != pinned.sha256:
        raise WeightsMissing(f"The network file {pinned.file} is damaged or not the expected version.", remedy)
    return path
