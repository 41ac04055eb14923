"""Arrays, poses and pictures on disk, written whole or not at all."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from .errors import BadDepth, BadRequest, OutputFailed


def write_whole(path: str, content: bytes) -> str:
    """Writes beside the final name and renames, so that a reader sees all or nothing; the path. Raises OutputFailed."""
    part = Path(f"{path}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise OutputFailed(
            f"'{Path(path).name}' could not be written: {error.strerror}.",
            "Choose a folder that can be written to and has free space.",
        ) from error
    return path


def save_array(path: str, array: np.ndarray) -> str:
    """.npy, under exactly that name."""
    buffer = io.BytesIO()
    np.save(buffer, array)
    return write_whole(path, buffer.getvalue())


def save_picture(path: str, picture: np.ndarray) -> str:
    """picture: (H, W) uint8 or uint16, or (H, W, 3) uint8, RGB -> PNG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=3)
    return write_whole(path, buffer.getvalue())


def save_depth_picture(path: str, relative_disparity: np.ndarray) -> str:
    """(H, W) 0..1 -> 16-bit grey PNG, near = bright: fine enough to be given back as a depth picture."""
    return save_picture(path, np.rint(relative_disparity.clip(0, 1) * 65535).astype(np.uint16))


def read_pose(path: str) -> np.ndarray:
    """(4, 4) float64 world2cam, OpenCV axes, out of {"world2cam": 4x4}. Raises BadRequest."""
    remedy = 'Give a JSON file with {"world2cam": 4x4 numbers}, a rotation and a translation.'
    try:
        pose = np.array(json.loads(Path(path).read_text(encoding="utf-8"))["world2cam"], np.float64)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadRequest(f"The pose '{Path(path).name}' cannot be read.", remedy) from error
    if pose.shape != (4, 4) or not np.isfinite(pose).all() or abs(np.linalg.det(pose[:3, :3]) - 1) > 0.01:
        raise BadRequest(f"The pose '{Path(path).name}' is no camera pose.", remedy)
    return pose


def read_disparity(path: str, shape: tuple[int, int], is_depth: bool) -> np.ndarray:
    """(H, W) float32 disparity in 1 / scene unit from an .npy of disparity or depth. Raises BadDepth.

    shape: of the still. Unknown values (NaN, infinite, not positive) become the farthest known one.
    """
    name = Path(path).name
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise BadDepth(f"'{name}' cannot be read as an array.", "Give an .npy file with one number a pixel.") from error
    if values.ndim != 2 or values.shape != shape or values.dtype.kind not in "fiu":
        raise BadDepth(
            f"'{name}' has the shape {values.shape}, the photo is {shape}.", "Give one number a pixel: height x width."
        )
    values = values.astype(np.float64)
    known = np.isfinite(values) & (values > 0)
    if not known.any():
        raise BadDepth(f"'{name}' holds no positive number.", "Give depth or disparity above zero.")
    disparity = np.where(known, 1 / np.where(known, values, 1), 0) if is_depth else np.where(known, values, 0)
    return np.where(known, disparity, disparity[known].min()).astype(np.float32)
