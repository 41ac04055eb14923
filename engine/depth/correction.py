"""A paint-over: a picture whose opaque parts say how near things are, as a correction of a depth."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from engine.depth.picture import ASPECT_TOLERANCE
from engine.errors import BadDepth
from engine.media.decode import decode

LUMA = (0.2126, 0.7152, 0.0722)


def painted(relative_disparity: np.ndarray, path: str) -> np.ndarray:
    """The depth with the paint over it: opaque paint replaces it by its grey level (near = bright), soft edges blend.

    relative_disparity: (H, W) float32, 0 = farthest .. 1 = nearest. path: of an 8 or 16 bit picture, straight alpha, in
    the aspect (within 2 %) of the still; without alpha all of it is paint. Raises BadDepth.
    """
    grey, alpha = _read_paint(path, relative_disparity.shape)
    return (relative_disparity * (1 - alpha) + grey).astype(np.float32)


def _read_paint(path: str, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """-> grey times alpha, and alpha: (H, W) float32 of that shape, 0..1."""
    name = Path(path).name
    picture = decode(path, BadDepth)
    if picture.pixels.dtype.kind != "u":
        raise BadDepth(f'The paint-over "{name}" does not hold plain grey levels.', "Save it as a PNG and use that.")
    values = picture.pixels.astype(np.float32) / np.iinfo(picture.pixels.dtype).max
    height, width = values.shape[:2]
    if abs(width * shape[0] / (height * shape[1]) - 1) > ASPECT_TOLERANCE:
        raise BadDepth(
            f'The paint-over "{name}" is {width} x {height} pixels, another shape than the still: '
            f"{shape[1]} x {shape[0]}.",
            "Make a new paint-over for this photo, or paint on one that shows exactly what the photo shows.")
    channels = 1 if values.ndim == 2 else values.shape[2]
    values = values.reshape(height, width, channels)
    alpha = values[..., -1] if channels in (2, 4) else np.ones((height, width), np.float32)
    colour = values[..., :3] @ np.array(LUMA, np.float32) if channels >= 3 else values[..., 0]
    smaller = shape[0] < height
    paint = cv2.resize(np.dstack([colour * alpha, alpha]), (shape[1], shape[0]),
                       interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return paint[..., 0].clip(0, 1), paint[..., 1].clip(0, 1)
