"""The built zip, installed as an extension in a private Blender profile: one Blender version per process.

Run by dev.py, which says in the environment where the zip (DIORAMA_ZIP) and an installed engine (DIORAMA_ENGINE) are.
"""

from __future__ import annotations

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

# Before bpy is imported: nobody's own profile or data folder may be touched.
_PRIVATE = Path(tempfile.mkdtemp(prefix="diorama-blender-"))
os.environ["BLENDER_USER_RESOURCES"] = str(_PRIVATE / "profile")
os.environ["XDG_DATA_HOME"] = os.environ["LOCALAPPDATA"] = str(_PRIVATE / "data")

bpy = pytest.importorskip("bpy", reason="this tier runs in pip's bpy only")

PACKAGE = "bl_ext.user_default.diorama"


def pytest_configure(config: pytest.Config) -> None:
    # What Blender will remove must be found in our own modules early.
    config.addinivalue_line("filterwarnings", rf"error::DeprecationWarning:{PACKAGE.replace('.', '[.]')}.*")


def pytest_unconfigure() -> None:
    shutil.rmtree(_PRIVATE, ignore_errors=True)


def _from_environment(name: str) -> Path:
    value = os.environ.get(name)
    if not value:
        pytest.exit(f"{name} is not set: run this tier with `python3 dev.py test blender`.", returncode=2)
    return Path(value)


@pytest.fixture(scope="session")
def addon() -> SimpleNamespace:
    """The installed extension's modules, by their names."""
    import addon_utils

    addon_utils.enable("bl_pkg")
    zip_path = str(_from_environment("DIORAMA_ZIP"))
    result = bpy.ops.extensions.package_install_files(repo="user_default", filepath=zip_path, enable_on_install=True)
    assert result == {"FINISHED"} and PACKAGE in bpy.context.preferences.addons

    def module(name: str) -> Any:
        return importlib.import_module(f"{PACKAGE}.{name}")

    return SimpleNamespace(
        package=PACKAGE,
        registration=module("registration"),
        results=module("operators.results"),
        runtime=module("session.runtime"),
        compat=module("sequencer.compat"),
        source=module("sequencer.source"),
        placement=module("sequencer.placement"),
        selection=module("sequencer.selection"),
        errors=module("engine.errors"),
        queue=module("session.queue"),
        command=module("session.command"),
        preferences=module("preferences"),
        moves=module("engine.camera.moves"),
        models=module("session.models"),
        model_panels=module("panels.models"),
    )


@pytest.fixture
def scene(addon: SimpleNamespace, tmp_path: Path) -> Iterator[Any]:
    """The scene of a fresh file: a small frame, 24 fps, an empty timeline; clips go into a folder of the test's own."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    fresh = bpy.context.scene
    fresh.render.resolution_x, fresh.render.resolution_y = 320, 180
    fresh.sequence_editor_create()
    chosen = addon.preferences.preferences()
    chosen.engine_folder = str(_from_environment("DIORAMA_ENGINE"))
    chosen.clip_folder, chosen.clip_format = str(tmp_path / "clips"), "h264"
    bpy.ops.ed.undo_push(message="Fresh")
    yield fresh
    for job in list(addon.runtime.queue.jobs):
        addon.runtime.queue.cancel(job.id)
        addon.results.forget(job.id)


from tests.blender.generating import modules, peer, still  # noqa: E402, F401 (fixtures, after the private profile is set)
