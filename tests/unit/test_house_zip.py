"""The built zip holds what Blender and the engine need, and nothing else."""

from __future__ import annotations

import os
import tomllib
import zipfile
from pathlib import Path

import pytest

from devtools.house import ROOT

FOLDERS = ("operators", "panels", "sequencer", "rig", "session", "engine")
MODULES = ("__init__.py", "registration.py", "preferences.py", "properties.py", "properties_combine.py",
           "properties_generate.py", "properties_rig.py")


@pytest.fixture(scope="module")
def package() -> Path:
    if "DIORAMA_ZIP" not in os.environ:
        pytest.skip("DIORAMA_ZIP names the built zip; `dev.py test unit` builds it and sets it")
    return Path(os.environ["DIORAMA_ZIP"])


def expected() -> set[str]:
    found = {"blender_manifest.toml", *MODULES} | {name for name in ("LICENSE",) if (ROOT / name).exists()}
    for folder in FOLDERS:
        found |= {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py")}
    found |= {"engine/depth/catalog.toml", "engine/video/catalog.toml"}
    return found | {path.relative_to(ROOT).as_posix() for path in (ROOT / "engine" / "requirements").iterdir()}


def names(package: Path) -> list[str]:
    with zipfile.ZipFile(package) as archive:
        return [name for name in archive.namelist() if not name.endswith("/")]


def test_listing(package: Path) -> None:
    listed = names(package)
    assert len(listed) == len(set(listed))
    assert sorted(expected() - set(listed)) == [], "missing"
    assert sorted(set(listed) - expected()) == [], "does not belong there"


def test_it_is_the_source(package: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        changed = [name for name in names(package) if archive.read(name) != (ROOT / name).read_bytes()]
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    assert changed == []
    assert package.name == f"diorama-{manifest['version']}.zip"


def test_it_is_small(package: Path) -> None:
    assert package.stat().st_size < 2_000_000
