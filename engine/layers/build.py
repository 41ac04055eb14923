"""A still and its disparity become a layered still."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ..camera.intrinsics import Intrinsics
from ..errors import BadDepth, BadStill
from .edges import Labels, assign_layers, find_cuts, nearest_pixel
from .fill import continue_surface
from .mesh import grid_mesh
from .still import Layer, LayeredStill

MARGIN = 0.06               # 3D Photo: 60 px at 960; enough for the default moves
VERTEX_BUDGET = 120_000     # of the grid over the whole extended frame
CLEAN_PX = 2.0              # colours are pulled from this far outside a silhouette, in a picture of CLEAN_AT pixels
CLEAN_AT = 700              # along its longer side; more for larger pictures
SEAM_PX = 3                 # how far a layer reaches over the next one where both are one surface
SMALLEST_RATIO = 1e-4       # of the nearest disparity: farther is as good as infinite

Report = Callable[[int, int], None]


def build_layered_still(rgb: np.ndarray, disparity: np.ndarray, intrinsics: Intrinsics, *,
                        alpha: np.ndarray | None = None, margin: float = MARGIN,
                        report: Report | None = None) -> LayeredStill:
    """Cut a still at its occlusions, fill behind them and extend it past its frame.

    rgb: (H, W, 3) uint8 sRGB. disparity: (H, W) float32, inverse depth in 1/scene unit, > 0. intrinsics: of the still.
    alpha: (H, W) uint8, straight; frames show transparent parts over black. margin: of the longer side, added on
    every side. report(done, total) is called after every layer. Raises BadStill, BadDepth.
    """
    rgb = _over_black(rgb, alpha)
    disparity = _clean(disparity, rgb.shape[:2])
    height, width = disparity.shape
    pad = max(1, round(margin * max(width, height)))
    colour = _extend(rgb, pad)
    near = _extend(disparity, pad)
    labels = assign_layers(near, find_cuts(near))
    count = int(labels.layer.max()) + 1
    clean_px = CLEAN_PX * max(1.0, max(width, height) / CLEAN_AT)
    stride = max(1, round(float(np.sqrt(near.size / VERTEX_BUDGET))))
    layers: list[Layer] = []
    for index in range(count):
        made = _make_layer(index, colour, near, labels, clean_px, pad, stride, intrinsics)
        if made is not None:
            layers.append(made)
        if report is not None:
            report(index + 1, count)
    return LayeredStill(width, height, intrinsics, pad, layers)


def _over_black(rgb: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 1:
        raise BadStill("The still is not an 8-bit colour picture.", "Use another picture.")
    if alpha is None:
        return rgb
    return ((rgb.astype(np.uint16) * alpha[..., None] + 127) // 255).astype(np.uint8)


def _clean(disparity: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Finite, positive, of the picture's size. Raises BadDepth where nothing can be saved."""
    remedy = "Use another depth picture, or draft depth."
    if disparity.ndim != 2 or min(disparity.shape) < 1:
        raise BadDepth("The depth is not a picture with one channel.", remedy)
    near = disparity.astype(np.float32)
    known = np.isfinite(near)
    if not known.any() or float(near[known].max()) <= 0:
        raise BadDepth("The depth has no usable value.", remedy)
    if not known.all():
        near = near.reshape(-1)[nearest_pixel(known)[1]]
    if near.shape != shape:
        near = cv2.resize(near, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.maximum(near, SMALLEST_RATIO * float(near.max()))


def _extend(picture: np.ndarray, pad: int) -> np.ndarray:
    """The picture mirrored past its borders: texture goes on, and colour and depth still agree."""
    return cv2.copyMakeBorder(picture, pad, pad, pad, pad, cv2.BORDER_REFLECT_101 if min(picture.shape[:2]) > 1
                              else cv2.BORDER_REPLICATE)


def _make_layer(index: int, colour: np.ndarray, near: np.ndarray, labels: Labels, clean_px: float, pad: int,
                stride: int, intrinsics: Intrinsics) -> Layer | None:
    """Layer number `index`: its own pixels, what goes on behind nearer layers, and nothing else. None if empty."""
    own = labels.layer == index
    if not own.any():
        return None
    over = labels.layer > index
    shown = own | _seam(own, near, labels, index) if index else np.ones_like(own)
    hidden = over & (labels.far & own).reshape(-1)[labels.seed] if index else over
    if index:
        shown = shown | hidden
        rows, columns = np.nonzero(shown)
        reach = int(4 * clean_px) + 2 * stride
        part = np.s_[max(rows.min() - reach, 0):rows.max() + reach + 1,
                     max(columns.min() - reach, 0):columns.max() + reach + 1]
    else:
        part = np.s_[0:own.shape[0], 0:own.shape[1]]
    own, over, shown, hidden = own[part], over[part], shown[part], hidden[part]
    values = np.dstack([colour[part], near[part]]).astype(np.float32)
    known = own | (shown & ~hidden)
    if hidden.any():
        filled = continue_surface(values, _sources(own, over, (labels.far & (labels.layer == index))[part], clean_px),
                                  hidden)
        values = np.where(hidden[..., None], filled, values)
        known = known | hidden
    if not known.all():
        values = values.reshape(-1, 4)[nearest_pixel(known)[1]]
    rgba = np.dstack([np.clip(np.rint(values[..., :3]), 0, 255), np.where(shown, 255, 0)]).astype(np.uint8)
    left, top = part[1].start - pad, part[0].start - pad
    vertices, faces, uv = grid_mesh(np.ascontiguousarray(values[..., 3]), shown, left, top, stride, intrinsics)
    return Layer(f"layer_{index}", rgba, vertices, faces, uv)


def _seam(own: np.ndarray, near: np.ndarray, labels: Labels, index: int) -> np.ndarray:
    """Pixels of lower layers next to this one that are the same surface: the layer reaches over them."""
    grown = cv2.dilate(own.astype(np.uint8), np.ones((2 * SEAM_PX + 1, 2 * SEAM_PX + 1), np.uint8)) > 0
    barrier = cv2.dilate((labels.far & (labels.layer < index)).astype(np.uint8),
                         np.ones((2 * SEAM_PX + 1, 2 * SEAM_PX + 1), np.uint8)) > 0
    return grown & (labels.layer < index) & ~barrier


def _sources(own: np.ndarray, over: np.ndarray, far: np.ndarray, clean_px: float) -> np.ndarray:
    """Clean pixels of a surface near its hidden part: at least clean_px outside the silhouette, no more than twice."""
    away = cv2.distanceTransform((~over).astype(np.uint8), cv2.DIST_L2, 5)
    along = cv2.distanceTransform((~far).astype(np.uint8), cv2.DIST_L2, 5)
    clean = own & (away > clean_px) & (along <= 2 * clean_px + 2)
    return clean if clean.any() else own
