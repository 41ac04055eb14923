"""The demo's photograph: coffee.png by Rachel Michetti (CC0), out of the pinned scikit-image wheel; never imported."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from devtools.environments import ENGINE, uv, venv_python
from devtools.house import PINS, VENVS, DevError

MEMBER = "skimage/data/coffee.png"
SHA256 = "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7"


def default_photo() -> Path:
    """Its path; fetched by hash the first time. A cup on a table: a near subject, and ground that runs away."""
    photo = VENVS / "photo" / "coffee.png"
    if not (photo.exists() and _hash(photo) == SHA256):
        unpacked = VENVS / "photo" / "wheel"
        uv("pip", "install", "--python", venv_python(ENGINE), "--require-hashes", "--no-deps", "--target", unpacked,
           "-r", PINS / "photo.txt")
        if _hash(unpacked / MEMBER) != SHA256:
            raise DevError(f"{MEMBER} in the scikit-image wheel is not the expected file.")
        (unpacked / MEMBER).replace(photo)
        shutil.rmtree(unpacked)
    return photo


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
