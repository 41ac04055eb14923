"""The captured still is the strip as the user sees it; the user's scene is only read."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.stills import add_still, capture, photo, pixels, psnr, render


@pytest.fixture
def still(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    return add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"))


def test_plain_png_is_identical(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png"))


@pytest.mark.parametrize("view", ["AgX", "Filmic", "Raw"])
def test_the_view_transform_of_the_scene_does_not_count(
    addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path, view: str
) -> None:
    scene.view_settings.view_transform = view
    scene.view_settings.exposure = 1.5
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png"))
    assert scene.view_settings.view_transform == view


def test_crop_mirror_and_offset(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    still.crop.min_x, still.crop.max_y = 20, 10
    still.use_flip_x = True
    still.transform.offset_x, still.transform.offset_y = 8, 4
    got, source = capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png")
    assert np.array_equal(got, render(scene, 1, tmp_path / "seen.png"))
    visible = got[..., 3] > 0
    assert 0.75 < visible.mean() < 0.95
    assert not np.array_equal(got[..., :3][visible], source[..., :3][visible])


def test_scale_and_rotation(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    still.transform.scale_x = still.transform.scale_y = 0.6
    still.transform.rotation = 0.3
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), render(scene, 1, tmp_path / "seen.png"))


def test_colour_of_the_strip_and_modifiers(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    still.color_saturation = 0.2
    still.modifiers.new("bright", "BRIGHT_CONTRAST").bright = 12
    got = capture(addon, scene, still, tmp_path / "s.tif")
    assert psnr(got, render(scene, 1, tmp_path / "seen.png")) > 50
    assert psnr(got, pixels(tmp_path / "photo.png")) < 30


def test_animation_at_the_first_frame(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    for frame, offset in ((1, 40.0), (12, -40.0)):
        still.transform.offset_x = offset
        still.transform.keyframe_insert("offset_x", frame=frame)
    scene.frame_set(12)
    seen = render(scene, 1, tmp_path / "seen.png")
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), seen)
    assert not seen[:, :39, 3].any()
    assert scene.frame_current == 12 and still.transform.offset_x == -40.0


def test_a_fade_in_does_not_hide_the_still(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    for frame, opacity in ((1, 0.0), (12, 1.0)):
        still.blend_alpha = opacity
        still.keyframe_insert("blend_alpha", frame=frame)
    scene.frame_set(1)
    actions = len(bpy.data.actions)
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png"))
    assert len(bpy.data.actions) == actions and still.blend_alpha == 0.0
    assert len(list(addon.compat.fcurves(scene.animation_data))) == 1


def test_an_effect_over_the_strip_does_not_count(
    addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path
) -> None:
    Image.new("RGB", (320, 180), (255, 0, 0)).save(tmp_path / "red.png")
    add_still(addon, scene.sequence_editor, tmp_path / "red.png", channel=2, name="above").blend_type = "ADD"
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png"))


def test_alpha_is_kept(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = photo(tmp_path / "cut.png", alpha=True)
    got, source = capture(addon, scene, add_still(addon, scene.sequence_editor, path), tmp_path / "s.tif"), pixels(path)
    assert np.array_equal(got[..., 3], source[..., 3])
    inside = source[..., 3] > 0
    assert np.array_equal(got[inside], source[inside])


def test_exif_orientation_is_what_blender_shows(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # Blender ignores it, so what the user sees is not turned either
    path = photo(tmp_path / "turned.jpg", quality=95, exif=exif)
    still = add_still(addon, scene.sequence_editor, path)
    assert psnr(capture(addon, scene, still, tmp_path / "s.tif"), render(scene, 1, tmp_path / "seen.png")) > 60


def test_another_aspect_leaves_the_rest_transparent(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = photo(tmp_path / "tall.png", 90, 180)
    got = capture(addon, scene, add_still(addon, scene.sequence_editor, path), tmp_path / "s.tif")
    assert np.array_equal(got[:, 115:205], pixels(path))
    assert not got[:, :115, 3].any() and not got[:, 205:, 3].any()


def test_a_large_photo_keeps_its_detail(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "large.png", 1280, 720))
    still.transform.scale_x = still.transform.scale_y = 0.25
    described = addon.source.describe(scene, still, tmp_path / "s.tif")
    assert pixels(described.image).shape == (360, 640, 4)
    assert (described.frame_width, described.frame_height) == (320, 180)


@pytest.mark.parametrize("meta_shift", [0, 60])
def test_child_of_a_meta_without_what_the_meta_does(
    addon: SimpleNamespace, scene: Any, tmp_path: Path, meta_shift: int
) -> None:
    meta = addon.compat.strips(scene.sequence_editor).new_meta("meta", 2, 1)
    still = add_still(addon, meta, photo(tmp_path / "photo.png"))
    addon.compat.set_right_handle(meta, 13)
    meta.transform.offset_x = meta_shift
    if meta_shift:
        meta.transform.keyframe_insert("offset_x", frame=1)
    assert np.array_equal(capture(addon, scene, still, tmp_path / "s.tif"), pixels(tmp_path / "photo.png"))
    assert meta.transform.offset_x == meta_shift


def test_user_scene_is_untouched(addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path) -> None:
    scene.render.filepath, scene.render.resolution_percentage, scene.render.use_stamp = "//mine", 50, True
    scene.frame_set(7)

    def state() -> list[Any]:
        render, view = scene.render, scene.view_settings
        return [
            scene.frame_current,
            render.filepath,
            render.resolution_percentage,
            render.use_stamp,
            render.image_settings.file_format,
            render.image_settings.color_mode,
            render.use_sequencer,
            render.use_compositing,
            view.view_transform,
            view.look,
            [(s.name, s.mute, s.select, s.blend_type, s.blend_alpha) for s in addon.compat.strips_all(scene)],
            sorted(s.name for s in bpy.data.scenes),
            len(bpy.data.actions),
            bpy.context.scene.name,
        ]

    before = state()
    assert capture(addon, scene, still, tmp_path / "s.tif").shape == (180, 320, 4)
    assert state() == before


@pytest.mark.parametrize(
    ("fps", "base", "rate"),
    [(24, 1.0, (24, 1)), (24, 1.001, (24000, 1001)), (30, 1.001, (30000, 1001)), (25, 1.0, (25, 1))],
)
def test_frame_rate_is_exact(
    addon: SimpleNamespace, scene: Any, still: Any, tmp_path: Path, fps: int, base: float, rate: tuple[int, int]
) -> None:
    scene.render.fps, scene.render.fps_base = fps, base
    described = addon.source.describe(scene, still, tmp_path / "s.tif")
    assert described.fps == rate and described.num_frames == 12 and described.left_handle == 1
