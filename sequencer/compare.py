"""Two takes, or two strips, side by side or with a wipe: strips on top of the timeline, which are taken away again."""

from __future__ import annotations

from typing import Any

from ..engine.errors import BadSelection
from . import compat, look, media, placement

HELPER = "compare"
SIDE, WIPE = "SIDE", "WIPE"


def helpers(scene: Any) -> list[Any]:
    """The strips that a comparison has put there, the left one first."""
    found = [strip for strip in compat.strips_all(scene) if strip.diorama_shot.helper == HELPER]
    return sorted(found, key=lambda strip: strip.channel)


def stop(scene: Any) -> None:
    """Takes the comparison away."""
    for strip in helpers(scene):
        compat.strips(placement.holder_of(scene, strip)).remove(strip)


def takes(scene: Any, strip: Any, other: int, mode: str, at: float) -> None:
    """Compares the take that a strip shows (left) with another one of its takes. Raises BadSelection."""
    shot = strip.diorama_shot
    _start(scene, [(strip, shot.takes[shot.shown]), (strip, shot.takes[other])], mode, at)


def strips(scene: Any, first: Any, second: Any, mode: str, at: float) -> None:
    """Compares two movie or image strips from their first shown frame on. Raises BadSelection."""
    for strip in (first, second):
        if strip.type not in media.KINDS:
            raise BadSelection(f"'{strip.name}' is neither a movie nor pictures.", "Choose movies or image strips.")
        media.remember(strip)
    _start(scene, [(s, s.diorama_shot.takes[s.diorama_shot.shown]) for s in (first, second)], mode, at)


def set_wipe(scene: Any, at: float) -> None:
    """Moves the line of a wipe: at is its place from the left, as a share of the picture."""
    for strip in helpers(scene)[1:]:
        cut, width = strip.diorama_shot.wipe
        strip.crop.min_x = cut + round(width * at)


def _start(scene: Any, shown: list[tuple[Any, Any]], mode: str, at: float) -> None:
    stop(scene)
    first = shown[0][0]
    holder = placement.holder_of(scene, first)
    active = scene.sequence_editor.active_strip
    start, end = compat.left_handle(first), compat.right_handle(first)
    top = max(strip.channel for strip in compat.strips(holder))
    for number, (strip, take) in enumerate(shown):
        channel = placement.free_channel(holder, top + number, start, end)
        if channel is None:
            raise BadSelection("There are no two free channels above all strips.", "Make room there and try again.")
        here = strip.diorama_shot.takes[strip.diorama_shot.shown]
        lead = compat.left_handle(strip) - compat.content_start(strip) - (take.first - here.first)
        path = media.found(take, strip)
        copy = media.new_strip(compat.strips(holder), "Compare", channel, start - lead, take, path)
        look.copy_look(strip, copy)
        media.fit(copy, here, take)
        compat.set_span(copy, start, end)
        copy.channel = channel  # Blender moves a strip that was too long at first
        copy.diorama_shot.helper, copy.mute, copy.select, copy.blend_alpha = HELPER, False, False, 1.0
        copy.blend_type = "ALPHA_OVER" if mode == WIPE or number else "REPLACE"
        if mode == SIDE:
            quarter, place = scene.render.resolution_x / 4, copy.transform
            place.offset_x, place.offset_y = place.offset_x / 2 + (quarter if number else -quarter), place.offset_y / 2
            place.scale_x, place.scale_y = place.scale_x / 2, place.scale_y / 2
        elif number:
            copy.diorama_shot.wipe = copy.crop.min_x, copy.elements[0].orig_width
    scene.sequence_editor.active_strip = active
    set_wipe(scene, at)
