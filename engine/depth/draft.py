"""Draft depth: relative disparity from what a photo shows, without a depth network. It is called "draft" everywhere."""

from __future__ import annotations

import cv2
import numpy as np

from engine.depth.guided import guided_filter
from engine.depth.saliency import saliency

WORKING_SIDE = 640                      # cues are found in a picture of this longer side: they need no more


def draft_depth(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (H, W) float32 relative disparity, 0 = farthest .. 1 = nearest. Raises WeightsMissing."""
    height, width = rgb.shape[:2]
    scale = min(1.0, WORKING_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    guide = small.astype(np.float32) / 255
    subject = cv2.resize(saliency(small), size, interpolation=cv2.INTER_LINEAR)
    radius = max(2, max(size) // 80)
    subject = np.clip(guided_filter(guide, subject, radius, 1e-4), 0, 1)
    subject = np.clip((subject - 0.25) / 0.5, 0, 1)
    rows = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    disparity = np.maximum(np.broadcast_to(rows, subject.shape), 0) * 0.75 + 0.25 * subject
    disparity = cv2.resize(disparity, (width, height), interpolation=cv2.INTER_LINEAR)
    return _normalised(disparity)


def _normalised(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.full(values.shape, 0.5, np.float32)
    return ((values - low) / (high - low)).astype(np.float32)
