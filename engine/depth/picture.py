"""A depth picture that a person supplies, as relative disparity."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import OpenEXR

from engine.errors import BadDepth
from engine.media.decode import check_size, decode, readable_file

EXR_MAGIC, NPY_MAGIC = b"\x76\x2f\x31\x01", b"\x93NUMPY"
EXR_CHANNELS = ("z", "depth", "v", "y", "r")        # last part of a channel's name, best first
ASPECT_TOLERANCE = 0.02
COLOURED = 0.04         # mean distance between the channels, of full scale: JPEG noise and tinting stay below it
NOWHERE = 1e9           # Blender writes 1e10 where a ray met nothing
NEAREST_SHARE = 99.9    # percentile of 1/z that becomes 1: one stray sample at the lens would flatten all the rest


def read_depth_picture(path: str, near_is_bright: bool, shape: tuple[int, int]) -> np.ndarray:
    """Reads a depth picture. Returns (H, W) float32 relative disparity of that shape: 0 = farthest, 1 = nearest.

    path: 8 or 16 bit PNG (or any other still), TIFF of integers or 32 bit floats, EXR (a channel called Z, Depth, V, Y
    or R, in that order; half, float or integer), or .npy (2-D). shape: (height, width) of the still; another size of
    the same aspect (within 2 %) is resized without ringing.

    near_is_bright True: larger values are nearer, and the values are taken as disparity. False: larger values are
    farther. Then floats (EXR, TIFF, .npy) that are above zero throughout are z in scene units and become 1/z, the
    nearest 0.1 % of them flattened; floats that reach zero or below, and all integers, have no scale and become
    (largest - value). The result is stretched to 0..1 over its own range. Not-a-number is farthest; infinity (and 1e9
    or more, where values are z) is farthest for z and nearest for disparity.

    Raises BadDepth for everything that is no depth picture, or one of another aspect, constant, or colour-mapped.
    """
    name = Path(path).name
    values = read_numbers(path)
    height, width = values.shape
    if abs(width * shape[0] / (height * shape[1]) - 1) > ASPECT_TOLERANCE:
        raise BadDepth(f'"{name}" is {width} x {height} pixels, another shape than the still: {shape[1]} x {shape[0]}.',
                       "Use a depth picture that shows exactly what the still shows.")
    disparity = _disparity(values, near_is_bright)
    low, high = float(disparity.min()), float(disparity.max())
    if not high - low > 1e-6 * max(abs(high), abs(low)):
        raise BadDepth(f'"{name}" has the same depth everywhere.', "Use a depth picture that tells near from far.")
    relative = ((disparity - low) / (high - low)).astype(np.float32)
    if relative.shape != shape:
        smaller = shape[0] < height
        relative = cv2.resize(relative, (shape[1], shape[0]),
                              interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.clip(relative, 0.0, 1.0)


def read_numbers(path: str) -> np.ndarray:
    """(H, W) of the numbers that a depth picture holds, whatever they mean. Raises BadDepth."""
    head = readable_file(path, BadDepth)
    if head.startswith(NPY_MAGIC):
        return _read_npy(path)
    if head.startswith(EXR_MAGIC):
        return _read_exr(path)
    return _single_channel(Path(path).name, decode(path, BadDepth).pixels)


def _disparity(values: np.ndarray, near_is_bright: bool) -> np.ndarray:
    """Any numbers -> finite float64, larger = nearer, on an arbitrary scale."""
    floats = values.dtype.kind == "f"
    values = values.astype(np.float64)
    if near_is_bright:
        return _filled(values, np.isposinf(values))
    beyond = ~np.isnan(values) & (values >= NOWHERE) if floats else np.zeros(values.shape, bool)
    values[beyond] = np.nan
    if floats and not (values <= 0).any():      # not-a-number compares as false
        inverse = 1.0 / values
        measured = ~np.isnan(inverse)
        if measured.any():
            inverse = np.minimum(inverse, np.percentile(inverse[measured], NEAREST_SHARE))
        inverse[~measured] = 0.0 if beyond.any() else np.nan
        return _filled(inverse, np.zeros(values.shape, bool))
    return _filled(-values, np.isposinf(-values))


def _filled(disparity: np.ndarray, nearest: np.ndarray) -> np.ndarray:
    """Gives values that are not finite the nearest or, by default, the farthest finite one. Nothing finite: zeros."""
    finite = np.isfinite(disparity)
    if not finite.any():
        return np.zeros_like(disparity)
    low, high = disparity[finite].min(), disparity[finite].max()
    return np.where(finite, disparity, np.where(nearest, high, low))


def _single_channel(name: str, pixels: np.ndarray) -> np.ndarray:
    """(H, W) or (H, W, C) -> (H, W). A grey picture saved as RGB is read by its luma; alpha is not looked at."""
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 2:
        return pixels[..., 0]
    colours = pixels[..., :3].astype(np.float64)
    finite = colours[np.isfinite(colours)]
    full = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else max(float(np.abs(finite).max(initial=0)), 1e-12)
    distance = colours.max(axis=2) - colours.min(axis=2)
    if np.nanmean(distance[np.isfinite(distance)] if np.isfinite(distance).any() else 0.0) > COLOURED * full:
        raise BadDepth(f'"{name}" shows depth in colours, from which the distances cannot be read.',
                       "Save the depth as a grey picture, an EXR or a .npy file.")
    if (distance[np.isfinite(distance)] == 0).all():
        return pixels[..., 0]
    return (colours @ (0.2126, 0.7152, 0.0722)).astype(np.float32) if pixels.dtype.kind == "f" else \
        np.round(colours @ (0.2126, 0.7152, 0.0722)).astype(pixels.dtype)


def _read_npy(path: str) -> np.ndarray:
    name = Path(path).name
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise BadDepth(f'"{name}" is damaged, or holds something else than plain numbers.',
                       "Save a 2-D array of numbers with numpy.save.") from error
    kept = tuple(side for side in values.shape if side != 1) if values.ndim == 3 else values.shape
    if len(kept) != 2 or 0 in kept or values.dtype.kind not in "fiub":
        raise BadDepth(f'"{name}" holds an array of shape {values.shape} and type {values.dtype}.',
                       "Save a 2-D array of numbers, height by width.")
    check_size(path, kept[1], kept[0], BadDepth)
    return np.array(values).reshape(kept)


def _read_exr(path: str) -> np.ndarray:
    name = Path(path).name
    try:
        with OpenEXR.File(path, header_only=True) as file:
            for part in file.parts:
                size = part.header["dataWindow"]
                check_size(path, int(size[1][0]) - int(size[0][0]) + 1, int(size[1][1]) - int(size[0][1]) + 1, BadDepth)
        with OpenEXR.File(path, separate_channels=True) as file:
            found = [(_rank(key), index, key) for index, part in enumerate(file.parts) for key in part.channels]
            if not found:
                raise ValueError("no readable channel")     # how the library tells of pixels that are cut off
            rank, index, key = min(found)
            part = file.parts[index]
            if rank == len(EXR_CHANNELS) and len(found) > 1:
                raise BadDepth(f'"{name}" has no channel called Z, Depth, V, Y or R.', "Export the depth as channel Z.")
            values = part.channels[key].pixels
            layer = key[:-1]
            if rank == EXR_CHANNELS.index("r") and {layer + "G", layer + "B"} <= part.channels.keys():
                values = _single_channel(name, np.dstack([part.channels[layer + c].pixels for c in "RGB"]))
            return _in_frame(values, part.header)
    except BadDepth:
        raise
    except Exception as error:      # the library raises RuntimeError, ValueError, KeyError and more at damaged files
        raise BadDepth(f'"{name}" is damaged, or a kind of EXR that cannot be read.',
                       "Export the depth again as a plain, flat EXR.") from error


def _rank(channel: str) -> int:
    last = channel.rsplit(".", 1)[-1].lower()
    return EXR_CHANNELS.index(last) if last in EXR_CHANNELS else len(EXR_CHANNELS)


def _in_frame(values: np.ndarray, header: dict) -> np.ndarray:
    """The display window of an EXR whose stored pixels may be fewer or more; what is not stored is not-a-number."""
    if values.ndim != 2:
        raise ValueError("deep or subsampled pixels")
    (left, top), (right, bottom) = np.asarray(header["displayWindow"], int)
    (x, y), _ = np.asarray(header["dataWindow"], int)
    height, width = bottom - top + 1, right - left + 1
    if (x, y) == (left, top) and values.shape == (height, width):
        return values
    frame = np.full((height, width), np.nan, np.float32)
    rows = slice(max(y, top), min(y + values.shape[0], bottom + 1))
    columns = slice(max(x, left), min(x + values.shape[1], right + 1))
    frame[rows.start - top:rows.stop - top, columns.start - left:columns.stop - left] = \
        values[rows.start - y:rows.stop - y, columns.start - x:columns.stop - x]
    return frame
