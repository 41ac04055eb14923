"""Who may import what: the table of docs/architecture.md, held against every import of the house."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from devtools.house import ROOT

BLENDER = frozenset({"bpy", "bpy_extras", "mathutils", "gpu", "gpu_extras", "bl_ui", "blf", "imbuf", "addon_utils",
                     "aud"})
LEARNED = frozenset({"torch", "diffusers", "transformers", "accelerate", "safetensors", "huggingface_hub", "tqdm",
                     "psutil", "torchao"})
LIGHT = frozenset({"numpy", "PIL", "cv2", "onnxruntime", "numba", "av", "OpenEXR", "pillow_heif", "ncnn"})
SHARED = ("engine.__init__", "engine.protocol", "engine.errors", "engine.camera")      # __init__: the version
VERBS = ("operators", "panels", "properties", "properties_combine", "properties_generate", "properties_rig",
         "preferences", "registration")


@dataclass(frozen=True)
class Rule:
    """house: packages of ours. outside: of others, beside the standard library. inside_functions: only there."""

    house: tuple[str, ...]
    outside: frozenset[str] = frozenset()
    inside_functions: frozenset[str] = frozenset()
    relative_only: bool = True


# The longest name that fits decides. A package's own modules are always allowed.
RULES = {
    "__init__": Rule(("registration",), BLENDER),
    **{name: Rule((*VERBS, "sequencer", "rig", "session", *SHARED), BLENDER) for name in VERBS},
    "sequencer": Rule(SHARED, BLENDER | {"numpy"}),
    "rig": Rule(("sequencer.compat", *SHARED), BLENDER | {"numpy"}),
    "session": Rule(("engine.__init__", "engine.protocol", "engine.errors")),
    "engine": Rule(("engine",), LIGHT, relative_only=False),
    "engine.__init__": Rule(()),
    "engine.protocol": Rule(()),
    "engine.errors": Rule(()),
    "engine.camera": Rule(("engine.errors",), frozenset({"numpy"})),
    "engine.hub": Rule(("engine",), LIGHT, LEARNED | {"httpx2"}, relative_only=False),
    "engine.hub_files": Rule(("engine",), LIGHT, LEARNED, relative_only=False),
    "engine.depth": Rule(("engine",), LIGHT, LEARNED, relative_only=False),
    "engine.layers.diffused": Rule(("engine",), LIGHT, LEARNED, relative_only=False),
    "engine.finish": Rule(("engine",), LIGHT, LEARNED, relative_only=False),
    "engine.video": Rule(("engine",), LIGHT, LEARNED, relative_only=False),
}


@dataclass(frozen=True)
class Import:
    line: int
    target: str             # dotted; for ours counted from the root
    relative: bool
    in_function: bool


def sources() -> list[str]:
    """Every Python file that goes into the zip, as POSIX paths from the root."""
    files = [*ROOT.glob("*.py")]
    for folder in ("operators", "panels", "sequencer", "rig", "session", "engine"):
        files += (ROOT / folder).rglob("*.py")
    return sorted(path.relative_to(ROOT).as_posix() for path in files if path.name != "dev.py")


def rule_for(module: str) -> tuple[str, Rule]:
    fitting = [name for name in RULES if within(module, name)]
    assert fitting, f"{module} has no rule: add it to the table"
    name = max(fitting, key=len)
    return name, RULES[name]


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def is_ours(target: str) -> bool:
    return any(within(target, name) for name in RULES)


def imported(package: str, name: str, relative: bool) -> str:
    """`from ..engine import protocol` means engine.protocol, `from ..engine import VERSION` means engine.__init__."""
    if not package:
        return name
    if not relative and not is_ours(package):
        return package
    longer = ROOT.joinpath(*package.split("."), name)
    if longer.is_dir() or longer.with_suffix(".py").is_file():
        return f"{package}.{name}"
    return package + ".__init__" if package == "engine" else package


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def for_types(node: ast.AST) -> bool:
    """Whether this is `if TYPE_CHECKING:`, whose imports never run."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports_of(module: str, text: str) -> Iterator[Import]:
    """All imports of one module's text, those by name in import_module() included. Raises ValueError above the root."""
    package = module.split(".")[:-1]

    def visit(node: ast.AST, in_function: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(node.lineno, alias.name, False, in_function)
        elif isinstance(node, ast.ImportFrom):
            if node.level > len(package) + 1:
                raise ValueError(f"line {node.lineno} imports from above the root")
            base = package[:len(package) - node.level + 1] if node.level else []
            dotted = ".".join([*base, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                yield Import(node.lineno, imported(dotted, alias.name, node.level > 0), node.level > 0, in_function)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
            if isinstance(name, str) and name and not name.startswith("."):
                yield Import(node.lineno, name, False, in_function)
        inner = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or for_types(node)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inner)

    yield from visit(ast.parse(text), False)


def complaints(module: str, text: str) -> list[str]:
    """What this module imports against the rules, one sentence each."""
    name, rule = rule_for(module)
    found: list[str] = []
    for item in imports_of(module, text):
        top = item.target.split(".")[0]
        if item.relative or is_ours(item.target):
            if not item.relative and rule.relative_only:
                found.append(f"line {item.line}: {item.target} must be imported relatively")
            if not any(within(item.target, house) for house in (name, *rule.house)):
                found.append(f"line {item.line}: {name} may not import {item.target}")
        elif top in sys.stdlib_module_names or top in rule.outside:
            continue
        elif top in rule.inside_functions:
            if not item.in_function:
                found.append(f"line {item.line}: {top} only inside a function")
        else:
            found.append(f"line {item.line}: {name} may not import {top}")
    return found


def test_imports_follow_the_table() -> None:
    found = {path: complaints(path.removesuffix(".py").replace("/", "."), (ROOT / path).read_text(encoding="utf-8"))
             for path in sources()}
    assert found
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(("module", "text"), [
    ("session.queue", "import bpy"),
    ("session.queue", "from ..sequencer import source"),
    ("session.queue", "from engine import protocol"),
    ("session.queue", "from ..engine.camera import moves"),
    ("session.queue", "import numpy"),
    ("sequencer.source", "from ..session import runtime"),
    ("operators.camera_move", "from ..engine.media import still"),
    ("operators.camera_move", "import torch"),
    ("operators.camera_move", "import importlib\nimportlib.import_module('torch')"),
    ("panels.main", "def draw():\n    import torch"),
    ("engine.jobs", "import bpy"),
    ("engine.jobs", "from ..session import queue"),
    ("engine.jobs", "def f():\n    import torch"),
    ("engine.depth.learned", "import torch"),
    ("engine.camera.moves", "from engine.errors import BadRequest"),
    ("engine.camera.moves", "from ..media import still"),
    ("engine.camera.moves", "import cv2"),
    ("engine.protocol", "import numpy"),
    ("engine.errors", "from . import protocol"),
])
def test_forbidden_imports_are_seen(module: str, text: str) -> None:
    assert complaints(module, text)


@pytest.mark.parametrize(("module", "text"), [
    ("session.queue", "import json\nfrom ..engine import protocol\nfrom . import recovery"),
    ("registration", "import bpy\nfrom . import properties\nfrom .session import runtime\nfrom .engine import VERSION"),
    ("operators.camera_move", "from ..engine.camera import MOVES\nfrom ..sequencer import source"),
    ("engine.depth.learned", "def f():\n    import torch\n    from engine.media.still import Still"),
    ("engine.depth.catalog", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import huggingface_hub"),
    ("engine.camera.moves", "import numpy as np\nfrom ..errors import BadRequest\nfrom .easing import EASINGS"),
])
def test_allowed_imports_are_not_complained_of(module: str, text: str) -> None:
    assert complaints(module, text) == []
