"""Paint-overs: image data-blocks as corrections of a depth, made in the photo's visible size, written out for a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..engine.errors import BadSelection, BadStill, OutputFailed
from . import depth_strip, source

STILLS = ("FILE", "GENERATED")
OPAQUE = 0.999


def new_paint_over(scene: Any, strip: Any, capture: Path) -> Any:
    """A new image of the size that the strip's photo has in the frame, wholly transparent.

    capture: a file for the time being. Raises BadSelection, BadStill, OutputFailed.
    """
    still = bpy.data.images.load(source.describe(scene, strip, capture).image)
    try:
        width, height = still.size
        pixels = np.empty(width * height * 4, np.float32)
        still.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(still)
        capture.unlink(missing_ok=True)
    pixels = pixels.reshape(height, width, 4)
    visible = pixels[..., 3] >= OPAQUE
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    if not len(rows):
        raise BadStill(f"'{strip.name}' shows nothing at its first frame.", "Move or scale it into the frame.")
    size = int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
    paint = bpy.data.images.new(f"{strip.name} Paint-Over", *size, alpha=True)
    paint.pixels.foreach_set(np.zeros(size[0] * size[1] * 4, np.float32))
    paint.update()
    paint.pack()  # or it would be lost with the file
    return paint


def from_strip(scene: Any) -> Any:
    """The picture of the one selected image strip as an image, as it lies on disk. Raises BadSelection, BadStill."""
    path = depth_strip.selected_picture(scene, "Select only the image strip that holds the paint, in grey.")
    if not path.is_file():
        raise BadStill(f"The picture of that strip is missing: {path}", "Bring the file back and try again.")
    image = bpy.data.images.load(str(path), check_existing=True)
    image.reload()  # it may have been painted on by another program since
    return image


def write(image: Any, path: Path) -> str:
    """Writes the image as it is painted now, saved or not, and leaves the data-block alone; the path, "" for None.

    Raises BadSelection for what is no still picture, BadStill where its file is missing, OutputFailed.
    """
    if image is None:
        return ""
    if image.source not in STILLS or image.is_float:
        raise BadSelection(
            f"The paint-over '{image.name}' is not a plain picture of 8 bits.",
            "Make one with New Paint-Over, or choose a PNG.",
        )
    if not (image.size[0] and image.size[1]):
        raise BadStill(
            f"The file of the paint-over '{image.name}' is missing.",
            "Bring the file back, or take the paint-over away.",
        )
    # Image.save() would make the file of a generated image its source, and 4.2 cannot save a copy.
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    copy = bpy.data.images.new(image.name, *image.size, alpha=True)
    try:
        copy.pixels.foreach_set(pixels)
        path.parent.mkdir(parents=True, exist_ok=True)
        copy.file_format, copy.filepath_raw = "PNG", str(path)
        copy.save()
    except (OSError, RuntimeError) as error:
        raise OutputFailed(
            f"The paint-over '{image.name}' could not be written to {path.parent}: {error}",
            "Make room there, or choose another data folder in the preferences.",
        ) from error
    finally:
        bpy.data.images.remove(copy)
    return str(path)
