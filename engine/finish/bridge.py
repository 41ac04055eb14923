"""From one still into the next by one camera move: into the depth of the first, and on in the second until it stands.

The camera dollies forward all the time, at a speed that rises and falls smoothly; how far it has come is counted as the
logarithm of the growth of the pivot plane. Where the depth of the first still ends its dolly, its lens goes on. While
they cross, the second shows first where the first is far away: what is near passes by.

The second is first seen from behind its own camera, wider than it is: it is mirrored far past its borders. That shows
only at speed and half covered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from engine.camera import Bounds, Intrinsics, Shot, View, limited
from engine.camera.moves import Pose, centred
from engine.camera.path import view_of
from engine.layers import build_layered_still
from engine.layers.build import MARGIN
from engine.render import Rasteriser

from .frames import fitted, mixed
from .order import smooth

CROSS = (0.3, 0.7)              # of the clip: when both are seen
BEHIND = 0.35                   # of the longer side: how far the second still is mirrored past its borders
MOST = 0.85                     # of an amount of 1: then the pivot plane grows nearly sevenfold
RANKS = np.linspace(0, 1, 33)
SOFT = 0.6                      # of the range of depth, over which the crossing spreads


@dataclass
class Place:
    """A still that the camera can move in.

    rgb: (H, W, 3) uint8. disparity: (H, W) float32, 1 / scene unit. pivot: of it. intrinsics: of these pixels.
    """

    rgb: np.ndarray
    disparity: np.ndarray
    pivot: float
    intrinsics: Intrinsics

    def prepare(self, width: int, height: int, seconds: float, behind: bool) -> None:
        """Cuts it into layers. width, height: of the frames. behind: whether it is seen from behind its camera."""
        margin = BEHIND if behind else MARGIN
        layered = build_layered_still(self.rgb, self.disparity, self.intrinsics, margin=margin)
        self._rasteriser = Rasteriser(layered)
        self._bounds, self._margin = Bounds.of(self.disparity), layered.margin_px
        self._levels = np.quantile(self.disparity, RANKS)
        source_height, source_width = self.disparity.shape
        self._shot = Shot("push_in", 0.0, "linear", "once", self.pivot, 25, seconds, layered.intrinsics, source_width,
                          source_height, width, height)

    def reach(self, move: str, amount: float) -> float:
        """How far the camera can go by push_in or pull_out, at most `amount` of it: log growth of the pivot plane."""
        most = limited(replace(self._shot, move=move, amount=amount), self._bounds, self._margin).amount
        return float(-np.log(1 - most) if move == "push_in" else np.log(1 + most))

    def view(self, travel: float, zoom: float = 0.0) -> View:
        """The camera after that log growth; 0 = the still's own, below 0 = behind it. zoom: log growth by the lens."""
        amount = 1 - float(np.exp(-travel))
        view = view_of(Pose(z=amount / self.pivot, shown=centred(1 - amount)), self._shot)
        k, closer = view.intrinsics, float(np.exp(zoom))
        x, y = (view.width - 1) / 2, (view.height - 1) / 2
        lens = Intrinsics(k.fx * closer, k.fy * closer, x + (k.cx - x) * closer, y + (k.cy - y) * closer)
        return replace(view, intrinsics=lens)

    def frame(self, view: View) -> np.ndarray:
        """(height, width, 3) uint8."""
        return self._rasteriser.frame(view)

    def nearness(self, view: View) -> np.ndarray:
        """(height, width) float32: 0 = the still's farthest point, 1 = its nearest, of what the frame shows.

        Half of it is the rank among all pixels: where most of a picture is about as far, it must not go all at once.
        """
        z = 1 / np.maximum(self._rasteriser.disparity(view), 1e-6) + np.float32(np.linalg.inv(view.world2cam)[2, 3])
        span = max(self._bounds.near - self._bounds.far, 1e-6)
        disparity = 1 / np.maximum(z, 1e-6)
        rank = np.interp(disparity, self._levels + np.arange(len(RANKS)) * 1e-7, RANKS)
        return ((((disparity - self._bounds.far) / span).clip(0, 1) + rank) / 2).astype(np.float32)

    def still(self, width: int, height: int) -> np.ndarray:
        """The still itself as a frame."""
        return fitted(self.rgb, width, height)


def push_through(
    first: Place, second: Place, num_frames: int, width: int, height: int, seconds: float, amount: float
) -> Iterator[np.ndarray]:
    """num_frames pictures, at least two: the first is the first still, the last is the second. amount: 0 .. 1."""
    first.prepare(width, height, seconds, behind=False)
    second.prepare(width, height, seconds, behind=True)
    amount = min(amount, MOST)
    wish = -float(np.log(1 - amount))
    deep, behind = first.reach("push_in", amount), second.reach("pull_out", amount / 2)
    start, end = CROSS
    for index in range(num_frames):
        time = index / (num_frames - 1)
        # Each still's own share of the way: 0 .. 1 until the first is gone, 1 .. 0 from where the second begins.
        gone, missing = smooth(time) / smooth(end), (1 - smooth(time)) / (1 - smooth(start))
        into = first.view(gone * deep, gone * (wish - deep))
        from_behind = second.view(-missing * behind)
        if index in (0, num_frames - 1):
            yield (second if index else first).still(width, height)
        elif time <= start:
            yield first.frame(into)
        elif time >= end:
            yield second.frame(from_behind)
        else:
            share = shown_of_second(first.nearness(into), (time - start) / (end - start))
            a = np.square(first.frame(into), dtype=np.float32)
            b = np.square(second.frame(from_behind), dtype=np.float32)
            yield np.rint(np.sqrt(a + (b - a) * share[..., None])).astype(np.uint8)


def shown_of_second(nearness: np.ndarray, through: float) -> np.ndarray:
    """(H, W) 0 .. 1: how much of the second still covers the first, whose nearness is given; through: 0 .. 1."""
    share = ((through * (1 + SOFT) - nearness) / SOFT).clip(0, 1)
    share = share * share * (3 - 2 * share)
    return cv2.GaussianBlur(share, (0, 0), max(1.0, share.shape[1] / 400))


def dissolve(first: np.ndarray, second: np.ndarray, num_frames: int) -> Iterator[np.ndarray]:
    """The one fades into the other; the first frame is the one, the last the other."""
    for index in range(num_frames):
        yield mixed(first, second, index / (num_frames - 1), "gamma_cross")
