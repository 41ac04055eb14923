"""Edge-aware smoothing and enlarging: soft maps take over the outlines of the photo they belong to."""

from __future__ import annotations

import cv2
import numpy as np


def guided_filter(guide: np.ndarray, values: np.ndarray, radius: int, softness: float) -> np.ndarray:
    """Smooths `values` but keeps steps where `guide` has some (He, Sun, Tang: guided image filtering).

    guide: (H, W, 3) float32 in 0..1. values: (H, W) float32. radius: of the window, pixels. softness: colour variance
    below which a window counts as flat. -> (H, W) float32.
    """
    size = (2 * radius + 1, 2 * radius + 1)

    def mean(array: np.ndarray) -> np.ndarray:
        return cv2.blur(array, size, borderType=cv2.BORDER_REFLECT)

    centred = guide - 0.5               # smaller numbers, so that float32 variances keep their digits
    mean_guide, mean_values = mean(centred), mean(values)
    covariance = mean(centred * values[..., None]) - mean_guide * mean_values[..., None]
    products = {(i, j): mean(centred[..., i] * centred[..., j]) - mean_guide[..., i] * mean_guide[..., j]
                for i in range(3) for j in range(i, 3)}
    rr, rg, rb = products[0, 0] + softness, products[0, 1], products[0, 2]
    gg, gb, bb = products[1, 1] + softness, products[1, 2], products[2, 2] + softness
    # the inverse of the symmetric 3 x 3 matrix, written out: ten times faster than a solver per pixel
    inverse_rr, inverse_rg, inverse_rb = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    inverse_gg, inverse_gb, inverse_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    determinant = rr * inverse_rr + rg * inverse_rg + rb * inverse_rb
    cr, cg, cb = cv2.split(covariance)
    slope = np.stack([inverse_rr * cr + inverse_rg * cg + inverse_rb * cb,
                      inverse_rg * cr + inverse_gg * cg + inverse_gb * cb,
                      inverse_rb * cr + inverse_gb * cg + inverse_bb * cb], axis=-1) / determinant[..., None]
    offset = mean_values - (slope * mean_guide).sum(axis=-1)
    return (mean(slope) * centred).sum(axis=-1) + mean(offset)
