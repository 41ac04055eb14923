"""What stands behind a silhouette: colour and disparity continued from the far side.

Works on a reduced picture (a fill is smooth anyway) whose longer side is about WORK_SIZE, so time and memory hardly
grow with the still.
"""

from __future__ import annotations

import cv2
import numpy as np

from .edges import nearest_pixel

SMOOTH_PER_PIXEL = 0.8      # blur of the fill, in pixels per pixel of distance from the silhouette
WORK_SIZE = 830             # the size at which these numbers were measured: the evaluation's photos with their margin
STRIP_ROWS = 512


def work_factor(shape: tuple[int, ...]) -> int:
    """By how much a picture of that shape is reduced."""
    return max(1, round(max(shape[:2]) / WORK_SIZE))


def reduce_mask(mask: np.ndarray, factor: int) -> np.ndarray:
    """(H, W) bool, sides multiples of factor -> (H / factor, W / factor) float32, share of the pixels that are set."""
    if factor == 1:
        return mask.astype(np.float32)
    small = cv2.resize(mask.view(np.uint8) * np.uint8(255), _small(mask, factor), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


def reduce_values(colour: np.ndarray, near: np.ndarray, mask: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the set pixels of every block of factor x factor. colour: (H, W, 3) uint8, near: (H, W) float32; sides
    are multiples of factor. -> (H / factor, W / factor, 4) float32 and bool, blocks with any set pixel."""
    if factor == 1:
        return np.dstack([colour, near]).astype(np.float32), mask
    out = np.empty((mask.shape[0] // factor, mask.shape[1] // factor, 4), np.float32)
    share = np.empty(out.shape[:2], np.float32)
    for top in range(0, out.shape[0], STRIP_ROWS):
        target = np.s_[top:top + STRIP_ROWS]
        part = np.s_[top * factor:(top + STRIP_ROWS) * factor]
        chosen = mask[part].view(np.uint8)
        size = _small(chosen, factor)
        share[target] = cv2.resize(chosen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        out[target, :, :3] = cv2.resize(cv2.copyTo(colour[part], chosen).astype(np.float32), size,
                                        interpolation=cv2.INTER_AREA)
        out[target, :, 3] = cv2.resize(cv2.copyTo(near[part], chosen), size, interpolation=cv2.INTER_AREA)
    out /= np.maximum(share, 1e-6)[..., None]
    return out, share > 0


def _small(picture: np.ndarray, factor: int) -> tuple[int, int]:
    return picture.shape[1] // factor, picture.shape[0] // factor


def enlarge(small: np.ndarray, factor: int) -> np.ndarray:
    """The inverse of a reduction: (h, w[, C]) -> (h * factor, w * factor[, C])."""
    if factor == 1:
        return small
    return cv2.resize(small, (small.shape[1] * factor, small.shape[0] * factor), interpolation=cv2.INTER_LINEAR)


def sample(small: np.ndarray, rows: np.ndarray, columns: np.ndarray, factor: int) -> np.ndarray:
    """Values of a reduced picture (h, w, 4) at pixels (n,) of the whole one. -> (n, 4)"""
    if factor == 1:
        return small[rows, columns]
    x = ((columns + 0.5) / factor - 0.5).astype(np.float32)
    y = ((rows + 0.5) / factor - 0.5).astype(np.float32)
    pieces = [cv2.remap(small, x[i:i + 30000, None], y[i:i + 30000, None], cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE) for i in range(0, len(x), 30000)]
    return np.concatenate(pieces).reshape(-1, small.shape[2])


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
    level = np.log2(np.maximum(SMOOTH_PER_PIXEL * distance, 0.5)) + 1      # 0 = no blur
    level[~wanted] = 0
    return _sample_pyramid(copied, (wanted | sources).astype(np.float32), level)


def _sample_pyramid(values: np.ndarray, weight: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Blurred values: at every pixel the level of a weighted Gaussian pyramid that `level` (H, W) asks for."""
    height, width = weight.shape
    total = np.empty((height, width, values.shape[2] + 1), np.float32)
    np.multiply(values, weight[..., None], out=total[..., :-1])
    total[..., -1] = weight
    out = values * np.clip(1 - level, 0, 1)[..., None]
    deepest = int(min(np.ceil(level.max()), np.log2(max(min(height, width), 2))))
    for step in range(1, deepest + 1):
        total = cv2.pyrDown(total)
        share = np.clip(1 - np.abs(level - step), 0, 1) if step < deepest else np.clip(level - step + 1, 0, 1)
        rows, columns = np.nonzero(share)
        if not len(rows):
            continue
        x, y = columns.astype(np.float32) * np.float32(2.0 ** -step), rows.astype(np.float32) * np.float32(2.0 ** -step)
        column = np.minimum(x.astype(np.intp), total.shape[1] - 1)
        row = np.minimum(y.astype(np.intp), total.shape[0] - 1)
        right, below = np.minimum(column + 1, total.shape[1] - 1), np.minimum(row + 1, total.shape[0] - 1)
        x, y = (x - column)[:, None], (y - row)[:, None]
        sampled = ((total[row, column] * (1 - x) + total[row, right] * x) * (1 - y)
                   + (total[below, column] * (1 - x) + total[below, right] * x) * y)
        out[rows, columns] += sampled[:, :-1] / np.maximum(sampled[:, -1:], 1e-6) * share[rows, columns][:, None]
    return out
