"""Takes: several clips of one shot in one strip; what a person did to the strip stays."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.coded import movie, result, shown
from tests.blender.stills import add_still, photo, span


@pytest.fixture
def takes(addon: SimpleNamespace) -> Any:
    return importlib.import_module(f"{addon.package}.sequencer.takes")


@pytest.fixture
def shot(addon: SimpleNamespace, scene: Any, tmp_path: Path, takes: Any) -> Any:
    """Adds a coded clip of one still at frame 11, as a finished job does; returns the strip that shows it."""
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), channel=2, start=11)
    tag = {
        "scene": scene.name,
        "strip": "still",
        "source_id": addon.placement.mark_source(scene, still),
        "move_label": "Push In",
    }

    def add(clip: int, frames: int = 12, suffix: str = "", size: tuple[int, int] = (320, 180)) -> Any:
        made = result(addon, tmp_path / "clips" / f"clip_{clip}{suffix}", clip, frames, size)
        return takes.add(scene, still, f"job {clip}", tag, made)

    return add


def clips(addon: SimpleNamespace, scene: Any) -> list[Any]:
    return [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]


def test_second_clip_is_a_take_of_the_same_strip(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path
) -> None:
    first = shot(1)
    strip = shot(2)
    assert clips(addon, scene) == [strip] == [first] and strip.diorama_shot.shown == 1
    assert [take.name for take in strip.diorama_shot.takes] == ["Push In 1", "Push In 2"]
    assert (strip.diorama.job_id, span(addon, strip)) == ("job 2", (11, 23))
    assert shown(scene, (11, 22), tmp_path) == [(2, 0), (2, 11)]
    takes.step(scene, strip, 1)
    assert strip.diorama.job_id == "job 1" and shown(scene, (11, 22), tmp_path) == [(1, 0), (1, 11)]
    takes.step(scene, strip, -1)
    assert shown(scene, (12,), tmp_path) == [(2, 1)]


@pytest.mark.parametrize("suffix", ["", ".mp4"])
def test_trim_and_effects_survive(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path, suffix: str
) -> None:
    strip = shot(1, suffix=suffix)
    strip.channel = 7
    addon.compat.set_span(strip, 14, 20)
    strip.modifiers.new("dark", "BRIGHT_CONTRAST").bright = -20
    strip.transform.offset_x = 80
    strip.blend_alpha = 0.5
    strip.keyframe_insert("blend_alpha", frame=14)
    fade = addon.compat.new_effect(
        addon.compat.strips(scene.sequence_editor), "glow", "GAUSSIAN_BLUR", 9, 14, 20, strip
    )
    strip = shot(2, suffix=suffix)
    assert (span(addon, strip), strip.channel, strip.transform.offset_x) == ((14, 20), 7, 80)
    assert [m.name for m in strip.modifiers] == ["dark"] and fade.input_1 == strip
    fade.mute = strip.modifiers[0].mute = True
    scene.animation_data_clear()
    strip.blend_alpha = 1.0
    assert shown(scene, (14, 19), tmp_path, (0.9, 0.5)) == [(2, 3), (2, 8)]
    takes.step(scene, strip, 1)
    assert shown(scene, (14, 19), tmp_path, (0.9, 0.5)) == [(1, 3), (1, 8)] and span(addon, strip) == (14, 20)


def test_another_kind_and_size_takes_everything_over(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path
) -> None:
    strip = shot(1)
    addon.compat.set_span(strip, 14, 20)
    strip.name, strip.crop.max_x = "mine", 100
    curves = strip.modifiers.new("curves", "CURVES")
    curves.curve_mapping.curves[3].points.new(0.25, 0.75)
    strip.modifiers.new("balance", "COLOR_BALANCE").color_balance.gain = (1.5, 1.0, 1.0)
    strip.blend_alpha = 0.25
    strip.keyframe_insert("blend_alpha", frame=14)
    fade = addon.compat.new_effect(
        addon.compat.strips(scene.sequence_editor), "glow", "GAUSSIAN_BLUR", 9, 14, 20, strip
    )
    scene.sequence_editor.active_strip = strip
    strip = shot(2, suffix=".mp4", size=(640, 360))  # the old one is gone
    assert clips(addon, scene) == [strip] and (strip.type, strip.name, strip.channel) == ("MOVIE", "mine", 3)
    assert scene.sequence_editor.active_strip == strip == fade.input_1
    assert (span(addon, strip), strip.crop.max_x, strip.transform.scale_x) == ((14, 20), 200, 0.5)
    assert [m.type for m in strip.modifiers] == ["CURVES", "COLOR_BALANCE"]
    assert tuple(strip.modifiers[0].curve_mapping.curves[3].points[1].location) == (0.25, 0.75)
    assert strip.modifiers[1].color_balance.gain[0] == 1.5
    (curve,) = addon.compat.fcurves(scene.animation_data)
    assert scene.path_resolve(curve.data_path) == 0.25 and '"mine"' in curve.data_path
    fade.mute = True
    scene.animation_data_clear()
    strip.blend_alpha = 1.0
    strip.modifiers.clear()
    assert shown(scene, (14, 19), tmp_path, (0.4, 0.5)) == [(2, 3), (2, 8)]
    assert shown(scene, (14,), tmp_path, (0.4, 0.1)) == [(2, 3)]
    strip = takes.step(scene, strip, 1)
    assert (strip.type, strip.crop.max_x, strip.transform.scale_x) == ("IMAGE", 100, 1.0)
    assert shown(scene, (14, 19), tmp_path, (0.4, 0.5)) == [(1, 3), (1, 8)]


def test_untrimmed_strip_follows_the_length_of_the_take_up_to_its_neighbour(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path
) -> None:
    strip = shot(1)
    add_still(addon, scene.sequence_editor, tmp_path / "photo.png", channel=3, start=26, name="neighbour")
    assert span(addon, shot(2, frames=20)) == (11, 26)
    takes.step(scene, strip, 1)
    assert span(addon, strip) == (11, 23)
    takes.step(scene, strip, 1)
    assert shown(scene, (25,), tmp_path) == [(2, 14)]


def test_remade_after_the_photo_was_trimmed(
    addon: SimpleNamespace, scene: Any, shot: Any, tmp_path: Path
) -> None:
    shot(1)
    addon.compat.set_span(addon.compat.strips_all(scene)["still"], 15, 23)
    strip = shot(2, frames=8)
    assert span(addon, strip) == (15, 23) and shown(scene, (15, 22), tmp_path) == [(2, 0), (2, 7)]


def test_ordinary_footage_gets_a_take(addon: SimpleNamespace, scene: Any, takes: Any, tmp_path: Path) -> None:
    path = movie(tmp_path / "footage.mp4", 3, 20)
    strip = addon.compat.strips(scene.sequence_editor).new_movie("footage", str(path), 1, 5, fit_method="ORIGINAL")
    addon.compat.set_span(strip, 8, 20)
    takes.add_to(scene, strip, "job", "Sharpen", result(addon, tmp_path / "clips" / "sharp.mp4", 4, 20), 0)
    assert [take.name for take in strip.diorama_shot.takes] == ["Original", "Sharpen 2"]
    assert shown(scene, (8, 19), tmp_path) == [(4, 3), (4, 14)] and not strip.diorama.is_clip
    takes.step(scene, strip, 1)
    assert shown(scene, (8, 19), tmp_path) == [(3, 3), (3, 14)] and span(addon, strip) == (8, 20)


def test_others_are_deleted_with_their_files_but_never_footage(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path
) -> None:
    shot(1)
    shot(2, suffix=".mp4")
    strip = shot(3)
    assert takes.drop_others(strip, files=True) == 2
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == ["clip_3"]
    assert len(strip.diorama_shot.takes) == 1 and shown(scene, (11,), tmp_path) == [(3, 0)]
    footage = movie(tmp_path / "footage.mp4", 4, 12)
    plain = addon.compat.strips(scene.sequence_editor).new_movie("f", str(footage), 9, 50, fit_method="ORIGINAL")
    takes.add_to(scene, plain, "job", "Sharpen", result(addon, tmp_path / "clips" / "sharp.mp4", 5, 12), 0)
    assert takes.drop_others(plain, files=True) == 0 and footage.is_file()


def test_save_move_reopen_duplicate(
    addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project.blend"))
    shot(1)
    shot(2, suffix=".mp4")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "project.blend"))
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("project.blend", "clips", "photo.png"):
        (tmp_path / name).rename(moved / name)
    bpy.ops.wm.open_mainfile(filepath=str(moved / "project.blend"))
    copy = bpy.context.scene.copy()
    (strip,) = clips(addon, copy)
    strip = takes.step(copy, strip, 1)
    assert shown(copy, (11, 22), tmp_path) == [(1, 0), (1, 11)]
    assert shown(bpy.context.scene, (11, 22), tmp_path) == [(2, 0), (2, 11)]


def test_one_undo_step(addon: SimpleNamespace, scene: Any, shot: Any, takes: Any) -> None:
    shot(1)
    shot(2)
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.undo()
    (strip,) = clips(addon, bpy.context.scene)
    assert (strip.diorama.job_id, len(strip.diorama_shot.takes)) == ("job 1", 1)


def test_missing_file_is_told(addon: SimpleNamespace, scene: Any, shot: Any, takes: Any, tmp_path: Path) -> None:
    shot(1)
    strip = shot(2)
    (tmp_path / "clips" / "clip_1").rename(tmp_path / "gone")
    with pytest.raises(addon.errors.BadSelection, match="take 'Push In 1' is missing"):
        takes.step(scene, strip, 1)
    assert strip.diorama_shot.shown == 1
