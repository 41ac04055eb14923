"""Depth maps are blurred where surfaces occlude each other. Turn those ramps into steps and leave slopes alone."""

from __future__ import annotations

import cv2
import numpy as np

from .edges import nearest_pixel

RAMP_SHARE = 1 / 130        # half width of the widest ramp, of the picture's longer side: what networks' maps have
LEAST_RAMP_PX = 5
STEP_RATIO = 0.05           # least step of an occlusion, of the farther disparity
STEP_SHARE = 0.0125         # ... and of the nearest disparity of all
SATURATION = 0.7            # of the change within twice the window, an occlusion has that share within the window
STEEP = 0.04                # a pixel lies on the ramp where it changes by that share of the step over 2 px
SHARP = 0.35                # share of the step between two neighbours from which on an occlusion is sharp already
MIXED = 0.1                 # ... where only pixels that lie between both sides by that share of the step are moved
GUIDE_SHARE = 0.8           # half width of the window in which the photo tells where a step is, of the ramp's
MOVE_SHARE = 0.4            # how far the photo may move a step, of the ramp's half width
SAME_SIDE = 0.35            # share of the change around by which two pixels of one surface may differ
GUIDE_NOISE = 0.003         # variance of luma (0..1) that tells nothing: the epsilon of the guided filter


def sharpen(disparity: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """disparity: (H, W) float32 > 0. rgb: (H, W, 3) uint8, its photo. -> the same disparity with occlusions as steps
    between neighbouring pixels.

    A ramp is an occlusion and no slope where a window twice as large holds hardly more change. There every pixel moves
    to the nearer one of its neighbours' extremes again and again, which puts the step where the ramp is steepest
    (toggle mapping: Kramer and Bruckner, 1975; shock filter: Osher and Rudin, 1990). Then the photo moves the steps of
    ramps to its own edges. Occlusions that are sharp already keep their place; only mixed pixels on them take a side.
    """
    radius = max(LEAST_RAMP_PX, round(RAMP_SHARE * max(disparity.shape)))
    least = STEP_SHARE * float(np.quantile(disparity[::4, ::4], 0.98))
    low, high = _erode(disparity, radius), _dilate(disparity, radius)
    step = high - low
    occlusion = step > np.maximum(STEP_RATIO * low, least)
    occlusion &= step > SATURATION * (_dilate(high, radius) - _erode(low, radius))
    if not occlusion.any():
        return disparity
    up, down = _dilate(disparity, 1), _erode(disparity, 1)
    already = _dilate(_steepest(disparity), radius) > SHARP * step
    mixed = np.minimum(up - disparity, disparity - down) > MIXED * step
    occlusion &= np.where(already, mixed, (up - down) > STEEP * step)
    sharp = disparity
    stride = max(1, radius // LEAST_RAMP_PX)
    for reach in [stride] * (radius // stride) + [1] * stride:
        up, down = _dilate(sharp, reach), _erode(sharp, reach)
        rise, fall = up - sharp, sharp - down
        moved = np.where(rise < fall, up, np.where(fall < rise, down, sharp))
        sharp = np.where(occlusion, moved, disparity)
    if already[occlusion].all():
        return sharp
    return _continue_plateaus(_follow_photo(sharp, disparity, rgb, ~already, least, radius), ~already, least, radius)


def _follow_photo(sharp: np.ndarray, disparity: np.ndarray, rgb: np.ndarray, soft: np.ndarray, least: float,
                  radius: int) -> np.ndarray:
    """Move steps where `soft` to the photo's edges: each pixel near a step takes the side to which a local linear model
    of luma (guided filter, He, Sun and Tang, 2010) assigns it."""
    reach, window = max(2, round(MOVE_SHARE * radius)), max(4, round(GUIDE_SHARE * radius))
    front, back = _dilate(sharp, reach), _erode(sharp, reach)
    step = front - back
    band = soft & (step > np.maximum(STEP_RATIO * back, least)) & (_dilate(_steepest(sharp), reach) > 0.6 * step)
    if not band.any():
        return sharp
    low, high = _erode(sharp, window + reach), _dilate(sharp, window + reach)
    nearness = np.clip((disparity - low) / np.maximum(high - low, least), 0, 1)
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    size = (2 * window + 1, 2 * window + 1)
    mean_luma, mean_nearness = cv2.blur(luma, size), cv2.blur(nearness, size)
    covariance = cv2.blur(luma * nearness, size) - mean_luma * mean_nearness
    variance = cv2.blur(luma * luma, size) - mean_luma * mean_luma
    fitted = mean_nearness + covariance / (variance + GUIDE_NOISE) * (luma - mean_luma)
    return np.where(band, np.where(fitted > 0.5, front, back), sharp)


def _continue_plateaus(sharp: np.ndarray, soft: np.ndarray, least: float, radius: int) -> np.ndarray:
    """Beside the steps of ramps, where the blur drew both sides towards each other: go on with the surface as it is
    one ramp away, slope included."""
    front, back = _dilate(sharp, 1), _erode(sharp, 1)
    step = soft & (front - back > np.maximum(STEP_RATIO * back, least))
    if not step.any():
        return sharp
    beside = cv2.distanceTransform((~step).astype(np.uint8), cv2.DIST_L2, 5) <= radius
    if beside.all():
        return sharp
    width = sharp.shape[1]
    rows, columns = np.nonzero(beside & soft)
    source = nearest_pixel(~beside)[1][rows, columns]
    down, right = rows - source // width, columns - source % width
    smooth = cv2.GaussianBlur(sharp, (0, 0), 1.0)
    slope_right = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8).reshape(-1)[source]
    slope_down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8).reshape(-1)[source]
    change = np.clip(slope_right * right + slope_down * down, -least, least)
    continued = sharp.reshape(-1)[source] + change
    both_sides = _dilate(sharp, radius) - _erode(sharp, radius)
    same_side = np.abs(continued - sharp[rows, columns]) < SAME_SIDE * both_sides[rows, columns]
    out = sharp.copy()
    out[rows[same_side], columns[same_side]] = continued[same_side]
    return out


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
