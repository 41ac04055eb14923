"""What stands behind a silhouette: colour and disparity continued from the far side."""

from __future__ import annotations

import cv2
import numpy as np

from .edges import nearest_pixel

SMOOTH_PER_PIXEL = 0.8      # blur of the fill, in pixels per pixel of distance from the silhouette


def continue_surface(values: np.ndarray, sources: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Continue a surface into pixels where it is hidden.

    values: (H, W, C) float32. sources: (H, W) bool, clean pixels of the surface. wanted: (H, W) bool.
    -> (H, W, C) float32, the values at `sources`; elsewhere those of the nearest source, smoothed the more the
    farther it is. Pixels neither source nor wanted are nearest copies.
    """
    distance, nearest = nearest_pixel(sources)
    copied = values.reshape(-1, values.shape[2])[nearest]
    if not wanted.any():
        return copied
    weight = (wanted | sources).astype(np.float32)
    level = np.log2(np.maximum(SMOOTH_PER_PIXEL * distance, 0.5)) + 1      # 0 = no blur
    level[~wanted] = 0
    return _sample_pyramid(copied, weight, level)


def _sample_pyramid(values: np.ndarray, weight: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Blurred values: at every pixel the level of a weighted Gaussian pyramid that `level` (H, W) asks for."""
    height, width = weight.shape
    total = np.dstack([values * weight[..., None], weight])
    out = values * np.clip(1 - level, 0, 1)[..., None]
    deepest = int(min(np.ceil(level.max()), np.log2(max(min(height, width), 2))))
    for step in range(1, deepest + 1):
        total = cv2.pyrDown(total)
        share = np.clip(1 - np.abs(level - step), 0, 1) if step < deepest else np.clip(level - step + 1, 0, 1)
        rows, columns = np.nonzero(share)
        if not len(rows):
            continue
        part = np.s_[rows.min():rows.max() + 1, columns.min():columns.max() + 1]
        scale = 2.0 ** -step
        x = (np.arange(width, dtype=np.float32)[part[1]] * scale)[None].repeat(share[part].shape[0], 0)
        y = (np.arange(height, dtype=np.float32)[part[0]] * scale)[:, None].repeat(share[part].shape[1], 1)
        sampled = np.dstack([cv2.remap(np.ascontiguousarray(total[..., c]), x, y, cv2.INTER_LINEAR,
                                       borderMode=cv2.BORDER_REPLICATE) for c in range(total.shape[2])])
        blurred = sampled[..., :-1] / np.maximum(sampled[..., -1:], 1e-6)
        out[part] += blurred * share[part][..., None]
    return out
