"""A still and its disparity become a layered still."""

from __future__ import annotations

import cv2
import numpy as np

from ..camera.intrinsics import Intrinsics
from ..errors import BadDepth, BadStill
from .edges import assign_layers, find_cuts, nearest_pixel
from .fill import work_factor
from .mesh import grid_mesh
from .painter import Painter, paint
from .sharpen import sharpen
from .still import Layer, LayeredStill
from .surface import Surface, blend_silhouettes, make_surfaces

MARGIN = 0.06               # 3D Photo: 60 px at 960; enough for the default moves
VERTEX_BUDGET = 250_000     # of the grids of all layers together, about
CLEAN_PX = 1.5              # colours are pulled from this far outside a silhouette, in a picture of CLEAN_AT pixels
CLEAN_AT = 700              # along its longer side; more for larger pictures
SMALLEST_RATIO = 1e-4       # of the nearest disparity: farther is as good as infinite


def build_layered_still(rgb: np.ndarray, disparity: np.ndarray, intrinsics: Intrinsics, *,
                        margin: float = MARGIN, painter: Painter | None = None) -> LayeredStill:
    """Cut a still at its occlusions, fill behind them and extend it past its frame.

    rgb: (H, W, 3) uint8 sRGB. disparity: (H, W) float32, inverse depth in 1/scene unit, > 0. intrinsics: of the still.
    margin: of the longer side, added on every side. painter: a network that paints what is hidden and the margin, in
    place of our own fill. Raises BadStill, BadDepth, and what the painter raises.
    """
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or min(rgb.shape[:2]) < 1:
        raise BadStill("The still is not an 8-bit colour picture.", "Use another picture.")
    disparity = _clean(disparity, rgb.shape[:2])
    height, width = disparity.shape
    pad = max(1, round(margin * max(width, height)))
    mirror = cv2.BORDER_REFLECT_101 if min(rgb.shape[:2]) > 1 else cv2.BORDER_REPLICATE
    colour = _extend(rgb, pad, mirror)
    # Depth is mirrored along with colour; where a network goes on with what the frame cuts, so does the depth.
    near = _extend(sharpen(disparity, rgb), pad, cv2.BORDER_REPLICATE if painter else mirror)
    if painter:
        margin_only = _extend(np.zeros(rgb.shape[:2], np.uint8), pad, cv2.BORDER_CONSTANT, 1) > 0
        colour = paint(painter, colour, margin_only)
    labels = assign_layers(near, find_cuts(near))
    clean_px = CLEAN_PX * max(1.0, max(width, height) / CLEAN_AT)
    surfaces = make_surfaces(colour, near, labels, clean_px)
    if painter:
        for surface in surfaces:
            # The rim, where front and back are mixed, must not be seen by the network; its own colours come after it.
            rim = cv2.dilate(surface.hidden.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=round(clean_px) + 1)
            painted = paint(painter, surface.colour, rim > 0)
            surface.colour[surface.hidden] = painted[surface.hidden]
    blend_silhouettes(surfaces, colour, labels, clean_px)
    area = sum(np.count_nonzero(surface.alpha) for surface in surfaces)
    stride = max(1, round(float(np.sqrt(area / VERTEX_BUDGET))))
    nearest = float(near.max())
    layers = [_to_layer(surface, pad, stride, nearest, intrinsics) for surface in surfaces]
    return LayeredStill(width, height, intrinsics, pad, layers)


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


def _extend(picture: np.ndarray, pad: int, border: int, value: int = 0) -> np.ndarray:
    """The picture continued past its borders: mirrored, so that texture goes on, or as `border` says. Right and below
    by a few pixels more, up to multiples of the factor by which fills are reduced."""
    height, width = picture.shape[0] + 2 * pad, picture.shape[1] + 2 * pad
    factor = work_factor((height, width))
    return cv2.copyMakeBorder(picture, pad, pad + -height % factor, pad, pad + -width % factor, border, value=value)


def _to_layer(surface: Surface, pad: int, stride: int, nearest: float, intrinsics: Intrinsics) -> Layer:
    """Put a mesh under the picture."""
    vertices, faces, uv = grid_mesh(surface.near, surface.alpha > 0, surface.part[1].start - pad,
                                    surface.part[0].start - pad, stride, intrinsics, nearest)
    return Layer(f"layer_{surface.index}", np.dstack([surface.colour, surface.alpha]), vertices, faces, uv)
