"""Pictures, strips and comparisons that several test files of this tier use."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
from PIL import Image


def photo(path: Path, width: int = 320, height: int = 180, alpha: bool = False, **options: Any) -> Path:
    """A picture without any symmetry: a gradient, soft blobs and some noise."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    blobs = Image.fromarray(rng.integers(0, 255, (7, 9, 3), dtype=np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    gradient = np.stack([x / width, y / height, 1 - x / width], axis=-1) * 255
    pixels = 0.55 * np.asarray(blobs) + 0.4 * gradient + rng.normal(0, 2, (height, width, 3))
    channels = [np.clip(pixels, 0, 255).astype(np.uint8)]
    if alpha:
        inside = (x - width / 2) ** 2 / (width * 0.4) ** 2 + (y - height / 2) ** 2 / (height * 0.3) ** 2 < 1
        channels.append((inside * 255).astype(np.uint8)[..., None])
    Image.fromarray(np.concatenate(channels, axis=-1)).save(path, **options)
    return path


def add_still(
    addon: SimpleNamespace,
    holder: Any,
    path: Path,
    channel: int = 1,
    start: int = 1,
    length: int = 12,
    name: str = "still",
) -> Any:
    """An image strip, selected, with ORIGINAL fit."""
    strip = addon.compat.strips(holder).new_image(name, str(path), channel, start, fit_method="ORIGINAL")
    addon.compat.set_right_handle(strip, start + length)
    strip.select = True
    return strip


def span(addon: SimpleNamespace, strip: Any) -> tuple[int, int]:
    return addon.compat.left_handle(strip), addon.compat.right_handle(strip)


def pixels(path: Path | str, mode: str = "RGBA") -> np.ndarray:
    """(H, W, 4) float64."""
    return np.asarray(Image.open(path).convert(mode)).astype(np.float64)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Decibels; 99 for equal pictures."""
    assert a.shape == b.shape
    error = float(np.mean((a - b) ** 2))
    return 99.0 if error == 0 else 10 * float(np.log10(255**2 / error))


def render(scene: Any, frame: int, path: Path) -> np.ndarray:
    """The whole timeline at a frame, in the strips' own colours, by a copy of the scene with other output settings."""
    before = scene.frame_current
    scene.frame_set(frame)  # a copy shows the strips as they stood at the original's playhead
    copy = scene.copy()
    settings = copy.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode = "PNG", "RGBA"
    copy.render.filepath = str(path)
    copy.view_settings.view_transform = "Standard"
    copy.frame_set(frame)
    with bpy.context.temp_override(scene=copy):
        bpy.ops.render.render(write_still=True)
    bpy.data.scenes.remove(copy)
    scene.frame_set(before)
    return pixels(path)


def capture(addon: SimpleNamespace, scene: Any, strip: Any, path: Path) -> np.ndarray:
    return pixels(addon.source.describe(scene, strip, path).image)


def pump_until(addon: SimpleNamespace, done: Any, seconds: float = 60.0) -> None:
    """What the timer does, until done() is true."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"still waiting; engine: {addon.runtime.queue.engine_note}"
        addon.registration.pump()
        time.sleep(0.02)


def fake_result(
    addon: SimpleNamespace,
    clip: Path,
    files: list[Path],
    size: tuple[int, int],
    rect: tuple[int, int, int, int],
    still_size: tuple[int, int],
    frames: int,
) -> dict[str, Any]:
    """What an engine would report for this clip."""
    return {
        "clip": str(clip),
        "files": [str(f) for f in files],
        "num_frames": frames,
        "fps": [24, 1],
        "width": size[0],
        "height": size[1],
        "rect": list(rect),
        "still_size": list(still_size),
        "settings": {"move": {"name": "push_in"}},
        "warnings": [],
    }
