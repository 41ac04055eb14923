"""A move that goes on: the views after its last frame, or before its first, along its own path."""

from __future__ import annotations

import numpy as np

from .easing import EASINGS, ease, progress_at
from .intrinsics import View
from .moves import MOVES
from .path import LIMIT_STEPS, NEAREST_SHARE, SAFETY_PX, Bounds, Shot, outside, views_of

LEAST_SHARE = 0.1  # of the way that a move would go on: less is as good as standing still


def further(shot: Shot, bounds: Bounds, margin_px: float, count: int, backward: bool) -> list[View]:
    """The next `count` views, or those before the first, in the order of time; [] where the photo has no more to show.

    A loop or a way there and back is repeated. A move that ends at speed keeps it; one that comes to rest goes on as
    it went, from rest to rest. Only the new way is shortened where it would read beyond the margin, so that the joint
    stays exact. margin_px: as in limited().
    """
    steps = np.arange(1, count + 1)
    last, closed = shot.num_frames - 1, MOVES[shot.move].closed
    if shot.cycle == "loop":
        frames = -steps[::-1] if backward else last + steps
        return views_of(progress_at(frames, "loop", shot.easing, shot.num_frames, closed), shot, bounds)
    if shot.cycle == "ping_pong":
        frames = (-steps[::-1] if backward else last + steps) % max(last, 1)
        return views_of(progress_at(frames, "ping_pong", shot.easing, shot.num_frames, closed), shot, bounds)
    way = _way(shot, steps, backward)

    def views(share: float) -> list[View]:
        progress = -share * way[::-1] if backward else 1 + share * way
        return views_of(progress, shot, bounds)

    def allowed(share: float) -> bool:
        return all(
            np.linalg.inv(v.world2cam)[2, 3] <= NEAREST_SHARE / bounds.near
            and outside(v, shot, bounds) <= margin_px - SAFETY_PX
            for v in views(share)[:: max(1, count // 48)]
        )

    low, high = 0.0, 1.0
    if allowed(1.0):
        return views(1.0)
    for _ in range(LIMIT_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return views(low) if low >= LEAST_SHARE else []


def _way(shot: Shot, steps: np.ndarray, backward: bool) -> np.ndarray:
    """(count,) how much further the progress is that many frames beyond the end, growing; before any limit."""
    curve, last = EASINGS[shot.easing], max(shot.num_frames - 1, 1)
    speed = 3 * curve.first if backward else 3 * (1 - curve.second)  # progress per length of the move, at that end
    if speed > 0:
        return speed * steps / last
    return len(steps) / last * ease("ease_in_out", steps / len(steps))
