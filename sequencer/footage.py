"""A strip as moving pictures for the engine: straight from its file, or rendered as the viewer sees it.

The file will do where frame k of the strip is frame k of the file; then what Blender does to the picture (crop,
transform, modifiers) stays on the strip. Anything else (scenes, metas, effects, retimed or reversed strips) is
rendered alone, in the project's size, by another Blender.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection, BadStill
from . import compat, source
from .selection import KINDS

PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".bmp"}
SILENT = ("SOUND",)


@dataclass(frozen=True)
class Footage:
    """path: a movie, a picture or a folder of pictures. first, count: the frames that the strip shows. still: one
    picture that stands."""

    path: str
    first: int
    count: int
    still: bool = False


def length(strip: Any) -> int:
    """How many frames the strip shows."""
    return compat.right_handle(strip) - compat.left_handle(strip)


def check(strip: Any) -> None:
    """Raises BadSelection for what has no picture."""
    if strip.type in SILENT:
        raise BadSelection(f"'{strip.name}' is {KINDS[strip.type]}.", "Select strips with a picture and try again.")


def direct(scene: Any, strip: Any) -> Footage | None:
    """The strip's own file and the frames of it that it shows, or None where it must be rendered.

    Raises BadStill when the file is missing.
    """
    if strip.type not in ("MOVIE", "IMAGE") or strip.use_reverse_frames or strip.strobe > 1:
        return None
    if len(getattr(strip, "retiming_keys", ())):
        return None
    first = compat.left_handle(strip) - compat.content_start(strip)
    if strip.type == "IMAGE" and len(strip.elements) == 1:
        path = Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename
        footage = Footage(str(path), 0, length(strip), still=True)
    else:
        if first < 0 or first + length(strip) > compat.content_duration(strip):
            return None  # a handle is pulled out beyond the content
        first += compat.content_trim_start(strip)
        path = Path(bpy.path.abspath(strip.filepath if strip.type == "MOVIE" else strip.directory))
        footage = Footage(str(path), first, length(strip))
    if not path.exists():
        raise BadStill(f"The file of '{strip.name}' is missing: {path}", "Bring it back, or set its path in the strip.")
    if strip.type == "MOVIE" and not _frame_by_frame(scene, strip, path):
        return None
    if strip.type == "IMAGE" and not footage.still and not _whole_folder(strip, path):
        return None
    return footage


def stretched(scene: Any, strip: Any) -> Footage | None:
    """The frames of its own file that a movie strip shows, where Blender repeats or leaves out frames to keep its speed
    at the project's frame rate; None for any other strip."""
    if strip.type != "MOVIE" or strip.use_reverse_frames or len(getattr(strip, "retiming_keys", ())):
        return None
    path = Path(bpy.path.abspath(strip.filepath))
    total, ratio = own_frames(path), strip.fps * scene.render.fps_base / scene.render.fps
    lead = compat.left_handle(strip) - compat.content_start(strip) + compat.content_trim_start(strip)
    first = round(lead * ratio)
    first = min(max(first, 0), total - 1)
    return Footage(str(path), first, min(max(round(length(strip) * ratio), 1), total - first))


def own_frames(path: Path) -> int:
    """How many frames a movie file has."""
    clip = bpy.data.movieclips.load(str(path))
    try:
        return int(clip.frame_duration)
    finally:
        bpy.data.movieclips.remove(clip)


def prepare_alone(scene: Any, strip: Any) -> Any:
    """A copy of the scene whose timeline shows only this strip, with neutral output. The caller removes it."""
    copy = scene.copy()
    copy.use_fake_user = True  # or it would not be saved
    source.show_only(copy, strip.name)
    source.neutral_output(copy, Path("unused"), 1)
    compat.set_output_image(copy.render.image_settings, "PNG")
    copy.render.image_settings.color_mode, copy.render.image_settings.color_depth = "RGB", "8"
    copy.render.image_settings.compression = 15
    return copy


def _frame_by_frame(scene: Any, strip: Any, path: Path) -> bool:
    """Whether Blender shows every frame once: it may have been told to keep the speed of another frame rate."""
    rate = scene.render.fps / scene.render.fps_base
    if abs(strip.fps - rate) < 1e-3 * rate:
        return True
    # Not content_duration(): 4.2 counts the file's own frames there.
    shown = compat.right_handle(strip) + compat.right_handle_offset(strip) - compat.content_start(strip)
    return shown + compat.content_trim_start(strip) + compat.content_trim_end(strip) == own_frames(path)


def _whole_folder(strip: Any, folder: Path) -> bool:
    """Whether the strip shows all pictures of its folder, in the order of their names: what the engine reads."""
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.is_file())
    return [element.filename for element in strip.elements] == names
