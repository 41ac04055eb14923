"""The sky without a network: a smooth blue or bright region that hangs from the top and ends at a strong contour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 256                              # the sky is large: a picture of this longer side shows it
SMOOTH = 0.03                           # colour change per pixel (colours 0..1) below which a place can be sky
LEAST_AREA, LEAST_PART = 0.03, 0.01     # shares of the picture: all of the sky, each of its pieces
WEAK_CONTOUR, CLEAR_CONTOUR = 0.14, 0.18    # colour change along its outline, by its brightness; walls stay below
NARROW, WIDE = 0.3, 0.45                # share of the top edge that it covers


@dataclass(frozen=True)
class Sky:
    """matte: (h, w) float32 0..1, coarse. confidence: 0 = no sky in this picture .. 1. horizon: share of the height."""

    matte: np.ndarray
    confidence: float
    horizon: float


def find_sky(rgb: np.ndarray) -> Sky:
    """(H, W, 3) uint8 sRGB -> Sky, at a longer side of at most SIDE pixels."""
    scale = min(1.0, SIDE / max(rgb.shape[:2]))
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    picture = cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32) / 255
    dx, dy = (cv2.Sobel(picture, cv2.CV_32F, *axis, scale=0.25) for axis in ((1, 0), (0, 1)))
    change = np.sqrt((dx * dx + dy * dy).sum(axis=-1))
    red, green, blue = cv2.split(picture)
    value, least = picture.max(axis=-1), picture.min(axis=-1)
    is_blue = (value > 0.2) & (blue - red > 0.04) & (blue >= green - 0.02)
    is_bright = (value > 0.7) & (value - least < 0.2 * value)
    candidate = ((change < SMOOTH) & (is_blue | is_bright)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(candidate, connectivity=4)
    top = max(2, size[1] // 50)
    hanging = [i for i in np.unique(labels[:top]) if i and stats[i, cv2.CC_STAT_AREA] > LEAST_PART * labels.size]
    matte = np.isin(labels, hanging).astype(np.uint8)
    nothing = Sky(np.zeros(matte.shape, np.float32), 0.0, 0.0)
    if matte.mean() < LEAST_AREA:
        return nothing
    outline = cv2.dilate(matte, np.ones((7, 7), np.uint8)) > cv2.erode(matte, np.ones((3, 3), np.uint8))
    outline[:3] = False                 # the picture's own border is no contour
    if not outline.any():
        return nothing
    # relative to its own brightness, so that a sky at dusk counts too
    contour = float(change[outline].mean()) / max(float(picture[matte > 0].mean()), 0.05)
    cover = float(matte[:top].any(axis=0).mean())
    confidence = _ramp(contour, WEAK_CONTOUR, CLEAR_CONTOUR) * _ramp(cover, NARROW, WIDE)
    matte = cv2.dilate(matte, np.ones((3, 3), np.uint8))        # gives back what the smoothness test took
    columns = matte[:, matte.any(axis=0)]
    bottoms = columns.shape[0] - np.argmax(columns[::-1], axis=0)
    horizon = float(np.percentile(bottoms, 90)) / size[1]
    return Sky(matte.astype(np.float32), confidence, horizon)


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
