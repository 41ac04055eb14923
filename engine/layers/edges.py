"""Where a surface ends and another goes on behind it, and which layer every pixel belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

CUT_RATIO = 0.06            # neighbouring pixels whose disparity differs by more than this share lie on two surfaces
CUT_SHARE = 0.015           # ... and by more than this share of the nearest disparity: less is no visible parallax
MAX_LAYERS = 5


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
    to_far, to_near: float32, distance to the nearest such pixel, infinite without any; far_index, near_index: int32, its
    flat index.
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
    source = np.zeros(int(label.max()) + 1, np.int32)
    place = np.flatnonzero(marked)
    source[label.reshape(-1)[place]] = place
    return distance, source[label]


def assign_layers(disparity: np.ndarray, cuts: Cuts) -> Labels:
    """Give every pixel a layer such that across each cut the near pixel has the higher one.

    A pixel takes the layer of the nearest pixel at a cut, so that a layer goes on past the ends of a cut along its
    direction: objects that touch the ground are parted from it there, where both surfaces have one depth and no seam
    shows. Layers of the pixels at cuts are longest paths over the cuts, from far to near.
    """
    near_index, far_index = cut_pairs(disparity, cuts)
    near = np.zeros(disparity.shape, bool)
    far = np.zeros(disparity.shape, bool)
    near.reshape(-1)[near_index] = True
    far.reshape(-1)[far_index] = True
    if not len(near_index):
        far_away, nothing = np.full(disparity.shape, np.inf, np.float32), np.zeros(disparity.shape, np.int32)
        return Labels(np.zeros(disparity.shape, np.uint8), far, near, far_away, far_away, nothing, nothing)
    layer = np.zeros(disparity.size, np.uint8)
    for _ in range(MAX_LAYERS - 1):
        before = layer[near_index]
        np.maximum.at(layer, near_index, np.minimum(layer[far_index] + 1, MAX_LAYERS - 1).astype(np.uint8))
        if np.array_equal(before, layer[near_index]):
            break
    to_far, nearest_far = nearest_pixel(far)
    to_near, nearest_near = nearest_pixel(near)
    spread = layer[np.where(to_near < to_far, nearest_near, nearest_far)]
    return Labels(spread, far, near, to_far, to_near, nearest_far, nearest_near)
