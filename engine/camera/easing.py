"""Time curves. Each is a cubic Bezier with evenly spaced time handles, so Blender's own keyframes repeat it exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Choice:
    """One item of a list that a person picks from."""

    label: str
    description: str


@dataclass(frozen=True)
class Easing(Choice):
    """first, second: values of the two inner Bezier handles, which lie at 1/3 and 2/3 of the time."""

    first: float
    second: float


EASINGS: dict[str, Easing] = {
    "ease_in_out": Easing("Ease In and Out", "Starts from rest and comes to rest", 0.0, 1.0),
    "ease_in": Easing("Ease In", "Starts from rest and leaves at speed", 0.0, 2 / 3),
    "ease_out": Easing("Ease Out", "Starts at speed and comes to rest", 1 / 3, 1.0),
    "linear": Easing("Linear", "The same speed throughout", 1 / 3, 2 / 3),
}

CYCLES: dict[str, Choice] = {
    "once": Choice("Once", "From the photo to the end of the move"),
    "ping_pong": Choice("There and Back", "To the end of the move and back to the photo within the clip"),
    "loop": Choice("Loop", "The clip can be repeated without a seam"),
}


def ease(name: str, time: np.ndarray) -> np.ndarray:
    """Progress of a move, 0..1, at `time` 0..1 (any shape)."""
    curve = EASINGS[name]
    rest = 1 - time
    return 3 * rest**2 * time * curve.first + 3 * rest * time**2 * curve.second + time**3


def progress(cycle: str, easing: str, num_frames: int, closed: bool) -> np.ndarray:
    """Progress of the move at every frame, (num_frames,), 0 = rest, 1 = the end of the move.

    closed: the move itself comes back to its start (a circle). A loop runs through such a move at constant speed and
    swings through any other like a pendulum; in both, the frame after the last equals the first.
    """
    return progress_at(np.arange(num_frames), cycle, easing, num_frames, closed)


def progress_at(frames: np.ndarray, cycle: str, easing: str, num_frames: int, closed: bool) -> np.ndarray:
    """As progress(), at any frames, whole or not, counted from 0; same shape."""
    if cycle == "loop":
        time = frames / num_frames
        return time if closed else (1 - np.cos(2 * np.pi * time)) / 2
    time = frames / max(num_frames - 1, 1)
    return ease(easing, time if cycle == "once" else 1 - np.abs(2 * time - 1))
