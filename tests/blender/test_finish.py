"""Time and finish by the real engine: takes and clips of any strip, read back from the rendered timeline."""

from __future__ import annotations

import importlib
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.coded import movie, panned, pictures, rendered, shown
from tests.blender.stills import photo, pump_until, span


def settle(addon: SimpleNamespace) -> None:
    """Pumps until every job is done and none has anything to complain of."""
    complaints: list[str] = []

    def done() -> bool:
        for job in addon.runtime.queue.jobs:
            if job.error or addon.results.note_of(job):
                complaints.append(f"{job.error} {addon.results.note_of(job)} {job.details}")
        return bool(complaints) or not addon.runtime.queue.jobs

    pump_until(addon, done)
    assert complaints == []


@pytest.fixture
def footage(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    """A movie of 20 coded frames on frames 5..24, of which frames 8..17 are shown; selected and active."""
    path = movie(tmp_path / "footage.mp4", 1, 20)
    strip = addon.compat.strips(scene.sequence_editor).new_movie("footage", str(path), 2, 5, fit_method="ORIGINAL")
    addon.compat.set_span(strip, 8, 18)
    strip.select = True
    scene.sequence_editor.active_strip = strip
    return strip


def test_finish_makes_a_take_of_what_is_shown(
    addon: SimpleNamespace, scene: Any, footage: Any, tmp_path: Path
) -> None:
    settings = scene.diorama_combine
    settings.finish, settings.finish_amount = "sharpen", 0.5
    footage.transform.offset_x = 40
    assert bpy.ops.diorama.finish() == {"FINISHED"}
    settle(addon)
    assert list(addon.compat.strips_all(scene)) == [footage] and span(addon, footage) == (8, 18)
    assert [take.name for take in footage.diorama_shot.takes] == ["Original", "Sharpen 2"]
    assert Path(bpy.path.abspath(footage.filepath)).parent == tmp_path / "clips"
    assert shown(scene, range(8, 18), tmp_path) == [(1, n) for n in range(3, 13)]
    assert bpy.ops.diorama.take_step(by=-1) == {"FINISHED"}
    assert footage.filepath == str(tmp_path / "footage.mp4") and span(addon, footage) == (8, 18)
    assert shown(scene, (8, 17), tmp_path) == [(1, 3), (1, 12)]
    assert bpy.ops.diorama.take_rate(index=1, stars=4) == {"FINISHED"}
    assert footage.diorama_shot.takes[1].stars == 4


@pytest.mark.parametrize(
    ("time", "frames", "expected"),
    [
        ("reverse", 0, list(range(12, 2, -1))),
        ("ping_pong", 0, [*range(3, 13), *range(11, 3, -1)]),
        ("freeze_in", 4, [3] * 4 + list(range(3, 13))),
        ("retime", 5, [3, 5, 7, 10, 12]),
    ],
)
def test_time_makes_a_clip_above(
    addon: SimpleNamespace, scene: Any, footage: Any, tmp_path: Path, time: str, frames: int, expected: list[int]
) -> None:
    settings = scene.diorama_combine
    settings.time, settings.time_method = time, "hold"
    settings.time_frames = frames
    footage.transform.offset_x = 40
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    settle(addon)
    (clip,) = [s for s in addon.compat.strips_all(scene) if s != footage]
    assert (clip.channel, clip.transform.offset_x, footage.mute) == (3, 40, True)
    assert span(addon, footage) == (8, 18) and span(addon, clip) == (8, 8 + len(expected))
    found = shown(scene, range(8, 8 + len(expected)), tmp_path)
    assert [number for number, _ in found] == [1] * len(expected)
    away = [abs(frame - wanted) for (_, frame), wanted in zip(found, expected, strict=True)]
    assert max(away) == 0 if time != "retime" else max(away) <= 1


def test_a_meta_strip_is_rendered_as_it_is_seen(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    meta = addon.compat.strips(scene.sequence_editor).new_meta("meta", 1, 5)
    files = pictures(tmp_path / "coded", 2, 12)
    inner = addon.compat.strips(meta).new_image("inner", str(files[0]), 1, 5, fit_method="ORIGINAL")
    for file in files[1:]:
        inner.elements.append(file.name)
    for strip in (inner, meta):
        addon.compat.set_right_handle(strip, 17)
    addon.compat.set_span(meta, 7, 13)
    meta.transform.offset_x, meta.select = 160, True
    scene.diorama_combine.time = "reverse"
    before = scene.frame_current, len(bpy.data.scenes)
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    assert (scene.frame_current, len(bpy.data.scenes)) == before
    settle(addon)
    clip = next(s for s in addon.compat.strips_all(scene) if s.diorama.is_clip)
    assert span(addon, clip) == (7, 13) and meta.mute and clip.parent_meta() is None
    assert shown(scene, range(7, 13), tmp_path, (0.9, 0.5)) == [(2, n) for n in range(7, 1, -1)]
    assert shown(scene, (7,), tmp_path, (0.1, 0.5)) == [(-1, -1)]
    assert not list((addon.results.default_data_folder() / "footage").iterdir())
    assert not list((addon.results.default_data_folder() / "renders").iterdir())


def test_the_strip_is_gone_when_its_take_is_ready(
    addon: SimpleNamespace, scene: Any, footage: Any, tmp_path: Path
) -> None:
    scene.diorama_combine.time = "reverse"
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    other = addon.compat.strips(scene.sequence_editor).new_movie(
        "x", str(tmp_path / "footage.mp4"), 5, 5, fit_method="ORIGINAL"
    )
    addon.compat.strips(scene.sequence_editor).remove(footage)
    other.name = "footage"  # the same name and the same file, but not the strip
    other.diorama_shot.own_id = "another"
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.error or addon.results.note_of(job))
    assert "no longer on the timeline" in addon.results.note_of(job) and not len(other.diorama_shot.takes)
    assert bpy.ops.diorama.insert_clip(job_id=job.id) == {"FINISHED"}


def test_another_frame_rate_is_read_frame_by_frame(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = movie(tmp_path / "slow.mp4", 1, 16, fps=16)
    strip = addon.compat.strips(scene.sequence_editor).new_movie("slow", str(path), 2, 5, fit_method="ORIGINAL")
    addon.compat.set_span(strip, 8, 14)
    found = importlib.import_module(f"{addon.package}.sequencer.footage").direct(scene, strip)
    assert (found.path, found.first, found.count) == (str(path), 3, 6)
    assert shown(scene, (8, 13), tmp_path) == [(1, 3), (1, 8)]


def test_a_loop_has_no_seam(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    files = panned(tmp_path / "pan", photo(tmp_path / "wide.png", 640, 180), list(range(0, 90, 3)))
    strip = addon.compat.strips(scene.sequence_editor).new_image("pan", str(files[0]), 1, 1, fit_method="ORIGINAL")
    for file in files[1:]:
        strip.elements.append(file.name)
    strip.select = True
    settings = scene.diorama_combine
    settings.time, settings.time_frames = "loop", 10
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    settle(addon)
    clip = next(s for s in addon.compat.strips_all(scene) if s.diorama.is_clip)
    assert span(addon, clip) == (1, 21)
    pictures = rendered(scene, range(1, 21), tmp_path)
    steps = [float(np.abs(a - b).mean()) for a, b in pairwise(pictures)]
    assert np.abs(pictures[-1] - pictures[0]).mean() <= np.mean(steps)
    ends = rendered(scene, (1,), tmp_path)[0], np.asarray(Image.open(files[-1]).convert("RGB"), np.float64)
    assert np.abs(ends[0] - ends[1]).mean() > 3 * np.mean(steps)  # it was no loop before


@pytest.mark.skipif(bpy.app.version >= (5, 0), reason="5.2's own Add > Movie crashes in background mode")
def test_a_stretched_movie_is_conformed_from_its_own_frames(
    addon: SimpleNamespace, scene: Any, tmp_path: Path
) -> None:
    path = movie(tmp_path / "slow.mp4", 1, 16, fps=16)
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    with bpy.context.temp_override(window=window, area=area, region=area.regions[-1]):
        bpy.ops.sequencer.movie_strip_add(
            filepath=str(path), frame_start=5, channel=2, sound=False, use_framerate=False, adjust_playback_rate=True
        )
    strip = scene.sequence_editor.active_strip
    assert span(addon, strip) == (5, 29)
    addon.compat.set_span(strip, 8, 14)
    assert importlib.import_module(f"{addon.package}.sequencer.footage").direct(scene, strip) is None
    addon.compat.set_span(strip, 8, 29)  # from the second frame of the file on
    scene.diorama_combine.time, scene.diorama_combine.time_method = "conform", "hold"
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    settle(addon)
    clip = next(s for s in addon.compat.strips_all(scene) if s.diorama.is_clip)
    assert span(addon, clip) == (8, 29) and strip.mute
    frames = [frame for _, frame in shown(scene, range(8, 29), tmp_path)]
    assert frames[0] == 2 and frames[-1] == 15 and frames == sorted(frames) and len(set(frames)) == 14


def test_nothing_selected(addon: SimpleNamespace, scene: Any) -> None:
    with pytest.raises(RuntimeError, match="No strip with a picture is selected"):
        bpy.ops.diorama.finish()
