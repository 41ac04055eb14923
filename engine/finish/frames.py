"""Frames by number, made when they are asked for: what every step takes and gives."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

KEPT = 3    # a step asks its neighbour for the same two frames again and again


class Frames:
    """num_frames pictures of (height, width, 3) uint8 sRGB. They are shared: nobody may write into one."""

    def __init__(self, num_frames: int, width: int, height: int, read: Callable[[int], np.ndarray]) -> None:
        """read(index): the picture of that number, 0 .. num_frames - 1."""
        self.num_frames, self.width, self.height = num_frames, width, height
        self._read = read
        self._kept: OrderedDict[int, np.ndarray] = OrderedDict()

    @classmethod
    def of(cls, pictures: Sequence[np.ndarray] | np.ndarray) -> Frames:
        """Pictures that lie in memory."""
        height, width = pictures[0].shape[:2]
        return cls(len(pictures), width, height, lambda index: pictures[index])

    def frame(self, index: int) -> np.ndarray:
        """(height, width, 3) uint8."""
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        picture = self._kept[index] = self._read(index)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return picture

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self.frame(index) for index in range(self.num_frames))

    def __len__(self) -> int:
        return self.num_frames

    def in_order(self, order: Sequence[int]) -> Frames:
        """These frames by other numbers: frame k is frame order[k]."""
        return Frames(len(order), self.width, self.height, lambda index: self.frame(order[index]))

    def changed(self, change: Callable[[int, np.ndarray], np.ndarray]) -> Frames:
        """Each frame through change(number, picture), which keeps its size."""
        return Frames(self.num_frames, self.width, self.height, lambda index: change(index, self.frame(index)))

    def sampled(self, most: int) -> list[np.ndarray]:
        """At most so many frames, evenly over the clip, to measure on."""
        count = min(most, self.num_frames)
        return [self.frame(round(i * (self.num_frames - 1) / max(count - 1, 1))) for i in range(count)]


def mixed(a: np.ndarray, b: np.ndarray, share: float, fade: str) -> np.ndarray:
    """a .. b by share 0 .. 1. fade: "cross" on the values as they are, "gamma_cross" on their squares, which is nearly
    in light; both as Blender's effects of these names."""
    if share <= 0 or share >= 1:
        return a if share <= 0 else b
    if fade == "cross":
        return cv2.addWeighted(a, 1 - share, b, share, 0)
    squares = cv2.addWeighted(np.square(a, dtype=np.float32), 1 - share, np.square(b, dtype=np.float32), share, 0)
    return np.rint(np.sqrt(squares)).astype(np.uint8)


def fitted(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Scaled and cropped around its middle to that size, never stretched."""
    rows, columns = picture.shape[:2]
    if (columns, rows) == (width, height):
        return picture
    scale = max(width / columns, height / rows)
    across, down = min(width / scale, columns), min(height / scale, rows)
    left, top = (columns - across) / 2, (rows - down) / 2
    if scale < 1:
        size = max(width, round(columns * scale)), max(height, round(rows * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        x, y = (size[0] - width) // 2, (size[1] - height) // 2
        return np.ascontiguousarray(small[y:y + height, x:x + width])
    to_source = np.array([[1 / scale, 0, left + 0.5 / scale - 0.5], [0, 1 / scale, top + 0.5 / scale - 0.5]])
    return cv2.warpAffine(picture, to_source, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)


def small(picture: np.ndarray, longest: int) -> np.ndarray:
    """Reduced until its longer side has that many pixels; never enlarged."""
    rows, columns = picture.shape[:2]
    scale = longest / max(rows, columns)
    if scale >= 1:
        return picture
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def lab(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> float32 CIE L*a*b*, D65: L 0 .. 100."""
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def from_lab(values: np.ndarray) -> np.ndarray:
    """The inverse of lab(); colours outside sRGB are clipped."""
    rgb = cv2.cvtColor(np.ascontiguousarray(values, np.float32), cv2.COLOR_LAB2RGB)
    return np.rint(rgb.clip(0, 1) * 255).astype(np.uint8)


def step_between(a: np.ndarray, b: np.ndarray, longest: int = 96) -> float:
    """How different two frames look: mean distance in Lab of the reduced pictures."""
    return float(np.linalg.norm(lab(small(a, longest)) - lab(small(b, longest)), axis=2).mean())
