"""New clips beside strips: above one in its place, or at a free place of a span; the other strips stay untouched."""

from __future__ import annotations

import json
from typing import Any

from ..engine.errors import BadSelection
from . import compat, look, media, placement


def above(scene: Any, strip: Any, job_id: str, label: str, result: dict[str, Any], seen: bool) -> Any:
    """Puts a clip above the strip that it was made from, starting with it; the strip is muted. Returns the new strip.

    seen: the clip was made from the strip as the viewer sees it, in the size of the frame; else from the strip's file,
    and everything that was done to the strip is done to the clip. Raises BadSelection without a free channel.
    """
    start = compat.left_handle(strip)
    new = insert(scene, strip, job_id, label, result, start)
    if seen or not hasattr(strip, "crop"):
        fill_frame(scene, new, result)
        new.blend_alpha = strip.blend_alpha
    else:
        before = strip.elements[0].orig_width, strip.elements[0].orig_height
        scale = (result["width"] / before[0], result["height"] / before[1]) if all(before) else (1.0, 1.0)
        look.copy_look(strip, new, scale)
    new.mute, strip.mute = False, True
    return new


def insert(
    scene: Any,
    beside: Any,
    job_id: str,
    label: str,
    result: dict[str, Any],
    start: int,
    trim: tuple[int, int] = (0, 0),
    same_channel: bool = False,
) -> Any:
    """A clip as a strip in the same meta strip (or at the top) as `beside`: its first shown frame is `start`.

    trim: frames that are not shown at its begin and end. same_channel: on the channel of `beside` if that is free
    there; else on the first free one above. Raises BadSelection without a free channel.
    """
    holder, editor = placement.holder_of(scene, beside), scene.sequence_editor
    whole = start - trim[0], start - trim[0] + result["num_frames"]
    end = whole[1] - trim[1]
    channel = placement.free_channel(holder, beside.channel, *whole)
    if channel is None:
        raise BadSelection(f"There is no free channel above '{beside.name}'.", "Make room above it and try again.")
    active = editor.active_strip
    names = {"strip": beside.name, "move_label": label}
    new = placement.load_clip(compat.strips(holder), channel, whole[0], names, result)
    compat.set_span(new, start, end)
    if same_channel and placement.free_channel(holder, beside.channel - 1, start, end) == beside.channel:
        new.channel = beside.channel
    new.blend_type, new.select, editor.active_strip = "ALPHA_OVER", False, active
    state = new.diorama
    state.is_clip, state.job_id, state.clip_path = True, job_id, result["clip"]
    state.request, state.warnings = json.dumps(result["settings"]), "\n".join(result["warnings"])
    media.remember(new, label)
    return new


def fill_frame(scene: Any, strip: Any, result: dict[str, Any]) -> None:
    """Scales a clip that shows the whole frame to the frame."""
    strip.transform.scale_x = scene.render.resolution_x / result["width"]
    strip.transform.scale_y = scene.render.resolution_y / result["height"]
    if len(strip.diorama_shot.takes):
        strip.diorama_shot.takes[0].place = 0.0, 0.0, strip.transform.scale_x, strip.transform.scale_y




def lay_in_frame(scene: Any, strip: Any, result: dict[str, Any]) -> None:
    """Lays a clip that was made from a captured frame over the part of the frame that it shows."""
    placement.place_over(strip, scene, result)
    place = strip.transform
    strip.diorama_shot.takes[0].place = place.offset_x, place.offset_y, place.scale_x, place.scale_y
