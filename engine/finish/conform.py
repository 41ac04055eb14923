"""Frames at another rate or of another number: exact length, the first frame unchanged."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from engine.errors import WeightsMissing

from .between import Between, Flow, blend, hold, is_cut
from .frames import Frames


def positions(count_in: int, num_frames: int, method: str) -> list[Fraction]:
    """Which moment of the source each new frame shows, in frames of the source, 0 .. count_in - 1.

    The speed is exact, so that sound fits: frame k shows k * count_in / num_frames. Where that would show the last
    frame more than once, the last frame of the source is the last of the new ones instead; "hold" repeats anyway.
    """
    last = count_in - 1
    if method != "hold" and num_frames >= 2 * count_in:
        step = Fraction(last, num_frames - 1)
    else:
        step = Fraction(count_in, num_frames)
    return [min(step * k, Fraction(last)) for k in range(num_frames)]


def interpolator(method: str, warnings: list[str]) -> Between:
    """What makes the frames between. Without the network, "interpolate" is done by optical flow, and says so."""
    if method == "interpolate":
        from .rife import rife

        try:
            return rife()
        except WeightsMissing as error:
            warnings.append(f"{error.message} The frames between were made by optical flow.")
            method = "flow"
    return {"flow": Flow(), "blend": blend, "hold": hold}[method]


def retimed(frames: Frames, num_frames: int, method: str, warnings: list[str]) -> Frames:
    """The same clip in that many frames. method: of RETIMES. A moment across a cut shows the frame before it."""
    if num_frames == frames.num_frames:
        return frames
    places = positions(frames.num_frames, num_frames, method)
    between = hold if all(place.denominator == 1 for place in places) else interpolator(method, warnings)

    def read(index: int) -> np.ndarray:
        place = places[index]
        first = int(place)
        a = frames.frame(first)
        if place == first:
            return a
        b = frames.frame(first + 1)
        if between is hold or is_cut(a, b):
            return a
        return between(a, b, float(place - first))

    return Frames(num_frames, frames.width, frames.height, read)
