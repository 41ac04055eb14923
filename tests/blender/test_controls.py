"""Depth and lens controls in Blender: paint-over, show depth, use it again, points, and the panels' rules."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.stills import add_still, photo, pixels, psnr, pump_until, render, span


@pytest.fixture
def modules(addon: SimpleNamespace) -> SimpleNamespace:
    import importlib

    def module(name: str) -> Any:
        return importlib.import_module(f"{addon.package}.{name}")

    return SimpleNamespace(
        paint=module("sequencer.paint"),
        depth_strip=module("sequencer.depth_strip"),
        preview=module("sequencer.preview"),
    )


def clips(addon: SimpleNamespace, scene: Any) -> list[Any]:
    return [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]


def make_clip(addon: SimpleNamespace, scene: Any) -> Any:
    """Presses the button; the strip that shows the new clip, selected and active, its source not selected."""
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: any(clip.diorama.job_id == job.id for clip in clips(addon, scene)) or job.error)
    assert job.error is None
    clip = clips(addon, scene)[-1]
    select(addon, scene, clip)
    return clip


def select(addon: SimpleNamespace, scene: Any, strip: Any) -> None:
    for other in addon.compat.strips_all(scene):
        other.select = other == strip
    scene.sequence_editor.active_strip = strip


def depth_of(clip: Any) -> np.ndarray:
    with Image.open(clip.diorama.clip_path + ".depth.png") as depth:
        return np.asarray(depth).astype(np.float64) / 65535


# ------------------------------------------------------------------ paint-over


def test_a_new_paint_over_is_the_photo_in_the_frame_wholly_transparent(
    addon: SimpleNamespace, scene: Any, tmp_path: Path
) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "tall.png", 200, 400))
    still.transform.scale_x = still.transform.scale_y = 0.4  # 80 x 160 of 320 x 180
    assert bpy.ops.diorama.new_paint_over() == {"FINISHED"}
    image = scene.diorama.correction
    assert tuple(image.size) in {(80, 160), (160, 320)} and image.packed_file is not None
    values = np.array(image.pixels[:]).reshape(-1, 4)
    assert values[:, 3].max() == 0
    assert not [i for i in bpy.data.images if i.name.endswith(".tif")], "the captured still is gone again"
    assert len(addon.compat.strips_all(scene)) == 1


def test_paint_replaces_the_depth_where_it_is_opaque(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    assert bpy.ops.diorama.new_paint_over() == {"FINISHED"}
    image = scene.diorama.correction
    values = np.array(image.pixels[:], np.float32).reshape(image.size[1], image.size[0], 4)
    values[90:, :160] = (0.2, 0.2, 0.2, 1.0)  # Blender counts rows from below: the upper left quarter
    image.pixels.foreach_set(values.reshape(-1))
    clip = make_clip(addon, scene)
    depth = depth_of(clip)
    assert np.abs(depth[:88, :158] - 0.2).max() < 0.01
    assert np.abs(depth[95:] - 0.2).max() > 0.1
    assert json.loads(clip.diorama.request)["depth"]["correction"].endswith(".png")
    assert not list((addon.results.default_data_folder() / "stills").iterdir()), "nothing is left of it"


def test_a_file_can_be_the_paint_over_and_a_missing_one_is_a_sentence(
    addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, tmp_path: Path
) -> None:
    image = bpy.data.images.load(str(photo(tmp_path / "paint.png", alpha=True)))
    before = pixels(tmp_path / "paint.png")
    written = modules.paint.write(image, tmp_path / "out" / "copy.png")
    assert np.abs(pixels(written) - before).max() <= 1
    assert not image.is_dirty and Path(bpy.path.abspath(image.filepath)) == tmp_path / "paint.png"
    assert modules.paint.write(None, tmp_path / "none.png") == ""
    (tmp_path / "paint.png").unlink()
    image.reload()
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))
    scene.diorama.correction = image
    with pytest.raises(RuntimeError, match=r"paint-over .* is missing"):
        bpy.ops.diorama.camera_move()
    assert not addon.runtime.queue.jobs


def test_the_picture_of_a_strip_can_be_the_paint_over(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    Image.fromarray(np.full((180, 320), 77, np.uint8)).save(tmp_path / "grey.png")
    strip = add_still(addon, scene.sequence_editor, tmp_path / "grey.png", channel=2, length=2)
    strip.mute = True
    with pytest.raises(RuntimeError, match="2 image strips are selected"):
        bpy.ops.diorama.paint_over_from_strip()
    assert scene.diorama.correction is None
    select(addon, scene, strip)
    assert bpy.ops.diorama.paint_over_from_strip() == {"FINISHED"}
    select(addon, scene, still)
    depth = depth_of(make_clip(addon, scene))
    assert np.abs(depth - 77 / 255).max() < 0.01


def test_a_fill_that_is_missing_is_one_sentence(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    scene.diorama.fill = str(tmp_path / "gone.onnx")
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.error)
    assert "gone.onnx" in job.error.message and "own fill" in job.error.remedy


def test_a_float_image_is_refused(addon: SimpleNamespace, scene: Any, modules: SimpleNamespace, tmp_path: Path) -> None:
    image = bpy.data.images.new("deep", 8, 8, float_buffer=True)
    with pytest.raises(addon.errors.BadSelection):
        modules.paint.write(image, tmp_path / "deep.png")


# ------------------------------------------------------------------ show depth


@pytest.mark.parametrize("clip_format", ["h264", "png"])
def test_depth_is_shown_over_its_clip_and_goes_again(
    addon: SimpleNamespace, scene: Any, tmp_path: Path, clip_format: str
) -> None:
    addon.preferences.preferences().clip_format = clip_format
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "tall.png", 500, 720), start=3, length=5)
    still.transform.scale_x = still.transform.scale_y = 0.25
    clip = make_clip(addon, scene)
    assert bpy.ops.diorama.show_depth() == {"FINISHED"}
    (strip,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_depth]
    assert span(addon, strip) == span(addon, clip) == (3, 8) and strip.channel == clip.channel + 1
    assert strip.diorama.source_id == clip.diorama.source_id == still.diorama.source_id
    assert scene.sequence_editor.active_strip == clip and not strip.select
    shown = render(scene, 4, tmp_path / "depth.png")
    inside = shown[2:178, 100:220, :3]
    assert np.abs(inside[..., 0] - inside[..., 1]).max() <= 2, "a grey picture"
    assert shown[90, 20, 3] == 0, "beside the letterboxed photo nothing changed"
    expected = Image.fromarray((depth_of(clip) * 255).astype(np.float32)).resize((125, 180), Image.Resampling.BOX)
    part = np.s_[4:176, 102:218]  # the photo is 125 pixels wide, in the middle
    assert psnr(shown[..., 0][part], np.asarray(expected)[4:176, 4:120].astype(float)) > 30
    assert bpy.ops.diorama.show_depth() == {"FINISHED"}
    assert not [s for s in addon.compat.strips_all(scene) if s.diorama.is_depth]
    assert clips(addon, scene) == [clip] and Path(clip.diorama.clip_path + ".depth.png").is_file()


def test_a_depth_strip_is_no_photo_and_does_not_confuse_the_next_clip(
    addon: SimpleNamespace, scene: Any, tmp_path: Path
) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    make_clip(addon, scene)
    bpy.ops.diorama.show_depth()
    (strip,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_depth]
    select(addon, scene, strip)
    with pytest.raises(RuntimeError, match="shows the depth of a clip"):
        bpy.ops.diorama.camera_move()
    source_id = still.diorama.source_id
    select(addon, scene, still)
    second = make_clip(addon, scene)
    assert still.diorama.source_id == source_id == second.diorama.source_id
    assert second.channel == 2 and clips(addon, scene) == [second]
    assert len(second.diorama_shot.takes) == 2, "the new clip is a take of the strip that was there"


def test_the_depth_of_a_clip_can_be_the_depth_of_the_next(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    scene.diorama.gamma = 1.6
    clip = make_clip(addon, scene)
    picture, first = clip.diorama.clip_path + ".depth.png", depth_of(clip)
    assert bpy.ops.diorama.use_depth() == {"FINISHED"}
    assert (scene.diorama.depth_source, scene.diorama.gamma) == ("picture", 1.0)
    select(addon, scene, still)
    second = make_clip(addon, scene)
    assert np.abs(first - depth_of(second)).max() < 0.01
    assert json.loads(second.diorama.request)["depth"]["picture"] == picture


def test_a_missing_depth_picture_is_a_sentence(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    clip = make_clip(addon, scene)
    Path(clip.diorama.clip_path + ".depth.png").unlink()
    with pytest.raises(RuntimeError, match="is missing"):
        bpy.ops.diorama.show_depth()


# ------------------------------------------------------------------ pivot, focus, lens


def test_a_picked_point_reaches_the_engine(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), length=2)
    assert bpy.ops.diorama.pick_point(target="pivot", point=(0.25, 0.75)) == {"FINISHED"}
    scene.diorama.use_dof, scene.diorama.f_stop, scene.diorama.vignette = True, 1.4, 0.5
    clip = make_clip(addon, scene)
    made = json.loads(clip.diorama.request)
    assert made["move"]["pivot_point"] == pytest.approx([0.25, 0.75])
    assert made["lens"]["f_stop"] == pytest.approx(1.4) and made["lens"]["vignette"] == pytest.approx(0.5)
    assert made["lens"]["focus"] == made["move"]["pivot"]
    assert made["move"]["pivot"] == pytest.approx(np.median(depth_of(clip)[132:139, 77:84]), abs=0.02)
    bpy.ops.diorama.pick_point(target="focus", point=(0.5, 0.1))
    assert scene.diorama.lens_settings().focus_point == pytest.approx((0.5, 0.1))


def test_the_lens_is_off_by_default(addon: SimpleNamespace, scene: Any) -> None:
    lens = scene.diorama.lens_settings()
    assert (lens.f_stop, lens.vignette, lens.focus, lens.focus_point) == (0.0, 0.0, -1.0, (-1.0, -1.0))
    assert scene.diorama.move_settings().pivot_point == (-1.0, -1.0)


def test_a_click_in_the_preview_is_a_share_of_the_frame(modules: SimpleNamespace, scene: Any) -> None:
    render_settings = scene.render
    assert modules.preview.shares((0, 0), render_settings) == (0.5, 0.5)
    assert modules.preview.shares((-160, 90), render_settings) == (0, 0)
    render_settings.pixel_aspect_x = 2
    assert modules.preview.shares((320, -90), render_settings) == (1, 1)


class FakeRegion(SimpleNamespace):
    type = "PREVIEW"


def test_a_click_is_looked_for_in_visible_previews_only(modules: SimpleNamespace, scene: Any) -> None:
    view = SimpleNamespace(region_to_view=lambda x, y: (x - 200.0, y - 100.0))
    region = FakeRegion(x=50, y=20, width=400, height=200, view2d=view)
    space = SimpleNamespace(view_type="SEQUENCER_PREVIEW")
    area = SimpleNamespace(type="SEQUENCE_EDITOR", spaces=SimpleNamespace(active=space), regions=[region])
    window = SimpleNamespace(screen=SimpleNamespace(areas=[area]))
    assert modules.preview.frame_point(window, scene, 250, 120) == (0.5, 0.5)
    assert modules.preview.frame_point(window, scene, 250 + 159, 120) == pytest.approx((0.996875, 0.5))
    assert modules.preview.frame_point(window, scene, 250 + 170, 120) is None, "beside the picture"
    assert modules.preview.frame_point(window, scene, 10, 10) is None, "beside the preview"
    space.view_type = "SEQUENCER"
    assert modules.preview.preview_regions(window) == []


# ------------------------------------------------------------------ levels


def test_near_stays_above_far(addon: SimpleNamespace, scene: Any) -> None:
    settings = scene.diorama
    settings.near = 0.3
    settings.far = 0.6
    assert settings.far == pytest.approx(0.6) and settings.near == pytest.approx(0.61)
    settings.near = 0.0
    assert settings.near == pytest.approx(0.01) and settings.far == 0.0


def test_invert_counts_for_estimated_depth_only(addon: SimpleNamespace, scene: Any) -> None:
    scene.diorama.invert = True
    assert scene.diorama.depth_settings("").invert
    scene.diorama.depth_source = "picture"
    assert not scene.diorama.depth_settings("").invert
