"""Each verb of the rig before each thing that it cannot work with: one sentence, and nothing is changed by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.rigs import add_photo, all_blocks, build, modules
from tests.blender.stills import add_still, photo


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    add_photo(addon, scene, tmp_path, length=4)
    (made,) = build(addon)
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(made.id)[0][1]
    return made


@pytest.fixture
def refused(addon: SimpleNamespace) -> Callable[..., str]:
    """Presses a button that must refuse; returns what it says."""

    def press(verb: str, **options: Any) -> str:
        before, jobs = all_blocks(), len(addon.runtime.queue.jobs)
        strips = [len(addon.compat.strips_all(item)) for item in bpy.data.scenes]
        with pytest.raises(RuntimeError) as caught:
            getattr(bpy.ops.diorama, verb)(**options)
        text = str(caught.value)
        assert text.count("Error: ") == 1 and text.rstrip().endswith("."), text
        assert all_blocks() == before and len(addon.runtime.queue.jobs) == jobs
        assert [len(addon.compat.strips_all(item)) for item in bpy.data.scenes] == strips
        return text

    return press


LOOKING = ("rig_fit", "bake_fast", "bake_blender")  # verbs that need the rig's camera
EVERY = (*LOOKING, "rig_move", "rig_depth", "rig_remove", "rig_length")


@pytest.mark.parametrize("verb", LOOKING)
def test_cameras_that_cannot_be_used(rig: Any, refused: Callable[..., str], verb: str) -> None:
    camera = rig.scene.camera
    for kind, word in (("ORTHO", "orthographic"), ("PANO", "panoramic")):
        camera.data.type = kind
        assert word in refused(verb)
    camera.data.type = "PERSP"
    rig.scene.camera = None
    assert "has no camera" in refused(verb)
    rig.scene.camera = rig.layers[0]
    assert "has no camera" in refused(verb)
    rig.scene.camera = camera
    rig.scene.render.resolution_x = rig.scene.render.resolution_y = 4
    rig.scene.render.resolution_percentage = 1
    assert "render size of" in refused(verb)


def test_a_view_of_no_size(scene: Any, refused: Callable[..., str], tmp_path: Path) -> None:
    scene.render.resolution_x = scene.render.resolution_y = 4
    scene.render.resolution_percentage = 1
    cube = next(item for item in scene.objects if item.type == "MESH")
    cube.select_set(True)
    assert "render size of" in refused("animate_camera_view")
    assert "render size of" in refused("project_still", filepath=str(photo(tmp_path / "photo.png")))
    scene.camera = None
    assert "has no camera" in refused("project_still", filepath=str(tmp_path / "photo.png"))


def test_a_timeline_in_another_file(
    addon: SimpleNamespace, scene: Any, rig: Any, refused: Callable[..., str], tmp_path: Path
) -> None:
    for strip in addon.compat.strips_all(scene):
        strip.select = strip.type == "IMAGE"
    scene.name = "Film"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "film.blend"), link=True) as (_, into):
        into.scenes = ["Film"]
    linked = bpy.data.scenes["Film"]
    bpy.context.window_manager.windows[0].scene = linked
    assert bpy.context.scene == linked
    for verb in ("build_rig", "camera_move", *EVERY):
        assert "linked from another file" in refused(verb), verb
    assert "linked from another file" in refused("animate_camera_view")


def test_photos_that_are_locked(
    addon: SimpleNamespace, scene: Any, refused: Callable[..., str], tmp_path: Path
) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    still.lock = True
    assert "'still' is locked." in refused("build_rig")
    still.lock = False
    scene.sequence_editor.channels[1].lock = True
    assert "The channel of 'still' is locked." in refused("build_rig")


def test_no_timeline_at_all(scene: Any, rig: Any, refused: Callable[..., str]) -> None:
    scene.sequence_editor_clear()
    assert "No rig is selected" in refused("rig_fit")
    assert "no timeline" in refused("build_rig")
    bpy.context.window_manager.windows[0].scene = rig.scene
    assert bpy.ops.diorama.rig_fit() == {"FINISHED"}  # the rig itself needs none
    assert "own strip was deleted" in refused("rig_length")


def test_files_that_are_gone(rig: Any, refused: Callable[..., str], tmp_path: Path) -> None:
    shutil.rmtree(rig.folder)
    assert "missing" in refused("bake_fast")
    assert "missing" in refused("bake_blender")
    assert "missing" in refused("rig_depth")


def test_layers_that_were_changed_or_deleted(addon: SimpleNamespace, rig: Any, refused: Callable[..., str]) -> None:
    front = rig.layers[-1]
    front.data.clear_geometry()
    assert "was moved, edited or hidden" in refused("bake_fast")
    assert bpy.ops.diorama.rig_fit() == {"FINISHED"}
    back = rig.layers[0]
    mesh = back.data
    bpy.data.objects.remove(back)
    assert "was deleted" in refused("bake_fast")
    assert "rearmost layer" in refused("rig_fit")
    assert mesh.users == 0
    for layer in rig.layers:
        bpy.data.objects.remove(layer)
    assert "was deleted" in refused("bake_fast")
    assert bpy.ops.diorama.rig_move(add=False) == {"FINISHED"}  # the camera is still there


def test_parts_that_were_deleted(rig: Any, refused: Callable[..., str]) -> None:
    bpy.data.objects.remove(rig.pivot)
    for verb in ("rig_move", "rig_length"):
        assert "pivot of" in refused(verb)
    bpy.data.objects.remove(rig.camera)
    assert "camera of" in refused("rig_move")
    assert "has no camera" in refused("bake_fast")
