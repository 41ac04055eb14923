"""Twelve photos become a sequence as a person makes it, and the sequence becomes a movie in background."""

from __future__ import annotations

import importlib
import wave
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image

from tests.blender.coded import code, pictures, rendered
from tests.blender.generating import A14B
from tests.blender.stills import add_still, photo, pump_until, span
from tests.blender.test_finish import settle

HUES = [(n % 3 * 90 + 30, n // 3 % 2 * 120 + 40, n // 6 * 120 + 40) for n in range(12)]


def add_photos(addon: SimpleNamespace, scene: Any, folder: Path, count: int) -> list[Any]:
    """Photos of one colour each, with a little structure; every third is upright."""
    strips: list[Any] = []
    for number in range(count):
        size = (120, 180) if number % 3 == 2 else (320, 180)
        path = folder / f"photo_{number:02}.png"
        grey = np.asarray(Image.open(photo(path, *size)).convert("L"), np.float64)[..., None]
        Image.fromarray((np.array(HUES[number]) + grey * 0.4).clip(0, 255).astype(np.uint8)).save(path)
        start = 1 + number * 10
        strips.append(add_still(addon, scene.sequence_editor, path, 1 + number % 2, start, 10, f"photo {number}"))
    return strips


def seen(picture: np.ndarray) -> int:
    """Which photo is in the middle of a picture."""
    middle = picture[80:100, 150:170].mean((0, 1)) - 51
    return int(np.argmin([np.abs(middle - hue).sum() for hue in HUES]))


def movie_frames(addon: SimpleNamespace, scene: Any, path: Path, folder: Path) -> list[np.ndarray]:
    """Every frame of a movie, through Blender's own reader."""
    other = bpy.data.scenes.new("movie")
    other.render.resolution_x, other.render.resolution_y = 320, 180
    strip = addon.compat.strips(other.sequence_editor_create()).new_movie("m", str(path), 1, 1, fit_method="ORIGINAL")
    return rendered(other, range(1, addon.compat.content_duration(strip) + 1), folder)


def test_twelve_photos_cut_to_markers_made_and_rendered(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    photos = add_photos(addon, scene, tmp_path, 12)
    cuts = [1, 9, 19, 27, 35, 45, 53, 61, 71, 79, 87, 97, 105]
    for number, frame in enumerate(cuts[1:]):
        scene.timeline_markers.new(f"beat {number}", frame=frame)
    settings = scene.diorama_combine
    settings.style, settings.beats, settings.fade = "lively", "MARKERS", "CROSS"
    assert bpy.ops.diorama.sequence() == {"FINISHED"}
    meta = scene.sequence_editor.active_strip
    assert (meta.type, span(addon, meta)) == ("META", (1, 105)) and all(strip.mute for strip in photos)
    pump_until(addon, lambda: sum(s.diorama.is_clip for s in addon.compat.strips(meta)) == 12)
    settle(addon)
    inside = addon.compat.strips(meta)
    clips = sorted((s for s in inside if s.diorama.is_clip), key=addon.compat.left_handle)
    fades = sorted((s for s in inside if s.type == "CROSS"), key=addon.compat.left_handle)
    assert len(clips) == 12 and [(f.input_1, f.input_2) for f in fades] == list(pairwise(clips))
    moves = [clip.name.partition(" ")[2].split(" ", 1)[1] for clip in clips]
    assert all(a != b for a, b in pairwise(moves)) and "Truck" not in moves[2] and len(set(moves)) > 4

    scene.frame_start, scene.frame_end = 1, 104
    scene.view_settings.view_transform = "Standard"
    assert bpy.ops.diorama.render_out() == {"FINISHED"}
    settle(addon)
    movie = Path(settings.rendered)
    assert movie.parent == tmp_path / "clips" and movie.suffix == ".mp4"
    frames = movie_frames(addon, scene, movie, tmp_path)
    assert len(frames) == 104 and sorted(path.name for path in movie.parent.glob("*.folder*")) == []
    # Fades of 4 frames lie around each cut: two frames before it and after it the neighbours are alone.
    for number, (start, end) in enumerate(pairwise(cuts)):
        alone = frames[start - 1 + 2 * (number > 0) : end - 1 - 2 * (number < 11)]
        assert [seen(picture) for picture in alone] == [number] * len(alone)
    first, last = frames[0], frames[4]
    assert np.abs(first - last).mean() > 0.4  # it moves


def test_rules_of_the_cuts(addon: SimpleNamespace) -> None:
    slideshow = importlib.import_module(f"{addon.package}.sequencer.slideshow")
    assert slideshow.even_cuts(10, 100, 3) == [10, 43, 77, 110]
    assert slideshow.marker_cuts(5, [5, 2, 20, 11], 4) == [5, 11, 20, 28, 35]
    beats = np.array([[30.0, 1.0], [36.0, 5.0], [62.0, 2.0], [90.0, 9.0]])
    assert slideshow.sound_cuts(0, 100, beats, 3) == [0, 36, 62, 100]
    with pytest.raises(addon.errors.BadSelection, match="no marker"):
        slideshow.marker_cuts(5, [1], 4)


def beeps(path: Path, seconds: list[float], length: float = 4.0, rate: int = 22050) -> Path:
    """A sound with short noises at these moments."""
    samples = np.random.default_rng(0).normal(0, 20, int(length * rate))
    for moment in seconds:
        samples[int(moment * rate) : int(moment * rate) + 900] += np.random.default_rng(1).normal(0, 9000, 900)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.clip(-32000, 32000).astype(np.int16).tobytes())
    return path


@pytest.mark.skipif(not bpy.app.build_options.audaspace, reason="this Blender was built without sound")
def test_cut_to_a_sound(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    photos = add_photos(addon, scene, tmp_path, 4)
    path = beeps(tmp_path / "music.wav", [0.3, 0.9, 1.6, 2.2, 3.2])
    sound = addon.compat.strips(scene.sequence_editor).new_sound("music", str(path), 6, 1)
    sound.select = True
    scene.diorama_combine.beats, scene.diorama_combine.style = "SOUND", "calm"
    scene.diorama_combine.fade = "NONE"
    assert bpy.ops.diorama.sequence() == {"FINISHED"}
    pump_until(addon, lambda: scene.sequence_editor.active_strip and scene.sequence_editor.active_strip.type == "META")
    meta = scene.sequence_editor.active_strip
    stills = sorted((s for s in addon.compat.strips(meta) if s.type == "IMAGE"), key=addon.compat.left_handle)
    starts = [addon.compat.left_handle(strip) for strip in stills]
    assert span(addon, meta) == (1, 97) and len(photos) == 4
    wanted = [1, 1 + 0.9 * 24, 1 + 2.2 * 24, 1 + 3.2 * 24]
    assert max(abs(a - b) for a, b in zip(starts, wanted, strict=True)) <= 1.5
    settle(addon)


def test_a_selection_goes_where_the_project_renders_to(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    files = pictures(tmp_path / "coded", 3, 20)
    strip = addon.compat.strips(scene.sequence_editor).new_image("c", str(files[0]), 1, 5, fit_method="ORIGINAL")
    for file in files[1:]:
        strip.elements.append(file.name)
    addon.compat.set_span(strip, 9, 15)
    strip.select = True
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "VIDEO"
    scene.render.image_settings.file_format = "FFMPEG"
    scene.render.ffmpeg.format, scene.render.ffmpeg.codec = "MKV", "FFV1"
    scene.render.filepath = str(tmp_path / "out" / "cut")
    scene.view_settings.view_transform = "Standard"
    scene.diorama_combine.render_range = "SELECTION"
    assert bpy.ops.diorama.render_out() == {"FINISHED"}
    assert bpy.ops.diorama.render_out() == {"FINISHED"}
    settle(addon)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["cut_001.mkv", "cut_002.mkv"]
    frames = movie_frames(addon, scene, tmp_path / "out" / "cut_002.mkv", tmp_path)
    assert [code(picture[90, 160]) for picture in frames] == [(3, number) for number in range(4, 10)]
    assert Path(scene.diorama_combine.rendered) == tmp_path / "out" / "cut_002.mkv"


def test_one_undo_step_takes_the_sequence_away(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    add_photos(addon, scene, tmp_path, 3)
    bpy.ops.ed.undo_push(message="Photos")
    scene.diorama_combine.sequence_seconds = 3.0
    assert bpy.ops.diorama.sequence() == {"FINISHED"}
    window = bpy.context.window_manager.windows[0]
    area = window.screen.areas[0]
    with bpy.context.temp_override(window=window, area=area, region=area.regions[0]):
        bpy.ops.ed.undo()
    strips = addon.compat.strips_all(bpy.context.scene)
    assert sorted(strip.name for strip in strips) == ["photo 0", "photo 1", "photo 2"]
    assert not any(strip.mute for strip in strips)
    for _ in range(5):
        addon.registration.pump()
    assert not addon.runtime.queue.jobs  # nothing is made for what is not there


def test_too_many_beats_change_nothing(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    photos = add_photos(addon, scene, tmp_path, 3)
    for frame in (3, 5, 7):
        scene.timeline_markers.new("beat", frame=frame)
    scene.diorama_combine.beats = "MARKERS"
    with pytest.raises(RuntimeError, match="shown for 2 frames only"):
        bpy.ops.diorama.sequence()
    assert set(addon.compat.strips_all(scene)) == set(photos) and not any(strip.mute for strip in photos)


def test_three_photos_brought_to_life_by_a_model(
    addon: SimpleNamespace, scene: Any, peer: Any, tmp_path: Path
) -> None:
    """Each photo of the sequence has a clip of its own, in its place, from its own still and with its own prompt."""
    photos = add_photos(addon, scene, tmp_path, 3)
    peer.prompt, peer.random_seed, peer.seed = "wind", False, 100
    photos[1].diorama_prompt.use, photos[1].diorama_prompt.prompt = True, "rain"
    settings = scene.diorama_combine
    settings.style, settings.beats, settings.sequence_seconds, settings.fade = "generate", "LENGTH", 3.0, "CROSS"
    assert bpy.ops.diorama.generate_model(model=A14B) == {"FINISHED"}
    peer.last_from = "next"
    with pytest.raises(RuntimeError, match="fade into each other"):
        bpy.ops.diorama.sequence()
    assert set(addon.compat.strips_all(scene)) == set(photos)
    peer.last_from = "none"
    assert bpy.ops.diorama.sequence() == {"FINISHED"}
    meta = scene.sequence_editor.active_strip
    made = []

    def all_there() -> bool:
        made.extend(job.request for job in addon.runtime.queue.jobs if job.request not in made)
        return sum(s.diorama.is_clip for s in addon.compat.strips(meta)) == 3

    pump_until(addon, all_there)
    settle(addon)
    assert (span(addon, meta), addon.results.last_error()) == ((1, 73), "")
    inside = addon.compat.strips(meta)
    stills = sorted((s for s in inside if s.type == "IMAGE" and not s.diorama.is_clip), key=addon.compat.left_handle)
    clips = sorted((s for s in inside if s.diorama.is_clip), key=addon.compat.left_handle)
    fades = sorted((s for s in inside if s.type == "CROSS"), key=addon.compat.left_handle)
    assert [span(addon, clip) for clip in clips] == [span(addon, still) for still in stills]
    assert [(f.input_1, f.input_2) for f in fades] == list(pairwise(clips))
    assert [seen(np.asarray(Image.open(r.image).convert("RGB").resize((320, 180)))) for r in made] == [0, 1, 2]
    assert [r.generate.prompt for r in made] == ["wind", "rain", "wind"]
    assert [r.num_frames for r in made] == [span(addon, s)[1] - span(addon, s)[0] for s in stills]
    # The peer's clips are of one colour, so what is seen is the clips and no longer the photos.
    middle = [picture[90, 160] for picture in rendered(scene, (5, 36, 68), tmp_path)]
    assert all(np.abs(pixel - (100, 90, 30)).max() < 6 for pixel in middle)
