"""Looks at the engine itself: is everything there, and does it work? One check a line, each with its remedy."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable
from fractions import Fraction
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from . import VERSION
from .errors import DioramaError, EngineFailure

PINS = Path(__file__).parent / "requirements"
REPAIR = "Repair the engine from Diorama's preferences."


def examine() -> dict[str, Any]:
    """{"ok", "engine_version", "python", "machine", "checks": [{"name", "ok", "found", "remedy"}]}, plain JSON."""
    checks = [_check(name, look) for name, look in LOOKS.items()]
    return {
        "ok": all(check["ok"] for check in checks),
        "engine_version": VERSION,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "checks": checks,
    }


def _check(name: str, look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"name": name, "ok": True, "found": look(), "remedy": ""}
    except DioramaError as error:
        return {"name": name, "ok": False, "found": error.message, "remedy": error.remedy}
    except (ImportError, OSError) as error:
        return {"name": name, "ok": False, "found": str(error), "remedy": REPAIR}


def _python() -> str:
    return f"{platform.python_version()} in {sys.prefix}"


def _packages() -> str:
    """Every pinned package is there in exactly the pinned version."""
    wrong = []
    names = ("full.txt", "torch.txt") if find_spec("torch") else ("light.txt",)
    text = "".join((PINS / name).read_text(encoding="utf-8") for name in names)
    # A pin with a condition is for some machines or Pythons only; of torch the build is not pinned.
    pins = re.findall(r"^([\w.-]+)==(\S+)(?: \\)?$", text, re.MULTILINE)
    for name, version in pins:
        try:
            found = metadata.version(name).split("+")[0]
        except metadata.PackageNotFoundError:
            found = "missing"
        if found != version:
            wrong.append(f"{name} {found} instead of {version}")
    if wrong:
        raise EngineFailure(f"{', '.join(wrong)}.", REPAIR)
    return f"{len(pins)} packages as pinned"


def _weights() -> str:
    from .weights import installed_weights, pinned_files

    full = find_spec("torch") is not None
    names = [name for name, file in pinned_files().items() if full or file.carrier == "weights.txt"]
    return f"{len([installed_weights(name) for name in names])} files of networks"


def _clip() -> str:
    """A clip can be rendered and encoded: four frames of a small picture, through the real layers and rasteriser."""
    import numpy as np

    from .camera import Intrinsics, View
    from .layers import build_layered_still
    from .media.clip import ClipWriter
    from .render import Rasteriser

    ramp = np.linspace(0.25, 1, 64, dtype=np.float32)[:, None].repeat(96, axis=1)
    picture = (ramp * 255).astype(np.uint8)[..., None].repeat(3, axis=2)
    intrinsics = Intrinsics.from_size(96, 64)
    frame = Rasteriser(build_layered_still(picture, ramp, intrinsics)).frame(View(np.eye(4), intrinsics, 96, 64))
    with tempfile.TemporaryDirectory() as folder:
        with ClipWriter(str(Path(folder) / "check.mp4"), "h264", 96, 64, Fraction(24)) as writer:
            for _ in range(4):
                writer.write(frame)
            files = writer.commit()
        return f"four frames, {Path(files[0]).stat().st_size} bytes"


LOOKS: dict[str, Callable[[], str]] = {"python": _python, "packages": _packages, "weights": _weights, "clip": _clip}
