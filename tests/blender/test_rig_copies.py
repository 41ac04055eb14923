"""What people do to rigs in an outliner and a timeline: copies, duplicates, deletions, other lengths."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.rigs import add_photo, all_blocks, build, modules, owned_blocks, render_rig
from tests.blender.stills import pixels, psnr, render


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    add_photo(addon, scene, tmp_path, length=6)
    (made,) = build(addon)
    scene.sequence_editor.active_strip = live_of(addon, made)
    return made


def live_of(addon: SimpleNamespace, rig: Any) -> Any:
    return modules(addon).strips.live_strips(rig.id)[0][1]


def copied(scene: Any, kind: str) -> Any:
    """What the button beside the scene's name does."""
    window, before = bpy.context.window_manager.windows[0], set(bpy.data.scenes)
    shown = window.scene
    window.scene = scene
    with bpy.context.temp_override(window=window):
        assert bpy.ops.scene.new(type=kind) == {"FINISHED"}
    window.scene = shown
    (made,) = set(bpy.data.scenes) - before
    return made


def strip_of(addon: SimpleNamespace, scene: Any, rig_scene: Any, start: int) -> Any:
    """A Scene strip as Add > Scene makes it, active."""
    strip = addon.compat.strips(scene.sequence_editor).new_scene("by hand", rig_scene, 2, start)
    scene.sequence_editor.active_strip = strip
    return strip


# ------------------------------------------------------------------ copies


def test_a_full_copy_is_a_rig_of_its_own(addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path) -> None:
    owned = modules(addon).owned
    copy = copied(rig.scene, "FULL_COPY")
    assert copy.camera != rig.camera
    strip_of(addon, scene, copy, 20)
    before = owned_blocks()
    assert bpy.ops.diorama.rig_move(add=True) == {"FINISHED"}
    other = owned.rig_of(copy)
    assert other.id != rig.id and owned.find(rig.id).scene == rig.scene
    assert len(copy.diorama_camera.moves) == 2 and len(rig.scene.diorama_camera.moves) == 1
    assert {strip.name for _, strip in modules(addon).strips.live_strips(other.id)} == {"by hand"}
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert len(owned_blocks()) < len(before)
    (left,) = owned.rigs()
    assert left.scene == rig.scene
    assert psnr(render_rig(left.scene, 1, tmp_path / "rest.png")[..., :3], pixels(tmp_path / "photo.png", "RGB")) >= 40


def test_the_original_goes_and_its_copy_stays_whole(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    owned = modules(addon).owned
    copy = copied(rig.scene, "FULL_COPY")
    strip_of(addon, scene, copy, 20)
    assert bpy.ops.diorama.rig_fit() == {"FINISHED"}  # the copy was used once
    scene.sequence_editor.active_strip = live_of(addon, rig)
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    (left,) = owned.rigs()
    assert left.scene == copy
    assert psnr(render_rig(copy, 1, tmp_path / "rest.png")[..., :3], pixels(tmp_path / "photo.png", "RGB")) >= 40
    scene.sequence_editor.active_strip = live_of(addon, left)
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks()


def test_a_linked_copy_is_the_same_rig(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    copy = copied(rig.scene, "LINK_COPY")
    strip_of(addon, scene, copy, 20)
    assert bpy.ops.diorama.rig_move(add=True) == {"FINISHED"}
    assert modules(addon).owned.rig_of(copy).id == rig.id
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks() and [strip.type for strip in addon.compat.strips_all(scene)] == ["IMAGE"]


def test_a_scene_deleted_by_hand_is_cleared_up(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    bpy.data.scenes.remove(rig.scene)
    assert owned_blocks()
    with pytest.raises(RuntimeError, match="was removed"):
        bpy.ops.diorama.rig_fit()
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks() and [strip.type for strip in addon.compat.strips_all(scene)] == ["IMAGE"]


def test_what_a_person_uses_of_a_rig_stays(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    before = all_blocks()
    poster = bpy.data.meshes.new("poster")
    scene.collection.objects.link(bpy.data.objects.new("poster", poster))
    paint = rig.layers[0].data.materials[0]
    poster.materials.append(paint)
    name, picture = paint.name, next(n.image.name for n in paint.node_tree.nodes if n.type == "TEX_IMAGE")
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks()
    assert poster.materials[0].name == name and picture in bpy.data.images
    assert {"Mesh/poster", "Object/poster"} <= all_blocks() - before


# ------------------------------------------------------------------ duplicates on the timeline


def test_each_live_strip_has_its_own_clips(addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path) -> None:
    first, second = live_of(addon, rig), strip_of(addon, scene, rig.scene, 20)
    addon.compat.set_right_handle(second, 26)
    clips: list[Any] = []
    for start in (1, 20):
        clip = addon.compat.strips(scene.sequence_editor).new_image("clip", str(tmp_path / "photo.png"), 3, start)
        clip.diorama.is_clip, clip.diorama.rig_id, clip.mute = True, rig.id, True
        clips.append(clip)
    assert bpy.ops.diorama.rig_switch() == {"FINISHED"}  # the active one is the second
    assert [strip.mute for strip in (first, second, *clips)] == [False, True, True, False]
    scene.sequence_editor.active_strip = clips[1]
    assert bpy.ops.diorama.rig_switch() == {"FINISHED"}
    assert [strip.mute for strip in (first, second, *clips)] == [False, False, True, True]


# ------------------------------------------------------------------ other lengths


def test_a_lengthened_strip_holds_and_then_stretches(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    tools = modules(addon)
    scene.view_settings.view_transform = "Standard"
    rig.scene.render.engine, rig.scene.cycles.samples = "CYCLES", 1
    live = live_of(addon, rig)
    ended = render(scene, 6, tmp_path / "6.png")
    addon.compat.set_right_handle(live, 13)
    assert psnr(render(scene, 12, tmp_path / "12.png")[..., :3], ended[..., :3]) > 50  # the last pose is held
    curve = tools.curves.find(rig.camera, "location", 1)
    end = curve.keyframe_points[-1].co[1]
    rig.camera.delta_rotation_euler.z = 0.01  # not one of the rig's channels: a person's own
    assert bpy.ops.diorama.rig_length() == {"FINISHED"}
    curve = tools.curves.find(rig.camera, "location", 1)
    assert rig.scene.frame_end == 12
    assert [tuple(point.co) for point in curve.keyframe_points] == [(1, 0), (12, pytest.approx(end, abs=1e-4))]
    assert rig.camera.delta_rotation_euler.z == pytest.approx(0.01)
    assert psnr(render(scene, 6, tmp_path / "6.png")[..., :3], ended[..., :3]) < 50


def test_keys_dragged_by_hand_are_stretched_too(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    tools = modules(addon)
    curve = tools.curves.find(rig.camera, "location", 1)
    curve.keyframe_points[1].co[1] = 0.5
    curve.update()
    shape = curve.evaluate(1), curve.evaluate(3.5), curve.evaluate(6)
    photo = next(s for s in addon.compat.strips_all(scene) if s.type == "IMAGE")
    addon.compat.set_right_handle(photo, 17)
    assert bpy.ops.diorama.rig_length(to_photo=True) == {"FINISHED"}
    assert addon.compat.right_handle(live_of(addon, rig)) == 17 and rig.scene.frame_end == 16
    curve = tools.curves.find(rig.camera, "location", 1)
    assert np.allclose([curve.evaluate(frame) for frame in (1, 8.5, 16)], shape, atol=1e-3)
    assert len(curve.keyframe_points) == 2


def test_no_room_to_reach_the_photos_end_is_told(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    photo = next(s for s in addon.compat.strips_all(scene) if s.type == "IMAGE")
    addon.compat.set_right_handle(photo, 40)
    live = live_of(addon, rig)
    strip_of(addon, scene, rig.scene, 20).name = "in the way"
    scene.sequence_editor.active_strip = live
    with pytest.raises(RuntimeError, match="no room behind"):
        bpy.ops.diorama.rig_length(to_photo=True)
    assert rig.scene.frame_end == 6 and addon.compat.right_handle(live) == 7
