"""A layered still and a camera become a frame."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera.intrinsics import View
from ..layers.still import Layer, LayeredStill
from . import kernels

BAND_ROWS = 64
NEAREST_SHARE = 1e-3        # of the nearest depth of the still: nearer to the camera than that nothing is drawn


@dataclass(frozen=True)
class _Prepared:
    """A layer as the kernels want it. uv: (N, 2) float32 in texels of the full texture, v downwards.
    depth: (N,) float32."""

    layer: Layer
    uv: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class _Projected:
    """A layer seen by one camera. first, order: faces by band. left, right: columns that it touches."""

    prepared: _Prepared
    texture: np.ndarray
    uv: np.ndarray
    x: np.ndarray
    y: np.ndarray
    inverse_z: np.ndarray
    first: np.ndarray
    order: np.ndarray
    left: int
    right: int


class Rasteriser:
    """Draws frames of one layered still. Keep it for a whole clip: reduced textures are kept between frames.

    Memory: the textures, and per thread one band of rows; nothing grows with the number of frames.
    """

    def __init__(self, layered: LayeredStill, threads: int | None = None) -> None:
        self._still = layered
        self._layers = [_prepare(layer) for layer in layered.layers]
        self._nearest = min(float(layer.vertices[:, 2].min()) for layer in layered.layers)
        self._reduced: dict[tuple[int, float], np.ndarray] = {}
        self._threads = threads or os.cpu_count() or 1

    def frame(self, view: View) -> np.ndarray:
        """-> (view.height, view.width, 3) uint8 sRGB. Pixels that nothing covers are black."""
        return self.draw(view)[0]

    def uncovered(self, view: View) -> int:
        """Number of pixels of that frame that show nothing of the extended still."""
        return int(np.count_nonzero(self.draw(view)[1]))

    def draw(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """-> the frame, and (height, width) bool: True where nothing covers the pixel."""
        out = np.zeros((view.height, view.width, 3), np.uint8)
        left_over = np.full((view.height, view.width), 255, np.uint8)
        projected = [self._project(index, view) for index in range(len(self._layers))]
        bands = -(-view.height // BAND_ROWS)
        with ThreadPoolExecutor(self._threads) as pool:
            for done in [pool.submit(_draw_band, projected, band, out, left_over) for band in range(bands)]:
                done.result()
        return out, left_over > 127

    def _project(self, index: int, view: View) -> _Projected:
        prepared = self._layers[index]
        vertices = prepared.layer.vertices
        camera = view.intrinsics
        moved = vertices @ view.world2cam[:3, :3].T.astype(np.float32) + view.world2cam[:3, 3].astype(np.float32)
        depth = moved[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse_z = np.where(depth > self._nearest * NEAREST_SHARE, 1 / depth, 0).astype(np.float32)
        x = (moved[:, 0] * inverse_z * camera.fx + camera.cx).astype(np.float32)
        y = (moved[:, 1] * inverse_z * camera.fy + camera.cy).astype(np.float32)
        bands = -(-view.height // BAND_ROWS)
        first, order = kernels.bin_faces(y, inverse_z, prepared.layer.faces, BAND_ROWS, bands)
        ahead = inverse_z > 0
        left, right = (float(x[ahead].min()), float(x[ahead].max())) if ahead.any() else (0.0, 0.0)
        texture, scale = self._texture(index, view)
        uv = prepared.uv if scale == 1 else ((prepared.uv + 0.5) * np.float32(scale) - 0.5).astype(np.float32)
        return _Projected(prepared, texture, uv, x, y, inverse_z, first, order,
                          max(int(left) - 1, 0), min(int(right) + 2, view.width))

    def _texture(self, index: int, view: View) -> tuple[np.ndarray, float]:
        """The layer's texture, reduced where the frame is smaller than the still; and its scale."""
        rgba = self._layers[index].layer.rgba
        scale = view.intrinsics.fx / self._still.intrinsics.fx
        if scale > 0.8:
            return rgba, 1.0
        key = (index, scale)
        if key not in self._reduced:
            self._reduced = {k: v for k, v in self._reduced.items() if k[1] == scale}
            size = (max(1, round(rgba.shape[1] * scale)), max(1, round(rgba.shape[0] * scale)))
            self._reduced[key] = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        return self._reduced[key], scale


def _prepare(layer: Layer) -> _Prepared:
    height, width = layer.rgba.shape[:2]
    uv = np.empty_like(layer.uv)
    uv[:, 0] = layer.uv[:, 0] * width - 0.5
    uv[:, 1] = (1 - layer.uv[:, 1]) * height - 0.5
    return _Prepared(layer, uv, np.ascontiguousarray(layer.vertices[:, 2]))


def _draw_band(projected: list[_Projected], band: int, out: np.ndarray, left_over: np.ndarray) -> None:
    """All layers of one band of rows, back to front, into out and left_over."""
    top = band * BAND_ROWS
    rows = min(BAND_ROWS, out.shape[0] - top)
    for layer in projected:
        order = layer.order[layer.first[band]:layer.first[band + 1]]
        width = layer.right - layer.left
        if not len(order) or width <= 0:
            continue
        z, u, v = (np.zeros((rows, width), np.float32) for _ in range(3))
        kernels.scan(layer.x - np.float32(layer.left), layer.y, layer.inverse_z, layer.prepared.depth, layer.uv,
                     layer.prepared.layer.faces, order, top, z, u, v)
        sampled = cv2.remap(layer.texture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        part = np.s_[top:top + rows, layer.left:layer.right]
        piece, rest = np.ascontiguousarray(out[part]), np.ascontiguousarray(left_over[part])
        kernels.lay_over(sampled, z, piece, rest)
        out[part], left_over[part] = piece, rest
