"""From a photo strip to a rig on the timeline: what is built shows the photo, and all of it goes again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.rigs import add_photo, all_blocks, build, modules, owned_blocks, render_rig
from tests.blender.stills import add_still, photo, pixels, psnr, render, span


def test_the_rest_pose_returns_the_photo(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    scene.render.fps, scene.render.fps_base = 30, 1.001
    still = add_photo(addon, scene, tmp_path, start=5)
    (rig,) = build(addon)
    assert len(rig.layers) >= 2 and rig.scene.camera == rig.camera
    assert (rig.scene.render.resolution_x, rig.scene.render.resolution_y) == (320, 180)
    assert (rig.scene.render.fps, round(rig.scene.render.fps_base, 6)) == (30, 1.001)
    assert (rig.scene.frame_start, rig.scene.frame_end) == (1, 12)
    shown = render_rig(rig.scene, 1, tmp_path / "rest.png")
    assert shown[..., 3].min() == 255
    decibels = psnr(shown[..., :3], pixels(tmp_path / "photo.png", "RGB"))
    assert decibels >= 40
    ((owner, strip),) = modules(addon).strips.live_strips(rig.id)
    assert owner == scene and strip.channel == 2 and span(addon, strip) == span(addon, still)
    assert scene.sequence_editor.active_strip != strip and not strip.select
    assert not addon.runtime.queue.jobs


def test_the_strip_shows_the_rig_at_once(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    before = render(scene, 1, tmp_path / "before.png")
    (rig,) = build(addon)
    rig.scene.render.engine = "CYCLES"
    assert psnr(before[..., :3], render(scene, 1, tmp_path / "after.png")[..., :3]) >= 40
    last = render(scene, 12, tmp_path / "last.png")
    assert 10 < psnr(before[..., :3], last[..., :3]) < 38


def test_removing_leaves_nothing(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    before = all_blocks()
    (rig,) = build(addon)
    assert len(owned_blocks()) >= 10
    text = bpy.data.objects.new("Title", None)
    rig.scene.collection.objects.link(text)
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(rig.id)[0][1]
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks()
    assert all_blocks() - before == {"Object/Title"} and text.use_fake_user
    assert [strip.name for strip in addon.compat.strips_all(scene)] == ["still"]


def test_two_rigs_in_one_file(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    path = add_photo(addon, scene, tmp_path, length=4) and tmp_path / "photo.png"
    add_still(addon, scene.sequence_editor, path, start=5, length=3)
    first, second = build(addon, 2)
    assert first.id != second.id and first.folder != second.folder
    kept = {key for key in owned_blocks() if "scenes/" in key}
    assert len(kept) == 2
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(first.id)[0][1]
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    owned = modules(addon).owned
    (left,) = owned.rigs()
    assert left.id == second.id
    assert {block.get("diorama_rig") for block in owned.blocks(second.id)} == {second.id}
    assert psnr(render_rig(left.scene, 1, tmp_path / "rest.png")[..., :3], pixels(path, "RGB")) >= 40


def test_a_portrait_photo_lies_where_its_strip_shows_it(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    Image.new("RGB", (320, 180), (30, 120, 200)).save(tmp_path / "blue.png")
    add_still(addon, scene.sequence_editor, tmp_path / "blue.png", channel=1, name="below").select = False
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "tall.png", 500, 720), channel=2)
    still.transform.scale_x = still.transform.scale_y = 0.25
    still.transform.offset_x = 31
    still.blend_type = "ALPHA_OVER"
    before = render(scene, 1, tmp_path / "before.png")
    (rig,) = build(addon)
    assert rig.size[0] < rig.size[1] == rig.scene.render.resolution_y
    rig.scene.render.engine = "CYCLES"
    after = render(scene, 1, tmp_path / "after.png")
    assert psnr(before[..., :3], after[..., :3]) >= 40
    last = render(scene, 12, tmp_path / "last.png")
    assert np.abs(last[90, 5, :3] - (30, 120, 200)).max() <= 1  # 4.2 mixes half-precision pixels


@pytest.mark.parametrize("name", ["BLENDER_WORKBENCH", "eevee"])
def test_other_renderers_show_the_photo_too(addon: SimpleNamespace, scene: Any, tmp_path: Path, name: str) -> None:
    add_photo(addon, scene, tmp_path)
    (rig,) = build(addon)
    engine = modules(addon).compat.eevee() if name == "eevee" else name
    try:
        shown = render_rig(rig.scene, 1, tmp_path / "rest.png", engine)
    except RuntimeError as error:
        pytest.skip(f"no OpenGL here: {error}")
    decibels = psnr(shown[..., :3], pixels(tmp_path / "photo.png", "RGB"))
    assert decibels >= 40
    assert np.isfinite(shown).all()

