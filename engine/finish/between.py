"""A picture between two: by optical flow, by mixing, or the nearer one; by a network in rife.py."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from .frames import mixed, small

Between = Callable[[np.ndarray, np.ndarray, float], np.ndarray]     # first, second, 0 < time < 1 -> picture

CUT_CORRELATION = 0.2       # of thumbnails: below it two frames are no neighbours of one shot
FLOW_PIXELS = 960           # longer side at which flow is measured
CONSISTENT_PX = 1.5         # there and back again, at that size: what comes back is seen in both pictures


def is_cut(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether another shot begins between two frames."""
    thumbs = [cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
              for p in (a, b)]
    x, y = (thumb - thumb.mean() for thumb in thumbs)
    spread = float(np.sqrt(np.square(x).sum() * np.square(y).sum()))
    return spread > 32 * 32 * 4 and float((x * y).sum()) < CUT_CORRELATION * spread


def hold(a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
    """The first, until the second is there."""
    del b, time
    return a


def blend(a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
    """Both, mixed in light."""
    return mixed(a, b, time, "gamma_cross")


class Flow:
    """By DIS optical flow of OpenCV, both ways; the flow of a pair is measured once, whatever is asked between it."""

    def __init__(self) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._pair: tuple[np.ndarray, np.ndarray] | None = None
        self._flows: tuple[np.ndarray, ...] = ()

    def __call__(self, a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        if self._pair is None or self._pair[0] is not a or self._pair[1] is not b:
            self._pair, self._flows = (a, b), self._measured(a, b)
        there, back, seen_a, seen_b = self._flows
        # The flow at the moment between, from both measured ones, carried to where their pixels are by then.
        from_a, cover_a = _carried(there, time, seen_a)
        from_b, cover_b = _carried(back, 1 - time, seen_b)
        total = cover_a + cover_b
        # Of the pixel here, first picture -> second.
        motion = _filled((from_a - from_b) / np.maximum(total, 1e-6)[..., None], total)
        # What only one picture shows is taken from that one.
        share = time * np.minimum(cover_b / np.maximum(cover_a, 0.05), 20)
        share = np.where(total > 0.05, share / np.maximum(share + (1 - time), 1e-6), time).astype(np.float32)
        share = cv2.GaussianBlur(share, (0, 0), 1.0)
        height, width = a.shape[:2]
        if share.shape != (height, width):
            scale = np.array([width / share.shape[1], height / share.shape[0]], np.float32)
            motion, share = cv2.resize(motion, (width, height)) * scale, cv2.resize(share, (width, height))
        one = np.square(sampled(a, motion * -time), dtype=np.float32)
        two = np.square(sampled(b, motion * (1 - time)), dtype=np.float32)
        return np.rint(np.sqrt(one + (two - one) * share[..., None])).astype(np.uint8)

    def _measured(self, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, ...]:
        """Flow there, flow back, and where each is confirmed by the other, 0 .. 1; in pixels of reduced pictures."""
        grey = [cv2.cvtColor(small(p, FLOW_PIXELS), cv2.COLOR_RGB2GRAY) for p in (a, b)]
        shape = grey[0].shape
        zero = np.zeros((*shape, 2), np.float32)
        if min(shape) < 16:     # below the patches of the method
            return zero, zero, np.ones(shape, np.float32), np.ones(shape, np.float32)
        there, back = (self._dis.calc(p, q, zero.copy()) for p, q in ((grey[0], grey[1]), (grey[1], grey[0])))
        return there, back, _confirmed(there, back), _confirmed(back, there)


def _confirmed(flow: np.ndarray, other: np.ndarray) -> np.ndarray:
    apart = np.linalg.norm(flow + sampled(other, flow), axis=2)
    return np.exp(-np.square(apart / CONSISTENT_PX)).astype(np.float32)


def sampled(picture: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The picture read at every pixel's place plus shift, (H, W, 2) px."""
    rows, columns = np.mgrid[:shift.shape[0], :shift.shape[1]].astype(np.float32)
    return cv2.remap(picture, columns + shift[..., 0], rows + shift[..., 1], cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)


def _carried(flow: np.ndarray, time: float, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each pixel's flow laid where the pixel is at that time: (weighted sum of flows, sum of weights)."""
    height, width = flow.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    x = np.rint(columns + flow[..., 0] * time).astype(np.int64)
    y = np.rint(rows + flow[..., 1] * time).astype(np.int64)
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    place = (y * width + x)[inside]
    heavy = weight[inside]
    size = height * width
    sums = [np.bincount(place, heavy * flow[..., axis][inside], size) for axis in (0, 1)]
    cover = np.bincount(place, heavy, size).reshape(height, width)
    out = np.stack(sums, axis=1).reshape(height, width, 2).astype(np.float32)
    return cv2.GaussianBlur(out, (0, 0), 0.8), cv2.GaussianBlur(cover.astype(np.float32), (0, 0), 0.8)


def _filled(motion: np.ndarray, cover: np.ndarray) -> np.ndarray:
    """Where nothing was laid, the motion around: ever wider means until every pixel has one."""
    known = cover > 0.05
    out, weight = np.where(known[..., None], motion, 0).astype(np.float32), known.astype(np.float32)
    width = 3
    while not known.all() and width < max(known.shape):
        total = cv2.blur(weight, (width, width))
        mean = cv2.blur(out * weight[..., None], (width, width)) / np.maximum(total, 1e-6)[..., None]
        new = ~known & (total > 1e-6)
        out[new], weight[new] = mean[new], 1
        known |= new
        width = width * 2 + 1
    return out
