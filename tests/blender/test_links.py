"""What belongs together stays so: undo, save, reopen, duplicated scenes, strips pasted into another scene."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.coded import movie, shown
from tests.blender.stills import pump_until, span
from tests.blender.test_finish import settle


@pytest.fixture
def footage(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    """A movie strip of 12 coded frames from frame 5 on, selected."""
    path = movie(tmp_path / "footage.mp4", 1, 12)
    strip = addon.compat.strips(scene.sequence_editor).new_movie("footage", str(path), 2, 5, fit_method="ORIGINAL")
    strip.select = True
    scene.sequence_editor.active_strip = strip
    bpy.ops.ed.undo_push(message="Footage")
    return strip


def in_window(scene: Any, operator: Any, **options: Any) -> None:
    """Calls an operator of the Sequencer on a scene, as its menu does."""
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type, window.scene = "SEQUENCE_EDITOR", scene
    words = {"window": window, "area": area, "region": area.regions[-1], "scene": scene}
    if hasattr(window.workspace, "sequencer_scene"):
        window.workspace.sequencer_scene = words["sequencer_scene"] = scene
    with bpy.context.temp_override(**words):
        assert operator(**options) == {"FINISHED"}


def paste_into(addon: SimpleNamespace, scene: Any, other: Any) -> Any:
    """Copies the selected strips of a scene and pastes them into another; the pasted strip."""
    in_window(scene, bpy.ops.sequencer.copy)
    in_window(other, bpy.ops.sequencer.paste, keep_offset=True)
    (strip,) = addon.compat.strips_all(other)
    return strip


def start(scene: Any, amount: float = 3.0) -> None:
    scene.diorama_combine.finish, scene.diorama_combine.finish_amount = "grain", amount
    assert bpy.ops.diorama.finish() == {"FINISHED"}


def takes(strip: Any) -> int:
    return len(strip.diorama_shot.takes)


def test_pasted_into_another_scene_it_has_its_own_takes(
    addon: SimpleNamespace, scene: Any, footage: Any, tmp_path: Path
) -> None:
    start(scene)
    settle(addon)
    other = bpy.data.scenes.new("other")
    other.render.resolution_x, other.render.resolution_y = 320, 180
    other.sequence_editor_create()
    twin = paste_into(addon, scene, other)
    assert takes(twin) == takes(footage) == 2
    in_window(other, bpy.ops.diorama.take_step)
    assert twin.filepath == str(tmp_path / "footage.mp4") != footage.filepath
    twin.select = other.sequence_editor.active_strip.select = True
    assert twin.diorama_shot.own_id == footage.diorama_shot.own_id
    other.diorama_combine.finish = "grain"
    in_window(other, bpy.ops.diorama.finish)  # the twin is meant, though both have that id
    settle(addon)
    assert (takes(twin), takes(footage)) == (3, 2)
    assert shown(other, (5, 16), tmp_path) == [(1, 0), (1, 11)] == shown(scene, (5, 16), tmp_path)


def test_a_twin_in_the_same_scene_is_not_taken_for_it(addon: SimpleNamespace, scene: Any, footage: Any) -> None:
    start(scene)
    settle(addon)
    in_window(scene, bpy.ops.sequencer.copy)
    in_window(scene, bpy.ops.sequencer.paste, keep_offset=True)
    twin = next(s for s in addon.compat.strips_all(scene) if s != footage)
    footage.select, twin.select = False, True
    assert bpy.ops.diorama.finish() == {"FINISHED"}
    settle(addon)
    assert (takes(footage), takes(twin)) == (2, 3) and twin.diorama_shot.own_id != footage.diorama_shot.own_id


def test_moved_to_another_scene_while_the_engine_works(addon: SimpleNamespace, scene: Any, footage: Any) -> None:
    start(scene)
    other = bpy.data.scenes.new("other")
    other.sequence_editor_create()
    twin = paste_into(addon, scene, other)
    addon.compat.strips(scene.sequence_editor).remove(footage)
    settle(addon)
    assert takes(twin) == 2 and not len(addon.compat.strips_all(scene))


def test_a_copied_scene_does_not_catch_the_clip(addon: SimpleNamespace, scene: Any, footage: Any) -> None:
    start(scene)
    copy = scene.copy()
    settle(addon)
    assert takes(footage) == 2 and [takes(s) for s in addon.compat.strips_all(copy)] == [0]


def test_undone_while_the_engine_works(addon: SimpleNamespace, scene: Any, footage: Any) -> None:
    footage.transform.offset_x = 10
    bpy.ops.ed.undo_push(message="Move")
    start(scene)
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.undo()
    again = bpy.context.scene
    (strip,) = addon.compat.strips_all(again)
    assert strip.transform.offset_x == 0 and not strip.diorama_shot.own_id, "the id went with the step"
    settle(addon)
    assert takes(strip) == 2


def test_saved_and_opened_again_while_the_engine_works(
    addon: SimpleNamespace, scene: Any, footage: Any, tmp_path: Path
) -> None:
    start(scene)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "project.blend"))
    settle(addon)
    (strip,) = addon.compat.strips_all(bpy.context.scene)
    assert takes(strip) == 2 and span(addon, strip) == (5, 17)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "project.blend"))
    (strip,) = addon.compat.strips_all(bpy.context.scene)
    assert takes(strip) == 2 and strip.diorama_shot.shown == 1


def test_another_file_is_opened_while_the_engine_works(addon: SimpleNamespace, scene: Any, footage: Any) -> None:
    path = footage.filepath
    start(scene)
    (job,) = addon.runtime.queue.jobs
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    other = bpy.context.scene
    strips = addon.compat.strips(other.sequence_editor_create())
    stranger = strips.new_movie("footage", path, 2, 5, fit_method="ORIGINAL")  # same name, same file
    pump_until(addon, lambda: job.error or addon.results.note_of(job))
    assert "no longer on the timeline" in addon.results.note_of(job) and takes(stranger) == 0
    assert bpy.ops.diorama.insert_clip(job_id=job.id) == {"FINISHED"}
