"""A rig in a project: saved, moved, packed, undone; and one plain sentence for all that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender.rigs import add_photo, build, modules, owned_blocks, render_rig, settle
from tests.blender.stills import pixels, psnr, pump_until, render


def project(addon: SimpleNamespace, scene: Any, folder: Path) -> Any:
    """A saved project with a rig; its files lie beside the .blend."""
    folder.mkdir()
    addon.preferences.preferences().clip_folder = "//diorama"
    add_photo(addon, scene, folder, length=4)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "film.blend"))
    (rig,) = build(addon)
    bpy.ops.wm.save_mainfile()
    return rig


def rest(addon: SimpleNamespace, rig_id: str, photo: Path, out: Path) -> float:
    rig = modules(addon).owned.find(rig_id)
    return psnr(render_rig(rig.scene, 1, out)[..., :3], pixels(photo, "RGB"))


def test_a_moved_project_still_works(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    rig = project(addon, scene, tmp_path / "here")
    rig_id = rig.id
    assert rig.facts["folder"].startswith("//diorama")
    images = [image.filepath for image in bpy.data.images if "diorama_rig" in image]
    assert images and all(path.startswith("//diorama") for path in images)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    shutil.move(tmp_path / "here", tmp_path / "there")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "there" / "film.blend"))
    there = tmp_path / "there"
    assert modules(addon).owned.find(rig_id).folder.is_dir()
    assert rest(addon, rig_id, there / "photo.png", tmp_path / "rest.png") >= 40
    opened = bpy.context.scene
    opened.sequence_editor.active_strip = modules(addon).strips.live_strips(rig_id)[0][1]
    opened.diorama.near_is_bright = False
    opened.diorama.depth_picture = str(there / "depth.png")
    assert bpy.ops.diorama.bake_fast() == {"FINISHED"}
    strips = modules(addon).strips
    pump_until(addon, lambda: strips.clips_of(opened, rig_id))
    (clip,) = strips.clips_of(opened, rig_id)
    assert clip.filepath.startswith("//diorama") and Path(bpy.path.abspath(clip.filepath)).parent == there / "diorama"
    opened.sequence_editor.active_strip = strips.live_strips(rig_id)[0][1]
    assert bpy.ops.diorama.rig_depth() == {"FINISHED"}
    settle(addon)
    assert rest(addon, rig_id, there / "photo.png", tmp_path / "again.png") >= 40


def test_a_packed_project_needs_no_files(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    rig_id = project(addon, scene, tmp_path / "here").id
    bpy.ops.file.pack_all()
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    shutil.rmtree(tmp_path / "here" / "diorama")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "here" / "film.blend"))
    assert rest(addon, rig_id, tmp_path / "here" / "photo.png", tmp_path / "rest.png") >= 40


def test_undo_takes_the_rig_away_in_one_step(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    bpy.ops.ed.undo_push(message="Photo")
    build(addon)
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.undo()
    assert not owned_blocks()
    assert [strip.type for strip in addon.compat.strips_all(bpy.data.scenes["Scene"])] == ["IMAGE"]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.redo()
    (rig,) = modules(addon).owned.rigs()
    assert len(modules(addon).strips.live_strips(rig.id)) == 1 and len(rig.layers) >= 2


def test_switching_keeps_both(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    (rig,) = build(addon)
    strips = modules(addon).strips
    live = strips.live_strips(rig.id)[0][1]
    scene.sequence_editor.active_strip = live
    with pytest.raises(RuntimeError, match="No clip was baked"):
        bpy.ops.diorama.rig_switch()
    clip = addon.compat.strips(scene.sequence_editor).new_image("clip", str(tmp_path / "photo.png"), 3, 1)
    clip.diorama.is_clip, clip.diorama.rig_id = True, rig.id
    for shows_live in (False, True, False):
        assert bpy.ops.diorama.rig_switch() == {"FINISHED"}
        assert (live.mute, clip.mute) == (not shows_live, shows_live)
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not clip.mute and not owned_blocks()


# ------------------------------------------------------------------ bad input


def refused(operator: Any, sentence: str, **options: Any) -> None:
    with pytest.raises(RuntimeError, match=sentence):
        operator(**options)


def test_cameras_that_are_none(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    (rig,) = build(addon)
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(rig.id)[0][1]
    camera = rig.camera.data
    camera.type = "ORTHO"
    refused(bpy.ops.diorama.rig_fit, "orthographic")
    camera.type = "PANO"
    refused(bpy.ops.diorama.rig_fit, "panoramic")
    camera.type = "PERSP"
    rig.scene.camera = None
    refused(bpy.ops.diorama.rig_fit, "has no camera")
    bpy.data.objects.remove(rig.camera)
    refused(bpy.ops.diorama.rig_move, "The camera of .* was deleted", add=False)
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"} and not owned_blocks()


def test_files_that_are_gone(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    (rig,) = build(addon)
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(rig.id)[0][1]
    blocks = owned_blocks()
    shutil.rmtree(rig.folder)
    refused(bpy.ops.diorama.rig_depth, "The photo of this rig is missing")
    assert owned_blocks() == blocks


def test_broken_layers_leave_nothing_half_built(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path)
    assert bpy.ops.diorama.build_rig() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: job.result is not None)
    meshes = sorted(Path(job.result["folder"]).glob("*.npz"))
    meshes[-1].write_bytes(b"no mesh")
    pump_until(addon, lambda: addon.results.note_of(job))
    assert "broken" in addon.results.note_of(job) and not owned_blocks()
    assert [strip.type for strip in addon.compat.strips_all(scene)] == ["IMAGE"]


def test_undone_while_it_was_built(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    owned = modules(addon).owned
    add_photo(addon, scene, tmp_path)
    assert bpy.ops.diorama.build_rig() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: bool(owned.rigs()))
    owned.remove(owned.rigs()[0].id)
    pump_until(addon, lambda: addon.results.note_of(job))
    assert "taken away" in addon.results.note_of(job) and not owned_blocks()


def test_the_photo_went_while_layers_were_made(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    still = add_photo(addon, scene, tmp_path)
    assert bpy.ops.diorama.build_rig() == {"FINISHED"}
    addon.compat.strips(scene.sequence_editor).remove(still)
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: addon.results.note_of(job))
    assert "no longer on the timeline" in addon.results.note_of(job) and not owned_blocks()


def test_scenes_that_cannot_be_worked_on(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    refused(bpy.ops.diorama.build_rig, "No strip is selected")
    refused(bpy.ops.diorama.rig_remove, "No rig is selected")
    scene.sequence_editor_clear()
    refused(bpy.ops.diorama.build_rig, "no timeline")


def test_names_may_clash(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    for kind in ("scenes", "collections"):
        getattr(bpy.data, kind).new("Diorama: still")
    taken = [bpy.data.objects.new(name, None) for name in ("Camera", "Pivot", "Layer 0")]
    add_photo(addon, scene, tmp_path)
    (rig,) = build(addon)
    assert rig.scene.name == "Diorama: still.001" and rig.camera not in taken
    scene.sequence_editor.active_strip = modules(addon).strips.live_strips(rig.id)[0][1]
    assert bpy.ops.diorama.rig_remove() == {"FINISHED"}
    assert not owned_blocks() and {"Diorama: still", "Scene"} <= {item.name for item in bpy.data.scenes}


def test_a_linked_rig_is_left_alone(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    rig = project(addon, scene, tmp_path / "here")
    name, rig_id = rig.scene.name, rig.id
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    with bpy.data.libraries.load(str(tmp_path / "here" / "film.blend"), link=True) as (_, into):
        into.scenes = [name]
    fresh = bpy.context.scene
    strip = addon.compat.strips(fresh.sequence_editor_create()).new_scene("linked", bpy.data.scenes[name], 1, 1)
    strip.diorama.rig_id = rig_id
    fresh.sequence_editor.active_strip = strip
    for verb in ("rig_remove", "rig_move", "rig_fit", "rig_depth"):
        refused(getattr(bpy.ops.diorama, verb), "linked from another file")
    assert render(fresh, 1, tmp_path / "linked.png").shape
