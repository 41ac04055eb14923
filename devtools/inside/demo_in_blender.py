"""Runs inside Blender's Python, started by devtools/demo.py: the main job, from an empty project to a rendered film."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import studio
from PIL import Image

WIDTH, HEIGHT, FPS, SECONDS = 1920, 1080, 24, 4


def main(package: str, engine: str, photo: str, out: Path) -> None:
    """Leaves demo.blend, demo.mp4 and demo.json in `out`; the clip lies in out/clips."""
    seconds: dict[str, float] = {}
    last = time.monotonic()

    def done(stage: str) -> None:
        nonlocal last
        seconds[stage], last = time.monotonic() - last, time.monotonic()

    bpy.context.preferences.filepaths.save_version = 0      # no demo.blend1 beside demo.blend
    studio.install(package, engine, out / "clips")
    scene, strip = studio.timeline(photo, WIDTH, HEIGHT, FPS, SECONDS)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"))
    done("install the extension, make the project")
    studio.click()
    done("Camera Move returns (the still is captured)")
    studio.pump_until(lambda: bool(studio.clips(scene)))
    done("engine: start, depth, layers, render, write; the clip is on the timeline")
    clip = studio.clips(scene)[0]
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"))
    decibels = first_frame_against_still(scene, clip, out)
    done("first frame held against the still")
    film(scene, out / "demo.mp4")
    done("Blender renders the timeline")
    rig_and_bake(scene, clip)
    bpy.ops.wm.save_as_mainfile(filepath=str(out / "demo.blend"))
    done("camera rig: layers, scene, fast bake")
    sidecar = json.loads(Path(bpy.path.abspath(clip.diorama.clip_path) + ".json").read_text(encoding="utf-8"))
    record = {
        "blender": bpy.app.version_string, "clip": sidecar["clip"],
        "channel": clip.channel, "still_channel": strip.channel, "frames": sidecar["num_frames"],
        "depth": sidecar["depth_preview"], "depth_label": sidecar["depth_label"],
        "engine_seconds": sidecar["seconds"], "warnings": sidecar["warnings"], "psnr": decibels, "seconds": seconds}
    (out / "demo.json").write_text(json.dumps(record, indent=1), encoding="utf-8")


def rig_and_bake(scene: Any, clip: Any) -> None:
    """A camera rig of the same photo, live on the timeline, and its baked clip; the camera move's clip is muted."""
    clip.mute = True
    studio.click("build_rig")
    studio.pump_until(lambda: bool(studio.rigs()))
    rig = studio.rigs()[0]
    ((_, live),) = studio.module("sequencer.rig_strip").live_strips(rig.id)
    scene.sequence_editor.active_strip = live
    studio.click("bake_fast")
    studio.pump_until(lambda: bool(studio.module("sequencer.rig_strip").clips_of(scene, rig.id)))


def first_frame_against_still(scene: Any, clip: Any, out: Path) -> float:
    """Decibels between the project's first frame with the clip and without it."""
    shown = picture(scene, out / "with_clip.png")
    clip.mute = True
    still = picture(scene, out / "with_still.png")
    clip.mute = False
    error = float(np.mean((shown - still) ** 2))
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def picture(scene: Any, path: Path) -> np.ndarray:
    """The project's first frame as Blender renders it, (H, W, 3) float64; the file is removed again."""
    studio.module("sequencer.compat").set_output_image(scene.render.image_settings, "PNG")
    scene.render.image_settings.color_mode = "RGB"
    scene.render.filepath = str(path)
    scene.frame_set(scene.frame_start)
    bpy.ops.render.render(write_still=True)
    with Image.open(path) as made:
        pixels = np.asarray(made.convert("RGB")).astype(np.float64)
    path.unlink()
    return pixels


def film(scene: Any, path: Path) -> None:
    """Renders the project into an H.264 file that every player and browser takes."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):         # 5.0 asks for the kind of output first
        settings.media_type = "VIDEO"
    settings.file_format = "FFMPEG"
    movie = scene.render.ffmpeg
    movie.format, movie.codec, movie.constant_rate_factor, movie.audio_codec = "MPEG4", "H264", "HIGH", "NONE"
    scene.render.filepath, scene.render.use_file_extension = str(path), False
    bpy.ops.render.render(animation=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4]))
