"""Whatever colours a picture was saved in, as sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

# The profile's colour space for each of Pillow's modes.
SPACE_OF_MODE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def to_srgb(pixels: np.ndarray, mode: str, profile: bytes | None) -> tuple[np.ndarray, str, list[str]]:
    """pixels: (H, W) or (H, W, C) uint8 of mode L, RGB or CMYK.

    Returns (H, W, 3) uint8 sRGB, the profile's name ("" = none used), and sentences on what could not be done.
    """
    name, notes = "", []
    if profile is not None:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            name = ImageCms.getProfileDescription(source).strip()
            space = getattr(source.profile, "xcolor_space", "").strip()
            if space == "RGB" and mode == "L":
                pixels, mode = np.repeat(pixels[..., None], 3, axis=2), "RGB"
            if space != SPACE_OF_MODE[mode]:
                notes.append(f'The colour profile "{name}" does not fit the picture and was ignored.')
                name = ""
            elif not (mode == "RGB" and "srgb" in name.lower()):
                return _transformed(pixels, mode, source), name, notes
        except (ImageCms.PyCMSError, OSError, ValueError):
            name = ""
            notes.append("The colour profile is damaged and was ignored.")
    if mode == "CMYK":
        if not name:
            notes.append("The picture is CMYK without a usable colour profile, so its colours are a guess.")
        image = Image.frombytes("CMYK", (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes())
        return np.asarray(image.convert("RGB")), name, notes
    if mode == "L":
        return np.repeat(pixels[..., None], 3, axis=2), name, notes
    return pixels, name, notes


def _transformed(pixels: np.ndarray, mode: str, source: ImageCms.ImageCmsProfile) -> np.ndarray:
    """Relative colorimetric with black point compensation: white stays white, and shadows keep their drawing."""
    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    if mode == "L":
        # 256 levels through the slow, exact road: the fast one is ten levels off in the shadows of a linear profile.
        levels = np.arange(256, dtype=np.uint8)[None]
        return _applied(levels, mode, source, flags | ImageCms.Flags.NOOPTIMIZE)[0][pixels]
    return _applied(pixels, mode, source, flags | ImageCms.Flags.HIGHRESPRECALC)


def _applied(pixels: np.ndarray, mode: str, source: ImageCms.ImageCmsProfile, flags: ImageCms.Flags) -> np.ndarray:
    transform = ImageCms.buildTransform(source, SRGB, mode, "RGB", ImageCms.Intent.RELATIVE_COLORIMETRIC, flags)
    # With the mode named, since fromarray would take CMYK for RGBA.
    image = Image.frombytes(mode, (pixels.shape[1], pixels.shape[0]), np.ascontiguousarray(pixels).tobytes())
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return np.asarray(converted)
