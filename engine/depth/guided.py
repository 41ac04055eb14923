"""Edge-aware smoothing and enlarging: soft maps take over the outlines of the photo they belong to."""

from __future__ import annotations

import cv2
import numpy as np


def guided_upsample(guide: np.ndarray, small_guide: np.ndarray, values: np.ndarray, radius: int,
                    softness: float = 1e-4) -> np.ndarray:
    """Smooths `values`, keeps steps where the guide has some, and enlarges to the guide's size.

    The guided image filter (He, Sun, Tang): in every window the values are a linear function of the colours; the
    functions are found in the small picture and applied to the large one.
    guide: (H, W, 3) float32 in 0..1. small_guide: (h, w, 3), the same picture, smaller or equal. values: (h, w).
    radius: of the window in small pixels. softness: colour variance below which a window counts as flat.
    -> (H, W) float32, values may overshoot slightly.
    """
    slope, offset = _linear_functions(small_guide, values, radius, softness)
    height, width = guide.shape[:2]
    slope = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    offset = cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.einsum("hwc,hwc->hw", slope, guide) + offset


def _linear_functions(guide: np.ndarray, values: np.ndarray, radius: int,
                      softness: float) -> tuple[np.ndarray, np.ndarray]:
    """-> slope (h, w, 3), offset (h, w): values ~ slope . colour + offset around each pixel."""
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.blur(array, size, borderType=cv2.BORDER_REFLECT)

    centred = guide - 0.5               # smaller numbers, so that float32 variances keep their digits
    mean_guide, mean_values = mean(centred), mean(values)
    covariance = mean(centred * values[..., None]) - mean_guide * mean_values[..., None]
    rr, gg, bb = (mean(centred[..., i] ** 2) - mean_guide[..., i] ** 2 + softness for i in range(3))
    rg, rb, gb = (mean(centred[..., i] * centred[..., j]) - mean_guide[..., i] * mean_guide[..., j]
                  for i, j in ((0, 1), (0, 2), (1, 2)))
    # the inverse of the symmetric 3 x 3 matrix, written out: ten times faster than a solver per pixel
    inverse_rr, inverse_rg, inverse_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    inverse_gg, inverse_gb, inverse_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = np.maximum(rr * inverse_rr + rg * inverse_rg + rb * inverse_rb, softness ** 3)
    cr, cg, cb = (covariance[..., i] for i in range(3))
    slope = np.stack([inverse_rr * cr + inverse_rg * cg + inverse_rb * cb,
                      inverse_rg * cr + inverse_gg * cg + inverse_gb * cb,
                      inverse_rb * cr + inverse_gb * cg + inverse_bb * cb], axis=-1) / determinant[..., None]
    offset = mean_values - np.einsum("hwc,hwc->hw", slope, mean_guide)
    slope = mean(slope)
    return slope, mean(offset) - 0.5 * slope.sum(axis=-1)
