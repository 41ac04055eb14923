"""What may move of a photo, drawn by a person: a mask, an image or a strip becomes a grey picture of the photo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..engine.errors import BadSelection, BadStill, OutputFailed
from . import compat, paint, source

SHOWS_GREY = ("IMAGE", "MOVIE", "MASK", "META", "SCENE", "COLOR")
OPAQUE = 0.999


def from_image(image: Any, path: Path) -> str:
    """Writes an image data-block as it is painted now; the path. Raises BadSelection, BadStill, OutputFailed."""
    if image is None:
        raise BadSelection("No image is chosen for what moves.", "Choose one, or let everything move.")
    return paint.write(image, path)


def from_mask(scene: Any, mask: Any, still: source.StillSource, path: Path) -> str:
    """Writes what a mask of the Mask Editor covers of the photo; the path. Raises BadSelection, OutputFailed."""
    if mask is None:
        raise BadSelection("No mask is chosen for what moves.", "Choose one, or let everything move.")

    def add(copy: Any) -> str:
        channel = max((strip.channel for strip in compat.strips_all(copy)), default=0) + 1
        strip = compat.strips(copy.sequence_editor).new_mask(mask.name, mask, min(channel, 128), still.left_handle)
        return strip.name

    return _seen(scene, add, still, path)


def from_strip(scene: Any, name: str, still: source.StillSource, path: Path) -> str:
    """Writes what a strip shows over the photo at its first frame; the path. Raises BadSelection, OutputFailed."""
    strip = next((strip for strip in compat.strips_all(scene) if strip.name == name), None)
    if strip is None:
        raise BadSelection(
            f"There is no strip called '{name}' for what moves." if name else "No strip is chosen for what moves.",
            "Choose one, or let everything move.",
        )
    if strip.type not in SHOWS_GREY:
        raise BadSelection(f"'{name}' shows no picture of its own.", "Choose an image or a mask strip for what moves.")
    return _seen(scene, lambda _: name, still, path)


def _seen(scene: Any, strip_in: Callable[[Any], str], still: source.StillSource, path: Path) -> str:
    """Renders one strip of a copy of the scene and keeps of it what the photo covers. strip_in: makes or names it."""
    copy = scene.copy()
    picture = path.with_suffix(".tif")
    try:
        name = strip_in(copy)
        source.show_only(copy, name)
        source.neutral_output(copy, picture, 1)
        copy.frame_set(still.left_handle)
        with bpy.context.temp_override(scene=copy):
            bpy.ops.render.render(write_still=True)
    except RuntimeError as error:
        raise OutputFailed(f"The mask could not be written to {path.parent}: {error}", "Make room there.") from error
    finally:
        bpy.data.scenes.remove(copy)
    photo, mask = _pixels(Path(still.image)), _pixels(picture)
    picture.unlink()
    visible = photo[..., 3] >= OPAQUE
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    if not len(rows):
        raise BadStill("The photo shows nothing at its first frame.", "Move or scale it into the frame.")
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    grey = part[..., :3].mean(axis=2) * part[..., 3]
    if grey.max() < 1 / 255:
        raise BadSelection("What moves covers nothing of the photo.", "Draw it over the photo, or let everything move.")
    _write_grey(grey, path)
    return str(path)


def _pixels(path: Path) -> np.ndarray:
    """(H, W, 4) float32, rows from below."""
    image = bpy.data.images.load(str(path))
    try:
        values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
        image.pixels.foreach_get(values)
        return values.reshape(image.size[1], image.size[0], 4)
    finally:
        bpy.data.images.remove(image)


def _write_grey(grey: np.ndarray, path: Path) -> None:
    image = bpy.data.images.new("motion mask", grey.shape[1], grey.shape[0])
    try:
        values = np.ones((*grey.shape, 4), np.float32)
        values[..., :3] = grey[..., None]
        image.pixels.foreach_set(values.reshape(-1))
        image.file_format, image.filepath_raw = "PNG", str(path)
        image.save()
    except RuntimeError as error:
        raise OutputFailed(f"The mask could not be written to {path.parent}: {error}", "Make room there.") from error
    finally:
        bpy.data.images.remove(image)
