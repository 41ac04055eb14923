"""Where things lie and which Blenders are tried."""

from __future__ import annotations

import re
import sys
import types
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
BUILD = ROOT / "build"
PINS = ROOT / "devtools" / "requirements"
ENGINE_PINS = ROOT / "engine" / "requirements"


class DevError(Exception):
    """Something that a developer can mend; the text says what and how."""


class NotHere(DevError):
    """This machine cannot do it: an interpreter or a package is not to be had. Not a fault of the code."""


@dataclass(frozen=True)
class Blender:
    """A Blender LTS and the only Python that its module runs on."""

    version: str
    python: str

    @property
    def environment(self) -> str:
        return f"blender-{self.version}"


BLENDERS = (Blender("4.2", "3.11"), Blender("4.5", "3.11"), Blender("5.2", "3.13"))
ENGINE_PYTHON = "3.11"


def version() -> str:
    """The version in the manifest; tests hold engine.VERSION to it."""
    found = re.search(r'^version = "(.+)"$', (ROOT / "blender_manifest.toml").read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        raise DevError("blender_manifest.toml names no version.")
    return found[1]


def zip_path() -> Path:
    """Where `dev.py build` puts the extension."""
    return BUILD / f"diorama-{version()}.zip"


def addon_side() -> None:
    """Makes the add-on side importable as package `diorama`, without the root's __init__.py, which is Blender's."""
    if "diorama" not in sys.modules:
        package = types.ModuleType("diorama")
        package.__path__ = [str(ROOT)]
        sys.modules["diorama"] = package
