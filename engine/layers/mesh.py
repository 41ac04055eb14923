"""A grid of depth over a texture: fine where the surface needs it, coarse where it is even, absent elsewhere."""

from __future__ import annotations

import cv2
import numpy as np

from ..camera.intrinsics import Intrinsics

BLOCK = 8                   # cells a side of the blocks that become one fan of triangles where the surface is even
EVEN_SHARE = 0.0015         # of the nearest disparity: less is a quarter of a pixel when the nearest moves by 160


def grid_mesh(disparity: np.ndarray, visible: np.ndarray, left: float, top: float, stride: int,
              intrinsics: Intrinsics, nearest: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """disparity: (h, w) float32 > 0, of every texel. visible: (h, w) bool, texels with any alpha.

    left, top: place of the first texel in the photo, pixels. stride: texels between vertices. nearest: largest
    disparity of the scene, None = of this layer. The grid reaches from edge to edge of the texture, half a texel past
    the outermost centres. -> vertices (N, 3) float32, faces (M, 3) int32, uv (N, 2) float32.
    """
    height, width = disparity.shape
    columns, rows = _lines(width, stride), _lines(height, stride)
    x, y = np.meshgrid(columns.astype(np.float32), rows.astype(np.float32))
    near = cv2.remap(disparity, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    reach = cv2.dilate(visible.astype(np.uint8), np.ones((3, 3), np.uint8))      # filters reach one texel further
    used = np.add.reduceat(np.add.reduceat(reach, _starts(rows), 0, dtype=np.int32), _starts(columns), 1) > 0
    even = _even_blocks(near, used, EVEN_SHARE * (float(disparity.max()) if nearest is None else nearest))
    fine = used.copy()
    fine[:even.shape[0] * BLOCK, :even.shape[1] * BLOCK] &= ~even.repeat(BLOCK, 0).repeat(BLOCK, 1)
    row, column = np.nonzero(fine)
    a = row * len(columns) + column
    b, c = a + 1, a + len(columns)
    faces = np.concatenate([np.stack([a, b, c, b, c + 1, c], -1).reshape(-1, 3), _fans(even, len(columns))])
    kept = np.zeros(x.size, bool)
    kept[faces] = True
    number = np.cumsum(kept, dtype=np.int32) - 1
    x, y, depth = x.reshape(-1)[kept], y.reshape(-1)[kept], 1 / near.reshape(-1)[kept]
    vertices = np.stack([(x + left - intrinsics.cx) / intrinsics.fx * depth,
                         (y + top - intrinsics.cy) / intrinsics.fy * depth, depth], -1)
    uv = np.stack([(x + 0.5) / width, 1 - (y + 0.5) / height], -1)
    return vertices.astype(np.float32), number[faces], uv.astype(np.float32)


def _even_blocks(near: np.ndarray, used: np.ndarray, tolerance: float) -> np.ndarray:
    """(rows, columns) bool of blocks of cells that are all used and whose vertices lie on four triangles from the
    corners to the middle within `tolerance`. The outermost lines, which are not a whole stride away, are
    in no such block."""
    tall, wide = (used.shape[0] - 1) // BLOCK, (used.shape[1] - 1) // BLOCK
    if tall < 1 or wide < 1:
        return np.zeros((0, 0), bool)
    whole = np.asarray(used[:tall * BLOCK, :wide * BLOCK].reshape(tall, BLOCK, wide, BLOCK).all((1, 3)))
    whole[0], whole[:, 0] = False, False
    vertices = np.lib.stride_tricks.sliding_window_view(near, (BLOCK + 1, BLOCK + 1))[::BLOCK, ::BLOCK][:tall, :wide]
    chosen = vertices[whole].reshape(-1, (BLOCK + 1) ** 2)
    weights = _fan_weights()
    knots = chosen[:, [0, BLOCK, BLOCK * (BLOCK + 1), (BLOCK + 1) ** 2 - 1, (BLOCK + 1) ** 2 // 2]]
    whole[whole] = np.abs(chosen - knots @ weights).max(1, initial=0) < tolerance
    return whole


def _fan_weights() -> np.ndarray:
    """(5, vertices of a block) float32: shares of the four corners (top left, top right, bottom left, bottom right) and
    the middle in every vertex, on the four triangles between them."""
    y, x = np.mgrid[-1:1:1j * (BLOCK + 1), -1:1:1j * (BLOCK + 1)]
    out = np.maximum(np.abs(x), np.abs(y))                       # 0 in the middle, 1 on the rim
    across = np.where(np.abs(x) > np.abs(y), y, x) / np.maximum(out, 1e-9)
    sideways, lower, right = np.abs(x) > np.abs(y), y > 0, x > 0
    first, second = out * (1 - across) / 2, out * (1 + across) / 2      # of the side's upper or left end, and the other
    weights = np.zeros((5, *x.shape))
    for place, (ends_down, ends_right) in enumerate(((False, False), (False, True), (True, False), (True, True))):
        on_side = np.where(sideways, right == ends_right, lower == ends_down)
        weights[place] = np.where(on_side, np.where(np.where(sideways, ends_down, ends_right), second, first), 0)
    weights[4] = 1 - out
    return weights.reshape(5, -1).astype(np.float32)


def _fans(even: np.ndarray, line: int) -> np.ndarray:
    """(M, 3) faces of the even blocks. Sides towards blocks that are not even keep all their vertices, so that no gap
    opens between coarse and fine. line: vertices per row of the grid."""
    row, column = np.nonzero(even)
    corner = (row * line + column) * BLOCK
    middle = corner + BLOCK // 2 * (line + 1)
    around = np.pad(even, 1)
    last = BLOCK * line
    faces = [np.zeros((0, 3), np.intp)]
    for (down, right), start, step in (((-1, 0), 0, 1), ((0, 1), BLOCK, line), ((1, 0), last + BLOCK, -1),
                                       ((0, -1), last, -line)):
        coarse = around[row + 1 + down, column + 1 + right]
        for chosen, points in ((coarse, np.array([0, BLOCK])), (~coarse, np.arange(BLOCK + 1))):
            rim = corner[chosen][:, None] + start + step * points
            centre = np.broadcast_to(middle[chosen][:, None], rim[:, 1:].shape)
            faces.append(np.stack([rim[:, :-1], rim[:, 1:], centre], -1).reshape(-1, 3))
    return np.concatenate(faces)


def _lines(size: int, stride: int) -> np.ndarray:
    """Places of the grid lines along one axis: -0.5, whole strides, size - 0.5."""
    inner = np.arange(0, size, stride, dtype=np.float64)
    return np.concatenate([[-0.5], inner[1:-1] if len(inner) > 2 else inner[1:1], [size - 0.5]])


def _starts(lines: np.ndarray) -> np.ndarray:
    """First texel of every cell between two lines."""
    return np.maximum(np.ceil(lines[:-1]), 0).astype(np.intp)
