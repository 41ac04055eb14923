"""Keyframes that follow a curve: as few as keep it within a tolerance, with handles that a person can drag.

Every handle lies at a third of the way to the next key. Then Blender's Bezier curve is a plain cubic in time: it
repeats the engine's easings exactly, and anything smooth from its slopes.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..engine.errors import BadRequest
from ..sequencer import compat

Curve = Callable[[np.ndarray], np.ndarray]  # frames (N,) -> values (N,)

SLOPE_STEP = 0.02  # frames: over this a slope is measured
CORNER = 1e-3  # of the larger slope: handles whose slopes differ by more are not aligned
MOST_PIECES = 4096


def fitted(curve: Curve, corners: list[float], tolerance: float) -> np.ndarray:
    """Keys for a curve, (K, 4): frame, value, slope before it, slope after it, per frame.

    corners: frames, rising, at which there is always a key: the first, the last, and where the curve has a corner.
    Between two of them there are as few keys as keep every frame within the tolerance. Raises BadRequest for a curve
    that no keys follow.
    """
    keys: list[np.ndarray] = []
    for begin, end in pairwise(corners):
        piece = _fitted_piece(curve, begin, end, tolerance)
        if keys:
            keys[-1][-1, 3] = piece[0, 3]
            piece = piece[1:]
        keys.append(piece)
    return np.concatenate(keys)


def _fitted_piece(curve: Curve, begin: float, end: float, tolerance: float) -> np.ndarray:
    times = np.linspace(begin, end, max(int(end - begin), 2) * 2 + 1)
    wanted = curve(times)

    def attempt(pieces: int) -> np.ndarray | None:
        places = np.linspace(begin, end, pieces + 1)
        if (end - begin) / pieces >= 2:
            places[1:-1] = np.round(places[1:-1])  # whole frames are easier to find again
        keys = _keys_at(curve, places)
        return keys if np.abs(evaluated(keys, times) - wanted).max() <= tolerance else None

    few, many = 0, 1
    while (keys := attempt(many)) is None:
        few, many = many, many * 2
        if many > MOST_PIECES:
            raise BadRequest("This move is too quick for keyframes.", "Choose a smaller amount or a shorter strip.")
    while many - few > 1:
        middle = (few + many) // 2
        fewer = attempt(middle)
        few, many, keys = (middle, many, keys) if fewer is None else (few, middle, fewer)
    return keys


def _keys_at(curve: Curve, places: np.ndarray) -> np.ndarray:
    """Keys on the curve, with slopes measured within the piece, so that a corner at its end does not count."""
    step = min(SLOPE_STEP, (places[-1] - places[0]) / 8)
    values = curve(places)
    slopes = (curve(places + step) - curve(places - step)) / (2 * step) if len(places) > 2 else np.zeros(len(places))
    for index, direction in ((0, step), (-1, -step)):
        near, far = curve(places[index] + np.array([1, 2]) * direction)
        slopes[index] = (-3 * values[index] + 4 * near - far) / (2 * direction)
    return np.stack([places, values, slopes, slopes], axis=1)


def evaluated(keys: np.ndarray, times: np.ndarray) -> np.ndarray:
    """What Blender shows between such keys; times within the keys' range."""
    index = np.clip(np.searchsorted(keys[:, 0], times, side="right") - 1, 0, len(keys) - 2)
    a, b = keys[index], keys[index + 1]
    length = b[:, 0] - a[:, 0]
    t = (times - a[:, 0]) / length
    rest = 1 - t
    return (
        rest**3 * a[:, 1]
        + 3 * rest**2 * t * (a[:, 1] + a[:, 3] * length / 3)
        + 3 * rest * t**2 * (b[:, 1] - b[:, 2] * length / 3)
        + t**3 * b[:, 1]
    )


# ------------------------------------------------------------------ in Blender


def find(owner: Any, path: str, index: int) -> Any:
    """The F-curve that animates a property of a data-block, or None."""
    if owner.animation_data is None or owner.animation_data.action is None:
        return None
    for curve in compat.fcurves(owner.animation_data):
        if curve.data_path == path and curve.array_index == max(index, 0):
            return curve
    return None


def write(owner: Any, path: str, index: int, keys: np.ndarray, repeat: bool) -> Any:
    """Replaces the F-curve of a property by these keys, and returns it.

    index: -1 for a property that is one number. repeat: the keys are one turn of a loop.
    """
    remove(owner, path, index)
    owner.keyframe_insert(path, index=index, frame=keys[0, 0])
    curve = find(owner, path, index)
    points = curve.keyframe_points
    points.add(len(keys) - 1)
    before = np.diff(keys[:, 0], prepend=keys[0, 0] - 3) / 3
    after = np.diff(keys[:, 0], append=keys[-1, 0] + 3) / 3
    left = np.stack([keys[:, 0] - before, keys[:, 1] - keys[:, 2] * before], axis=1)
    right = np.stack([keys[:, 0] + after, keys[:, 1] + keys[:, 3] * after], axis=1)
    for point, key in zip(points, keys, strict=True):
        point.interpolation = "BEZIER"
        smooth = abs(key[2] - key[3]) <= CORNER * max(abs(key[2]), abs(key[3]))
        point.handle_left_type = point.handle_right_type = "ALIGNED" if smooth else "FREE"
    for name, values in (("co", keys[:, :2]), ("handle_left", left), ("handle_right", right)):
        points.foreach_set(name, np.ascontiguousarray(values, np.float32).ravel())
    if repeat:
        curve.modifiers.new("CYCLES")
    curve.update()
    return curve


def remove(owner: Any, path: str, index: int) -> None:
    """Takes the F-curve of a property away, if there is one."""
    curve = find(owner, path, index)
    if curve is not None:
        compat.fcurves(owner.animation_data).remove(curve)


def reader(curve: Any) -> Curve:
    """An F-curve with its modifiers as a function."""
    return lambda frames: np.array([curve.evaluate(float(frame)) for frame in np.atleast_1d(frames)])


def scaled(curve: Any, rest: float, factor: float) -> None:
    """Moves all keys and handles of an F-curve towards a value; what its modifiers add is not changed."""
    for point in curve.keyframe_points:
        for corner in (point.handle_left, point.co, point.handle_right):
            corner[1] = rest + (corner[1] - rest) * factor
    curve.update()
