"""Exact depth: the z of every pixel as a renderer wrote it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.depth.picture import NOWHERE, read_numbers
from engine.errors import BadDepth

BEYOND = 8.0  # what a ray never met stands this many times as far away as the farthest surface that was met
SAME_SHAPE = 0.02  # aspects may differ by this share


def disparity_from_z(path: str, rect: list[int], full_size: list[int], shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float32 disparity of that shape, 1 / scene unit, with the nearest surface at disparity 1.

    path: EXR or .npy of z along the viewing axis, in any unit. rect: x, y, width, height of the part that is wanted, in
    pixels of the still of full_size (width, height) that the picture belongs to. Raises BadDepth.
    """
    name = Path(path).name
    values = read_numbers(path)
    height, width = values.shape
    if abs(width * full_size[1] / (height * full_size[0]) - 1) > SAME_SHAPE:
        raise BadDepth(f'"{name}" is {width} x {height} pixels, another shape than the still.',
                       "Use the depth of exactly the picture that the still shows.")
    across, down = width / full_size[0], height / full_size[1]
    left, top = round(rect[0] * across), round(rect[1] * down)
    part = values[top : top + max(1, round(rect[3] * down)), left : left + max(1, round(rect[2] * across))]
    z = part.astype(np.float32)
    if z.shape != shape:  # not averaged: between a near and a far surface there is none
        z = cv2.resize(z, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    met = np.isfinite(z) & (z > 0) & (z < NOWHERE)
    if not met.any() or (met.all() and float(z.max() - z.min()) <= 1e-6 * float(z.max())):
        raise BadDepth(f'"{name}" holds no depth that differs.', "Point the camera at something that is near and far.")
    nearest, farthest = float(z[met].min()), float(z[met].max())
    return np.where(met, nearest / np.where(met, z, 1), nearest / (farthest * BEYOND)).astype(np.float32)
