"""What a frame of a layered still can show: its colours, depth, mattes of its layers, and what was invented."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from ..camera.intrinsics import View
from ..layers.still import Layer, LayeredStill
from .rasteriser import Rasteriser


@dataclass(frozen=True)
class Pass:
    """name: of its file. label: for people. frame(view): (H, W, 3) uint8, or (H, W) uint16 where it is deep."""

    name: str
    label: str
    frame: Callable[[View], np.ndarray]
    deep: bool = False


def make_passes(layered: LayeredStill, names: tuple[str, ...]) -> list[Pass]:
    """The passes of those names, in the order of protocol.PASSES; "mattes" gives one for every layer, back to front."""
    found: list[Pass] = []
    if "colour" in names:
        found.append(Pass("colour", "Colour", Rasteriser(layered).frame))
    if "depth" in names:
        found.append(Pass("depth", "Depth", _Depth(layered).frame, deep=True))
    if "mattes" in names:
        for index in range(len(layered.layers)):
            matte = Rasteriser(_painted(layered, [np.uint8(255 * (i == index)) for i in range(len(layered.layers))]))
            found.append(Pass(f"matte_{index + 1}", f"Matte {index + 1}", matte.frame))
    if "disocclusion" in names:
        found.append(Pass("disocclusion", "Disocclusion", _Disocclusion(layered).frame))
    return found


class _Depth:
    """Disparity in the frame's own camera, 0 (black) = infinitely far, 65535 = the nearest point of the still at rest.

    Of 16 bits: of 8, a smooth slope would come back as terraces from whatever uses the pass.
    """

    def __init__(self, layered: LayeredStill) -> None:
        self._rasteriser = Rasteriser(layered)
        self._nearest = min(float(layer.vertices[:, 2].min()) for layer in layered.layers)

    def frame(self, view: View) -> np.ndarray:
        return np.rint(self._rasteriser.disparity(view) * (65535 * self._nearest)).clip(0, 65535).astype(np.uint16)


class _Disocclusion:
    """White where a frame shows what the photo did not: filled parts, the margin, and what nothing covers."""

    def __init__(self, layered: LayeredStill) -> None:
        self._rasteriser = Rasteriser(_painted(layered, [_invented(layered, i) for i in range(len(layered.layers))]))

    def frame(self, view: View) -> np.ndarray:
        grey, uncovered = self._rasteriser.draw(view)
        grey[uncovered] = 255
        return grey


def _painted(layered: LayeredStill, greys: list[np.ndarray] | list[np.uint8]) -> LayeredStill:
    """The same layers in other colours. greys: (h, w) uint8 of each layer, or one value for all of it."""
    layers: list[Layer] = []
    for layer, grey in zip(layered.layers, greys, strict=True):
        rgba = layer.rgba.copy()
        rgba[..., :3] = grey[..., None] if isinstance(grey, np.ndarray) else grey
        layers.append(dataclasses.replace(layer, rgba=rgba))
    return dataclasses.replace(layered, layers=layers)


def _invented(layered: LayeredStill, index: int) -> np.ndarray:
    """(h, w) uint8, 255 where a layer's texture shows something that the photo did not: behind nearer layers, margin.

    A texture is the photo's pixel grid, shifted: each vertex tells by how much.
    """
    layer, camera = layered.layers[index], layered.intrinsics
    height, width = layer.rgba.shape[:2]
    z = layer.vertices[:, 2]
    columns = camera.fx * layer.vertices[:, 0] / z + camera.cx - (layer.uv[:, 0] * width - 0.5)
    rows = camera.fy * layer.vertices[:, 1] / z + camera.cy - ((1 - layer.uv[:, 1]) * height - 0.5)
    left, top = round(float(np.median(columns))), round(float(np.median(rows)))
    matte = Rasteriser(_painted(layered, [np.uint8(255 * (i == index)) for i in range(len(layered.layers))]))
    at_rest = matte.frame(View(np.eye(4), camera, layered.width, layered.height))[..., 0]
    shown = np.zeros((height, width), np.uint8)
    part = at_rest[max(top, 0) : top + height, max(left, 0) : left + width]
    shown[max(-top, 0) : max(-top, 0) + part.shape[0], max(-left, 0) : max(-left, 0) + part.shape[1]] = part
    # What shines through a soft edge is seen too: only what is all but hidden counts as invented.
    return np.where(cv2.dilate(shown, np.ones((3, 3), np.uint8)) > 127, 0, 255).astype(np.uint8)
