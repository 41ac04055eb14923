"""Depth maps are blurred where surfaces occlude each other. Turn those ramps into steps and leave slopes alone."""

from __future__ import annotations

import cv2
import numpy as np

RAMP_SHARE = 1 / 130        # half width of the widest ramp, of the picture's longer side: what networks' maps have
STEP_RATIO = 0.05           # least step of an occlusion, of the farther disparity
STEP_SHARE = 0.0125         # ... and of the nearest disparity of all
SATURATION = 0.7            # share of the change within twice the window that an occlusion has within the window: slope 1/2
STEEP = 0.04                # a pixel lies on the ramp where it changes by that share of the step over 2 px
SHARP = 0.35                # share of the step between two neighbours from which on an occlusion is sharp already
MIXED = 0.1                 # ... where only pixels that lie between both sides by that share of the step are moved


def sharpen(disparity: np.ndarray) -> np.ndarray:
    """(H, W) float32 > 0 -> the same with occlusions as steps between neighbouring pixels.

    A ramp is an occlusion and no slope where a window twice as large holds hardly more change. There every pixel moves
    to the nearer one of its neighbours' extremes again and again, which puts the step where the ramp is steepest
    (toggle mapping: Kramer and Bruckner, 1975; shock filter: Osher and Rudin, 1990).
    """
    radius = max(2, round(RAMP_SHARE * max(disparity.shape)))
    low, high = _erode(disparity, radius), _dilate(disparity, radius)
    step = high - low
    nearest = float(np.quantile(disparity[::4, ::4], 0.98))
    occlusion = step > np.maximum(STEP_RATIO * low, STEP_SHARE * nearest)
    occlusion &= step > SATURATION * (_dilate(high, radius) - _erode(low, radius))
    here = _dilate(disparity, 1) - _erode(disparity, 1)
    already = _dilate(_steepest(disparity), radius) > SHARP * step
    mixed = np.minimum(_dilate(disparity, 1) - disparity, disparity - _erode(disparity, 1)) > MIXED * step
    occlusion &= np.where(already, mixed, here > STEEP * step)
    if not occlusion.any():
        return disparity
    sharp = disparity
    for _ in range(radius + 1):
        up, down = _dilate(sharp, 1), _erode(sharp, 1)
        rise, fall = up - sharp, sharp - down
        moved = np.where(rise < fall, up, np.where(fall < rise, down, sharp))
        sharp = np.where(occlusion, moved, disparity)
    return sharp


def _steepest(values: np.ndarray) -> np.ndarray:
    """Largest change to the pixel on the right or below."""
    out = np.zeros_like(values)
    out[:, :-1] = np.abs(np.diff(values, axis=1))
    out[:-1] = np.maximum(out[:-1], np.abs(np.diff(values, axis=0)))
    return out


def _dilate(values: np.ndarray, radius: int) -> np.ndarray:
    return cv2.dilate(values, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8), borderType=cv2.BORDER_REPLICATE)


def _erode(values: np.ndarray, radius: int) -> np.ndarray:
    return cv2.erode(values, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
