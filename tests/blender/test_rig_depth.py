"""Any depth that a person has, for a rig that is there: pictures, Z, strips, paint; and where the pivot goes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.rigs import add_photo, build, modules, owned_blocks, settle
from tests.blender.stills import add_still, photo


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    add_photo(addon, scene, tmp_path)
    return ready(addon, scene)


@pytest.fixture
def narrow(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    """A rig of an upright photo, which leaves black at both sides of the frame: it covers x from 96 to 224 of 320."""
    scene.diorama.depth_source = "draft"
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "tall.png", 512, 720))
    still.transform.scale_x = still.transform.scale_y = 0.25
    return ready(addon, scene)


def ready(addon: SimpleNamespace, scene: Any) -> Any:
    (made,) = build(addon)
    for strip in addon.compat.strips_all(scene):
        strip.select = False
    live = modules(addon).strips.live_strips(made.id)[0][1]
    live.select = True
    scene.sequence_editor.active_strip = live
    return made


def change(addon: SimpleNamespace, rig: Any, **options: Any) -> Any:
    assert bpy.ops.diorama.rig_depth(**options) == {"FINISHED"}
    settle(addon)
    return modules(addon).owned.find(rig.id)


def disparity(rig: Any) -> np.ndarray:
    return np.load(rig.folder / "disparity.npy")


def ramp(shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float64: 0 at the left .. 1 at the right."""
    return np.repeat(np.linspace(0, 1, shape[1])[None], shape[0], axis=0)


def relative(values: np.ndarray) -> np.ndarray:
    return (values - values.min()) / (values.max() - values.min())


# ------------------------------------------------------------------ where the depth comes from


def test_a_depth_picture_from_a_file(addon: SimpleNamespace, rig: Any, tmp_path: Path) -> None:
    wanted = ramp((180, 320))
    Image.fromarray((wanted * 65535).astype(np.uint16)).save(tmp_path / "ramp.png")
    again = change(addon, rig, source="FILE", filepath=str(tmp_path / "ramp.png"))
    assert np.abs(relative(disparity(again)) - wanted).max() < 0.01
    assert again.scene == rig.scene and again.facts["depth_label"] == "picture"


def test_the_z_pass_of_a_render_is_taken_to_scale(addon: SimpleNamespace, rig: Any, tmp_path: Path) -> None:
    z = 2.0 + 6.0 * ramp((180, 320))
    picture = bpy.data.images.new("z", 320, 180, float_buffer=True)
    picture.colorspace_settings.name = "Non-Color"
    grey = np.dstack([z, z, z, np.ones_like(z)])[::-1]
    picture.pixels.foreach_set(grey.astype(np.float32).ravel())
    picture.file_format, picture.filepath_raw = "OPEN_EXR", str(tmp_path / "z.exr")
    picture.save()
    again = change(addon, rig, source="FILE", filepath=str(tmp_path / "z.exr"))
    assert np.allclose(disparity(again), 2.0 / z, atol=2e-3)  # the nearest at 1
    assert again.facts["depth_label"] == "scene depth"


def test_a_depth_strip_on_the_timeline(addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No image strip is selected"):
        bpy.ops.diorama.rig_depth(source="STRIP")
    for index in (1, 2, 3):
        Image.fromarray((ramp((180, 320)) * 40 * index).astype(np.uint8)).save(tmp_path / f"depth_{index}.png")
    strip = add_still(addon, scene.sequence_editor, tmp_path / "depth_1.png", channel=5)
    for index in (2, 3):
        strip.elements.append(f"depth_{index}.png")
    addon.compat.set_left_handle(strip, 3)  # the third is the first that is shown
    again = change(addon, rig, source="STRIP")
    assert Path(again.facts["settings"]["depth"]["picture"]).name == "depth_3.png"
    assert np.abs(relative(disparity(again)) - ramp((180, 320))).max() < 0.03


def test_what_is_no_depth_leaves_the_rig_as_it_was(addon: SimpleNamespace, rig: Any, tmp_path: Path) -> None:
    before = owned_blocks()
    assert bpy.ops.diorama.rig_depth(source="FILE", filepath=str(tmp_path / "none.png")) == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    with pytest.raises(AssertionError):
        settle(addon)
    assert "none.png" in job.error.message
    assert owned_blocks() == before and modules(addon).owned.find(rig.id).folder == rig.folder


# ------------------------------------------------------------------ a photo that fills only a part of the frame


def test_paint_lands_where_it_was_painted(addon: SimpleNamespace, scene: Any, narrow: Any) -> None:
    assert narrow.size == (128, 180)
    live = scene.sequence_editor.active_strip
    still = next(s for s in addon.compat.strips_all(scene) if s.type == "IMAGE")
    live.select, still.select = False, True
    assert bpy.ops.diorama.new_paint_over() == {"FINISHED"}
    paint = scene.diorama.correction
    width, height = paint.size
    assert abs(width / height / (128 / 180) - 1) < 0.02
    pixels = np.zeros((height, width, 4), np.float32)
    pixels[-height // 4 :, : width // 4] = 1.0  # the top left corner, very near: rows count from below
    paint.pixels.foreach_set(pixels.ravel())
    live.select, still.select = True, False
    before = disparity(narrow)
    after = disparity(change(addon, narrow, source="PANEL"))
    rows, columns = after.shape[0] // 4, after.shape[1] // 4
    assert after[: rows - 4, : columns - 4].min() > 0.98 > before[: rows - 4, : columns - 4].max()
    after[: rows + 4, : columns + 4] = before[: rows + 4, : columns + 4]
    assert np.abs(after - before).max() < 0.02  # nowhere else


def test_the_pivot_goes_to_a_point_and_the_moves_turn_around_it(
    addon: SimpleNamespace, scene: Any, narrow: Any
) -> None:
    tools = modules(addon)
    tools.stack.apply(narrow, tools.protocol.MoveSettings("orbit", 0.05), add=False)
    before = 1 / narrow.facts["pivot"]
    scene.diorama.pivot_from, scene.diorama.pivot_point = "point", (0.05, 0.5)  # the black beside the photo
    with pytest.raises(RuntimeError, match="outside of the photo"):
        bpy.ops.diorama.rig_depth()
    scene.diorama.pivot_point = (0.5, 0.95)  # the ground before one's feet
    again = change(addon, narrow)
    found = disparity(again)
    expected = float(np.median(found[int(found.shape[0] * 0.95) - 3 :][:4, found.shape[1] // 2 - 3 :][:, :6]))
    assert again.facts["pivot"] == pytest.approx(expected, rel=0.05)
    assert again.pivot.location.y == pytest.approx(1 / again.facts["pivot"]) != pytest.approx(before)
    views = tools.sample.evaluated_views(again.scene, None, [1, 12], *again.size)
    pivot = np.array([0.0, 0.0, 1 / again.facts["pivot"], 1.0])
    for view in views:
        seen = view.world2cam @ pivot
        k = view.intrinsics
        assert seen[0] / seen[2] * k.fx + k.cx == pytest.approx(63.5, abs=0.05)
    assert np.abs(views[0].world2cam - np.eye(4)).max() < 1e-4
    assert np.abs(views[1].world2cam - np.eye(4)).max() > 0.01


def test_without_a_pivot_of_its_own_the_camera_stays(addon: SimpleNamespace, scene: Any, narrow: Any) -> None:
    sample = modules(addon).sample
    before = sample.evaluated_views(narrow.scene, None, [1, 6, 12], *narrow.size)
    scene.diorama.near = 0.8
    again = change(addon, narrow)
    after = sample.evaluated_views(again.scene, None, [1, 6, 12], *again.size)
    assert all(np.abs(a.world2cam - b.world2cam).max() < 1e-6 for a, b in zip(before, after, strict=True))
