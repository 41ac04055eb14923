"""The depth at a point that a person chose."""

from __future__ import annotations

import numpy as np

from ..errors import BadRequest

WINDOW = 0.01               # of the longer side: half the window whose median counts, so that one stray pixel does not

Point = tuple[float, float]


def is_chosen(point: Point) -> bool:
    """A negative coordinate means that no point was chosen."""
    return min(point) >= 0


def within(point: Point, rect: list[int], full_size: list[int]) -> Point:
    """A point of the whole still as shares of the part `rect` (x, y, width, height, pixels) of it.

    full_size: width and height of the whole still. Raises BadRequest for a point outside of that part.
    """
    x = (point[0] * full_size[0] - rect[0]) / rect[2]
    y = (point[1] * full_size[1] - rect[1]) / rect[3]
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise BadRequest("The chosen point lies outside of the photo.", "Choose a point on the photo.")
    return x, y


def disparity_at(relative_disparity: np.ndarray, point: Point) -> float:
    """The median around a point. relative_disparity: (H, W). point: x from the left, y from the top, shares of it."""
    height, width = relative_disparity.shape
    reach = max(1, round(WINDOW * max(width, height)))
    column = min(int(point[0] * width), width - 1)
    row = min(int(point[1] * height), height - 1)
    window = relative_disparity[max(row - reach, 0):row + reach + 1, max(column - reach, 0):column + reach + 1]
    return float(np.median(window))
