"""A rig's camera becomes a clip, by the engine and by another Blender, and both show the same."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from devtools.photo import default_photo
from tests.blender.rigs import add_photo, build, modules
from tests.blender.stills import pixels, psnr, pump_until, render, span


@pytest.fixture
def rig(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> Any:
    add_photo(addon, scene, tmp_path, length=4)
    scene.diorama.move, scene.diorama.amount = "truck_right", 0.05
    addon.preferences.preferences().clip_format = "png"
    (made,) = build(addon)
    (live,) = [strip for _, strip in modules(addon).strips.live_strips(made.id)]
    scene.sequence_editor.active_strip = live
    return made


def module(addon: SimpleNamespace, name: str) -> Any:
    return importlib.import_module(f"{addon.package}.{name}")


def baked_clips(addon: SimpleNamespace, scene: Any, rig: Any) -> list[Any]:
    return sorted(modules(addon).strips.clips_of(scene, rig.id), key=lambda clip: clip.channel)


def live_of(addon: SimpleNamespace, rig: Any) -> Any:
    return modules(addon).strips.live_strips(rig.id)[0][1]


def pictures(clip: Any) -> list[np.ndarray]:
    folder = Path(bpy.path.abspath(clip.directory))
    return [pixels(folder / element.filename, "RGB") for element in clip.elements]


def state(scene: Any) -> tuple[Any, ...]:
    camera = scene.camera
    return scene.frame_current, tuple(camera.location), camera.data.lens, scene.render.filepath, scene.render.engine


def fast(addon: SimpleNamespace, scene: Any, rig: Any, **options: Any) -> Any:
    assert bpy.ops.diorama.bake_fast(**options) == {"FINISHED"}
    settle_bake(addon, scene, rig)
    return baked_clips(addon, scene, rig)[-1]


def slow(addon: SimpleNamespace, scene: Any, rig: Any) -> Any:
    assert bpy.ops.diorama.bake_blender(engine="CYCLES", samples=1) == {"FINISHED"}
    settle_bake(addon, scene, rig)
    return baked_clips(addon, scene, rig)[-1]


def settle_bake(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    before = len(baked_clips(addon, scene, rig))

    def done() -> bool:
        jobs = addon.runtime.queue.jobs
        return len(baked_clips(addon, scene, rig)) > before or any(j.error or addon.results.note_of(j) for j in jobs)

    pump_until(addon, done, 120)
    assert [(job.error, addon.results.note_of(job), job.details) for job in addon.runtime.queue.jobs] == []


# ------------------------------------------------------------------ the fast bake


def test_the_engines_clip_lies_over_the_live_strip_and_looks_like_it(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    rig.scene.render.engine, rig.scene.cycles.samples = "CYCLES", 1
    live = live_of(addon, rig)
    before = state(rig.scene), state_of_scene(scene)
    shown = render(scene, 3, tmp_path / "live.png")
    clip = fast(addon, scene, rig)
    assert (state(rig.scene), state_of_scene(scene)) == before
    assert span(addon, clip) == span(addon, live)
    assert clip.channel > live.channel
    assert (live.mute, clip.mute) == (True, False)
    assert (clip.diorama.rig_id, clip.diorama.source_id) == (rig.id, live.diorama.source_id)
    assert psnr(shown[..., :3], render(scene, 3, tmp_path / "baked.png")[..., :3]) >= 38


def state_of_scene(scene: Any) -> tuple[Any, ...]:
    return scene.frame_current, len(bpy.data.scenes), scene.name


def test_a_trimmed_strip_is_baked_as_it_is_shown(addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path) -> None:
    live = live_of(addon, rig)
    whole = pictures(fast(addon, scene, rig))
    if hasattr(live, "left_handle"):
        live.left_handle += 2
    else:
        live.frame_final_start += 2
    live.mute = False
    scene.sequence_editor.active_strip = live
    trimmed = fast(addon, scene, rig)
    assert span(addon, trimmed) == span(addon, live)
    assert [psnr(a, b) for a, b in zip(whole[2:], pictures(trimmed), strict=True)] == [99.0, 99.0]


def test_constraints_noise_and_drivers_are_baked_and_nothing_moves(
    addon: SimpleNamespace, scene: Any, rig: Any
) -> None:
    camera = rig.scene.camera
    aim = bpy.data.objects.new("aim", None)
    rig.scene.collection.objects.link(aim)
    aim.location = (0.1, 2.0, 0.05)
    camera.constraints.new("TRACK_TO").target = aim
    drive = camera.data.driver_add("shift_x").driver
    drive.expression = "frame * 0.01"
    before = state(rig.scene)
    bake = module(addon, "rig.bake")
    steps, views = bake.view_steps(rig.scene.name, [1, 2, 3, 4]), None
    while views is None:
        try:
            next(steps)
        except StopIteration as done:
            views = done.value
    assert state(rig.scene) == before
    expected = modules(addon).sample.evaluated_views(rig.scene, None, [1, 2, 3, 4], 320, 180)
    for view, other in zip(views, expected, strict=True):
        assert np.abs(view.world2cam - other.world2cam).max() < 1e-6
        assert vars(view.intrinsics) == pytest.approx(vars(other.intrinsics), abs=1e-4)
    assert views[3].intrinsics.cx - views[0].intrinsics.cx == pytest.approx(-0.03 * 320, abs=1e-3)
    assert len(bpy.data.scenes) == 2


def test_a_long_bake_is_read_in_short_pieces(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    bake = module(addon, "rig.bake")
    steps = bake.view_steps(rig.scene.name, list(range(1, 5)) * 100)
    pieces = []
    started = time.perf_counter()
    for _ in steps:
        pieces.append(time.perf_counter() - started)
        started = time.perf_counter()
    assert len(pieces) >= 1


def test_blender_to_opencv_and_back(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    axes = modules(addon).axes
    camera = rig.scene.camera
    data = camera.data
    for fit, sensor, size, aspect in (
        ("AUTO", (36, 24), (320, 180), (1, 1)),
        ("AUTO", (30, 20), (180, 320), (1, 1)),
        ("VERTICAL", (36, 20), (320, 180), (1, 1)),
        ("HORIZONTAL", (36, 24), (180, 320), (1, 1.5)),
    ):
        data.sensor_fit, (data.sensor_width, data.sensor_height) = fit, sensor
        data.shift_x, data.shift_y = 0.07, -0.11
        rig.scene.render.pixel_aspect_x, rig.scene.render.pixel_aspect_y = aspect
        rig.scene.render.resolution_x, rig.scene.render.resolution_y = size
        (view,) = modules(addon).sample.evaluated_views(rig.scene, None, [2], *size)
        back = axes.intrinsics_of(axes.lens_of(view.intrinsics, *size), *size)
        assert vars(back) == pytest.approx(vars(view.intrinsics), abs=1e-6)
        rig.scene.frame_set(2)
        depsgraph = rig.scene.view_layers[0].depsgraph
        evaluated = camera.evaluated_get(depsgraph)
        window = np.array(evaluated.calc_matrix_camera(
            depsgraph, x=size[0], y=size[1], scale_x=aspect[0], scale_y=aspect[1]
        )) @ np.array(evaluated.matrix_world.inverted())
        point = np.array([0.3, 2.5, -0.2])
        clip = window @ [*point, 1]
        expected = (
            (clip[0] / clip[3] + 1) / 2 * size[0] - 0.5,
            (1 - clip[1] / clip[3]) / 2 * size[1] - 0.5,
        )
        seen = view.world2cam[:3, :3] @ (axes.WORLD.T @ point) + view.world2cam[:3, 3]
        k = view.intrinsics
        assert (k.fx * seen[0] / seen[2] + k.cx, k.fy * seen[1] / seen[2] + k.cy) == pytest.approx(expected, abs=1e-3)


def test_passes_come_muted_above_the_clip(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    clip = fast(addon, scene, rig, passes={"depth", "disocclusion"})
    others = [
        s for s in addon.compat.strips_all(scene)
        if s.diorama.is_clip and s != clip and s.diorama.job_id == clip.diorama.job_id
    ]
    assert len(others) == 2
    assert all(other.mute and other.channel > clip.channel for other in others)
    assert baked_clips(addon, scene, rig) == [clip]


def test_the_depth_pass_keeps_its_sixteen_bits_on_the_timeline(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    addon.preferences.preferences().clip_format = "h264"
    clip = fast(addon, scene, rig, passes={"depth"})
    (depth,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip and s != clip]
    depth.mute = False
    scene.view_settings.view_transform = "Standard"
    scene.render.dither_intensity = 0
    settings = scene.render.image_settings
    addon.compat.set_output_image(settings, "PNG")
    settings.color_mode, settings.color_depth, scene.render.filepath = "BW", "16", str(tmp_path / "depth16.png")
    bpy.ops.render.render(write_still=True)
    shown = np.asarray(Image.open(tmp_path / "depth16.png"))
    written = np.asarray(Image.open(Path(bpy.path.abspath(depth.directory)) / depth.elements[0].filename))
    assert (written % 257).any()  # levels that 8 bits do not have
    assert np.abs(shown.astype(int) - written.astype(int)).max() <= 2


# ------------------------------------------------------------------ the Blender bake


def test_both_bakes_agree_on_a_real_photo(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photo(addon, scene, tmp_path, length=3)
    Image.open(default_photo()).convert("RGB").resize((320, 180)).save(tmp_path / "photo.png")
    scene.diorama.depth_source = "draft"
    scene.diorama.move, scene.diorama.amount = "orbit", 0.05
    addon.preferences.preferences().clip_format = "png"
    (rig,) = build(addon)
    scene.sequence_editor.active_strip = live_of(addon, rig)
    before = state(rig.scene)
    quick = pictures(fast(addon, scene, rig))
    scene.sequence_editor.active_strip = live_of(addon, rig)
    clip = slow(addon, scene, rig)
    exact = pictures(clip)
    assert state(rig.scene) == before
    agreement = [psnr(a, b) for a, b in zip(quick, exact, strict=True)]
    assert min(agreement) >= 38
    assert psnr(quick[0], quick[2]) < 35
    assert not list((addon.results.default_data_folder() / "renders").iterdir())


def test_a_render_becomes_a_movie_as_the_preferences_say(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    addon.preferences.preferences().clip_format = "ffv1"
    scene.view_settings.view_transform = "Standard"
    quick = fast(addon, scene, rig)
    shown = render(scene, 3, tmp_path / "quick.png")
    quick.mute = True
    scene.sequence_editor.active_strip = live_of(addon, rig)
    clip = slow(addon, scene, rig)
    assert clip.type == "MOVIE" and clip.filepath.endswith(".mkv") and span(addon, clip) == span(addon, quick)
    assert psnr(shown[..., :3], render(scene, 3, tmp_path / "exact.png")[..., :3]) >= 38
    assert json.loads(clip.diorama.request) == {"engine": "CYCLES", "samples": 1}
    for folder in ("renders", "footage"):
        assert not list((addon.results.default_data_folder() / folder).iterdir())
    assert [path.name for path in (tmp_path / "clips").iterdir() if "render" in path.name and path.is_dir()] == []


def test_a_transparent_render_stays_pictures(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    addon.preferences.preferences().clip_format = "h264"
    rig.scene.render.film_transparent = True
    for layer in rig.layers:
        layer.hide_render = True
    clip = slow(addon, scene, rig)
    assert clip.type == "IMAGE"
    assert np.asarray(Image.open(Path(bpy.path.abspath(clip.directory)) / clip.elements[0].filename)).max() == 0


def test_a_live_strip_of_half_size_is_baked_whole(
    addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path
) -> None:
    rig.scene.render.engine, rig.scene.cycles.samples = "CYCLES", 1
    scene.view_settings.view_transform = "Standard"
    whole = render(scene, 3, tmp_path / "whole.png")
    assert bpy.ops.diorama.rig_live_size(percentage="50") == {"FINISHED"}
    half = render(scene, 3, tmp_path / "half.png")
    assert 25 < psnr(whole[..., :3], half[..., :3]) < 45  # in the same place, with fewer pixels
    for clip in (fast(addon, scene, rig), slow(addon, scene, rig)):
        assert pictures(clip)[0].shape == (180, 320, 3)
        clip.mute = False
        assert psnr(whole[..., :3], render(scene, 3, tmp_path / "baked.png")[..., :3]) >= 38
        clip.mute = True
        scene.sequence_editor.active_strip = live_of(addon, rig)
    assert bpy.ops.diorama.rig_live_size(percentage="100") == {"FINISHED"}
    live_of(addon, rig).mute = False
    assert psnr(whole[..., :3], render(scene, 3, tmp_path / "again.png")[..., :3]) > 60


def test_added_objects_are_in_the_blender_bake(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    quick = pictures(fast(addon, scene, rig))
    mesh = bpy.data.meshes.new("card")
    mesh.from_pydata([(-0.1, 0.6, -0.1), (0.1, 0.6, -0.1), (0.1, 0.6, 0.1), (-0.1, 0.6, 0.1)], [], [(0, 1, 2, 3)])
    rig.scene.collection.objects.link(bpy.data.objects.new("card", mesh))
    scene.sequence_editor.active_strip = live_of(addon, rig)
    exact = pictures(slow(addon, scene, rig))
    assert psnr(quick[0][70:110, 140:180], exact[0][70:110, 140:180]) < 20
    assert psnr(quick[0][:40], exact[0][:40]) > 35


def test_cancel_of_a_render_leaves_nothing(addon: SimpleNamespace, scene: Any, rig: Any, tmp_path: Path) -> None:
    rig.scene.cycles.samples = 64
    assert bpy.ops.diorama.bake_blender(engine="CYCLES", samples=4000) == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    pump_until(addon, lambda: (job.stage == "scene" and job.total == 1) or job.error)
    assert bpy.ops.diorama.cancel(job_id=job.id) == {"FINISHED"}
    pump_until(addon, lambda: not addon.runtime.queue.jobs, 10)
    assert job.state.name == "cancelled"
    assert not [path for path in (tmp_path / "clips").iterdir() if "render" in path.name]
    assert not baked_clips(addon, scene, rig)


# ------------------------------------------------------------------ bad input


def refused(operator: Any, **options: Any) -> str:
    with pytest.raises(RuntimeError) as caught:
        operator(**options)
    text = str(caught.value)
    assert text.count("Error: ") == 1
    return text


def test_what_cannot_be_baked_is_told_in_a_sentence(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    both = (bpy.ops.diorama.bake_fast, bpy.ops.diorama.bake_blender)
    camera = rig.scene.camera
    strips = len(addon.compat.strips_all(scene))
    for kind, word in (("ORTHO", "orthographic"), ("PANO", "panoramic")):
        camera.data.type = kind
        assert all(word in refused(verb) for verb in both)
    camera.data.type = "PERSP"
    rig.scene.camera = None
    assert all("no camera" in refused(verb) for verb in both)
    rig.scene.camera = camera
    rig.folder.rename(rig.folder.with_name("moved"))
    assert "missing" in refused(bpy.ops.diorama.bake_fast)
    assert len(addon.compat.strips_all(scene)) == strips
    assert not addon.runtime.queue.jobs


def test_layers_that_were_changed_are_told(addon: SimpleNamespace, scene: Any, rig: Any) -> None:
    layer = rig.layers[-1]
    layer.data.vertices[0].co.x += 0.1
    assert "was moved, edited or hidden" in refused(bpy.ops.diorama.bake_fast)
    layer.data.vertices[0].co.x -= 0.1
    layer.location.z = 1
    assert "was moved, edited or hidden" in refused(bpy.ops.diorama.bake_fast)
    bpy.data.objects.remove(layer)
    assert "was deleted" in refused(bpy.ops.diorama.bake_fast)
    assert not addon.runtime.queue.jobs


def test_no_rig_is_told(addon: SimpleNamespace, scene: Any) -> None:
    assert "No rig is selected" in refused(bpy.ops.diorama.bake_fast)
    assert "No rig is selected" in refused(bpy.ops.diorama.bake_blender)
