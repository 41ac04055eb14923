"""Brightness that flickers is smoothed over time: of the whole picture, or of each part of it.

What counts is how the brightness of one and the same thing changes from frame to frame: frames are compared along their
optical flow, so that what moves through a part of the picture is not taken for flicker of the light there.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .between import sampled
from .colour import smoothed
from .frames import Frames, small

CELLS = {"global": 1, "local": 12}      # along the longer side
SAMPLES = 12                            # pixels along each side of a cell
MEASURED_PX = 256
DARK = 4.0                              # levels added, so that noise in the blacks is no flicker
GAIN_LIMITS = (0.67, 1.5)


def deflicker(
    frames: Frames, method: str, over: int, amount: float, seen: Callable[[int, int], None]
) -> tuple[Frames, dict[str, float]]:
    """method: of CELLS. over: frames. Also how much the brightness changes from frame to frame before and after, root
    mean square in percent. Every colour channel has its own correction, which takes flicker of lamps along.
    """
    columns, rows = _grid(frames.width, frames.height, CELLS[method])
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    changes = np.zeros((frames.num_frames, rows, columns, 3))
    previous = small(frames.frame(0), MEASURED_PX)
    for index in range(1, frames.num_frames):
        current = small(frames.frame(index), MEASURED_PX)
        changes[index] = _change(previous, current, flow, columns, rows)
        previous = current
        seen(index, frames.num_frames - 1)
    level = np.cumsum(changes, axis=0).reshape(frames.num_frames, -1)
    gains = np.exp((smoothed(level, over) - level) * amount).clip(*GAIN_LIMITS)
    facts = {"before": _jumps(level), "after": _jumps(level + np.log(gains))}
    grids = gains.reshape(changes.shape).astype(np.float32)

    def corrected(index: int, picture: np.ndarray) -> np.ndarray:
        gain = grids[index]
        if gain.shape[:2] != (1, 1):
            gain = cv2.resize(gain, (frames.width, frames.height), interpolation=cv2.INTER_CUBIC)
        return np.rint((picture + np.float32(DARK)) * gain - DARK).clip(0, 255).astype(np.uint8)

    return frames.changed(corrected), facts


def _grid(width: int, height: int, across: int) -> tuple[int, int]:
    """Columns and rows of cells that are about square."""
    longer = max(width, height)
    return max(1, round(across * width / longer)), max(1, round(across * height / longer))


def _change(a: np.ndarray, b: np.ndarray, flow: cv2.DISOpticalFlow, columns: int, rows: int) -> np.ndarray:
    """(rows, columns, 3): logarithm of how much brighter what a cell shows became; the median, as some is uncovered."""
    moved = b
    if min(a.shape[:2]) >= 16:          # the size of the method's patches
        one, two = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (a, b))
        moved = sampled(b, flow.calc(one, two, np.zeros((*one.shape, 2), np.float32)))
    ratio = np.log((moved + np.float32(DARK)) / (a + np.float32(DARK)))
    ratio = cv2.resize(ratio, (columns * SAMPLES, rows * SAMPLES), interpolation=cv2.INTER_AREA)
    return np.median(ratio.reshape(rows, SAMPLES, columns, SAMPLES, 3), axis=(1, 3))


def _jumps(level: np.ndarray) -> float:
    return round(100 * float(np.sqrt(np.mean(np.square(np.diff(level, axis=0))))), 3) if len(level) > 1 else 0.0
