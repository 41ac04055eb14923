"""Camera lock: what moves as a whole is held as in the first frame.

Each frame is found in the first one by points of the background: tracked from the first frame itself, starting where
the frame before had them, so that no error adds up. RANSAC takes the motion that most points agree on, so things that
move on their own do not count. The motion is a shift, a turn and a scale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .frames import Frames, small

MEASURED_PX = 1280              # longer side at which motion is measured
POINTS, FEWEST = 1200, 12
AGREE_PX = 1.0
THERE_AND_BACK_PX = 0.5
FEATHER_PX = 12
LARGEST_CROP = 1.5
STILL_PX = 0.05                 # below that nothing is resampled


@dataclass(frozen=True)
class Motion:
    """Of each frame against the first: (F, 2, 3) float64, a place in the first frame -> the place in frame k, pixels.

    found: (F,) bool, False where nothing could be held on to; the frame before counts there.
    """

    to_frame: np.ndarray
    found: np.ndarray

    def largest_shift(self, width: int, height: int) -> float:
        """The farthest that a corner of the picture wandered, pixels."""
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64)
        moved = corners @ self.to_frame[:, :, :2].transpose(0, 2, 1) + self.to_frame[:, None, :, 2]
        return float(np.linalg.norm(moved - corners, axis=2).max())


def motion_of(frames: Frames, seen: Callable[[int, int], None]) -> Motion:
    """Measures the whole clip."""
    first = _grey(frames.frame(0))
    scale = np.array([frames.width / first.shape[1], frames.height / first.shape[0]])
    points = cv2.goodFeaturesToTrack(first, POINTS, 0.005, max(4, max(first.shape) / 60))
    count = frames.num_frames
    found = np.ones(count, bool)
    moves = np.tile(np.eye(2, 3), (count, 1, 1))
    previous = np.eye(2, 3)
    for index in range(1, count):
        fit = None
        if points is not None and len(points) >= FEWEST:
            fit = _fitted(first, _grey(frames.frame(index)), points[:, 0], previous)
        found[index] = fit is not None
        previous = previous if fit is None else fit
        moves[index] = previous
        seen(index, count - 1)
    # From the pixels that were measured on to those of the clip; places count from the edge, not from a pixel's middle.
    for move in moves:
        turn, shift = move[:, :2], move[:, 2]
        centre = np.array([-0.5, -0.5])
        move[:, 2] = (turn @ centre + shift - centre) * scale
        move[:, :2] = turn * scale[:, None] / scale[None, :]
    return Motion(moves, found)


def _grey(picture: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(small(picture, MEASURED_PX), cv2.COLOR_RGB2GRAY)


def _fitted(first: np.ndarray, other: np.ndarray, points: np.ndarray, guess: np.ndarray) -> np.ndarray | None:
    """(2, 3): points of the first picture -> those of the other, or None where too few agree."""
    options = {"winSize": (21, 21), "maxLevel": 4, "flags": cv2.OPTFLOW_USE_INITIAL_FLOW,
               "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 0.003)}
    start = (points @ guess[:, :2].T + guess[:, 2]).astype(np.float32)
    there, ok, _ = cv2.calcOpticalFlowPyrLK(first, other, points, start.copy(), **options)
    back, ok_back, _ = cv2.calcOpticalFlowPyrLK(other, first, there, points.copy(), **options)
    good = (ok[:, 0] > 0) & (ok_back[:, 0] > 0) & (np.linalg.norm(back - points, axis=1) < THERE_AND_BACK_PX)
    if good.sum() < FEWEST:
        return None
    fit, agree = cv2.estimateAffinePartial2D(points[good], there[good], method=cv2.RANSAC, maxIters=2000,
                                             ransacReprojThreshold=AGREE_PX, confidence=0.999, refineIters=20)
    return fit if fit is not None and int(agree.sum()) >= FEWEST else None


def lock(
    frames: Frames, method: str, warnings: list[str], seen: Callable[[int, int], None]
) -> tuple[Frames, dict[str, float]]:
    """The clip as from a camera that never moved; what was removed (pixels at the farthest corner), and the crop.

    method: "crop" enlarges all frames alike until no border shows, "fill" puts the first frame behind.
    """
    motion = motion_of(frames, seen)
    if not motion.found.all():
        warnings.append("In parts of the clip nothing was found to hold the camera by, so those parts may still move.")
    removed = motion.largest_shift(frames.width, frames.height)
    zoom = _crop(motion.to_frame, frames.width, frames.height) if method == "crop" else 1.0
    if zoom > LARGEST_CROP:
        zoom = 1.0
        method = "fill"
        warnings.append("The camera moves too far to crop its borders away; they are filled from the first frame.")
    size = frames.width, frames.height
    middle = np.array(size) / 2
    first = frames.frame(0)

    def change(index: int, picture: np.ndarray) -> np.ndarray:
        move = motion.to_frame[index].copy()
        if zoom > 1:
            move[:, 2] += move[:, :2] @ (middle - middle / zoom)
            move[:, :2] /= zoom
        # Between edges (where Motion counts) and middles of pixels (where OpenCV does).
        half = np.array([0.5, 0.5])
        move[:, 2] += move[:, :2] @ half - half
        corners = np.array([[0, 0], [size[0], 0], [0, size[1]], [size[0], size[1]]], np.float64)
        if np.abs(corners @ move[:, :2].T + move[:, 2] - corners).max() < STILL_PX:
            return picture
        flags = cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP
        steady = cv2.warpAffine(picture, move, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return steady if method == "crop" else _over(first, steady, move)

    return frames.changed(change), {"removed_px": round(removed, 2), "zoom": round(zoom, 4)}


def _over(first: np.ndarray, steady: np.ndarray, move: np.ndarray) -> np.ndarray:
    """The first frame behind a frame that no longer fills the picture, with a soft edge inside it."""
    height, width = first.shape[:2]
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x = move[0, 0] * columns + move[0, 1] * rows + move[0, 2]
    y = move[1, 0] * columns + move[1, 1] * rows + move[1, 2]
    # Only sides that lack something are softened: along the others the frame goes on as it is.
    left, right, top, bottom = x.min() < 0, x.max() > width - 1, y.min() < 0, y.max() > height - 1
    share = np.ones((height, width), np.float32)
    for lacks, distance in ((left, x), (right, width - 1 - x), (top, y), (bottom, height - 1 - y)):
        if lacks:
            share = np.minimum(share, (distance / FEATHER_PX).clip(0, 1))
    out = first + (steady.astype(np.float32) - first) * share[..., None]
    return np.rint(out).clip(0, 255).astype(np.uint8)


def _crop(moves: np.ndarray, width: int, height: int) -> float:
    """By how much all frames must be enlarged around the middle so that none reads outside itself."""
    edge = np.linspace(0, 1, 9)
    border = np.array([(s, t) for s in edge for t in (0, 1)] + [(s, t) for s in (0, 1) for t in edge])
    size = np.array([width, height], np.float64)
    from_middle = (border - 0.5) * size

    def fits(zoom: float) -> bool:
        places = (size / 2 + from_middle / zoom) @ moves[:, :, :2].transpose(0, 2, 1) + moves[:, None, :, 2]
        return bool((places >= -1e-6).all() and (places <= size + 1e-6).all())

    low, high = 1.0, 4.0
    if fits(low):
        return low
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high
