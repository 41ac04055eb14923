"""A camera for every frame of the project becomes what a model is told: poses at its own frames, or a rendered clip.

Axes are OpenCV's (x right, y down, z forward), the still's own camera is the identity, lengths are those of the views.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.camera import Intrinsics, View
from engine.errors import BadRequest
from engine.finish.conform import positions
from engine.video.solve import Framing

if TYPE_CHECKING:
    from PIL import Image

REST_ERROR = 1e-4  # of a pose, in its lengths and as a share of the picture's width: smaller than anybody sees


@dataclass(frozen=True)
class CameraPath:
    """cam2world: (F, 4, 4). lenses: (F, 4), each fx, fy, cx, cy in pixels of the model's picture. Both float64."""

    cam2world: np.ndarray
    lenses: np.ndarray

    def view(self, index: int, width: int, height: int) -> View:
        return View(np.linalg.inv(self.cam2world[index]), Intrinsics(*self.lenses[index]), width, height)

    def part(self, first: int, count: int) -> CameraPath:
        """Some frames, whose first camera is the identity."""
        poses = self.cam2world[first : first + count]
        return CameraPath(np.linalg.inv(poses[0]) @ poses, self.lenses[first : first + count])

    def starts_at(self, still: Intrinsics) -> bool:
        """Whether the first frame shows the still itself. still: its camera, in pixels of the model's picture."""
        lens = np.array([still.fx, still.fy, still.cx, still.cy])
        near = np.abs(self.lenses[0] - lens).max() <= REST_ERROR * still.fx
        return bool(near) and bool(np.abs(self.cam2world[0] - np.eye(4)).max() <= REST_ERROR)


def camera_path(views: list[View], frame: Framing, used: int, made: int, method: str) -> CameraPath:
    """The cameras at the model's frames.

    views: one a frame of the project, in pixels of the visible still. used: frames of the model that become the clip;
    made: how many it makes, the rest stands still at the end. method: by which they are conformed.
    """
    step = positions(used, len(views), method)[min(1, len(views) - 1)]  # frames of the model in one of the project
    places = np.minimum(np.arange(made) / float(step), len(views) - 1) if step else np.zeros(made)
    poses = np.linalg.inv(np.stack([view.world2cam for view in views]))
    lenses = np.array([_values(in_picture(view.intrinsics, frame)) for view in views])
    return CameraPath(np.stack([_pose_at(poses, place) for place in places]),
                      np.stack([_between(lenses, place) for place in places]))


def in_picture(lens: Intrinsics, frame: Framing) -> Intrinsics:
    """A lens in pixels of the visible still -> in pixels of the model's picture."""
    x, y, width, height = frame.content
    left, top, across, down = frame.inner
    return lens.cropped(x, y).resized(across / width, down / height).cropped(-left, -top)


def controlled(
    path: CameraPath, folder: str, picture: np.ndarray, still: Intrinsics, check: Callable[[], None]
) -> tuple[tuple[Image.Image, ...], tuple[Image.Image, ...]]:
    """The layered still seen along the path, and its mask: white where the still does not tell what is there.

    picture: the still as the model gets it, (h, w, 3) uint8; it is the first frame where the path starts at it, exactly
    and all of it kept. still: its camera, in pixels of the picture. check: called before each frame; may raise.
    Raises BadStill for a folder that holds no layered still.
    """
    from PIL import Image

    from engine.layers import LayeredStill
    from engine.render.passes import make_passes

    layered = LayeredStill.load(folder)
    colour, unknown = make_passes(layered, ("colour", "disocclusion"))
    height, width = picture.shape[:2]
    video: list[Image.Image] = []
    mask: list[Image.Image] = []
    for index in range(len(path.lenses)):
        check()
        view = path.view(index, width, height)
        at_rest = index == 0 and path.starts_at(still)
        shown = picture if at_rest else colour.frame(view)
        white = np.zeros((height, width), bool) if at_rest else unknown.frame(view)[..., 0] > 127
        video.append(Image.fromarray(shown))
        mask.append(Image.fromarray((white * 255).astype(np.uint8)))
    return tuple(video), tuple(mask)


def views_of(numbers: tuple[tuple[float, ...], ...], num_frames: int, width: int, height: int) -> list[View]:
    """A request's views. width, height: of the visible still. Raises BadRequest for what is no camera a frame."""
    if len(numbers) != num_frames:
        raise BadRequest(f"There are {len(numbers)} cameras for a clip of {num_frames} frames.",
                         "Give one camera for every frame.")
    return [View.read(one, width, height, index) for index, one in enumerate(numbers)]


def _values(lens: Intrinsics) -> tuple[float, float, float, float]:
    return lens.fx, lens.fy, lens.cx, lens.cy


def _pose_at(poses: np.ndarray, place: float) -> np.ndarray:
    """(4, 4) between poses (N, 4, 4): turned along the shortest way, as by slerp, but without its corners."""
    base = poses[int(place), :3, :3]
    near = slice(max(int(place) - 3, 0), int(place) + 5)
    turns = np.stack([_turn(base.T @ pose) for pose in poses[near, :3, :3]])
    pose = np.eye(4)
    pose[:3, :3] = base @ _rotation(_between(turns, place - near.start))
    pose[:3, 3] = _between(poses[:, :3, 3], place)
    return pose


def _between(values: np.ndarray, place: float) -> np.ndarray:
    """Rows of (N, C) at a fraction: on the cubic through the four nearest (Lagrange), which eased moves are made of."""
    count = min(4, len(values))
    first = min(max(int(place) - 1, 0), len(values) - count)
    nodes = np.arange(first, first + count)
    shares = [np.prod([(place - other) / (node - other) for other in nodes if other != node]) for node in nodes]
    return np.array(shares) @ values[nodes]


def _turn(rotation: np.ndarray) -> np.ndarray:
    """(3, 3) -> (3,): its axis, as long as its angle in radians."""
    axis = 0.5 * np.array([rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0],
                           rotation[1, 0] - rotation[0, 1]])
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, (np.trace(rotation) - 1) / 2)
    return axis * (angle / sine) if sine > 0 else axis


def _rotation(turn: np.ndarray) -> np.ndarray:
    """The inverse of _turn (Rodrigues)."""
    angle = float(np.linalg.norm(turn))
    if angle == 0:
        return np.eye(3)
    x, y, z = turn / angle
    across = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * across @ across
