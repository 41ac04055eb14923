"""What is asked for, made into what a model can do: sizes, frame counts, the seed. Nothing is ever stretched."""

from __future__ import annotations

import math
import secrets
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np

from engine.errors import BadRequest
from engine.video.catalog import VideoModel

MOST_SEED = 2**31 - 1       # what a Blender property can hold
ROUNDING = 0.02             # aspects closer than this differ by rounding alone
NEAR_ENOUGH = 0.03          # an aspect this close to the model's own, as a logarithm, is worked at in the model's own
MOST_ASPECT = 4.0

Rect = tuple[int, int, int, int]


@dataclass(frozen=True)
class Framing:
    """How a still becomes the model's picture, and the model's frames the clip's. Rectangles are x, y, width, height.

    content: the part of the still that is used. working: width, height of the model's picture; inner: where the content
    lies in it, its surroundings are the content mirrored. clip: width, height of the clip's frames; place: where the
    content lies in them, on black.
    """

    content: Rect
    working: tuple[int, int]
    inner: Rect
    clip: tuple[int, int]
    place: Rect


def framing(
    still: tuple[int, int], model: VideoModel, aspect: str, clip: tuple[int, int] = (0, 0),
    working: tuple[int, int] = (0, 0),
) -> Framing:
    """still, clip, working: width, height in pixels; 0 = solved. aspect: of ASPECTS."""
    for name, size in (("clip", clip), ("model's picture", working)):
        if min(size) < 0 or (0 in size and any(size)):
            raise BadRequest(f"A {name} of {size[0]} x {size[1]} pixels cannot be made.", "Give both sides, or none.")
    content: Rect = (0, 0, *still)
    if any(clip) and aspect == "crop":
        content = cut(still, clip[0] / clip[1])
    shape = content[2] / content[3]
    solved = working_size(shape, model) if not any(working) else tuple(_up(s, model.size_multiple) for s in working)
    if model.fixed_size:
        solved = (model.width, model.height)
    width, height = solved
    if aspect == "crop" and not any(clip) and abs(math.log(width / height / shape)) > _tolerance(width, height, model):
        content = cut(still, width / height)
        shape = width / height
    inner = _fitted((width, height), shape)
    if not any(clip):
        clip = inner[2:]
    return Framing(content, (width, height), inner, clip, _fitted(clip, shape))


def working_size(aspect: float, model: VideoModel) -> tuple[int, int]:
    """Width, height of about the model's own area in that aspect, in its multiples."""
    aspect = min(max(aspect, 1 / MOST_ASPECT), MOST_ASPECT)
    for own in ((model.width, model.height), (model.height, model.width)):
        if abs(math.log(own[0] / own[1] / aspect)) < NEAR_ENOUGH:
            return own
    area, multiple = model.width * model.height, model.size_multiple
    wide, high = math.sqrt(area * aspect) / multiple, math.sqrt(area / aspect) / multiple
    sizes = [(max(w, 1) * multiple, max(h, 1) * multiple)
             for w in (math.floor(wide), math.ceil(wide)) for h in (math.floor(high), math.ceil(high))]
    fitting = [size for size in sizes if size[0] * size[1] <= area * 1.02] or sizes
    return min(fitting, key=lambda size: abs(math.log(size[0] / size[1] / aspect))
               + 0.5 * abs(math.log(size[0] * size[1] / area)))


def to_model(rgb: np.ndarray, frame: Framing) -> np.ndarray:
    """(H, W, 3) uint8 -> the model's picture, uint8."""
    x, y, width, height = frame.content
    left, top, across, down = frame.inner
    cut = rgb[y : y + height, x : x + width]
    smaller = across * down < width * height
    small = cv2.resize(cut, (across, down), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    right, bottom = frame.working[0] - left - across, frame.working[1] - top - down
    kind = cv2.BORDER_REFLECT if max(top, bottom) <= down and max(left, right) <= across else cv2.BORDER_REPLICATE
    return cv2.copyMakeBorder(small, top, bottom, left, right, kind)


def from_model(picture: np.ndarray, frame: Framing) -> np.ndarray:
    """A frame of the model, (h, w, 3) uint8 -> a frame of the clip, (H, W, 3) uint8."""
    left, top, across, down = frame.inner
    return placed(picture[top : top + down, left : left + across], frame)


def shown(rgb: np.ndarray, frame: Framing) -> np.ndarray:
    """The still as the clip shows it where nothing moves: (H, W, 3) uint8 -> a frame of the clip."""
    x, y, width, height = frame.content
    return placed(rgb[y : y + height, x : x + width], frame)


def placed(content: np.ndarray, frame: Framing) -> np.ndarray:
    """A picture of the content, whatever its size -> a frame of the clip, black around it. uint8 or float32."""
    left, top, across, down = frame.place
    if content.shape[1::-1] != (across, down):
        smaller = across * down < content.shape[0] * content.shape[1]
        content = cv2.resize(content, (across, down), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)
    if frame.clip == (across, down):
        return np.ascontiguousarray(content)
    whole = np.zeros((frame.clip[1], frame.clip[0], *content.shape[2:]), content.dtype)
    whole[top : top + down, left : left + across] = content
    return whole


def model_frames(num_frames: int, fps: Fraction, model_fps: float) -> int:
    """Frames at the model's rate that last as long as num_frames at fps: at least one."""
    return max(1, round(num_frames / fps * Fraction(model_fps).limit_denominator(1001)))


def seed_of(wish: int) -> int:
    """The seed itself, or one drawn where it is negative."""
    return wish if wish >= 0 else secrets.randbelow(MOST_SEED)


def cut(size: tuple[int, int], aspect: float) -> Rect:
    """The largest part of that aspect, in the middle."""
    width = min(size[0], max(1, round(size[1] * aspect)))
    height = min(size[1], max(1, round(size[0] / aspect)))
    return (size[0] - width) // 2, (size[1] - height) // 2, width, height


def _fitted(size: tuple[int, int], aspect: float) -> Rect:
    """The largest place of that aspect within the size, with even sides where they are not the whole."""
    width, height = size
    if abs(math.log(width / height / aspect)) < 1e-9:
        return 0, 0, width, height
    if width / height > aspect:
        width = min(width, max(2, round(height * aspect / 2) * 2))
    else:
        height = min(height, max(2, round(width / aspect / 2) * 2))
    return (size[0] - width) // 2, (size[1] - height) // 2, width, height


def _tolerance(width: int, height: int, model: VideoModel) -> float:
    """How far, as a logarithm, rounding to the model's multiple can bend an aspect."""
    return ROUNDING + model.size_multiple / min(width, height) if not model.fixed_size else ROUNDING


def _up(side: int, multiple: int) -> int:
    return max(1, math.ceil(side / multiple)) * multiple
