"""The scene's camera as a source: its picture, its own Z, and a clip; and pictures projected onto a set."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.stills import photo, pixels, psnr, pump_until, render


@pytest.fixture
def set_(addon: SimpleNamespace, scene: Any) -> Any:
    """A cube before a wall, and behind both nothing; a camera with a shifted lens; Cycles with one sample."""
    for item in list(bpy.data.objects):
        bpy.data.objects.remove(item)
    bpy.ops.mesh.primitive_cube_add(size=1, location=(0.4, 4, 0))
    bpy.ops.mesh.primitive_plane_add(size=6, location=(-2, 9, 0), rotation=(1.5708, 0, 0))
    data = bpy.data.cameras.new("view")
    data.lens, data.shift_x, data.sensor_fit = 35, 0.05, "VERTICAL"
    camera = bpy.data.objects.new("view", data)
    camera.rotation_euler = (1.5708, 0, 0)
    scene.collection.objects.link(camera)
    scene.camera = camera
    bpy.ops.object.light_add(type="SUN", rotation=(0.7, 0.3, 0))
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.view_settings.view_transform = "Standard"
    scene.frame_set(7)
    return scene


def clips(addon: SimpleNamespace, scene: Any) -> list[Any]:
    return [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]


def look(scene: Any) -> tuple[Any, ...]:
    render_settings = scene.render
    return (
        scene.frame_current, render_settings.filepath, render_settings.engine, len(bpy.data.scenes),
        render_settings.image_settings.file_format, scene.view_layers[0].use_pass_z, sorted(bpy.data.images.keys()),
    )


def test_the_camera_view_becomes_a_clip_with_the_scenes_own_depth(
    addon: SimpleNamespace, set_: Any, tmp_path: Path
) -> None:
    before = look(set_)
    set_.diorama.move, set_.diorama.amount = "truck_right", 0.05
    addon.preferences.preferences().clip_format = "png"
    assert bpy.ops.diorama.animate_camera_view(seconds=0.25) == {"FINISHED"}
    assert look(set_) == before

    def done() -> bool:
        jobs = addon.runtime.queue.jobs
        return bool(clips(addon, set_)) or any(job.error or addon.results.note_of(job) for job in jobs)

    pump_until(addon, done, 120)
    (clip,) = clips(addon, set_)
    assert look(set_) == before
    assert (addon.compat.left_handle(clip), addon.compat.right_handle(clip)) == (7, 13)
    settings = json.loads(clip.diorama.request)
    folder = Path(settings["z_picture"]).parent
    own = bpy.path.abspath(clip.directory)
    first = pixels(Path(own) / clip.elements[0].filename, "RGB")
    assert psnr(first, pixels(folder / "still.png", "RGB")) >= 38
    assert psnr(first, pixels(Path(own) / clip.elements[-1].filename, "RGB")) < 40
    k = settings["intrinsics"]
    assert k[0] == pytest.approx(35 / 24 * 180, rel=1e-4)  # the sensor's height of 24 mm is fitted
    assert k[2] == pytest.approx(159.5 - 0.05 * 180, abs=1e-3)
    copy = render(set_, 7, tmp_path / "timeline.png")
    assert psnr(copy[..., :3], first) >= 38


def test_the_camera_view_goes_to_generate(addon: SimpleNamespace, set_: Any, peer: Any) -> None:
    peer.prompt, peer.takes = "the lamp swings", 2
    assert bpy.ops.diorama.animate_camera_view(to="GENERATE", seconds=0.25) == {"FINISHED"}
    asked: dict[str, Any] = {}

    def done() -> bool:
        asked.update({job.id: job.request for job in addon.runtime.queue.jobs if hasattr(job.request, "generate")})
        jobs = addon.runtime.queue.jobs
        return len(clips(addon, set_)) == 2 or any(job.error or addon.results.note_of(job) for job in jobs)

    pump_until(addon, done, 120)
    made = clips(addon, set_)
    assert len(made) == 2 and {addon.compat.left_handle(clip) for clip in made} == {7}
    assert {request.generate.prompt for request in asked.values()} == {"the lamp swings"}
    assert len({request.generate.seed for request in asked.values()}) == 2
    (still,) = {request.image for request in asked.values()}
    assert pixels(still).shape == (180, 320, 4) and Path(still).is_file()
    assert all(request.num_frames == 6 for request in asked.values())


def test_a_look_is_not_applied_twice(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    set_.view_settings.view_transform = "AgX"
    addon.preferences.preferences().clip_format = "png"
    assert bpy.ops.diorama.animate_camera_view(seconds=0.05) == {"FINISHED"}
    pump_until(addon, lambda: clips(addon, set_), 120)
    (clip,) = clips(addon, set_)
    first = pixels(Path(bpy.path.abspath(clip.directory)) / clip.elements[0].filename, "RGB")
    settings = set_.render.image_settings
    settings.file_format, settings.color_mode, set_.render.filepath = "PNG", "RGB", str(tmp_path / "shown.png")
    bpy.ops.render.render(write_still=True)
    assert psnr(pixels(tmp_path / "shown.png", "RGB"), first) >= 38


def test_refusals_are_one_sentence_and_start_nothing(addon: SimpleNamespace, set_: Any) -> None:
    def refused() -> str:
        with pytest.raises(RuntimeError) as caught:
            bpy.ops.diorama.animate_camera_view()
        return str(caught.value)

    camera = set_.camera
    camera.data.type = "ORTHO"
    assert "orthographic" in refused()
    camera.data.type = "PANO"
    assert "panoramic" in refused()
    camera.data.type = "PERSP"
    set_.camera = None
    assert "no camera" in refused()
    set_.camera = camera
    set_.sequence_editor_clear()
    assert "timeline" in refused()
    assert not addon.runtime.queue.jobs
    assert not list((addon.results.default_data_folder() / "renders").glob("*"))


def test_a_view_of_nothing_is_told(addon: SimpleNamespace, set_: Any) -> None:
    for item in list(set_.objects):
        if item.type == "MESH":
            bpy.data.objects.remove(item)
    assert bpy.ops.diorama.animate_camera_view(seconds=0.2) == {"FINISHED"}
    pump_until(addon, lambda: any(job.error for job in addon.runtime.queue.jobs), 120)
    (job,) = addon.runtime.queue.jobs
    assert job.error.kind == "bad_depth"
    assert not clips(addon, set_)


# ------------------------------------------------------------------ projection


def select(*objects: Any) -> None:
    for item in bpy.context.view_layer.objects:
        item.select_set(item in objects)


def test_a_projected_picture_fills_the_cameras_frame(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    wall = next(item for item in set_.objects if item.name.startswith("Plane"))
    cube = next(item for item in set_.objects if item.name.startswith("Cube"))
    wall.location.x, wall.scale = 0, (4, 4, 4)
    own = bpy.data.materials.new("own")
    cube.data.materials.append(own)
    select(wall, cube)
    picture = photo(tmp_path / "photo.png")
    assert bpy.ops.diorama.project_still(filepath=str(picture)) == {"FINISHED"}
    set_.render.use_sequencer = False
    seen = render(set_, 7, tmp_path / "seen.png")
    assert psnr(seen[..., :3], pixels(picture, "RGB")) >= 38  # on a wall and on a cube's edges alike
    assert cube.data.materials[0] == own
    set_.camera.location.x += 1
    assert psnr(render(set_, 7, tmp_path / "moved.png")[..., :3], pixels(picture, "RGB")) < 25


def coloured(path: Path, rgb: tuple[int, int, int]) -> Path:
    Image.new("RGB", (320, 180), rgb).save(path)
    return path


def bare_wall(scene: Any) -> Any:
    """The wall alone, filling the frame."""
    for item in list(scene.objects):
        if item.name.startswith("Cube"):
            bpy.data.objects.remove(item)
    bpy.context.view_layer.update()
    wall = next(item for item in scene.objects if item.name.startswith("Plane"))
    wall.location.x, wall.scale = 0, (4, 4, 4)
    select(wall)
    return wall


def centre(scene: Any, frame: int, path: Path) -> list[float]:
    """What the camera sees in the middle of its frame."""
    scene.render.use_sequencer = False
    return render(scene, frame, path)[85:95, 155:165, :3].mean(axis=(0, 1)).tolist()


def test_a_folder_of_pictures_plays_on_the_set(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    bare_wall(set_)
    folder = tmp_path / "clip"
    folder.mkdir()
    for index, rgb in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255)), 1):
        coloured(folder / f"frame_{index:04}.png", rgb)
    assert bpy.ops.diorama.project_still(filepath=str(folder)) == {"FINISHED"}
    seen = [centre(set_, frame, tmp_path / "seen.png") for frame in (1, 2, 3)]
    assert [colours.index(max(colours)) for colours in seen] == [0, 1, 2]
    assert all(max(colours) > 250 and sorted(colours)[1] < 5 for colours in seen)


def test_a_movie_plays_on_the_set(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    bare_wall(set_)
    movie = tmp_path / "clip.mkv"
    make_movie(movie, [(250, 10, 10)] * 4 + [(10, 10, 250)] * 4)
    assert bpy.ops.diorama.project_still(filepath=str(movie)) == {"FINISHED"}
    (image,) = [item for item in bpy.data.images if "diorama_projection" in item]
    assert image.source == "MOVIE"
    first, last = centre(set_, 2, tmp_path / "first.png"), centre(set_, 7, tmp_path / "last.png")
    assert first[0] > 230 > 30 > first[2]
    assert last[2] > 230 > 30 > last[0]


def make_movie(path: Path, colours: list[tuple[int, int, int]]) -> None:
    """A movie of plain frames, by Blender's own encoder: a colour strip each."""
    film = bpy.data.scenes.new("film")
    strips = film.sequence_editor_create()
    strips = strips.strips if hasattr(strips, "strips") else strips.sequences
    for frame, rgb in enumerate(colours, 1):
        still = coloured(path.with_name(f"movie_{frame}.png"), rgb)
        strips.new_image(str(frame), str(still), 1, frame)
    film.frame_start, film.frame_end = 1, len(colours)
    film.render.resolution_x, film.render.resolution_y, film.render.resolution_percentage = 320, 180, 100
    film.view_settings.view_transform = "Standard"
    settings = film.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    film.render.ffmpeg.format, film.render.ffmpeg.codec = "MKV", "FFV1"
    film.render.filepath, film.render.use_file_extension = str(path), False
    with bpy.context.temp_override(scene=film):
        bpy.ops.render.render(animation=True)
    bpy.data.scenes.remove(film)


def test_projecting_again_replaces_only_its_own(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    cube = next(item for item in set_.objects if item.name.startswith("Cube"))
    bystander = bpy.data.materials.new("view Projection")
    bystander.use_fake_user = True
    select(cube)
    picture = photo(tmp_path / "photo.png", 200, 200)
    for _ in range(2):
        assert bpy.ops.diorama.project_still(filepath=str(picture)) == {"FINISHED"}
        made = [m for m in bpy.data.materials if "diorama_projection" in m]
        assert len(made) == 1
        assert cube.material_slots[0].material == made[0]
        assert len([item for item in bpy.data.objects if "diorama_projection" in item]) == 1
        assert len([image for image in bpy.data.images if "diorama_projection" in image]) == 1
    assert bystander.name in bpy.data.materials
    assert np.allclose(cube.matrix_world.translation, (0.4, 4, 0))


def test_what_cannot_be_projected_is_told(addon: SimpleNamespace, set_: Any, tmp_path: Path) -> None:
    cube = next(item for item in set_.objects if item.name.startswith("Cube"))

    def refused(path: Path) -> str:
        with pytest.raises(RuntimeError) as caught:
            bpy.ops.diorama.project_still(filepath=str(path))
        return str(caught.value)

    select()
    assert "No mesh object" in refused(photo(tmp_path / "photo.png"))
    select(cube)
    assert "no picture" in refused(tmp_path / "none.png")
    (tmp_path / "bad.png").write_text("no picture")
    assert "cannot be read" in refused(tmp_path / "bad.png")
    set_.camera.data.type = "ORTHO"
    assert "orthographic" in refused(tmp_path / "photo.png")
    assert not [m for m in bpy.data.materials if "diorama_projection" in m]
    assert not [item for item in bpy.data.objects if "diorama_projection" in item]
    assert not [image for image in bpy.data.images if "diorama_projection" in image]
