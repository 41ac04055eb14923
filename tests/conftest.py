"""Makes the add-on side importable as package `diorama` without running the root's __init__.py, which is Blender's."""

from __future__ import annotations

import sys
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

if "diorama" not in sys.modules:
    _package = types.ModuleType("diorama")
    _package.__path__ = [str(ROOT)]
    sys.modules["diorama"] = _package
