"""Rules for every file of the house: size, words that do not belong in it, errors that are swallowed, the manifest."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from devtools.house import ROOT
from engine import VERSION

MOST_LINES = 400
LONGER: dict[str, str] = {}     # path -> why this file may be longer

# Packages are reached by name, and what is true of one machine only has no place here. In pieces, so that this file
# does not hold what it looks for.
HOSTS = (r"pypi\.(?:org|io)", "python" + "hosted", "npm" + r"js\.")
FOLDERS = ("wo" + "rk/", "opt/" + "wheels", "ro" + "ot/", "tmp/" + "w/")
FORBIDDEN = re.compile("|".join([*HOSTS, *(rf"(?<![\w.}}*])/{folder}" for folder in FOLDERS)]))
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".json", ".yml", ".yaml", ".sh", ".cfg", ".ini", ".csv", ""}
NOT_OURS = {".git", ".venvs", "build", "demo", "shared", ".ruff_cache", ".pytest_cache"}


def files() -> list[Path]:
    found: list[Path] = []
    for entry in sorted(ROOT.iterdir()):
        if entry.name not in NOT_OURS:
            found += [entry] if entry.is_file() else sorted(entry.rglob("*"))
    return [path for path in found if path.is_file() and "__pycache__" not in path.parts]


def python_files() -> list[Path]:
    return [path for path in files() if path.suffix == ".py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_is_too_long() -> None:
    lines = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES and path not in LONGER} == {}
    assert [path for path in LONGER if lines.get(path, 0) <= MOST_LINES] == [], "no longer an exception"


def test_no_registry_and_no_machine_is_named() -> None:
    found = {name(path): match[0] for path in files() if path.suffix in TEXT
             if (match := FORBIDDEN.search(path.read_text(encoding="utf-8")))}
    assert found == {}


def swallowing(tree: ast.Module) -> list[int]:
    """Lines of handlers that catch everything, or nothing named, and do nothing."""
    def catches_all(kind: ast.expr | None) -> bool:
        kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
        return any(k is None or (isinstance(k, ast.Name) and k.id in ("Exception", "BaseException")) for k in kinds)

    def does_nothing(statement: ast.stmt) -> bool:
        return isinstance(statement, ast.Pass | ast.Continue) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))

    found: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and catches_all(node.type) and all(map(does_nothing, node.body)):
            found.append(node.lineno)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            found += [node.lineno for kind in node.args if catches_all(kind)]
    return found


def test_no_error_is_swallowed() -> None:
    found = {name(path): swallowing(ast.parse(path.read_text(encoding="utf-8"))) for path in python_files()}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize("text", [
    "try:\n  f()\nexcept Exception:\n  pass",
    "try:\n  f()\nexcept:\n  ...",
    "try:\n  f()\nexcept (OSError, Exception):\n  'x'",
    "with contextlib.suppress(Exception):\n  f()",
])
def test_swallowed_errors_are_seen(text: str) -> None:
    assert swallowing(ast.parse(text))


def test_tests_assert_something() -> None:
    """Each test holds an assert or a raises, or calls a function of the tests that does."""
    trees = {name(path): ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    functions = [(path, node) for path, tree in trees.items() for node in ast.walk(tree)
                 if isinstance(node, ast.FunctionDef)]
    asserting = {"raises", "warns", "fail"}

    def asserts(node: ast.FunctionDef) -> bool:
        called = {ast.unparse(n.func).rpartition(".")[2] for n in ast.walk(node) if isinstance(n, ast.Call)}
        return any(isinstance(n, ast.Assert) for n in ast.walk(node)) or bool(called & asserting)

    while new := {node.name for _, node in functions if asserts(node)} - asserting:
        asserting |= new
    empty = [f"{path}::{node.name}" for path, node in functions if node.name.startswith("test_") and not asserts(node)]
    assert functions
    assert empty == []


def test_manifest() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    assert manifest["version"] == VERSION
    assert (manifest["id"], manifest["type"], manifest["schema_version"]) == ("diorama", "add-on", "1.0.0")
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]
    assert manifest["blender_version_min"] == "4.2.0"
    assert set(manifest["permissions"]) == {"files", "network"}
    for sentence in (manifest["tagline"], *manifest["permissions"].values()):
        assert 0 < len(sentence) <= 64
        assert sentence[-1].isalnum(), f"no punctuation at the end: {sentence}"
    assert set(manifest.get("tags", [])) <= {"Sequencer", "Animation", "Camera", "Render"}
    # Ours replace Blender's defaults, so those must be repeated.
    assert {"__pycache__/", ".*", "/*.zip", "*.blend[1-9]"} <= set(manifest["build"]["paths_exclude_pattern"])
