"""Learned depth as a person meets it: the choice, what is missing, and a camera move with a network of their own."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.drawn import Drawn
from tests.blender.stills import add_still, photo, pump_until

ROOT = Path(__file__).resolve().parents[2]
FULL = os.environ.get("DIORAMA_ENGINE_FULL", "")
needs_full = pytest.mark.skipif(not FULL, reason="no full engine here: `python3 dev.py test full` makes one")
# The same tiny network as in the engine's own tests, which the full engine's environment can import.
TINY = (
    "import sys, torch; from tests.engine.test_depth_learned import depth_anything; torch.manual_seed(0);"
    "model, processor = depth_anything(); model.eval().save_pretrained(sys.argv[1]);"
    "processor.save_pretrained(sys.argv[1])"
)


@pytest.fixture
def settings(scene: Any) -> Any:
    scene.diorama.depth_source = "model"
    return scene.diorama


@pytest.fixture
def online() -> Any:
    bpy.context.preferences.system.use_online_access = True
    yield
    bpy.context.preferences.system.use_online_access = False


def panel(addon: SimpleNamespace, settings: Any) -> str:
    """What the panel says about the chosen model."""
    layout = Drawn()
    context = SimpleNamespace(region=None, area=None, preferences=bpy.context.preferences)
    addon.model_panels.draw_model_choice(layout, context, settings)
    return " ".join(layout.said)


def use(addon: SimpleNamespace, folder: str) -> None:
    addon.preferences.preferences().engine_folder = folder
    addon.runtime.installer.refresh()


def test_the_choice_has_fixed_numbers(addon: SimpleNamespace, settings: Any) -> None:
    sources = settings.bl_rna.properties["depth_source"].enum_items
    assert {item.identifier: item.value for item in sources} == {"draft": 0, "model": 2, "picture": 1}
    items = settings.bl_rna.properties["depth_model"].enum_items
    assert {item.identifier for item in items} == {*addon.models.catalog(), "folder"}
    assert len({item.value for item in items}) == len(items) and items["depth-anything-v2-small"].value == 0
    assert settings.depth_settings().model == settings.depth_model == "depth-anything-v2-small"
    settings.depth_model, settings.depth_folder = "folder", "/models/mine"
    assert settings.depth_settings().model == str(Path("/models/mine"))
    settings.depth_source = "draft"
    assert settings.depth_settings().model == "draft"


def test_a_light_engine_offers_the_full_one_and_the_draft(addon: SimpleNamespace, settings: Any, online: Any) -> None:
    said = panel(addon, settings)
    assert "Learned depth needs the full engine" in said and "several GB" in said
    assert "diorama.engine_install" in said and "Draft depth works" in said
    assert not addon.runtime.models_unknown()


def test_offline_nothing_can_be_pressed(addon: SimpleNamespace, settings: Any) -> None:
    bpy.context.preferences.system.use_online_access = False
    said = panel(addon, settings)
    assert "not allowed to go online" in said and "screen.userpref_show" in said
    assert "diorama.engine_install" not in said and "diorama.model_download" not in said
    with pytest.raises(RuntimeError, match="not allowed to go online"):
        bpy.ops.diorama.model_download(model="glpn")
    assert not addon.runtime.models.busy


def test_a_licence_must_be_accepted(addon: SimpleNamespace, settings: Any, online: Any) -> None:
    with pytest.raises(RuntimeError, match="licence was not accepted"):
        bpy.ops.diorama.model_download(model="depth-pro")
    assert not addon.runtime.models.busy


@needs_full
def test_facts_stand_before_the_button(addon: SimpleNamespace, settings: Any, online: Any, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    use(addon, FULL)
    addon.runtime.models.reset()
    pump_until(addon, lambda: addon.runtime.models.downloaded is not None or addon.runtime.models.error)
    assert addon.runtime.models.error is None and addon.runtime.models.downloaded == frozenset()
    assert addon.runtime.models.devices[-1] == "CPU"
    said = panel(addon, settings)
    assert said.index("99 MB") < said.index("Apache-2.0") < said.index("diorama.model_download")
    bpy.context.preferences.system.use_online_access = False
    said = panel(addon, settings)
    assert "cannot be downloaded" in said and "diorama.model_download" not in said and "Draft depth" in said
    addon.runtime.models.downloaded = frozenset({"depth-anything-v2-small"})
    said = panel(addon, settings)
    assert "Downloaded." in said and "Runs on: " in said
    addon.runtime.models.reset()


@needs_full
def test_a_model_that_is_not_there_fails_with_an_offer(addon: SimpleNamespace, scene: Any, settings: Any,
                                                       tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    use(addon, FULL)
    addon.runtime.queue.stop_engine()
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    bpy.ops.diorama.camera_move()
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended)
    addon.runtime.queue.stop_engine()
    assert job.error.kind == "weights_missing" and "not downloaded (99 MB, licence: Apache-2.0)" in job.error.message
    assert "Draft depth" in job.error.remedy


@needs_full
def test_a_camera_move_with_a_network_of_ones_own(addon: SimpleNamespace, scene: Any, settings: Any,
                                                  tmp_path: Path) -> None:
    """Random weights of the real class, chosen by its folder: the whole way through the full engine."""
    folder = tmp_path / "my network"
    python = addon.command.venv_python(Path(FULL))
    subprocess.run([python, "-c", TINY, str(folder)], cwd=ROOT, check=True, env=addon.command.clean_environment())
    use(addon, FULL)
    addon.runtime.queue.stop_engine()
    settings.depth_model, settings.depth_folder = "folder", str(folder)
    assert panel(addon, settings) == "depth_model depth_folder"
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=4)
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: not addon.runtime.queue.jobs or job.error, 120)
    addon.runtime.queue.stop_engine()
    assert job.error is None
    (clip,) = [strip for strip in addon.compat.strips_all(scene) if strip.diorama.is_clip]
    assert json.loads(clip.diorama.request)["depth"]["model"] == str(folder)
    assert job.result["depth_label"] == "my network" and clip.diorama.warnings == "\n".join(job.result["warnings"])
