"""Where a finished clip goes, without an engine: a sequence of pictures stands in for its clip."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from PIL import Image

from tests.blender.stills import add_still, fake_result, photo, psnr, render, span


class Clip:
    """A still on the timeline and a clip of it that is the same picture, as if an engine had made it."""

    def __init__(
        self, addon: SimpleNamespace, scene: Any, folder: Path, size: tuple[int, int] = (320, 180), holder: Any = None
    ) -> None:
        self.addon, self.scene = addon, scene
        self.path = photo(folder / "photo.png", *size)
        self.still = add_still(addon, holder or scene.sequence_editor, self.path, channel=2, start=11)
        self.tag = {
            "scene": scene.name,
            "strip": self.still.name,
            "source_id": addon.placement.mark_source(scene, self.still),
            "picture": str(self.path),
            "move_label": "Push In",
        }
        clip, (width, height) = folder / "clip_001", size
        clip.mkdir()
        files = [photo(clip / f"frame_{n + 1:04}.png", *size) for n in range(12)]
        rect = ((320 - width) // 2, (180 - height) // 2, width, height)
        self.result = fake_result(addon, clip, files, size, rect, (320, 180), 12)

    def insert(self, same_file: bool = True) -> Any:
        found = self.addon.placement.find_source(self.tag, same_file)
        return found and self.addon.placement.insert_above(*found, "job", self.tag, self.result)


@pytest.fixture
def clip(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Clip:
    return Clip(addon, scene, tmp_path)


def test_covers_the_source_on_the_channel_above(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    scene.sequence_editor.active_strip = clip.still
    strip = clip.insert()
    assert strip.channel == 3 and span(addon, strip) == span(addon, clip.still) == (11, 23)
    assert (strip.diorama.is_clip, strip.diorama.job_id, strip.diorama.source_id) == (
        True,
        "job",
        clip.tag["source_id"],
    )
    assert strip.name == "still Push In" and len(strip.elements) == 12
    assert clip.still.select and not strip.select and scene.sequence_editor.active_strip == clip.still
    assert not [s for s in addon.compat.strips_all(scene) if s.type == "SOUND"]


def test_looks_like_the_still(scene: Any, clip: Clip, tmp_path: Path) -> None:
    before = render(scene, 11, tmp_path / "before.png")
    strip = clip.insert()
    assert psnr(before, render(scene, 11, tmp_path / "after.png")) > 60
    strip.mute, clip.still.mute = False, True
    assert psnr(before, render(scene, 22, tmp_path / "alone.png")) > 60


def test_letterboxed_photo_lets_the_rest_show(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    Image.new("RGB", (320, 180), (200, 30, 30)).save(tmp_path / "red.png")
    add_still(addon, scene.sequence_editor, tmp_path / "red.png", channel=1, start=11, name="below")
    clip = Clip(addon, scene, tmp_path, size=(90, 180))
    clip.still.blend_type = "ALPHA_OVER"
    before = render(scene, 11, tmp_path / "before.png")
    strip = clip.insert()
    clip.still.mute = True
    after = render(scene, 11, tmp_path / "after.png")
    assert psnr(before, after) > 60 and tuple(after[90, 5]) == (200, 30, 30, 255)
    assert (strip.transform.scale_x, strip.transform.offset_x) == (1.0, 0.0)


def test_place_and_scale_of_a_still_off_centre(scene: Any, clip: Clip) -> None:
    clip.result.update(rect=[40, 20, 160, 90], still_size=[640, 360], width=160, height=90)
    transform = clip.insert().transform
    assert (transform.offset_x, transform.offset_y) == (-100.0, 57.5)
    assert (transform.scale_x, transform.scale_y) == (0.5, 0.5)


def test_first_channel_that_is_free_for_the_whole_span(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    add_still(addon, scene.sequence_editor, clip.path, channel=3, start=22, name="overlaps its last frame")
    add_still(addon, scene.sequence_editor, clip.path, channel=4, start=23, name="begins just after")
    scene.sequence_editor.channels[4].lock = True
    scene.sequence_editor.channels[5].mute = True
    add_still(addon, scene.sequence_editor, clip.path, channel=6, start=23, name="begins after it too")
    add_still(addon, scene.sequence_editor, clip.path, channel=6, start=1, length=10, name="ends just before")
    assert clip.insert().channel == 6


def test_no_free_channel(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    for channel in range(3, 129):
        scene.sequence_editor.channels[channel].lock = True
    count = len(addon.compat.strips_all(scene))
    with pytest.raises(addon.errors.BadSelection, match="no free channel above 'still'"):
        clip.insert()
    assert len(addon.compat.strips_all(scene)) == count


def test_source_was_renamed_moved_and_trimmed(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    clip.still.name = "another name"
    clip.still.channel = 5
    name = "content_start" if hasattr(clip.still, "content_start") else "frame_start"
    setattr(clip.still, name, getattr(clip.still, name) + 100)
    addon.compat.set_right_handle(clip.still, 115)
    strip = clip.insert()
    assert strip.channel == 6 and span(addon, strip) == (111, 123)


def test_source_is_gone(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    addon.compat.strips(scene.sequence_editor).remove(clip.still)
    add_still(addon, scene.sequence_editor, photo(clip.path.parent / "other.png"), name="still")
    assert clip.insert() is None
    strip = addon.placement.insert_at(scene, 50, "job", clip.tag, clip.result)
    assert strip.channel == 1 and span(addon, strip) == (50, 62)


def test_id_was_undone(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    clip.still.diorama.source_id = ""
    assert addon.placement.find_source(clip.tag, same_file=False) is None
    assert clip.insert().channel == 3


def test_a_duplicate_does_not_catch_the_clip(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    twin = add_still(addon, scene.sequence_editor, clip.path, channel=1, start=60)
    twin.diorama.source_id = clip.still.diorama.source_id  # as Shift D does
    assert span(addon, clip.insert())[0] == 11
    assert addon.placement.mark_source(scene, twin) != clip.tag["source_id"]


def test_inside_a_meta_strip(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    meta = addon.compat.strips(scene.sequence_editor).new_meta("meta", 1, 11)
    clip = Clip(addon, scene, tmp_path, holder=meta)
    addon.compat.set_right_handle(meta, 23)
    before = render(scene, 11, tmp_path / "before.png")
    strip = clip.insert()
    assert strip.parent_meta() == meta and strip.channel == 3 and span(addon, meta) == (11, 23)
    clip.still.mute = True
    assert psnr(before, render(scene, 11, tmp_path / "after.png")) > 60


def test_one_undo_step(addon: SimpleNamespace, scene: Any, clip: Clip) -> None:
    bpy.ops.ed.undo_push(message="Photo")
    clip.insert()
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.undo()
    assert [s.name for s in addon.compat.strips_all(bpy.context.scene)] == ["still"]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.redo()
    assert {s.name for s in addon.compat.strips_all(bpy.context.scene)} == {"still", "still Push In"}


def test_survives_save_and_load(addon: SimpleNamespace, scene: Any, clip: Clip, tmp_path: Path) -> None:
    scene.diorama.move, scene.diorama.amount = "orbit", 0.07
    clip.insert()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "project.blend"))
    loaded = bpy.context.scene
    strip = addon.compat.strips_all(loaded)["still Push In"]
    assert strip.diorama.is_clip and strip.diorama.job_id == "job" and strip.diorama.clip_path == clip.result["clip"]
    assert loaded.diorama.move == "orbit" and abs(loaded.diorama.amount - 0.07) < 1e-6
    assert (
        clip.insert(same_file=False).channel == 4
    )  # a job that ends after another file was opened finds its strip by id


def test_saved_project_gets_relative_paths(addon: SimpleNamespace, scene: Any, clip: Clip, tmp_path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project.blend"))
    assert clip.insert().directory.startswith("//")
