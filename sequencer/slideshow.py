"""Photos become one meta strip: when each is shown, how its camera moves, and the fades between them.

The photos themselves stay; the meta strip holds copies of them, and clips go above these copies as above any photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine.errors import BadSelection
from ..engine.protocol import MoveSettings
from . import compat, look, media, placement

UPRIGHT = 0.95  # width / height below which a photo counts as portrait
CHANNELS = (1, 3)  # of photos by turns; their clips go one above, the fades above all
FADE_CHANNEL = 5
LEAST_FRAMES = 6  # of a photo
REACH = 0.45  # share of an even part by which a cut may move to the strongest beat near it


@dataclass(frozen=True)
class Style:
    """fade: seconds. moves of landscape and of portrait photos, by turns: name, amount, easing."""

    label: str
    description: str
    fade: float
    landscape: tuple[tuple[str, float, str], ...]
    portrait: tuple[tuple[str, float, str], ...]


STYLES = {
    "calm": Style(
        "Calm",
        "Small slow moves and long fades",
        1.0,
        (
            ("truck_left", 0.05, "ease_in_out"),
            ("push_in", 0.06, "ease_in_out"),
            ("truck_right", 0.05, "ease_in_out"),
            ("pull_out", 0.06, "ease_in_out"),
        ),
        (("push_in", 0.06, "ease_in_out"), ("pedestal_up", 0.05, "ease_in_out"), ("pull_out", 0.06, "ease_in_out")),
    ),
    "lively": Style(
        "Lively",
        "Large moves that start at once, and short fades",
        0.2,
        (
            ("truck_right", 0.1, "ease_out"),
            ("orbit", 0.1, "linear"),
            ("push_in", 0.14, "ease_out"),
            ("truck_left", 0.1, "ease_out"),
            ("arc", 0.1, "linear"),
        ),
        (("push_in", 0.14, "ease_out"), ("orbit", 0.08, "linear"), ("pedestal_up", 0.1, "ease_out")),
    ),
    "parallax": Style(
        "Parallax Only",
        "The camera slides and never comes nearer",
        0.5,
        (("truck_left", 0.06, "linear"), ("truck_right", 0.06, "linear")),
        (("pedestal_up", 0.06, "linear"), ("pedestal_down", 0.06, "linear")),
    ),
}


@dataclass(frozen=True)
class Entry:
    """A photo of the sequence: its strip in the meta strip, and the move that its clip will make."""

    strip: Any
    move: MoveSettings


def even_cuts(start: int, length: int, count: int) -> list[int]:
    """count + 1 frames: where the first begins, the cuts, and the end."""
    return [start + round(length * number / count) for number in range(count + 1)]


def marker_cuts(start: int, markers: Sequence[int], count: int) -> list[int]:
    """The next markers after the start are the cuts; what no marker ends is as long as the others are on average.

    Raises BadSelection without a marker after the start.
    """
    cuts = [start, *sorted({frame for frame in markers if frame > start})[:count]]
    if len(cuts) < 2:
        raise BadSelection("There is no marker after the first photo.", "Press M at the beats, then try again.")
    length = (cuts[-1] - start) / (len(cuts) - 1)
    while len(cuts) < count + 1:
        cuts.append(round(start + length * len(cuts)))
    return cuts


def sound_cuts(start: int, end: int, beats: np.ndarray, count: int) -> list[int]:
    """Even parts from start to end, whose cuts go to a beat near them: the stronger and the nearer, the rather.

    beats: (K, 2) frame and strength.
    """
    cuts, reach = even_cuts(start, end - start, count), REACH * (end - start) / count
    for index in range(1, count):
        worth = beats[:, 1] * (1 - np.abs(beats[:, 0] - cuts[index]) / reach)
        if len(beats) and worth.max() > 0:
            cuts[index] = round(float(beats[worth.argmax(), 0]))
    return cuts


def moves_for(photos: list[Any], style: Style) -> list[MoveSettings]:
    """A move for each photo: by its shape, and by turns, so that no two alike follow each other."""
    turns = {True: 0, False: 0}
    moves: list[MoveSettings] = []
    for strip in photos:
        width, height = shape(strip)
        upright = width < UPRIGHT * height
        table = style.portrait if upright else style.landscape
        name, amount, easing = table[turns[upright] % len(table)]
        if moves and moves[-1].name == name:  # the other shape's move came just before
            turns[upright] += 1
            name, amount, easing = table[turns[upright] % len(table)]
        turns[upright] += 1
        moves.append(MoveSettings(name, amount, easing))
    return moves


def shape(strip: Any) -> tuple[float, float]:
    """Width and height of what a photo strip shows, cropped and scaled, pixels of the frame."""
    first, crop, scale = strip.elements[0], strip.crop, strip.transform
    width = max(first.orig_width - crop.min_x - crop.max_x, 1) * abs(scale.scale_x)
    height = max(first.orig_height - crop.min_y - crop.max_y, 1) * abs(scale.scale_y)
    return width, height


def build(scene: Any, photos: list[Any], cuts: list[int], style: Style, fade: str) -> tuple[Any, list[Entry]]:
    """The meta strip above the photos, which are muted, and its entries. fade: a kind of effect, or "" for cuts.

    cuts: one more than photos; fades lie around them. Raises BadSelection, and nothing was changed then.
    """
    shortest = min(np.diff(cuts))
    if shortest < LEAST_FRAMES:
        raise BadSelection(
            f"A photo would be shown for {shortest} frames only.",
            f"Choose a greater length or fewer beats: {LEAST_FRAMES} frames are the least.",
        )
    frames = min(round(style.fade * scene.render.fps / scene.render.fps_base), int(shortest) // 2) if fade else 0
    editor = scene.sequence_editor
    holder = placement.holder_of(scene, photos[0])
    highest = max(photo.channel for photo in photos)
    channel = placement.free_channel(holder, highest, cuts[0], cuts[-1])
    if channel is None:
        raise BadSelection("There is no free channel above the photos.", "Make room above them and try again.")
    meta = compat.strips(holder).new_meta("Photo Sequence", channel, cuts[0])
    strips = compat.strips(meta)
    entries: list[Entry] = []
    for number, (photo, move) in enumerate(zip(photos, moves_for(photos, style), strict=True)):
        before = frames // 2 if number else 0
        after = frames - frames // 2 if number < len(photos) - 1 else 0
        start, end = cuts[number] - before, cuts[number + 1] + after
        copy = _copy(strips, photo, CHANNELS[number % 2], start, end)
        if entries and frames:
            compat.new_effect(strips, "Fade", fade, FADE_CHANNEL, start, start + frames, entries[-1].strip, copy)
        entries.append(Entry(copy, move))
    compat.set_span(meta, cuts[0], cuts[-1])
    meta.channel, meta.blend_type = channel, "ALPHA_OVER"
    for photo in photos:
        photo.mute, photo.select = True, False
    meta.select, editor.active_strip = True, meta
    return meta, entries


def _copy(strips: Any, photo: Any, channel: int, start: int, end: int) -> Any:
    path = media.blend_path(str(placement.still_path(photo)))
    copy = strips.new_image(photo.name, path, channel, start, fit_method="ORIGINAL")
    compat.set_right_handle(copy, end)
    look.copy_look(photo, copy)
    look.copy_group(photo.diorama_prompt, copy.diorama_prompt)
    copy.blend_type, copy.blend_alpha, copy.mute, copy.select = "ALPHA_OVER", 1.0, False, False
    return copy
