"""Clips are compared, joined, faded and coloured: read back from the rendered timeline, frame by frame."""

from __future__ import annotations

import importlib
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.coded import movie, panned, pictures, rendered, shown
from tests.blender.drawn import Drawn
from tests.blender.stills import add_still, photo, pump_until, span
from tests.blender.test_finish import settle


@pytest.fixture
def clip(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    """Adds a strip of coded pictures; selects it."""

    def add(number: int, channel: int, start: int, frames: int = 12) -> Any:
        files = pictures(tmp_path / f"coded {number}", number, frames)
        strip = addon.compat.strips(scene.sequence_editor).new_image(
            f"clip {number}", str(files[0]), channel, start, fit_method="ORIGINAL"
        )
        for file in files[1:]:
            strip.elements.append(file.name)
        strip.select = True
        return strip

    return add


def test_compare_two_strips(addon: SimpleNamespace, scene: Any, clip: Any, tmp_path: Path) -> None:
    clip(1, 1, 5)
    clip(2, 4, 5)
    assert bpy.ops.diorama.compare() == {"FINISHED"}
    assert shown(scene, (5, 16), tmp_path, (0.25, 0.5)) == [(1, 0), (1, 11)]
    assert shown(scene, (5, 16), tmp_path, (0.75, 0.5)) == [(2, 0), (2, 11)]
    assert bpy.ops.diorama.compare() == {"FINISHED"} and len(addon.compat.strips_all(scene)) == 2
    scene.diorama_combine.compare_mode = "WIPE"
    assert bpy.ops.diorama.compare() == {"FINISHED"}
    assert [shown(scene, (7,), tmp_path, (x, 0.5)) for x in (0.1, 0.45, 0.55)] == [[(1, 2)], [(1, 2)], [(2, 2)]]
    scene.diorama_combine.wipe = 0.2
    assert [shown(scene, (7,), tmp_path, (x, 0.5)) for x in (0.1, 0.45)] == [[(1, 2)], [(2, 2)]]
    assert bpy.ops.diorama.compare() == {"FINISHED"} and shown(scene, (7,), tmp_path) == [(2, 2)]


def test_butt_joined_in_order(addon: SimpleNamespace, scene: Any, clip: Any, tmp_path: Path) -> None:
    strips = [clip(1, 1, 10), clip(2, 3, 40, 8), clip(3, 1, 25, 6)]
    addon.compat.set_span(strips[0], 12, 20)
    scene.diorama_combine.fade = "NONE"
    assert bpy.ops.diorama.stitch() == {"FINISHED"}
    expected = [(1, n) for n in range(2, 10)] + [(3, n) for n in range(6)] + [(2, n) for n in range(8)]
    assert shown(scene, range(12, 12 + len(expected)), tmp_path) == expected
    assert [strip.channel for strip in strips] == [1, 3, 1]


def test_a_fade_at_every_seam(addon: SimpleNamespace, scene: Any, clip: Any, tmp_path: Path) -> None:
    photo_path = photo(tmp_path / "photo.png")
    below = add_still(addon, scene.sequence_editor, photo_path, channel=1, start=10, length=12)
    strips = [clip(1, 2, 10), clip(2, 1, 40), clip(3, 1, 60)]
    scene.diorama_combine.fade, scene.diorama_combine.fade_frames = "CROSS", 4
    for _ in range(2):  # the second time changes nothing
        assert bpy.ops.diorama.stitch() == {"FINISHED"}
        assert [span(addon, strip) for strip in (below, *strips)] == [(10, 22), (10, 22), (18, 30), (26, 38)]
        fades = [s for s in addon.compat.strips_all(scene) if s.type == "CROSS"]
        assert sorted(span(addon, fade) for fade in fades) == [(18, 22), (26, 30)]
        assert [s.channel for s in (below, *strips, *fades)] == [1, 2, 3, 1, 5, 5]
    plain = {10: (1, 0), 17: (1, 7), 22: (2, 4), 25: (2, 7), 30: (3, 4), 37: (3, 11)}
    assert shown(scene, list(plain), tmp_path) == list(plain.values())
    blues = [picture[90, 160, 2] for picture in rendered(scene, range(18, 23), tmp_path)]
    assert np.abs(np.diff(blues) - 7).max() <= 1  # from one clip's code to the next one's, evenly


def test_something_in_the_way_changes_nothing(addon: SimpleNamespace, scene: Any, clip: Any) -> None:
    strips = [clip(1, 1, 10), clip(2, 1, 40)]
    clip(3, 1, 30, 4).select = False
    scene.diorama_combine.fade = "NONE"
    before = [(span(addon, s), s.channel) for s in addon.compat.strips_all(scene)]
    with pytest.raises(RuntimeError, match="'clip 3' is in the way"):
        bpy.ops.diorama.stitch()
    strips[1].lock = True
    with pytest.raises(RuntimeError, match="'clip 2' is locked"):
        bpy.ops.diorama.stitch()
    strips[1].select = False
    with pytest.raises(RuntimeError, match="not two clips"):
        bpy.ops.diorama.stitch()
    assert before == [(span(addon, s), s.channel) for s in addon.compat.strips_all(scene)]


def test_keyframes_and_meta_strips_travel(addon: SimpleNamespace, scene: Any, clip: Any, tmp_path: Path) -> None:
    clip(1, 1, 10)
    meta = addon.compat.strips(scene.sequence_editor).new_meta("meta", 1, 50)
    inner = clip(2, 2, 50)
    inner.move_to_meta(meta)
    addon.compat.set_right_handle(meta, 62)
    meta.select = True
    meta.blend_alpha = 0.5
    meta.keyframe_insert("blend_alpha", frame=50)
    scene.diorama_combine.fade = "NONE"
    assert bpy.ops.diorama.stitch() == {"FINISHED"}
    (curve,) = addon.compat.fcurves(scene.animation_data)
    assert curve.keyframe_points[0].co[0] == 22 and span(addon, meta) == (22, 34)
    scene.animation_data_clear()
    meta.blend_alpha = 1.0
    assert shown(scene, (21, 22, 33), tmp_path) == [(1, 11), (2, 0), (2, 11)]


def test_colours_fit_after_matching(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png")
    add_still(addon, scene.sequence_editor, path, channel=1, start=1, name="first")
    other = add_still(addon, scene.sequence_editor, path, channel=1, start=20, name="other")
    grade = other.modifiers.new("grade", "COLOR_BALANCE").color_balance
    grade.gain, grade.gamma = (1.0, 0.8, 0.6), (1.2, 1.0, 0.9)
    before = rendered(scene, (12, 20), tmp_path)
    scene.diorama_combine.fade, scene.diorama_combine.match = "NONE", "FIRST"
    assert bpy.ops.diorama.stitch() == {"FINISHED"}
    pump_until(addon, lambda: len(other.modifiers) == 2)
    after = rendered(scene, (12, 13), tmp_path)
    step = [np.abs(a.mean((0, 1)) - b.mean((0, 1))).sum() for a, b in (before, after)]
    assert step[1] < 0.1 * step[0] and np.abs(after[0] - after[1]).mean() < 3
    assert [m.name for m in other.modifiers] == ["grade", "Diorama Match"]
    assert bpy.ops.diorama.match_colour() == {"FINISHED"} and len(other.modifiers) == 1
    slowest = 0.0
    while len(other.modifiers) == 1:
        started = time.perf_counter()
        addon.registration.pump()
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < 0.5, "one look a step: Blender's window stays alive"


def test_match_wants_the_active_strip(addon: SimpleNamespace, scene: Any, clip: Any, tmp_path: Path) -> None:
    first, second = clip(1, 1, 1), clip(2, 1, 20)
    scene.diorama_combine.fade, scene.diorama_combine.match = "NONE", "ACTIVE"
    scene.sequence_editor.active_strip = second
    assert bpy.ops.diorama.stitch() == {"FINISHED"}
    pump_until(addon, lambda: len(first.modifiers) == 1)
    assert not len(second.modifiers)
    scene.sequence_editor.active_strip = None
    with pytest.raises(RuntimeError, match="active strip is not one"):
        bpy.ops.diorama.stitch()


def test_movies_too(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    strips = addon.compat.strips(scene.sequence_editor)
    for number in (1, 2):
        path = movie(tmp_path / f"{number}.mp4", number, 10)
        strips.new_movie(f"{number}", str(path), number, number * 20, fit_method="ORIGINAL").select = True
    scene.diorama_combine.fade = "NONE"
    assert bpy.ops.diorama.stitch() == {"FINISHED"}
    assert shown(scene, (20, 29, 30, 39), tmp_path) == [(1, 0), (1, 9), (2, 0), (2, 9)]


def test_stutter_at_a_cut_is_told(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    wide = photo(tmp_path / "wide.png", 640, 180)
    pans = {"even": range(30, 60, 3), "doubled": [57, *range(60, 87, 3)], "late": range(99, 129, 3)}
    start = 1
    for name, shifts in pans.items():
        files = panned(tmp_path / name, wide, list(shifts))
        strip = addon.compat.strips(scene.sequence_editor).new_image(
            name, str(files[0]), 2, start, fit_method="ORIGINAL"
        )
        for file in files[1:]:
            strip.elements.append(file.name)
        strip.select, start = True, start + len(files)
    assert bpy.ops.diorama.check_seams() == {"FINISHED"}
    settle(addon)
    said = scene.diorama_combine.seams.splitlines()
    assert said[0] == "Cut at frame 11: the frame before it is shown twice."
    assert said[1:] == ["Cut at frame 21: frames are missing."]
    panel = Drawn()
    context = SimpleNamespace(scene=scene, region=None, area=None, preferences=bpy.context.preferences)
    for cls in importlib.import_module(f"{addon.package}.panels.combine").CLASSES[1:]:
        cls.draw_part(SimpleNamespace(), panel, context, scene, scene.diorama_combine)
    assert "shown twice" in " ".join(panel.said) and "diorama.take_step" not in panel.said
    assert {"diorama.stitch", "diorama.extend", "diorama.bridge", "diorama.render_out"} <= set(panel.said)
