"""The depth picture of a clip on the timeline, above the clip."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection, BadStill
from . import compat, media, placement
from .selection import selected_images

PNG_SIZE = slice(16, 24)  # width and height, big-endian, in the header of every PNG


def depth_path(clip: Any) -> Path:
    """Where the engine wrote the depth of this clip: beside it, also when the project folder was moved."""
    if clip.type == "MOVIE":
        return Path(bpy.path.abspath(clip.filepath) + ".depth.png")
    folder = Path(bpy.path.abspath(clip.directory))
    return folder.with_name(folder.name + ".depth.png")


def depth_strips(scene: Any, clip: Any) -> list[Any]:
    """The strips that show this clip's depth."""
    holder = placement.holder_of(scene, clip)
    return [s for s in compat.strips(holder) if s.diorama.is_depth and s.diorama.job_id == clip.diorama.job_id]


def show(scene: Any, clip: Any) -> Any:
    """Puts the depth picture above the clip, as long and in the same place. Returns the strip.

    Raises BadStill where the picture is missing, BadSelection without a free channel.
    """
    path, holder = depth_path(clip), placement.holder_of(scene, clip)
    if not path.is_file():
        raise BadStill(f"The depth picture of '{clip.name}' is missing: {path}", "Make the clip again.")
    start, end = compat.left_handle(clip), compat.right_handle(clip)
    channel = placement.free_channel(holder, clip.channel, start, end)
    if channel is None:
        raise BadSelection(f"There is no free channel above '{clip.name}'.", "Make room above it and try again.")
    editor = scene.sequence_editor
    active = editor.active_strip
    strip = compat.strips(holder).new_image(
        f"{clip.name} Depth", media.blend_path(str(path)), channel, start, fit_method="ORIGINAL"
    )
    compat.set_right_handle(strip, end)
    _lay_over(strip, clip, path)
    strip.blend_type = "ALPHA_OVER"
    strip.select = False
    editor.active_strip = active
    state = strip.diorama
    state.is_depth, state.job_id, state.source_id = True, clip.diorama.job_id, clip.diorama.source_id
    return strip


def hide(scene: Any, clip: Any) -> None:
    """Takes the depth picture off the timeline; the file stays."""
    holder = placement.holder_of(scene, clip)
    for strip in depth_strips(scene, clip):
        compat.strips(holder).remove(strip)


def selected_picture(
    scene: Any, remedy: str = "Select the rig's strip and one image strip that shows its depth."
) -> Path:
    """The picture of the one selected image strip; of a sequence the first that is shown. Raises BadSelection."""
    images = selected_images(scene)
    if len(images) != 1:
        raise BadSelection(
            "No image strip is selected." if not images else f"{len(images)} image strips are selected.", remedy
        )
    (strip,) = images
    hidden = max(compat.left_handle(strip) - compat.content_start(strip), 0) + compat.content_trim_start(strip)
    element = strip.elements[min(hidden, len(strip.elements) - 1)]
    return Path(bpy.path.abspath(strip.directory)) / element.filename


def _lay_over(strip: Any, clip: Any, path: Path) -> None:
    """Same place and size as the clip, wherever a person has moved it; the picture may have other pixels."""
    with path.open("rb") as file:
        width, height = struct.unpack(">II", file.read(PNG_SIZE.stop)[PNG_SIZE])
    made = json.loads(clip.diorama.request)
    ours, theirs = strip.transform, clip.transform
    ours.offset_x, ours.offset_y, ours.rotation = theirs.offset_x, theirs.offset_y, theirs.rotation
    ours.scale_x = theirs.scale_x * made["width"] / width
    ours.scale_y = theirs.scale_y * made["height"] / height
    strip.use_flip_x, strip.use_flip_y = clip.use_flip_x, clip.use_flip_y
