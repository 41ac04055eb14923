"""Clips whose every frame tells its number and its clip by its colour, and what the rendered timeline shows of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
from PIL import Image

from tests.blender.stills import fake_result

STEP, FIRST = 28, 16  # levels between two codes: far more than any codec is wrong
BLACK = (-1, -1)

WRITE_MOVIE = """
import sys, av, numpy as np
path, width, height, fps = sys.argv[1], *map(int, sys.argv[2:5])
with av.open(path, "w") as box:
    stream = box.add_stream("libx264", rate=fps, options={"crf": "4", "preset": "ultrafast"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv444p"
    for line in sys.argv[5:]:
        frame = np.zeros((height, width, 3), np.uint8) + np.uint8([int(n) for n in line.split(",")])
        box.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
    box.mux(stream.encode())
"""


def colour(clip: int, frame: int) -> tuple[int, int, int]:
    """Clips 0..7, frames 0..63."""
    return FIRST + frame % 8 * STEP, FIRST + frame // 8 * STEP, FIRST + clip * STEP


def code(pixel: Sequence[float]) -> tuple[int, int]:
    """(clip, frame) of a colour; BLACK for none."""
    if max(pixel[:3]) < FIRST / 2:
        return BLACK
    low, high, clip = (round((value - FIRST) / STEP) for value in pixel[:3])
    return clip, low + 8 * high


def movie(path: Path, clip: int, frames: int, size: tuple[int, int] = (320, 180), fps: int = 24) -> Path:
    """A movie of that many coded frames, written by the engine's Python."""
    python = Path(os.environ["DIORAMA_ENGINE"]) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    lines = [",".join(map(str, colour(clip, frame))) for frame in range(frames)]
    path.parent.mkdir(exist_ok=True)
    subprocess.run([python, "-c", WRITE_MOVIE, path, *map(str, size), str(fps), *lines], check=True)
    return path


def pictures(folder: Path, clip: int, frames: int, size: tuple[int, int] = (320, 180)) -> list[Path]:
    """The same as a sequence of pictures."""
    folder.mkdir(parents=True)
    paths = [folder / f"frame_{frame + 1:04}.png" for frame in range(frames)]
    for frame, path in enumerate(paths):
        Image.new("RGB", size, colour(clip, frame)).save(path)
    return paths


def panned(folder: Path, picture: Path, shifts: list[int]) -> list[Path]:
    """Pictures of a camera that looks at a wide photo, so many pixels from its left."""
    folder.mkdir()
    wide = Image.open(picture)
    paths = [folder / f"frame_{number:04}.png" for number in range(len(shifts))]
    for path, shift in zip(paths, shifts, strict=True):
        wide.crop((shift, 0, shift + 320, 180)).save(path)
    return paths


def result(
    addon: SimpleNamespace, path: Path, clip: int, frames: int, size: tuple[int, int] = (320, 180)
) -> dict[str, Any]:
    """What an engine would report for a coded clip, which is written: a movie if the path has a suffix."""
    files = [movie(path, clip, frames, size)] if path.suffix else pictures(path, clip, frames, size)
    return fake_result(addon, path, files, size, (0, 0, 320, 180), (320, 180), frames)


def shown(
    scene: Any, frames: Sequence[int], folder: Path, at: tuple[float, float] = (0.5, 0.5)
) -> list[tuple[int, int]]:
    """Renders these frames of the timeline and returns the code of each, at a place of the frame (x, y, y down)."""
    x, y = int(at[0] * 320), int(at[1] * 180)
    return [code(picture[y, x]) for picture in rendered(scene, frames, folder)]


def rendered(scene: Any, frames: Sequence[int], folder: Path) -> list[np.ndarray]:
    """(H, W, 3) float64 of each of these frames of the timeline, in the strips' own colours."""
    found: list[np.ndarray] = []
    before = scene.frame_current
    for frame in frames:
        scene.frame_set(frame)  # a copy shows the strips as they stood at the original's playhead
        copy = scene.copy()
        try:
            settings = copy.render.image_settings
            if hasattr(settings, "media_type"):
                settings.media_type = "IMAGE"
            settings.file_format, settings.color_mode = "PNG", "RGB"
            settings.compression = 0
            copy.render.filepath = str(folder / "shown.png")
            copy.view_settings.view_transform = "Standard"
            copy.frame_set(frame)
            with bpy.context.temp_override(scene=copy):
                bpy.ops.render.render(write_still=True)
        finally:
            bpy.data.scenes.remove(copy)
        found.append(np.asarray(Image.open(folder / "shown.png").convert("RGB")).astype(np.float64))
    scene.frame_set(before)
    return found
