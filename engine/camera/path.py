"""From a move to one view per frame, and the limit that keeps everything outside the picture out of sight."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..errors import BadRequest
from .easing import CYCLES, EASINGS, progress_at
from .intrinsics import Intrinsics, View
from .moves import MOVES, Options, Pose, Scene

SAFETY_PX = 1.5  # resampling at the frame's border reads a pixel further out
LIMIT_STEPS = 14  # bisection of the amount: finer than one part in ten thousand
BORDER_SAMPLES = 9  # rays per side of the frame; between them a border is a straight line
NEAREST_SHARE = 0.75  # a camera stays behind this share of the way to the nearest point
REST_OPTIONS = Options()


@dataclass(frozen=True)
class Bounds:
    """Disparities, 1 / scene unit: of the whole scene, and (lowest, highest) of a strip along each side."""

    near: float
    far: float
    left: tuple[float, float]
    right: tuple[float, float]
    top: tuple[float, float]
    bottom: tuple[float, float]

    @classmethod
    def of(cls, disparity: np.ndarray, strip: float = 0.12) -> Bounds:
        """disparity: (H, W). strip: its width as a share of the frame; a move that is allowed reads no further in."""
        height, width = disparity.shape
        rows, columns = max(1, round(height * strip)), max(1, round(width * strip))

        def span(part: np.ndarray) -> tuple[float, float]:
            return float(part.min()), float(part.max())

        far, near = span(disparity)
        return cls(
            near,
            far,
            span(disparity[:, :columns]),
            span(disparity[:, -columns:]),
            span(disparity[:rows]),
            span(disparity[-rows:]),
        )


@dataclass(frozen=True)
class Shot:
    """All that a path depends on.

    move, easing, cycle: names from the tables. amount: see moves.py. pivot: disparity, 1 / scene unit.
    intrinsics: of the still of width x height pixels; out_width, out_height: of the frames.
    The frames show the largest centred part of the still that has their aspect.
    """

    move: str
    amount: float
    easing: str
    cycle: str
    pivot: float
    num_frames: int
    seconds: float
    intrinsics: Intrinsics
    width: int
    height: int
    out_width: int
    out_height: int
    options: Options = REST_OPTIONS

    def __post_init__(self) -> None:
        for value, table, word in (
            (self.move, MOVES, "move"),
            (self.easing, EASINGS, "easing"),
            (self.cycle, CYCLES, "cycle"),
        ):
            if value not in table:
                raise BadRequest(f"There is no {word} called '{value}'.", f"Choose one of: {', '.join(table)}.")
        if not 0 <= self.amount <= 1:
            raise BadRequest(
                f"The amount {self.amount:g} is not a share of the frame.", "Choose an amount from 0 to 1."
            )

    def base(self) -> tuple[float, float, float, float]:
        """left, top, width, height of the part shown at rest, in the still's pixels (edges, not centres)."""
        width = min(self.width, self.height * self.out_width / self.out_height)
        height = min(self.height, self.width * self.out_height / self.out_width)
        return (self.width - width) / 2, (self.height - height) / 2, width, height


def camera_path(shot: Shot, bounds: Bounds) -> list[View]:
    """One view per frame, at the amount given; (num_frames,)."""
    return views_at(np.arange(shot.num_frames), shot, bounds)


def views_at(frames: np.ndarray, shot: Shot, bounds: Bounds) -> list[View]:
    """A view for each of some frames, whole or not, counted from 0."""
    times = progress_at(frames, shot.cycle, shot.easing, shot.num_frames, MOVES[shot.move].closed)
    return views_of(times, shot, bounds)


def views_of(progress: np.ndarray, shot: Shot, bounds: Bounds) -> list[View]:
    """A view for each progress of the move: 0 is its start, 1 its end, and it may lie beyond both; any shape (N,)."""
    move, scene = MOVES[shot.move], _scene(shot, bounds)
    amount = min(shot.amount, move.most)
    return [view_of(move.pose(float(u), amount, scene, shot.options), shot) for u in progress]


def _scene(shot: Shot, bounds: Bounds) -> Scene:
    _, _, width, height = shot.base()
    return Scene(bounds.near, bounds.far, shot.pivot, shot.intrinsics.fx / width, height / width, shot.seconds)


def view_of(pose: Pose, shot: Shot) -> View:
    """A pose as an OpenCV camera.

    Without a turn, the lens is chosen so that the pivot plane's part `pose.shown` fills the frame exactly: similar
    triangles between the still's camera and one at (x, y, z). With a turn, the still's lens is kept.
    """
    left, top, width, height = shot.base()
    x, y, share, _ = pose.shown
    cropped = shot.intrinsics.cropped(left + x * width, top + y * height)
    scale = shot.out_width / (width * share)
    framed = cropped.resized(scale, scale)
    depth = 1 / shot.pivot
    world2cam = np.eye(4)
    centre = np.array([pose.x, pose.y, pose.z])
    if pose.look_at_pivot:
        world2cam[:3, :3] = _turn_towards(np.array([0, 0, depth]) - centre)
        seen = framed
    else:
        nearer = (depth - pose.z) / depth
        seen = Intrinsics(
            framed.fx * nearer,
            framed.fy * nearer,
            framed.cx + framed.fx * pose.x / depth,
            framed.cy + framed.fy * pose.y / depth,
        )
    world2cam[:3, 3] = -world2cam[:3, :3] @ centre
    return View(world2cam, seen, shot.out_width, shot.out_height)


def _turn_towards(direction: np.ndarray) -> np.ndarray:
    """(3, 3) world-to-camera rotation of a level camera (y stays down) that looks along `direction`."""
    forward = direction / np.linalg.norm(direction)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def outside(view: View, shot: Shot, bounds: Bounds) -> float:
    """How far, in pixels of the still, this view reads beyond the still's frame at most; negative = it stays inside.

    A ray of the view meets the still's column u = fx (X(s)) s + cx at disparity s, and that is linear in s: only the
    lowest and the highest disparity along each side need a look.
    """
    k, out = shot.intrinsics, view.intrinsics
    cam2world = np.linalg.inv(view.world2cam)
    centre = cam2world[:3, 3]
    across = np.linspace(-0.5, view.width - 0.5, BORDER_SAMPLES)
    down = np.linspace(-0.5, view.height - 0.5, BORDER_SAMPLES)
    sides = (
        (bounds.left, np.full(BORDER_SAMPLES, -0.5), down),
        (bounds.right, np.full(BORDER_SAMPLES, view.width - 0.5), down),
        (bounds.top, across, np.full(BORDER_SAMPLES, -0.5)),
        (bounds.bottom, across, np.full(BORDER_SAMPLES, view.height - 0.5)),
    )
    worst = -np.inf
    for span, columns, rows in sides:
        rays = np.stack([(columns - out.cx) / out.fx, (rows - out.cy) / out.fy, np.ones(BORDER_SAMPLES)])
        rays = cam2world[:3, :3] @ rays
        slope = rays[:2] / rays[2]
        for disparity in span:
            x, y = slope * (1 - centre[2] * disparity) + centre[:2, None] * disparity
            u, v = k.fx * x + k.cx, k.fy * y + k.cy
            worst = max(worst, -0.5 - u.min(), u.max() - shot.width + 0.5, -0.5 - v.min(), v.max() - shot.height + 0.5)
    return float(worst)


def limited(shot: Shot, bounds: Bounds, margin_px: float) -> Shot:
    """The same shot with the largest amount, not above the one asked for, that shows nothing beyond the margin.

    margin_px: how far the layered still goes on outside the frame, pixels of the still.
    """

    def allowed(amount: float) -> bool:
        views = camera_path(replace(shot, amount=amount, num_frames=min(shot.num_frames, 49)), bounds)
        return all(
            np.linalg.inv(v.world2cam)[2, 3] <= NEAREST_SHARE / bounds.near
            and outside(v, shot, bounds) <= margin_px - SAFETY_PX
            for v in views
        )

    if allowed(shot.amount):
        return shot
    low, high = 0.0, shot.amount
    for _ in range(LIMIT_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if allowed(middle) else (low, middle)
    return replace(shot, amount=low)
