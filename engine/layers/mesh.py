"""A regular grid of depth over a texture, reduced to the quads that show something."""

from __future__ import annotations

import cv2
import numpy as np

from ..camera.intrinsics import Intrinsics


def grid_mesh(disparity: np.ndarray, visible: np.ndarray, left: float, top: float, stride: int,
              intrinsics: Intrinsics) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """disparity: (h, w) float32 > 0, of every texel. visible: (h, w) bool, texels with any alpha.

    left, top: place of the first texel in the photo, pixels. stride: texels between vertices.
    -> vertices (N, 3) float32, faces (M, 3) int32, uv (N, 2) float32. The grid reaches from edge to edge of the
    texture, half a texel past the outermost centres.
    """
    height, width = disparity.shape
    columns, rows = _lines(width, stride), _lines(height, stride)
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    near = cv2.remap(disparity, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    depth = 1.0 / near
    points = np.dstack([(x + left - intrinsics.cx) / intrinsics.fx * depth,
                        (y + top - intrinsics.cy) / intrinsics.fy * depth, depth]).reshape(-1, 3)
    uv = np.dstack([(x + 0.5) / width, 1 - (y + 0.5) / height]).reshape(-1, 2)
    reach = cv2.dilate(visible.astype(np.uint8), np.ones((3, 3), np.uint8))      # filters reach one texel further
    used = np.add.reduceat(np.add.reduceat(reach, _starts(rows), 0, dtype=np.int32), _starts(columns), 1) > 0
    row, column = np.nonzero(used)
    a = row * len(columns) + column
    b, c = a + 1, a + len(columns)
    faces = np.stack([a, b, c, b, c + 1, c], -1).reshape(-1, 3)
    kept, faces = np.unique(faces, return_inverse=True)
    return (points[kept].astype(np.float32), faces.reshape(-1, 3).astype(np.int32), uv[kept].astype(np.float32))


def _lines(size: int, stride: int) -> np.ndarray:
    """Places of the grid lines along one axis: -0.5, whole strides, size - 0.5."""
    inner = np.arange(0, size, stride, dtype=np.float64)
    return np.concatenate([[-0.5], inner[1:-1] if len(inner) > 2 else inner[1:1], [size - 0.5]])


def _starts(lines: np.ndarray) -> np.ndarray:
    """First texel of every cell between two lines."""
    return np.maximum(np.ceil(lines[:-1]), 0).astype(np.intp)
