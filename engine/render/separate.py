"""One layer of a frame by itself, also where nearer layers hide it."""

from __future__ import annotations

import cv2
import numpy as np

from ..camera.intrinsics import View
from . import kernels
from .rasteriser import BAND_ROWS, Rasteriser


def draw_layer(rasteriser: Rasteriser, index: int, view: View) -> tuple[np.ndarray, np.ndarray]:
    """-> (height, width, 4) uint8 sRGB with straight alpha, 0 where the layer is not; and (height, width) float32,
    1 / z, 0 there. Layers count from the back."""
    rgba = np.zeros((view.height, view.width, 4), np.uint8)
    inverse_z = np.zeros((view.height, view.width), np.float32)
    layer = rasteriser.project(index, view)
    if layer.left >= layer.right:
        return rgba, inverse_z

    part = np.s_[:, layer.left:layer.right]

    def band(number: int) -> None:
        rows = np.s_[number * BAND_ROWS:(number + 1) * BAND_ROWS]
        passes = np.full(inverse_z[rows].shape, 255, np.uint8)
        seen = np.ones([-(-size // kernels.BLOCK) for size in passes.shape], np.uint8)
        found = rasteriser.scan_band(layer, number, passes, seen)
        if found is None:
            return
        z, q, u, v = (values[part] for values in found[:4])
        sampled = cv2.remap(layer.texture, u / q, v / q, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        sampled[z <= 0] = 0
        rgba[rows][part] = sampled
        inverse_z[rows][part] = z

    rasteriser.each_band(band, view)
    return rgba, inverse_z
