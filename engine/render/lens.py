"""Depth of field and vignette: what a real lens adds to the rasteriser's pinhole.

The blur is that of a thin lens with an aperture of radius A, as Blender's cameras have it: a point at depth z becomes a
disc of radius fx * A * |1 / z_focus - 1 / z| pixels, with A = lens / 1000 / (2 * f_stop) scene units for a lens in
millimetres (intern/cycles/blender/camera.cpp, `aperturesize`; EEVEE uses the same aperture) on a sensor of 36 mm across
the frame's width. So the camera of Diorama's rig with this f-stop shows the same blur.

Every layer is blurred by itself and then laid over those behind it: so a sharp silhouette stays sharp before a blurred
background, nothing of it leaks into that background, and a blurred foreground is soft outwards and lets through what
lies behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from ..camera.intrinsics import FILM_WIDTH_MM, View
from . import lens_kernels as kernels
from .rasteriser import Rasteriser
from .separate import draw_layer

SHARP_PX = 0.4              # a disc of that radius cannot be told from a point
MOST_SHARE = 0.1            # of the frame's longer side: the largest radius
NEAREST_FOCUS = 1e-3        # scene units: where the camera has passed the point in focus
EXTEND_FACTOR = 8           # depth goes on outside of a layer as smoothly as a picture reduced by that factor
SUPERSAMPLES = 16
CORNER_TANGENT = 1.0        # a full vignette is that of a lens that sees its corners at 45 degrees

TO_LINEAR, TO_SRGB = kernels.to_linear_table(), kernels.to_srgb_table()


@dataclass(frozen=True)
class Lens:
    """f_stop: 0 = a pinhole. focus: a point in the scene (x, y, z), OpenCV axes of the still's camera, that stays in
    focus while the camera moves. vignette: 0 none .. 1 the cos^4 fall-off of a very wide lens."""

    f_stop: float
    focus: tuple[float, float, float]
    vignette: float

    def blur(self, view: View) -> tuple[float, float]:
        """(scale, offset): a point at depth z becomes a disc of radius |scale / z - offset| pixels."""
        lens_mm = view.intrinsics.fx / view.width * FILM_WIDTH_MM
        aperture = lens_mm * 1e-3 / (2 * self.f_stop) if self.f_stop > 0 else 0.0
        distance = float(view.world2cam[2, :3] @ np.array(self.focus) + view.world2cam[2, 3])
        scale = view.intrinsics.fx * aperture
        return scale, scale / max(distance, NEAREST_FOCUS)


def frame_maker(rasteriser: Rasteriser, lens: Lens) -> Callable[[View], np.ndarray]:
    """view -> (height, width, 3) uint8 sRGB. A lens that does nothing costs nothing."""
    if lens.f_stop <= 0 and lens.vignette <= 0:
        return rasteriser.frame

    def frame(view: View) -> np.ndarray:
        picture = focused(rasteriser, lens, view) if lens.f_stop > 0 else rasteriser.frame(view)
        if lens.vignette > 0:
            kernels.darken(picture, falloff(view.width, view.height, lens.vignette))
        return picture

    return frame


@cache
def falloff(width: int, height: int, vignette: float) -> np.ndarray:
    """(height, width) float32: what is left of every pixel's sRGB level; 1 in the centre.

    Light falls off as cos^4 of the angle to the axis; a level as light to the power of 1 / 2.2.
    """
    across = (np.arange(width) + 0.5) / width * 2 - 1
    down = (np.arange(height) + 0.5) / height * 2 - 1
    share = height / width
    radius = (across[None] ** 2 + (down[:, None] * share) ** 2) / (1 + share * share)
    light = 1 - vignette * (1 - 1 / (1 + CORNER_TANGENT**2 * radius) ** 2)
    return (light ** (1 / 2.2)).astype(np.float32)


def focused(rasteriser: Rasteriser, lens: Lens, view: View) -> np.ndarray:
    """The frame with depth of field; (height, width, 3) uint8."""
    scale, offset = lens.blur(view)
    most = MOST_SHARE * max(view.width, view.height)
    out = np.zeros((view.height, view.width, 3), np.uint8)
    for index in range(rasteriser.layers):
        rgba, inverse_z = draw_layer(rasteriser, index, view)
        covered = rgba[..., 3] > 0
        if not covered.any():
            continue
        radius = np.minimum(np.abs(inverse_z * np.float32(scale) - np.float32(offset)), np.float32(most))
        largest = float(radius[covered].max())
        part = _around(covered, int(np.ceil(largest)) + 1)
        if largest < SHARP_PX:
            kernels.lay_over(np.ascontiguousarray(rgba[part]), out[part])
            continue
        radius = _extended(radius[part], covered[part])
        kernels.lay_light_over(_blurred(np.ascontiguousarray(rgba[part]), radius), TO_SRGB, out[part])
    return out


def _around(covered: np.ndarray, extra: int) -> tuple[slice, slice]:
    """The bounds of the set pixels and `extra` more, within the picture."""
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    return (slice(max(int(rows[0]) - extra, 0), int(rows[-1]) + 1 + extra),
            slice(max(int(columns[0]) - extra, 0), int(columns[-1]) + 1 + extra))


def _extended(radius: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """radius (h, w) float32 where `covered`; elsewhere continued smoothly from there (pull and push)."""
    if covered.all():
        return np.ascontiguousarray(radius)
    weight = covered.astype(np.float32)
    size = (max(1, radius.shape[1] // EXTEND_FACTOR), max(1, radius.shape[0] // EXTEND_FACTOR))
    known = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    value = cv2.resize(radius * weight, size, interpolation=cv2.INTER_AREA)
    filled = _pulled(value, known)
    large = cv2.resize(filled, (radius.shape[1], radius.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.where(covered, radius, large).astype(np.float32)


def _pulled(value: np.ndarray, known: np.ndarray) -> np.ndarray:
    """value, known: (h, w) float32, weighted values and their weights -> values everywhere."""
    here = value / np.maximum(known, 1e-6)
    if known.min() > 0 or max(known.shape) == 1:
        return here
    size = (-(-known.shape[1] // 2), -(-known.shape[0] // 2))
    coarse = _pulled(cv2.resize(value, size, interpolation=cv2.INTER_AREA),
                     cv2.resize(known, size, interpolation=cv2.INTER_AREA))
    return np.where(known > 0, here, cv2.resize(coarse, known.shape[::-1], interpolation=cv2.INTER_LINEAR))


def _blurred(rgba: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """rgba: (h, w, 4) uint8, straight. radius: (h, w) float32, pixels. -> (h, w, 4) float32, premultiplied light.

    Between levels of blur a pixel takes a mix that has the variance of the disc that it wants.
    """
    height, width = rgba.shape[:2]
    light = np.empty((height, width, 4), np.float32)
    kernels.to_light(rgba, TO_LINEAR, light)
    out = np.zeros_like(light)
    radii = _levels(float(radius.max()))
    area = radius * radius
    least, most = float(area.min()), float(area.max())
    reduced, factor = light, 1
    rows, columns = height, width
    for index, own in enumerate(radii[:-1]):
        below = radii[index - 1] if index else -1.0
        above = radii[index + 1]
        if above**2 <= least or (index and below**2 >= most):
            continue
        wanted_factor = _factor(own)
        while factor < wanted_factor:
            rows, columns, factor = max(1, rows // 2), max(1, columns // 2), factor * 2
            reduced = cv2.resize(reduced, (columns, rows), interpolation=cv2.INTER_AREA)
        level = reduced if own == 0 else cv2.filter2D(reduced, -1, _disc(own), borderType=cv2.BORDER_REPLICATE)
        if factor > 1:
            level = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
        kernels.add_level(level, area, -1.0 if below < 0 else below**2, own**2, above**2, out)
    return out


def _levels(largest: float) -> list[float]:
    """Radii 0, 1, 2, then by steps of sqrt(2), up to two that are not below the largest."""
    radii = [0.0, 1.0, 2.0]
    while radii[-2] < largest:
        radii.append(radii[-1] * 2**0.5)
    return radii


def _factor(radius: float) -> int:
    """By how much a picture may be reduced before that blur: a disc stays 1 to 2 reduced pixels in radius."""
    return max(1, 2 ** int(np.ceil(np.log2(max(radius, 1.0)) - 1 - 1e-6)))


@cache
def _disc(radius: float) -> np.ndarray:
    """A disc for a picture reduced by _factor(radius); (n, n) float32, sum 1. Reducing and enlarging blur as well, by
    about a quarter of the factor squared in variance; a disc has a quarter of its radius squared."""
    factor = _factor(radius)
    own = radius if factor == 1 else (radius**2 - factor**2) ** 0.5 / factor
    reach = int(np.ceil(own - 0.499))
    side = 2 * reach + 1
    fine = (np.arange(side * SUPERSAMPLES) + 0.5) / SUPERSAMPLES - side / 2
    inside = (fine[:, None] ** 2 + fine**2 <= own * own).astype(np.float32)
    disc = inside.reshape(side, SUPERSAMPLES, side, SUPERSAMPLES).mean((1, 3))
    return (disc / disc.sum()).astype(np.float32)
