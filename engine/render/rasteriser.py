"""A layered still and a camera become a frame."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera.intrinsics import View
from ..layers.still import Layer, LayeredStill
from . import kernels

BAND_ROWS = 64
REMAP_WIDTH = 1024          # pixels to sample are given to OpenCV in rows of that many
SMALLEST_TEXEL = 0.75       # pixels: where texels would become smaller, a texture reduced by steps of sqrt(2) is used
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
        self._reduced: dict[tuple[int, int], np.ndarray] = {}
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
        self._local = threading.local()

    def frame(self, view: View) -> np.ndarray:
        """-> (view.height, view.width, 3) uint8 sRGB. Pixels that nothing covers are black."""
        return self.draw(view)[0]

    def uncovered(self, view: View) -> int:
        """Number of pixels of that frame that show nothing of the extended still."""
        return int(np.count_nonzero(self.draw(view)[1]))

    def draw(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """-> the frame, and (height, width) bool: True where nothing covers the pixel."""
        out = np.zeros((view.height, view.width, 3), np.uint8)
        passes = np.full((view.height, view.width), 255, np.uint8)
        projected = [self.project(index, view) for index in range(len(self._layers))]
        projected.reverse()
        self.each_band(lambda band: self._draw_band(projected, band, out, passes), view)
        return out, passes > 127

    def disparity(self, view: View) -> np.ndarray:
        """-> (height, width) float32: 1/z of what the frame shows, in its own camera; 0 where nothing covers a pixel.

        Where a silhouette is soft the nearer surface counts from half its cover.
        """
        out = np.zeros((view.height, view.width, 3), np.uint8)
        passes = np.full((view.height, view.width), 255, np.uint8)
        inverse_z = np.zeros((view.height, view.width), np.float32)
        projected = [self.project(index, view) for index in range(len(self._layers))]
        projected.reverse()
        self.each_band(lambda band: self._draw_band(projected, band, out, passes, inverse_z), view)
        return inverse_z

    @property
    def layers(self) -> int:
        """How many there are."""
        return len(self._layers)

    def each_band(self, work: Callable[[int], None], view: View) -> None:
        """work(number) for every band of BAND_ROWS rows, in threads."""
        for done in [self._pool.submit(work, band) for band in range(-(-view.height // BAND_ROWS))]:
            done.result()

    def _draw_band(self, layers: list[_Projected], band: int, out: np.ndarray, passes: np.ndarray,
                   inverse_z: np.ndarray | None = None) -> None:
        """All layers of one band of rows, front to back, into out, passes and inverse_z (1/z of what mostly hides)."""
        top = band * BAND_ROWS
        out, passes = out[top:top + BAND_ROWS], passes[top:top + BAND_ROWS]
        rows, width = passes.shape
        block = kernels.BLOCK
        tall, wide = (np.minimum(np.arange(0, size, block) + block, size) - np.arange(0, size, block)
                      for size in (rows, width))
        open_pixels = np.outer(tall, wide).astype(np.int32)
        for layer in layers:
            seen = cv2.dilate((open_pixels > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
            found = self.scan_band(layer, band, passes, seen)
            if found is None:
                continue
            light = passes > 127 if inverse_z is not None else None
            self._shade(layer.texture, found, out, passes, open_pixels)
            if inverse_z is not None and light is not None:
                np.copyto(inverse_z[top:top + BAND_ROWS], found[0], where=light & (passes <= 127))
            if not open_pixels.any():
                break

    def _shade(self, texture: np.ndarray, found: tuple[np.ndarray, ...], out: np.ndarray, passes: np.ndarray,
               open_pixels: np.ndarray) -> None:
        """Sample what scan_band() found and lay it under what is in the band already."""
        z, q, u, v, spans = found
        places, columns, rows = self._list(z.size)
        count = kernels.gather(spans, z, q, u, v, passes, places, columns, rows)
        if count == 0:
            return
        padded = -(-count // REMAP_WIDTH) * REMAP_WIDTH
        columns[count:padded], rows[count:padded] = 0, 0
        sampled = cv2.remap(texture, columns[:padded].reshape(-1, REMAP_WIDTH), rows[:padded].reshape(-1, REMAP_WIDTH),
                            cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        kernels.lay_under(sampled.reshape(-1, 4), places, count, z.shape[1], out.reshape(-1), passes.reshape(-1),
                          open_pixels)

    def _list(self, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Room for `size` pixels of this thread: flat indices, columns and rows in the texture."""
        kept = getattr(self._local, "list", None)
        if kept is None or len(kept[0]) < size + REMAP_WIDTH:
            room = size + REMAP_WIDTH
            kept = self._local.list = np.zeros(room, np.int32), np.zeros(room, np.float32), np.zeros(room, np.float32)
        return kept

    def scan_band(self, layer: _Projected, band: int, passes: np.ndarray, seen: np.ndarray
                  ) -> tuple[np.ndarray, ...] | None:
        """One layer in one band of rows, as kernels.scan() leaves it: z, q, u, v and spans, valid until the next call
        in this thread; None where the layer is not in that band. passes, seen: see there."""
        order = layer.order[layer.first[band]:layer.first[band + 1]]
        if not len(order) or layer.left >= layer.right:
            return None
        z, q, u, v = self._scratch(*passes.shape)
        spans = np.empty((len(passes), 2), np.int32)
        kernels.scan(layer.x, layer.y, layer.inverse_z, layer.prepared.depth, layer.uv, layer.prepared.layer.faces,
                     order, band * BAND_ROWS, layer.left, layer.right, passes, seen, z, q, u, v, spans)
        return z, q, u, v, spans

    def _scratch(self, rows: int, width: int) -> tuple[np.ndarray, ...]:
        """Four (rows, width) float32 arrays of this thread, kept from frame to frame."""
        kept = getattr(self._local, "scratch", None)
        if kept is None or kept.shape[2] != width:
            kept = self._local.scratch = np.ones((4, BAND_ROWS, width), np.float32)
        return tuple(kept[:, :rows])

    def project(self, index: int, view: View) -> _Projected:
        """One layer, counted from the back, as that camera sees it."""
        prepared = self._layers[index]
        vertices = prepared.layer.vertices
        camera = view.intrinsics
        x, y, inverse_z = np.empty((3, len(vertices)), np.float32)
        kernels.project(vertices, np.ascontiguousarray(view.world2cam, np.float64),
                        np.array([camera.fx, camera.fy, camera.cx, camera.cy], np.float64),
                        self._nearest * NEAREST_SHARE, x, y, inverse_z)
        bands = -(-view.height // BAND_ROWS)
        first, order = kernels.bin_faces(y, inverse_z, prepared.layer.faces, BAND_ROWS, bands)
        ahead = inverse_z > 0
        left, right = (float(x[ahead].min()), float(x[ahead].max())) if ahead.any() else (0.0, 0.0)
        texture = self._texture(index, x, ahead)
        scale = np.array(texture.shape[1::-1], np.float32) / np.array(prepared.layer.rgba.shape[1::-1], np.float32)
        half = np.float32(0.5)
        uv = prepared.uv if texture is prepared.layer.rgba else (prepared.uv + half) * scale - half
        return _Projected(prepared, texture, uv, x, y, inverse_z, first, order,
                          min(max(int(left) - 1, 0), view.width), min(max(int(right) + 2, 0), view.width))

    def _texture(self, index: int, x: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """The layer's texture, reduced where the frame shows it smaller: no more than SMALLEST_TEXEL pixels per texel.

        x: (N,) columns of the vertices in the frame. ahead: (N,) bool, those that count.
        """
        rgba, columns = self._layers[index].layer.rgba, self._layers[index].uv[:, 0]
        spread = float(columns[ahead].std()) if ahead.any() else 0.0
        shown = float(x[ahead].std()) / spread if spread > 0 else 1.0
        step = int(np.floor(2 * np.log2(max(shown, 1e-3) / SMALLEST_TEXEL)))
        if step >= 0:
            return rgba
        key = (index, step)
        if key not in self._reduced:
            scale = 2 ** (step / 2)
            size = max(1, round(rgba.shape[1] * scale)), max(1, round(rgba.shape[0] * scale))
            self._reduced[key] = cv2.resize(rgba, size, interpolation=cv2.INTER_AREA)
        return self._reduced[key]


def _prepare(layer: Layer) -> _Prepared:
    height, width = layer.rgba.shape[:2]
    uv = np.empty_like(layer.uv)
    uv[:, 0] = layer.uv[:, 0] * width - 0.5
    uv[:, 1] = (1 - layer.uv[:, 1]) * height - 0.5
    return _Prepared(layer, uv, np.ascontiguousarray(layer.vertices[:, 2]))
