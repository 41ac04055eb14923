"""Files of pretrained networks that the installer put beside the engine.

They come out of pinned packages, never from a model hub, and lie in `<environment>/share/diorama`. A file is trusted
only if it has the exact size and SHA-256 that engine/requirements/weights.toml names.
"""

from __future__ import annotations

import functools
import hashlib
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from engine.errors import WeightsMissing


@dataclass(frozen=True)
class PinnedFile:
    """One network's file. carrier: the requirement file that brings it. size in bytes, SHA-256 in hexadecimal."""

    carrier: str
    file: str
    size: int
    sha256: str


@functools.cache
def pinned_files() -> dict[str, PinnedFile]:
    """Every file by its name here."""
    entries = tomllib.loads((Path(__file__).parent / "requirements" / "weights.toml").read_text(encoding="utf-8"))
    keys = ("carrier", "file", "size", "sha256")
    return {name: PinnedFile(*(entry[key] for key in keys)) for name, entry in entries.items()}


def weights_folder() -> Path:
    """Where the installer puts the files."""
    return Path(sys.prefix) / "share" / "diorama"


@functools.cache
def installed_weights(name: str) -> Path:
    """Path of a network's file, verified once per process. name: of weights.toml. Raises WeightsMissing."""
    pinned = pinned_files()[name]
    path = weights_folder() / pinned.file
    remedy = "Press Repair in Diorama's preferences, or install the engine again."
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsMissing(f"The network file {pinned.file} is not installed ({error.strerror}).", remedy) from error
    if len(content) != pinned.size or hashlib.sha256(content).hexdigest() != pinned.sha256:
        raise WeightsMissing(f"The network file {pinned.file} is damaged or not the expected version.", remedy)
    return path
