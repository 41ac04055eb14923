"""Selected shots end to end: butt-joined, faded into each other, and brought to one colour.

A shot is what lies over each other in time: a photo, the clip above it, its sound. It moves as one; its highest shown
picture is what is faded and coloured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..engine.errors import BadSelection
from . import compat, placement

MATCH = "Diorama Match"  # name of our modifier
FADES = ("CROSS", "GAMMA_CROSS")
QUANTILES = np.linspace(0.02, 0.98, 9)
LEAST_STEP = 0.01  # between two points of a curve
FAR = 200_000  # frames: an empty part of any timeline
HANDLES = (compat.left_handle, compat.right_handle)
STEEPEST = 3.0  # of a matching curve: more would show banding


@dataclass
class Shot:
    """strips: all that lies over each other in time, lowest first."""

    strips: list[Any]

    @property
    def start(self) -> int:
        return min(compat.left_handle(strip) for strip in self.strips)

    @property
    def end(self) -> int:
        return max(compat.right_handle(strip) for strip in self.strips)

    @property
    def face(self) -> Any:
        """The highest strip that is shown and has a picture."""
        pictures = [strip for strip in self.strips if strip.type != "SOUND"]
        return next((strip for strip in reversed(pictures) if not strip.mute), pictures[-1])


def is_effect(strip: Any) -> bool:
    """Whether a strip is made of other strips, and goes where they go."""
    return getattr(strip, "input_1", None) is not None


def shots_of(strips: list[Any]) -> list[Shot]:
    """The shots among strips, in the order of time. Raises BadSelection for fewer than two."""
    shots: list[Shot] = []
    for strip in sorted((s for s in strips if not is_effect(s)), key=compat.left_handle):
        start, end = compat.left_handle(strip), compat.right_handle(strip)
        last = shots[-1] if shots else None
        common = min(last.end, end) - max(last.start, start) if last else 0
        if last and 2 * common > min(end - start, last.end - last.start):
            last.strips.append(strip)
        else:
            shots.append(Shot([strip]))
    shots = [shot for shot in shots if any(strip.type != "SOUND" for strip in shot.strips)]
    for shot in shots:
        shot.strips.sort(key=lambda strip: strip.channel)
    if len(shots) < 2:
        raise BadSelection("There are not two clips to be joined.", "Select at least two that follow each other.")
    return shots


def join(scene: Any, strips: list[Any], frames: int, fade: str) -> list[Any]:
    """Moves the shots so that each begins where the one before ends, or `frames` earlier under a fade.

    The first shot stays. fade: one of FADES, or "" for plain cuts. Returns the fades. Raises BadSelection, and nothing
    was changed then, when a shot is too short for its fades or something is in the way.
    """
    shots, overlap = shots_of(strips), frames if fade else 0
    starts = [shots[0].start]
    for number, shot in enumerate(shots):
        least = overlap * (1 if number in (0, len(shots) - 1) else 2) + 1
        if shot.end - shot.start < least:
            raise BadSelection(f"'{shot.face.name}' is too short for its fades.", f"Choose fewer than {frames} frames.")
        starts.append(starts[-1] + shot.end - shot.start - overlap)
    holder = placement.holder_of(scene, shots[0].face)
    for strip in (strip for shot in shots for strip in shot.strips):
        if strip.lock or holder.channels[strip.channel].lock:
            raise BadSelection(f"'{strip.name}' is locked.", "Unlock the strip or its channel and try again.")
    old = [s for s in compat.strips(holder) if s.type in FADES and is_ours(s, shots)]
    height = max(shot.strips[-1].channel - shot.strips[0].channel for shot in shots) + 1
    base = min(shot.strips[0].channel for shot in shots)
    ups = [base + number % 2 * height - shot.strips[0].channel if overlap else 0 for number, shot in enumerate(shots)]
    top = base + 2 * height
    _check_room(holder, shots, starts, ups, [top, overlap])
    for strip in old:
        compat.strips(holder).remove(strip)
    _move(shots, starts, ups)
    return [_fade(holder, first, second, fade, top) for first, second in pairwise(shots)] if overlap else []


def is_ours(effect: Any, shots: list[Shot]) -> bool:
    """Whether a fade lies between two of the shots."""
    strips = [strip for shot in shots for strip in shot.strips]
    return effect.input_1 in strips and effect.input_2 in strips


def _check_room(holder: Any, shots: list[Shot], starts: list[int], ups: list[int], fades: list[int]) -> None:
    moved = [strip for shot in shots for strip in shot.strips]
    others = [s for s in compat.strips(holder) if s not in moved and not (is_effect(s) and is_made_of(s, moved))]
    places = [
        (strip.channel + up, *(handle(strip) + start - shot.start for handle in HANDLES))
        for shot, start, up in zip(shots, starts, ups, strict=False)
        for strip in shot.strips
    ]
    top, overlap = fades
    places += [(top, start, start + overlap) for start in starts[1:-1]] if overlap else []
    for channel, start, end in places:
        for other in others:
            inside = compat.left_handle(other) < end and compat.right_handle(other) > start
            if other.channel == channel and inside:
                raise BadSelection(f"'{other.name}' is in the way.", "Move it, or select it too, and try again.")
        if channel > placement.LAST_CHANNEL:
            raise BadSelection("There are not enough channels.", "Move the strips to lower channels and try again.")


def is_made_of(effect: Any, strips: list[Any]) -> bool:
    """Whether an effect's input is among the strips: then it goes where they go."""
    return effect.input_1 in strips or getattr(effect, "input_2", None) in strips


def _move(shots: list[Shot], starts: list[int], ups: list[int]) -> None:
    """By way of an empty part of the timeline: Blender pushes away what touches another strip even for a moment."""
    shifts = [start - shot.start for shot, start in zip(shots, starts, strict=False)]
    for shot in shots:
        _shift(shot.strips, FAR)
    for shot, shift, up in zip(shots, shifts, ups, strict=True):
        for strip in shot.strips:
            channel = strip.channel + up
            compat.set_content_start(strip, compat.content_start(strip) + FAR + shift)
            strip.channel = channel  # it may have been pushed up meanwhile
    for shot in shots:
        _shift(shot.strips, -2 * FAR)


def _shift(strips: list[Any], frames: int) -> None:
    for strip in strips:
        compat.set_content_start(strip, compat.content_start(strip) + frames)


def _fade(holder: Any, first: Shot, second: Shot, kind: str, channel: int) -> Any:
    start, end = second.start, first.end
    strip = compat.new_effect(
        compat.strips(holder), "Fade", kind, channel, start, end, first.face, second.face
    )
    strip.channel, strip.select = channel, False
    return strip


# ------------------------------------------------------------------ colour


def match(strip: Any, here: np.ndarray, wanted: np.ndarray) -> None:
    """Gives a strip a Curves modifier that brings its colours from `here` to `wanted`, both of levels().

    Each channel's quantiles are matched, in the display's own levels, which are nearly even to the eye.
    """
    mapping = strip.modifiers.new(MATCH, "CURVES").curve_mapping
    mapping.extend = "EXTRAPOLATED"
    for channel in range(3):
        _set_curve(mapping.curves[channel], here[:, channel], wanted[:, channel])
    mapping.update()


def unmatch(strip: Any) -> None:
    """Takes our modifier away again."""
    for modifier in [m for m in strip.modifiers if m.name.startswith(MATCH)]:
        strip.modifiers.remove(modifier)


def frames_to_look_at(strip: Any) -> list[int]:
    """The first, the middle and the last frame that a strip shows."""
    first, last = compat.left_handle(strip), compat.right_handle(strip) - 1
    return sorted({first, (first + last) // 2, last})


def levels(pictures: list[np.ndarray]) -> np.ndarray:
    """(len(QUANTILES), 3) levels of some pictures together. pictures: (N, 3) pixels each, 0..1."""
    return np.quantile(np.concatenate(pictures), QUANTILES, axis=0)


def _set_curve(curve: Any, here: np.ndarray, wanted: np.ndarray) -> None:
    """here -> wanted through a few points with strictly growing places and a bounded slope."""
    places = [0.0, *here, 1.0]
    levels = [max(0.0, wanted[0] - here[0]), *wanted, min(1.0, wanted[-1] + 1 - here[-1])]
    points: list[tuple[float, float]] = []
    for place, level in zip(places, levels, strict=True):
        if points and place - points[-1][0] < LEAST_STEP:
            continue
        if points:
            level = min(max(level, points[-1][1]), points[-1][1] + STEEPEST * (place - points[-1][0]))
        points.append((float(place), float(level)))
    while len(curve.points) < len(points):
        curve.points.new(0.5, 0.5)
    for point, location in zip(curve.points, points, strict=True):
        point.location, point.handle_type = location, "VECTOR"
