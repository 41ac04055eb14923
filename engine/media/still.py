"""A photo file as a still: 8 bit sRGB, upright, with straight alpha and the lens it was taken with."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from engine.errors import BadStill
from engine.media.colour import to_srgb
from engine.media.decode import MAX_PIXELS, READABLE, Picture, decode

__all__ = ["MAX_PIXELS", "Still", "check_photo", "load_still"]

MIN_SIDE = 16                       # below this there is nothing to tell depth from
SMALL_SIDE = 640
PANORAMA = 3.0
FOCAL_LENGTH, FOCAL_LENGTH_35MM = 0x920A, 0xA405
PLANE_X, PLANE_Y, PLANE_UNIT, PIXELS_X, PIXELS_Y = 0xA20E, 0xA20F, 0xA210, 0xA002, 0xA003
MM_OF_UNIT = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
FILM_WIDTH_MM = 36.0
CREDIBLE_LENS_MM = (4.0, 2000.0)
CREDIBLE_SENSOR_MM = (3.0, 60.0)    # from a phone's front camera to medium format


@dataclass(frozen=True)
class Still:
    """rgb: (H, W, 3) uint8, sRGB, upright. alpha: (H, W) uint8 straight alpha, or None where all is opaque.

    lens_mm: 35 mm equivalent along the longer side, from EXIF; None = unknown. path: where it came from.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    lens_mm: float | None
    path: str

    @property
    def width(self) -> int:
        return self.rgb.shape[1]

    @property
    def height(self) -> int:
        return self.rgb.shape[0]

    def fitted(self, max_width: int, max_height: int) -> Still:
        """The same still reduced to fit into that many pixels, with its aspect; never enlarged."""
        scale = min(max_width / self.width, max_height / self.height)
        if scale >= 1:
            return self
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        if self.alpha is None:
            return replace(self, rgb=cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA))
        # Weighted by alpha, or the colours below transparent pixels would bleed into the edge.
        alpha = self.alpha.astype(np.float32)
        weighted = cv2.resize(self.rgb * alpha[..., None], size, interpolation=cv2.INTER_AREA)
        small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        plain = cv2.resize(self.rgb, size, interpolation=cv2.INTER_AREA)
        rgb = np.where(small[..., None] > 0, weighted / np.maximum(small[..., None], 1e-6), plain)
        return replace(self, rgb=np.clip(rgb.round(), 0, 255).astype(np.uint8), alpha=small.round().astype(np.uint8))


def load_still(path: str) -> Still:
    """Reads a still. Raises BadStill for everything that is none, OutOfMemory where it does not fit."""
    return _read(path)[0]


def check_photo(path: str) -> dict[str, Any]:
    """Reads a still and tells about it, as plain JSON; its "warnings" are sentences for a person. Raises BadStill."""
    still, picture, profile, notes = _read(path)
    return {
        "path": path,
        "format": picture.format,
        "width": still.width,
        "height": still.height,
        "bits": picture.bits,
        "channels": picture.mode,
        "profile": profile,
        "alpha": still.alpha is not None,
        "lens_mm": still.lens_mm,
        "pictures_in_file": picture.frames,
        "bytes": Path(path).stat().st_size,
        "warnings": notes + _remarks(still),
    }


def _read(path: str) -> tuple[Still, Picture, str, list[str]]:
    picture = decode(path, BadStill)
    name = Path(path).name
    height, width = picture.pixels.shape[:2]
    if min(width, height) < MIN_SIDE:
        raise BadStill(f'"{name}" is only {width} x {height} pixels.',
                       f"Use a picture of at least {MIN_SIDE} pixels a side.")
    if picture.mode not in ("L", "LA", "RGB", "RGBA", "CMYK") or picture.pixels.dtype not in (np.uint8, np.uint16):
        raise BadStill(f'"{name}" holds data or colours (mode {picture.mode}) that are no ordinary picture.',
                       f"Save it as an 8 or 16 bit {READABLE} in RGB.")
    pixels, alpha = _eight_bits(picture.pixels), None
    if picture.mode in ("LA", "RGBA"):
        alpha = np.ascontiguousarray(pixels[..., -1])
        pixels = np.ascontiguousarray(pixels[..., 0] if picture.mode == "LA" else pixels[..., :3])
        if alpha.min() == 255:
            alpha = None
        elif alpha.max() == 0:
            raise BadStill(f'"{name}" is transparent throughout.', "Use a picture that shows something.")
    rgb, profile, notes = to_srgb(pixels, picture.mode.removesuffix("A"), picture.profile)
    still = Still(np.ascontiguousarray(rgb), alpha, _lens_mm(picture.camera, max(width, height)), path)
    return still, picture, profile, picture.notes + notes


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    """uint16 -> uint8, to the nearest level; uint8 unchanged."""
    if pixels.dtype == np.uint8:
        return pixels
    table = np.round(np.arange(65536) / 257.0).astype(np.uint8)
    return table[pixels]


def _lens_mm(tags: dict[int, Any], longer_side: int) -> float | None:
    """35 mm equivalent: what the camera says, else focal length and sensor size where both are credible."""
    lens = _number(tags.get(FOCAL_LENGTH_35MM))
    if not lens:
        focal = _number(tags.get(FOCAL_LENGTH))
        unit = MM_OF_UNIT.get(int(_number(tags.get(PLANE_UNIT)) or 2), 0.0)
        sides = []
        for density, count in ((PLANE_X, PIXELS_X), (PLANE_Y, PIXELS_Y)):
            per_unit = _number(tags.get(density))
            if per_unit:
                sides.append((_number(tags.get(count)) or longer_side) / per_unit * unit)
        if not focal or not sides or not CREDIBLE_SENSOR_MM[0] <= max(sides) <= CREDIBLE_SENSOR_MM[1]:
            return None
        lens = focal * FILM_WIDTH_MM / max(sides)
    return lens if CREDIBLE_LENS_MM[0] <= lens <= CREDIBLE_LENS_MM[1] else None


def _number(value: Any) -> float | None:
    """An EXIF value as a finite number above zero, else None: cameras write 0, 0/0 and text there."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def _remarks(still: Still) -> list[str]:
    remarks = []
    longer, shorter = max(still.width, still.height), min(still.width, still.height)
    if longer < SMALL_SIDE:
        remarks.append(f"The picture is only {still.width} x {still.height} pixels, so a clip of it looks soft.")
    if longer > PANORAMA * shorter:
        remarks.append("The picture is very long, so a clip shows a small part of it or has bars.")
    if still.alpha is not None:
        remarks.append("Parts of the picture are transparent.")
    return remarks
