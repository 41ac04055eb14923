"""From click to strip with the real engine: small stills, few frames."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.stills import add_still, photo, psnr, pump_until, render, span


def clips(addon: SimpleNamespace, scene: Any) -> list[Any]:
    return sorted((s for s in addon.compat.strips_all(scene) if s.diorama.is_clip), key=addon.compat.left_handle)


def run(addon: SimpleNamespace, scene: Any, count: int = 1) -> list[Any]:
    """Presses the button and pumps until the clips are on the timeline."""
    assert bpy.ops.diorama.camera_move() == {"FINISHED"} and len(addon.runtime.queue.jobs) == count
    jobs = list(addon.runtime.queue.jobs)
    pump_until(addon, lambda: len(clips(addon, scene)) == count or any(job.error for job in jobs))
    assert [job.error for job in jobs] == [None] * count
    return clips(addon, scene)


@pytest.mark.parametrize(("clip_format", "kind", "suffix"), [("h264", "MOVIE", ".mp4"), ("png", "IMAGE", "")])
def test_a_photo_becomes_a_clip(
    addon: SimpleNamespace, scene: Any, tmp_path: Path, clip_format: str, kind: str, suffix: str
) -> None:
    addon.preferences.preferences().clip_format = clip_format
    scene.render.fps, scene.render.fps_base = 24, 1.001
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), start=5)
    before = render(scene, 5, tmp_path / "before.png")
    (clip,) = run(addon, scene)
    assert (clip.type, clip.channel, span(addon, clip)) == (kind, 2, span(addon, still))
    assert Path(clip.diorama.clip_path).suffix == suffix and Path(clip.diorama.clip_path).parent == tmp_path / "clips"
    assert clip.diorama.source_id == still.diorama.source_id != ""
    assert json.loads(clip.diorama.request)["fps"] == [24000, 1001]
    assert psnr(before[..., :3], render(scene, 5, tmp_path / "after.png")[..., :3]) >= 40
    still.mute = True
    last = render(scene, 16, tmp_path / "last.png")
    assert (
        last[..., 3].min() == 255 and 12 < psnr(before[..., :3], last[..., :3]) < 35
    )  # it moved, and covers its last frame
    assert not addon.runtime.queue.jobs and not list((addon.results.default_data_folder() / "stills").iterdir())
    assert not [s for s in addon.compat.strips_all(scene) if s.type == "SOUND"]


def test_letterboxed_large_photo(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    Image.new("RGB", (320, 180), (30, 120, 200)).save(tmp_path / "blue.png")
    add_still(addon, scene.sequence_editor, tmp_path / "blue.png", channel=1, name="below").select = False
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "tall.png", 500, 720), channel=2)
    still.transform.scale_x = still.transform.scale_y = 0.25
    still.blend_type = "ALPHA_OVER"
    before = render(scene, 1, tmp_path / "before.png")
    (clip,) = run(addon, scene)
    assert clip.channel == 3
    assert psnr(before[..., :3], render(scene, 1, tmp_path / "after.png")[..., :3]) >= 40
    assert tuple(render(scene, 12, tmp_path / "last.png")[90, 5, :3]) == (30, 120, 200)


def test_two_strips_two_clips(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png")
    add_still(addon, scene.sequence_editor, path, start=1, length=4)
    add_still(addon, scene.sequence_editor, path, start=5, length=3)
    first, second = run(addon, scene, 2)
    assert (span(addon, first), span(addon, second)) == ((1, 5), (5, 8))
    assert first.diorama.clip_path != second.diorama.clip_path and first.diorama.source_id != second.diorama.source_id


def test_depth_picture(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    Image.fromarray(np.tile(np.linspace(0, 255, 320, dtype=np.uint8), (180, 1))).save(tmp_path / "depth.png")
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=3)
    scene.diorama.depth_source, scene.diorama.depth_picture = "picture", str(tmp_path / "depth.png")
    (clip,) = run(addon, scene)
    assert json.loads(clip.diorama.request)["depth"]["picture"] == str(tmp_path / "depth.png")


def test_source_removed_while_running_keeps_the_clip_on_offer(
    addon: SimpleNamespace, scene: Any, tmp_path: Path
) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    addon.compat.strips(scene.sequence_editor).remove(still)
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: addon.results.note_of(job))
    assert "no longer on the timeline" in addon.results.note_of(job) and not clips(addon, scene)
    scene.frame_set(30)
    assert bpy.ops.diorama.insert_clip(job_id=job.id) == {"FINISHED"}
    assert span(addon, clips(addon, scene)[0]) == (30, 42) and not addon.runtime.queue.jobs


def test_cancel(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=5000)
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.stage == "render" and job.done > 0)
    assert bpy.ops.diorama.cancel(job_id=job.id) == {"FINISHED"}
    pump_until(addon, lambda: not addon.runtime.queue.jobs, 10)
    assert job.state.name == "cancelled" and not clips(addon, scene)
    assert not list(tmp_path.glob("clips/*"))


def test_another_file_is_opened_while_running(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    other = bpy.context.scene
    other.sequence_editor_create()
    add_still(addon, other.sequence_editor, tmp_path / "photo.png")  # same name, same picture, another project
    pump_until(addon, lambda: addon.results.note_of(job))
    assert not clips(addon, other) and Path(job.result["clip"]).is_file()


def test_bad_depth_picture_is_told_in_one_sentence(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    scene.diorama.depth_source, scene.diorama.depth_picture = "picture", str(tmp_path / "none.png")
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended)
    assert job.error.kind == "bad_depth" and job.error.message.endswith(".") and not clips(addon, scene)


def test_output_folder_cannot_be_written(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("no folder")
    addon.preferences.preferences().clip_folder = str(tmp_path / "a file" / "clips")
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.ended)
    assert job.error.kind == "output_failed" and not clips(addon, scene)


def test_stop_engine_ends_the_process(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    run(addon, scene)
    assert addon.runtime.queue.engine_state.name == "ready"
    assert bpy.ops.diorama.engine_stop() == {"FINISHED"}
    assert addon.runtime.queue.engine_state.name == "stopped"
