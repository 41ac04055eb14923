"""Brightness that flickers is smoothed over time: of the whole picture, or of each part of it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .colour import smoothed
from .frames import Frames, small

CELLS = {"global": 1, "local": 12}      # along the longer side
GAIN_LIMITS = (0.67, 1.5)


def deflicker(
    frames: Frames, method: str, over: int, amount: float, seen: Callable[[int, int], None]
) -> tuple[Frames, dict[str, float]]:
    """method: of CELLS. over: frames. Also how much the brightness jumped from frame to frame before and does after,
    root mean square in percent.

    Every colour channel has its own correction, which takes flicker of lamps along; what moves through a part of the
    picture is told from flicker by its size alone, so corrections are limited.
    """
    across = CELLS[method]
    shape = (across, across) if across == 1 else _grid(frames.width, frames.height, across)
    levels = []
    for index in range(frames.num_frames):
        levels.append(_cells(frames.frame(index), shape))
        seen(index + 1, frames.num_frames)
    measured = np.log(np.array(levels).reshape(len(levels), -1) + 1.0)
    wanted = smoothed(measured, over)
    gains = np.exp((wanted - measured) * amount).clip(*GAIN_LIMITS).reshape(-1, shape[1], shape[0], 3)

    def change(index: int, picture: np.ndarray) -> np.ndarray:
        gain = gains[index].astype(np.float32)
        if shape != (1, 1):
            gain = cv2.resize(gain, (frames.width, frames.height), interpolation=cv2.INTER_CUBIC)
        return np.rint((picture + np.float32(1)) * gain - 1).clip(0, 255).astype(np.uint8)

    def jumps(curve: np.ndarray) -> float:
        means = curve.mean(axis=1)
        return round(100 * float(np.sqrt(np.mean(np.square(np.diff(means))))), 3) if len(means) > 1 else 0.0

    return frames.changed(change), {"before": jumps(measured), "after": jumps(measured + np.log(gains).reshape(
        len(measured), -1))}


def _grid(width: int, height: int, across: int) -> tuple[int, int]:
    """Columns and rows of cells that are about square."""
    longer = max(width, height)
    return max(1, round(across * width / longer)), max(1, round(across * height / longer))


def _cells(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return cv2.resize(small(picture, 192).astype(np.float32), shape, interpolation=cv2.INTER_AREA).reshape(-1, 3)
