"""Where a surface ends and another goes on behind it, and which layer every pixel belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

CUT_RATIO = 0.06            # neighbouring pixels whose disparity differs by more than this share lie on two surfaces
CUT_SHARE = 0.015           # ... and by more than this share of the nearest disparity: less is no visible parallax
MAX_LAYERS = 5
SMALLEST_SHARE = 0.002      # of the pixels: layers farther back than that many join the one in front
OFFSETS = tuple(i / 8 for i in range(8))
LOST_CUT_COST = 2.0         # of a cut that gets lost within a layer, in pixels of seam
MEND_SHARE = 0.012          # of the longer side: how far around a cut that got lost a layer is split after all


@dataclass(frozen=True)
class Cuts:
    """Occlusions between neighbouring pixels. right: (H, W - 1) bool, between a pixel and its right neighbour;
    down: (H - 1, W) bool, between a pixel and the one below."""

    right: np.ndarray
    down: np.ndarray


@dataclass(frozen=True)
class Labels:
    """What lies where, and where the nearest silhouette is. All (H, W).

    layer: uint8, index of the layer that shows each pixel. far, near: bool, pixels at a cut, on its far or near side.
    to_far, to_near: float32, distance to the nearest such pixel, infinite without any; far_index, near_index: int32,
    its flat index.
    """

    layer: np.ndarray
    far: np.ndarray
    near: np.ndarray
    to_far: np.ndarray
    to_near: np.ndarray
    far_index: np.ndarray
    near_index: np.ndarray

    def far_layer(self) -> np.ndarray:
        """Layer of the nearest pixel on the far side of a cut."""
        return self.layer.reshape(-1)[self.far_index]

    def near_layer(self) -> np.ndarray:
        """Layer of the nearest pixel on the near side of a cut."""
        return self.layer.reshape(-1)[self.near_index]


def find_cuts(disparity: np.ndarray) -> Cuts:
    """disparity: (H, W) float32 > 0 whose occlusions are steps of one pixel (see sharpen.py)."""
    least = CUT_SHARE * float(np.quantile(disparity[::4, ::4], 0.98))

    def cut(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.abs(a - b) > np.maximum(CUT_RATIO * np.minimum(a, b), least)

    return Cuts(cut(disparity[:, :-1], disparity[:, 1:]), cut(disparity[:-1], disparity[1:]))


def cut_pairs(disparity: np.ndarray, cuts: Cuts) -> tuple[np.ndarray, np.ndarray]:
    """-> flat indices (C,) of the near and of the far pixel of every cut."""
    width = disparity.shape[1]
    rows, columns = np.nonzero(cuts.right)
    first = rows * width + columns
    rows, columns = np.nonzero(cuts.down)
    below = rows * width + columns
    a = np.concatenate([first, below])
    b = np.concatenate([first + 1, below + width])
    flat = disparity.reshape(-1)
    swap = flat[a] < flat[b]
    return np.where(swap, b, a), np.where(swap, a, b)


def nearest_pixel(marked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """marked: (H, W) bool with at least one True. -> distance to the nearest marked pixel (float32, pixels) and its
    flat index (int32), both (H, W)."""
    distance, label = cv2.distanceTransformWithLabels(
        (~marked).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    label = np.asarray(label, np.int32)
    source = np.zeros(int(label.max()) + 1, np.int32)
    place = np.flatnonzero(marked)
    source[label.reshape(-1)[place]] = place
    return np.asarray(distance, np.float32), source[label]


def assign_layers(disparity: np.ndarray, cuts: Cuts) -> Labels:
    """Give every pixel a layer such that across each cut the near pixel has the higher one, wherever that can be.

    Layers are whole numbers cut from a height that rises by one across every cut and is otherwise as even as can be:
    so a whole object is one layer, an object in front of it the next, and where an object touches the ground a seam
    runs from one end of its cut to the other, where both layers are the same surface.
    """
    near_index, far_index = cut_pairs(disparity, cuts)
    near = np.zeros(disparity.shape, bool)
    far = np.zeros(disparity.shape, bool)
    near.reshape(-1)[near_index] = True
    far.reshape(-1)[far_index] = True
    if not len(near_index):
        far_away, nothing = np.full(disparity.shape, np.inf, np.float32), np.zeros(disparity.shape, np.int32)
        return Labels(np.zeros(disparity.shape, np.uint8), far, near, far_away, far_away, nothing, nothing)
    height = _integrate_steps(disparity, cuts)
    layer = np.floor(height - _best_offset(height, cuts, near_index, far_index)).astype(np.int32)
    lowest = int(np.quantile(layer, SMALLEST_SHARE))
    layer = np.clip(layer - lowest, 0, MAX_LAYERS - 1).astype(np.uint8)
    to_far, nearest_far = nearest_pixel(far)
    to_near, nearest_near = nearest_pixel(near)
    layer = _mend(layer, near_index, far_index, to_near, to_far, nearest_near)
    return Labels(layer, far, near, to_far, to_near, nearest_far, nearest_near)


def _integrate_steps(disparity: np.ndarray, cuts: Cuts) -> np.ndarray:
    """Height (H, W) float32 whose steps between neighbours are, in the least squares, 1 from far to near across a cut
    and 0 elsewhere. Poisson's equation, solved by cosine transforms (as Frankot and Chellappa, 1988, but with free
    borders).
    """
    height, width = disparity.shape
    right = np.where(cuts.right, np.sign(disparity[:, 1:] - disparity[:, :-1]), 0).astype(np.float32)
    down = np.where(cuts.down, np.sign(disparity[1:] - disparity[:-1]), 0).astype(np.float32)
    rows, columns = cv2.getOptimalDFTSize((height + 1) // 2) * 2, cv2.getOptimalDFTSize((width + 1) // 2) * 2
    divergence = np.zeros((rows, columns), np.float32)
    divergence[:height, :width - 1] += right
    divergence[:height, 1:width] -= right
    divergence[:height - 1, :width] += down
    divergence[1:height, :width] -= down
    spectrum = cv2.dct(divergence)
    curvature = (2 * np.cos(np.pi * np.arange(rows) / rows) - 2)[:, None] + (
        2 * np.cos(np.pi * np.arange(columns) / columns) - 2)[None]
    curvature[0, 0] = 1
    spectrum /= curvature.astype(np.float32)
    spectrum[0, 0] = 0
    return cv2.idct(spectrum)[:height, :width]


def _best_offset(height: np.ndarray, cuts: Cuts, near_index: np.ndarray, far_index: np.ndarray) -> float:
    """Where between whole numbers to cut the height: fewest seams through surfaces, fewest cuts within a layer."""
    flat = height.reshape(-1)
    costs = []
    for offset in OFFSETS:
        layer = np.floor(height - offset)
        seams = np.count_nonzero((layer[:, 1:] != layer[:, :-1]) & ~cuts.right)
        seams += np.count_nonzero((layer[1:] != layer[:-1]) & ~cuts.down)
        lost = np.count_nonzero(np.floor(flat[near_index] - offset) <= np.floor(flat[far_index] - offset))
        costs.append(seams + LOST_CUT_COST * lost)
    return float(OFFSETS[int(np.argmin(costs))])


def _mend(layer: np.ndarray, near_index: np.ndarray, far_index: np.ndarray, to_near: np.ndarray, to_far: np.ndarray,
          nearest_near: np.ndarray) -> np.ndarray:
    """Where both sides of a cut still have one layer, raise the near side around it."""
    flat = layer.reshape(-1).copy()
    before = flat.copy()
    for _ in range(MAX_LAYERS - 1):
        np.maximum.at(flat, near_index, np.minimum(flat[far_index] + 1, MAX_LAYERS - 1).astype(np.uint8))
    raised = np.where(flat > before, flat, 0)
    around = (to_near <= MEND_SHARE * max(layer.shape)) & (to_near < to_far)
    return np.where(around, np.maximum(layer, raised[nearest_near]), layer)
